/* SPDX-License-Identifier: Apache-2.0
 *
 * Region: a part of a graph that becomes the graphs of one node of control flow: the two branches
 * of an If, or a While's condition and body. What they need is copied into them; what comes from
 * outside is captured: it becomes an input of the node and a feed of both graphs.
 *
 *     vars       captures 0..n_vars of a loop: a feed each, though two of them may start alike
 *     captures   all others: one for each value of the graph around the region
 */
#ifndef DIGIT_GRAPH_REGION_H
#define DIGIT_GRAPH_REGION_H

#include "model/graph/control.h"
#include "model/graph/graph.h"
#include "model/graph/raise.h"

#define REGION_SIDES 2

typedef enum RaiseKind {
    RAISE_NONE,
    RAISE_SWITCH,
    RAISE_MERGE,
    RAISE_ENTER,
    RAISE_EXIT,
    RAISE_NEXT,
    RAISE_LOOP_COND,
} RaiseKind;

typedef struct Capture {
    Endpoint from; /* in the graph around */
    DType dtype;
    Node *feeds[REGION_SIDES]; /* NULL: that side did not need it so far */
    int number;
    struct Capture *next;    /* of the region */
    struct Capture *of_node; /* next of the same node */
} Capture;

/* What is known of a node of the graph that is being raised; by Node.position. */
typedef struct RaiseMark {
    RaiseKind kind;
    uint32_t region, side; /* for which the fields below are valid */
    Capture *captures;     /* of the region */
    Node *copy;            /* on the side */
    uint32_t is_control;   /* region that runs after it */
    bool is_copied;        /* at least once */
    Endpoint becomes;      /* what takes the place of its output 0; node NULL: nothing does */
    Endpoint becomes_1;    /* of its output 1 */
} RaiseMark;

/* One pass over one graph. */
struct Raise {
    Graph *graph;
    RaiseMark *marks; /* [graph->n_order] */
    size_t *budget;   /* nodes that may still be copied, for this graph and those within it */
    int depth;        /* graphs around this one that are being raised too */
    uint32_t epoch;
    Node **made; /* [n_made]: nodes that took the place of others */
    size_t n_made, made_capacity;
};

static inline RaiseMark *raise_mark(const Raise *raise, const Node *node)
{
    return &raise->marks[node->position];
}

/* Where an edge of a region comes from. */
typedef enum Route {
    ROUTE_COPY,    /* from *endpoint, whose node is copied too */
    ROUTE_CAPTURE, /* from *endpoint, which is outside */
    ROUTE_VAR,     /* from capture *ret_var */
    ROUTE_DROP,    /* of a control edge: orders nothing */
} Route;

typedef struct Region Region;
struct Region {
    Raise *raise;
    uint32_t id, side_id;
    int side;
    Graph graphs[REGION_SIDES];
    Capture *captures, **end;
    int n_captures;
    struct RegionControl *controls; /* what the node waits for */
    int n_controls;
    /* Follows a data edge of the region: may set *endpoint to where the value really is. */
    Error *(*route)(Region *region, Endpoint *endpoint, Route *ret, Capture **ret_var);
    /* The same for "after that node". */
    Route (*route_control)(const Region *region, const Node *node);
    const void *data; /* of those two */
};

void region_init(Region *region, Raise *raise);

/* From here on what is copied goes to graph `side`. */
void region_turn(Region *region, int side);

/* A variable of a loop; to be called before all else. Lent. */
Error *region_var(Region *region, Endpoint from, DType dtype, Capture **ret) _warn_unused_result_;

/* Copies what `from` needs, and gives what it is there. RESOURCE_EXHAUSTED when copies of copies
 * become too many; INVALID_ARGUMENT when something that writes would run twice. */
Error *region_copy(Region *region, Endpoint from, Endpoint *ret) _warn_unused_result_;

/* The node of control flow waits for `node`. */
Error *region_add_control(Region *region, Node *node) _warn_unused_result_;

/* Makes what is missing of the feeds, so that each graph has one for each capture. */
Error *region_end(Region *region) _warn_unused_result_;

/* The node of kind `op` ("If" or "While") in the graph around: with the captures as inputs behind
 * `predicate` (node NULL: none), and outputs of the given types. Its Control is to be set. */
Error *region_make_node(Region *region, const char *op, const char *name, Endpoint predicate,
                        int n_outputs, const DType *dtypes, Node **ret) _warn_unused_result_;

#endif
