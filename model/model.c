/* SPDX-License-Identifier: Apache-2.0
 *
 * Model: loads a version and holds what it is made of.
 *
 *     store       plans, kernels, constants, signatures   immutable after model_load
 *     resources   variables                               each behind its own lock
 *     refs        atomic
 *
 * What is needed only to load (the protobuf, graphs) is in one arena that model_load frees.
 */
#include "model/model.h"

#include <stdatomic.h>
#include <string.h>

#include "model/base/message.h"
#include "model/bundle/saved_model.h"
#include "model/graph/fold.h"
#include "model/op/panel.h"
#include "model/plan/initialize.h"
#include "model/signature.h"
#include "tensorflow_serving/apis/get_model_metadata.pb-c.h"

#define ARENA_BLOCK_BYTES ((size_t)1 << 20)
#define GRAPH_MAX_BYTES ((size_t)1 << 30) /* besides what comes from the bundle's own bytes */
#define MAP_MAX_BYTES ((size_t)1 << 30)
#define DEFAULT_SIGNATURE "serving_default"

struct Model {
    atomic_int refs;
    Store *store;
    ResourceManager *resources;
    Signature *signatures; /* [n_signatures], sorted by name */
    Plan **plans;          /* [n_signatures]; equal signatures share one */
    size_t n_signatures;
    Buf signature_def_map;
};

/* ---- loading ------------------------------------------------------------------------------- */

static Error *pack_signatures(Arena *arena, const Tensorflow__MetaGraphDef *meta_graph, Buf *buf)
{
    typedef Tensorflow__Serving__SignatureDefMap__SignatureDefEntry Entry;
    size_t n = meta_graph->n_signature_def;
    Entry **entries = arena_calloc(arena, n, sizeof *entries);
    Entry *array = arena_calloc(arena, n, sizeof *array);
    if (entries == NULL || array == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        tensorflow__serving__signature_def_map__signature_def_entry__init(&array[i]);
        array[i].key = meta_graph->signature_def[i]->key;
        array[i].value = meta_graph->signature_def[i]->value;
        entries[i] = &array[i];
    }
    Tensorflow__Serving__SignatureDefMap map = TENSORFLOW__SERVING__SIGNATURE_DEF_MAP__INIT;
    map.n_signature_def = n;
    map.signature_def = entries;
    return message_pack(&map.base, buf);
}

/* What only loading needs, and what it is of. */
typedef struct Loading {
    const SavedModel *saved_model;
    Library *library;
    Arena *arena; /* for graphs */
    bool as_written;
} Loading;

/* Variables get their values once it is known which of them the signatures reach. */
static Error *initialize_reached(const Model *model, const Loading *loading, const Graph *graphs)
{
    _cleanup_(map_freep) Map *reached = map_new();
    if (reached == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < model->n_signatures; i++)
        TRY(fold_collect_reached(&graphs[i], reached));
    /* As it was written, handles are steps of the plan. */
    TRY(initialize(loading->saved_model, loading->library, model->resources,
                   loading->as_written ? NULL : reached));
    arena_limit(loading->arena, arena_used(loading->arena) + GRAPH_MAX_BYTES +
                                    2 * resource_manager_bytes(model->resources));
    return NULL;
}

