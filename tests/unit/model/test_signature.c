/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures and heads: what requests get wrong, in TensorFlow Serving's words, and models shared
 * by threads.
 */
#include <pthread.h>

#include "model/heads.h"
#include "tests/support/check.h"
#include "tests/support/count_malloc.h"

typedef struct Fixture {
    Arena *arena;
    Scratch *scratch;
    Model *heads, *module, *cnn;
} Fixture;

static Model *load(Arena *arena, const char *name)
{
    Model *model = NULL;
    assert_ok(
        model_load(test_path(arena, arena_printf(arena, "data/models/%s", name)), NULL, &model));
    return model;
}

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new(1 << 16, 0);
    f->scratch = scratch_new(1);
    f->heads = load(f->arena, "heads");
    f->module = load(f->arena, "module");
    f->cnn = load(f->arena, "cnn");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;
    model_unref(f->heads);
    model_unref(f->module);
    model_unref(f->cnn);
    scratch_free(f->scratch);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* Runs signature `name` with float vectors named in "a,b" and outputs filtered by "c,d". */
static Error *run(Fixture *f, const Model *model, const char *name, const char *inputs,
                  const char *filter, size_t *ret_n)
{
    static float x[6];
    NamedTensor in[8], *outputs = NULL;
    Bytes wanted[8];
    size_t n_in = 0, n_wanted = 0;
    const Shape shape = shape_of(2, 3);
    for (const char *at = inputs; *at != '\0'; n_in++) {
        size_t n = strcspn(at, ",");
        in[n_in] = (NamedTensor){ { (const uint8_t *)at, n }, tensor_view(DT_FLOAT, &shape, x) };
        at += n + (at[n] == ',');
    }
    for (const char *at = filter; *at != '\0'; n_wanted++) {
        size_t n = strcspn(at, ",");
        wanted[n_wanted] = (Bytes){ (const uint8_t *)at, n };
        at += n + (at[n] == ',');
    }
    const Signature *signature = model_find_signature(model, bytes_of_text(name));
    assert_non_null(signature);
    return signature_run(model, signature, in, n_in, wanted, n_wanted, NULL, f->scratch, f->arena,
                         &outputs, ret_n);
}

static void test_errors(void **state)
{
    static const struct {
        const char *model, *signature, *inputs, *filter, *error;
    } cases[] = {
        { "heads", "both", "x,zz", "",
          "Signature input alias: x2(feed name: x2:0) not found in request and no default value "
          "provided. Inputs expected to be in the request {x,x2}, or default input alias set: " },
        { "heads", "both", "x", "",
          "input size does not match signature: 1!=2 len({x}) != len({x,x2}). Sent extra: {}. "
          "Missing but required: {x2}." },
        { "heads", "both", "zz,x2,x,aa", "",
          "input size does not match signature: 4!=2 len({aa,x,x2,zz}) != len({x,x2}). Sent extra: "
          "{aa,zz}. Missing but required: {}." },
        { "heads", "both", "", "",
          "input size does not match signature: 0!=2 len({}) != len({x,x2}). Sent extra: {}. "
          "Missing but required: {x,x2}." },
        { "heads", "both", "x,x2", "scores,q",
          "output tensor alias not found in signature: q Outputs expected to be in the set "
          "{scores,y}." },
        { "heads", "both", "x,x2", "y,scores,y", "duplicate output tensor alias: y" },
        { "heads", "classify", "inputs", "", "Expects arg[0] to be string but float is provided" },
        { "heads", "classify", "inputs", "nope", "output tensor alias not found" },
        { "module", "scaled", "factor", "",
          "Signature input alias: x(feed name: scaled_x:0) not found in request and no default "
          "value provided. Inputs expected to be in the request {factor,x}, or default input "
          "alias set: factor" },
        { "module", "scaled", "x,q", "",
          "Inputs contains invalid name. Used request inputs: x, request input: q,x" },
        { "module", "scaled", "x,factor,q", "", "input size does not match signature: 3!=2" },
        { "cnn", "predict", "image", "", "[[{{node" },
    };
    Fixture *f = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t n = 0;
        const Model *model = cases[i].model[0] == 'h'   ? f->heads
                             : cases[i].model[0] == 'm' ? f->module
                                                        : f->cnn;
        assert_error(run(f, model, cases[i].signature, cases[i].inputs, cases[i].filter, &n),
                     ERROR_INVALID_ARGUMENT, cases[i].error);
    }
}

