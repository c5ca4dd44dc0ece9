/* SPDX-License-Identifier: Apache-2.0
 *
 * Model: one loaded version of a SavedModel. The door of the library: programs include this and
 * heads.h, and nothing of graph/ and plan/ but what comes with it: Scratch, the memory of a thread.
 *
 * A Model is immutable after model_load and shared by all threads; it is counted, and its memory
 * goes with the last reference.
 */
#ifndef DIGIT_MODEL_MODEL_H
#define DIGIT_MODEL_MODEL_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"
#include "model/plan/run.h"
#include "model/plan/scratch.h"
#include "model/tensor/tensor.h"

typedef struct Model Model;

typedef struct ModelOptions {
    const char *const *tags; /* set of tags of the MetaGraph; NULL: {"serve"} */
    size_t n_tags;
    bool as_written; /* run node by node, variables read each time: what optimised plans are held
                      * against */
} ModelOptions;

/* Loads the bundle in `directory`: reads it, restores the variables the way the bundle says (each
 * tensor's crc is checked), runs its init op, compiles every signature to a plan, and runs nothing
 * else. May take seconds: never on an event loop. `options` may be NULL.
 *
 * The errors are those of saved_model_read and checkpoint_open, and: UNIMPLEMENTED naming op and
 * node that Digit does not have; INVALID_ARGUMENT for a graph that is wrong (a cycle, an input that
 * is not there, an attribute out of range), naming the node. */
Error *model_load(const char *directory, const ModelOptions *options,
                  Model **ret_model) _warn_unused_result_;

Model *model_ref(Model *model);
/* Gives one reference back. Takes NULL; returns NULL. */
Model *model_unref(Model *model);

/* One input or output of a signature. */
typedef struct SignatureTensor {
    const char *alias;       /* the name that requests use */
    const char *tensor_name; /* "node:0" in the graph */
    DType dtype;
    Shape shape;                 /* partial; rank may be unknown */
    const Tensor *default_value; /* of SignatureDef.defaults; NULL: the input is required */
} SignatureTensor;

typedef struct Signature {
    const char *name;
    const char *method_name;       /* "tensorflow/serving/predict"... */
    const SignatureTensor *inputs; /* sorted by alias, as everywhere below */
    size_t n_inputs;
    const SignatureTensor *outputs;
    size_t n_outputs;
    const char *text; /* the SignatureDef in protobuf's text form, for errors */
    const struct Plan *plan;
} Signature;

/* The signatures, sorted by name, without `__saved_model_init_op`. Lent by the model. */
const Signature *model_signatures(const Model *model, size_t *ret_n);

/* The signature of exactly that name; "" stands for "serving_default". NULL when there is none. */
const Signature *model_find_signature(const Model *model, Bytes name);

/* Whether a run of `signature` leaves no trace: none of its ops reads or writes state. */
bool signature_is_pure(const Signature *signature);

/* A packed tensorflow.serving.SignatureDefMap of all signatures, as the file has them. Lent. */
Bytes model_signature_def_map(const Model *model);

/* Bytes that the version holds: weights, plans, tables. */
size_t model_memory_bytes(const Model *model);

/* The vector instructions that kernels use on this processor: "avx512", "avx2" or "plain". */
const char *model_kernels(void);

/* ---- running ------------------------------------------------------------------------------- */

/* A tensor with the alias it has in a signature. */
typedef struct NamedTensor {
    Bytes name;
    Tensor tensor;
} NamedTensor;

/* The check of signature_run that needs no tensors but their names, for callers that want to fail
 * before they make them: INVALID_ARGUMENT when there are too many inputs, or too few and none has a
 * default. Texts lie in `arena`. */
Error *signature_check_count(const Signature *signature, const NamedTensor *inputs, size_t n_inputs,
                             Arena *arena) _warn_unused_result_;

/* All of signature_run's checks and nothing of its run: what it is given may be run later. Texts of
 * errors lie in `arena`. */
Error *signature_check(const Signature *signature, const NamedTensor *inputs, size_t n_inputs,
                       const Bytes *output_filter, size_t n_filter,
                       Arena *arena) _warn_unused_result_;

typedef struct RunOptions {
    uint64_t deadline_ns;    /* CLOCK_MONOTONIC; 0: none. Checked between steps, and by loops */
    const RunCancel *cancel; /* NULL: runs to its end */
} RunOptions;

/* Runs `signature` on inputs[0..n_inputs), which are its inputs in any order, each once; inputs with
 * a default may be missing. output_filter[0..n_filter) are the wanted outputs; none means all.
 *
 * Gives ret_outputs[0..*ret_n) in the order of the signature's outputs. They lie in `scratch` and
 * `arena` and are valid until the next run on that scratch. `options` may be NULL.
 *
 * INVALID_ARGUMENT with TensorFlow Serving's texts (contract: input size, alias not found, output
 * alias, duplicates, dtype that differs); what ops say, with the node's name behind it;
 * DEADLINE_EXCEEDED; CANCELLED; RESOURCE_EXHAUSTED. Thread-safe for different scratches. */
Error *signature_run(const Model *model, const Signature *signature, const NamedTensor *inputs,
                     size_t n_inputs, const Bytes *output_filter, size_t n_filter,
                     const RunOptions *options, Scratch *scratch, Arena *arena,
                     NamedTensor **ret_outputs, size_t *ret_n) _warn_unused_result_;

static inline void model_unrefp(Model **model)
{
    model_unref(*model);
}

#endif
