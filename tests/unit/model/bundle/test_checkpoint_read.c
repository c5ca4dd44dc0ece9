/* SPDX-License-Identifier: Apache-2.0
 *
 * CheckpointReader: bundles that TensorFlow wrote are read, of all types, in shards and slices and
 * of the other byte order; files that are damaged, cut off or led astray by links are refused.
 * Hostile entries are test_checkpoint_lies.c.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/model/bundle/made_bundle.h"
#include "tests/unit/model/bundle/plain_tensors.h"

#define CHECKPOINTS "data/bundles/checkpoints/"

static void assert_elements_equal(const Tensor *tensor, const PlainTensor *expected)
{
    assert_int_equal(tensor->dtype, expected->dtype);
    assert_true(shape_equal(&tensor->shape, &expected->shape));
    if (tensor->dtype != DT_STRING) {
        assert_memory_equal(tensor->data, expected->elements, tensor_bytes(tensor));
        return;
    }
    for (int64_t i = 0; i < tensor->n; i++)
        assert_true(
            bytes_equal(((const Bytes *)tensor->data)[i], ((const Bytes *)expected->elements)[i]));
}

static void check_all_types(const char *name)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, name), &reader));
    assert_int_equal(checkpoint_size(reader), ARRAY_SIZE(PLAIN_TENSORS));
    for (size_t i = 0; i < ARRAY_SIZE(PLAIN_TENSORS); i++) {
        const PlainTensor *expected = &PLAIN_TENSORS[i];
        assert_string_equal(checkpoint_key_at(reader, i), expected->key);
        DType dtype;
        Shape shape;
        assert_ok(checkpoint_find(reader, expected->key, &dtype, &shape));
        assert_int_equal(dtype, expected->dtype);
        assert_true(shape_equal(&shape, &expected->shape));
        Tensor tensor;
        assert_ok(checkpoint_read(reader, arena, expected->key, "", &tensor));
        assert_elements_equal(&tensor, expected);
    }
}

static void test_reads_all_types(void **state _unused_)
{
    check_all_types(CHECKPOINTS "plain");
}

static void test_reads_the_other_byte_order(void **state _unused_)
{
    check_all_types(CHECKPOINTS "big_endian");
}

static void test_reads_shards_behind_a_snappy_index(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "sharded"), &reader));
    assert_int_equal(checkpoint_size(reader), 24);
    for (int shard = 0; shard < 3; shard++)
        for (int i = 0; i < 8; i++) {
            Tensor tensor;
            const char *key = arena_printf(arena, "layer_%d/kernel_of_shard_%d", i, shard);
            assert_ok(checkpoint_read(reader, arena, key, "", &tensor));
            assert_int_equal(tensor.n, 4);
            for (int64_t k = 0; k < tensor.n; k++)
                assert_true(((const float *)tensor.data)[k] == (float)(10 * shard + i));
        }
}

static void test_reads_slices(void **state _unused_)
{
    /* `grid`, `rows` and `plain` hold 0..23 as [6,4]; rows [r0,r1) and columns [c0,c1) of it. */
    static const struct {
        const char *key;
        const char *spec;
        int r0, r1, c0, c1;
    } CASES[] = {
        { "grid", "", 0, 6, 0, 4 },
        { "rows", "", 0, 6, 0, 4 },
        { "grid", "6 4 0,2:0,3", 0, 2, 0, 3 },
        { "grid", "6 4 1,3:2,2", 1, 4, 2, 4 },
        { "rows", "6 4 0,3:1,2", 0, 3, 1, 3 },
        { "rows", "6 4 5,1:-", 5, 6, 0, 4 },
        { "rows", "6 4 -:-", 0, 6, 0, 4 },
        { "plain", "6 4 2,3:1,1", 2, 5, 1, 2 },
        { "plain", "6 4 -:3,1", 0, 6, 3, 4 },
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "partitioned"), &reader));
    assert_int_equal(checkpoint_size(reader), 5); /* slices are no keys */
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        Tensor tensor;
        assert_ok(checkpoint_read(reader, arena, CASES[i].key, CASES[i].spec, &tensor));
        Shape shape = shape_of(CASES[i].r1 - CASES[i].r0, CASES[i].c1 - CASES[i].c0);
        assert_true(shape_equal(&tensor.shape, &shape));
        const float *at = tensor.data;
        for (int r = CASES[i].r0; r < CASES[i].r1; r++)
            for (int c = CASES[i].c0; c < CASES[i].c1; c++)
                assert_true(*at++ == (float)(4 * r + c));
    }

    Tensor words, numbers;
    assert_ok(checkpoint_read(reader, arena, "words", "5 1,3", &words));
    assert_int_equal(words.n, 3);
    for (int i = 0; i < 3; i++)
        assert_true(bytes_equal(((const Bytes *)words.data)[i],
                                bytes_of_text(arena_printf(arena, "word %d", i + 1))));
    assert_ok(checkpoint_read(reader, arena, "long", "", &numbers));
    for (int i = 0; i < 300; i++)
        assert_int_equal(((const int64_t *)numbers.data)[i], i);
}

