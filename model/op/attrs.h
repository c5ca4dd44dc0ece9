/* SPDX-License-Identifier: Apache-2.0
 *
 * Attrs: the attributes of a node, as kernels read them.
 *
 * A getter gives the attribute's value, or INVALID_ARGUMENT naming the attribute when it is missing
 * or of another kind; the _or form gives a default when it is missing, and INVALID_ARGUMENT only
 * when it is of another kind.
 */
#ifndef DIGIT_OP_ATTRS_H
#define DIGIT_OP_ATTRS_H

#include "model/tensor/tensor.h"
#include "tensorflow/core/framework/node_def.pb-c.h"

typedef enum AttrKind {
    ATTR_TEXT,
    ATTR_INT,
    ATTR_FLOAT,
    ATTR_BOOL,
    ATTR_TYPE,
    ATTR_SHAPE,
    ATTR_TENSOR,
    ATTR_FUNCTION,
    ATTR_TEXTS,
    ATTR_INTS,
    ATTR_FLOATS,
    ATTR_BOOLS,
    ATTR_TYPES,
    ATTR_SHAPES,
    ATTR_TENSORS,
    ATTR_FUNCTIONS,
    ATTR_EMPTY_LIST, /* a list without elements has no kind of its own */
} AttrKind;

typedef struct Attr {
    const char *name;
    AttrKind kind;
    size_t n;               /* elements of a list; 1 otherwise */
    union {                 /* arrays of n elements */
        const Bytes *texts; /* texts, and the names of functions; a NUL stands behind each */
        const int64_t *ints;
        const float *floats;
        const bool *bools;
        const DType *types;
        const Shape *shapes;
        const Tensor *tensors;
    };
} Attr;

typedef struct Attrs {
    const Attr *items; /* in the arena of the graph */
    size_t n;
} Attrs;

/* The attributes of a NodeDef; all lies in `arena` or is borrowed from `node`. Names that begin with
 * '_' are kept. Errors name the attribute. */
Error *attrs_from_proto(Arena *arena, size_t n, Tensorflow__NodeDef__AttrEntry *const *entries,
                        Attrs *ret_attrs) _warn_unused_result_;

/* A deep copy in `arena`, without the attributes whose names begin with an underscore. */
Error *attrs_copy(Arena *arena, const Attrs *attrs, Attrs *ret_attrs) _warn_unused_result_;

/* Same names and values in the same order. */
bool attrs_equal(const Attrs *a, const Attrs *b);

/* NULL when there is none. */
const Attr *attrs_find(const Attrs *attrs, const char *name);

Error *attrs_int(const Attrs *attrs, const char *name, int64_t *ret) _warn_unused_result_;
Error *attrs_int_or(const Attrs *attrs, const char *name, int64_t fallback,
                    int64_t *ret) _warn_unused_result_;
Error *attrs_float_or(const Attrs *attrs, const char *name, float fallback,
                      float *ret) _warn_unused_result_;
Error *attrs_bool_or(const Attrs *attrs, const char *name, bool fallback,
                     bool *ret) _warn_unused_result_;
Error *attrs_type(const Attrs *attrs, const char *name, DType *ret) _warn_unused_result_;
Error *attrs_type_or(const Attrs *attrs, const char *name, DType fallback,
                     DType *ret) _warn_unused_result_;
/* A text that has a NUL behind it; borrowed. */
Error *attrs_text(const Attrs *attrs, const char *name, const char **ret) _warn_unused_result_;
Error *attrs_text_or(const Attrs *attrs, const char *name, const char *fallback,
                     const char **ret) _warn_unused_result_;
Error *attrs_shape(const Attrs *attrs, const char *name, Shape *ret) _warn_unused_result_;
Error *attrs_tensor(const Attrs *attrs, const char *name, const Tensor **ret) _warn_unused_result_;
/* The name of the function; borrowed. */
Error *attrs_function(const Attrs *attrs, const char *name, const char **ret) _warn_unused_result_;

/* Lists; n is 0 and *ret NULL when the attribute is missing or an empty list. Borrowed. */
Error *attrs_ints(const Attrs *attrs, const char *name, size_t *ret_n,
                  const int64_t **ret) _warn_unused_result_;
Error *attrs_types(const Attrs *attrs, const char *name, size_t *ret_n,
                   const DType **ret) _warn_unused_result_;
Error *attrs_shapes(const Attrs *attrs, const char *name, size_t *ret_n,
                    const Shape **ret) _warn_unused_result_;
Error *attrs_texts(const Attrs *attrs, const char *name, size_t *ret_n,
                   const Bytes **ret) _warn_unused_result_;

#endif
