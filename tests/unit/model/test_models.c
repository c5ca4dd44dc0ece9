/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole models: the bundles of tests/data/models, which TensorFlow wrote, asked what TensorFlow was
 * asked, and compared with what it answered (make_models.py).
 */
#include <math.h>

#include "model/base/message.h"
#include "model/bundle/saved_model_write.h"
#include "model/model.h"
#include "model/tensor/tensor_proto.h"
#include "tensorflow_serving/apis/predict.pb-c.h"
#include "tests/support/check.h"

typedef Tensorflow__Serving__PredictRequest Request;
typedef Tensorflow__Serving__PredictResponse Response;

/* The next message of a file of cases, or NULL at its end. */
static ProtobufCMessage *next_message(Arena *arena, Bytes *rest,
                                      const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = NULL;
    if (rest->size == 0)
        return NULL;
    assert_true(rest->size >= 4);
    size_t size = load_le32(rest->data);
    assert_true(rest->size - 4 >= size);
    assert_ok(message_unpack(arena, descriptor, "case", rest->data + 4, size, &message));
    *rest = (Bytes){ rest->data + 4 + size, rest->size - 4 - size };
    return message;
}

static void assert_close(const char *name, const Tensor *got, const Tensor *wanted)
{
    if (got->dtype != wanted->dtype || !shape_equal(&got->shape, &wanted->shape)) {
        char a[SHAPE_TEXT_BYTES], b[SHAPE_TEXT_BYTES];
        fail_msg("%s: %s %s, expected %s %s", name, dtype_name(got->dtype),
                 shape_text(&got->shape, a), dtype_name(wanted->dtype),
                 shape_text(&wanted->shape, b));
    }
    if (got->dtype != DT_FLOAT) {
        assert_true(tensor_equal(got, wanted));
        return;
    }
    for (int64_t i = 0; i < got->n; i++) {
        float x = ((const float *)got->data)[i], y = ((const float *)wanted->data)[i];
        if (!(fabsf(x - y) <= 1e-5F * (1 + fabsf(y))))
            fail_msg("%s[%lld] is %g, expected %g", name, (long long)i, (double)x, (double)y);
    }
}

static void run_case(const Model *model, Scratch *scratch, Arena *arena, const Request *request,
                     const Response *response)
{
    NamedTensor inputs[8], *outputs = NULL;
    size_t n_outputs = 0;
    const Signature *signature =
        model_find_signature(model, bytes_of_text(request->model_spec->signature_name));
    assert_non_null(signature);
    assert_true(request->n_inputs <= ARRAY_SIZE(inputs));
    for (size_t i = 0; i < request->n_inputs; i++) {
        inputs[i].name = bytes_of_text(request->inputs[i]->key);
        assert_ok(tensor_from_proto(arena, request->inputs[i]->value, &inputs[i].tensor));
    }
    assert_ok(signature_run(model, signature, inputs, request->n_inputs, NULL, 0, NULL, scratch,
                            arena, &outputs, &n_outputs));
    assert_int_equal(n_outputs, response->n_outputs);
    for (size_t i = 0; i < n_outputs; i++) {
        Tensor wanted = { 0 };
        for (size_t k = 0; k < response->n_outputs; k++)
            if (bytes_equal(outputs[i].name, bytes_of_text(response->outputs[k]->key)))
                assert_ok(tensor_from_proto(arena, response->outputs[k]->value, &wanted));
        assert_close((const char *)outputs[i].name.data, &outputs[i].tensor, &wanted);
    }
}

/* Loads the model and runs its cases once, in order: some change its state. */
static void test_model(void **state)
{
    const char *name = *state;
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    _cleanup_(model_unrefp) Model *model = NULL;
    Bytes rest;
    size_t n = 0;
    char *directory = test_path(arena, arena_printf(arena, "data/models/%s", name));
    assert_ok(model_load(directory, NULL, &model));
    rest.data = test_read(arena, arena_printf(arena, "data/models/%s/cases", name), &rest.size);
    for (;; n++) {
        const ProtobufCMessage *request =
            next_message(arena, &rest, &tensorflow__serving__predict_request__descriptor);
        const ProtobufCMessage *response =
            next_message(arena, &rest, &tensorflow__serving__predict_response__descriptor);
        if (request == NULL)
            break;
        run_case(model, scratch, arena, (const Request *)request, (const Response *)response);
    }
    assert_true(n > 0);
}

