/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes that a bundle of the TF1 form has besides its network's: those of each variable, and
 * those that save and restore all of them. Names are those that TensorFlow's own exporter gives;
 * the loaders find them through SaverDef and VariableDef. One thread at a time.
 *
 *     NAME                                 VarHandleOp
 *     NAME/Initializer/zeros               Const: a loader wants an initial value; restoring
 *                                          replaces it, so it is zeros, which take no room
 *     NAME/Assign                          AssignVariableOp(NAME, NAME/Initializer/zeros)
 *     NAME/IsInitialized/VarIsInitializedOp
 *     NAME/Read/ReadVariableOp             ReadVariableOp(NAME)
 *
 *     save/filename, save/Const            prefix of the checkpoint: "model" unless it is fed
 *     save/SaveV2, save/RestoreV2          with Consts .../tensor_names, .../shape_and_slices
 *     save/control_dependency              Identity(save/Const, ^save/SaveV2): fetched to save
 *     save/AssignVariableOp_I              AssignVariableOp(NAME, save/RestoreV2:I)
 *     save/restore_all                     NoOp(^save/AssignVariableOp_I, ...): run to restore
 *
 * Source: tensorflow/python/training/saver.py, ops/resource_variable_ops.py.
 */
#include "model/bundle/graph_builder.h"

void saver_nodes_add_variable(GraphBuilder *builder, const BuilderVariable *variable)
{
    const char *name = variable->name;
    DType dtype = variable->value->dtype;
    const Shape *shape = &variable->value->shape;

    GraphBuilderNode *handle = graph_builder_node(builder, "VarHandleOp", name, 0, NULL);
    graph_builder_attr_type(handle, "dtype", dtype);
    graph_builder_attr_shape(handle, "shape", shape);
    graph_builder_attr_text(handle, "shared_name", name);

    const char *zeros = graph_builder_printf(builder, "%s/Initializer/zeros", name);
    graph_builder_zeros(builder, zeros, dtype, shape);
    const char *assign = graph_builder_printf(builder, "%s/Assign", name);
    graph_builder_attr_type(
        graph_builder_node(builder, "AssignVariableOp", assign, 2, (const char *[]){ name, zeros }),
        "dtype", dtype);
    graph_builder_node(builder, "VarIsInitializedOp",
                       graph_builder_printf(builder, "%s/IsInitialized/VarIsInitializedOp", name),
                       1, &name);
    const char *read = graph_builder_printf(builder, "%s/Read/ReadVariableOp", name);
    graph_builder_attr_type(graph_builder_node(builder, "ReadVariableOp", read, 1, &name), "dtype",
                            dtype);
}

/* The inputs of SaveV2 and RestoreV2 that say which tensors, as vectors of strings. */
static void add_tensor_names(GraphBuilder *builder, const char *node)
{
    size_t n = builder->variables.n;
    Bytes *names = graph_builder_alloc(builder, n, sizeof(*names));
    Bytes *slices = graph_builder_alloc(builder, n, sizeof(*slices)); /* "": all of the tensor */
    if (names == NULL || slices == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        const BuilderVariable *variable = builder->variables.items[i];
        names[i] = bytes_of_text(variable->name);
        slices[i] = bytes_of_text("");
    }
    Shape shape = shape_of((int64_t)n);
    Tensor tensor = tensor_view(DT_STRING, &shape, names);
    graph_builder_const(builder, graph_builder_printf(builder, "%s/tensor_names", node), &tensor);
    tensor = tensor_view(DT_STRING, &shape, slices);
    graph_builder_const(builder, graph_builder_printf(builder, "%s/shape_and_slices", node),
                        &tensor);
}

static void add_filename(GraphBuilder *builder)
{
    Bytes model = bytes_of_text("model");
    Shape scalar = shape_of();
    Tensor filename = tensor_view(DT_STRING, &scalar, &model);
    graph_builder_const(builder, "save/filename", &filename);
    GraphBuilderNode *fed = graph_builder_node(builder, "PlaceholderWithDefault", "save/Const", 1,
                                               (const char *[]){ "save/filename" });
    graph_builder_attr_type(fed, "dtype", DT_STRING);
    graph_builder_attr_shape(fed, "shape", &scalar);
}

static void add_save(GraphBuilder *builder, const DType *dtypes)
{
    size_t n = builder->variables.n;
    add_tensor_names(builder, "save/SaveV2");
    const char **inputs = graph_builder_alloc(builder, 3 + n, sizeof(*inputs));
    if (inputs == NULL)
        return;
    inputs[0] = "save/Const";
    inputs[1] = "save/SaveV2/tensor_names";
    inputs[2] = "save/SaveV2/shape_and_slices";
    for (size_t i = 0; i < n; i++) {
        const BuilderVariable *variable = builder->variables.items[i];
        inputs[3 + i] = graph_builder_printf(builder, "%s/Read/ReadVariableOp", variable->name);
    }
    graph_builder_attr_types(graph_builder_node(builder, "SaveV2", "save/SaveV2", 3 + n, inputs),
                             "dtypes", n, dtypes);
    GraphBuilderNode *saved = graph_builder_node(builder, "Identity", "save/control_dependency", 2,
                                                 (const char *[]){ "save/Const", "^save/SaveV2" });
    graph_builder_attr_type(saved, "T", DT_STRING);
}

static void add_restore(GraphBuilder *builder, const DType *dtypes)
{
    size_t n = builder->variables.n;
    add_tensor_names(builder, "save/RestoreV2");
    GraphBuilderNode *restore =
        graph_builder_node(builder, "RestoreV2", "save/RestoreV2", 3,
                           (const char *[]){ "save/Const", "save/RestoreV2/tensor_names",
                                             "save/RestoreV2/shape_and_slices" });
    graph_builder_attr_types(restore, "dtypes", n, dtypes);

    const char **restored = graph_builder_alloc(builder, n, sizeof(*restored));
    if (restored == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        const BuilderVariable *variable = builder->variables.items[i];
        const char *output = graph_builder_printf(builder, "save/RestoreV2:%zu", i);
        const char *assign = graph_builder_printf(builder, "save/AssignVariableOp_%zu", i);
        graph_builder_attr_type(graph_builder_node(builder, "AssignVariableOp", assign, 2,
                                                   (const char *[]){ variable->name, output }),
                                "dtype", dtypes[i]);
        restored[i] = graph_builder_printf(builder, "^%s", assign == NULL ? "" : assign);
    }
    graph_builder_node(builder, "NoOp", "save/restore_all", n, restored);
}

void saver_nodes_add(GraphBuilder *builder)
{
    size_t n = builder->variables.n;
    DType *dtypes = graph_builder_alloc(builder, n, sizeof(*dtypes));
    if (dtypes == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        dtypes[i] = ((const BuilderVariable *)builder->variables.items[i])->value->dtype;
    add_filename(builder);
    add_save(builder, dtypes);
    add_restore(builder, dtypes);
}
