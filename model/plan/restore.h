/* SPDX-License-Identifier: Apache-2.0
 *
 * Restore: the part of a bundle's restore graph that only copies tensors of the checkpoint into
 * variables, done without running it.
 */
#ifndef DIGIT_PLAN_RESTORE_H
#define DIGIT_PLAN_RESTORE_H

#include "model/base/map.h"
#include "model/graph/graph.h"

/* Carries out every `variable <- RestoreV2` of the graph: each tensor is read from its shard into
 * the memory that becomes the variable's, one at a time. Variables whose names are not in `reached`
 * are left without a value, unread; NULL: all are reached. What is done is taken out of the graph,
 * which then has in its order what is still to be run; a RestoreV2 in it reads only what is used.
 *
 * `graph` has its feeds as constants, and fold_constants is done. Errors: those of checkpoint_open
 * and checkpoint_read; INVALID_ARGUMENT when the checkpoint's type is another than the graph's, or
 * its shape another than was declared. They name the variable. */
Error *restore_variables(Graph *graph, const Map *reached) _warn_unused_result_;

#endif
