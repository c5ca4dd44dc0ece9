/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops. A frame is found by its edges, not by its name, which two calls of one function share: all
 * nodes that hang together when edges into Enters and out of Exits are cut.
 *
 *     outside -> Enter -> Merge -> [condition] -> LoopCond      Merge i, Switch i: variable i
 *                           |                        |
 *                           +------------------> Switch -> Exit -> outside
 *                           |                        |
 *                    NextIteration <--- [body] <-----+
 *
 * An Enter without a Merge brings in what the loop does not change.
 */
#include "model/graph/loop.h"

#include <string.h>

#include "model/graph/reference.h"

/* A frame, by the position of the node that stands for it in the union. */
typedef struct Loop {
    Node *first, **end; /* its nodes, linked by Loops.next */
    Node *enter, *loop_cond;
    bool has_inner;
} Loop;

typedef struct Loops {
    Raise *raise;
    size_t *parents; /* union-find, by position */
    Loop *loops;
    Node **next;    /* of the same frame */
    Capture **vars; /* of a Merge or Switch that holds a variable; NULL: none */
    const Loop *current;
} Loops;

static RaiseKind kind_of(const Loops *loops, const Node *node)
{
    return raise_mark(loops->raise, node)->kind;
}

static size_t find_root(const Loops *loops, size_t position)
{
    while (loops->parents[position] != position) {
        loops->parents[position] = loops->parents[loops->parents[position]];
        position = loops->parents[position];
    }
    return position;
}

static Loop *find_loop(const Loops *loops, const Node *node)
{
    return &loops->loops[find_root(loops, node->position)];
}

/* What needs nothing is in no frame: it is there before all loops. */
static bool is_source(const Node *node)
{
    return node->n_inputs == 0 && node->n_controls == 0;
}

/* ---- frames -------------------------------------------------------------------------------- */

static void unite(const Loops *loops, const Node *from, const Node *to)
{
    if (kind_of(loops, from) != RAISE_EXIT && !is_source(from))
        loops->parents[find_root(loops, from->position)] = find_root(loops, to->position);
}

static void unite_all(const Loops *loops)
{
    const Graph *graph = loops->raise->graph;
    for (size_t i = 0; i < graph->n_order; i++)
        loops->parents[i] = i;
    for (size_t i = 0; i < graph->n_order; i++) {
        const Node *node = graph->order[i];
        for (int k = 0; kind_of(loops, node) != RAISE_ENTER && k < node->n_inputs; k++)
            unite(loops, node->inputs[k].node, node);
        for (int k = 0; kind_of(loops, node) != RAISE_ENTER && k < node->n_controls; k++)
            unite(loops, node->controls[k], node);
    }
}

static bool has_exit_before(const Loops *loops, const Node *node)
{
    if (kind_of(loops, node) == RAISE_ENTER)
        return false;
    for (int i = 0; i < node->n_inputs; i++)
        if (kind_of(loops, node->inputs[i].node) == RAISE_EXIT)
            return true;
    for (int i = 0; i < node->n_controls; i++)
        if (kind_of(loops, node->controls[i]) == RAISE_EXIT)
            return true;
    return false;
}

static Error *check_name(const Node *a, const Node *b)
{
    const char *a_name = NULL, *b_name = NULL;
    TRY(attrs_text(a->attrs, "frame_name", &a_name));
    TRY(attrs_text(b->attrs, "frame_name", &b_name));
    if (strcmp(a_name, b_name) != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "node '%s' (%s) is in frame '%s' and hangs together with '%s', which is "
                         "in frame '%s'",
                         b->name, b->op->name, b_name, a->name, a_name);
    return NULL;
}

static Error *collect(const Loops *loops)
{
    const Graph *graph = loops->raise->graph;
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        Loop *loop = find_loop(loops, node);
        RaiseKind kind = kind_of(loops, node);
        *(loop->end != NULL ? loop->end : &loop->first) = node;
        loop->end = &loops->next[i];
        loop->has_inner |= has_exit_before(loops, node);
        if (kind == RAISE_ENTER && loop->enter != NULL)
            TRY(check_name(loop->enter, node));
        if (kind == RAISE_ENTER)
            loop->enter = node;
        if (kind == RAISE_LOOP_COND && loop->loop_cond != NULL)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "node '%s' (LoopCond) is not the only one of its frame: '%s' is too",
                             node->name, loop->loop_cond->name);
        if (kind == RAISE_LOOP_COND)
            loop->loop_cond = node;
    }
    return NULL;
}

/* ---- variables ----------------------------------------------------------------------------- */

static Error *malformed(const Node *node, const char *what)
{
    return error_new(ERROR_INVALID_ARGUMENT,
                     "node '%s' (%s): %s: not as tf.while_loop builds loops", node->name,
                     node->op->name, what);
}

/* The input of a loop's Merge that is of that kind; NULL when there is none. */
static const Node *find_input(const Loops *loops, const Node *merge, RaiseKind kind)
{
    for (int i = 0; i < merge->n_inputs; i++)
        if (kind_of(loops, merge->inputs[i].node) == kind)
            return merge->inputs[i].node;
    return NULL;
}

