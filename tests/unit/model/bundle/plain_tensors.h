/* SPDX-License-Identifier: Apache-2.0
 *
 * The tensors of tests/data/bundles/checkpoints/plain, as make_bundles.py has them.
 */
#ifndef DIGIT_TESTS_PLAIN_TENSORS_H
#define DIGIT_TESTS_PLAIN_TENSORS_H

#include "model/tensor/tensor.h"

typedef struct PlainTensor {
    const char *key;
    DType dtype;
    Shape shape;
    const void *elements;
} PlainTensor;

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define X20 "xxxxxxxxxxxxxxxxxxxx"

/* 16-bit floats by their bits: 1.5 and -2 as bfloat16 and as half. */
static const PlainTensor PLAIN_TENSORS[] = {
    { "bfloat16", DT_BFLOAT16, { 1, { 2 } }, (const uint16_t[]){ 0x3fc0, 0xc000 } },
    { "bool", DT_BOOL, { 1, { 3 } }, (const uint8_t[]){ 1, 0, 1 } },
    { "complex128", DT_COMPLEX128, { 1, { 2 } }, (const double[]){ 1.5, -2.5, 3.0, 0.25 } },
    { "complex64", DT_COMPLEX64, { 1, { 2 } }, (const float[]){ 1.5f, -2.5f, 3.0f, 0.25f } },
    { "double", DT_DOUBLE, { 2, { 1, 2 } }, (const double[]){ 1.25, -3.5 } },
    { "empty", DT_FLOAT, { 2, { 0, 3 } }, "" },
    { "float",
      DT_FLOAT,
      { 2, { 2, 3 } },
      (const float[]){ 1.25f, -3.5f, 8.0f, 0.0f, 1e-3f, 1e10f } },
    { "half", DT_HALF, { 1, { 2 } }, (const uint16_t[]){ 0x3e00, 0xc000 } },
    { "int16", DT_INT16, { 1, { 2 } }, (const int16_t[]){ -300, 301 } },
    { "int32", DT_INT32, { 1, { 2 } }, (const int32_t[]){ -70000, 70001 } },
    { "int64", DT_INT64, { 1, { 2 } }, (const int64_t[]){ -5000000000, 5000000001 } },
    { "int8", DT_INT8, { 1, { 2 } }, (const int8_t[]){ -3, 4 } },
    { "qint16", DT_QINT16, { 1, { 2 } }, (const int16_t[]){ -300, 301 } },
    { "qint32", DT_QINT32, { 1, { 2 } }, (const int32_t[]){ -70000, 70001 } },
    { "qint8", DT_QINT8, { 1, { 2 } }, (const int8_t[]){ -3, 4 } },
    { "quint16", DT_QUINT16, { 1, { 2 } }, (const uint16_t[]){ 300, 60001 } },
    { "quint8", DT_QUINT8, { 1, { 2 } }, (const uint8_t[]){ 3, 250 } },
    { "scalar", DT_INT64, { 0, { 0 } }, (const int64_t[]){ 42 } },
    { "string",
      DT_STRING,
      { 1, { 4 } },
      (const Bytes[]){ TEXT(""), TEXT("digit"), TEXT("\x00\xff"),
                       TEXT(X20 X20 X20 X20 X20 X20 X20 X20 X20 X20) } },
    { "string_empty", DT_STRING, { 1, { 0 } }, "" },
    { "string_scalar", DT_STRING, { 0, { 0 } }, (const Bytes[]){ TEXT("one") } },
    { "uint16", DT_UINT16, { 1, { 2 } }, (const uint16_t[]){ 300, 60001 } },
    { "uint32", DT_UINT32, { 1, { 2 } }, (const uint32_t[]){ 70000, 4000000001 } },
    { "uint64", DT_UINT64, { 1, { 2 } }, (const uint64_t[]){ 5000000000, 10000000000000000001u } },
    { "uint8", DT_UINT8, { 1, { 2 } }, (const uint8_t[]){ 3, 250 } },
};

#endif
