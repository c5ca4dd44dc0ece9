/* SPDX-License-Identifier: Apache-2.0
 *
 * Branches: the conditionals of TF1's control flow (raise.h), as If.
 */
#ifndef DIGIT_GRAPH_BRANCH_H
#define DIGIT_GRAPH_BRANCH_H

#include "model/graph/region.h"

/* For a graph that is in order. Makes an If for the Merges that are in no branch themselves, and
 * marks these with what they become; those within its branches are raised there. INVALID_ARGUMENT
 * naming the Merge whose inputs are not the two sides of one predicate. */
Error *branches_raise(Raise *raise) _warn_unused_result_;

#endif
