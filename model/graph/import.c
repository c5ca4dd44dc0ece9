/* SPDX-License-Identifier: Apache-2.0
 *
 * Import: nodes are made when an edge first reaches them and wait on a stack until their own edges
 * are followed, so that nothing recurses and nothing that is not needed is looked at.
 *
 * Each call of a function has up to two nodes of its own that only order: `entry`, after all that
 * the call waits for, is before every node of the function; `exit` is after all that the function
 * must run even if nobody uses what it gives (control_ret).
 */
#include "model/graph/import.h"

#include <string.h>

#include "model/graph/check.h"
#include "model/graph/control.h"
#include "model/graph/feed.h"
#include "model/graph/placeholder.h"
#include "model/graph/raise.h"
#include "model/graph/reference.h"

static const Op group_op = { .name = "NoOp", .inputs = "", .outputs = "", .flags = OP_STRUCTURE };
static const Attrs no_attrs;

/* A node whose edges are still to be followed: of `site`; or, without a site, the exit of `scope`
 * or its entry. */
typedef struct Pending {
    Node *node;
    Site *site;
    Scope *scope;
    struct Pending *next;
} Pending;

typedef struct Import {
    ScopeTree tree;
    Graph *graph;
    Arena *arena;
    Scope *main;
    Pending *pending;
} Import;

static Error *push(Import *import, Node *node, Site *site, Scope *scope)
{
    Pending *pending = arena_calloc(import->arena, 1, sizeof *pending);
    if (pending == NULL)
        return error_out_of_memory();
    *pending = (Pending){ node, site, scope, import->pending };
    import->pending = pending;
    return NULL;
}

/* ---- nodes --------------------------------------------------------------------------------- */

static Error *unsupported(const Site *site)
{
    const Op *op = op_find(site->def->op);
    bool is_internal = op != NULL && check_is_internal(op);
    return error_new(ERROR_UNIMPLEMENTED, "op '%s' of node '%s%s' is %s", site->def->op,
                     site->scope->prefix, site->def->name,
                     is_internal ? "one that only Digit itself makes" : "not supported by Digit");
}

/* The value of a Const, which is all that it is. */
static Error *set_const(Import *import, Node *node)
{
    const Tensor *value = NULL;
    TRY(attrs_tensor(node->attrs, "value", &value));
    if (node->n_outputs != 1 || value->dtype != node->output_dtypes[0])
        return error_new(ERROR_INVALID_ARGUMENT, "'dtype' is %s, 'value' is %s",
                         dtype_name(node->output_dtypes[0]), dtype_name(value->dtype));
    node->values = arena_calloc(import->arena, 1, sizeof *node->values);
    if (node->values == NULL)
        return error_out_of_memory();
    node->values[0].tensor = *value;
    return NULL;
}

static Error *fill_node(Import *import, const Site *site, Node *node, Attrs *attrs)
{
    const Op *op = node->op;
    TRY(scope_attrs(&import->tree, site, attrs));
    TRY(op_output_types(op, attrs, import->arena, &node->n_outputs, &node->output_dtypes));
    if (strcmp(op->name, "Const") == 0)
        return set_const(import, node);
    if ((op->flags & OP_STRUCTURE) == 0 || strcmp(op->name, "NoOp") == 0 || reference_is_gather(op))
        return NULL;
    if (control_is(op))
        return control_import(import->tree.library, import->arena, site, node);
    if (raise_is(op)) {
        import->graph->has_dataflow_control = true;
        return NULL;
    }
    if (placeholder_is(op)) {
        node->op = placeholder_op();
        return NULL;
    }
    return unsupported(site);
}

/* The scope's entry; NULL when the call waits for nothing. A call in a call waits for what the
 * outer one waits for too: hence the recursion, which SCOPE_MAX_DEPTH bounds. */
static Error *get_entry(Import *import, Scope *scope, Node **ret_entry)
{
    const Site *call = scope->call;
    if (!scope->has_entry_set && call != NULL) {
        int n_controls = (int)call->def->n_input - call->n_data;
        Node *outer = NULL;
        TRY(get_entry(import, call->scope, &outer));
        if (n_controls > 0 || outer != NULL) {
            TRY(graph_add(import->graph, call->def->name, &group_op, &no_attrs, 0,
                          n_controls + (outer != NULL), &scope->entry));
            TRY(push(import, scope->entry, NULL, scope));
            /* It runs even when what the function gives needs none of its nodes. */
            TRY(graph_add_target(import->graph, scope->entry));
        }
    }
    scope->has_entry_set = true;
    *ret_entry = scope->entry;
    return NULL;
}