static Error *find_vars(const Loops *loops, const Loop *loop, Region *region, Endpoint *nexts)
{
    for (const Node *node = loop->first; node != NULL; node = loops->next[node->position]) {
        if (kind_of(loops, node) != RAISE_MERGE)
            continue;
        const Node *next = find_input(loops, node, RAISE_NEXT);
        const Node *enter = find_input(loops, node, RAISE_ENTER);
        if (next == NULL && enter == NULL)
            continue; /* of a conditional */
        if (next == NULL || enter == NULL || node->n_inputs != 2)
            return malformed(node, "it must have one Enter and one NextIteration as its inputs");
        nexts[region->n_captures] = next->inputs[0];
        TRY(region_var(region, enter->inputs[0], node->output_dtypes[0],
                       &loops->vars[node->position]));
    }
    for (const Node *node = loop->first; node != NULL; node = loops->next[node->position])
        if (kind_of(loops, node) == RAISE_SWITCH && node->inputs[1].node == loop->loop_cond) {
            loops->vars[node->position] = loops->vars[node->inputs[0].node->position];
            if (loops->vars[node->position] == NULL || node->inputs[0].index != 0)
                return malformed(node, "its data must be a Merge of the loop");
        }
    return NULL;
}

/* ---- edges --------------------------------------------------------------------------------- */

static bool is_inside(const Loops *loops, const Node *node)
{
    return !is_source(node) && find_loop(loops, node) == loops->current;
}

static Route route_outside(const Endpoint *endpoint)
{
    const Node *node = endpoint->node;
    bool is_copied = node->op != NULL && (node->values != NULL || reference_is_variable(node->op));
    return is_copied && is_source(node) ? ROUTE_COPY : ROUTE_CAPTURE;
}

/* The data edges of condition and body. */
static Error *route(Region *region, Endpoint *endpoint, Route *ret, Capture **ret_var)
{
    const Loops *loops = region->data;
    if (kind_of(loops, endpoint->node) == RAISE_LOOP_COND && is_inside(loops, endpoint->node))
        *endpoint = endpoint->node->inputs[0];
    const Node *node = endpoint->node;
    *ret = ROUTE_COPY;
    if (!is_inside(loops, node)) {
        *ret = route_outside(endpoint);
        return NULL;
    }
    *ret_var = loops->vars[node->position];
    switch (kind_of(loops, node)) {
    case RAISE_ENTER:
        *endpoint = node->inputs[0];
        *ret = route_outside(endpoint);
        return NULL;
    case RAISE_MERGE:
    case RAISE_SWITCH:
        if (*ret_var == NULL)
            return NULL;
        *ret = ROUTE_VAR;
        if (kind_of(loops, node) == RAISE_MERGE && endpoint->index == 1)
            return malformed(node, "nothing may need its value_index");
        if (kind_of(loops, node) == RAISE_SWITCH &&
            (endpoint->index == 0 || region->side == WHILE_COND))
            return malformed(node, "its output 0 is for an Exit, 1 is for the body");
        return NULL;
    case RAISE_NEXT:
    case RAISE_EXIT:
    case RAISE_LOOP_COND:
        return malformed(node, "only a Merge or what is outside may need it");
    case RAISE_NONE:
        break;
    }
    return NULL;
}

static Route route_control(const Region *region, const Node *node)
{
    const Loops *loops = region->data;
    RaiseKind kind = kind_of(loops, node);
    if (!is_inside(loops, node))
        return ROUTE_CAPTURE;
    if (kind == RAISE_NONE ||
        ((kind == RAISE_SWITCH || kind == RAISE_MERGE) && loops->vars[node->position] == NULL))
        return ROUTE_COPY;
    return ROUTE_DROP; /* there when the iteration starts */
}

/* ---- the While ----------------------------------------------------------------------------- */

static Error *cut(const Loop *loop, Region *region, const Endpoint *nexts, int n_vars)
{
    Graph *cond = &region->graphs[WHILE_COND], *body = &region->graphs[WHILE_BODY];
    Arena *arena = cond->arena;
    Endpoint *next = arena_calloc(arena, (size_t)n_vars, sizeof *next);
    cond->n_outputs = 1;
    cond->outputs = arena_calloc(arena, 1, sizeof(Endpoint));
    if (next == NULL || cond->outputs == NULL)
        return error_out_of_memory();
    region_turn(region, WHILE_COND);
    TRY(region_copy(region, loop->loop_cond->inputs[0], &cond->outputs[0]));
    region_turn(region, WHILE_BODY);
    for (int i = 0; i < n_vars; i++)
        TRY(region_copy(region, nexts[i], &next[i]));
    TRY(region_end(region));
    body->n_outputs = body->n_feeds;
    body->outputs = arena_calloc(arena, body->n_outputs, sizeof(Endpoint));
    if (body->outputs == NULL)
        return error_out_of_memory();
    for (int i = 0; i < region->n_captures; i++)
        body->outputs[i] = i < n_vars ? next[i] : (Endpoint){ body->feeds[i], 0 };
    TRY(raise_inner(region->raise, cond));
    return raise_inner(region->raise, body);
}

