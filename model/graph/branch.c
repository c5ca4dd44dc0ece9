/* SPDX-License-Identifier: Apache-2.0
 *
 * Branches. Each value has a guard: the outputs of Switches that it hangs on, so that it is dead
 * when one of them is. A Merge joins two guards that differ in the side of one predicate, and is
 * itself guarded by what is left. Merges that nothing guards get an If for each predicate; two of
 * them share it unless one needs the other. A branch is what a Merge needs and a guard makes
 * optional; all else is captured.
 */
#include "model/graph/branch.h"

#include "model/graph/reference.h"

#define MAX_GUARDS 64  /* conditionals within conditionals */
#define MAX_RENAMES 64 /* Identities before a predicate that are looked through */

enum { SIDE_THEN, SIDE_ELSE }; /* graphs of an If */

/* Immutable; shared by all values that hang on the same. */
typedef struct Guard {
    Endpoint predicate;
    int output; /* of the Switch: 1 when the predicate is true */
    int n;      /* with all below */
    const struct Guard *rest;
} Guard;

/* The Merges of one If. */
typedef struct Branch {
    Endpoint predicate;
    int level;
    Node *first, **end; /* [n_merges], linked by Info.next */
    int n_merges;
    struct Branch *of_node; /* next with the same node as predicate */
    struct Branch *next;
} Branch;

typedef struct Info {
    const Guard *guard; /* of the node; an output of a Switch has one more */
    int level;          /* Merges without a guard on the longest way to it */
    int then_input;     /* of a Merge: which of its inputs comes when the predicate is true */
    Branch *branches;   /* whose predicate is an output of the node */
    Node *next;         /* Merge of the same branch */
} Info;

typedef struct Branches {
    Raise *raise;
    Info *infos; /* by position */
    Branch *first, **end;
} Branches;

static Info *get_info(const Branches *branches, const Node *node)
{
    return &branches->infos[node->position];
}

static RaiseKind kind_of(const Branches *branches, const Node *node)
{
    return raise_mark(branches->raise, node)->kind;
}

static bool is_same(Endpoint a, Endpoint b)
{
    return a.node == b.node && a.index == b.index;
}

/* A predicate under its first name. */
static Endpoint find_predicate(const Node *node)
{
    Endpoint predicate = node->inputs[1];
    for (int i = 0;
         i < MAX_RENAMES && node_is(predicate.node, "Identity") && predicate.node->n_inputs == 1;
         i++)
        predicate = predicate.node->inputs[0];
    return predicate;
}

/* ---- guards -------------------------------------------------------------------------------- */

static const Guard *find_guard(const Guard *guard, Endpoint predicate)
{
    while (guard != NULL && !is_same(guard->predicate, predicate))
        guard = guard->rest;
    return guard;
}

static Error *add_guard(const Branches *branches, const Guard *to, Endpoint predicate, int output,
                        const Guard **ret)
{
    for (*ret = to; *ret != NULL; *ret = (*ret)->rest)
        if (is_same((*ret)->predicate, predicate) && (*ret)->output == output)
            break;
    if (*ret != NULL) {
        *ret = to;
        return NULL;
    }
    if (to != NULL && to->n == MAX_GUARDS)
        return error_new(ERROR_INVALID_ARGUMENT, "it hangs on more than %d Switches", MAX_GUARDS);
    Guard *guard = arena_calloc(branches->raise->graph->arena, 1, sizeof *guard);
    if (guard == NULL)
        return error_out_of_memory();
    *guard = (Guard){ predicate, output, to != NULL ? to->n + 1 : 1, to };
    *ret = guard;
    return NULL;
}

/* *guard with all of `other` but what is about `except`. */
static Error *join_guards(const Branches *branches, const Guard *other, const Endpoint *except,
                          const Guard **guard)
{
    if (*guard == NULL && except == NULL)
        *guard = other;
    for (; other != NULL && other != *guard; other = other->rest)
        if (except == NULL || !is_same(other->predicate, *except))
            TRY(add_guard(branches, *guard, other->predicate, other->output, guard));
    return NULL;
}

static Error *get_guard(const Branches *branches, Endpoint endpoint, const Guard **ret)
{
    *ret = get_info(branches, endpoint.node)->guard;
    if (kind_of(branches, endpoint.node) != RAISE_SWITCH)
        return NULL;
    return add_guard(branches, *ret, find_predicate(endpoint.node), endpoint.index, ret);
}

static bool is_guarded(const Branches *branches, Endpoint endpoint)
{
    return kind_of(branches, endpoint.node) == RAISE_SWITCH ||
           get_info(branches, endpoint.node)->guard != NULL;
}

