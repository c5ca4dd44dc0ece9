/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers from text, as TensorFlow reads them (StringToNumber, files of tables). string_number.c
 * says the forms. False when the text is no such number or the type cannot hold it.
 */
#ifndef DIGIT_OP_TEXT_NUMBER_H
#define DIGIT_OP_TEXT_NUMBER_H

#include "model/tensor/tensor.h"

bool text_to_int64(Bytes text, int64_t *ret);
bool text_to_float(Bytes text, float *ret);
bool text_to_double(Bytes text, double *ret);

/* float, double, int32, int64. */
bool text_number_has_type(DType dtype);

/* Into *ret, an element of `dtype`, which text_number_has_type. */
bool text_to_number(Bytes text, DType dtype, void *ret);

#endif
