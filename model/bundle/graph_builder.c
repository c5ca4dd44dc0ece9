/* SPDX-License-Identifier: Apache-2.0
 *
 * GraphBuilder: nodes, attributes and signatures as protobuf-c messages in one arena. It checks
 * that no two nodes have one name, and nothing else: what the graph means is its maker's business.
 * Failures (mostly memory) are kept, so that who builds a graph has no error to look at after each
 * of a hundred calls. One thread at a time.
 */
#include "model/bundle/graph_builder.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BLOCK_BYTES ((size_t)64 << 10)

/* ---- memory --------------------------------------------------------------------------------- */

void graph_builder_fail(GraphBuilder *builder, Error *error)
{
    if (builder->error == NULL)
        builder->error = error;
    else
        error_free(error);
}

static void *kept(GraphBuilder *builder, void *memory)
{
    if (memory == NULL)
        graph_builder_fail(builder, error_out_of_memory());
    return memory;
}

void *graph_builder_alloc(GraphBuilder *builder, size_t n, size_t size)
{
    return kept(builder, arena_calloc(builder->arena, n, size));
}

/* NULL, a text that memory was out for, stays NULL. */
static char *copy_text(GraphBuilder *builder, const char *text)
{
    return text == NULL ? NULL : kept(builder, arena_strdup(builder->arena, text));
}

char *graph_builder_printf(GraphBuilder *builder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int n = vasprintf(&text, format, args);
    va_end(args);
    _cleanup_(freep) char *malloced = n < 0 ? NULL : text;
    return kept(builder, malloced == NULL ? NULL : arena_strdup(builder->arena, malloced));
}

