/* SPDX-License-Identifier: Apache-2.0
 *
 * Placeholder: a node that has no value but what is fed. One that a signature reaches and does not
 * feed is no error until it runs, as in TensorFlow: the bundle's other signatures work.
 */
#ifndef DIGIT_GRAPH_PLACEHOLDER_H
#define DIGIT_GRAPH_PLACEHOLDER_H

#include "model/op/op.h"

/* True for the rows of Placeholder and PlaceholderV2. */
bool placeholder_is(const Op *op);

/* The row of a placeholder that is not fed: its run says so. */
const Op *placeholder_op(void);

#endif
