/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads: classify and regress signatures: serialized tf.Examples in, classes and scores or values
 * out, with the checks and texts of TensorFlow Serving. gRPC and REST share it.
 */
#ifndef DIGIT_MODEL_HEADS_H
#define DIGIT_MODEL_HEADS_H

#include "model/model.h"

/* The answer of a classify signature: n x k. A missing half is NULL. Valid as a run's outputs. */
typedef struct Classification {
    int64_t n, k;
    const Bytes *classes; /* [n,k] labels, or NULL */
    const float *scores;  /* [n,k] scores, or NULL */
} Classification;

typedef struct Regression {
    int64_t n;
    const float *values; /* [n] */
} Regression;

/* A head's signature and what it is to be run on: for callers that run it themselves. */
typedef struct HeadRun {
    const Signature *signature;
    NamedTensor input;
    Bytes filter[2]; /* [n_filter] the outputs; static texts */
    size_t n_filter;
} HeadRun;

/* All that heads_classify does before the run, and all that it does after it: with the outputs of
 * the filter, in any order. The examples are borrowed by `*ret`. */
Error *heads_classify_prepare(const Model *model, Bytes signature_name, const Bytes *examples,
                              size_t n_examples, HeadRun *ret) _warn_unused_result_;
Error *heads_classify_read(const NamedTensor *outputs, size_t n, size_t n_examples,
                           Classification *ret) _warn_unused_result_;

/* The same for heads_regress. */
Error *heads_regress_prepare(const Model *model, Bytes signature_name, const Bytes *examples,
                             size_t n_examples, HeadRun *ret) _warn_unused_result_;
Error *heads_regress_read(const NamedTensor *outputs, size_t n, size_t n_examples,
                          Regression *ret) _warn_unused_result_;

/* Runs the classify signature `signature_name` ("" stands for serving_default) on
 * examples[0..n_examples), each a serialized tf.Example. `options` may be NULL. Errors:
 * contract 1.3 and 1.4. */
Error *heads_classify(const Model *model, Bytes signature_name, const Bytes *examples,
                      size_t n_examples, const RunOptions *options, Scratch *scratch, Arena *arena,
                      Classification *ret) _warn_unused_result_;

/* The same for a regress signature. */
Error *heads_regress(const Model *model, Bytes signature_name, const Bytes *examples,
                     size_t n_examples, const RunOptions *options, Scratch *scratch, Arena *arena,
                     Regression *ret) _warn_unused_result_;

#endif
