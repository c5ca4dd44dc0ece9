/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors of KServe's Open Inference Protocol v2: its datatypes, and the two forms that a tensor's
 * values have in a message.
 *
 *     raw    the elements as memory has them, little-endian; BYTES as a uint32 length and the
 *            bytes, one behind the other
 *     typed  an InferTensorContents, with a repeated field a kind of value; FP16 and BF16 have none
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md
 */
#ifndef DIGIT_SERVER_SERVICE_KSERVE_TENSOR_H
#define DIGIT_SERVER_SERVICE_KSERVE_TENSOR_H

#include "model/tensor/tensor.h"

/* "FP32" for DT_FLOAT and so on; NULL for a type that the protocol does not have. */
const char *kserve_datatype(DType dtype);

/* The reverse; DT_INVALID when there is none. */
DType kserve_dtype(Bytes datatype);

/* Whether a tensor of that type, which is one of the protocol's, can be typed. */
bool kserve_has_typed(DType dtype);

/* Each gives a tensor of that type, which is one of the protocol's, and shape from values that were
 * sent. It borrows from them where they are aligned, else lies in `arena`. INVALID_ARGUMENT when
 * they are not as many as the shape says, or do not fit the type; RESOURCE_EXHAUSTED when the arena
 * is full. No error says which tensor it is about. */
Error *kserve_from_raw(Arena *arena, DType dtype, const Shape *shape, Bytes raw,
                       Tensor *ret_tensor) _warn_unused_result_;
Error *kserve_from_typed(Arena *arena, DType dtype, const Shape *shape, Bytes contents,
                         Tensor *ret_tensor) _warn_unused_result_;

/* The bytes of each form, and what writes exactly as many at `out` and returns the end. A string
 * has less than 4 GiB. */
size_t kserve_raw_size(const Tensor *tensor);
uint8_t *kserve_put_raw(uint8_t *out, const Tensor *tensor);
size_t kserve_typed_size(const Tensor *tensor);
uint8_t *kserve_put_typed(uint8_t *out, const Tensor *tensor);

#endif
