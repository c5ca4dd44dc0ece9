/* SPDX-License-Identifier: Apache-2.0
 *
 * Compile: the passes, in order.
 *
 *     import     what the signature reaches, calls inlined
 *     fold       what depends on constants only
 *     written    which variables any signature writes
 *     variables  reads of all others are constants too
 *     simplify   what changes nothing
 *     share      what is computed twice
 *     idioms     activations that are spelled out
 *     sink       what stands between a convolution and its bias
 *     reshapes   shapes that follow from shapes
 *     padding    zeros around an image that a window can skip
 *     flatten    products of more than two dimensions with a matrix
 *     normalize  layer normalisations that are spelled out
 *     fuse       chains of ops behind a product, that one kernel does
 *     rescale    such chains without a product
 *     prepare    kernels, of all signatures together
 *     emit       values numbered
 */
#include "model/plan/compile.h"

#include <string.h>

#include "model/graph/control.h"
#include "model/graph/flatten.h"
#include "model/graph/fold.h"
#include "model/graph/fuse.h"
#include "model/graph/idiom.h"
#include "model/graph/normalize.h"
#include "model/graph/padding.h"
#include "model/graph/rescale.h"
#include "model/graph/reshape.h"
#include "model/graph/share.h"
#include "model/graph/simplify.h"
#include "model/graph/sink.h"
#include "model/plan/prepare.h"

static bool requests_equal(const GraphRequest *a, const GraphRequest *b)
{
    if (a->n_feeds != b->n_feeds || a->n_outputs != b->n_outputs)
        return false;
    for (size_t i = 0; i < a->n_feeds; i++)
        if (strcmp(a->feeds[i].tensor_name, b->feeds[i].tensor_name) != 0)
            return false;
    for (size_t i = 0; i < a->n_outputs; i++)
        if (strcmp(a->outputs[i], b->outputs[i]) != 0)
            return false;
    return true;
}

/* The first request that is equal to request i, i itself at the latest. */
static size_t find_equal(const CompileRequest *requests, size_t i)
{
    size_t k = 0;
    while (!requests_equal(&requests[k].graph, &requests[i].graph))
        k++;
    return k;
}

static Error *import(const Compiler *compiler, const CompileRequest *request, Graph *graph)
{
    TRY(graph_import(compiler->library, compiler->arena, &request->graph, graph));
    return compiler->as_written ? NULL : fold_constants(graph, compiler->resources);
}

Error *compile_import(const Compiler *compiler, size_t n, const CompileRequest *requests,
                      Graph **ret_graphs)
{
    Graph *graphs = arena_calloc(compiler->arena, n, sizeof *graphs);
    if (graphs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        if (find_equal(requests, i) == i)
            TRY(error_prefix(import(compiler, &requests[i], &graphs[i]), "signature '%s'",
                             requests[i].name));
    *ret_graphs = graphs;
    return NULL;
}

/* The passes that look at one graph only, on the graphs within first. */
static Error *optimize(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        const Control *control = graph->order[i]->control;
        for (int k = 0; control != NULL && k < control->n_graphs; k++)
            TRY(optimize(&control->graphs[k]));
    }
    TRY(simplify(graph));
    TRY(share(graph));
    TRY(idioms(graph));
    TRY(sink_squeezes(graph));
    TRY(reshapes(graph));
    TRY(padding(graph));
    TRY(flatten_products(graph));
    TRY(normalize(graph));
    TRY(fuse(graph));
    return rescale(graph);
}

static Error *finish(const Compiler *compiler, const Written *written, Graph *graph)
{
    if (compiler->as_written)
        return NULL;
    TRY(fold_variables(graph, compiler->resources, written));
    return optimize(graph);
}

static Error *finish_all(const Compiler *compiler, size_t n, const CompileRequest *requests,
                         Graph *graphs)
{
    _cleanup_(map_freep) Map *variables = map_new();
    if (variables == NULL)
        return error_out_of_memory();
    Written written = { .variables = variables };
    for (size_t i = 0; i < n; i++)
        TRY(fold_collect_written(&graphs[i], &written));
    for (size_t i = 0; i < n; i++)
        if (find_equal(requests, i) == i)
            TRY(error_prefix(finish(compiler, &written, &graphs[i]), "signature '%s'",
                             requests[i].name));
    return NULL;
}

Error *compile_signatures(const Compiler *compiler, size_t n, const CompileRequest *requests,
                          Graph *graphs, Plan **plans)
{
    const PlanInput input = { compiler->store, compiler->resources, compiler->workers };
    PrepareGraph *prepare = arena_calloc(compiler->arena, n, sizeof *prepare);
    memset(plans, 0, n * sizeof *plans);
    if (prepare == NULL)
        return error_out_of_memory();
    TRY(finish_all(compiler, n, requests, graphs));
    for (size_t i = 0; i < n; i++)
        prepare[i] = (PrepareGraph){ &graphs[i], requests[i].name };
    TRY(prepare_kernels(&input, prepare, n));
    for (size_t i = 0; i < n; i++) {
        size_t equal = find_equal(requests, i);
        plans[i] = plans[equal];
        if (equal == i)
            TRY(error_prefix(plan_emit(&input, &graphs[i], &plans[i]), "signature '%s'",
                             requests[i].name));
    }
    return store_seal(compiler->store, compiler->resources);
}

Error *compile_once(const Compiler *compiler, Graph *graph, Plan **ret_plan)
{
    const PlanInput input = { compiler->store, compiler->resources, compiler->workers };
    TRY(prepare_kernels(&input, &(PrepareGraph){ graph, NULL }, 1));
    return plan_emit(&input, graph, ret_plan);
}