/* The scope's exit. */
static Error *get_exit(Import *import, Scope *scope, Node **ret_exit)
{
    if (scope->exit == NULL) {
        const Tensorflow__FunctionDef *function = body_function(scope->body);
        size_t n = function->n_control_ret + function->signature->n_output_arg + 1;
        TRY(graph_add(import->graph, scope->call->def->name, &group_op, &no_attrs, 0, (int)n,
                      &scope->exit));
        TRY(push(import, scope->exit, NULL, scope));
    }
    *ret_exit = scope->exit;
    return NULL;
}

static Error *make_node(Import *import, Site *site)
{
    const Tensorflow__NodeDef *def = site->def;
    Scope *scope = site->scope;
    Node *entry = NULL;
    TRY(get_entry(import, scope, &entry));
    const Op *op = op_find(def->op);
    if (op == NULL || check_is_internal(op))
        return unsupported(site);
    const char *name = arena_printf(import->arena, "%s%s", scope->prefix, def->name);
    Attrs *attrs = arena_calloc(import->arena, 1, sizeof *attrs);
    if (name == NULL || attrs == NULL)
        return error_out_of_memory();
    Node *node = NULL;
    TRY(graph_add(import->graph, name, op, attrs, site->n_data,
                  (int)def->n_input - site->n_data + (entry != NULL), &node));
    TRY(error_prefix(fill_node(import, site, node, attrs), "node '%s' (%s)", name, op->name));
    site->node = node;
    return push(import, node, site, scope);
}

/* ---- edges --------------------------------------------------------------------------------- */

/* When an edge first enters a call, what the function must run (its control_ret) becomes a target,
 * and so does what the call waits for. */
static Error *enter_scopes(Import *import)
{
    while (import->tree.entered != NULL) {
        Scope *scope = import->tree.entered;
        Node *unused = NULL;
        import->tree.entered = scope->next_entered;
        TRY(get_entry(import, scope, &unused));
        if (body_function(scope->body)->n_control_ret == 0)
            continue;
        TRY(get_exit(import, scope, &unused));
        TRY(graph_add_target(import->graph, scope->exit));
    }
    return NULL;
}

static Error *place_to_endpoint(Import *import, const Place *place, Endpoint *ret)
{
    if (place->feed != NULL) {
        *ret = (Endpoint){ place->feed, 0 };
        return NULL;
    }
    if (place->site->node == NULL)
        TRY(make_node(import, place->site));
    Node *node = place->site->node;
    int first = 0, n = node->n_outputs;
    if (place->arg.size > 0) {
        const char *arg =
            arena_strndup(import->arena, (const char *)place->arg.data, place->arg.size);
        if (arg == NULL)
            return error_out_of_memory();
        TRY(op_output_range(node->op, node->attrs, arg, &first, &n));
    }
    if (place->index >= n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "node '%s' (%s) has %d outputs, number %d is wanted", node->name,
                         node->op->name, n, place->index);
    *ret = (Endpoint){ node, first + place->index };
    return NULL;
}

static Error *resolve(Import *import, Scope *scope, const char *text, Endpoint *ret)
{
    Place place;
    TRY(scope_resolve(&import->tree, scope, text, &place));
    TRY(enter_scopes(import));
    return place_to_endpoint(import, &place, ret);
}

/* Adds "after the node `name` of `scope`" to the node's controls. */
static Error *add_control(Import *import, Scope *scope, const char *name, Node *node)
{
    Site *site = NULL;
    Node *control = NULL;
    if (body_argument(scope->body, bytes_of_text(name)) >= 0)
        return NULL; /* arguments are there when the call starts, which `entry` waits for */
    TRY(scope_site(&import->tree, scope, bytes_of_text(name), &site));
    if (site->callee != NULL) {
        TRY(get_exit(import, site->callee, &control));
    } else {
        const Op *op = op_find(site->def->op);
        if (site->feeds != NULL && op != NULL && placeholder_is(op))
            return NULL; /* there before the run starts */
        if (site->node == NULL)
            TRY(make_node(import, site));
        control = site->node;
    }
    node->controls[node->n_controls++] = control;
    return NULL;
}

