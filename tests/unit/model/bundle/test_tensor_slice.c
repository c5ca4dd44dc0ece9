/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorSlice: keys as TensorFlow encodes them, and the copy of boxes against one by index. Texts
 * and what is refused: test_checkpoint_read.c.
 */
#include "model/bundle/tensor_slice.h"
#include "tests/support/check.h"

typedef Tensorflow__TensorSliceProto__Extent Extent;

/* From indexes that TensorFlow's SaveV2 wrote for slices [start, start + length) of a vector; a
 * length of all is in tests/data/bundles/checkpoints/partitioned. */
static void test_encodes_keys(void **state _unused_)
{
#define KEY(text)                                                                                  \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
    static const struct {
        const char *name;
        int64_t start, length;
        Bytes key;
    } CASES[] = {
        { "v", 1, 63, KEY("\0v\0\1\1\1\x81\xbf") },
        { "v", 64, 64, KEY("\0v\0\1\1\1\xc0@\xc0@") },
        { "v", 64, 8191, KEY("\0v\0\1\1\1\xc0@\xdf\xff") },
        { "v", 8192, 1048575, KEY("\0v\0\1\1\1\xe0 \0\xef\xff\xff") },
        { "v", 1048576, 100000000, KEY("\0v\0\1\1\1\xf0\x10\0\0\xf5\xf5\xe1\0") },
        { "v", (1ll << 40) - 1, 2, KEY("\0v\0\1\1\1\xfc\xff\xff\xff\xff\xff\x82") },
        { "v", 1ll << 40, 1, KEY("\0v\0\1\1\1\xfd\0\0\0\0\0\x81") },
        { "v", (1ll << 54) + 5, 2, KEY("\0v\0\1\1\1\xff@\0\0\0\0\0\5\x82") },
        { "v", (1ll << 55) - 1, 1, KEY("\0v\0\1\1\1\xff\x7f\xff\xff\xff\xff\xff\xff\x81") },
        { "v", (1ll << 62) + 5, 2, KEY("\0v\0\1\1\1\xff\xc0@\0\0\0\0\0\0\5\x82") },
        { "a\xff"
          "b",
          1, 1, KEY("\0a\xff\0b\0\1\1\1\x81\x81") },
    };
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        Extent extent = TENSORFLOW__TENSOR_SLICE_PROTO__EXTENT__INIT;
        extent.start = CASES[i].start;
        extent.has_length_case = TENSORFLOW__TENSOR_SLICE_PROTO__EXTENT__HAS_LENGTH_LENGTH;
        extent.length = CASES[i].length;
        Extent *extents[] = { &extent };
        Tensorflow__TensorSliceProto proto = TENSORFLOW__TENSOR_SLICE_PROTO__INIT;
        proto.n_extent = 1;
        proto.extent = extents;
        _cleanup_(buf_done) Buf key;
        buf_init(&key, 1000);
        assert_ok(tensor_slice_key(CASES[i].name, &proto, &key));
        assert_int_equal(key.size, CASES[i].key.size);
        assert_memory_equal(key.data, CASES[i].key.data, key.size);
    }
}

/* ---- boxes ---------------------------------------------------------------------------------- */

enum { D0 = 3, D1 = 4, D2 = 2 };

/* All boxes of a [3,4,2] tensor, one after the other; 6 * 10 * 3 of them. */
static bool next_box(TensorSlice *box)
{
    for (int d = 2; d >= 0; d--) {
        if (box->start[d] + box->length[d] < box->whole.dims[d]) {
            box->length[d]++;
            return true;
        }
        if (box->start[d] + 1 < box->whole.dims[d]) {
            box->start[d]++;
            box->length[d] = 1;
            return true;
        }
        box->start[d] = 0;
        box->length[d] = 1;
    }
    return false;
}

static TensorSlice first_box(void)
{
    return (TensorSlice){ .whole = { 3, { D0, D1, D2 } }, .length = { 1, 1, 1 } };
}

static bool box_has(const TensorSlice *box, const int64_t *index)
{
    for (int d = 0; d < 3; d++)
        if (index[d] < box->start[d] || index[d] >= box->start[d] + box->length[d])
            return false;
    return true;
}

static size_t place_in(const TensorSlice *box, const int64_t *index)
{
    return (size_t)(((index[0] - box->start[0]) * box->length[1] + index[1] - box->start[1]) *
                        box->length[2] +
                    index[2] - box->start[2]);
}

/* Copies what the boxes have in common, and looks at every element of the tensor. */
static void check_boxes(const TensorSlice *from, const TensorSlice *to)
{
    uint16_t source[D0 * D1 * D2], target[D0 * D1 * D2];
    for (size_t i = 0; i < ARRAY_SIZE(source); i++) {
        source[i] = (uint16_t)(i + 1);
        target[i] = 0;
    }
    TensorSlice common;
    bool meet = tensor_slice_intersect(from, to, &common);
    if (meet)
        tensor_slice_copy(&common, from, source, to, target, sizeof(uint16_t));

    size_t n_common = 0;
    for (int64_t i = 0; i < D0 * D1 * D2; i++) {
        const int64_t index[] = { i / (D1 * D2), i / D2 % D1, i % D2 };
        bool in_both = box_has(from, index) && box_has(to, index);
        n_common += in_both;
        if (in_both)
            assert_int_equal(target[place_in(to, index)], source[place_in(from, index)]);
        else if (box_has(to, index))
            assert_int_equal(target[place_in(to, index)], 0);
    }
    assert_int_equal(meet, n_common > 0);
}

static void test_copies_what_boxes_have_in_common(void **state _unused_)
{
    size_t n_pairs = 0;
    TensorSlice from = first_box();
    do {
        TensorSlice to = first_box();
        do {
            check_boxes(&from, &to);
            n_pairs++;
        } while (next_box(&to));
    } while (next_box(&from));
    assert_int_equal(n_pairs, (6 * 10 * 3) * (6 * 10 * 3));
}

static void test_copies_a_scalar(void **state _unused_)
{
    Shape scalar = shape_of();
    TensorSlice all = tensor_slice_all(&scalar), common;
    assert_true(tensor_slice_intersect(&all, &all, &common));
    float from = 1.5f, to = 0;
    tensor_slice_copy(&common, &all, &from, &all, &to, sizeof(float));
    assert_true(to == from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encodes_keys),
        cmocka_unit_test(test_copies_what_boxes_have_in_common),
        cmocka_unit_test(test_copies_a_scalar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
