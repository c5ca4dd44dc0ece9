/* SPDX-License-Identifier: Apache-2.0
 *
 * Scope: names resolved through calls, without recursion. Scopes and sites are made when they are
 * first reached; each resolution is a loop whose steps are counted, because functions that return
 * their arguments can be wired to each other in a circle.
 */
#include "model/graph/scope.h"

#include <string.h>

#include "model/base/map.h"
#include "model/graph/reference.h"

#define MAX_HOPS ((size_t)10 << 20)

/* ---- references ---------------------------------------------------------------------------- */

/* The number that [text, end) is, or -1. */
static int parse_index(const char *text, const char *end)
{
    int64_t v = 0;
    if (text == end || end - text > 9)
        return -1;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        v = v * 10 + (*text - '0');
    }
    return (int)v;
}

Error *split_tensor_name(const char *text, Bytes *ret_node, int *ret_index)
{
    size_t size = strlen(text);
    const char *colon = strrchr(text, ':');
    int index = 0;
    if (colon != NULL) {
        index = parse_index(colon + 1, text + size);
        if (index < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "'%s' is no name of a tensor: a number belongs behind the colon",
                             text);
        size = (size_t)(colon - text);
    }
    *ret_node = (Bytes){ (const uint8_t *)text, size };
    *ret_index = index;
    return NULL;
}

/* The same for "name", "node:arg" and "node:arg:index" of function bodies. */
static Error *split_body_name(const char *text, Bytes *ret_node, Bytes *ret_arg, int *ret_index)
{
    const char *end = text + strlen(text);
    const char *first = strchr(text, ':');
    Bytes arg = { 0 };
    int index = 0;
    if (first != NULL) {
        const char *second = strchr(first + 1, ':');
        const char *arg_end = second != NULL ? second : end;
        if (second != NULL)
            index = parse_index(second + 1, end);
        arg = (Bytes){ (const uint8_t *)first + 1, (size_t)(arg_end - first - 1) };
    }
    if (index < 0 || (first != NULL && arg.size == 0))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "'%s' is no name of a tensor in a function: node:output:number is", text);
    *ret_node = (Bytes){ (const uint8_t *)text, (size_t)((first != NULL ? first : end) - text) };
    *ret_arg = arg;
    *ret_index = index;
    return NULL;
}

/* ---- scopes -------------------------------------------------------------------------------- */

static Error *add_scope(ScopeTree *tree, Body *body, Site *call, Scope **ret_scope)
{
    if (++tree->n_scopes > GRAPH_MAX_NODES)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "the graph calls functions more than %zu times",
                         GRAPH_MAX_NODES);
    Scope *scope = arena_calloc(tree->arena, 1, sizeof *scope);
    if (scope == NULL)
        return error_out_of_memory();
    scope->next = tree->all; /* from here on scope_tree_done frees its map */
    tree->all = scope;
    scope->sites = map_new();
    scope->body = body;
    scope->call = call;
    scope->prefix = "";
    if (call != NULL) {
        scope->depth = call->scope->depth + 1;
        scope->prefix = arena_printf(tree->arena, "%s%s/", call->scope->prefix, call->def->name);
    }
    if (scope->sites == NULL || scope->prefix == NULL)
        return error_out_of_memory();
    *ret_scope = scope;
    return NULL;
}

void scope_tree_done(ScopeTree *tree)
{
    for (Scope *scope = tree->all; scope != NULL; scope = scope->next)
        map_free(scope->sites);
    tree->all = NULL;
}

Error *scope_main(ScopeTree *tree, Scope **ret_scope)
{
    return add_scope(tree, library_main(tree->library), NULL, ret_scope);
}

/* `value`, or what the function was given when it is a placeholder for that. */
static Tensorflow__AttrValue *substitute(const Scope *scope, Tensorflow__AttrValue *value)
{
    if (value == NULL || value->value_case != TENSORFLOW__ATTR_VALUE__VALUE_PLACEHOLDER)
        return value;
    for (size_t i = 0; i < scope->n_attrs; i++)
        if (strcmp(scope->attrs[i].name, value->placeholder) == 0)
            return scope->attrs[i].value;
    return value;
}