static Error *connect_site(Import *import, Node *node, const Site *site)
{
    const Tensorflow__NodeDef *def = site->def;
    for (int i = 0; i < node->n_inputs; i++)
        TRY(resolve(import, site->scope, def->input[i], &node->inputs[i]));
    for (size_t i = (size_t)site->n_data; i < def->n_input; i++)
        TRY(add_control(import, site->scope, def->input[i] + 1, node));
    if (site->scope->entry != NULL)
        node->controls[node->n_controls++] = site->scope->entry;
    return NULL;
}

static Error *connect_entry(Import *import, Node *node, const Scope *scope)
{
    const Site *call = scope->call;
    for (size_t i = (size_t)call->n_data; i < call->def->n_input; i++)
        TRY(add_control(import, call->scope, call->def->input[i] + 1, node));
    if (call->scope->entry != NULL)
        node->controls[node->n_controls++] = call->scope->entry;
    return NULL;
}

static Error *connect_exit(Import *import, Node *node, Scope *scope)
{
    const Tensorflow__FunctionDef *function = body_function(scope->body);
    Node *entry = NULL;
    for (size_t i = 0; i < function->n_control_ret; i++)
        TRY(add_control(import, scope, function->control_ret[i]->value, node));
    for (size_t i = 0; i < function->signature->n_output_arg; i++) {
        Endpoint endpoint;
        TRY(resolve(import, scope, body_return(scope->body, (int)i), &endpoint));
        node->controls[node->n_controls++] = endpoint.node;
    }
    TRY(get_entry(import, scope, &entry));
    if (entry != NULL)
        node->controls[node->n_controls++] = entry;
    return NULL;
}

static Error *connect(Import *import, const Pending *pending)
{
    /* graph_add made room for all of them; those that order nothing are left out. */
    Node *node = pending->node;
    node->n_controls = 0;
    Error *error;
    if (pending->site != NULL)
        error = connect_site(import, node, pending->site);
    else if (node == pending->scope->entry)
        error = connect_entry(import, node, pending->scope);
    else
        error = connect_exit(import, node, pending->scope);
    if (error != NULL && error->code == ERROR_UNIMPLEMENTED)
        return error; /* names the node that is to blame, which is not this one */
    return error_prefix(error, "node '%s' (%s)", node->name, node->op->name);
}

static Error *connect_all(Import *import)
{
    while (import->pending != NULL) {
        const Pending *pending = import->pending;
        import->pending = pending->next;
        TRY(connect(import, pending));
    }
    return NULL;
}

/* ---- outputs, targets --------------------------------------------------------------- */

static Error *add_output(Import *import, const char *tensor_name, Endpoint *ret)
{
    Bytes name;
    int index = 0;
    TRY(split_tensor_name(tensor_name, &name, &index));
    if (body_find(library_main(import->tree.library), name) == NULL)
        return error_new(ERROR_NOT_FOUND, "FetchOutputs node %s: not found", tensor_name);
    return resolve(import, import->main, tensor_name, ret);
}

/* A target is a node that runs for its effects: something that has no outputs waits for it. */
static Error *add_target(Import *import, const char *target)
{
    Node *group = NULL;
    Bytes name;
    int index = 0;
    TRY(split_tensor_name(target, &name, &index));
    if (body_find(library_main(import->tree.library), name) == NULL)
        return error_new(ERROR_NOT_FOUND, "target node '%s' is not in the graph", target);
    const char *node_name = arena_strndup(import->arena, (const char *)name.data, name.size);
    if (node_name == NULL)
        return error_out_of_memory();
    TRY(graph_add(import->graph, node_name, &group_op, &no_attrs, 0, 1, &group));
    group->n_controls = 0;
    TRY(add_control(import, import->main, node_name, group));
    return graph_add_target(import->graph, group);
}

static Error *import_run(Import *import, const GraphRequest *request)
{
    Graph *graph = import->graph;
    TRY(scope_main(&import->tree, &import->main));
    for (size_t i = 0; i < request->n_feeds; i++)
        TRY(feed_add(&import->tree, import->main, import->graph, request, (int)i));
    for (size_t i = 0; i < request->n_outputs; i++) {
        TRY(add_output(import, request->outputs[i], &graph->outputs[i]));
        TRY(connect_all(import));
    }
    for (size_t i = 0; i < request->n_targets; i++) {
        TRY(add_target(import, request->targets[i]));
        TRY(connect_all(import));
    }
    TRY(raise_control(graph));
    TRY(reference_read(graph));
    TRY(check_types(graph));
    return control_skip_invariants(graph);
}

