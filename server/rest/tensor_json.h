/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors as nested lists of JSON, in both directions.
 */
#ifndef DIGIT_SERVER_REST_TENSOR_JSON_H
#define DIGIT_SERVER_REST_TENSOR_JSON_H

#include "model/base/buf.h"
#include "model/tensor/tensor.h"
#include "server/rest/json_read.h"

/* The tensor of type `dtype` that a value stands for: its shape is that of the first element at each
 * level, which all others must have. In `arena`; strings may borrow from the text. INVALID_ARGUMENT
 * with TensorFlow Serving's texts; UNIMPLEMENTED for a type that has no form in JSON. */
Error *tensor_from_json(Arena *arena, Json json, DType dtype,
                        Tensor *ret_tensor) _warn_unused_result_;

/* A tensor that is made of rows, one after the other. The caller sets the first three fields. */
typedef struct RowTensor {
    DType dtype;
    int64_t max_rows;     /* that will come */
    int64_t max_elements; /* the characters that all of them have: as many elements are believed */
    int64_t n_rows;       /* that are there, and their elements */
    int64_t n_elements;
    Shape row_shape; /* of the first row */
    Tensor tensor;   /* [max_rows, row_shape...]; made with the first row */
} RowTensor;

/* Appends the tensor that `json` stands for as the next row, and gives its end. Errors as above, and
 * for a row of another shape than the first: `Expecting tensor size: A but got: B`, `Expecting shape
 * [A] but got: [B]`. */
Error *row_tensor_add(Arena *arena, RowTensor *rows, Json json,
                      const char **ret_end) _warn_unused_result_;

/* Appends the elements from `*at` on that have the first `dim` indices in common, as nested lists,
 * and moves `*at` behind them: dim 0 is the whole tensor. Strings are written as {"b64": ...} when
 * `as_bytes`. INVALID_ARGUMENT `Failed to write JSON value for tensor type: T`. */
Error *tensor_to_json(const Tensor *tensor, int dim, bool as_bytes, int64_t *at,
                      Buf *buf) _warn_unused_result_;

#endif