static Error *guard_node(const Branches *branches, const Node *node)
{
    Info *info = get_info(branches, node);
    for (int i = 0; i < node->n_inputs; i++) {
        const Guard *guard = NULL;
        TRY(get_guard(branches, node->inputs[i], &guard));
        TRY(join_guards(branches, guard, NULL, &info->guard));
    }
    for (int i = 0; i < node->n_controls; i++)
        TRY(join_guards(branches, get_info(branches, node->controls[i])->guard, NULL,
                        &info->guard));
    return NULL;
}

/* ---- Merges -------------------------------------------------------------------------------- */

static Error *add_branch(Branches *branches, Endpoint predicate, int level, Branch **ret)
{
    Info *info = get_info(branches, predicate.node);
    for (*ret = info->branches; *ret != NULL; *ret = (*ret)->of_node)
        if (is_same((*ret)->predicate, predicate) && (*ret)->level == level)
            return NULL;
    Branch *branch = arena_calloc(branches->raise->graph->arena, 1, sizeof *branch);
    if (branch == NULL)
        return error_out_of_memory();
    *branch = (Branch){ .predicate = predicate, .level = level, .of_node = info->branches };
    branch->end = &branch->first;
    info->branches = branch;
    *branches->end = branch;
    branches->end = &branch->next;
    *ret = branch;
    return NULL;
}

static Error *mismatch(const Node *merge)
{
    return error_new(ERROR_INVALID_ARGUMENT,
                     "node '%s' (%s): its inputs must be the two sides of one predicate, as "
                     "tf.cond builds them",
                     merge->name, merge->op->name);
}

/* The one predicate of which the Merge's inputs are the two sides. */
static Error *find_sides(const Node *merge, const Guard *const guards[2], const Guard **ret)
{
    *ret = NULL;
    for (const Guard *g = guards[0]; g != NULL; g = g->rest) {
        const Guard *other = find_guard(guards[1], g->predicate);
        if (other == NULL || other->output == g->output)
            continue;
        if (*ret != NULL)
            return mismatch(merge);
        *ret = g;
    }
    return *ret != NULL ? NULL : mismatch(merge);
}

static Error *guard_merge(Branches *branches, Node *merge)
{
    Info *info = get_info(branches, merge);
    const Guard *guards[2], *side = NULL;
    if (merge->n_inputs != 2)
        return mismatch(merge);
    for (int i = 0; i < 2; i++)
        TRY(get_guard(branches, merge->inputs[i], &guards[i]));
    TRY(find_sides(merge, guards, &side));
    info->then_input = side->output == 1 ? 0 : 1;
    for (int i = 0; i < 2; i++)
        TRY(join_guards(branches, guards[i], &side->predicate, &info->guard));
    for (int i = 0; i < merge->n_controls; i++)
        for (const Guard *g = get_info(branches, merge->controls[i])->guard; g != NULL; g = g->rest)
            if (find_guard(info->guard, g->predicate) == NULL)
                return mismatch(merge);
    if (info->guard != NULL)
        return NULL;
    Branch *branch = NULL;
    info->level++;
    TRY(add_branch(branches, side->predicate, info->level, &branch));
    *branch->end = merge;
    branch->end = &info->next;
    branch->n_merges++;
    return NULL;
}

static Error *guard_all(Branches *branches)
{
    const Graph *graph = branches->raise->graph;
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        Info *info = &branches->infos[i];
        for (int k = 0; k < node->n_inputs + node->n_controls; k++) {
            const Node *needed =
                k < node->n_inputs ? node->inputs[k].node : node->controls[k - node->n_inputs];
            int level = get_info(branches, needed)->level;
            info->level = level > info->level ? level : info->level;
        }
        if (kind_of(branches, node) == RAISE_MERGE)
            TRY(guard_merge(branches, node));
        else
            TRY(error_prefix(guard_node(branches, node), "node '%s' (%s)", node->name,
                             node->op != NULL ? node->op->name : "feed"));
    }
    return NULL;
}

/* ---- edges --------------------------------------------------------------------------------- */

typedef struct Cut {
    const Branches *branches;
    const Branch *branch;
} Cut;

static Error *route(Region *region, Endpoint *endpoint, Route *ret, Capture **ret_var)
{
    const Cut *cut = region->data;
    (void)ret_var;
    while (kind_of(cut->branches, endpoint->node) == RAISE_SWITCH &&
           is_same(find_predicate(endpoint->node), cut->branch->predicate)) {
        if ((endpoint->index == 1) != (region->side == SIDE_THEN))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "node '%s' (%s): both of its outputs are needed at once",
                             endpoint->node->name, endpoint->node->op->name);
        *endpoint = endpoint->node->inputs[0];
    }
    const Node *node = endpoint->node;
    bool is_variable = node->op != NULL && node->values == NULL && reference_is_variable(node->op);
    *ret = is_variable || is_guarded(cut->branches, *endpoint) ? ROUTE_COPY : ROUTE_CAPTURE;
    return NULL;
}

