/* SPDX-License-Identifier: Apache-2.0
 *
 * The inference graph, node by node. Variables have the names of tf.layers; nodes those that a
 * reader of the graph would look for:
 *
 *   tf_example -> ParseExample -> DecodeRaw -> Reshape -> Cast -> Mul -> image
 *   image -> scale/... -> [conv2d_i -> batch_normalization_i -> relu_i -> max_pooling2d_i]
 *         -> flatten -> dense -> dense_1 -> probabilities -> classes
 *                                                         -> top -> labels/Gather
 *
 * Predict feeds `image`, classify feeds `tf_example`; a loader prunes to what it is asked for.
 */
#include "train/export.h"

#include <stdio.h>

#include "model/bundle/saved_model_write.h"
#include "train/layer_norm.h"

#define NAME_BYTES 128
#define GREY_MAX 255.0f

/* A node with its inputs as a list of texts. */
#define NODE(builder, op, name, ...)                                                               \
    graph_builder_node(builder, op, name,                                                          \
                       sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *),             \
                       (const char *[]){ __VA_ARGS__ })

/* The same for nodes whose only attribute is T = float. */
#define FLOAT_NODE(builder, ...) graph_builder_attr_type(NODE(builder, __VA_ARGS__), "T", DT_FLOAT)

/* ---- small parts --------------------------------------------------------------------------- */

static void add_const(GraphBuilder *builder, const char *name, DType dtype, Shape shape,
                      const void *data)
{
    Tensor tensor = tensor_view(dtype, &shape, data);
    graph_builder_const(builder, name, &tensor);
}

static void add_float(GraphBuilder *builder, const char *name, float value)
{
    add_const(builder, name, DT_FLOAT, shape_of(), &value);
}

static void add_int(GraphBuilder *builder, const char *name, int32_t value)
{
    add_const(builder, name, DT_INT32, shape_of(), &value);
}

static void add_reshape(GraphBuilder *builder, const char *name, const char *input, DType dtype,
                        Shape shape)
{
    char shape_name[NAME_BYTES];
    int32_t dims[SHAPE_MAX_RANK];
    for (int i = 0; i < shape.rank; i++)
        dims[i] = (int32_t)shape.dims[i];
    snprintf(shape_name, sizeof(shape_name), "%s/shape", name);
    add_const(builder, shape_name, DT_INT32, shape_of(shape.rank), dims);
    GraphBuilderNode *node = NODE(builder, "Reshape", name, input, shape_name);
    graph_builder_attr_type(node, "T", dtype);
    graph_builder_attr_type(node, "Tshape", DT_INT32);
}

/* "conv2d/kernel" -> the name of the node that reads it. */
static const char *read_name(char name[NAME_BYTES], const char *kind, int i, const char *tensor)
{
    char variable[PARAMETER_NAME_BYTES];
    parameter_name(variable, kind, i, tensor);
    snprintf(name, NAME_BYTES, "%s/Read/ReadVariableOp", variable);
    return name;
}

/* ---- input --------------------------------------------------------------------------------- */

/* tf_example [N] -> image [N,28,28,1] in 0..1. */
static void add_examples(GraphBuilder *builder)
{
    const Shape any = shape_of(-1), none = shape_of(0), scalar = shape_of();
    const Bytes key = bytes_of_text("image");
    const DType string = DT_STRING;
    GraphBuilderNode *node = graph_builder_node(builder, "Placeholder", "tf_example", 0, NULL);
    graph_builder_attr_type(node, "dtype", DT_STRING);
    graph_builder_attr_shape(node, "shape", &any);

    add_const(builder, "ParseExample/names", DT_STRING, none, NULL);
    add_const(builder, "ParseExample/dense_keys_0", DT_STRING, scalar, &key);
    add_const(builder, "ParseExample/image_default", DT_STRING, none, NULL); /* empty: required */
    node = NODE(builder, "ParseExample", "ParseExample/ParseExample", "tf_example",
                "ParseExample/names", "ParseExample/dense_keys_0", "ParseExample/image_default");
    graph_builder_attr_int(node, "Nsparse", 0);
    graph_builder_attr_int(node, "Ndense", 1);
    graph_builder_attr_types(node, "sparse_types", 0, NULL);
    graph_builder_attr_types(node, "Tdense", 1, &string);
    graph_builder_attr_shapes(node, "dense_shapes", 1, &scalar);

    node = NODE(builder, "DecodeRaw", "DecodeRaw", "ParseExample/ParseExample");
    graph_builder_attr_type(node, "out_type", DT_UINT8);
    graph_builder_attr_bool(node, "little_endian", true);
    add_reshape(builder, "grey", "DecodeRaw", DT_UINT8, shape_of(-1, NET_SIZE, NET_SIZE, 1));
    node = NODE(builder, "Cast", "grey/Cast", "grey");
    graph_builder_attr_type(node, "SrcT", DT_UINT8);
    graph_builder_attr_type(node, "DstT", DT_FLOAT);
    graph_builder_attr_bool(node, "Truncate", false);
    add_float(builder, "grey/unit", 1.0f / GREY_MAX);
    FLOAT_NODE(builder, "Mul", "grey/Mul", "grey/Cast", "grey/unit");
    FLOAT_NODE(builder, "Identity", "image", "grey/Mul");
}

