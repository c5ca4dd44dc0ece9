/* SPDX-License-Identifier: Apache-2.0
 *
 * Initialize: what TensorFlow's loader does after it has read a bundle
 * (tensorflow/cc/saved_model/loader_util.cc): the restore op, then the init op, each fed the paths
 * that it asks for. The init op is imported first, because what it reads must be restored.
 */
#include "model/plan/initialize.h"

#include <string.h>

#include "model/base/message.h"
#include "model/graph/fold.h"
#include "model/plan/compile.h"
#include "model/plan/restore.h"
#include "model/plan/run.h"

#define ARENA_BLOCK_BYTES ((size_t)1 << 20)
#define GRAPH_MAX_BYTES ((size_t)1 << 30)
#define INIT_OP_KEY "__saved_model_init_op"

/* The paths that are fed: parallel arrays. */
typedef struct Paths {
    GraphFeed *feeds;
    Tensor *tensors;
    size_t n, capacity;
} Paths;

typedef struct Initializer {
    const SavedModel *saved_model;
    const Tensorflow__MetaGraphDef *meta_graph;
    Library *library;
    ResourceManager *resources;
    Map *reached; /* NULL: all */
    Arena *arena;
    Paths paths; /* of assets; room for one more */
} Initializer;

static Error *add_path(Initializer *in, const char *tensor_name, const char *path)
{
    const Shape scalar = shape_of();
    Tensor *tensor = &in->paths.tensors[in->paths.n];
    TRY(tensor_new(in->arena, DT_STRING, &scalar, tensor));
    *(Bytes *)tensor->data = bytes_of_text(path);
    in->paths.feeds[in->paths.n++] = (GraphFeed){ tensor_name, DT_STRING };
    return NULL;
}

/* ---- assets -------------------------------------------------------------------------------- */