static void test_refuses_wrong_slice_specs(void **state _unused_)
{
    static const char *const SPECS[] = {
        "6",
        "6 4",
        "6 4 ",
        "6 4 -",
        "6 4 -:-:-",
        "6 4 -:-x",
        "4 6 -:-",
        "6 5 -:-",
        "6 4 0,0:-",
        "6 4 0,7:-",
        "6 4 6,1:-",
        "6 4 -1,2:-",
        "6 4 0;2:-",
        "6 4 0,2,-",
        "6 4 0,:-",
        " 6 4 -:-",
        "x",
        "6 4 5,2:-",
        "6 4 0,99999999999999999999:-",
        "6 4 9223372036854775807,1:-",
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "partitioned"), &reader));
    for (size_t i = 0; i < ARRAY_SIZE(SPECS); i++) {
        Tensor tensor;
        assert_error(checkpoint_read(reader, arena, "rows", SPECS[i], &tensor),
                     ERROR_INVALID_ARGUMENT, "slice spec");
    }
}

static void test_names_the_missing_key(void **state _unused_)
{
    static const char *const KEYS[] = { "", "floa", "float_", "FLOAT" };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "plain"), &reader));
    for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
        const char *text = arena_printf(arena, "Key %s not found in checkpoint", KEYS[i]);
        DType dtype;
        Shape shape;
        Tensor tensor;
        assert_error(checkpoint_find(reader, KEYS[i], &dtype, &shape), ERROR_NOT_FOUND, text);
        assert_error(checkpoint_read(reader, arena, KEYS[i], "", &tensor), ERROR_NOT_FOUND, text);
    }
}

/* ---- bundles made here ----------------------------------------------------------------------- */

static void test_refuses_missing_and_short_files(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    assert_error(bundle_open(&bundle), ERROR_NOT_FOUND, "variables.data-00000-of-00001");
    for (size_t n = 0; n < sizeof(AB); n++) {
        bundle_write_data(&bundle, AB, n);
        assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, "too few");
    }
    const char *data = bundle_write_data(&bundle, AB, sizeof(AB));
    assert_ok(bundle_open(&bundle));

    assert_int_equal(unlink(data), 0);
    assert_int_equal(mkdir(data, 0777), 0);
    assert_error(bundle_open(&bundle), ERROR_FAILED_PRECONDITION, "not a regular file");
    assert_int_equal(rmdir(data), 0);
    assert_int_equal(mkfifo(data, 0666), 0);
    assert_error(bundle_open(&bundle), ERROR_FAILED_PRECONDITION, "not a regular file");
    assert_int_equal(unlink(arena_printf(bundle.arena, "%s.index", bundle.prefix)), 0);
    assert_error(bundle_open(&bundle), ERROR_NOT_FOUND, "variables.index");
    bundle_done(&bundle);
}