static Route route_control(const Region *region, const Node *node)
{
    const Cut *cut = region->data;
    if (kind_of(cut->branches, node) == RAISE_SWITCH &&
        is_same(find_predicate(node), cut->branch->predicate))
        return ROUTE_DROP;
    return get_info(cut->branches, node)->guard != NULL ? ROUTE_COPY : ROUTE_CAPTURE;
}

/* ---- the If -------------------------------------------------------------------------------- */

/* The number of the input that a Merge took, which is its second output. */
static Error *make_index(Graph *graph, const Node *merge, int input, Endpoint *ret)
{
    static const DType dtype = DT_INT32;
    const Shape scalar = shape_of();
    Constant *value = arena_calloc(graph->arena, 1, sizeof *value);
    int32_t *number = arena_calloc(graph->arena, 1, sizeof *number);
    if (value == NULL || number == NULL)
        return error_out_of_memory();
    *number = input;
    value->tensor = tensor_view(DT_INT32, &scalar, number);
    TRY(graph_add(graph, merge->name, op_find("Const"), merge->attrs, 0, 0, &ret->node));
    ret->index = 0;
    ret->node->n_outputs = 1;
    ret->node->output_dtypes = &dtype;
    ret->node->values = value;
    return NULL;
}

/* Outputs of the side: two for each Merge. */
static Error *cut_side(const Branches *branches, const Branch *branch, Region *region, int side)
{
    Graph *graph = &region->graphs[side];
    region_turn(region, side);
    graph->n_outputs = 2 * (size_t)branch->n_merges;
    graph->outputs = arena_calloc(graph->arena, graph->n_outputs, sizeof(Endpoint));
    if (graph->outputs == NULL)
        return error_out_of_memory();
    Endpoint *output = graph->outputs;
    for (Node *merge = branch->first; merge != NULL; merge = get_info(branches, merge)->next) {
        int then_input = get_info(branches, merge)->then_input;
        int input = side == SIDE_THEN ? then_input : 1 - then_input;
        TRY(region_copy(region, merge->inputs[input], output++));
        TRY(make_index(graph, merge, input, output++));
        for (int i = 0; i < merge->n_controls; i++)
            TRY(region_add_control(region, merge->controls[i]));
    }
    return NULL;
}

static Error *make_if(const Branches *branches, const Branch *branch, Region *region)
{
    Arena *arena = region->raise->graph->arena;
    DType *dtypes = arena_calloc(arena, 2 * (size_t)branch->n_merges, sizeof *dtypes);
    Node *node = NULL;
    int n = 0;
    if (dtypes == NULL)
        return error_out_of_memory();
    for (Node *merge = branch->first; merge != NULL; merge = get_info(branches, merge)->next) {
        dtypes[n++] = merge->output_dtypes[0];
        dtypes[n++] = DT_INT32;
    }
    TRY(region_make_node(region, "If", branch->first->name, branch->predicate, n, dtypes, &node));
    TRY(control_attach(arena, CONTROL_IF, region->graphs, node));
    n = 0;
    for (Node *merge = branch->first; merge != NULL; merge = get_info(branches, merge)->next) {
        RaiseMark *mark = raise_mark(branches->raise, merge);
        mark->becomes = (Endpoint){ node, n++ };
        mark->becomes_1 = (Endpoint){ node, n++ };
    }
    return NULL;
}

static Error *raise_branch(const Branches *branches, const Branch *branch)
{
    const Cut cut = { branches, branch };
    Region region;
    region_init(&region, branches->raise);
    region.route = route;
    region.route_control = route_control;
    region.data = &cut;
    for (int side = 0; side < REGION_SIDES; side++)
        TRY(cut_side(branches, branch, &region, side));
    TRY(region_end(&region));
    for (int side = 0; side < REGION_SIDES; side++)
        TRY(raise_inner(branches->raise, &region.graphs[side]));
    return make_if(branches, branch, &region);
}

Error *branches_raise(Raise *raise)
{
    Branches branches = { .raise = raise };
    branches.infos = arena_calloc(raise->graph->arena, raise->graph->n_order, sizeof(Info));
    branches.end = &branches.first;
    if (branches.infos == NULL)
        return error_out_of_memory();
    TRY(guard_all(&branches));
    for (const Branch *branch = branches.first; branch != NULL; branch = branch->next)
        TRY(error_prefix(raise_branch(&branches, branch), "branches of '%s'", branch->first->name));
    return NULL;
}
