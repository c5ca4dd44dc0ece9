/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops: the frames of TF1's control flow (raise.h), as While.
 */
#ifndef DIGIT_GRAPH_LOOP_H
#define DIGIT_GRAPH_LOOP_H

#include "model/graph/region.h"

/* Puts a While in the place of each frame that has no other within, and marks its Exits with what
 * they become. INVALID_ARGUMENT naming the node when there is no such frame, or one is not as
 * tf.while_loop builds them. */
Error *loops_raise(Raise *raise) _warn_unused_result_;

#endif
