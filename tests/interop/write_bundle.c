/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes what test_bundle_writer.py gives to TensorFlow:
 *
 *     write_bundle model EXPORT_DIRECTORY VERSION    a SavedModel with all that GraphBuilder makes
 *     write_bundle checkpoint PREFIX N               N scalars "tensor/of/the/number/%06d": i
 *
 * The model: y = relu(x * w + b) of x, which is an Identity of the placeholder x_fed, so that
 * TensorFlow has to feed a tensor that is no placeholder; label = labels[argmax(y)], a string; and
 * step, an int64 scalar that is not trainable.
 */
#include <stdio.h>
#include <string.h>

#include "model/bundle/checkpoint_write.h"
#include "model/bundle/saved_model_write.h"

#define INPUTS(...)                                                                                \
    ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), (const char *const[])                      \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const float W[3][2] = { { 1, -2 }, { 0.5f, 3 }, { -1, 0.25f } };
static const float B[2] = { 0.125f, -1 };
static const int64_t STEP = 1234567890123;
static Bytes labels[2]; /* "zero", "one": set in main */

static Tensor view(DType dtype, Shape shape, const void *data)
{
    return tensor_view(dtype, &shape, data);
}

/* A node whose only attribute is the type T. */
static void add_op(GraphBuilder *builder, const char *op, const char *name, size_t n_inputs,
                   const char *const *inputs)
{
    graph_builder_attr_type(graph_builder_node(builder, op, name, n_inputs, inputs), "T", DT_FLOAT);
}

static void add_network(GraphBuilder *builder)
{
    GraphBuilderNode *node = graph_builder_node(builder, "Placeholder", "x_fed", 0, NULL);
    graph_builder_attr_type(node, "dtype", DT_FLOAT);
    graph_builder_attr_shape(node, "shape", &(Shape){ 2, { -1, 3 } });
    add_op(builder, "Identity", "x", INPUTS("x_fed"));
    add_op(builder, "MatMul", "xw", INPUTS("x", "dense/kernel/Read/ReadVariableOp"));
    add_op(builder, "BiasAdd", "xwb", INPUTS("xw", "dense/bias/Read/ReadVariableOp"));
    add_op(builder, "Relu", "y", INPUTS("xwb"));

    int32_t zero = 0, one = 1;
    Tensor axis = view(DT_INT32, shape_of(), &one), first = view(DT_INT32, shape_of(), &zero);
    graph_builder_const(builder, "best/dimension", &axis);
    graph_builder_const(builder, "label/axis", &first);
    node = graph_builder_node(builder, "ArgMax", "best", INPUTS("y", "best/dimension"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_type(node, "output_type", DT_INT64);
    node = graph_builder_node(builder, "GatherV2", "label",
                              INPUTS("labels/Read/ReadVariableOp", "best", "label/axis"));
    graph_builder_attr_type(node, "Tparams", DT_STRING);
    graph_builder_attr_type(node, "Tindices", DT_INT64);
    graph_builder_attr_type(node, "Taxis", DT_INT32);
}

static void add_signatures(GraphBuilder *builder)
{
    const SignatureEntry x = { "x", "x:0", DT_FLOAT, { 2, { -1, 3 } } };
    const SignatureEntry outputs[] = {
        { "y", "y:0", DT_FLOAT, { 2, { -1, 2 } } },
        { "label", "label:0", DT_STRING, { 1, { -1 } } },
    };
    const SignatureEntry step = { "step", "step/Read/ReadVariableOp:0", DT_INT64, { 0, { 0 } } };
    graph_builder_signature(builder, "serving_default", "tensorflow/serving/predict", 1, &x,
                            ARRAY_SIZE(outputs), outputs);
    graph_builder_signature(builder, "predict", "tensorflow/serving/predict", 1, &x,
                            ARRAY_SIZE(outputs), outputs);
    graph_builder_signature(builder, "step", "tensorflow/serving/predict", 0, NULL, 1, &step);
}

/* Attributes of all kinds that no other node here has: TensorFlow checks them when it imports. */
static void add_attributes(GraphBuilder *builder)
{
    Tensor image = view(DT_FLOAT, shape_of(1, 2, 3, 1), (const float[6]){ 1, 2, 3, 4, 5, 6 });
    graph_builder_const(builder, "image", &image);
    GraphBuilderNode *node = graph_builder_node(builder, "MaxPool", "pooled", INPUTS("image"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_ints(node, "ksize", 4, (const int64_t[]){ 1, 2, 2, 1 });
    graph_builder_attr_ints(node, "strides", 4, (const int64_t[]){ 1, 1, 1, 1 });
    graph_builder_attr_text(node, "padding", "VALID");
    node = graph_builder_node(builder, "LeakyRelu", "leaky", INPUTS("pooled"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_float(node, "alpha", 0.5f);
    node = graph_builder_node(builder, "Max", "largest", INPUTS("leaky", "label/axis"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_type(node, "Tidx", DT_INT32);
    graph_builder_attr_bool(node, "keep_dims", true);
    node = graph_builder_node(builder, "FIFOQueueV2", "queue", 0, NULL);
    graph_builder_attr_types(node, "component_types", 2, (const DType[]){ DT_FLOAT, DT_STRING });
    graph_builder_attr_shapes(node, "shapes", 2, (const Shape[]){ { 1, { 2 } }, { 0, { 0 } } });
    graph_builder_attr_int(node, "capacity", 3);
}

static Error *write_model(const char *directory, const char *version)
{
    _cleanup_(graph_builder_freep) GraphBuilder *builder = graph_builder_new();
    if (builder == NULL)
        return error_out_of_memory();
    Tensor kernel = view(DT_FLOAT, shape_of(3, 2), W), bias = view(DT_FLOAT, shape_of(2), B),
           texts = view(DT_STRING, shape_of(2), labels), step = view(DT_INT64, shape_of(), &STEP);
    graph_builder_variable(builder, "dense/kernel", &kernel, true);
    graph_builder_variable(builder, "dense/bias", &bias, true);
    graph_builder_variable(builder, "labels", &texts, false);
    graph_builder_variable(builder, "step", &step, false);
    add_network(builder);
    add_attributes(builder);
    add_signatures(builder);
    return saved_model_write(builder, directory, strtoll(version, NULL, 10));
}

static Error *write_checkpoint(const char *prefix, const char *n)
{
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    TRY(checkpoint_writer_new(prefix, &writer));
    for (int32_t i = 0; i < strtol(n, NULL, 10); i++) {
        char key[64];
        snprintf(key, sizeof(key), "tensor/of/the/number/%06d", i);
        Tensor tensor = view(DT_INT32, shape_of(), &i);
        TRY(checkpoint_write(writer, key, &tensor));
    }
    return checkpoint_writer_finish(writer);
}

int main(int argc, char **argv)
{
    labels[0] = bytes_of_text("zero");
    labels[1] = bytes_of_text("one");
    Error *error = NULL;
    if (argc == 4 && strcmp(argv[1], "model") == 0)
        error = write_model(argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "checkpoint") == 0)
        error = write_checkpoint(argv[2], argv[3]);
    else
        error = error_new(ERROR_INVALID_ARGUMENT, "usage: write_bundle model DIRECTORY VERSION | "
                                                  "checkpoint PREFIX N");
    if (error != NULL) {
        fprintf(stderr, "%s\n", error->text);
        error_free(error);
        return 1;
    }
    return 0;
}
