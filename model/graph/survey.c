/* SPDX-License-Identifier: Apache-2.0
 *
 * Survey: import's walk (scope.h) without its nodes. A site or a call waits on a stack until its own
 * edges are followed; nothing recurses. Bodies of If, While and the like, which are named by
 * attributes, are counted as a whole.
 */
#include "model/graph/survey.h"

#include <string.h>

#include "model/base/map.h"
#include "model/graph/check.h"
#include "model/graph/scope.h"

/* What is still to be followed: the edges of `site`, or, without one, all that the call whose scope
 * this is must run. */
typedef struct Pending {
    const Site *site;
    Scope *scope;
    struct Pending *next;
} Pending;

typedef struct Survey {
    ScopeTree tree;
    Library *library;
    Arena *arena;
    Scope *main;
    Pending *pending;
    Map *ops;    /* name -> SurveyOp */
    Map *bodies; /* functions named by attributes; in order of insertion, so a queue as well */
    Node mark;   /* Site.node of those that were met */
} Survey;

static Error *count(Survey *survey, const Tensorflow__NodeDef *def, const char *prefix)
{
    SurveyOp *op = map_find(survey->ops, def->op);
    if (op == NULL) {
        op = arena_calloc(survey->arena, 1, sizeof *op);
        if (op == NULL)
            return error_out_of_memory();
        op->name = def->op;
        const Op *row = op_find(def->op);
        op->is_supported = row != NULL && !check_is_internal(row);
        op->node = arena_printf(survey->arena, "%s%s", prefix, def->name);
        if (op->node == NULL)
            return error_out_of_memory();
        TRY(map_set(survey->ops, def->op, op));
    }
    op->n_nodes++;
    return NULL;
}

static Error *note_body(Survey *survey, const char *name)
{
    return map_has(survey->bodies, name) ? NULL : map_set(survey->bodies, name, survey);
}

/* The functions that the attributes of a node name. */
static Error *note_bodies(Survey *survey, const Tensorflow__NodeDef *def)
{
    for (size_t i = 0; i < def->n_attr; i++) {
        const Tensorflow__AttrValue *value = def->attr[i]->value;
        if (value == NULL)
            continue;
        if (value->value_case == TENSORFLOW__ATTR_VALUE__VALUE_FUNC)
            TRY(note_body(survey, value->func->name));
        if (value->value_case != TENSORFLOW__ATTR_VALUE__VALUE_LIST)
            continue;
        for (size_t k = 0; k < value->list->n_func; k++)
            TRY(note_body(survey, value->list->func[k]->name));
    }
    return NULL;
}

/* ---- the walk ------------------------------------------------------------------------------ */

static Error *push(Survey *survey, const Site *site, Scope *scope)
{
    Pending *pending = arena_calloc(survey->arena, 1, sizeof *pending);
    if (pending == NULL)
        return error_out_of_memory();
    *pending = (Pending){ site, scope, survey->pending };
    survey->pending = pending;
    return NULL;
}

static Error *meet(Survey *survey, Site *site)
{
    if (site->node != NULL)
        return NULL;
    site->node = &survey->mark;
    TRY(count(survey, site->def, site->scope->prefix));
    TRY(note_bodies(survey, site->def));
    return push(survey, site, NULL);
}

static Error *reach_control(Survey *survey, Scope *scope, const char *name)
{
    Site *site = NULL;
    if (body_argument(scope->body, bytes_of_text(name)) >= 0)
        return NULL;
    TRY(scope_site(&survey->tree, scope, bytes_of_text(name), &site));
    if (site->callee == NULL)
        return meet(survey, site);
    if (site->callee->exit != NULL)
        return NULL;
    site->callee->exit = &survey->mark;
    return push(survey, NULL, site->callee);
}

static Error *reach_controls(Survey *survey, const Site *site)
{
    for (size_t i = (size_t)site->n_data; i < site->def->n_input; i++)
        TRY(reach_control(survey, site->scope, site->def->input[i] + 1));
    return NULL;
}

/* What a call that was entered waits for, and what it runs in any case. */
static Error *enter_scopes(Survey *survey)
{
    while (survey->tree.entered != NULL) {
        Scope *scope = survey->tree.entered;
        const Tensorflow__FunctionDef *function = body_function(scope->body);
        survey->tree.entered = scope->next_entered;
        TRY(reach_controls(survey, scope->call));
        for (size_t i = 0; i < function->n_control_ret; i++)
            TRY(reach_control(survey, scope, function->control_ret[i]->value));
    }
    return NULL;
}

static Error *reach(Survey *survey, Scope *scope, const char *text)
{
    Place place;
    TRY(scope_resolve(&survey->tree, scope, text, &place));
    TRY(enter_scopes(survey));
    return place.feed != NULL ? NULL : meet(survey, place.site);
}

