/* SPDX-License-Identifier: Apache-2.0
 *
 * A GraphDef of a stranger's bundle, from bytes to an answer: imported, compiled and run. Its
 * placeholders are fed; its last node and the one in the middle are what is wanted.
 */
#include <string.h>
#include <time.h>

#include "model/base/crc32c.h"
#include "model/base/message.h"
#include "model/plan/compile.h"
#include "model/plan/frame.h"
#include "model/plan/run.h"

#define MAX_FEEDS 4
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

static Error *run(Fuzz *f, size_t n_outputs)
{
    Tensor feeds[MAX_FEEDS], outputs[2];
    for (size_t i = 0; i < f->plan->n_feeds; i++)
        TRY(feed(f->arena, i, f->plan->feed_dtypes[i], &feeds[i]));
    const PlanRun options = { .plan = f->plan,
                              .feeds = feeds,
                              .deadline_ns = make_deadline(),
                              .scratch = f->scratch,
                              .arena = f->arena };
    for (int i = 0; i < 3; i++) {
        TRY(plan_run(&options, outputs));
        for (size_t k = 0; k < n_outputs; k++)
            touch(&outputs[k]);
    }
    return NULL;
}

static Error *compile(Fuzz *f, const Tensorflow__GraphDef *graph)
{
    GraphFeed feeds[MAX_FEEDS];
    CompileRequest request = { .name = "fuzz", .graph = { .feeds = feeds } };
    const char *outputs[2];
    for (size_t i = 0; i < graph->n_node && request.graph.n_feeds < MAX_FEEDS; i++)
        if (strcmp(graph->node[i]->op, "Placeholder") == 0)
            feeds[request.graph.n_feeds++] = (GraphFeed){ graph->node[i]->name, DT_FLOAT };
    if (graph->n_node == 0)
        return NULL;
    outputs[0] = graph->node[graph->n_node - 1]->name;
    outputs[1] = graph->node[graph->n_node / 2]->name;
    request.graph.outputs = outputs;
    const Compiler compiler = {
        .library = f->library, .resources = f->resources, .store = f->store, .arena = f->arena
    };
    for (size_t n = 1; n <= 2; n++) {
        request.graph.n_outputs = n;
        Graph *graphs = NULL;
        TRY(compile_import(&compiler, 1, &request, &graphs));
        TRY(compile_signatures(&compiler, 1, &request, graphs, &f->plan));
        Error *error = run(f, n);
        plan_retire(f->plan);
        f->plan = NULL;
        TRY(error);
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
