/* SPDX-License-Identifier: Apache-2.0
 *
 * The two records "a" and "" as TensorFlow's tf.io.TFRecordWriter writes them: whole, cut off and
 * changed.
 */
#include "server/service/record.h"

#include "tests/support/check.h"

static const uint8_t file[] = {
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x75, 0xde, 0x41, /* head */
    'a',                                                                    /* bytes */
    0x78, 0x6e, 0xe4, 0x28,                                                 /* foot */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x29, 0x03, 0x98, 0x07, /* head */
    0xd8, 0xea, 0x82, 0xa2,                                                 /* foot */
};

static void test_whole(void **state)
{
    (void)state;
    Bytes rest = { file, sizeof(file) }, record;
    assert_ok(record_next(&rest, &record));
    assert_true(bytes_equal(record, bytes_of_text("a")));
    assert_ok(record_next(&rest, &record));
    assert_int_equal(record.size, 0);
    assert_int_equal(rest.size, 0);
}

static void test_cut_off(void **state)
{
    (void)state;
    for (size_t size = 1; size < 17; size++) {
        Bytes rest = { file, size }, record;
        assert_error(record_next(&rest, &record), ERROR_DATA_LOSS, "truncated record");
        assert_int_equal(rest.size, size);
    }
}

static void test_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 17; i++) {
        uint8_t copy[sizeof(file)];
        memcpy(copy, file, sizeof(file));
        copy[i] ^= 0x10;
        Bytes rest = { copy, sizeof(copy) }, record;
        assert_error(record_next(&rest, &record), ERROR_DATA_LOSS, "corrupted record");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
