/* SPDX-License-Identifier: Apache-2.0
 *
 * Control: importing the functions of If, Case and While, and what passes ask about them. Running
 * them is plan/control.c.
 */
#include "model/graph/control.h"

#include <string.h>

#include "model/graph/copy.h"
#include "model/graph/import.h"

#define MAX_BRANCHES 1024

static const struct {
    const char *name;
    ControlKind kind;
} rows[] = {
    { "If", CONTROL_IF },       { "StatelessIf", CONTROL_IF },
    { "Case", CONTROL_CASE },   { "StatelessCase", CONTROL_CASE },
    { "While", CONTROL_WHILE }, { "StatelessWhile", CONTROL_WHILE },
};

static bool find_kind(const Op *op, ControlKind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(op->name, rows[i].name) == 0) {
            *ret_kind = rows[i].kind;
            return true;
        }
    }
    return false;
}

bool control_is(const Op *op)
{
    ControlKind unused;
    return find_kind(op, &unused);
}

/* Inputs before those that are the graphs' feeds. */
static int n_predicates(const Control *control)
{
    return control->kind == CONTROL_WHILE ? 0 : 1;
}

/* ---- import -------------------------------------------------------------------------------- */

static Error *get_function(const Site *site, const char *name, Tensorflow__NameAttrList **ret)
{
    const Tensorflow__AttrValue *value = node_def_attr(site->def, name);
    if (value == NULL || value->value_case != TENSORFLOW__ATTR_VALUE__VALUE_FUNC)
        return error_new(ERROR_INVALID_ARGUMENT, "it has no attribute '%s' that names a function",
                         name);
    *ret = value->func;
    return NULL;
}

/* The functions in the order of Control.graphs. */
static Error *get_functions(Arena *arena, const Site *site, Control *control,
                            Tensorflow__NameAttrList ***ret)
{
    static const char *const names[][2] = {
        [CONTROL_IF] = { "then_branch", "else_branch" }, [CONTROL_WHILE] = { "cond", "body" }
    };
    const Tensorflow__AttrValue *branches = node_def_attr(site->def, "branches");
    if (control->kind == CONTROL_CASE) {
        if (branches == NULL || branches->value_case != TENSORFLOW__ATTR_VALUE__VALUE_LIST ||
            branches->list->n_func == 0 || branches->list->n_func > MAX_BRANCHES)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "it has no attribute 'branches' that names 1 to %d functions",
                             MAX_BRANCHES);
        control->n_graphs = (int)branches->list->n_func;
        *ret = branches->list->func;
        return NULL;
    }
    control->n_graphs = 2;
    *ret = arena_calloc(arena, 2, sizeof **ret);
    if (*ret == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < 2; i++)
        TRY(get_function(site, names[control->kind][i], &(*ret)[i]));
    return NULL;
}

/* What a graph gives against what the node says that it gives; a condition gives one value. */
static Error *check_outputs(const Node *node, int i, const char *function)
{
    const Control *control = node->control;
    const Graph *graph = &control->graphs[i];
    bool is_cond = control->kind == CONTROL_WHILE && i == WHILE_COND;
    size_t n = is_cond ? 1 : (size_t)node->n_outputs;
    if (graph->n_outputs != n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "function '%s' gives %zu outputs, but must give %zu", function,
                         graph->n_outputs, n);
    for (size_t k = 0; k < n && !is_cond; k++) {
        DType dtype = endpoint_dtype(graph->outputs[k]);
        if (dtype != node->output_dtypes[k])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "function '%s' gives %s as its output %zu, which must be %s", function,
                             dtype_name(dtype), k, dtype_name(node->output_dtypes[k]));
    }
    return NULL;
}

/* Where a value comes from that was only passed on. Control edges on the way order the nodes, they
 * do not change the value. */
static Endpoint find_source(Endpoint endpoint)
{
    while (node_is(endpoint.node, "Identity") || node_is(endpoint.node, "IdentityN"))
        endpoint = endpoint.node->inputs[endpoint.index];
    return endpoint;
}

