/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of :predict: {"signature_name": ..., "instances": [...]} or {..., "inputs": ...}, and
 * {"predictions": [...]} or {"outputs": ...}.
 */
#ifndef DIGIT_SERVER_REST_PREDICT_JSON_H
#define DIGIT_SERVER_REST_PREDICT_JSON_H

#include "model/base/buf.h"
#include "model/model.h"
#include "server/rest/json_read.h"

/* Rows give rows, columns give columns. */
typedef struct PredictJson {
    Json document;
    Bytes signature_name; /* "" when it is not there */
    Json instances;       /* NULL when it is not there */
    Json inputs;
} PredictJson;

/* The members of an object that is a request's body: text[0..bytes), behind which there is a NUL. All
 * of them borrow from it. The errors are json_check's, and those about the object and its
 * signature_name. */
Error *predict_json_open(Arena *arena, const char *text, size_t bytes,
                         PredictJson *ret_request) _warn_unused_result_;

/* The inputs of `signature` that the body gives, in `arena`. INVALID_ARGUMENT with TensorFlow
 * Serving's texts. */
Error *predict_json_inputs(Arena *arena, const PredictJson *request, const Signature *signature,
                           NamedTensor **ret_inputs, size_t *ret_n) _warn_unused_result_;

/* Appends the reply. */
Error *predict_json_reply(const PredictJson *request, const NamedTensor *outputs, size_t n_outputs,
                          Buf *buf) _warn_unused_result_;

/* For other bodies: the document, which must be an object, and its signature_name. */
Error *body_json_open(Arena *arena, const char *text, size_t bytes, Json *ret_document,
                      Bytes *ret_signature_name) _warn_unused_result_;

#endif