/* What the call says of the function's attributes: those of `f`, or of the node itself. */
static Error *take_attrs(ScopeTree *tree, const Site *call, const Tensorflow__NameAttrList *f,
                         Scope *scope)
{
    size_t n = f != NULL ? f->n_attr : call->def->n_attr;
    ScopeAttr *attrs = arena_calloc(tree->arena, n, sizeof *attrs);
    if (attrs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        attrs[i].name = f != NULL ? f->attr[i]->key : call->def->attr[i]->key;
        attrs[i].value =
            substitute(call->scope, f != NULL ? f->attr[i]->value : call->def->attr[i]->value);
    }
    scope->attrs = attrs;
    scope->n_attrs = n;
    return NULL;
}

static Error *make_callee(ScopeTree *tree, Site *call, Body *body)
{
    const Tensorflow__OpDef *signature = body_function(body)->signature;
    if (call->scope->depth >= SCOPE_MAX_DEPTH)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "node '%s' calls function '%s' more than %d calls deep: functions must not "
            "call themselves",
            call->def->name, signature->name, SCOPE_MAX_DEPTH);
    if ((size_t)call->n_data != signature->n_input_arg)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "node '%s' calls function '%s' with %d inputs, it takes %zu",
                         call->def->name, signature->name, call->n_data, signature->n_input_arg);
    TRY(add_scope(tree, body, call, &call->callee));
    const Tensorflow__AttrValue *f = node_def_attr(call->def, "f");
    bool has_f = f != NULL && f->value_case == TENSORFLOW__ATTR_VALUE__VALUE_FUNC;
    return take_attrs(tree, call, has_f ? f->func : NULL, call->callee);
}

/* The scope around `scope`, whether that was inlined or is a graph of its own. */
static const Scope *get_outer(const Scope *scope)
{
    return scope->call != NULL ? scope->call->scope : scope->outer;
}

Error *scope_function(ScopeTree *tree, const Site *site, const Tensorflow__NameAttrList *f,
                      Node **arguments, Scope **ret_scope)
{
    Body *body = NULL;
    Scope *scope = NULL;
    TRY(library_function(tree->library, f->name, &body));
    if (body == NULL)
        return error_new(ERROR_NOT_FOUND, "it runs function '%s', which the bundle does not have",
                         f->name);
    for (const Scope *outer = site->scope; outer != NULL; outer = get_outer(outer))
        if (outer->body == body)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "it runs function '%s', of which it is itself a part: functions must "
                             "not call themselves",
                             f->name);
    if (site->scope->depth >= SCOPE_MAX_DEPTH)
        return error_new(ERROR_INVALID_ARGUMENT, "it runs function '%s' more than %d calls deep",
                         f->name, SCOPE_MAX_DEPTH);
    TRY(add_scope(tree, body, NULL, &scope));
    scope->outer = site->scope;
    scope->depth = site->scope->depth + 1;
    scope->arguments = arguments;
    scope->prefix =
        arena_printf(tree->arena, "%s%s/%s/", site->scope->prefix, site->def->name, f->name);
    if (scope->prefix == NULL)
        return error_out_of_memory();
    TRY(take_attrs(tree, site, f, scope));
    *ret_scope = scope;
    return NULL;
}

/* Counts the data inputs, and refuses one behind a control input. */
static Error *count_data_inputs(Site *site)
{
    const Tensorflow__NodeDef *def = site->def;
    while ((size_t)site->n_data < def->n_input && def->input[site->n_data][0] != '^')
        site->n_data++;
    for (size_t i = (size_t)site->n_data; i < def->n_input; i++)
        if (def->input[i][0] != '^')
            return error_new(ERROR_INVALID_ARGUMENT,
                             "node '%s': input '%s' stands behind a control input", def->name,
                             def->input[i]);
    return NULL;
}

Error *scope_site(ScopeTree *tree, Scope *scope, Bytes name, Site **ret_site)
{
    Site *site = map_find_n(scope->sites, (const char *)name.data, name.size);
    if (site == NULL) {
        const Tensorflow__NodeDef *def = body_find(scope->body, name);
        if (def == NULL)
            return error_new(ERROR_NOT_FOUND, "there is no node '%.*s'%s", (int)name.size,
                             (const char *)name.data,
                             body_function(scope->body) != NULL ? " in the function"
                                                                : " in the graph");
        site = arena_calloc(tree->arena, 1, sizeof *site);
        if (site == NULL)
            return error_out_of_memory();
        site->def = def;
        site->scope = scope;
        Body *callee = NULL;
        TRY(count_data_inputs(site));
        TRY(library_callee(tree->library, def, &callee));
        if (callee != NULL)
            TRY(make_callee(tree, site, callee));
        TRY(map_set(scope->sites, def->name, site));
    }
    *ret_site = site;
    return NULL;
}