static Error *find_invariants(Arena *arena, const Node *node)
{
    Control *control = node->control;
    const Graph *body = &control->graphs[WHILE_BODY];
    bool *is_invariant = arena_calloc(arena, body->n_outputs, sizeof *is_invariant);
    if (is_invariant == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < body->n_outputs; i++)
        is_invariant[i] = find_source(body->outputs[i]).node == body->feeds[i];
    control->is_invariant = is_invariant;
    return NULL;
}

Error *control_import(Library *library, Arena *arena, const Site *site, Node *node)
{
    Control *control = arena_calloc(arena, 1, sizeof *control);
    Tensorflow__NameAttrList **functions = NULL;
    const DType *dtypes = NULL;
    int n = 0;
    if (control == NULL)
        return error_out_of_memory();
    find_kind(node->op, &control->kind);
    node->control = control;
    TRY(get_functions(arena, site, control, &functions));
    TRY(op_input_types(node->op, node->attrs, arena, &n, &dtypes));
    int skip = n_predicates(control);
    control->graphs = arena_calloc(arena, (size_t)control->n_graphs, sizeof(Graph));
    if (control->graphs == NULL)
        return error_out_of_memory();
    for (int i = 0; i < control->n_graphs; i++) {
        const FunctionRequest request = { library, site, functions[i], dtypes + skip, n - skip };
        TRY(graph_import_function(&request, arena, &control->graphs[i]));
        TRY(check_outputs(node, i, functions[i]->name));
    }
    return control->kind == CONTROL_WHILE ? find_invariants(arena, node) : NULL;
}

Error *control_attach(Arena *arena, ControlKind kind, const Graph graphs[2], Node *node)
{
    static const char *const names[][2] = {
        [CONTROL_IF] = { "then", "else" }, [CONTROL_WHILE] = { "condition", "body" }
    };
    Control *control = arena_calloc(arena, 1, sizeof *control);
    if (control == NULL)
        return error_out_of_memory();
    *control = (Control){ .kind = kind, .n_graphs = 2 };
    control->graphs = arena_memdup(arena, graphs, 2 * sizeof *graphs);
    if (control->graphs == NULL)
        return error_out_of_memory();
    node->control = control;
    for (int i = 0; i < 2; i++)
        TRY(error_prefix(check_outputs(node, i, names[kind][i]), "node '%s' (%s)", node->name,
                         node->op->name));
    return kind == CONTROL_WHILE ? find_invariants(arena, node) : NULL;
}

Error *control_copy(Arena *arena, const Control *control, size_t *budget, Control **ret_copy)
{
    Control *copy = arena_memdup(arena, control, sizeof *copy);
    if (copy == NULL)
        return error_out_of_memory();
    copy->graphs = arena_calloc(arena, (size_t)copy->n_graphs, sizeof(Graph));
    if (copy->graphs == NULL)
        return error_out_of_memory();
    for (int i = 0; i < copy->n_graphs; i++)
        TRY(graph_copy(&control->graphs[i], budget, &copy->graphs[i]));
    *ret_copy = copy;
    return NULL;
}

/* ---- passes -------------------------------------------------------------------------------- */

static void skip_invariants(Endpoint *endpoint)
{
    const Control *control = endpoint->node->control;
    while (control != NULL && control->kind == CONTROL_WHILE &&
           control->is_invariant[endpoint->index]) {
        *endpoint = endpoint->node->inputs[endpoint->index];
        control = endpoint->node->control;
    }
}

Error *control_skip_invariants(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++)
        for (int k = 0; k < graph->order[i]->n_inputs; k++)
            skip_invariants(&graph->order[i]->inputs[k]);
    for (size_t i = 0; i < graph->n_outputs; i++)
        skip_invariants(&graph->outputs[i]);
    return graph_order(graph);
}

void control_mark_state(Node *node)
{
    for (int i = 0; i < node->control->n_graphs; i++) {
        const Graph *graph = &node->control->graphs[i];
        for (size_t k = 0; k < graph->n_order; k++) {
            node->is_stateful |= graph->order[k]->is_stateful;
            node->has_effects |= graph->order[k]->has_effects;
        }
    }
}