static void test_checks_the_crc(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    for (size_t i = 0; i < sizeof(AB); i++) {
        uint8_t damaged[sizeof(AB)];
        memcpy(damaged, AB, sizeof(AB));
        damaged[i] ^= 0x10;
        bundle_write_data(&bundle, damaged, sizeof(damaged));
        _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
        assert_ok(checkpoint_open(bundle.prefix, &reader));
        Tensor tensor;
        assert_error(checkpoint_read(reader, bundle.arena, i < 4 ? "a" : "b", "", &tensor),
                     ERROR_DATA_LOSS, "Checksum does not match");
        assert_ok(checkpoint_read(reader, bundle.arena, i < 4 ? "b" : "a", "", &tensor));
    }
    bundle_done(&bundle);
}

static void test_reads_what_was_opened(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    const char *data = bundle_write_data(&bundle, AB, sizeof(AB));
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(bundle.prefix, &reader));
    Tensor tensor;

    /* Another file under the name is not looked at; the same file, cut off, is an error. */
    assert_int_equal(rename(data, arena_printf(bundle.arena, "%s/moved", bundle.directory)), 0);
    bundle_write_data(&bundle, "", 0);
    assert_ok(checkpoint_read(reader, bundle.arena, "b", "", &tensor));
    assert_true(*(const float *)tensor.data == AB[1]);
    assert_int_equal(truncate(arena_printf(bundle.arena, "%s/moved", bundle.directory), 6), 0);
    assert_error(checkpoint_read(reader, bundle.arena, "b", "", &tensor), ERROR_DATA_LOSS, "");
    bundle_done(&bundle);
}

static void test_keeps_to_the_bundle(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    Arena *arena = bundle.arena;
    const char *data = arena_printf(arena, "%s.data-00000-of-00001", bundle.prefix);
    const char *outside = arena_printf(arena, "%s/outside", bundle.directory);
    assert_ok(file_write(outside, AB, sizeof(AB)));

    static const char *const LEADING_OUT[] = { "../outside", "/etc/hostname", "../v/../outside" };
    for (size_t i = 0; i < ARRAY_SIZE(LEADING_OUT); i++) {
        assert_int_equal(symlink(LEADING_OUT[i], data), 0);
        assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, "outside the bundle's directory");
        assert_int_equal(unlink(data), 0);
    }
    /* A directory beside it whose name begins alike is outside too. */
    assert_int_equal(mkdir(arena_printf(arena, "%s/v2", bundle.directory), 0777), 0);
    assert_ok(file_write(arena_printf(arena, "%s/v2/data", bundle.directory), AB, sizeof(AB)));
    assert_int_equal(symlink("../v2/data", data), 0);
    assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, "outside the bundle's directory");
    assert_int_equal(unlink(data), 0);

    /* Links inside, as a volume of Kubernetes has them: data -> ..data/data, ..data -> ..2026. */
    assert_int_equal(mkdir(arena_printf(arena, "%s/v/..2026", bundle.directory), 0777), 0);
    assert_ok(
        file_write(arena_printf(arena, "%s/v/..2026/data", bundle.directory), AB, sizeof(AB)));
    assert_int_equal(symlink("..2026", arena_printf(arena, "%s/v/..data", bundle.directory)), 0);
    assert_int_equal(symlink("..data/data", data), 0);
    assert_ok(bundle_open(&bundle));

    /* Links above. */
    const char *link = arena_printf(arena, "%s/link", bundle.directory);
    assert_int_equal(symlink("v", link), 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(arena_printf(arena, "%s/variables", link), &reader));

    /* A link that leads nowhere. */
    assert_int_equal(unlink(data), 0);
    assert_int_equal(symlink("nowhere", data), 0);
    assert_error(bundle_open(&bundle), ERROR_NOT_FOUND, "data-00000-of-00001");
    bundle_done(&bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_all_types),
        cmocka_unit_test(test_reads_the_other_byte_order),
        cmocka_unit_test(test_reads_shards_behind_a_snappy_index),
        cmocka_unit_test(test_reads_slices),
        cmocka_unit_test(test_refuses_wrong_slice_specs),
        cmocka_unit_test(test_names_the_missing_key),
        cmocka_unit_test(test_refuses_missing_and_short_files),
        cmocka_unit_test(test_checks_the_crc),
        cmocka_unit_test(test_reads_what_was_opened),
        cmocka_unit_test(test_keeps_to_the_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