Error *scope_attrs(ScopeTree *tree, const Site *site, Attrs *ret_attrs)
{
    const Tensorflow__NodeDef *def = site->def;
    Tensorflow__NodeDef__AttrEntry **entries =
        arena_calloc(tree->arena, def->n_attr, sizeof *entries);
    if (entries == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < def->n_attr; i++) {
        entries[i] = def->attr[i];
        Tensorflow__AttrValue *value = substitute(site->scope, def->attr[i]->value);
        if (value == def->attr[i]->value)
            continue;
        entries[i] = arena_memdup(tree->arena, def->attr[i], sizeof **entries);
        if (entries[i] == NULL)
            return error_out_of_memory();
        entries[i]->value = value;
    }
    return attrs_from_proto(tree->arena, def->n_attr, entries, ret_attrs);
}

Error *scope_output_dtype(ScopeTree *tree, const Site *site, int index, DType *ret_dtype)
{
    int n = 0;
    DType dtype = DT_INVALID;
    const Op *op = op_find(site->def->op);
    if (site->callee != NULL) {
        const Tensorflow__OpDef *signature = body_function(site->callee->body)->signature;
        n = (int)signature->n_output_arg;
        if (index < n)
            dtype = dtype_of_number((int)signature->output_arg[index]->type);
    } else if (op != NULL) {
        Attrs attrs;
        const DType *dtypes = NULL;
        TRY(scope_attrs(tree, site, &attrs));
        TRY(op_output_types(op, &attrs, tree->arena, &n, &dtypes));
        if (index < n)
            dtype = dtypes[index];
        if (reference_is_variable(op))
            TRY(attrs_type(&attrs, "dtype", &dtype));
    } else {
        n = index + 1;
    }
    if (index >= n)
        return error_new(ERROR_NOT_FOUND, "FeedInputs: unable to find feed output %s:%d",
                         site->def->name, index);
    *ret_dtype = dtype;
    return NULL;
}

/* ---- resolution ---------------------------------------------------------------------------- */

static Node *find_feed(const Site *site, int output)
{
    for (const SiteFeed *feed = site->feeds; feed != NULL; feed = feed->next)
        if (feed->output == output)
            return feed->node;
    return NULL;
}

/* Which output of the function an edge into its call means. */
static Error *find_callee_output(const Place *place, int *ret_output)
{
    const Body *body = place->site->callee->body;
    const Tensorflow__FunctionDef *function = body_function(body);
    int output = place->index;
    /* An op that is a function's name has outputs named as the function's; PartitionedCall has one
     * list, `output`. */
    if (place->arg.size > 0 && strcmp(place->site->def->op, function->signature->name) == 0)
        output = place->index == 0 ? body_output(body, place->arg) : -1;
    if (output < 0 || (size_t)output >= function->signature->n_output_arg)
        return error_new(ERROR_INVALID_ARGUMENT, "node '%s' has %zu outputs, there is no such one",
                         place->site->def->name, function->signature->n_output_arg);
    *ret_output = output;
    return NULL;
}

Error *scope_resolve(ScopeTree *tree, Scope *scope, const char *text, Place *ret_place)
{
    for (;;) {
        if (++tree->n_hops > MAX_HOPS)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "input '%s' does not end after %zu steps through function calls", text,
                             MAX_HOPS);
        Place place = { 0 };
        Bytes name;
        if (body_function(scope->body) == NULL)
            TRY(split_tensor_name(text, &name, &place.index));
        else
            TRY(split_body_name(text, &name, &place.arg, &place.index));
        int argument = body_argument(scope->body, name);
        if (argument >= 0 && scope->call == NULL) {
            *ret_place = (Place){ .feed = scope->arguments[argument] };
            return NULL;
        }
        if (argument >= 0) {
            text = scope->call->def->input[argument];
            scope = scope->call->scope;
            continue;
        }
        TRY(scope_site(tree, scope, name, &place.site));
        place.feed = find_feed(place.site, place.index);
        if (place.feed != NULL || place.site->callee == NULL) {
            *ret_place = place;
            return NULL;
        }
        int output = 0;
        TRY(find_callee_output(&place, &output));
        scope = place.site->callee;
        text = body_return(scope->body, output);
        if (!scope->is_entered) {
            scope->is_entered = true;
            scope->next_entered = tree->entered;
            tree->entered = scope;
        }
    }
}
