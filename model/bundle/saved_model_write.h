/* SPDX-License-Identifier: Apache-2.0
 *
 * GraphBuilder: makes a MetaGraph node by node, and writes a SavedModel directory that a watcher
 * never sees half of.
 *
 * The bundles are of the TF1 form with resource variables: VarHandleOp, ReadVariableOp, a
 * `save/restore_all` over RestoreV2, the `variables` collection, no object graph. Both
 * tf.saved_model.load and the v1 loader take them.
 */
#ifndef DIGIT_BUNDLE_SAVED_MODEL_WRITE_H
#define DIGIT_BUNDLE_SAVED_MODEL_WRITE_H

#include "model/tensor/tensor.h"

typedef struct GraphBuilder GraphBuilder;
typedef struct GraphBuilderNode GraphBuilderNode;

/* NULL when memory is out. Everything is owned by the builder. */
GraphBuilder *graph_builder_new(void) _warn_unused_result_;
GraphBuilder *graph_builder_free(GraphBuilder *builder);

/* Adds a node; `inputs` are n_inputs texts ("node", "node:1", "^node"). All texts are copied. Never
 * NULL: a failure (memory) is kept in the builder and told by saved_model_write. */
GraphBuilderNode *graph_builder_node(GraphBuilder *builder, const char *op, const char *name,
                                     size_t n_inputs, const char *const *inputs);

/* Attributes of a node. Values are copied. */
void graph_builder_attr_type(GraphBuilderNode *node, const char *name, DType dtype);
void graph_builder_attr_int(GraphBuilderNode *node, const char *name, int64_t value);
void graph_builder_attr_float(GraphBuilderNode *node, const char *name, float value);
void graph_builder_attr_bool(GraphBuilderNode *node, const char *name, bool value);
void graph_builder_attr_text(GraphBuilderNode *node, const char *name, const char *value);
void graph_builder_attr_ints(GraphBuilderNode *node, const char *name, size_t n,
                             const int64_t *values);
void graph_builder_attr_types(GraphBuilderNode *node, const char *name, size_t n,
                              const DType *values);
void graph_builder_attr_shape(GraphBuilderNode *node, const char *name, const Shape *shape);
void graph_builder_attr_shapes(GraphBuilderNode *node, const char *name, size_t n,
                               const Shape *shapes);
void graph_builder_attr_tensor(GraphBuilderNode *node, const char *name, const Tensor *tensor);

/* A Const node with its dtype and value. */
void graph_builder_const(GraphBuilder *builder, const char *name, const Tensor *value);

/* A resource variable `name` with `value` (borrowed until saved_model_write returns): the
 * VarHandleOp of that name, `NAME/Read/ReadVariableOp`, its restore, and its VariableDef.
 * `trainable` is false for what no gradient moves (moving averages, counters): such a variable is
 * left out of the collection `trainable_variables`. */
void graph_builder_variable(GraphBuilder *builder, const char *name, const Tensor *value,
                            bool trainable);

/* One tensor of a signature: "image" is "Placeholder:0", float, [-1,28,28,1]. */
typedef struct SignatureEntry {
    const char *alias;
    const char *tensor_name;
    DType dtype;
    Shape shape;
} SignatureEntry;

/* A signature; everything is copied. */
void graph_builder_signature(GraphBuilder *builder, const char *name, const char *method_name,
                             size_t n_inputs, const SignatureEntry *inputs, size_t n_outputs,
                             const SignatureEntry *outputs);

/* Writes `export_directory`/`version`/{saved_model.pb,variables/...}: into a temporary directory
 * inside `export_directory` whose name is no version number, synced, then renamed; it is removed on
 * any failure. No variable may be added afterwards. ALREADY_EXISTS when the version is there,
 * INVALID_ARGUMENT when it is negative; else the first failure that the builder kept. */
Error *saved_model_write(GraphBuilder *builder, const char *export_directory,
                         int64_t version) _warn_unused_result_;

static inline void graph_builder_freep(GraphBuilder **builder)
{
    graph_builder_free(*builder);
}

#endif
