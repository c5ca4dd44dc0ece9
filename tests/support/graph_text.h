/* SPDX-License-Identifier: Apache-2.0
 *
 * GraphDefs from a few lines of text, for tests.
 *
 *     x: Placeholder() dtype=float shape=<?,2>
 *     two: Const() dtype=float value=f(2)
 *     y: Mul(x, two:0, ^init) T=float
 *     call: PartitionedCall(x) f=@double Tin=[float] Tout=[float]
 *     def double(a: float) -> (b: float = m:z:0) ^effect
 *     m: AddV2(a, a) T=float
 *     end
 *
 * Values: a type; 7; 0.5; true; 'text'; @function; <shape>; [list of ints, types or texts];
 * f(scalar), f[vector] and the same with i: tensors of float and int32; s(text): of a string.
 */
#ifndef DIGIT_TESTS_SUPPORT_GRAPH_TEXT_H
#define DIGIT_TESTS_SUPPORT_GRAPH_TEXT_H

#include "model/base/arena.h"
#include "tensorflow/core/framework/graph.pb-c.h"

/* The GraphDef of `text`, in `arena`. A text that is wrong ends the test program. */
Tensorflow__GraphDef *graph_from_text(Arena *arena, const char *text);

#endif
