/* SPDX-License-Identifier: Apache-2.0
 *
 * Boxes of tensors: the text that names one, the key that the index keeps one under, and the copy
 * from one to another. No files here. Any thread.
 *
 *     KEY of a slice: "ordered code", whose bytes sort as the values do
 *     number   0: one byte 0, so that slices sort before all names
 *     string   name, where 00 is written 00 ff and ff is written ff 00; then 00 01
 *     number   rank: count of bytes that follow, then the number big-endian without leading zeros
 *     then for each dimension, as signed numbers, start and length (-1: all of it):
 *     signed   big-endian two's complement in n bytes of 7 bits each; the first n bits tell n: ones
 *              and then a zero for a positive number, the reverse for a negative one
 *
 * Source: tensorflow/core/util/saved_tensor_slice_util.cc, lib/strings/ordered_code.cc.
 */
#include "model/bundle/tensor_slice.h"

#include <inttypes.h>

TensorSlice tensor_slice_all(const Shape *whole)
{
    TensorSlice slice = { .whole = *whole };
    for (int d = 0; d < whole->rank; d++)
        slice.length[d] = whole->dims[d];
    return slice;
}

Shape tensor_slice_shape(const TensorSlice *slice)
{
    return shape_make(slice->whole.rank, slice->length);
}

/* ---- from text and proto -------------------------------------------------------------------- */

/* Reads decimal digits; false when there is none or the number does not fit. */
static bool read_number(const char **at, int64_t *ret)
{
    int64_t value = 0;
    const char *p = *at;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *p - '0', &value))
            return false;
    if (p == *at)
        return false;
    *at = p;
    *ret = value;
    return true;
}

static bool read_char(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* True when [start, start + length) lies in [0, whole). */
static bool run_fits(int64_t start, int64_t length, int64_t whole)
{
    return start >= 0 && length >= 0 && start <= whole && length <= whole - start;
}

/* Reads "0,2:-" up to the end of the text, a run for each dimension. */
static bool read_runs(const char *p, TensorSlice *slice)
{
    for (int d = 0; d < slice->whole.rank; d++) {
        if (d > 0 && !read_char(&p, ':'))
            return false;
        if (read_char(&p, '-'))
            continue;
        if (!read_number(&p, &slice->start[d]) || !read_char(&p, ',') ||
            !read_number(&p, &slice->length[d]))
            return false;
        if (slice->length[d] == 0 ||
            !run_fits(slice->start[d], slice->length[d], slice->whole.dims[d]))
            return false;
    }
    return *p == '\0';
}

Error *tensor_slice_parse(const char *spec, const Shape *whole, TensorSlice *ret_slice)
{
    TensorSlice slice = tensor_slice_all(whole);
    const char *p = spec;
    char text[SHAPE_TEXT_BYTES];
    for (int d = 0; d < whole->rank; d++) {
        int64_t dim;
        if (!read_number(&p, &dim) || !read_char(&p, ' ') || dim != whole->dims[d])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "slice spec \"%s\" does not begin with the shape %s that is stored",
                             spec, shape_text(whole, text));
    }
    if (!read_runs(p, &slice))
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "slice spec \"%s\" does not end with a run \"start,length\" or \"-\" inside "
            "each dimension of the shape %s",
            spec, shape_text(whole, text));
    *ret_slice = slice;
    return NULL;
}

Error *tensor_slice_from_proto(const Tensorflow__TensorSliceProto *proto, const Shape *whole,
                               TensorSlice *ret_slice)
{
    if (proto->n_extent != (size_t)whole->rank)
        return error_new(ERROR_DATA_LOSS, "slice has %zu dimensions, its tensor %d",
                         proto->n_extent, whole->rank);

    TensorSlice slice = tensor_slice_all(whole);
    for (int d = 0; d < whole->rank; d++) {
        const Tensorflow__TensorSliceProto__Extent *extent = proto->extent[d];
        slice.start[d] = extent->start;
        if (extent->has_length_case == TENSORFLOW__TENSOR_SLICE_PROTO__EXTENT__HAS_LENGTH_LENGTH)
            slice.length[d] = extent->length;
        if (!run_fits(slice.start[d], slice.length[d], whole->dims[d]))
            return error_new(ERROR_DATA_LOSS,
                             "slice of %" PRId64 " from %" PRId64
                             " does not lie in dimension %d of "
                             "size %" PRId64,
                             slice.length[d], slice.start[d], d, whole->dims[d]);
    }
    *ret_slice = slice;
    return NULL;
}

/* ---- key ------------------------------------------------------------------------------------ */

static Error *append_string(Buf *key, const char *text)
{
    /* The text is a C string, so that only ff needs its mark. */
    for (const char *p = text; *p != '\0'; p++) {
        TRY(buf_append(key, p, 1));
        if ((uint8_t)*p == 0xff)
            TRY(buf_append(key, "\0", 1));
    }
    return buf_append(key, "\x00\x01", 2);
}