static Error *make_while(const Loops *loops, const Loop *loop, Region *region, Node **ret)
{
    Arena *arena = region->raise->graph->arena;
    DType *dtypes = arena_calloc(arena, (size_t)region->n_captures, sizeof *dtypes);
    if (dtypes == NULL)
        return error_out_of_memory();
    for (const Capture *c = region->captures; c != NULL; c = c->next)
        dtypes[c->number] = c->dtype;
    TRY(region_make_node(region, "While", loop->loop_cond->name, (Endpoint){ 0 },
                         region->n_captures, dtypes, ret));
    TRY(control_attach(arena, CONTROL_WHILE, region->graphs, *ret));
    for (const Node *node = loop->first; node != NULL; node = loops->next[node->position]) {
        if (kind_of(loops, node) != RAISE_EXIT)
            continue;
        Endpoint from = node->inputs[0];
        const Capture *var = loops->vars[from.node->position];
        if (kind_of(loops, from.node) != RAISE_SWITCH || var == NULL || from.index != 0)
            return malformed(node, "its input must be output 0 of a Switch of the loop");
        raise_mark(loops->raise, node)->becomes = (Endpoint){ *ret, var->number };
    }
    return NULL;
}

/* What a loop does not change enters it on its way to a loop within, where only Enters of that one
 * need it: such nodes do not hang together with the rest of the frame. They may as well be outside. */
static Error *dissolve(const Loops *loops, const Loop *loop)
{
    for (const Node *node = loop->first; node != NULL; node = loops->next[node->position]) {
        RaiseKind kind = kind_of(loops, node);
        if (kind == RAISE_EXIT || kind == RAISE_NEXT)
            return malformed(node, "its frame has no LoopCond");
        if (kind == RAISE_ENTER)
            raise_mark(loops->raise, node)->becomes = node->inputs[0];
    }
    return NULL;
}

static Error *raise_loop(Loops *loops, const Loop *loop)
{
    Region region;
    size_t n = 0;
    if (loop->loop_cond == NULL)
        return dissolve(loops, loop);
    for (const Node *node = loop->first; node != NULL; node = loops->next[node->position])
        n += kind_of(loops, node) == RAISE_MERGE;
    Endpoint *nexts = arena_calloc(loops->raise->graph->arena, n, sizeof *nexts);
    if (nexts == NULL)
        return error_out_of_memory();
    region_init(&region, loops->raise);
    region.route = route;
    region.route_control = route_control;
    region.data = loops;
    loops->current = loop;
    TRY(find_vars(loops, loop, &region, nexts));
    TRY(error_prefix(cut(loop, &region, nexts, region.n_captures), "loop '%s'",
                     loop->loop_cond->name));
    Node *node = NULL;
    return make_while(loops, loop, &region, &node);
}

/* What the graph wants must not be in a loop: it has a value for each iteration there. */
static Error *check_wanted(const Loops *loops, const Node *node)
{
    const Loop *loop = find_loop(loops, node);
    if (loop->loop_cond == NULL || kind_of(loops, node) == RAISE_EXIT)
        return NULL;
    return malformed(node, "it is in a loop and no Exit leads out of it");
}

static Error *check_all_wanted(const Loops *loops)
{
    const Graph *graph = loops->raise->graph;
    for (size_t i = 0; i < graph->n_outputs; i++)
        TRY(check_wanted(loops, graph->outputs[i].node));
    for (size_t i = 0; i < graph->n_targets; i++)
        TRY(check_wanted(loops, graph->targets[i]));
    return NULL;
}

Error *loops_raise(Raise *raise)
{
    size_t n = raise->graph->n_order, n_raised = 0;
    Arena *arena = raise->graph->arena;
    Loops loops = { .raise = raise,
                    .parents = arena_calloc(arena, n, sizeof(size_t)),
                    .loops = arena_calloc(arena, n, sizeof(Loop)),
                    .next = arena_calloc(arena, n, sizeof(Node *)),
                    .vars = arena_calloc(arena, n, sizeof(Capture *)) };
    const Node *enter = NULL;
    if (loops.parents == NULL || loops.loops == NULL || loops.next == NULL || loops.vars == NULL)
        return error_out_of_memory();
    unite_all(&loops);
    TRY(collect(&loops));
    TRY(check_all_wanted(&loops));
    for (size_t i = 0; i < n; i++) {
        if (loops.loops[i].enter == NULL)
            continue;
        enter = loops.loops[i].enter;
        if (loops.loops[i].has_inner)
            continue;
        TRY(raise_loop(&loops, &loops.loops[i]));
        n_raised++;
    }
    return n_raised > 0 ? NULL : malformed(enter, "the frames that begin with it have no inside");
}
