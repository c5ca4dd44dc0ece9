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
    ResourceManager *resources; /* variables have their first values by now */
    Store *store;               /* for what the plans need */
    Workers *workers;           /* may be NULL */
    Arena *arena;               /* for graphs; not needed afterwards */
    bool as_written;            /* no folding, simplifying, fusing */
} Compiler;

/* What is to be run, and its name for errors. */
typedef struct CompileRequest {
    const char *name; /* of the signature */
    GraphRequest graph;
} CompileRequest;

/* Compiles all signatures of a version together, since what one of them writes is no constant for
 * the others. Equal requests share a plan. Frees what the variables held that no plan needs, and
 * seals the store.
 *
 * Errors name the signature: those of graph_import, of kernels' attributes, FAILED_PRECONDITION for
 * a variable without a value. plans[0..n) are NULL or to be retired, also on failure. */
Error *compile_signatures(const Compiler *compiler, size_t n, const CompileRequest *requests,
                          Plan **plans) _warn_unused_result_;

/* The plan of a graph that runs once, at load: as it was written, without folding. */
Error *compile_once(const Compiler *compiler, const GraphRequest *request,
                    Plan **ret_plan) _warn_unused_result_;

#endif