void control_push_constants(Node *node)
{
    const Control *control = node->control;
    int skip = n_predicates(control);
    for (int i = skip; i < node->n_inputs; i++) {
        const Endpoint input = node->inputs[i];
        if (endpoint_constant(input) == NULL ||
            (control->kind == CONTROL_WHILE && !control->is_invariant[i]))
            continue;
        for (int k = 0; k < control->n_graphs; k++)
            control->graphs[k].feeds[i - skip]->values = &input.node->values[input.index];
    }
}

bool control_is_pushed(const Node *node, int i)
{
    int skip = n_predicates(node->control);
    return i >= skip && node->control->graphs[0].feeds[i - skip]->values != NULL;
}

int control_chosen(const Node *node)
{
    const Control *control = node->control;
    const Constant *predicate = node->n_inputs > 0 ? endpoint_constant(node->inputs[0]) : NULL;
    bool truth = false;
    int chosen = 0;
    if (control->kind == CONTROL_WHILE || predicate == NULL)
        return -1;
    Error *error = control->kind == CONTROL_IF
                       ? control_truth(&predicate->tensor, &truth)
                       : control_case(&predicate->tensor, control->n_graphs, &chosen);
    if (error != NULL) {
        error_free(error); /* it says so when it runs */
        return -1;
    }
    return control->kind == CONTROL_IF ? (truth ? 0 : 1) : chosen;
}

/* An edge from a feed of the branch continues at what the node was given. */
static void leave_branch(const Node *node, Endpoint *endpoint)
{
    if (endpoint->node->feed >= 0 && endpoint->node->values == NULL)
        *endpoint = node->inputs[endpoint->node->feed + n_predicates(node->control)];
}

bool control_inline(Graph *graph, Node *node, int chosen)
{
    Graph *branch = &node->control->graphs[chosen];
    const Op *identity = op_find("IdentityN");
    for (size_t i = 0; i < branch->n_order; i++)
        if (branch->order[i]->is_stateful)
            return false;
    if (identity == NULL || graph->n_made > GRAPH_MAX_NODES - branch->n_made)
        return false;
    for (size_t i = 0; i < branch->n_order; i++) {
        Node *moved = branch->order[i];
        moved->mark = 0;
        for (int k = 0; k < moved->n_inputs; k++)
            leave_branch(node, &moved->inputs[k]);
    }
    for (size_t i = 0; i < branch->n_outputs; i++)
        leave_branch(node, &branch->outputs[i]);
    graph->n_made += branch->n_made;
    node->op = identity;
    node->inputs = branch->outputs;
    node->n_inputs = node->n_outputs;
    node->control = NULL;
    return true;
}

/* ---- conditions ---------------------------------------------------------------------------- */

Error *control_truth(const Tensor *condition, bool *ret_truth)
{
    static const uint8_t zeros[16];
    if (condition->shape.rank > 0) {
        *ret_truth = condition->n > 0;
        return NULL;
    }
    switch (condition->dtype) {
    case DT_STRING:
        *ret_truth = ((const Bytes *)condition->data)->size > 0;
        return NULL;
    case DT_FLOAT: /* minus zero is zero too */
        *ret_truth = *(const float *)condition->data != 0;
        return NULL;
    case DT_DOUBLE:
        *ret_truth = *(const double *)condition->data != 0;
        return NULL;
    default:
        break;
    }
    if (!dtype_is_integer(condition->dtype) && condition->dtype != DT_BOOL)
        return error_new(ERROR_INVALID_ARGUMENT, "a %s scalar is no condition",
                         dtype_name(condition->dtype));
    *ret_truth = memcmp(condition->data, zeros, tensor_bytes(condition)) != 0;
    return NULL;
}

Error *control_case(const Tensor *index, int n_branches, int *ret_branch)
{
    char text[SHAPE_TEXT_BYTES];
    if (index->shape.rank != 0 || index->dtype != DT_INT32)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "branch_index must be an int32 scalar, not of shape %s",
                         shape_text(&index->shape, text));
    int32_t branch = *(const int32_t *)index->data;
    *ret_branch = branch < 0 || branch >= n_branches ? n_branches - 1 : branch;
    return NULL;
}
