/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling: a tensor that is being made from a TensorProto, whichever form that has. The readers of
 * the wire form and of the unpacked message (tensor_proto.c) find the same Parts and hand the
 * values on in Runs; type, shape, content, order, the repeated last value and borrowing are here.
 */
#ifndef DIGIT_TENSOR_FILLING_H
#define DIGIT_TENSOR_FILLING_H

#include "model/tensor/tensor.h"

#define FIELD_STRING_VAL 8

/* The field of a TensorProto that holds a type's values. */
typedef struct ValueField {
    uint32_t number;      /* 0: the type has none */
    unsigned width;       /* bytes of a value on the wire; 0: a varint, or a string */
    unsigned per_element; /* values that make an element */
} ValueField;

/* What the fields other than the values say. */
typedef struct Parts {
    int dtype; /* as it was given */
    Shape shape;
    Bytes content; /* tensor_content; wins over the values unless empty */
} Parts;

/* Values that stand one behind the other: integers of `width` bytes or, 0, varints. */
typedef struct Run {
    Bytes bytes;
    unsigned width;
} Run;

typedef struct Filling {
    Arena *arena;
    Tensor tensor; /* its data is NULL until the first value is there */
    ValueField field;
    size_t n;    /* values it takes in all: 0 when the content said it all */
    size_t done; /* values it has */
    size_t size; /* bytes of a value in memory */
} Filling;

ValueField value_field(DType dtype);

/* Checks type and shape, and takes the content if there is any: borrowed where alignment lets it.
 */
Error *filling_start(Filling *f, Arena *arena, const Parts *parts) _warn_unused_result_;

static inline bool filling_is_full(const Filling *f)
{
    return f->done == f->n;
}

/* Takes as many values of the run as are still wanted. Borrows the run if it is all that is wanted,
 * in the form that memory has. */
Error *filling_take(Filling *f, Run run) _warn_unused_result_;

/* Takes one string, borrowed, while the filling is not full. */
Error *filling_take_string(Filling *f, Bytes string) _warn_unused_result_;

/* Repeats the last element to the end, or zeros when there is none, and gives the tensor. */
Error *filling_finish(Filling *f, Tensor *ret_tensor) _warn_unused_result_;

#endif
