/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorList: the value of a DT_VARIANT scalar: a list of tensors of one type.
 *
 * To the graph a list never changes: an op that sets an element gives a new list. In memory the
 * versions of a list share one array, which is as the newest version has it; each older version
 * knows the one element in which it differs from the next. So a loop that sets element after
 * element copies each once, and a version that is read when it is no longer the newest gets an
 * array of its own then (the array is that of Baker, "Shallow Binding Makes Functional Arrays
 * Fast", 1991, without his rerooting).
 *
 * Lists, arrays and elements lie in the arena of the run, and are gone with it: variants never
 * leave a run. Elements are not changed once they are there. One thread.
 */
#ifndef DIGIT_OP_LIST_H
#define DIGIT_OP_LIST_H

#include "model/op/op.h"

#define LIST_MAX_ELEMENTS ((int64_t)1 << 26)

typedef struct TensorList TensorList;

/* What all versions share. */
typedef struct ListArray {
    DType dtype;
    Shape shape;             /* of elements; partial */
    int64_t max;             /* elements that may be pushed; -1: any number */
    const Tensor **elements; /* [capacity] of `newest`; NULL: not set */
    int64_t capacity;
    const TensorList *newest;
} ListArray;

struct TensorList {
    int64_t n;
    ListArray *array;
    const TensorList *next; /* the version that is newer by one element; NULL: none */
    int64_t index;          /* of that element, */
    const Tensor *old;      /* and what it is here */
};

/* `n` elements that are not set. RESOURCE_EXHAUSTED when there are too many or the arena is full. */
Error *list_new(Arena *arena, DType dtype, const Shape *shape, int64_t n,
                TensorList **ret_list) _warn_unused_result_;

/* The list that input `i` is; INVALID_ARGUMENT when it is none, or not one of `dtype` (DT_INVALID:
 * any). */
Error *list_input(OpContext *c, int i, DType dtype, TensorList **ret_list) _warn_unused_result_;

/* Makes output `i` the handle of `list`. */
Error *list_output(OpContext *c, int i, TensorList *list) _warn_unused_result_;

/* The list with a copy of `item` (NULL: not set) as element `index`, which may be `n`: then the new
 * one is longer by one. INVALID_ARGUMENT when the item's shape is not the list's. */
Error *list_set(Arena *arena, TensorList *list, int64_t index, const Tensor *item,
                TensorList **ret_list) _warn_unused_result_;

/* The same with `item` itself, which lives as long as the run and has such a shape. */
Error *list_put(Arena *arena, TensorList *list, int64_t index, const Tensor *item,
                TensorList **ret_list) _warn_unused_result_;

/* The list without its last element; n > 0. */
Error *list_pop(Arena *arena, TensorList *list, TensorList **ret_list) _warn_unused_result_;

/* A list of n elements, the first ones those of `list`, with an array of its own. */
Error *list_resize(Arena *arena, TensorList *list, int64_t n,
                   TensorList **ret_list) _warn_unused_result_;

/* elements[0..n) of this version, valid until a newer one is made. */
Error *list_elements(Arena *arena, TensorList *list,
                     const Tensor *const **ret_elements) _warn_unused_result_;

/* The shape that both allow, where a dimension or the rank may be unknown. INVALID_ARGUMENT when
 * there is none. */
Error *list_merge_shapes(const Shape *a, const Shape *b, Shape *ret_shape) _warn_unused_result_;

/* True when rank and all dimensions are known. */
bool list_shape_is_known(const Shape *shape);

/* An input that is an element shape: a vector, or the scalar -1 for an unknown rank. */
Error *list_input_shape(OpContext *c, int i, Shape *ret_shape) _warn_unused_result_;

/* An input that is one int32. */
Error *list_input_int(OpContext *c, int i, int64_t *ret) _warn_unused_result_;

/* The rows of `tensor`, copied once, as elements number indices[0..] of `list` (NULL: 0, 1, ...),
 * which has room for them. INVALID_ARGUMENT when a row's shape is not the list's. */
Error *list_set_rows(OpContext *c, const Tensor *tensor, const int32_t *indices, TensorList *list,
                     TensorList **ret_list) _warn_unused_result_;

/* The same with lengths[i] rows as one element, for i in [0,n). INVALID_ARGUMENT when `lengths` are
 * not those of the tensor. */
Error *list_set_parts(OpContext *c, const Tensor *tensor, const Tensor *lengths, TensorList *list,
                      TensorList **ret_list) _warn_unused_result_;

/* Output 0: elements indices[0..n) (NULL: all n), one upon the other. `shape` is what each must
 * have, as far as it is known. An element that is not set is zeros. */
Error *list_stack(OpContext *c, TensorList *list, const Shape *shape, int64_t n,
                  const int32_t *indices) _warn_unused_result_;

/* Output 0: all elements, one behind the other; output 1: the length of each. An element that is
 * not set is leading[i] rows of zeros. */
Error *list_concat(OpContext *c, TensorList *list, const Shape *shape,
                   const Tensor *leading) _warn_unused_result_;

#endif
