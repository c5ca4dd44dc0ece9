/* SPDX-License-Identifier: Apache-2.0
 *
 * Import: the part of a GraphDef that a signature needs, as a Graph.
 */
#ifndef DIGIT_GRAPH_IMPORT_H
#define DIGIT_GRAPH_IMPORT_H

#include "model/graph/graph.h"
#include "model/graph/library.h"
#include "model/graph/scope.h"

typedef struct GraphFeed {
    const char *tensor_name; /* "node:0" of the main graph, any tensor */
    DType dtype;             /* where the graph itself does not tell */
} GraphFeed;

typedef struct GraphRequest {
    const GraphFeed *feeds;
    size_t n_feeds;
    const char *const *outputs; /* names of tensors */
    size_t n_outputs;
    const char *const *targets; /* names of nodes that are to run */
    size_t n_targets;
} GraphRequest;

/* Walks back from the outputs and targets, inlining calls of functions on the way, and makes a
 * Graph in `arena` of what it meets; the walk stops at feeds. `request` and the library's GraphDef
 * are borrowed, and must live as long as the graph. What the walk does not meet is not judged.
 *
 * NOT_FOUND for a feed or an output that is not in the graph; UNIMPLEMENTED for an op that Digit
 * does not have; INVALID_ARGUMENT for all that is wrong: inputs that are not there, too many, too
 * few, of another type; attributes; recursive functions; cycles. All name the node. */
Error *graph_import(Library *library, Arena *arena, const GraphRequest *request,
                    Graph *ret_graph) _warn_unused_result_;

/* A function that a node runs by itself: a branch of an If, a condition or body of a While. */
typedef struct FunctionRequest {
    Library *library;
    const Site *site;                  /* the node's */
    const Tensorflow__NameAttrList *f; /* the function */
    const DType *input_dtypes;         /* [n_inputs] of its arguments */
    int n_inputs;
} FunctionRequest;

/* The body of the function as a graph whose feeds are the function's arguments and whose outputs
 * are what it returns. What the function must run (control_ret) is a target. Errors as above, and
 * INVALID_ARGUMENT for a function that runs itself. */
Error *graph_import_function(const FunctionRequest *request, Arena *arena,
                             Graph *ret_graph) _warn_unused_result_;

#endif