/* An asset is a file under assets/: a name that leads elsewhere is refused. */
static bool is_inside(const char *filename)
{
    if (filename[0] == '\0' || filename[0] == '/')
        return false;
    for (const char *part = filename; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

static Error *add_asset(Initializer *in, const Tensorflow__AssetFileDef *asset)
{
    const char *directory = in->saved_model->assets_directory;
    if (asset->tensor_info == NULL ||
        asset->tensor_info->encoding_case != TENSORFLOW__TENSOR_INFO__ENCODING_NAME)
        return error_new(ERROR_INVALID_ARGUMENT, "asset '%s' does not name a tensor",
                         asset->filename);
    if (!is_inside(asset->filename))
        return error_new(ERROR_INVALID_ARGUMENT, "asset '%s' is outside of the bundle's %s",
                         asset->filename, directory);
    const char *path = arena_printf(in->arena, "%s/%s", directory, asset->filename);
    if (path == NULL)
        return error_out_of_memory();
    return add_path(in, asset->tensor_info->name, path);
}

static const Tensorflow__CollectionDef *find_collection(const Initializer *in, const char *key)
{
    for (size_t i = 0; i < in->meta_graph->n_collection_def; i++)
        if (strcmp(in->meta_graph->collection_def[i]->key, key) == 0)
            return in->meta_graph->collection_def[i]->value;
    return NULL;
}

static Error *reserve_paths(Initializer *in, size_t n)
{
    in->paths.capacity = n + 1;
    in->paths.feeds = arena_calloc(in->arena, n + 1, sizeof *in->paths.feeds);
    in->paths.tensors = arena_calloc(in->arena, n + 1, sizeof *in->paths.tensors);
    return in->paths.feeds != NULL && in->paths.tensors != NULL ? NULL : error_out_of_memory();
}

/* TF2 lists its assets in the MetaGraph, TF1 in a collection. */
static Error *collect_assets(Initializer *in)
{
    const Tensorflow__MetaGraphDef *meta_graph = in->meta_graph;
    const Tensorflow__CollectionDef *collection = find_collection(in, "saved_model_assets");
    bool is_listed = meta_graph->n_asset_file_def > 0;
    bool is_collected = !is_listed && collection != NULL &&
                        collection->kind_case == TENSORFLOW__COLLECTION_DEF__KIND_ANY_LIST;
    size_t n = is_listed      ? meta_graph->n_asset_file_def
               : is_collected ? collection->any_list->n_value
                              : 0;
    TRY(reserve_paths(in, n));
    for (size_t i = 0; i < n; i++) {
        if (is_listed) {
            TRY(add_asset(in, meta_graph->asset_file_def[i]));
            continue;
        }
        ProtobufCMessage *asset = NULL;
        const ProtobufCBinaryData *bytes = &collection->any_list->value[i]->value;
        TRY(message_unpack(in->arena, &tensorflow__asset_file_def__descriptor,
                           "an asset of the collection saved_model_assets", bytes->data, bytes->len,
                           &asset));
        TRY(add_asset(in, (const Tensorflow__AssetFileDef *)asset));
    }
    return NULL;
}

/* ---- runs ---------------------------------------------------------------------------------- */

/* The graph of the node `target`, with in->paths as constants. */
static Error *import_target(Initializer *in, const char *target, Graph *graph)
{
    const GraphRequest request = {
        .feeds = in->paths.feeds, .n_feeds = in->paths.n, .targets = &target, .n_targets = 1
    };
    TRY(graph_import(in->library, in->arena, &request, graph));
    Constant *values = arena_calloc(in->arena, in->paths.n, sizeof *values);
    if (values == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < in->paths.n; i++) {
        values[i].tensor = in->paths.tensors[i];
        graph->feeds[i]->values = &values[i];
    }
    return fold_constants(graph, in->resources);
}

static Error *run_plan(const Compiler *compiler, Graph *graph, Plan **plan)
{
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    _cleanup_(arena_freep) Arena *arena = arena_new(ARENA_BLOCK_BYTES, 0);
    _cleanup_(freep) Tensor *feeds = calloc(graph->n_feeds + 1, sizeof *feeds);
    if (scratch == NULL || arena == NULL || feeds == NULL)
        return error_out_of_memory();
    TRY(compile_once(compiler, graph, plan));
    /* Nothing looks at what is fed: it is constant. */
    const PlanRun run = { .plan = *plan, .feeds = feeds, .scratch = scratch, .arena = arena };
    return plan_run(&run, NULL);
}

/* Runs a graph for its effects. */
static Error *run_graph(Initializer *in, Graph *graph)
{
    _cleanup_(store_freep) Store *store = store_new();
    if (store == NULL)
        return error_out_of_memory();
    const Compiler compiler = {
        .library = in->library, .resources = in->resources, .store = store, .arena = in->arena
    };
    Plan *plan = NULL;
    Error *error = run_plan(&compiler, graph, &plan);
    plan_retire(plan);
    return error;
}

static Error *run_restore(Initializer *in, const char *target)
{
    Graph graph;
    TRY(import_target(in, target, &graph));
    TRY(restore_variables(&graph, in->reached));
    return run_graph(in, &graph);
}

static Error *restore(Initializer *in)
{
    const Tensorflow__SaverDef *saver = in->meta_graph->saver_def;
    const char *prefix = in->saved_model->variables_prefix;
    if (prefix == NULL)
        return NULL;
    if (saver == NULL || saver->restore_op_name[0] == '\0' ||
        saver->filename_tensor_name[0] == '\0')
        return error_new(
            ERROR_FAILED_PRECONDITION,
            "the bundle has variables, but no saver_def that says how to restore them");
    TRY(add_path(in, saver->filename_tensor_name, prefix));
    Error *error = run_restore(in, saver->restore_op_name);
    in->paths.n--;
    return error_prefix(error, "restoring the variables with '%s'", saver->restore_op_name);
}

/* The init op's name, from the first place that has one; NULL when there is none. */
static Error *find_init_op(const Initializer *in, const char **ret_name)
{
    static const char *const collections[] = { "saved_model_main_op", "legacy_init_op" };
    const Tensorflow__MetaGraphDef *meta_graph = in->meta_graph;
    *ret_name = NULL;
    for (size_t i = 0; i < meta_graph->n_signature_def; i++) {
        const Tensorflow__SignatureDef *signature = meta_graph->signature_def[i]->value;
        if (signature == NULL || strcmp(meta_graph->signature_def[i]->key, INIT_OP_KEY) != 0)
            continue;
        for (size_t k = 0; k < signature->n_outputs; k++) {
            const Tensorflow__TensorInfo *info = signature->outputs[k]->value;
            if (info != NULL && strcmp(signature->outputs[k]->key, INIT_OP_KEY) == 0 &&
                info->encoding_case == TENSORFLOW__TENSOR_INFO__ENCODING_NAME) {
                *ret_name = info->name;
                return NULL;
            }
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
        const Tensorflow__CollectionDef *collection = find_collection(in, collections[i]);
        if (collection == NULL)
            continue;
        if (collection->kind_case != TENSORFLOW__COLLECTION_DEF__KIND_NODE_LIST ||
            collection->node_list->n_value != 1)
            return error_new(ERROR_FAILED_PRECONDITION, "Expected exactly one main op in : %s",
                             in->saved_model->directory);
        *ret_name = collection->node_list->value[0];
        return NULL;
    }
    return NULL;
}

/* Gives the variables their values, and then runs the init op, if there is one. */
static Error *restore_and_run(Initializer *in)
{
    const char *name = NULL;
    Graph graph;
    TRY(find_init_op(in, &name));
    if (name == NULL || name[0] == '\0')
        return restore(in);
    TRY(error_prefix(import_target(in, name, &graph), "the init op '%s'", name));
    if (in->reached != NULL)
        TRY(fold_collect_reached(&graph, in->reached));
    TRY(restore(in));
    return error_prefix(run_graph(in, &graph), "running the init op '%s'", name);
}

Error *initialize(const SavedModel *saved_model, Library *library, ResourceManager *resources,
                  Map *reached)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(ARENA_BLOCK_BYTES, GRAPH_MAX_BYTES);
    if (arena == NULL)
        return error_out_of_memory();
    Initializer in = { .saved_model = saved_model,
                       .meta_graph = saved_model->meta_graph,
                       .library = library,
                       .resources = resources,
                       .reached = reached,
                       .arena = arena };
    TRY(collect_assets(&in));
    return restore_and_run(&in);
}
