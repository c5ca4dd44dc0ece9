/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip both ways, and what is cut off, damaged or too large.
 */
#include "server/rest/gzip.h"
#include "tests/support/check.h"

#define PLAIN_BYTES 300000

static void fill(Buf *buf)
{
    for (unsigned i = 0; buf->size < PLAIN_BYTES; i++)
        assert_ok(buf_printf(buf, "%u,", i * 2654435761u));
}

static Bytes bytes_of(const Buf *buf)
{
    return (Bytes){ buf->data, buf->size };
}

static void test_there_and_back(void **state)
{
    (void)state;
    Buf plain, small, twice, back;
    buf_init(&plain, 1 << 20);
    buf_init(&small, 1 << 20);
    buf_init(&twice, 1 << 20);
    buf_init(&back, 1 << 20);
    fill(&plain);
    assert_ok(gzip_write(bytes_of(&plain), &small));
    assert_true(small.size < plain.size);
    assert_ok(gzip_read(bytes_of(&small), &back));
    assert_int_equal(back.size, plain.size);
    assert_memory_equal(back.data, plain.data, plain.size);

    /* Two files in a row are one. */
    assert_ok(buf_append(&twice, small.data, small.size));
    assert_ok(buf_append(&twice, small.data, small.size));
    back.size = 0;
    assert_ok(gzip_read(bytes_of(&twice), &back));
    assert_int_equal(back.size, 2 * plain.size);
    buf_done(&plain);
    buf_done(&small);
    buf_done(&twice);
    buf_done(&back);
}

static void test_limits(void **state)
{
    (void)state;
    Buf plain, small, back;
    buf_init(&plain, 1 << 20);
    buf_init(&small, 1 << 20);
    fill(&plain);
    assert_ok(gzip_write(bytes_of(&plain), &small));
    buf_init(&back, PLAIN_BYTES - 1);
    assert_error(gzip_read(bytes_of(&small), &back), ERROR_RESOURCE_EXHAUSTED, "limit is 299999");
    buf_done(&back);
    buf_init(&back, 100);
    assert_error(gzip_write(bytes_of(&plain), &back), ERROR_RESOURCE_EXHAUSTED, "limit is 100");
    buf_done(&back);
    for (size_t n = 0; n < small.size; n += n < 30 ? 1 : 9973) {
        buf_init(&back, 1 << 20);
        assert_error(gzip_read((Bytes){ small.data, n }, &back), ERROR_INVALID_ARGUMENT,
                     "the request's body is no gzip file: it is cut off");
        buf_done(&back);
    }
    buf_init(&back, 1 << 20);
    small.data[small.size - 8] ^= 1; /* the checksum */
    assert_error(gzip_read(bytes_of(&small), &back), ERROR_INVALID_ARGUMENT,
                 "incorrect data check");
    assert_error(gzip_read(bytes_of_text("{\"instances\": [1]}"), &back), ERROR_INVALID_ARGUMENT,
                 "incorrect header check");
    buf_done(&back);
    buf_done(&plain);
    buf_done(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
