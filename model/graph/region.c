/* SPDX-License-Identifier: Apache-2.0
 *
 * Region: copying, with a stack of copies whose edges are still to be followed. Which edges end
 * where is for the two users to say: loop.c and branch.c.
 */
#include "model/graph/region.h"

#include <string.h>

#include "model/graph/reference.h"

typedef struct RegionControl {
    Node *node;
    struct RegionControl *next;
} RegionControl;

/* A copy whose edges are still those of `from`. */
typedef struct Pending {
    const Node *from;
    Node *copy;
    struct Pending *next;
} Pending;

void region_init(Region *region, Raise *raise)
{
    *region = (Region){ .raise = raise, .id = ++raise->epoch };
    region->end = &region->captures;
    for (int i = 0; i < REGION_SIDES; i++)
        region->graphs[i].arena = raise->graph->arena;
}

void region_turn(Region *region, int side)
{
    region->side = side;
    region->side_id = ++region->raise->epoch;
}

/* ---- captures ------------------------------------------------------------------------------ */

static Error *add_capture(Region *region, Endpoint from, DType dtype, Capture **ret)
{
    if (region->n_captures == OP_MAX_ARGS)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "node '%s': control flow needs more than %d "
                         "values from outside",
                         from.node->name, OP_MAX_ARGS);
    Capture *capture = arena_calloc(region->raise->graph->arena, 1, sizeof *capture);
    if (capture == NULL)
        return error_out_of_memory();
    *capture = (Capture){ .from = from, .dtype = dtype, .number = region->n_captures++ };
    *region->end = capture;
    region->end = &capture->next;
    *ret = capture;
    return NULL;
}

Error *region_var(Region *region, Endpoint from, DType dtype, Capture **ret)
{
    return add_capture(region, from, dtype, ret);
}

static Error *get_capture(Region *region, Endpoint from, Capture **ret)
{
    RaiseMark *mark = raise_mark(region->raise, from.node);
    if (mark->region != region->id)
        mark->captures = NULL;
    mark->region = region->id;
    for (*ret = mark->captures; *ret != NULL; *ret = (*ret)->of_node)
        if ((*ret)->from.index == from.index)
            return NULL;
    TRY(add_capture(region, from, endpoint_dtype(from), ret));
    (*ret)->of_node = mark->captures;
    mark->captures = *ret;
    return NULL;
}

static Error *get_feed(Region *region, Capture *capture, int side, Node **ret)
{
    Node **feed = &capture->feeds[side];
    if (*feed == NULL) {
        TRY(graph_add(&region->graphs[side], capture->from.node->name, NULL,
                      capture->from.node->attrs, 0, 0, feed));
        (*feed)->feed = capture->number;
        (*feed)->n_outputs = 1;
        (*feed)->output_dtypes = &capture->dtype;
    }
    *ret = *feed;
    return NULL;
}

Error *region_end(Region *region)
{
    for (int side = 0; side < REGION_SIDES; side++) {
        Graph *graph = &region->graphs[side];
        graph->n_feeds = (size_t)region->n_captures;
        graph->feeds = arena_calloc(graph->arena, graph->n_feeds, sizeof(Node *));
        if (graph->feeds == NULL)
            return error_out_of_memory();
        for (Capture *capture = region->captures; capture != NULL; capture = capture->next)
            TRY(get_feed(region, capture, side, &graph->feeds[capture->number]));
    }
    return NULL;
}

/* ---- copies -------------------------------------------------------------------------------- */

static Error *check_copy(const Region *region, const Node *node)
{
    RaiseMark *mark = raise_mark(region->raise, node);
    if (*region->raise->budget == 0)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "node '%s' (%s): taking the control flow apart makes more than %zu nodes",
                         node->name, node->op->name, GRAPH_MAX_NODES);
    --*region->raise->budget;
    if (mark->is_copied && (node->op->flags & OP_WRITES) != 0)
        return error_new(ERROR_UNIMPLEMENTED,
                         "node '%s' (%s): it writes, and is needed by several parts of TF1's "
                         "control flow, which Digit runs one by one",
                         node->name, node->op->name);
    mark->is_copied = true;
    return NULL;
}

static Error *copy_node(Region *region, const Node *node, Pending **pending, Node **ret)
{
    RaiseMark *mark = raise_mark(region->raise, node);
    Graph *graph = &region->graphs[region->side];
    if (mark->side == region->side_id) {
        *ret = mark->copy;
        return NULL;
    }
    TRY(check_copy(region, node));
    bool is_constant = node->values != NULL; /* and waits for nothing */
    TRY(graph_add(graph, node->name, node->op, node->attrs, is_constant ? 0 : node->n_inputs,
                  is_constant ? 0 : node->n_controls, ret));
    (*ret)->n_outputs = node->n_outputs;
    (*ret)->output_dtypes = node->output_dtypes;
    (*ret)->values = node->values;
    mark->side = region->side_id;
    mark->copy = *ret;
    if (node->control != NULL)
        TRY(control_copy(graph->arena, node->control, region->raise->budget, &(*ret)->control));
    if (is_constant)
        return NULL;
    Pending *p = arena_calloc(graph->arena, 1, sizeof *p);
    if (p == NULL)
        return error_out_of_memory();
    *p = (Pending){ node, *ret, *pending };
    *pending = p;
    return NULL;
}

