/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepare: two passes. The first one, in the order of the graphs, prepares what looks at nothing
 * large, and lists who looks at what is large; the second one goes through that list, sorted by the
 * memory that is looked at. Load time, one thread.
 */
#include "model/plan/prepare.h"

#include <string.h>

#include "model/graph/control.h"

/* `node` looks at `constant`. */
typedef struct Reader {
    StoreConstant *constant;
    Node *node;
    const char *signature;
} Reader;

typedef struct Prepare {
    const PlanInput *input;
    Arena *arena; /* the store's */
    Map *kept;    /* names of the variables that stay, whatever kernels have packed */
    bool keeps_all;
    const char *signature; /* of the graph that is being walked */
    Reader *readers;       /* owned */
    size_t n_readers, capacity;
} Prepare;

bool prepare_is_step(const Node *node)
{
    return node->op != NULL && node->values == NULL && !node_is(node, "NoOp");
}

static Error *add_reader(Prepare *prepare, StoreConstant *constant, Node *node)
{
    if (prepare->n_readers == prepare->capacity) {
        size_t capacity = prepare->capacity == 0 ? 256 : 2 * prepare->capacity;
        Reader *readers = realloc(prepare->readers, capacity * sizeof *readers);
        if (readers == NULL)
            return error_out_of_memory();
        prepare->readers = readers;
        prepare->capacity = capacity;
    }
    prepare->readers[prepare->n_readers++] = (Reader){ constant, node, prepare->signature };
    return NULL;
}

static Error *keep(Prepare *prepare, Resource *variable)
{
    return variable != NULL ? map_set(prepare->kept, resource_name(variable), variable) : NULL;
}

/* The constant is looked at by whoever runs, not only by prepare. */
static Error *use(Prepare *prepare, StoreConstant *constant)
{
    constant->n_uses++;
    if (constant->source.scale == NULL)
        TRY(keep(prepare, constant->source.resource));
    return store_materialize(prepare->input->store, constant);
}

/* ---- one node ------------------------------------------------------------------------------ */

static Error *make_kernel(Prepare *prepare, Node *node, bool **ret_release)
{
    Preparation *made = node->preparation;
    DType *dtypes = arena_calloc(prepare->arena, (size_t)node->n_inputs, sizeof *dtypes);
    if (dtypes == NULL)
        return error_out_of_memory();
    for (int i = 0; i < node->n_inputs; i++) {
        dtypes[i] = endpoint_dtype(node->inputs[i]);
        if (made->constants[i] != NULL)
            TRY(store_materialize(prepare->input->store, made->constants[i]));
    }
    OpPrepare op_prepare = { .op = node->op,
                             .node_name = made->node_name,
                             .attrs = made->attrs,
                             .n_inputs = node->n_inputs,
                             .input_dtypes = dtypes,
                             .n_outputs = node->n_outputs,
                             .workers = prepare->input->workers };
    TRY(store_kernel(prepare->input->store, &op_prepare, made->constants));
    made->kernel = op_prepare.kernel;
    *ret_release = op_prepare.release_input;
    return NULL;
}

/* Of a node of control flow, its plans have as constants what they look at (control_is_pushed). */
static Error *finish_node(Prepare *prepare, Node *node)
{
    Preparation *made = node->preparation;
    bool *release = NULL;
    if (made->is_done)
        return NULL;
    if (node->control == NULL)
        TRY(make_kernel(prepare, node, &release));
    for (int i = 0; i < node->n_inputs; i++) {
        bool is_released = release != NULL ? release[i] : control_is_pushed(node, i);
        if (made->constants[i] != NULL && !is_released)
            TRY(use(prepare, made->constants[i]));
    }
    made->is_done = true;
    return NULL;
}

/* Variables whose handles a node takes stay. Which ones those are may show only when it runs. */
static Error *keep_handles(Prepare *prepare, Endpoint input)
{
    const Constant *constant = endpoint_constant(input);
    if (endpoint_dtype(input) != DT_RESOURCE)
        return NULL;
    prepare->keeps_all |= constant == NULL;
    for (int64_t i = 0; constant != NULL && i < constant->tensor.n; i++)
        TRY(keep(prepare, ((Resource **)constant->tensor.data)[i]));
    return NULL;
}

