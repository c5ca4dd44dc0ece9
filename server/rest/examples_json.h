/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of :classify and :regress: {"signature_name": ..., "context": {...}, "examples": [{...}]},
 * and {"results": [...]}.
 */
#ifndef DIGIT_SERVER_REST_EXAMPLES_JSON_H
#define DIGIT_SERVER_REST_EXAMPLES_JSON_H

#include "model/base/buf.h"
#include "model/heads.h"
#include "server/rest/json_read.h"

/* Gives the serialized tf.Examples of the document, in `arena`; a context stands before each, which is
 * how protobuf merges messages. `verb` is "classify" or "regress". INVALID_ARGUMENT with TensorFlow
 * Serving's texts. */
Error *examples_from_json(Arena *arena, Json document, const char *verb, Bytes **ret_examples,
                          size_t *ret_n) _warn_unused_result_;

/* Append the reply. INVALID_ARGUMENT when there are no results. */
Error *classification_to_json(const Classification *classification, Buf *buf) _warn_unused_result_;
Error *regression_to_json(const Regression *regression, Buf *buf) _warn_unused_result_;

#endif
