/* SPDX-License-Identifier: Apache-2.0
 *
 * Flops: the arithmetic that a step cannot do without, for tools that look at plans.
 */
#ifndef DIGIT_PLAN_FLOPS_H
#define DIGIT_PLAN_FLOPS_H

#include "model/plan/plan.h"

/* Multiplications and additions of one execution of `step`, for convolutions (products that lie in
 * the image only) and matrix products; 0 for all other ops, and for operands that do not fit. Looks
 * at shapes and not at data, so inputs may be gone. */
double step_flops(const Step *step, const Tensor *const *inputs, const Tensor *outputs);

#endif
