/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs on many threads: the same bits as on one, and with a crew that runs share, for every model of
 * tests/data whose inputs are plain, at batches that kernels split and that they do not.
 */
#include <pthread.h>

#include "model/model.h"
#include "tests/support/check.h"

#define N_SHARING 3
#define N_ROUNDS 20
#define MAX_OUTPUT_BYTES ((size_t)1 << 20)

static const int batches[] = { 1, 7, 64 };
static const char *const names[] = { "cnn", "heads", "keras", "../../../models/digits/1" };

/* One signature at one batch, and what one thread gives. */
typedef struct Case {
    const Model *model;
    const Signature *signature;
    NamedTensor *inputs;
    Crew *crew;
    uint8_t *wanted; /* all outputs, one behind the other */
    size_t n_wanted;
} Case;

static void run(const Case *c, Scratch *scratch, uint8_t *bytes, size_t *ret_n)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    NamedTensor *outputs = NULL;
    size_t n = 0, at = 0;
    assert_non_null(arena);
    assert_ok(signature_run(c->model, c->signature, c->inputs, c->signature->n_inputs, NULL, 0,
                            NULL, scratch, arena, &outputs, &n));
    for (size_t i = 0; i < n; i++) {
        size_t size = tensor_bytes(&outputs[i].tensor);
        if (!dtype_is_plain(outputs[i].tensor.dtype))
            continue;
        assert_true(at + size <= MAX_OUTPUT_BYTES);
        memcpy(bytes + at, outputs[i].tensor.data, size);
        at += size;
    }
    *ret_n = at;
}

/* Values in -1..1; false when the signature does not take plain floats. */
static bool make_inputs(Arena *arena, Case *c, int batch)
{
    const Signature *signature = c->signature;
    c->inputs = arena_calloc(arena, signature->n_inputs, sizeof *c->inputs);
    assert_non_null(c->inputs);
    srand(1);
    for (size_t i = 0; i < signature->n_inputs; i++) {
        Shape shape = signature->inputs[i].shape;
        if (signature->inputs[i].dtype != DT_FLOAT || shape.rank < 1)
            return false;
        shape.dims[0] = batch;
        Tensor *tensor = &c->inputs[i].tensor;
        assert_ok(tensor_new(arena, DT_FLOAT, &shape, tensor));
        c->inputs[i].name = bytes_of_text(signature->inputs[i].alias);
        for (int64_t k = 0; k < tensor->n; k++)
            ((float *)tensor->data)[k] = (float)(rand() % 2001 - 1000) / 1000;
    }
    return signature->n_inputs > 0 && signature_is_pure(signature);
}

static void check_repeatedly(const Case *c, Scratch *scratch, int n_rounds)
{
    uint8_t *bytes = malloc(MAX_OUTPUT_BYTES);
    assert_non_null(bytes);
    for (int i = 0; i < n_rounds; i++) {
        size_t n = 0;
        run(c, scratch, bytes, &n);
        assert_int_equal(n, c->n_wanted);
        assert_memory_equal(bytes, c->wanted, n);
    }
    free(bytes);
}

static void *share(void *data)
{
    const Case *c = data;
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new_shared(c->crew);
    assert_non_null(scratch);
    check_repeatedly(c, scratch, N_ROUNDS);
    return NULL;
}

static void check_case(Case *c)
{
    _cleanup_(freep) uint8_t *wanted = malloc(MAX_OUTPUT_BYTES);
    _cleanup_(scratch_freep) Scratch *one = scratch_new(1);
    _cleanup_(crew_freep) Crew *crew = NULL;
    assert_true(wanted != NULL && one != NULL);
    run(c, one, wanted, &c->n_wanted);
    c->wanted = wanted;
    assert_true(c->n_wanted > 0);
    for (int n_threads = 2; n_threads <= 3; n_threads++) {
        _cleanup_(scratch_freep) Scratch *many = scratch_new(n_threads);
        assert_non_null(many);
        check_repeatedly(c, many, 3);
    }
    assert_ok(crew_new(2, N_SHARING, &crew));
    c->crew = crew;
    pthread_t threads[N_SHARING];
    for (int i = 0; i < N_SHARING; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, share, c), 0);
    for (int i = 0; i < N_SHARING; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_same_bits(_unused_ void **state)
{
    size_t n_checked = 0;
    for (size_t m = 0; m < ARRAY_SIZE(names); m++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        _cleanup_(model_unrefp) Model *model = NULL;
        assert_non_null(arena);
        const char *path = arena_printf(arena, "data/models/%s", names[m]);
        assert_non_null(path);
        assert_ok(model_load(test_path(arena, path), NULL, &model));
        size_t n = 0;
        const Signature *signatures = model_signatures(model, &n);
        for (size_t i = 0; i < n * ARRAY_SIZE(batches); i++) {
            Case c = { .model = model, .signature = &signatures[i / ARRAY_SIZE(batches)] };
            if (!make_inputs(arena, &c, batches[i % ARRAY_SIZE(batches)]))
                continue;
            check_case(&c);
            n_checked++;
        }
    }
    assert_true(n_checked >= 3 * ARRAY_SIZE(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