static void test_filter(void **state)
{
    Fixture *f = *state;
    static float x[6];
    const Shape shape = shape_of(2, 3), column = shape_of(2, 1);
    const NamedTensor inputs[] = {
        { bytes_of_text("x2"), tensor_view(DT_FLOAT, &column, x) },
        { bytes_of_text("x"), tensor_view(DT_FLOAT, &shape, x) },
    };
    const Bytes filters[] = { bytes_of_text("y"), bytes_of_text("scores") };
    const Signature *both = model_find_signature(f->heads, bytes_of_text("both"));
    NamedTensor *outputs = NULL;
    size_t n = 0;
    assert_ok(signature_run(f->heads, both, inputs, 2, filters, 1, NULL, f->scratch, f->arena,
                            &outputs, &n));
    assert_int_equal(n, 1);
    assert_true(bytes_equal(outputs[0].name, bytes_of_text("y")));
    /* the order of the filter is not that of the outputs */
    assert_ok(signature_run(f->heads, both, inputs, 2, filters, 2, NULL, f->scratch, f->arena,
                            &outputs, &n));
    assert_int_equal(n, 2);
    assert_true(bytes_equal(outputs[0].name, bytes_of_text("scores")));
}

static void test_lookup(void **state)
{
    const Fixture *f = *state;
    size_t n = 0;
    const Signature *signatures = model_signatures(f->module, &n);
    assert_int_equal(n, 3); /* without __saved_model_init_op */
    assert_string_equal(signatures[0].name, "add");
    assert_string_equal(signatures[1].name, "scaled");
    assert_string_equal(signatures[2].name, "serving_default");
    assert_ptr_equal(model_find_signature(f->module, (Bytes){ NULL, 0 }), &signatures[2]);
    assert_null(model_find_signature(f->module, bytes_of_text("Add")));
    assert_string_equal(signatures[1].inputs[0].alias, "factor");
    assert_non_null(signatures[1].inputs[0].default_value);
    assert_null(signatures[1].inputs[1].default_value);
    const Signature *cnn = model_signatures(f->cnn, &n);
    assert_ptr_equal(cnn[0].plan, cnn[1].plan); /* equal signatures are one plan */
}

static void test_text(void **state)
{
    const Fixture *f = *state;
    const Signature *regress = model_find_signature(f->heads, bytes_of_text("regress"));
    assert_string_equal(regress->text, "inputs {\n"
                                       "  key: \"inputs\"\n"
                                       "  value {\n"
                                       "    name: \"tf_example:0\"\n"
                                       "    dtype: DT_STRING\n"
                                       "    tensor_shape {\n"
                                       "      dim {\n"
                                       "        size: -1\n"
                                       "      }\n"
                                       "    }\n"
                                       "  }\n"
                                       "}\n"
                                       "outputs {\n"
                                       "  key: \"outputs\"\n"
                                       "  value {\n"
                                       "    name: \"y:0\"\n"
                                       "    dtype: DT_FLOAT\n"
                                       "    tensor_shape {\n"
                                       "      dim {\n"
                                       "        size: -1\n"
                                       "      }\n"
                                       "      dim {\n"
                                       "        size: 1\n"
                                       "      }\n"
                                       "    }\n"
                                       "  }\n"
                                       "}\n"
                                       "method_name: \"tensorflow/serving/regress\"\n");
}

/* ---- heads --------------------------------------------------------------------------------- */

/* features { feature { key: "x" value { float_list { value: [1, 0, 2] } } } } */
static const uint8_t example_x[] = { 0x0a, 0x17, 0x0a, 0x15, 0x0a, 0x01, 'x',  0x12, 0x10,
                                     0x12, 0x0e, 0x0a, 0x0c, 0,    0,    0x80, 0x3f, 0,
                                     0,    0,    0,    0,    0,    0,    0x40 };

