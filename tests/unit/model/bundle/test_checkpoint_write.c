/* SPDX-License-Identifier: Apache-2.0
 *
 * CheckpointWriter: the files have the same bytes as TensorFlow's for the same tensors; nothing is
 * left of what was not finished.
 */
#include <unistd.h>

#include "model/bundle/checkpoint_read.h"
#include "model/bundle/checkpoint_write.h"
#include "tests/support/check.h"
#include "tests/unit/model/bundle/plain_tensors.h"

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

static void assert_same_bytes(Arena *arena, const char *path, const char *expected_name)
{
    uint8_t *written;
    size_t n_written, n_expected;
    assert_ok(file_read(arena, path, SIZE_MAX, &written, &n_written));
    uint8_t *expected = test_read(arena, expected_name, &n_expected);
    assert_int_equal(n_written, n_expected);
    assert_memory_equal(written, expected, n_expected);
}

static void test_writes_the_bytes_of_tensorflow(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    const char *prefix = file_join(arena, *state, "plain");
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    assert_ok(checkpoint_writer_new(prefix, &writer));
    for (size_t i = 0; i < ARRAY_SIZE(PLAIN_TENSORS); i++) {
        const PlainTensor *plain = &PLAIN_TENSORS[i];
        Tensor tensor = tensor_view(plain->dtype, &plain->shape, plain->elements);
        assert_ok(checkpoint_write(writer, plain->key, &tensor));
    }
    assert_ok(checkpoint_writer_finish(writer));
    writer = checkpoint_writer_free(writer);
    assert_same_bytes(arena, arena_printf(arena, "%s.index", prefix),
                      "data/bundles/checkpoints/plain.index");
    assert_same_bytes(arena, arena_printf(arena, "%s.data-00000-of-00001", prefix),
                      "data/bundles/checkpoints/plain.data-00000-of-00001");
}

/* Keys in an order that is not theirs; enough of them for several index blocks. */
static void test_sorts_keys(void **state)
{
    enum { N = 10007 };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    const char *prefix = file_join(arena, *state, "many");
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    assert_ok(checkpoint_writer_new(prefix, &writer));
    Shape scalar = shape_of();
    for (int64_t i = 0; i < N; i++) {
        int64_t number = i * 5003 % N;
        Tensor tensor = tensor_view(DT_INT64, &scalar, &number);
        const char *key = arena_printf(arena, "key/of/the/number/%05lld", (long long)number);
        assert_ok(checkpoint_write(writer, key, &tensor));
    }
    assert_ok(checkpoint_writer_finish(writer));

    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(prefix, &reader));
    assert_int_equal(checkpoint_size(reader), N);
    for (size_t i = 0; i < N; i++) {
        Tensor tensor;
        assert_ok(checkpoint_read(reader, arena, checkpoint_key_at(reader, i), "", &tensor));
        assert_int_equal(*(const int64_t *)tensor.data, i);
    }
}

static void test_writes_a_bundle_of_nothing(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    const char *prefix = file_join(arena, *state, "nothing");
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    assert_ok(checkpoint_writer_new(prefix, &writer));
    assert_ok(checkpoint_writer_finish(writer));
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(prefix, &reader));
    assert_int_equal(checkpoint_size(reader), 0);
}

static void test_refuses_wrong_keys_and_types(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    assert_ok(checkpoint_writer_new(file_join(arena, *state, "wrong"), &writer));
    Shape scalar = shape_of();
    static const float ONE = 1;
    Tensor tensor = tensor_view(DT_FLOAT, &scalar, &ONE);
    assert_ok(checkpoint_write(writer, "a", &tensor));
    assert_error(checkpoint_write(writer, "a", &tensor), ERROR_ALREADY_EXISTS, "key a");
    assert_error(checkpoint_write(writer, "", &tensor), ERROR_INVALID_ARGUMENT, "key of 0 bytes");
    char *key = arena_calloc(arena, 1, 8194);
    memset(key, 'k', 8193);
    assert_error(checkpoint_write(writer, key, &tensor), ERROR_INVALID_ARGUMENT, "from 1 to 8192");
    tensor.dtype = DT_RESOURCE;
    assert_error(checkpoint_write(writer, "b", &tensor), ERROR_INVALID_ARGUMENT, "type resource");
}

static void test_leaves_nothing_unfinished(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    const char *prefix = file_join(arena, *state, "unfinished");
    const char *data = arena_printf(arena, "%s.data-00000-of-00001", prefix);
    CheckpointWriter *writer = NULL;
    assert_ok(checkpoint_writer_new(prefix, &writer));
    assert_true(file_exists(data));
    assert_null(checkpoint_writer_free(writer));
    assert_false(file_exists(data));
    assert_null(checkpoint_writer_free(NULL));

    /* The index cannot take the place of a directory. */
    const char *index = arena_printf(arena, "%s.index", prefix);
    assert_ok(file_make_directories(index));
    assert_ok(checkpoint_writer_new(prefix, &writer));
    Error *error = checkpoint_writer_finish(writer);
    assert_non_null(error);
    error_free(error);
    checkpoint_writer_free(writer);
    assert_false(file_exists(data));

    assert_error(checkpoint_writer_new(file_join(arena, *state, "no/such/prefix"), &writer),
                 ERROR_UNAVAILABLE, "no/such/prefix.data-00000-of-00001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_the_bytes_of_tensorflow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sorts_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writes_a_bundle_of_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_wrong_keys_and_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leaves_nothing_unfinished, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
