/* SPDX-License-Identifier: Apache-2.0
 *
 * What example.c and example_columns.c share: one run of ParseExample, between reading the examples
 * and writing the outputs.
 */
#ifndef DIGIT_OP_EXAMPLE_H
#define DIGIT_OP_EXAMPLE_H

#include "model/op/example_wire.h"
#include "model/op/op.h"

typedef struct DenseFeature {
    DType dtype;
    Shape shape; /* of one example; dims[0] is -1 when the length is variable */
    bool is_variable;
    int64_t stride; /* elements of one example, or of one step of a variable length */
} DenseFeature;

typedef enum ExampleForm { FORM_V1, FORM_V2, FORM_SINGLE } ExampleForm;

typedef struct ExampleKernel {
    ExampleForm form;
    int n_sparse, n_dense, n_ragged;
    const DType *sparse_types;  /* [n_sparse] */
    const DenseFeature *dense;  /* [n_dense] */
    const DType *ragged_types;  /* [n_ragged] */
    const DType *ragged_splits; /* [n_ragged]: types of the row splits */
    int first_default;          /* number of that input */
    const Bytes *sparse_keys;   /* [n_sparse], [n_dense]: FORM_SINGLE, whose keys are attributes */
    const Bytes *dense_keys;
} ExampleKernel;

/* One run. Keys are numbered sparse first, then dense, then ragged. */
typedef struct Parse {
    OpContext *context;
    const ExampleKernel *kernel;
    bool is_single; /* a scalar was given: outputs have no batch dimension */
    int64_t n;      /* examples */
    uint32_t n_keys;
    const Bytes *keys;  /* [n_keys] */
    uint32_t *slots;    /* hash table of key numbers, NO_KEY where empty */
    uint32_t n_slots;   /* a power of two */
    FeatureList *lists; /* [n, n_keys] */
} Parse;

/* The list of feature `key` in example i. */
static inline FeatureList *list_at(const Parse *parse, int64_t i, uint32_t key)
{
    return &parse->lists[(size_t)i * parse->n_keys + key];
}

/* "Name: N, Key: K, Index: I.  ", with which errors about a feature begin. */
#define EXAMPLE_PLACE_BYTES 512
const char *example_place(const Parse *parse, int64_t i, uint32_t key,
                          char text[EXAMPLE_PLACE_BYTES]);

/* Check dense feature d (sparse feature s, ragged feature r) of all examples and write its outputs. */
Error *example_write_dense(const Parse *parse, int d) _warn_unused_result_;
Error *example_write_sparse(const Parse *parse, int s) _warn_unused_result_;
Error *example_write_ragged(const Parse *parse, int r) _warn_unused_result_;

#endif
