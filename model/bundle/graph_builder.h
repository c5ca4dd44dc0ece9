/* SPDX-License-Identifier: Apache-2.0
 *
 * GraphBuilder inside: what graph_builder.c keeps, for saver_nodes.c and saved_model_write.c. The
 * public interface is in saved_model_write.h.
 */
#ifndef DIGIT_BUNDLE_GRAPH_BUILDER_H
#define DIGIT_BUNDLE_GRAPH_BUILDER_H

#include "model/base/map.h"
#include "model/bundle/saved_model_write.h"
#include "tensorflow/core/protobuf/meta_graph.pb-c.h"

/* Pointers in the builder's arena. */
typedef struct PointerList {
    void **items;
    size_t n;
    size_t capacity;
} PointerList;

struct GraphBuilderNode {
    GraphBuilder *builder;
    Tensorflow__NodeDef proto;
    PointerList attrs; /* of Tensorflow__NodeDef__AttrEntry */
};

typedef struct BuilderVariable {
    const char *name;
    const Tensor *value; /* borrowed */
    bool is_trainable;
} BuilderVariable;

struct GraphBuilder {
    Arena *arena;
    Map *node_names;
    PointerList nodes;           /* of GraphBuilderNode */
    PointerList variables;       /* of BuilderVariable */
    PointerList signatures;      /* of Tensorflow__MetaGraphDef__SignatureDefEntry */
    bool has_saver;              /* saver_nodes_add was called: no variable may follow */
    Error *error;                /* the first failure; owned */
    GraphBuilderNode spare_node; /* taken when there is no memory for a real one */
    Tensorflow__AttrValue spare_value;
};

/* `n` zeroed elements in the builder's arena; NULL when memory is out, which the builder keeps. */
void *graph_builder_alloc(GraphBuilder *builder, size_t n, size_t size);

/* A text in the builder's arena, formatted; NULL when memory is out, which the builder keeps: then
 * the text may be given to any function of the builder, which does nothing more. */
char *graph_builder_printf(GraphBuilder *builder, const char *format, ...) _printf_(2, 3);

/* Appends; false when `item` is NULL or memory is out, which the builder keeps. */
bool graph_builder_push(GraphBuilder *builder, PointerList *list, void *item);

/* Takes `error`: the first is kept, the others are freed. */
void graph_builder_fail(GraphBuilder *builder, Error *error);

/* The shape as a message in the builder's arena; NULL when memory is out, which the builder keeps. */
Tensorflow__TensorShapeProto *graph_builder_shape(GraphBuilder *builder, const Shape *shape);

/* A Const node of zeros, or of empty strings, that takes no room for them. */
void graph_builder_zeros(GraphBuilder *builder, const char *name, DType dtype, const Shape *shape);

/* Adds the nodes of a variable: handle, initialiser, read. */
void saver_nodes_add_variable(GraphBuilder *builder, const BuilderVariable *variable);

/* Adds the nodes that save and restore all variables, under `save/`. */
void saver_nodes_add(GraphBuilder *builder);

#endif
