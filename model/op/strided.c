/* SPDX-License-Identifier: Apache-2.0
 *
 * StridedCopy: see strided.h.
 */
#include <assert.h>
#include <string.h>

#include "model/op/strided.h"

#define GRAIN_BYTES 65536 /* that one worker copies at a time */

void strided_add(StridedCopy *copy, int64_t dim, int64_t from, int64_t to)
{
    int last = copy->rank - 1;
    if (dim == 1)
        return;
    if (last >= 0 && copy->from[last] == from * dim && copy->to[last] == to * dim) {
        copy->dims[last] *= dim;
        copy->from[last] = from;
        copy->to[last] = to;
        return;
    }
    assert(copy->rank < STRIDED_MAX_RANK);
    copy->dims[copy->rank] = dim;
    copy->from[copy->rank] = from;
    copy->to[copy->rank] = to;
    copy->rank++;
}

#define ROW_LOOP(type)                                                                             \
    {                                                                                              \
        const type *x = from;                                                                      \
        type *y = to;                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i * to_stride] = x[i * from_stride];                                                 \
        return;                                                                                    \
    }

static void copy_row(int64_t n, size_t size, const void *from, int64_t from_stride, void *to,
                     int64_t to_stride)
{
    if (from_stride == 1 && to_stride == 1) {
        memcpy(to, from, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1:
        ROW_LOOP(uint8_t)
    case 2:
        ROW_LOOP(uint16_t)
    case 4:
        ROW_LOOP(uint32_t)
    case 8:
        ROW_LOOP(uint64_t)
    default:
        assert(size == sizeof(Bytes));
        ROW_LOOP(Bytes)
    }
}

void strided_run(const StridedCopy *copy, size_t size, const void *from, void *to)
{
    int64_t index[STRIDED_MAX_RANK] = { 0 };
    int64_t row = 1, from_stride = 1, to_stride = 1;
    int rank = copy->rank;
    for (int d = 0; d < rank; d++) {
        if (copy->dims[d] == 0)
            return;
    }
    if (rank > 0) { /* the last dimension is the rows */
        rank--;
        row = copy->dims[rank];
        from_stride = copy->from[rank];
        to_stride = copy->to[rank];
    }
    const int64_t bytes = (int64_t)size;
    const char *x = from;
    char *y = to;
    for (;;) {
        copy_row(row, size, x, from_stride, y, to_stride);
        int d = rank - 1;
        for (; d >= 0; d--) {
            x += copy->from[d] * bytes;
            y += copy->to[d] * bytes;
            if (++index[d] < copy->dims[d])
                break;
            x -= copy->from[d] * copy->dims[d] * bytes;
            y -= copy->to[d] * copy->dims[d] * bytes;
            index[d] = 0;
        }
        if (d < 0)
            return;
    }
}

typedef struct SharedCopy {
    const StridedCopy *copy;
    size_t size;
    const char *from;
    char *to;
} SharedCopy;

/* Indices [begin, end) of the outermost dimension. */
static void copy_part(void *context, size_t begin, size_t end, int thread)
{
    const SharedCopy *shared = context;
    StridedCopy part = *shared->copy;
    const int64_t first = (int64_t)begin * (int64_t)shared->size;
    (void)thread;
    part.dims[0] = (int64_t)(end - begin);
    strided_run(&part, shared->size, shared->from + first * part.from[0],
                shared->to + first * part.to[0]);
}

void strided_run_shared(const StridedCopy *copy, size_t size, const void *from, void *to,
                        Workers *workers)
{
    SharedCopy shared = { copy, size, from, to };
    size_t inner = size;
    for (int d = 1; d < copy->rank; d++)
        inner *= (size_t)copy->dims[d];
    if (workers == NULL || copy->rank == 0 || inner == 0)
        strided_run(copy, size, from, to);
    else
        workers_for(workers, (size_t)copy->dims[0], GRAIN_BYTES / inner + 1, copy_part, &shared);
}

void shape_strides(const Shape *shape, int64_t strides[SHAPE_MAX_RANK])
{
    uint64_t stride = 1; /* may wrap around where a dimension is 0: nothing is walked then */
    for (int d = shape->rank - 1; d >= 0; d--) {
        strides[d] = (int64_t)stride;
        stride *= (uint64_t)shape->dims[d];
    }
}
