/* SPDX-License-Identifier: Apache-2.0
 *
 * Control: the graphs that a node of control flow runs: If and Case one of several, While a
 * condition and a body.
 *
 *     If, StatelessIf      input 0: predicate   graphs: then, else   their feeds: inputs 1...
 *     Case, StatelessCase  input 0: number      graphs: branches     their feeds: inputs 1...
 *     While, StatelessWhile                     graphs: cond, body   their feeds: all inputs
 *
 * Each node has graphs of its own, made from the functions that it names, so that a pass may do to
 * them whatever holds at that node: a loop over constant weights has them as constants.
 */
#ifndef DIGIT_GRAPH_CONTROL_H
#define DIGIT_GRAPH_CONTROL_H

#include "model/graph/graph.h"
#include "model/graph/scope.h"

typedef enum ControlKind { CONTROL_IF, CONTROL_CASE, CONTROL_WHILE } ControlKind;

enum { WHILE_COND, WHILE_BODY }; /* graphs of a While */

struct Control {
    ControlKind kind;
    int n_graphs;
    Graph *graphs;            /* [n_graphs] */
    const bool *is_invariant; /* of a While, [n_outputs]: the body gives its argument i back as it
                               * is, so that output i is input i; else NULL */
};

/* True for the rows above. */
bool control_is(const Op *op);

/* Sets node->control: imports the functions that `site` names. The node has its attributes and
 * output types by now, its inputs need not be connected. Errors of graph_import_function, and
 * INVALID_ARGUMENT when the functions' types are not the node's. */
Error *control_import(Library *library, Arena *arena, const Site *site,
                      Node *node) _warn_unused_result_;

/* Makes `node` one of that kind, with the graphs, which are in order, and which it takes. The node
 * has its output types by now. INVALID_ARGUMENT when the graphs' are others. */
Error *control_attach(Arena *arena, ControlKind kind, const Graph graphs[2],
                      Node *node) _warn_unused_result_;

/* A copy with graphs of its own. Takes from *budget one for each node, and is RESOURCE_EXHAUSTED
 * when there are not so many. */
Error *control_copy(Arena *arena, const Control *control, size_t *budget,
                    Control **ret_copy) _warn_unused_result_;

/* Lets the users of what a While does not change take what the While was given. The graph stays in
 * order. */
Error *control_skip_invariants(Graph *graph) _warn_unused_result_;

/* Marks the node as its graphs are: stateful, with effects. For graph_order. */
void control_mark_state(Node *node);

/* Makes those feeds of the node's graphs constant whose inputs are, and stay so in a loop. */
void control_push_constants(Node *node);

/* True when that was done with input i: running the node needs it no more. */
bool control_is_pushed(const Node *node, int i);

/* The graph that an If or Case with a constant predicate runs; -1 when that is not known. */
int control_chosen(const Node *node);

/* Puts the nodes of graphs[chosen] into `graph` in the place of the node, which becomes an
 * IdentityN. Not done, and false, when they have state: then their order counts. To be followed by
 * graph_order. */
bool control_inline(Graph *graph, Node *node, int chosen);

/* Whether a condition holds, as TensorFlow sees it: a number that is not zero, a string or a tensor
 * of rank > 0 that is not empty. INVALID_ARGUMENT for other types. */
Error *control_truth(const Tensor *condition, bool *ret_truth) _warn_unused_result_;

/* The branch that a Case takes: the last one for all numbers that no branch has. INVALID_ARGUMENT
 * when `index` is no scalar. */
Error *control_case(const Tensor *index, int n_branches, int *ret_branch) _warn_unused_result_;

#endif
