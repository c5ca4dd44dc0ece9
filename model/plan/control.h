/* SPDX-License-Identifier: Apache-2.0
 *
 * Control: steps that run plans.
 */
#ifndef DIGIT_PLAN_CONTROL_H
#define DIGIT_PLAN_CONTROL_H

#include "model/plan/frame.h"

/* TensorFlow lets a While that never ends run for ever. Here it ends with the deadline of the
 * request, or, where there is none, after this time. */
#define LOOP_MAX_NS ((uint64_t)300 * 1000000000u)

/* Runs run->step, an If, Case or While, and gives its outputs to `context`. What the steps of the
 * inner plans say; INVALID_ARGUMENT for a condition that is none; DEADLINE_EXCEEDED;
 * CANCELLED; RESOURCE_EXHAUSTED. */
Error *control_run(Run *run, OpContext *context) _warn_unused_result_;

#endif