bool graph_builder_push(GraphBuilder *builder, PointerList *list, void *item)
{
    if (item == NULL)
        return false;
    if (list->n == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 8;
        void **items = graph_builder_alloc(builder, capacity, sizeof(*items));
        if (items == NULL)
            return false;
        if (list->n > 0)
            memcpy(items, list->items, list->n * sizeof(*items));
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = item;
    return true;
}

GraphBuilder *graph_builder_new(void)
{
    GraphBuilder *builder = calloc(1, sizeof(*builder));
    if (builder == NULL)
        return NULL;
    builder->arena = arena_new(ARENA_BLOCK_BYTES, 0);
    builder->node_names = map_new();
    if (builder->arena == NULL || builder->node_names == NULL)
        return graph_builder_free(builder);
    builder->spare_node.builder = builder;
    return builder;
}

GraphBuilder *graph_builder_free(GraphBuilder *builder)
{
    if (builder == NULL)
        return NULL;
    error_free(builder->error);
    map_free(builder->node_names);
    arena_free(builder->arena);
    free(builder);
    return NULL;
}

/* ---- messages ------------------------------------------------------------------------------- */

Tensorflow__TensorShapeProto *graph_builder_shape(GraphBuilder *builder, const Shape *shape)
{
    size_t rank = shape->rank > 0 ? (size_t)shape->rank : 0;
    Tensorflow__TensorShapeProto *proto = graph_builder_alloc(builder, 1, sizeof(*proto));
    Tensorflow__TensorShapeProto__Dim *dims = graph_builder_alloc(builder, rank, sizeof(*dims));
    Tensorflow__TensorShapeProto__Dim **pointers =
        graph_builder_alloc(builder, rank, sizeof(Tensorflow__TensorShapeProto__Dim *));
    if (proto == NULL || dims == NULL || pointers == NULL)
        return NULL;
    for (size_t d = 0; d < rank; d++) {
        tensorflow__tensor_shape_proto__dim__init(&dims[d]);
        dims[d].size = shape->dims[d];
        pointers[d] = &dims[d];
    }
    tensorflow__tensor_shape_proto__init(proto);
    proto->unknown_rank = shape->rank == SHAPE_UNKNOWN_RANK;
    proto->n_dim = rank;
    proto->dim = pointers;
    return proto;
}

/* A tensor without values, which stands for zeros or empty strings. */
static Tensorflow__TensorProto *new_tensor(GraphBuilder *builder, DType dtype, const Shape *shape)
{
    Tensorflow__TensorProto *proto = graph_builder_alloc(builder, 1, sizeof(*proto));
    if (proto == NULL)
        return NULL;
    tensorflow__tensor_proto__init(proto);
    proto->dtype = (Tensorflow__DataType)dtype;
    proto->tensor_shape = graph_builder_shape(builder, shape);
    return proto->tensor_shape != NULL ? proto : NULL;
}

static bool copy_values(GraphBuilder *builder, const Tensor *tensor, Tensorflow__TensorProto *proto)
{
    if (tensor->dtype != DT_STRING) {
        size_t bytes = tensor_bytes(tensor);
        void *data = kept(builder, arena_memdup(builder->arena, tensor->data, bytes));
        proto->tensor_content = (ProtobufCBinaryData){ bytes, data };
        return data != NULL;
    }

    size_t n = (size_t)tensor->n;
    const Bytes *strings = tensor->data;
    proto->string_val = graph_builder_alloc(builder, n, sizeof(*proto->string_val));
    if (proto->string_val == NULL)
        return false;
    proto->n_string_val = n;
    for (size_t i = 0; i < n; i++) {
        void *data = kept(builder, arena_memdup(builder->arena, strings[i].data, strings[i].size));
        if (data == NULL)
            return false;
        proto->string_val[i] = (ProtobufCBinaryData){ strings[i].size, data };
    }
    return true;
}

/* ---- nodes and attributes ------------------------------------------------------------------- */

GraphBuilderNode *graph_builder_node(GraphBuilder *builder, const char *op, const char *name,
                                     size_t n_inputs, const char *const *inputs)
{
    GraphBuilderNode *node = graph_builder_alloc(builder, 1, sizeof(*node));
    if (node == NULL)
        return &builder->spare_node;
    node->builder = builder;
    tensorflow__node_def__init(&node->proto);
    node->proto.op = copy_text(builder, op);
    node->proto.name = copy_text(builder, name);
    node->proto.input = graph_builder_alloc(builder, n_inputs, sizeof(char *));
    if (node->proto.op == NULL || node->proto.name == NULL || node->proto.input == NULL)
        return node;
    node->proto.n_input = n_inputs;
    for (size_t i = 0; i < n_inputs; i++)
        node->proto.input[i] = copy_text(builder, inputs[i]);

    if (map_has(builder->node_names, name))
        graph_builder_fail(builder, error_new(ERROR_INVALID_ARGUMENT,
                                              "two nodes of the graph are named \"%s\"", name));
    Error *error = map_set(builder->node_names, node->proto.name, node);
    if (error != NULL)
        graph_builder_fail(builder, error);
    graph_builder_push(builder, &builder->nodes, node);
    return node;
}

/* The value of a new attribute, to be filled; never NULL. */
static Tensorflow__AttrValue *add_attr(GraphBuilderNode *node, const char *name,
                                       Tensorflow__AttrValue__ValueCase value_case)
{
    GraphBuilder *builder = node->builder;
    Tensorflow__NodeDef__AttrEntry *entry = graph_builder_alloc(builder, 1, sizeof(*entry));
    Tensorflow__AttrValue *value = graph_builder_alloc(builder, 1, sizeof(*value));
    char *key = copy_text(builder, name);
    if (key == NULL || value == NULL || !graph_builder_push(builder, &node->attrs, entry))
        return &builder->spare_value;
    tensorflow__attr_value__init(value);
    value->value_case = value_case;
    tensorflow__node_def__attr_entry__init(entry);
    entry->key = key;
    entry->value = value;
    node->proto.n_attr = node->attrs.n;
    node->proto.attr = (Tensorflow__NodeDef__AttrEntry **)node->attrs.items;
    return value;
}

static Tensorflow__AttrValue__ListValue *add_list(GraphBuilderNode *node, const char *name)
{
    Tensorflow__AttrValue__ListValue *list = graph_builder_alloc(node->builder, 1, sizeof(*list));
    if (list == NULL)
        return NULL;
    tensorflow__attr_value__list_value__init(list);
    add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_LIST)->list = list;
    return list;
}