/* image -> scale/Mul: see the range of `image` in export.h. */
static void add_scale(GraphBuilder *builder)
{
    const int32_t axes[] = { 1, 2, 3 };
    add_const(builder, "scale/axes", DT_INT32, shape_of(3), axes);
    GraphBuilderNode *node = NODE(builder, "Max", "scale/Max", "image", "scale/axes");
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_type(node, "Tidx", DT_INT32);
    graph_builder_attr_bool(node, "keep_dims", true);
    add_float(builder, "scale/one", 1.0f);
    add_float(builder, "scale/grey", 1.0f / GREY_MAX);
    FLOAT_NODE(builder, "Greater", "scale/Greater", "scale/Max", "scale/one");
    FLOAT_NODE(builder, "SelectV2", "scale/SelectV2", "scale/Greater", "scale/grey", "scale/one");
    FLOAT_NODE(builder, "Mul", "scale/Mul", "image", "scale/SelectV2");
}

/* ---- network ------------------------------------------------------------------------------- */

static void add_conv(GraphBuilder *builder, int i, const char *input, const char *name)
{
    static const int64_t ones[] = { 1, 1, 1, 1 };
    char kernel[NAME_BYTES];
    GraphBuilderNode *node =
        NODE(builder, "Conv2D", name, input, read_name(kernel, "conv2d", i, "kernel"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_ints(node, "strides", 4, ones);
    graph_builder_attr_ints(node, "dilations", 4, ones);
    graph_builder_attr_text(node, "padding", "SAME");
    graph_builder_attr_text(node, "data_format", "NHWC");
}

static void add_norm(GraphBuilder *builder, int i, const char *input, const char *name)
{
    char gamma[NAME_BYTES], beta[NAME_BYTES], mean[NAME_BYTES], variance[NAME_BYTES];
    GraphBuilderNode *node = NODE(builder, "FusedBatchNormV3", name, input,
                                  read_name(gamma, "batch_normalization", i, "gamma"),
                                  read_name(beta, "batch_normalization", i, "beta"),
                                  read_name(mean, "batch_normalization", i, "moving_mean"),
                                  read_name(variance, "batch_normalization", i, "moving_variance"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_type(node, "U", DT_FLOAT);
    graph_builder_attr_float(node, "epsilon", NORM_EPSILON);
    graph_builder_attr_text(node, "data_format", "NHWC");
    graph_builder_attr_bool(node, "is_training", false);
}

static void add_pool(GraphBuilder *builder, const char *input, const char *name)
{
    static const int64_t window[] = { 1, 2, 2, 1 };
    GraphBuilderNode *node = NODE(builder, "MaxPool", name, input);
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_ints(node, "ksize", 4, window);
    graph_builder_attr_ints(node, "strides", 4, window);
    graph_builder_attr_text(node, "padding", "VALID");
    graph_builder_attr_text(node, "data_format", "NHWC");
}

static void add_block(GraphBuilder *builder, int i, const char *input, char output[NAME_BYTES])
{
    char conv[NAME_BYTES], norm[NAME_BYTES], relu[NAME_BYTES];
    parameter_name(conv, "conv2d", i, "Conv2D");
    parameter_name(norm, "batch_normalization", i, "FusedBatchNormV3");
    parameter_name(relu, "relu", i, "Relu");
    add_conv(builder, i, input, conv);
    add_norm(builder, i, conv, norm);
    FLOAT_NODE(builder, "Relu", relu, norm);
    parameter_name(output, "max_pooling2d", i, "MaxPool");
    add_pool(builder, relu, output);
}

/* dense_i/BiasAdd. */
static void add_dense(GraphBuilder *builder, int i, const char *input)
{
    char kernel[NAME_BYTES], bias[NAME_BYTES], product[NAME_BYTES], sum[NAME_BYTES];
    parameter_name(product, "dense", i, "MatMul");
    parameter_name(sum, "dense", i, "BiasAdd");
    GraphBuilderNode *node =
        NODE(builder, "MatMul", product, input, read_name(kernel, "dense", i, "kernel"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_bool(node, "transpose_a", false);
    graph_builder_attr_bool(node, "transpose_b", false);
    node = NODE(builder, "BiasAdd", sum, product, read_name(bias, "dense", i, "bias"));
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_text(node, "data_format", "NHWC");
}

/* scale/Mul -> probabilities. */
static void add_network(GraphBuilder *builder, Net *net)
{
    char last[NAME_BYTES] = "scale/Mul", next[NAME_BYTES];
    for (int i = 0; i < net_options(net)->hidden_layers; i++) {
        add_block(builder, i, last, next);
        snprintf(last, sizeof(last), "%s", next);
    }
    int64_t n_features = parameters_get(net_parameters(net), "dense/kernel")->shape.dims[0];
    add_reshape(builder, "flatten/Reshape", last, DT_FLOAT, shape_of(-1, n_features));
    add_dense(builder, 0, "flatten/Reshape");
    FLOAT_NODE(builder, "Relu", "dense/Relu", "dense/BiasAdd");
    add_dense(builder, 1, "dense/Relu");
    FLOAT_NODE(builder, "Softmax", "probabilities", "dense_1/BiasAdd");
}

/* ---- output -------------------------------------------------------------------------------- */

static void add_outputs(GraphBuilder *builder)
{
    static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
    Bytes labels[NET_CLASSES];
    for (int k = 0; k < NET_CLASSES; k++)
        labels[k] = bytes_of_text(digits[k]);

    add_int(builder, "classes/dimension", 1);
    GraphBuilderNode *node =
        NODE(builder, "ArgMax", "classes", "probabilities", "classes/dimension");
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_type(node, "Tidx", DT_INT32);
    graph_builder_attr_type(node, "output_type", DT_INT64);

    add_int(builder, "top/k", NET_CLASSES);
    node = NODE(builder, "TopKV2", "top", "probabilities", "top/k");
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_attr_bool(node, "sorted", true);
    add_const(builder, "labels", DT_STRING, shape_of(NET_CLASSES), labels);
    add_int(builder, "labels/axis", 0);
    node = NODE(builder, "GatherV2", "labels/Gather", "labels", "top:1", "labels/axis");
    graph_builder_attr_type(node, "Tparams", DT_STRING);
    graph_builder_attr_type(node, "Tindices", DT_INT32);
    graph_builder_attr_type(node, "Taxis", DT_INT32);
    graph_builder_attr_int(node, "batch_dims", 0);
}

static void add_signatures(GraphBuilder *builder)
{
    const SignatureEntry image = { "image", "image:0", DT_FLOAT,
                                   shape_of(-1, NET_SIZE, NET_SIZE, 1) };
    const SignatureEntry answers[] = {
        { "classes", "classes:0", DT_INT64, shape_of(-1) },
        { "probabilities", "probabilities:0", DT_FLOAT, shape_of(-1, NET_CLASSES) },
    };
    const SignatureEntry examples = { "inputs", "tf_example:0", DT_STRING, shape_of(-1) };
    const SignatureEntry ranks[] = {
        { "classes", "labels/Gather:0", DT_STRING, shape_of(-1, NET_CLASSES) },
        { "scores", "top:0", DT_FLOAT, shape_of(-1, NET_CLASSES) },
    };
    graph_builder_signature(builder, "predict", "tensorflow/serving/predict", 1, &image, 2,
                            answers);
    graph_builder_signature(builder, "serving_default", "tensorflow/serving/predict", 1, &image, 2,
                            answers);
    graph_builder_signature(builder, "classify", "tensorflow/serving/classify", 1, &examples, 2,
                            ranks);
}

Error *export_saved_model(Net *net, const char *export_dir, int64_t version)
{
    _cleanup_(graph_builder_freep) GraphBuilder *builder = graph_builder_new();
    if (builder == NULL)
        return error_out_of_memory();
    const Parameters *parameters = net_parameters(net);
    Tensor values[PARAMETERS_MAX]; /* borrowed by the builder until the bundle is written */
    for (size_t i = 0; i < parameters->n; i++) {
        const Parameter *item = &parameters->items[i];
        values[i] = tensor_view(DT_FLOAT, &item->shape, item->value);
        graph_builder_variable(builder, item->name, &values[i], item->trainable);
    }
    add_examples(builder);
    add_scale(builder);
    add_network(builder, net);
    add_outputs(builder);
    add_signatures(builder);
    return saved_model_write(builder, export_dir, version);
}