static Error *copy_edge(Region *region, Endpoint from, Pending **pending, Endpoint *ret)
{
    Route route = ROUTE_COPY;
    Capture *capture = NULL;
    TRY(region->route(region, &from, &route, &capture));
    ret->index = from.index;
    if (route == ROUTE_COPY)
        return copy_node(region, from.node, pending, &ret->node);
    if (route == ROUTE_CAPTURE)
        TRY(get_capture(region, from, &capture));
    ret->index = 0;
    return get_feed(region, capture, region->side, &ret->node);
}

Error *region_add_control(Region *region, Node *node)
{
    RaiseMark *mark = raise_mark(region->raise, node);
    if (mark->is_control == region->id || node->values != NULL || node->op == NULL)
        return NULL;
    mark->is_control = region->id;
    RegionControl *control = arena_calloc(region->raise->graph->arena, 1, sizeof *control);
    if (control == NULL)
        return error_out_of_memory();
    *control = (RegionControl){ node, region->controls };
    region->controls = control;
    region->n_controls++;
    return NULL;
}

static Error *connect(Region *region, const Pending *p, Pending **pending)
{
    Node *copy = p->copy;
    for (int i = 0; i < copy->n_inputs; i++)
        TRY(copy_edge(region, p->from->inputs[i], pending, &copy->inputs[i]));
    copy->n_controls = 0;
    for (int i = 0; i < p->from->n_controls; i++) {
        Node *control = p->from->controls[i];
        Route route = region->route_control(region, control);
        if (route == ROUTE_CAPTURE)
            TRY(region_add_control(region, control));
        if (route == ROUTE_COPY)
            TRY(copy_node(region, control, pending, &copy->controls[copy->n_controls++]));
    }
    return NULL;
}

Error *region_copy(Region *region, Endpoint from, Endpoint *ret)
{
    Pending *pending = NULL;
    TRY(copy_edge(region, from, &pending, ret));
    while (pending != NULL) {
        const Pending *p = pending;
        pending = p->next;
        TRY(connect(region, p, &pending));
    }
    return NULL;
}

/* ---- the node ------------------------------------------------------------------------------ */

static Error *make_attrs(const Region *region, bool is_if, int n_outputs, const DType *out,
                         const Attrs **ret)
{
    static const DType bool_type = DT_BOOL;
    Arena *arena = region->raise->graph->arena;
    Attr *items = arena_calloc(arena, 3, sizeof *items);
    Attrs *attrs = arena_calloc(arena, 1, sizeof *attrs);
    DType *in = arena_calloc(arena, (size_t)region->n_captures, sizeof *in);
    if (items == NULL || attrs == NULL || in == NULL)
        return error_out_of_memory();
    for (const Capture *c = region->captures; c != NULL; c = c->next)
        in[c->number] = c->dtype;
    items[0] = (Attr){ .name = is_if ? "Tin" : "T",
                       .kind = ATTR_TYPES,
                       .n = (size_t)region->n_captures,
                       .types = in };
    items[1] = (Attr){ .name = "Tout", .kind = ATTR_TYPES, .n = (size_t)n_outputs, .types = out };
    items[2] = (Attr){ .name = "Tcond", .kind = ATTR_TYPE, .n = 1, .types = &bool_type };
    *attrs = (Attrs){ items, is_if ? 3 : 1 };
    *ret = attrs;
    return NULL;
}

static Error *note_made(Raise *raise, Node *node)
{
    if (raise->n_made == raise->made_capacity) {
        size_t capacity = raise->made_capacity == 0 ? 16 : raise->made_capacity * 2;
        Node **made = arena_calloc(raise->graph->arena, capacity, sizeof *made);
        if (made == NULL)
            return error_out_of_memory();
        if (raise->n_made > 0)
            memcpy(made, raise->made, raise->n_made * sizeof *made);
        raise->made = made;
        raise->made_capacity = capacity;
    }
    raise->made[raise->n_made++] = node;
    return NULL;
}

Error *region_make_node(Region *region, const char *op, const char *name, Endpoint predicate,
                        int n_outputs, const DType *dtypes, Node **ret)
{
    const Attrs *attrs = NULL;
    int n = 0;
    bool is_if = predicate.node != NULL;
    TRY(make_attrs(region, is_if, n_outputs, dtypes, &attrs));
    TRY(graph_add(region->raise->graph, name, op_find(op), attrs, region->n_captures + is_if,
                  region->n_controls, ret));
    if (is_if)
        (*ret)->inputs[n++] = predicate;
    for (const Capture *c = region->captures; c != NULL; c = c->next)
        (*ret)->inputs[n++] = c->from;
    n = 0;
    for (const RegionControl *c = region->controls; c != NULL; c = c->next)
        (*ret)->controls[n++] = c->node;
    (*ret)->n_outputs = n_outputs;
    (*ret)->output_dtypes = dtypes;
    return note_made(region->raise, *ret);
}
