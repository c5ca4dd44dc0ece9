/* SPDX-License-Identifier: Apache-2.0
 *
 * TopKV2: the k largest elements of each row, largest first, and their indices; of equal
 * ones the lower index comes first. A heap of k indices, whose top is the worst one kept.
 */
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* Fills index[0..k) for the row x[0..n), best first. */
typedef void TopKLoop(int64_t n, int64_t k, const void *x, int64_t *index);

typedef struct TopKKernel {
    TopKLoop *loop;
    DType dtype;      /* of the elements */
    DType index_type; /* int32 or int64 */
} TopKKernel;

/* is_worse: a is to come behind b in the output. */
#define DEFINE_TOP_K(dt, type, suffix)                                                             \
    static inline bool is_worse_##suffix(const type *x, int64_t a, int64_t b)                      \
    {                                                                                              \
        return x[a] < x[b] || (!(x[b] < x[a]) && a > b);                                           \
    }                                                                                              \
    static void sift_down_##suffix(const type *x, int64_t *heap, int64_t n, int64_t at)            \
    {                                                                                              \
        int64_t moving = heap[at];                                                                 \
        for (int64_t child = 2 * at + 1; child < n; child = 2 * at + 1) {                          \
            if (child + 1 < n && is_worse_##suffix(x, heap[child + 1], heap[child]))               \
                child++;                                                                           \
            if (!is_worse_##suffix(x, heap[child], moving))                                        \
                break;                                                                             \
            heap[at] = heap[child];                                                                \
            at = child;                                                                            \
        }                                                                                          \
        heap[at] = moving;                                                                         \
    }                                                                                              \
    static void top_k_##suffix(int64_t n, int64_t k, const void *xs, int64_t *heap)                \
    {                                                                                              \
        const type *x = xs;                                                                        \
        for (int64_t i = 0; i < k; i++)                                                            \
            heap[i] = i;                                                                           \
        for (int64_t i = k / 2 - 1; i >= 0; i--)                                                   \
            sift_down_##suffix(x, heap, k, i);                                                     \
        for (int64_t i = k; i < n && k > 0; i++) {                                                 \
            if (is_worse_##suffix(x, heap[0], i)) {                                                \
                heap[0] = i;                                                                       \
                sift_down_##suffix(x, heap, k, 0);                                                 \
            }                                                                                      \
        }                                                                                          \
        for (int64_t last = k - 1; last > 0; last--) { /* the worst goes to the end */             \
            int64_t worst = heap[0];                                                               \
            heap[0] = heap[last];                                                                  \
            heap[last] = worst;                                                                    \
            sift_down_##suffix(x, heap, last, 0);                                                  \
        }                                                                                          \
    }
FOR_EACH_NUMBER(DEFINE_TOP_K)

#define TOP_K_ROW(dt, type, suffix) [dt] = top_k_##suffix,
static TopKLoop *const loops[DTYPE_MAX + 1] = { FOR_EACH_NUMBER(TOP_K_ROW) };

Error *top_k_prepare(OpPrepare *prepare)
{
    TopKKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->dtype = prepare->input_dtypes[0];
    kernel->loop = loops[dtype_is_short_float(kernel->dtype) ? DT_FLOAT : kernel->dtype];
    if (kernel->loop == NULL)
        return op_unsupported_type(prepare, kernel->dtype);
    TRY(attrs_type_or(prepare->attrs, "index_type", DT_INT32, &kernel->index_type));
    if (kernel->index_type != DT_INT32 && kernel->index_type != DT_INT64)
        return op_unsupported_type(prepare, kernel->index_type);
    if (prepare->input_dtypes[1] != DT_INT32 && prepare->input_dtypes[1] != DT_INT64)
        return op_unsupported_type(prepare, prepare->input_dtypes[1]);
    prepare->kernel = kernel;
    return NULL;
}

static Error *check_k(const OpContext *c, int64_t *ret_k)
{
    const Shape *shape = &op_input(c, 0)->shape;
    char text[SHAPE_TEXT_BYTES];
    if (op_input(c, 1)->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "k must be scalar, got shape %s",
                         shape_text(&op_input(c, 1)->shape, text));
    int64_t k = tensor_index_at(op_input(c, 1), 0);
    if (k < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Need k >= 0, got %lld", (long long)k);
    if (shape->rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be >= 1-D, got shape %s",
                         shape_text(shape, text));
    if (shape->dims[shape->rank - 1] < k)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input must have at least k columns. Had %lld, needed %lld",
                         (long long)shape->dims[shape->rank - 1], (long long)k);
    *ret_k = k;
    return NULL;
}

static void write_row(const Tensor *x, int64_t first, const int64_t *index, int64_t k, int64_t at,
                      const Tensor *values, const Tensor *indices)
{
    size_t size = dtype_size(x->dtype);
    const char *from = (const char *)x->data + (size_t)first * size;
    char *to = (char *)values->data + (size_t)at * size;
    for (int64_t i = 0; i < k; i++) {
        memcpy(to + (size_t)i * size, from + (size_t)index[i] * size, size);
        if (indices->dtype == DT_INT32)
            ((int32_t *)indices->data)[at + i] = (int32_t)index[i];
        else
            ((int64_t *)indices->data)[at + i] = index[i];
    }
}

Error *top_k_run(OpContext *c)
{
    const TopKKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    int64_t k = 0;
    TRY(check_k(c, &k));
    Shape shape = x->shape;
    int64_t n = shape.dims[shape.rank - 1];
    shape.dims[shape.rank - 1] = k;
    Tensor *values = NULL, *indices = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &values));
    TRY(op_output(c, 1, kernel->index_type, &shape, &indices));
    if (values->n == 0)
        return NULL;
    const float *wide = NULL;
    TRY(shorts_as_floats(c, x, &wide));
    size_t size = dtype_is_short_float(x->dtype) ? sizeof(float) : dtype_size(x->dtype);
    int64_t *index = op_scratch(c, (size_t)k * sizeof(*index));
    if (index == NULL)
        return error_out_of_memory();
    for (int64_t row = 0; row < values->n / k; row++) {
        kernel->loop(n, k, (const char *)wide + (size_t)(row * n) * size, index);
        write_row(x, row * n, index, k, row * k, values, indices);
    }
    return NULL;
}
