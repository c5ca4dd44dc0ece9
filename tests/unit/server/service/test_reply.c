/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies: the bytes, unpacked by protobuf-c and packed again to the same size, so that nothing is
 * there that another library would not have written.
 */
#include "model/tensor/tensor.h"
#include "server/service/reply.h"
#include "tensorflow_serving/apis/classification.pb-c.h"
#include "tensorflow_serving/apis/get_model_metadata.pb-c.h"
#include "tensorflow_serving/apis/inference.pb-c.h"
#include "tensorflow_serving/apis/predict.pb-c.h"
#include "tensorflow_serving/apis/regression.pb-c.h"
#include "tests/unit/server/service/reply_fixture.h"

static void assert_spec(const Tensorflow__Serving__ModelSpec *spec, const char *name,
                        int64_t version, const char *signature)
{
    assert_non_null(spec);
    assert_string_equal(spec->name, name);
    assert_string_equal(spec->signature_name, signature);
    assert_int_equal(spec->version_choice_case,
                     TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION);
    assert_int_equal(spec->version->value, version);
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void test_outputs(void **state)
{
    (void)state;
    static const float floats[] = { 1, 2.5f, -3 };
    static const int64_t longs[] = { -1 };
    Shape vector = shape_of(3), scalar = shape_of();
    NamedTensor outputs[] = {
        { bytes_of_text("classes"), tensor_view(DT_INT64, &scalar, longs) },
        { bytes_of_text("scores"), tensor_view(DT_FLOAT, &vector, floats) },
    };
    static const struct {
        const char *signature, *resolved;
        int64_t version;
        bool as_content;
    } cases[] = { { "", "serving_default", 0, false },
                  { "s", "s", 1, false },
                  { "s", "s", INT64_MAX, true } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Call call = { 0 };
        ModelSpec spec = { .is_there = true,
                           .name = bytes_of_text("m"),
                           .signature_name = bytes_of_text(cases[i].signature) };
        assert_ok(reply_outputs(&call, &spec, cases[i].version, outputs, 2, cases[i].as_content));
        ProtobufCMessage *message =
            unpack(&call, &tensorflow__serving__predict_response__descriptor);
        Tensorflow__Serving__PredictResponse *r = (Tensorflow__Serving__PredictResponse *)message;
        assert_spec(r->model_spec, "m", cases[i].version, cases[i].resolved);
        assert_int_equal(r->n_outputs, 2);
        assert_string_equal(r->outputs[0]->key, "classes");
        assert_int_equal(r->outputs[0]->value->dtype, DT_INT64);
        assert_non_null(r->outputs[0]->value->tensor_shape);
        assert_string_equal(r->outputs[1]->key, "scores");
        const Tensorflow__TensorProto *first = r->outputs[0]->value, *second = r->outputs[1]->value;
        if (cases[i].as_content) {
            assert_int_equal(first->n_int64_val + second->n_float_val, 0);
            assert_int_equal(first->tensor_content.len, sizeof(longs[0]));
            assert_memory_equal(first->tensor_content.data, longs, sizeof(longs[0]));
            assert_int_equal(second->tensor_content.len, sizeof(floats));
            assert_memory_equal(second->tensor_content.data, floats, sizeof(floats));
        } else {
            assert_int_equal(first->n_int64_val, 1);
            assert_int_equal(first->int64_val[0], -1);
            assert_int_equal(second->n_float_val, 3);
            assert_memory_equal(second->float_val, floats, sizeof(floats));
        }
        protobuf_c_message_free_unpacked(message, NULL);
        call_clear(&call);
    }
}

static void test_classification(void **state)
{
    (void)state;
    Bytes labels[] = { bytes_of_text("a"), bytes_of_text(""), bytes_of_text("ccc"),
                       bytes_of_text("d") };
    static const float scores[] = { 0.5f, 0, -2, 1 };
    static const struct {
        bool classes, scores;
        int64_t n, k;
    } cases[] = {
        { true, true, 2, 2 },
        { true, false, 1, 4 },
        { false, true, 4, 1 },
        { true, true, 3, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Call call = { 0 };
        ModelSpec spec = { .is_there = true, .name = bytes_of_text("m") };
        Classification c = { cases[i].n, cases[i].k, cases[i].classes ? labels : NULL,
                             cases[i].scores ? scores : NULL };
        const Inference inference = { &spec, 3, false, { .classification = c } };
        assert_ok(reply_inference(&call, &inference));
        ProtobufCMessage *message =
            unpack(&call, &tensorflow__serving__classification_response__descriptor);
        Tensorflow__Serving__ClassificationResponse *r =
            (Tensorflow__Serving__ClassificationResponse *)message;
        assert_spec(r->model_spec, "m", 3, "serving_default");
        assert_int_equal(r->result->n_classifications, c.n);
        for (int64_t at = 0; at < c.n * c.k; at++) {
            const Tensorflow__Serving__Classifications *row = r->result->classifications[at / c.k];
            assert_int_equal(row->n_classes, c.k);
            assert_string_equal(row->classes[at % c.k]->label,
                                c.classes ? (const char *)labels[at].data : "");
            float expected = c.scores ? scores[at] : 0;
            assert_memory_equal(&row->classes[at % c.k]->score, &expected, sizeof(float));
        }
        protobuf_c_message_free_unpacked(message, NULL);
        call_clear(&call);
    }
}

static void test_regression(void **state)
{
    (void)state;
    static const float values[] = { 2.5f, 0, -1 };
    for (int64_t n = 0; n <= 3; n++) {
        Call call = { 0 };
        ModelSpec spec = { .is_there = true,
                           .name = bytes_of_text("m"),
                           .signature_name = bytes_of_text("regress") };
        const Inference inference = { &spec, 7, true, { .regression = { n, values } } };
        assert_ok(reply_inference(&call, &inference));
        ProtobufCMessage *message =
            unpack(&call, &tensorflow__serving__regression_response__descriptor);
        Tensorflow__Serving__RegressionResponse *r =
            (Tensorflow__Serving__RegressionResponse *)message;
        assert_spec(r->model_spec, "m", 7, "regress");
        assert_int_equal(r->result->n_regressions, n);
        for (int64_t i = 0; i < n; i++)
            assert_memory_equal(&r->result->regressions[i]->value, &values[i], sizeof(float));
        protobuf_c_message_free_unpacked(message, NULL);
        call_clear(&call);
    }
}

static void test_inferences(void **state)
{
    (void)state;
    static const float values[] = { 2.5f };
    Call call = { 0 };
    ModelSpec specs[2] = { { .is_there = true,
                             .name = bytes_of_text("m"),
                             .signature_name = bytes_of_text("regress") },
                           { .is_there = true, .name = bytes_of_text("m") } };
    const Inference inferences[] = {
        { &specs[0], 7, true, { .regression = { 1, values } } },
        { &specs[1], 7, false, { .classification = { 1, 1, NULL, values } } },
    };
    assert_ok(reply_inferences(&call, inferences, 2));
    ProtobufCMessage *message =
        unpack(&call, &tensorflow__serving__multi_inference_response__descriptor);
    Tensorflow__Serving__MultiInferenceResponse *r =
        (Tensorflow__Serving__MultiInferenceResponse *)message;
    assert_int_equal(r->n_results, 2);
    assert_spec(r->results[0]->model_spec, "m", 7, "regress");
    assert_int_equal(r->results[0]->result_case,
                     TENSORFLOW__SERVING__INFERENCE_RESULT__RESULT_REGRESSION_RESULT);
    assert_true(r->results[0]->regression_result->regressions[0]->value == 2.5f);
    assert_spec(r->results[1]->model_spec, "m", 7, "serving_default");
    assert_int_equal(r->results[1]->result_case,
                     TENSORFLOW__SERVING__INFERENCE_RESULT__RESULT_CLASSIFICATION_RESULT);
    assert_true(r->results[1]->classification_result->classifications[0]->classes[0]->score ==
                2.5f);
    protobuf_c_message_free_unpacked(message, NULL);
    call_clear(&call);
}

static void test_signatures(void **state)
{
    (void)state;
    Call call = { 0 };
    ModelSpec spec = { .is_there = true,
                       .name = bytes_of_text("m"),
                       .signature_name = bytes_of_text("not echoed") };
    assert_ok(
        reply_signatures(&call, &spec, 12, (Bytes){ (const uint8_t *)"\x0a\x02\x0a\x00", 4 }));
    ProtobufCMessage *message =
        unpack(&call, &tensorflow__serving__get_model_metadata_response__descriptor);
    Tensorflow__Serving__GetModelMetadataResponse *r =
        (Tensorflow__Serving__GetModelMetadataResponse *)message;
    assert_spec(r->model_spec, "m", 12, "");
    assert_int_equal(r->n_metadata, 1);
    assert_string_equal(r->metadata[0]->key, "signature_def");
    assert_string_equal(r->metadata[0]->value->type_url,
                        "type.googleapis.com/tensorflow.serving.SignatureDefMap");
    assert_int_equal(r->metadata[0]->value->value.len, 4);
    protobuf_c_message_free_unpacked(message, NULL);
    call_clear(&call);
}

/* A tensor that says it is huge: refused before a byte is written. */
static void test_reply_over_the_limit(void **state)
{
    (void)state;
    Call call = { 0 };
    ModelSpec spec = { .is_there = true, .name = bytes_of_text("m") };
    Shape shape = shape_of((int64_t)1 << 29);
    static const float one = 1;
    NamedTensor output = { bytes_of_text("y"), tensor_view(DT_FLOAT, &shape, &one) };
    assert_error(reply_outputs(&call, &spec, 1, &output, 1, false), ERROR_RESOURCE_EXHAUSTED,
                 "a message may have 2147483647");
    assert_null(call.reply);
}

static void test_errors(void **state)
{
    (void)state;
    char text[1100];
    memset(text, 'x', sizeof(text));
    static const size_t sizes[] = { 0, 5, 1023, 1024, 1025, 1099 };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        Call call = { 0 };
        reply_error(&call, error_new(ERROR_NOT_FOUND, "%.*s", (int)sizes[i], text));
        assert_int_equal(call.error->code, ERROR_NOT_FOUND);
        size_t kept = sizes[i] < 1024 ? sizes[i] : 1024;
        assert_memory_equal(call.error->text, text, kept);
        assert_string_equal(call.error->text + kept, sizes[i] > 1024 ? "...TRUNCATED" : "");
        call_clear(&call);
    }
    Call call = { 0 };
    reply_error(&call, NULL);
    assert_null(call.error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),    cmocka_unit_test(test_classification),
        cmocka_unit_test(test_regression), cmocka_unit_test(test_inferences),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_reply_over_the_limit),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