/* ---- functions that are graphs ------------------------------------------------------------- */

static Error *add_arguments(Import *import, const FunctionRequest *request)
{
    DType *dtypes = arena_memdup(import->arena, request->input_dtypes,
                                 (size_t)request->n_inputs * sizeof(DType));
    if (dtypes == NULL)
        return error_out_of_memory();
    for (int i = 0; i < request->n_inputs; i++) {
        Node **feed = &import->graph->feeds[i];
        TRY(graph_add(import->graph, request->site->def->name, NULL, &no_attrs, 0, 0, feed));
        (*feed)->feed = i;
        (*feed)->n_outputs = 1;
        (*feed)->output_dtypes = &dtypes[i];
    }
    return NULL;
}

/* Functions end as the main graph does: what they return are outputs, control_ret are targets. */
static Error *import_body(Import *import, const Scope *scope)
{
    const Tensorflow__FunctionDef *function = body_function(scope->body);
    Graph *graph = import->graph;
    for (size_t i = 0; i < graph->n_outputs; i++) {
        TRY(resolve(import, import->main, body_return(scope->body, (int)i), &graph->outputs[i]));
        TRY(connect_all(import));
    }
    for (size_t i = 0; i < function->n_control_ret; i++) {
        Node *group = NULL;
        TRY(graph_add(graph, scope->prefix, &group_op, &no_attrs, 0, 1, &group));
        group->n_controls = 0;
        TRY(add_control(import, import->main, function->control_ret[i]->value, group));
        TRY(graph_add_target(graph, group));
        TRY(connect_all(import));
    }
    TRY(raise_control(graph));
    TRY(reference_read(graph));
    TRY(check_types(graph));
    return control_skip_invariants(graph);
}

static Error *import_function(Import *import, const FunctionRequest *request)
{
    Graph *graph = import->graph;
    TRY(add_arguments(import, request));
    TRY(scope_function(&import->tree, request->site, request->f, graph->feeds, &import->main));
    const Tensorflow__OpDef *signature = body_function(import->main->body)->signature;
    if (signature->n_input_arg != graph->n_feeds)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "it gives function '%s' %zu inputs, which takes %zu", request->f->name,
                         graph->n_feeds, signature->n_input_arg);
    for (size_t i = 0; i < graph->n_feeds; i++) {
        DType dtype = dtype_of_number((int)signature->input_arg[i]->type);
        if (dtype != DT_INVALID && dtype != request->input_dtypes[i])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "it gives function '%s' %s as its input %zu, which must be %s",
                             request->f->name, dtype_name(request->input_dtypes[i]), i,
                             dtype_name(dtype));
    }
    graph->n_outputs = signature->n_output_arg;
    graph->outputs = arena_calloc(import->arena, graph->n_outputs, sizeof(Endpoint));
    return graph->outputs != NULL ? import_body(import, import->main) : error_out_of_memory();
}

Error *graph_import_function(const FunctionRequest *request, Arena *arena, Graph *ret_graph)
{
    Graph graph = { .arena = arena, .n_feeds = (size_t)request->n_inputs };
    graph.feeds = arena_calloc(arena, graph.n_feeds, sizeof(Node *));
    if (graph.feeds == NULL)
        return error_out_of_memory();
    Import import = { .tree = { .library = request->library, .arena = arena },
                      .graph = &graph,
                      .arena = arena };
    Error *error = import_function(&import, request);
    scope_tree_done(&import.tree);
    TRY(error);
    *ret_graph = graph;
    return NULL;
}

/* ---- the main graph ------------------------------------------------------------------------ */

Error *graph_import(Library *library, Arena *arena, const GraphRequest *request, Graph *ret_graph)
{
    Graph graph = { .arena = arena, .n_feeds = request->n_feeds, .n_outputs = request->n_outputs };
    graph.feeds = arena_calloc(arena, request->n_feeds, sizeof(Node *));
    graph.outputs = arena_calloc(arena, request->n_outputs, sizeof(Endpoint));
    if (graph.feeds == NULL || graph.outputs == NULL)
        return error_out_of_memory();
    Import import = { .tree = { .library = library, .arena = arena },
                      .graph = &graph,
                      .arena = arena };
    Error *error = import_run(&import, request);
    scope_tree_done(&import.tree);
    TRY(error);
    *ret_graph = graph;
    return NULL;
}