static void test_heads(void **state)
{
    Fixture *f = *state;
    Classification c;
    Regression r;
    const Bytes examples[] = { { example_x, sizeof example_x }, { example_x, sizeof example_x } };
    const Bytes classify = bytes_of_text("classify"), regress = bytes_of_text("regress");
    assert_ok(heads_classify(f->heads, classify, examples, 2, NULL, f->scratch, f->arena, &c));
    assert_int_equal(c.n, 2);
    assert_int_equal(c.k, 2);
    assert_non_null(c.classes);
    assert_true(c.scores[0] >= c.scores[1]);
    assert_true(bytes_equal(c.classes[0], c.classes[2]));
    assert_ok(heads_regress(f->heads, regress, examples, 2, NULL, f->scratch, f->arena, &r));
    assert_int_equal(r.n, 2);
    assert_true(r.values[0] == 2 * 0.25F + 1.5F); /* x2 has its default */

    const Bytes none = { NULL, 0 };
    assert_error(heads_classify(f->heads, classify, examples, 0, NULL, f->scratch, f->arena, &c),
                 ERROR_INVALID_ARGUMENT, "Input is empty.");
    assert_error(heads_classify(f->heads, bytes_of_text("nope"), examples, 1, NULL, f->scratch,
                                f->arena, &c),
                 ERROR_INVALID_ARGUMENT, "No signature was found with the name: nope");
    assert_error(
        heads_regress(f->cnn, bytes_of_text("x"), examples, 1, NULL, f->scratch, f->arena, &r),
        ERROR_INVALID_ARGUMENT, "No signature was found with the name: x");
    assert_error(heads_classify(f->heads, none, examples, 1, NULL, f->scratch, f->arena, &c),
                 ERROR_INVALID_ARGUMENT,
                 "No classification inputs found in SignatureDef: inputs {\n  key: \"x\"");
    assert_error(heads_classify(f->heads, regress, examples, 1, NULL, f->scratch, f->arena, &c),
                 ERROR_INVALID_ARGUMENT,
                 "Expected classification signature outputs to contain at least one of \"classes\" "
                 "or \"scores\". Signature was: inputs {");
    assert_error(heads_classify(f->heads, bytes_of_text("both"), examples, 1, NULL, f->scratch,
                                f->arena, &c),
                 ERROR_INVALID_ARGUMENT, "Expected one input Tensor.");
    assert_error(heads_regress(f->heads, classify, examples, 1, NULL, f->scratch, f->arena, &r),
                 ERROR_INVALID_ARGUMENT, "Expected one output Tensor.");
    assert_error(heads_regress(f->heads, none, examples, 1, NULL, f->scratch, f->arena, &r),
                 ERROR_INVALID_ARGUMENT, "No regression inputs found in SignatureDef: inputs {");
    const Bytes bad = { (const uint8_t *)"\xff\xff", 2 };
    assert_error(heads_classify(f->heads, classify, &bad, 1, NULL, f->scratch, f->arena, &c),
                 ERROR_INVALID_ARGUMENT, "Could not parse example input");
}

/* ---- threads and memory -------------------------------------------------------------------- */

typedef struct Thread {
    pthread_t thread;
    const Model *model;
    Error *error;
    float sum; /* of the last answer */
} Thread;

static Error *ask(const Model *model, int64_t n, Scratch *scratch, Arena *arena, float *ret_sum)
{
    static const float image[4 * 64];
    const Shape shape = shape_of(n, 8, 8, 1);
    const NamedTensor input = { bytes_of_text("image"), tensor_view(DT_FLOAT, &shape, image) };
    NamedTensor *outputs = NULL;
    size_t n_outputs = 0;
    arena_reset(arena, SIZE_MAX);
    TRY(signature_run(model, model_find_signature(model, (Bytes){ NULL, 0 }), &input, 1, NULL, 0,
                      NULL, scratch, arena, &outputs, &n_outputs));
    const Tensor *probabilities = &outputs[1].tensor;
    *ret_sum = 0;
    for (int64_t i = 0; i < probabilities->n; i++)
        *ret_sum += ((const float *)probabilities->data)[i];
    return NULL;
}

static void *thread_main(void *data)
{
    Thread *t = data;
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    for (int i = 0; i < 50 && t->error == NULL; i++) {
        t->error = ask(t->model, 1 + i % 4, scratch, arena, &t->sum);
        if (i % 16 == 0)
            scratch_trim(scratch);
    }
    return NULL;
}

static void test_threads(void **state)
{
    const Fixture *f = *state;
    Thread threads[4] = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        threads[i].model = f->cnn;
        assert_int_equal(pthread_create(&threads[i].thread, NULL, thread_main, &threads[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        pthread_join(threads[i].thread, NULL);
        assert_ok(threads[i].error);
        assert_true(threads[i].sum > 1.99F && threads[i].sum < 2.01F); /* two images */
    }
}

static void test_warm_requests_allocate_nothing(void **state)
{
    Fixture *f = *state;
    float sum = 0;
    for (int i = 0; i < 3; i++)
        assert_ok(ask(f->cnn, 4, f->scratch, f->arena, &sum));
    long before = count_malloc();
    for (int64_t i = 1; i <= 4; i++)
        assert_ok(ask(f->cnn, i, f->scratch, f->arena, &sum));
    assert_int_equal(count_malloc(), before);
}

static void test_memory(void **state)
{
    const Fixture *f = *state;
    /* 1,100 weights; whatever else a version holds, it is no second copy of a bundle */
    assert_true(model_memory_bytes(f->cnn) > 1100 * sizeof(float));
    assert_true(model_memory_bytes(f->cnn) < (size_t)1 << 20);
    assert_ptr_equal(model_ref(f->cnn), f->cnn);
    assert_null(model_unref(f->cnn));
    assert_non_null(model_find_signature(f->cnn, (Bytes){ NULL, 0 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_warm_requests_allocate_nothing),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
