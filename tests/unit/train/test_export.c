/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/export.c: what is exported is loaded by the library, as digit-server does, and
 * must answer as the trainer's own forward pass. (TensorFlow's answers are those of
 * tests/interop/test_train_export.py.)
 */
#include "train/export.h"

#include <math.h>

#include "model/heads.h"
#include "model/model.h"
#include "tests/unit/train/digits.h"
#include "train/fit.h"
#include "train/loss.h"

enum { BATCH = 16, IMAGES = 64 };

#define TOLERANCE 1e-5

/* A bundle and what its network says of BATCH images. */
typedef struct Fixture {
    Arena *arena;
    char directory[TEST_DIRECTORY_BYTES];
    Dataset dataset;
    float *images; /* [BATCH,784] in 0..1 */
    float want[BATCH * NET_CLASSES];
    Model *model;
    Scratch *scratch;
} Fixture;

/* A few steps are enough for weights and moving statistics of no special kind. */
static void fixture_init(Fixture *fixture, int hidden_layers)
{
    NetOptions options = { .hidden_layers = hidden_layers,
                           .dense_units = 24,
                           .batch_size = BATCH,
                           .dropout_rate = 0.4f,
                           .seed = 1 };
    FitOptions fit = { .steps = 8, .batch_size = BATCH, .learning_rate = 0.003, .seed = 1 };
    _cleanup_(net_freep) Net *net = NULL;
    fixture->arena = arena_new(1 << 16, 0);
    fixture->dataset = digits_new(fixture->arena, IMAGES, 1);
    fixture->images = arena_calloc(fixture->arena, BATCH * NET_PIXELS, sizeof(float));
    for (size_t i = 0; i < BATCH * NET_PIXELS; i++)
        fixture->images[i] = (float)fixture->dataset.images[i] / 255.0f;
    assert_ok(net_new(&options, &net));
    assert_ok(fit_train(net, &fixture->dataset, &fit));
    net_predict(net, fixture->images, NULL, BATCH, fixture->want);
    test_directory_make(fixture->directory);
    assert_ok(export_saved_model(net, fixture->directory, 3));
    assert_error(export_saved_model(net, fixture->directory, 3), ERROR_ALREADY_EXISTS, "3");
    fixture->model = NULL;
    assert_ok(
        model_load(file_join(fixture->arena, fixture->directory, "3"), NULL, &fixture->model));
    fixture->scratch = scratch_new(1);
    assert_non_null(fixture->scratch);
}

static void fixture_done(Fixture *fixture)
{
    scratch_free(fixture->scratch);
    model_unref(fixture->model);
    test_directory_remove(fixture->directory);
    arena_free(fixture->arena);
}

/* The answers to `images` under a predict signature are the trainer's. */
static void check_predict(Fixture *fixture, const char *name, const float *images)
{
    const Signature *signature = model_find_signature(fixture->model, bytes_of_text(name));
    assert_non_null(signature);
    assert_string_equal(signature->method_name, "tensorflow/serving/predict");
    Shape shape = shape_of(BATCH, NET_SIZE, NET_SIZE, 1);
    NamedTensor input = { bytes_of_text("image"), tensor_view(DT_FLOAT, &shape, images) };
    NamedTensor *outputs = NULL;
    size_t n = 0;
    assert_ok(signature_run(fixture->model, signature, &input, 1, NULL, 0, NULL, fixture->scratch,
                            fixture->arena, &outputs, &n));
    assert_int_equal(n, 2); /* sorted by alias: classes, probabilities */
    assert_int_equal(outputs[0].tensor.dtype, DT_INT64);
    assert_int_equal(outputs[0].tensor.n, BATCH);
    assert_int_equal(outputs[1].tensor.n, BATCH * NET_CLASSES);
    const float *probabilities = outputs[1].tensor.data;
    for (int i = 0; i < BATCH; i++) {
        assert_int_equal(((int64_t *)outputs[0].tensor.data)[i],
                         loss_argmax(fixture->want + i * NET_CLASSES));
        for (int k = 0; k < NET_CLASSES; k++)
            assert_float_equal(probabilities[i * NET_CLASSES + k],
                               fixture->want[i * NET_CLASSES + k], TOLERANCE);
    }
}

static void test_predict(void **state _unused_)
{
    for (int layers = 0; layers <= NET_MAX_LAYERS; layers++) {
        Fixture fixture;
        fixture_init(&fixture, layers);
        check_predict(&fixture, "predict", fixture.images);
        check_predict(&fixture, "serving_default", fixture.images);
        /* Every second image in 0..255: the rule is of each image by itself. */
        for (size_t i = 0; i < BATCH * NET_PIXELS; i++)
            if (i / NET_PIXELS % 2 == 0)
                fixture.images[i] *= 255.0f;
        check_predict(&fixture, "predict", fixture.images);
        fixture_done(&fixture);
    }
}

/* A serialized tf.Example with one feature: `key`, the 784 bytes of `pixels`. Lengths over 127 are
 * varints of two bytes. */
static Bytes example(Arena *arena, const char *key, const uint8_t *pixels)
{
    static const uint8_t head[] = { 0x0a, 0xa3, 0x06, 0x0a, 0xa0, 0x06, 0x0a, 5 };
    static const uint8_t middle[] = { 0x12, 0x96, 0x06, 0x0a, 0x93, 0x06, 0x0a, 0x90, 0x06 };
    const size_t size = sizeof(head) + 5 + sizeof(middle) + NET_PIXELS;
    uint8_t *data = arena_alloc(arena, size);
    assert_int_equal(strlen(key), 5);
    memcpy(data, head, sizeof(head));
    memcpy(data + sizeof(head), key, 5);
    memcpy(data + sizeof(head) + 5, middle, sizeof(middle));
    memcpy(data + sizeof(head) + 5 + sizeof(middle), pixels, NET_PIXELS);
    return (Bytes){ data, size };
}

static void test_classify(void **state _unused_)
{
    Fixture fixture;
    fixture_init(&fixture, 2);
    Bytes examples[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        examples[i] = example(fixture.arena, "image", fixture.dataset.images + i * NET_PIXELS);
    Classification answer;
    assert_ok(heads_classify(fixture.model, bytes_of_text("classify"), examples, BATCH, NULL,
                             fixture.scratch, fixture.arena, &answer));
    assert_int_equal(answer.n, BATCH);
    assert_int_equal(answer.k, NET_CLASSES);
    for (int i = 0; i < BATCH; i++) {
        const float *want = fixture.want + i * NET_CLASSES;
        for (int k = 0; k < NET_CLASSES; k++) {
            const Bytes label = answer.classes[i * NET_CLASSES + k];
            const float score = answer.scores[i * NET_CLASSES + k];
            assert_int_equal(label.size, 1);
            assert_true(label.data[0] >= '0' && label.data[0] <= '9');
            assert_float_equal(score, want[label.data[0] - '0'], TOLERANCE);
            assert_true(k == 0 || score <= answer.scores[i * NET_CLASSES + k - 1]);
        }
    }
    Bytes other = example(fixture.arena, "pixel", fixture.dataset.images);
    assert_error(heads_classify(fixture.model, bytes_of_text("classify"), &other, 1, NULL,
                                fixture.scratch, fixture.arena, &answer),
                 ERROR_INVALID_ARGUMENT, "image");
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict),
        cmocka_unit_test(test_classify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
