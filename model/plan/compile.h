/* SPDX-License-Identifier: Apache-2.0
 *
 * Compile: from what a bundle says to plans.
 */
#ifndef DIGIT_PLAN_COMPILE_H
#define DIGIT_PLAN_COMPILE_H

#include "model/graph/import.h"
#include "model/plan/plan.h"

typedef struct Compiler {
    Library *library;
    ResourceManager *resources;
    Store *store;     /* for what the plans need */
    Workers *workers; /* may be NULL */
    Arena *arena;     /* for graphs; not needed afterwards */
    bool as_written;  /* no folding, simplifying, fusing */
} Compiler;

/* What is to be run, and its name for errors. */
typedef struct CompileRequest {
    const char *name; /* of the signature */
    GraphRequest graph;
} CompileRequest;

/* What the signatures reach, imported, calls inlined: ret_graphs[0..n), in the compiler's arena. No
 * variable needs a value yet. Equal requests have one graph: the others' are empty.
 *
 * Errors name the signature: those of graph_import. */
Error *compile_import(const Compiler *compiler, size_t n, const CompileRequest *requests,
                      Graph **ret_graphs) _warn_unused_result_;

/* Compiles all signatures of a version together, since what one of them writes is no constant for
 * the others. Equal requests share a plan. `graphs` are those of compile_import; variables have
 * their first values by now. Frees what the variables held that no plan needs, and seals the store.
 *
 * Errors name the signature: those of kernels' attributes, FAILED_PRECONDITION for a variable
 * without a value. plans[0..n) are NULL or to be retired, also on failure. */
Error *compile_signatures(const Compiler *compiler, size_t n, const CompileRequest *requests,
                          Graph *graphs, Plan **plans) _warn_unused_result_;

/* The plan of a graph that runs once, at load: as it is. */
Error *compile_once(const Compiler *compiler, Graph *graph, Plan **ret_plan) _warn_unused_result_;

#endif
