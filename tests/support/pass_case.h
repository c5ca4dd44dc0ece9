/* SPDX-License-Identifier: Apache-2.0
 *
 * PassCase: a small graph before and after the compiler's passes: what is left of it, and that the
 * answer stays what it gives when it runs node by node (compile_once: nothing folded, nothing
 * rewritten). Runs are repeated, because memory is shared from the second one on (plan/frame.h).
 */
#ifndef DIGIT_TESTS_SUPPORT_PASS_CASE_H
#define DIGIT_TESTS_SUPPORT_PASS_CASE_H

#include "model/tensor/tensor.h"

typedef struct PassCase {
    const char *what, *text; /* graph_text.h */
    const char *feed, *outputs;
    int n_steps; /* of the plan */
    const char *op;
    int n_op;      /* of those, with this op */
    const char *x; /* shape of what is fed, "2,5,3"; NULL: the default of the run */
} PassCase;

typedef struct PassCases {
    const PassCase *cases;
    size_t n;
    const char *x; /* where a case has none of its own */
} PassCases;

/* Runs each case as a test; the result is main's. A case whose graph fails must fail with the same
 * text when it has been compiled. */
int pass_cases_run(const PassCases *cases);

#endif
