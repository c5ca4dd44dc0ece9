/* SPDX-License-Identifier: Apache-2.0
 *
 * A GraphDef of a stranger's bundle, from bytes to an answer: imported, compiled and run. Its
 * placeholders are fed; its last node and the one in the middle are what is wanted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/crc32c.h"
#include "model/base/message.h"
#include "model/plan/compile.h"
#include "model/plan/frame.h"
#include "model/plan/run.h"

#define MAX_FEEDS 4
#define MAX_OUTPUTS 2
#define MAX_BYTES ((size_t)64 << 20)
#define MAX_NS 200000000u /* of a run: a While may never end */

static volatile uint32_t sink; /* so that reads of outputs are not left out */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Fuzz {
    Arena *arena;
    Store *store;
    ResourceManager *resources;
    Scratch *scratch;
    Library *library;
    Plan *plan;
} Fuzz;

typedef struct Signature {
    DType dtype;
    Shape shape;
} Signature;

typedef struct Answer {
    Signature outputs[MAX_OUTPUTS];
    bool is_pure;
} Answer;

/* Six elements of each type, in shapes that go with one another. */
static Error *feed(Arena *arena, size_t i, DType dtype, Tensor *ret)
{
    const Shape shapes[MAX_FEEDS] = { shape_of(2, 3), shape_of(3), shape_of(1, 6, 1, 1),
                                      shape_of() };
    if (dtype_size(dtype) == 0 || dtype == DT_RESOURCE || dtype == DT_VARIANT)
        return error_new(ERROR_INVALID_ARGUMENT, "no such feed");
    TRY(tensor_new(arena, dtype, &shapes[i], ret));
    memset(ret->data, dtype == DT_STRING ? 0 : 1, tensor_bytes(ret));
    return NULL;
}

/* Reads all of an output, of which every byte must be there. */
static void touch(const Tensor *tensor)
{
    uint32_t crc = crc32c(tensor->data, tensor_bytes(tensor));
    for (int64_t i = 0; tensor->dtype == DT_STRING && i < tensor->n; i++) {
        const Bytes *text = &((const Bytes *)tensor->data)[i];
        crc = crc32c_extend(crc, text->data, text->size);
    }
    sink = crc;
}

static uint64_t make_deadline(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + MAX_NS;
}

/* Runs the plan `n` times: the memory of a plan is placed after the first, that of loops later. */
static Error *run(Fuzz *f, int n, size_t n_outputs, Tensor *outputs)
{
    Tensor feeds[MAX_FEEDS];
    for (size_t i = 0; i < f->plan->n_feeds; i++)
        TRY(feed(f->arena, i, f->plan->feed_dtypes[i], &feeds[i]));
    const PlanRun options = { .plan = f->plan,
                              .feeds = feeds,
                              .deadline_ns = make_deadline(),
                              .scratch = f->scratch,
                              .arena = f->arena };
    for (int i = 0; i < n; i++) {
        TRY(plan_run(&options, outputs));
        for (size_t k = 0; k < n_outputs; k++)
            touch(&outputs[k]);
    }
    return NULL;
}

static Error *compile_and_run(Fuzz *f, const CompileRequest *request, bool as_written,
                              Answer *answer)
{
    const Compiler compiler = { .library = f->library,
                                .resources = f->resources,
                                .store = f->store,
                                .arena = f->arena,
                                .as_written = as_written };
    size_t n = request->graph.n_outputs;
    Tensor outputs[MAX_OUTPUTS];
    Graph *graphs = NULL;
    TRY(compile_import(&compiler, 1, request, &graphs));
    Error *error = compile_signatures(&compiler, 1, request, graphs, &f->plan);
    if (error == NULL)
        error = run(f, as_written ? 1 : 3, n, outputs);
    for (size_t i = 0; error == NULL && i < n; i++)
        answer->outputs[i] = (Signature){ outputs[i].dtype, outputs[i].shape };
    answer->is_pure = f->plan != NULL && plan_is_pure(f->plan);
    plan_retire(f->plan);
    f->plan = NULL;
    return error;
}

/* What the passes made of a graph answers with the same types and shapes as the graph itself, when
 * that answers at all and keeps nothing between runs. */
static Error *compare(Fuzz *f, const CompileRequest *request)
{
    Answer written = { 0 }, optimized = { 0 };
    Error *error = compile_and_run(f, request, true, &written);
    bool is_judged = error == NULL && written.is_pure;
    error_free(error);
    error = compile_and_run(f, request, false, &optimized);
    if (!is_judged || (error != NULL && (error->code == ERROR_DEADLINE_EXCEEDED ||
                                         error->code == ERROR_RESOURCE_EXHAUSTED)))
        return error;
    for (size_t i = 0; i < request->graph.n_outputs; i++) {
        const Signature *a = &written.outputs[i], *b = &optimized.outputs[i];
        if (error != NULL || a->dtype != b->dtype || !shape_equal(&a->shape, &b->shape)) {
            fprintf(stderr, "output '%s': %s\n", request->graph.outputs[i],
                    error != NULL ? error->text : "another type or shape than as written");
            abort();
        }
    }
    return error;
}

static DType placeholder_dtype(const Tensorflow__NodeDef *node)
{
    const Tensorflow__AttrValue *dtype = node_def_attr(node, "dtype");
    if (dtype == NULL || dtype->value_case != TENSORFLOW__ATTR_VALUE__VALUE_TYPE)
        return DT_FLOAT;
    return dtype_of_number((int)dtype->type);
}

static Error *compile(Fuzz *f, const Tensorflow__GraphDef *graph)
{
    GraphFeed feeds[MAX_FEEDS];
    CompileRequest request = { .name = "fuzz", .graph = { .feeds = feeds } };
    const char *outputs[MAX_OUTPUTS];
    for (size_t i = 0; i < graph->n_node && request.graph.n_feeds < MAX_FEEDS; i++)
        if (strcmp(graph->node[i]->op, "Placeholder") == 0)
            feeds[request.graph.n_feeds++] =
                (GraphFeed){ graph->node[i]->name, placeholder_dtype(graph->node[i]) };
    if (graph->n_node == 0)
        return NULL;
    outputs[0] = graph->node[graph->n_node - 1]->name;
    outputs[1] = graph->node[graph->n_node / 2]->name;
    request.graph.outputs = outputs;
    for (size_t n = 1; n <= MAX_OUTPUTS; n++) {
        request.graph.n_outputs = n;
        Answer unused;
        TRY(n == 1 ? compare(f, &request) : compile_and_run(f, &request, false, &unused));
    }
    return NULL;
}

static Error *fuzz(Fuzz *f, const uint8_t *data, size_t size)
{
    ProtobufCMessage *graph = NULL;
    if (f->arena == NULL || f->store == NULL || f->resources == NULL || f->scratch == NULL)
        return error_out_of_memory();
    f->scratch->max_bytes = MAX_BYTES;
    TRY(message_unpack(f->arena, &tensorflow__graph_def__descriptor, "fuzz", data, size, &graph));
    TRY(library_new((const Tensorflow__GraphDef *)graph, &f->library));
    return compile(f, (const Tensorflow__GraphDef *)graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Fuzz f = { .arena = arena_new(1 << 12, MAX_BYTES),
               .store = store_new(),
               .resources = resource_manager_new(),
               .scratch = scratch_new(1) };
    error_free(fuzz(&f, data, size));
    plan_retire(f.plan);
    scratch_free(f.scratch);
    resource_manager_free(f.resources);
    store_free(f.store);
    library_free(f.library);
    arena_free(f.arena);
    return 0;
}
