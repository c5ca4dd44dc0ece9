/* SPDX-License-Identifier: Apache-2.0
 *
 * Fold: finds what has one value for ever.
 */
#ifndef DIGIT_GRAPH_FOLD_H
#define DIGIT_GRAPH_FOLD_H

#include "model/base/map.h"
#include "model/graph/graph.h"

/* Which variables may change while the version serves. Initialise to zero but `variables`, a Map
 * made by the caller. */
typedef struct Written {
    Map *variables; /* by name: those that some node writes */
    bool is_all;    /* a node writes a variable that is not known before it runs */
} Written;

/* Computes what depends on constants only, handles of variables included, and leaves alone what
 * would fail (it fails when it runs, if it runs) or is large. Ends with graph_order. */
Error *fold_constants(Graph *graph, ResourceManager *resources) _warn_unused_result_;

/* Adds the variables that the graph's nodes write. After fold_constants. */
Error *fold_collect_written(const Graph *graph, Written *written) _warn_unused_result_;

/* Adds the names of the variables and tables whose handles the graph has. After fold_constants. */
Error *fold_collect_reached(const Graph *graph, Map *names) _warn_unused_result_;

/* Turns reads of variables that are not `written` into constants that borrow the variable's memory,
 * and computes what depends on them. FAILED_PRECONDITION names a variable that has no value.
 * Ends with graph_order. */
Error *fold_variables(Graph *graph, ResourceManager *resources,
                      const Written *written) _warn_unused_result_;

#endif