static Error *begin_node(Prepare *prepare, Node *node)
{
    Preparation *made = arena_calloc(prepare->arena, 1, sizeof *made);
    Attrs *attrs = arena_calloc(prepare->arena, 1, sizeof *attrs);
    if (made == NULL || attrs == NULL)
        return error_out_of_memory();
    made->node_name = arena_strdup(prepare->arena, node->name);
    made->constants = arena_calloc(prepare->arena, (size_t)node->n_inputs, sizeof(StoreConstant *));
    if (made->node_name == NULL || made->constants == NULL)
        return error_out_of_memory();
    TRY(attrs_copy(prepare->arena, node->attrs, attrs)); /* kernels keep texts and lists of them */
    made->attrs = attrs;
    node->preparation = made;
    bool waits = false;
    for (int i = 0; i < node->n_inputs; i++) {
        const Constant *constant = endpoint_constant(node->inputs[i]);
        TRY(keep_handles(prepare, node->inputs[i]));
        if (constant == NULL)
            continue;
        TRY(store_constant(prepare->input->store, constant, &made->constants[i]));
        if (!store_is_large(made->constants[i]) || node->control != NULL)
            continue;
        TRY(add_reader(prepare, made->constants[i], node));
        waits = true;
    }
    return waits ? NULL : finish_node(prepare, node);
}

/* Recurses for graphs within the graph, whose depth importing bounds. */
static Error *begin_graph(Prepare *prepare, Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        if (!prepare_is_step(node))
            continue;
        for (int k = 0; node->control != NULL && k < node->control->n_graphs; k++)
            TRY(begin_graph(prepare, &node->control->graphs[k]));
        TRY(error_prefix(begin_node(prepare, node), "node '%s' (%s)", node->name, node->op->name));
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const Constant *constant = endpoint_constant(graph->outputs[i]);
        StoreConstant *stored = NULL;
        if (constant == NULL)
            continue;
        TRY(store_constant(prepare->input->store, constant, &stored));
        TRY(use(prepare, stored));
    }
    return NULL;
}

/* ---- what is large ------------------------------------------------------------------------- */

/* What memory a constant is made of: the variable's, or its own. */
static const void *get_owner(const StoreConstant *constant)
{
    return constant->source.resource != NULL ? (const void *)constant->source.resource
                                             : (const void *)constant;
}

static int compare_readers(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)get_owner(((const Reader *)a)->constant);
    uintptr_t y = (uintptr_t)get_owner(((const Reader *)b)->constant);
    return (x > y) - (x < y);
}

/* readers[0..n) are all that look at one memory. */
static Error *finish_group(Prepare *prepare, const Reader *readers, size_t n)
{
    Resource *variable = readers[0].constant->source.resource;
    for (size_t i = 0; i < n; i++) {
        Node *node = readers[i].node;
        Error *error =
            error_prefix(finish_node(prepare, node), "node '%s' (%s)", node->name, node->op->name);
        if (readers[i].signature != NULL)
            error = error_prefix(error, "signature '%s'", readers[i].signature);
        TRY(error);
    }
    for (size_t i = 0; i < n; i++)
        store_dematerialize(readers[i].constant);
    if (variable != NULL && !prepare->keeps_all && !map_has(prepare->kept, resource_name(variable)))
        resource_release(variable);
    return NULL;
}

static Error *finish_large(Prepare *prepare)
{
    if (prepare->n_readers > 0)
        qsort(prepare->readers, prepare->n_readers, sizeof(Reader), compare_readers);
    for (size_t i = 0, end = 0; i < prepare->n_readers; i = end) {
        while (end < prepare->n_readers &&
               compare_readers(&prepare->readers[i], &prepare->readers[end]) == 0)
            end++;
        TRY(finish_group(prepare, &prepare->readers[i], end - i));
    }
    return NULL;
}

static Error *prepare_all(Prepare *prepare, const PrepareGraph *graphs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        prepare->signature = graphs[i].name;
        Error *error = begin_graph(prepare, graphs[i].graph);
        TRY(graphs[i].name != NULL ? error_prefix(error, "signature '%s'", graphs[i].name) : error);
    }
    TRY(finish_large(prepare));
    if (prepare->keeps_all)
        store_keep_variables(prepare->input->store);
    return NULL;
}

Error *prepare_kernels(const PlanInput *input, const PrepareGraph *graphs, size_t n)
{
    _cleanup_(map_freep) Map *kept = map_new();
    if (kept == NULL)
        return error_out_of_memory();
    Prepare prepare = { .input = input, .arena = store_arena(input->store), .kept = kept };
    Error *error = prepare_all(&prepare, graphs, n);
    free(prepare.readers);
    return error;
}
