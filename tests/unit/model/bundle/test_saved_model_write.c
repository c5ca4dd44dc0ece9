/* SPDX-License-Identifier: Apache-2.0
 *
 * GraphBuilder and saved_model_write: what is written is read again as it was given, and a version
 * appears whole or not at all. That TensorFlow loads it: tests/interop/test_bundle_writer.py.
 */
#include <dirent.h>

#include "model/base/message.h"
#include "model/bundle/checkpoint_read.h"
#include "model/bundle/saved_model.h"
#include "model/bundle/saved_model_write.h"
#include "model/tensor/tensor_proto.h"
#include "tensorflow/core/framework/variable.pb-c.h"
#include "tests/support/check.h"

static int setup(void **state)
{
    char *directory = malloc(TEST_DIRECTORY_BYTES);
    test_directory_make(directory);
    *state = directory;
    return 0;
}

static int teardown(void **state)
{
    test_directory_remove(*state);
    free(*state);
    return 0;
}

static const float W[6] = { 1, 2, 3, 4, 5, 6 };
static const int64_t STEP = 77;

/* y = x * w, of a trainable w; and a variable that is not. */
static GraphBuilder *build_product(const Tensor *w, const Tensor *step)
{
    GraphBuilder *builder = graph_builder_new();
    assert_non_null(builder);
    graph_builder_variable(builder, "w", w, true);
    graph_builder_variable(builder, "step", step, false);
    GraphBuilderNode *node = graph_builder_node(builder, "Placeholder", "x", 0, NULL);
    graph_builder_attr_type(node, "dtype", DT_FLOAT);
    node = graph_builder_node(builder, "Mul", "y", 2,
                              (const char *[]){ "x", "w/Read/ReadVariableOp" });
    graph_builder_attr_type(node, "T", DT_FLOAT);
    graph_builder_signature(builder, "serving_default", "tensorflow/serving/predict", 1,
                            &(SignatureEntry){ "x", "x:0", DT_FLOAT, { 2, { -1, 3 } } }, 1,
                            &(SignatureEntry){ "y", "y:0", DT_FLOAT, { -1, { 0 } } });
    return builder;
}

static const Tensorflow__NodeDef *find_node(const Tensorflow__MetaGraphDef *meta_graph,
                                            const char *name)
{
    for (size_t i = 0; i < meta_graph->graph_def->n_node; i++)
        if (strcmp(meta_graph->graph_def->node[i]->name, name) == 0)
            return meta_graph->graph_def->node[i];
    return NULL;
}

static const Tensorflow__AttrValue *find_attr(const Tensorflow__NodeDef *node, const char *name)
{
    for (size_t i = 0; i < node->n_attr; i++)
        if (strcmp(node->attr[i]->key, name) == 0)
            return node->attr[i]->value;
    return NULL;
}

