/* SPDX-License-Identifier: Apache-2.0
 *
 * Order: see order.h. An element becomes a 64-bit key: numbers that are equal have equal keys. The
 * order of keys is not that of numbers; that is not needed. A merge sort, bottom up: stable, and
 * without malloc. Any thread.
 */
#include "model/op/order.h"

#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/tensor/half.h"

#define NAN_KEY UINT64_MAX /* no number has it: that would be a NaN or an integer of 64 bits */

Slices1D slices_along(const Tensor *tensor, int axis)
{
    const Shape *shape = &tensor->shape;
    return (Slices1D){ tensor, dims_product(shape, 0, axis), shape->dims[axis],
                       dims_product(shape, axis + 1, shape->rank) };
}

Slices1D slices_flat(const Tensor *tensor)
{
    return (Slices1D){ tensor, 1, tensor->n, 1 };
}

static uint64_t key_of_double(double v)
{
    uint64_t bits = 0;
    v = v == 0 ? 0 : v; /* -0 too */
    memcpy(&bits, &v, sizeof(bits));
    return isnan(v) ? NAN_KEY : bits;
}

static uint64_t key_at(const Tensor *t, int64_t i)
{
    size_t size = dtype_size(t->dtype);
    uint64_t bits = 0;
    switch (t->dtype) {
    case DT_FLOAT:
        return key_of_double((double)((const float *)t->data)[i]);
    case DT_DOUBLE:
        return key_of_double(((const double *)t->data)[i]);
    case DT_HALF:
        return key_of_double((double)half_to_float(((const uint16_t *)t->data)[i]));
    case DT_BFLOAT16:
        return key_of_double((double)bfloat16_to_float(((const uint16_t *)t->data)[i]));
    default:
        memcpy(&bits, (const char *)t->data + (size_t)i * size, size);
        return bits;
    }
}

static int compare_strings(const Bytes *a, const Bytes *b)
{
    size_t n = a->size < b->size ? a->size : b->size;
    int order = n == 0 ? 0 : memcmp(a->data, b->data, n);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_elements(const Tensor *a, int64_t i, const Tensor *b, int64_t j)
{
    if (a->dtype == DT_STRING)
        return compare_strings((const Bytes *)a->data + i, (const Bytes *)b->data + j);
    uint64_t x = key_at(a, i), y = key_at(b, j);
    return (x > y) - (x < y);
}

int slices_compare(const Slices1D *a, int64_t i, const Slices1D *b, int64_t j)
{
    int order = 0;
    for (int64_t o = 0; o < a->outer && order == 0; o++) {
        for (int64_t k = 0; k < a->inner && order == 0; k++)
            order = compare_elements(a->tensor, (o * a->n + i) * a->inner + k, b->tensor,
                                     (o * b->n + j) * b->inner + k);
    }
    return order;
}

bool slice_has_nan(const Slices1D *s, int64_t i)
{
    if (!dtype_is_floating(s->tensor->dtype))
        return false;
    for (int64_t o = 0; o < s->outer; o++) {
        for (int64_t k = 0; k < s->inner; k++) {
            if (key_at(s->tensor, (o * s->n + i) * s->inner + k) == NAN_KEY)
                return true;
        }
    }
    return false;
}

/* from[begin..middle) and from[middle..end), both sorted, into to[begin..end). */
static void merge(const Slices1D *s, const int64_t *from, const int64_t bounds[3], int64_t *to)
{
    int64_t a = bounds[0], b = bounds[1];
    for (int64_t k = bounds[0]; k < bounds[2]; k++) {
        bool takes_a =
            a < bounds[1] && (b == bounds[2] || slices_compare(s, from[a], s, from[b]) <= 0);
        to[k] = takes_a ? from[a++] : from[b++];
    }
}

void slices_sort(const Slices1D *s, int64_t *order, int64_t *spare)
{
    int64_t *from = order, *to = spare, n = s->n;
    for (int64_t i = 0; i < n; i++)
        from[i] = i;
    for (int64_t width = 1; width < n; width *= 2) {
        for (int64_t at = 0; at < n; at += 2 * width) {
            int64_t middle = at + width < n ? at + width : n;
            int64_t end = middle + width < n ? middle + width : n;
            merge(s, from, (const int64_t[]){ at, middle, end }, to);
        }
        int64_t *last = from;
        from = to;
        to = last;
    }
    if (from != order && n > 0)
        memcpy(order, from, (size_t)n * sizeof(*order));
}
