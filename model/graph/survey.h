/* SPDX-License-Identifier: Apache-2.0
 *
 * Survey: which ops signatures reach, known to Digit or not. Import stops at the first that is not;
 * who wants to know all of them asks here.
 */
#ifndef DIGIT_GRAPH_SURVEY_H
#define DIGIT_GRAPH_SURVEY_H

#include "model/graph/import.h"

typedef struct SurveyOp {
    const char *name;
    const char *node; /* the first one met, "call/node" in functions */
    size_t n_nodes;   /* of all signatures together, each once; calls count anew */
    bool is_supported;
} SurveyOp;

/* Walks as graph_import does from the outputs and targets of requests[0..n), and gives the ops of
 * the nodes that it meets, sorted by name, in `arena`. What it calls is not counted but walked. All
 * is borrowed as there. Errors: those of graph_import about names and functions. */
Error *survey(Library *library, Arena *arena, size_t n, const GraphRequest *requests,
              SurveyOp **ret_ops, size_t *ret_n) _warn_unused_result_;

#endif