void graph_builder_attr_type(GraphBuilderNode *node, const char *name, DType dtype)
{
    add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_TYPE)->type = (Tensorflow__DataType)dtype;
}

void graph_builder_attr_int(GraphBuilderNode *node, const char *name, int64_t value)
{
    add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_I)->i = value;
}

void graph_builder_attr_float(GraphBuilderNode *node, const char *name, float value)
{
    add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_F)->f = value;
}

void graph_builder_attr_bool(GraphBuilderNode *node, const char *name, bool value)
{
    add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_B)->b = value;
}

void graph_builder_attr_text(GraphBuilderNode *node, const char *name, const char *value)
{
    char *text = copy_text(node->builder, value);
    if (text != NULL)
        add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_S)->s =
            (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
}

void graph_builder_attr_ints(GraphBuilderNode *node, const char *name, size_t n,
                             const int64_t *values)
{
    Tensorflow__AttrValue__ListValue *list = add_list(node, name);
    int64_t *copy = graph_builder_alloc(node->builder, n, sizeof(*copy));
    if (list == NULL || copy == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        copy[i] = values[i];
    list->n_i = n;
    list->i = copy;
}

void graph_builder_attr_types(GraphBuilderNode *node, const char *name, size_t n,
                              const DType *values)
{
    Tensorflow__AttrValue__ListValue *list = add_list(node, name);
    Tensorflow__DataType *copy = graph_builder_alloc(node->builder, n, sizeof(*copy));
    if (list == NULL || copy == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        copy[i] = (Tensorflow__DataType)values[i];
    list->n_type = n;
    list->type = copy;
}

void graph_builder_attr_shape(GraphBuilderNode *node, const char *name, const Shape *shape)
{
    Tensorflow__TensorShapeProto *proto = graph_builder_shape(node->builder, shape);
    if (proto != NULL)
        add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_SHAPE)->shape = proto;
}

void graph_builder_attr_shapes(GraphBuilderNode *node, const char *name, size_t n,
                               const Shape *shapes)
{
    Tensorflow__AttrValue__ListValue *list = add_list(node, name);
    Tensorflow__TensorShapeProto **protos =
        graph_builder_alloc(node->builder, n, sizeof(Tensorflow__TensorShapeProto *));
    if (list == NULL || protos == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        if ((protos[i] = graph_builder_shape(node->builder, &shapes[i])) == NULL)
            return;
    list->n_shape = n;
    list->shape = protos;
}

void graph_builder_attr_tensor(GraphBuilderNode *node, const char *name, const Tensor *tensor)
{
    Tensorflow__TensorProto *proto = new_tensor(node->builder, tensor->dtype, &tensor->shape);
    if (proto != NULL && copy_values(node->builder, tensor, proto))
        add_attr(node, name, TENSORFLOW__ATTR_VALUE__VALUE_TENSOR)->tensor = proto;
}

void graph_builder_const(GraphBuilder *builder, const char *name, const Tensor *value)
{
    GraphBuilderNode *node = graph_builder_node(builder, "Const", name, 0, NULL);
    graph_builder_attr_type(node, "dtype", value->dtype);
    graph_builder_attr_tensor(node, "value", value);
}

void graph_builder_zeros(GraphBuilder *builder, const char *name, DType dtype, const Shape *shape)
{
    GraphBuilderNode *node = graph_builder_node(builder, "Const", name, 0, NULL);
    graph_builder_attr_type(node, "dtype", dtype);
    Tensorflow__TensorProto *proto = new_tensor(builder, dtype, shape);
    if (proto != NULL)
        add_attr(node, "value", TENSORFLOW__ATTR_VALUE__VALUE_TENSOR)->tensor = proto;
}

void graph_builder_variable(GraphBuilder *builder, const char *name, const Tensor *value,
                            bool trainable)
{
    assert(!builder->has_saver);
    BuilderVariable *variable = graph_builder_alloc(builder, 1, sizeof(*variable));
    if (!graph_builder_push(builder, &builder->variables, variable))
        return;
    *variable = (BuilderVariable){ copy_text(builder, name), value, trainable };
    if (variable->name != NULL)
        saver_nodes_add_variable(builder, variable);
}

/* ---- signatures ----------------------------------------------------------------------------- */

static Tensorflow__TensorInfo *new_info(GraphBuilder *builder, const SignatureEntry *entry)
{
    Tensorflow__TensorInfo *info = graph_builder_alloc(builder, 1, sizeof(*info));
    if (info == NULL)
        return NULL;
    tensorflow__tensor_info__init(info);
    info->encoding_case = TENSORFLOW__TENSOR_INFO__ENCODING_NAME;
    info->name = copy_text(builder, entry->tensor_name);
    info->dtype = (Tensorflow__DataType)entry->dtype;
    info->tensor_shape = graph_builder_shape(builder, &entry->shape);
    return info->name != NULL && info->tensor_shape != NULL ? info : NULL;
}

typedef Tensorflow__SignatureDef__InputsEntry InputsEntry;
typedef Tensorflow__SignatureDef__OutputsEntry OutputsEntry;

static bool copy_inputs(GraphBuilder *builder, Tensorflow__SignatureDef *signature, size_t n,
                        const SignatureEntry *entries)
{
    InputsEntry *copies = graph_builder_alloc(builder, n, sizeof(*copies));
    signature->inputs = graph_builder_alloc(builder, n, sizeof(InputsEntry *));
    if (copies == NULL || signature->inputs == NULL)
        return false;
    signature->n_inputs = n;
    for (size_t i = 0; i < n; i++) {
        tensorflow__signature_def__inputs_entry__init(&copies[i]);
        copies[i].key = copy_text(builder, entries[i].alias);
        copies[i].value = new_info(builder, &entries[i]);
        signature->inputs[i] = &copies[i];
    }
    return true;
}

static bool copy_outputs(GraphBuilder *builder, Tensorflow__SignatureDef *signature, size_t n,
                         const SignatureEntry *entries)
{
    OutputsEntry *copies = graph_builder_alloc(builder, n, sizeof(*copies));
    signature->outputs = graph_builder_alloc(builder, n, sizeof(OutputsEntry *));
    if (copies == NULL || signature->outputs == NULL)
        return false;
    signature->n_outputs = n;
    for (size_t i = 0; i < n; i++) {
        tensorflow__signature_def__outputs_entry__init(&copies[i]);
        copies[i].key = copy_text(builder, entries[i].alias);
        copies[i].value = new_info(builder, &entries[i]);
        signature->outputs[i] = &copies[i];
    }
    return true;
}

void graph_builder_signature(GraphBuilder *builder, const char *name, const char *method_name,
                             size_t n_inputs, const SignatureEntry *inputs, size_t n_outputs,
                             const SignatureEntry *outputs)
{
    Tensorflow__SignatureDef *signature = graph_builder_alloc(builder, 1, sizeof(*signature));
    Tensorflow__MetaGraphDef__SignatureDefEntry *entry =
        graph_builder_alloc(builder, 1, sizeof(*entry));
    if (signature == NULL || entry == NULL)
        return;
    tensorflow__signature_def__init(signature);
    signature->method_name = copy_text(builder, method_name);
    tensorflow__meta_graph_def__signature_def_entry__init(entry);
    entry->key = copy_text(builder, name);
    entry->value = signature;
    if (copy_inputs(builder, signature, n_inputs, inputs) &&
        copy_outputs(builder, signature, n_outputs, outputs))
        graph_builder_push(builder, &builder->signatures, entry);
}