static Error *load(const char *name, const char *const *tags, size_t n_tags)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    _cleanup_(model_unrefp) Model *model = NULL;
    const ModelOptions options = { .tags = tags, .n_tags = n_tags };
    return model_load(test_path(arena, name), &options, &model);
}

static void test_tags(_unused_ void **state)
{
    static const char *const tags[] = { "gpu", "serve" };
    assert_ok(load("data/bundles/meta_graphs", NULL, 0));
    assert_ok(load("data/bundles/meta_graphs", tags, 2));
    assert_error(load("data/bundles/meta_graphs", tags, 1), ERROR_NOT_FOUND, "{ gpu }");
    assert_ok(load("data/bundles/no_variables", NULL, 0));
    assert_error(load("data/bundles/checkpoints", NULL, 0), ERROR_NOT_FOUND,
                 "does not appear to contain a SavedModel bundle");
}

/* A bundle of one variable and one signature, `op` on the variable; damaged when wanted. */
static Error *load_written(const char *op, bool cut)
{
    char directory[TEST_DIRECTORY_BYTES];
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    _cleanup_(graph_builder_freep) GraphBuilder *builder = graph_builder_new();
    _cleanup_(model_unrefp) Model *model = NULL;
    static const float values[] = { 1, 2, 3 };
    static const char *const inputs[] = { "v/Read/ReadVariableOp" };
    const Shape shape = shape_of(3);
    const Tensor value = tensor_view(DT_FLOAT, &shape, values);
    const SignatureEntry output = { "y", "y:0", DT_FLOAT, shape };
    test_directory_make(directory);
    graph_builder_variable(builder, "v", &value, true);
    graph_builder_attr_type(graph_builder_node(builder, op, "y", 1, inputs), "T", DT_FLOAT);
    graph_builder_signature(builder, "serving_default", "tensorflow/serving/predict", 0, NULL, 1,
                            &output);
    assert_ok(saved_model_write(builder, directory, 1));
    char *version = file_join(arena, directory, "1");
    char *data = file_join(arena, version, "variables/variables.data-00000-of-00001");
    if (cut)
        assert_ok(file_write(data, values, 4));
    Error *error = model_load(version, NULL, &model);
    test_directory_remove(directory);
    return error;
}

static void test_damaged(_unused_ void **state)
{
    assert_ok(load_written("Neg", false));
    assert_error(load_written("Frobnicate", false), ERROR_UNIMPLEMENTED,
                 "signature 'serving_default': op 'Frobnicate' of node 'y' is not supported");
    assert_error(load_written("Neg", true), ERROR_DATA_LOSS,
                 "restoring the variables with 'save/restore_all'");
}

#define MODEL_TEST(name)                                                                           \
    {                                                                                              \
        "model " name, test_model, NULL, NULL, (void *)name                                        \
    }

/* Only the models named on the command line: tests/interop makes some at test time. */
static int run_models(int n, char **names)
{
    int n_failed = 0;
    for (int i = 0; i < n; i++) {
        const struct CMUnitTest test[] = { { names[i], test_model, NULL, NULL, names[i] } };
        n_failed += cmocka_run_group_tests_name(names[i], test, NULL, NULL);
    }
    return n_failed;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return run_models(argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags), cmocka_unit_test(test_damaged),
        MODEL_TEST("cnn"),           MODEL_TEST("heads"),
        MODEL_TEST("counter"),       MODEL_TEST("assets"),
        MODEL_TEST("module"),        MODEL_TEST("keras"),
        MODEL_TEST("tables"),        MODEL_TEST("tables_v1"),
        MODEL_TEST("control"),       MODEL_TEST("lists"),
        MODEL_TEST("recurrent"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