static Error *append_number(Buf *key, uint8_t number)
{
    uint8_t code[2] = { 1, number };
    if (number == 0)
        code[0] = 0;
    return buf_append(key, code, 1 + (size_t)code[0]);
}

static Error *append_signed(Buf *key, int64_t number)
{
    uint64_t magnitude = number < 0 ? ~(uint64_t)number : (uint64_t)number;
    unsigned n_bits = magnitude == 0 ? 0 : 64 - (unsigned)__builtin_clzll(magnitude);
    size_t n_bytes =
        n_bits / 7 + 1; /* a bit of each byte for the length, one in all for the sign */

    /* Ten bytes are the most; sign-extended, big-endian. */
    uint8_t code[10];
    memset(code, number < 0 ? 0xff : 0, sizeof(code));
    for (size_t i = 0; i < sizeof(uint64_t); i++)
        code[sizeof(code) - 1 - i] = (uint8_t)((uint64_t)number >> (8 * i));

    /* n_bytes ones at the top, xored in, so that they are zeros in a negative number. */
    uint8_t *first = code + sizeof(code) - n_bytes;
    uint16_t length_bits = (uint16_t)(0xffffu << (16 - n_bytes));
    first[0] ^= (uint8_t)(length_bits >> 8);
    if (n_bytes > 1)
        first[1] ^= (uint8_t)length_bits;
    return buf_append(key, first, n_bytes);
}

Error *tensor_slice_key(const char *name, const Tensorflow__TensorSliceProto *proto, Buf *key)
{
    if (proto->n_extent > SHAPE_MAX_RANK)
        return error_new(ERROR_DATA_LOSS, "slice of %s has %zu dimensions, at most %d are read",
                         name, proto->n_extent, SHAPE_MAX_RANK);
    TRY(append_number(key, 0));
    TRY(append_string(key, name));
    TRY(append_number(key, (uint8_t)proto->n_extent));
    for (size_t d = 0; d < proto->n_extent; d++) {
        const Tensorflow__TensorSliceProto__Extent *extent = proto->extent[d];
        bool is_all =
            extent->has_length_case != TENSORFLOW__TENSOR_SLICE_PROTO__EXTENT__HAS_LENGTH_LENGTH;
        TRY(append_signed(key, extent->start));
        TRY(append_signed(key, is_all ? -1 : extent->length));
    }
    return NULL;
}

/* ---- boxes ---------------------------------------------------------------------------------- */

bool tensor_slice_intersect(const TensorSlice *a, const TensorSlice *b, TensorSlice *ret_common)
{
    TensorSlice common = { .whole = a->whole };
    for (int d = 0; d < a->whole.rank; d++) {
        int64_t a_end = a->start[d] + a->length[d], b_end = b->start[d] + b->length[d];
        int64_t start = a->start[d] > b->start[d] ? a->start[d] : b->start[d];
        int64_t end = a_end < b_end ? a_end : b_end;
        if (end <= start)
            return false;
        common.start[d] = start;
        common.length[d] = end - start;
    }
    *ret_common = common;
    return true;
}

/* The place of the element `index` (of the whole tensor) among the elements of `slice`. */
static size_t element_offset(const TensorSlice *slice, const int64_t *index)
{
    int64_t offset = 0;
    for (int d = 0; d < slice->whole.rank; d++)
        offset = offset * slice->length[d] + (index[d] - slice->start[d]);
    return (size_t)offset;
}

void tensor_slice_copy(const TensorSlice *common, const TensorSlice *from_slice, const void *from,
                       const TensorSlice *to_slice, void *to, size_t element_bytes)
{
    /* Dimensions [n_outer, rank) lie in one run in both boxes: all behind n_outer are whole. */
    int n_outer = common->whole.rank;
    size_t run_bytes = element_bytes;
    bool is_whole = true;
    while (n_outer > 0 && is_whole) {
        n_outer--;
        run_bytes *= (size_t)common->length[n_outer];
        is_whole = common->length[n_outer] == from_slice->length[n_outer] &&
                   common->length[n_outer] == to_slice->length[n_outer];
    }

    int64_t index[SHAPE_MAX_RANK];
    memcpy(index, common->start, sizeof(index));
    for (int d = 0; d >= 0;) {
        memcpy((uint8_t *)to + element_offset(to_slice, index) * element_bytes,
               (const uint8_t *)from + element_offset(from_slice, index) * element_bytes,
               run_bytes);
        for (d = n_outer - 1; d >= 0; d--) {
            if (++index[d] < common->start[d] + common->length[d])
                break;
            index[d] = common->start[d];
        }
    }
}
