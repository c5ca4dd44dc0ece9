/* SPDX-License-Identifier: Apache-2.0
 *
 * DType: TensorFlow's element types, with the numbers of tensorflow/core/framework/types.proto.
 */
#ifndef DIGIT_TENSOR_DTYPE_H
#define DIGIT_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum DType {
    DT_INVALID = 0,
    DT_FLOAT = 1,
    DT_DOUBLE = 2,
    DT_INT32 = 3,
    DT_UINT8 = 4,
    DT_INT16 = 5,
    DT_INT8 = 6,
    DT_STRING = 7,
    DT_COMPLEX64 = 8,
    DT_INT64 = 9,
    DT_BOOL = 10,
    DT_QINT8 = 11,
    DT_QUINT8 = 12,
    DT_QINT32 = 13,
    DT_BFLOAT16 = 14,
    DT_QINT16 = 15,
    DT_QUINT16 = 16,
    DT_UINT16 = 17,
    DT_COMPLEX128 = 18,
    DT_HALF = 19,
    DT_RESOURCE = 20,
    DT_VARIANT = 21,
    DT_UINT32 = 22,
    DT_UINT64 = 23,
} DType;

#define DTYPE_MAX 23
#define DTYPE_REF_OFFSET 100 /* DT_FLOAT_REF is 101: a TF1 reference to a variable */

/* The type without its reference mark: 101 and 1 both give DT_FLOAT. Numbers that Digit does not
 * know give DT_INVALID. */
DType dtype_of_number(int number);

/* Bytes of one element in memory: sizeof(Bytes) for DT_STRING, sizeof(void *) for DT_RESOURCE and
 * DT_VARIANT, 0 for DT_INVALID. */
size_t dtype_size(DType dtype);

/* True where an element's bytes are its value (all but string, resource, variant, invalid). */
bool dtype_is_plain(DType dtype);
bool dtype_is_floating(DType dtype); /* half, bfloat16, float, double */
bool dtype_is_integer(DType dtype);  /* signed and unsigned 8..64 bits; not bool */

/* TensorFlow's lower-case name, as in its error texts: "float", "int64", "string"; and the name of
 * the enum: "DT_FLOAT". "invalid" and "DT_INVALID" for anything else. */
const char *dtype_name(DType dtype);
const char *dtype_enum_name(DType dtype);

/* The reverse of dtype_name; DT_INVALID when there is none. */
DType dtype_of_name(const char *name);

#endif