static Error *compile(Model *model, const Loading *loading)
{
    size_t n = model->n_signatures;
    Graph *graphs = NULL;
    CompileRequest *requests = arena_calloc(loading->arena, n, sizeof *requests);
    if (requests == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        TRY(signature_request(loading->arena, &model->signatures[i], &requests[i]));
    const Compiler compiler = { .library = loading->library,
                                .resources = model->resources,
                                .store = model->store,
                                .arena = loading->arena,
                                .as_written = loading->as_written };
    TRY(compile_import(&compiler, n, requests, &graphs));
    TRY(initialize_reached(model, loading, graphs));
    TRY(compile_signatures(&compiler, n, requests, graphs, model->plans));
    for (size_t i = 0; i < n; i++)
        model->signatures[i].plan = model->plans[i];
    return NULL;
}

static Error *load(const char *directory, const ModelOptions *options, Model *model)
{
    static const char *const serve[] = { "serve" };
    bool has_tags = options != NULL && options->tags != NULL;
    _cleanup_(arena_freep) Arena *arena = arena_new(ARENA_BLOCK_BYTES, 0);
    if (arena == NULL)
        return error_out_of_memory();
    SavedModel saved_model;
    TRY(saved_model_read(arena, directory, has_tags ? options->tags : serve,
                         has_tags ? options->n_tags : 1, &saved_model));
    const Tensorflow__MetaGraphDef *meta_graph = saved_model.meta_graph;
    _cleanup_(library_freep) Library *library = NULL;
    TRY(library_new(meta_graph->graph_def, &library));
    TRY(signatures_read(store_arena(model->store), meta_graph, &model->signatures,
                        &model->n_signatures));
    model->plans = arena_calloc(store_arena(model->store), model->n_signatures, sizeof(Plan *));
    if (model->plans == NULL)
        return error_out_of_memory();
    TRY(pack_signatures(arena, meta_graph, &model->signature_def_map));
    _cleanup_(arena_freep) Arena *graphs =
        arena_new(ARENA_BLOCK_BYTES, GRAPH_MAX_BYTES + 2 * arena_used(arena));
    if (graphs == NULL)
        return error_out_of_memory();
    const Loading loading = { &saved_model, library, graphs,
                              options != NULL && options->as_written };
    return compile(model, &loading);
}

Error *model_load(const char *directory, const ModelOptions *options, Model **ret_model)
{
    _cleanup_(model_unrefp) Model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return error_out_of_memory();
    atomic_init(&model->refs, 1);
    buf_init(&model->signature_def_map, MAP_MAX_BYTES);
    model->store = store_new();
    model->resources = resource_manager_new();
    if (model->store == NULL || model->resources == NULL)
        return error_out_of_memory();
    TRY(load(directory, options, model));
    *ret_model = TAKE(model);
    return NULL;
}

/* ---- holding ------------------------------------------------------------------------------- */

Model *model_ref(Model *model)
{
    /* Whoever calls has a reference already, so nothing needs to be ordered. */
    atomic_fetch_add_explicit(&model->refs, 1, memory_order_relaxed);
    return model;
}

Model *model_unref(Model *model)
{
    /* Release: what this thread did with the model is before its end; acquire: the thread that ends
     * it comes after all others. */
    if (model == NULL || atomic_fetch_sub_explicit(&model->refs, 1, memory_order_acq_rel) > 1)
        return NULL;
    for (size_t i = 0; model->plans != NULL && i < model->n_signatures; i++)
        plan_retire(model->plans[i]);
    resource_manager_free(model->resources);
    store_free(model->store);
    buf_done(&model->signature_def_map);
    free(model);
    return NULL;
}

const Signature *model_signatures(const Model *model, size_t *ret_n)
{
    *ret_n = model->n_signatures;
    return model->signatures;
}

const Signature *model_find_signature(const Model *model, Bytes name)
{
    if (name.size == 0)
        name = bytes_of_text(DEFAULT_SIGNATURE);
    for (size_t i = 0; i < model->n_signatures; i++)
        if (bytes_equal(name, bytes_of_text(model->signatures[i].name)))
            return &model->signatures[i];
    return NULL;
}

Bytes model_signature_def_map(const Model *model)
{
    return (Bytes){ model->signature_def_map.data, model->signature_def_map.size };
}

size_t model_memory_bytes(const Model *model)
{
    return sizeof *model + store_bytes(model->store) + resource_manager_bytes(model->resources) +
           model->signature_def_map.capacity;
}

const char *model_kernels(void)
{
    return panel_form()->name;
}
