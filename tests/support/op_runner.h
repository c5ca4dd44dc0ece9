/* SPDX-License-Identifier: Apache-2.0
 *
 * OpRunner: the host of one op, for tests and benches: attributes and inputs in, outputs out.
 *
 * Outputs and scratch are allocations of exactly the size asked for, filled with 0xA5, so that the
 * address sanitizer sees a kernel that writes past them, and comparisons one that leaves a hole.
 */
#ifndef DIGIT_TESTS_SUPPORT_OP_RUNNER_H
#define DIGIT_TESTS_SUPPORT_OP_RUNNER_H

#include "model/op/op.h"

typedef struct OpRunner OpRunner;

typedef struct OpRunnerOptions {
    const char *op;
    const char *node_name; /* NULL: "node" */
    const Attrs *attrs;
    const Tensor *inputs; /* [n_inputs]; borrowed while the runner lives */
    int n_inputs;
    bool constant_inputs;       /* prepare sees their values */
    bool reuse;                 /* outputs that ask for it get a copy of the input's memory */
    Workers *workers;           /* may be NULL */
    ResourceManager *resources; /* may be NULL */
} OpRunnerOptions;

/* Finds the op, checks the inputs' types as the compiler does, and prepares it. UNIMPLEMENTED when
 * there is no such op; else what the op says. Borrows all of `options`. */
Error *op_runner_new(const OpRunnerOptions *options, OpRunner **ret_runner) _warn_unused_result_;

/* Runs once. Outputs of an earlier run are gone. */
Error *op_runner_run(OpRunner *runner) _warn_unused_result_;

/* The outputs of the last run; valid until the next one. */
const Tensor *op_runner_outputs(const OpRunner *runner, int *ret_n);

/* Takes NULL; returns NULL. */
OpRunner *op_runner_free(OpRunner *runner);

static inline void op_runner_freep(OpRunner **runner)
{
    op_runner_free(*runner);
}

/* The sum of all bytes of all outputs of the last run: a sanitizer sees what was not written, or
 * points nowhere. */
unsigned op_runner_sum_outputs(const OpRunner *runner);

#endif
