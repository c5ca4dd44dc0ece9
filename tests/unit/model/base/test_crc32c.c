/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C: the vectors of RFC 3720 appendix B.4, and every path against a bit-by-bit one.
 */
#include "model/base/crc32c.c"
#include "tests/support/check.h"

static uint32_t plain(uint32_t crc, const uint8_t *data, size_t bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static void test_rfc3720_vectors(void **state _unused_)
{
    uint8_t data[32];
    memset(data, 0, sizeof(data));
    assert_int_equal(crc32c(data, sizeof(data)), 0x8a9136aa);
    memset(data, 0xff, sizeof(data));
    assert_int_equal(crc32c(data, sizeof(data)), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        data[i] = i;
    assert_int_equal(crc32c(data, sizeof(data)), 0x46dd794e);
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(NULL, 0), 0);
}

static void test_paths_agree_at_all_lengths_and_offsets(void **state _unused_)
{
    uint8_t data[100];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * i + 7 * i);
    for (size_t offset = 0; offset < 9; offset++)
        for (size_t n = 0; n + offset <= sizeof(data); n++) {
            uint32_t expected = plain(0x1234, data + offset, n);
            assert_int_equal(crc32c_extend(0x1234, data + offset, n), expected);
            assert_int_equal(~extend_by_table(~0x1234u, data + offset, n), expected);
            uint32_t first = crc32c(data + offset, n / 2);
            assert_int_equal(crc32c_extend(first, data + offset + n / 2, n - n / 2),
                             plain(0, data + offset, n));
        }
}

static void test_mask(void **state _unused_)
{
    assert_int_equal(crc32c_mask(0), 0xa282ead8);
    assert_int_equal(crc32c_unmask(crc32c_mask(0xdeadbeef)), 0xdeadbeef);
    assert_int_not_equal(crc32c_mask(crc32c_mask(1)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3720_vectors),
        cmocka_unit_test(test_paths_agree_at_all_lengths_and_offsets),
        cmocka_unit_test(test_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
