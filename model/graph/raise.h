/* SPDX-License-Identifier: Apache-2.0
 *
 * Raise: TF1's control flow, which is spelled out in the graph, as If and While.
 *
 *     Switch   its data, on one of two outputs; nothing ("dead") on the other. What gets nothing
 *              gives nothing.
 *     Merge    the one of its inputs that is not dead
 *     Enter, NextIteration, Exit   into a loop's frame, to its next iteration, and out of it
 *     LoopCond the condition, which the Switches of a frame share
 *
 * Digit's plans run every step that they have, so nothing can be dead there. What tf.cond and
 * tf.while_loop write, and the forms of it that graph optimisers leave, comes in two shapes, which
 * turn back into what they came from: a frame becomes a While (loop.c), and all Merges of one
 * predicate an If (branch.c). Ref forms are the same; a reference that goes into a loop or branch
 * is the variable's own node there.
 */
#ifndef DIGIT_GRAPH_RAISE_H
#define DIGIT_GRAPH_RAISE_H

#include "model/graph/graph.h"

typedef struct Raise Raise; /* model/graph/region.h */

/* True for the rows above. */
bool raise_is(const Op *op);

/* Takes all such nodes out of a graph that import has made, if there are any: the graph may have
 * cycles before and has none of theirs afterwards. INVALID_ARGUMENT naming the node for what is not
 * one of the two shapes; UNIMPLEMENTED, RESOURCE_EXHAUSTED of region_copy. */
Error *raise_control(Graph *graph) _warn_unused_result_;

/* The same for a graph that was cut out of one that is being raised, and then what import does at
 * the end of a graph. */
Error *raise_inner(const Raise *outer, Graph *graph) _warn_unused_result_;

#endif