static void check_nodes(const Tensorflow__MetaGraphDef *meta_graph)
{
    static const struct {
        const char *name, *op, *inputs; /* joined by blanks */
    } NODES[] = {
        { "w", "VarHandleOp", "" },
        { "w/Initializer/zeros", "Const", "" },
        { "w/Assign", "AssignVariableOp", "w w/Initializer/zeros" },
        { "w/IsInitialized/VarIsInitializedOp", "VarIsInitializedOp", "w" },
        { "w/Read/ReadVariableOp", "ReadVariableOp", "w" },
        { "y", "Mul", "x w/Read/ReadVariableOp" },
        { "save/Const", "PlaceholderWithDefault", "save/filename" },
        { "save/SaveV2", "SaveV2",
          "save/Const save/SaveV2/tensor_names save/SaveV2/shape_and_slices w/Read/ReadVariableOp "
          "step/Read/ReadVariableOp" },
        { "save/control_dependency", "Identity", "save/Const ^save/SaveV2" },
        { "save/RestoreV2", "RestoreV2",
          "save/Const save/RestoreV2/tensor_names save/RestoreV2/shape_and_slices" },
        { "save/AssignVariableOp_1", "AssignVariableOp", "step save/RestoreV2:1" },
        { "save/restore_all", "NoOp", "^save/AssignVariableOp_0 ^save/AssignVariableOp_1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(NODES); i++) {
        const Tensorflow__NodeDef *node = find_node(meta_graph, NODES[i].name);
        assert_non_null(node);
        assert_string_equal(node->op, NODES[i].op);
        char inputs[256] = "";
        for (size_t k = 0; k < node->n_input; k++)
            snprintf(inputs + strlen(inputs), sizeof(inputs) - strlen(inputs), "%s%s",
                     k > 0 ? " " : "", node->input[k]);
        assert_string_equal(inputs, NODES[i].inputs);
    }
}

static void check_collection(Arena *arena, const Tensorflow__MetaGraphDef *meta_graph,
                             const char *name, size_t n, const char *const *variables)
{
    const Tensorflow__CollectionDef *collection = NULL;
    for (size_t i = 0; i < meta_graph->n_collection_def; i++)
        if (strcmp(meta_graph->collection_def[i]->key, name) == 0)
            collection = meta_graph->collection_def[i]->value;
    assert_non_null(collection);
    assert_int_equal(collection->kind_case, TENSORFLOW__COLLECTION_DEF__KIND_BYTES_LIST);
    assert_int_equal(collection->bytes_list->n_value, n);
    for (size_t i = 0; i < n; i++) {
        ProtobufCBinaryData packed = collection->bytes_list->value[i];
        ProtobufCMessage *message;
        assert_ok(message_unpack(arena, &tensorflow__variable_def__descriptor, "VariableDef",
                                 packed.data, packed.len, &message));
        const Tensorflow__VariableDef *def = (const Tensorflow__VariableDef *)message;
        assert_string_equal(def->variable_name, variables[i]);
        assert_true(def->is_resource);
        assert_int_equal(def->trainable, strcmp(variables[i], "w:0") == 0);
    }
}

static void test_writes_what_it_was_given(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    Tensor w = tensor_view(DT_FLOAT, &(Shape){ 2, { 2, 3 } }, W);
    Tensor step = tensor_view(DT_INT64, &(Shape){ 0, { 0 } }, &STEP);
    _cleanup_(graph_builder_freep) GraphBuilder *builder = build_product(&w, &step);
    const char *export = file_join(arena, *state, "not/there/yet");
    assert_ok(saved_model_write(builder, export, 1700000000));

    SavedModel model;
    assert_ok(saved_model_read(arena, file_join(arena, export, "1700000000"),
                               (const char *[]){ "serve" }, 1, &model));
    const Tensorflow__MetaGraphDef *meta_graph = model.meta_graph;
    check_nodes(meta_graph);
    check_collection(arena, meta_graph, "variables", 2, (const char *[]){ "w:0", "step:0" });
    check_collection(arena, meta_graph, "trainable_variables", 1, (const char *[]){ "w:0" });
    assert_string_equal(meta_graph->saver_def->filename_tensor_name, "save/Const:0");
    assert_string_equal(meta_graph->saver_def->restore_op_name, "save/restore_all");
    ProtobufCBinaryData shared_name = find_attr(find_node(meta_graph, "w"), "shared_name")->s;
    assert_true(bytes_equal((Bytes){ shared_name.data, shared_name.len }, bytes_of_text("w")));
    Tensor zeros;
    assert_ok(tensor_from_proto(
        arena, find_attr(find_node(meta_graph, "w/Initializer/zeros"), "value")->tensor, &zeros));
    assert_true(shape_equal(&zeros.shape, &w.shape));
    assert_memory_equal(zeros.data, (float[6]){ 0 }, sizeof(W));

    const Tensorflow__SignatureDef *signature = meta_graph->signature_def[0]->value;
    assert_string_equal(meta_graph->signature_def[0]->key, "serving_default");
    assert_string_equal(signature->method_name, "tensorflow/serving/predict");
    assert_string_equal(signature->inputs[0]->value->name, "x:0");
    assert_int_equal(signature->inputs[0]->value->tensor_shape->dim[0]->size, -1);
    assert_true(signature->outputs[0]->value->tensor_shape->unknown_rank);

    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(model.variables_prefix, &reader));
    Tensor read;
    assert_ok(checkpoint_read(reader, arena, "w", "", &read));
    assert_true(shape_equal(&read.shape, &w.shape));
    assert_memory_equal(read.data, W, sizeof(W));
    assert_ok(checkpoint_read(reader, arena, "step", "", &read));
    assert_int_equal(*(const int64_t *)read.data, STEP);

    /* The builder is not used up. */
    assert_ok(saved_model_write(builder, export, 1700000001));
}

