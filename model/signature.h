/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures while a model is loaded: from the SignatureDefs of a MetaGraph. What requests see of
 * them is in model.h.
 */
#ifndef DIGIT_MODEL_SIGNATURE_H
#define DIGIT_MODEL_SIGNATURE_H

#include "model/model.h"
#include "model/plan/compile.h"
#include "tensorflow/core/protobuf/meta_graph.pb-c.h"

/* The signatures of `meta_graph` that requests may name, sorted, without plans: those whose names
 * begin with "__saved_model_" are the loader's own. All lies in `arena`. INVALID_ARGUMENT for an
 * input or output that is not one tensor, and for a default that does not fit. */
Error *signatures_read(Arena *arena, const Tensorflow__MetaGraphDef *meta_graph,
                       Signature **ret_signatures, size_t *ret_n) _warn_unused_result_;

/* What is to be compiled for `signature`: feeds and outputs in the order of its inputs and outputs.
 * In `arena`; borrows the signature. */
Error *signature_request(Arena *arena, const Signature *signature,
                         CompileRequest *ret_request) _warn_unused_result_;

#endif
