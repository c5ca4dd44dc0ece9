/* SPDX-License-Identifier: Apache-2.0
 *
 * Gamma: what special.c and gamma.c share.
 */
#ifndef DIGIT_OP_GAMMA_H
#define DIGIT_OP_GAMMA_H

/* psi(x), the derivative of log gamma. NaN at the poles. */
double digamma(double x);

#endif