static void test_needs_no_variables(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(graph_builder_freep) GraphBuilder *builder = graph_builder_new();
    Bytes text = bytes_of_text("text");
    Tensor value = tensor_view(DT_STRING, &(Shape){ 0, { 0 } }, &text);
    graph_builder_const(builder, "c", &value);
    assert_ok(saved_model_write(builder, *state, 0));
    SavedModel model;
    assert_ok(saved_model_read(arena, file_join(arena, *state, "0"), (const char *[]){ "serve" }, 1,
                               &model));
    assert_null(model.variables_prefix);
    assert_null(model.meta_graph->saver_def);
    assert_false(file_exists(arena_printf(arena, "%s/0/variables", (const char *)*state)));
    Tensor read;
    assert_ok(tensor_from_proto(arena, find_attr(find_node(model.meta_graph, "c"), "value")->tensor,
                                &read));
    assert_true(bytes_equal(*(const Bytes *)read.data, text));
}

/* The names in the directory, "." and ".." left out. */
static size_t count_names(const char *directory)
{
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    size_t n = 0;
    while (readdir(stream) != NULL)
        n++;
    closedir(stream);
    return n - 2;
}

static void test_leaves_nothing_behind_on_failure(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    Tensor step = tensor_view(DT_INT64, &(Shape){ 0, { 0 } }, &STEP);

    /* Kept from the building of the graph. */
    GraphBuilder *builder = graph_builder_new();
    graph_builder_variable(builder, "v", &step, false);
    graph_builder_node(builder, "NoOp", "v", 0, NULL);
    graph_builder_node(builder, "NoOp", "v/Assign", 0, NULL);
    assert_error(saved_model_write(builder, *state, 1), ERROR_INVALID_ARGUMENT,
                 "two nodes of the graph are named \"v\"");
    graph_builder_free(builder);
    assert_int_equal(count_names(*state), 0);

    /* Found when half is written: a name that no checkpoint takes. */
    builder = graph_builder_new();
    char *name = arena_calloc(arena, 1, 9000);
    memset(name, 'n', 8999);
    graph_builder_variable(builder, "v", &step, false);
    graph_builder_variable(builder, name, &step, false);
    assert_error(saved_model_write(builder, *state, 1), ERROR_INVALID_ARGUMENT, "from 1 to 8192");
    graph_builder_free(builder);
    assert_int_equal(count_names(*state), 0);

    builder = graph_builder_new();
    assert_error(saved_model_write(builder, *state, -1), ERROR_INVALID_ARGUMENT, "negative");
    assert_int_equal(count_names(*state), 0);
    graph_builder_free(builder);
    assert_null(graph_builder_free(NULL));
}

static void test_does_not_overwrite(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(graph_builder_freep) GraphBuilder *builder = graph_builder_new();
    assert_ok(saved_model_write(builder, *state, 5));
    assert_error(saved_model_write(builder, *state, 5), ERROR_ALREADY_EXISTS, "/5\" exists");
    assert_ok(file_write(file_join(arena, *state, "6"), "file", 4));
    assert_error(saved_model_write(builder, *state, 6), ERROR_ALREADY_EXISTS, "/6\" exists");
    assert_int_equal(count_names(*state), 2);

    /* A file where the directory should be. */
    Error *error = saved_model_write(builder, file_join(arena, *state, "6"), 1);
    assert_non_null(error);
    error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_what_it_was_given, setup, teardown),
        cmocka_unit_test_setup_teardown(test_needs_no_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leaves_nothing_behind_on_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_does_not_overwrite, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