static Error *follow_call(Survey *survey, Scope *scope)
{
    const Tensorflow__FunctionDef *function = body_function(scope->body);
    TRY(reach_controls(survey, scope->call));
    for (size_t i = 0; i < function->n_control_ret; i++)
        TRY(reach_control(survey, scope, function->control_ret[i]->value));
    for (size_t i = 0; i < function->signature->n_output_arg; i++)
        TRY(reach(survey, scope, body_return(scope->body, (int)i)));
    return NULL;
}

static Error *follow_all(Survey *survey)
{
    while (survey->pending != NULL) {
        const Pending *pending = survey->pending;
        survey->pending = pending->next;
        if (pending->site == NULL) {
            TRY(follow_call(survey, pending->scope));
            continue;
        }
        for (int i = 0; i < pending->site->n_data; i++)
            TRY(reach(survey, pending->site->scope, pending->site->def->input[i]));
        TRY(reach_controls(survey, pending->site));
    }
    return NULL;
}

/* ---- requests ------------------------------------------------------------------------------ */

/* Feeds of one signature are computed in another, perhaps: they end with their request. */
static Error *set_feeds(Survey *survey, const GraphRequest *request, bool is_fed)
{
    for (size_t i = 0; i < request->n_feeds; i++) {
        Bytes name;
        Site *site = NULL;
        SiteFeed *feed = arena_calloc(survey->arena, 1, sizeof *feed);
        if (feed == NULL)
            return error_out_of_memory();
        TRY(split_tensor_name(request->feeds[i].tensor_name, &name, &feed->output));
        TRY(scope_site(&survey->tree, survey->main, name, &site));
        feed->node = &survey->mark;
        feed->next = site->feeds;
        site->feeds = is_fed ? feed : NULL;
    }
    return NULL;
}

static Error *walk(Survey *survey, const GraphRequest *request)
{
    TRY(set_feeds(survey, request, true));
    for (size_t i = 0; i < request->n_outputs; i++)
        TRY(reach(survey, survey->main, request->outputs[i]));
    for (size_t i = 0; i < request->n_targets; i++)
        TRY(reach_control(survey, survey->main, request->targets[i]));
    TRY(follow_all(survey));
    return set_feeds(survey, request, false);
}

static Error *count_body(Survey *survey, const char *name)
{
    Body *body = NULL;
    TRY(library_function(survey->library, name, &body));
    if (body == NULL)
        return error_new(ERROR_NOT_FOUND, "there is no function '%s' in the graph", name);
    const Tensorflow__FunctionDef *function = body_function(body);
    const char *prefix = arena_printf(survey->arena, "%s/", name);
    if (prefix == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < function->n_node_def; i++) {
        Body *callee = NULL;
        TRY(note_bodies(survey, function->node_def[i]));
        TRY(library_callee(survey->library, function->node_def[i], &callee));
        if (callee != NULL)
            TRY(note_body(survey, body_function(callee)->signature->name));
        else
            TRY(count(survey, function->node_def[i], prefix));
    }
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const SurveyOp *)a)->name, ((const SurveyOp *)b)->name);
}

static Error *run(Survey *survey, size_t n, const GraphRequest *requests, SurveyOp **ret_ops,
                  size_t *ret_n)
{
    TRY(scope_main(&survey->tree, &survey->main));
    for (size_t i = 0; i < n; i++)
        TRY(walk(survey, &requests[i]));
    for (size_t i = 0; i < map_size(survey->bodies); i++)
        TRY(count_body(survey, map_key_at(survey->bodies, i)));
    size_t n_ops = map_size(survey->ops);
    SurveyOp *ops = arena_calloc(survey->arena, n_ops, sizeof *ops);
    if (ops == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n_ops; i++)
        ops[i] = *(const SurveyOp *)map_value_at(survey->ops, i);
    if (n_ops > 0)
        qsort(ops, n_ops, sizeof *ops, compare_names);
    *ret_ops = ops;
    *ret_n = n_ops;
    return NULL;
}

Error *survey(Library *library, Arena *arena, size_t n, const GraphRequest *requests,
              SurveyOp **ret_ops, size_t *ret_n)
{
    _cleanup_(map_freep) Map *ops = map_new();
    _cleanup_(map_freep) Map *bodies = map_new();
    if (ops == NULL || bodies == NULL)
        return error_out_of_memory();
    Survey state = { .tree = { .library = library, .arena = arena },
                     .library = library,
                     .arena = arena,
                     .ops = ops,
                     .bodies = bodies };
    Error *error = run(&state, n, requests, ret_ops, ret_n);
    scope_tree_done(&state.tree);
    return error;
}
