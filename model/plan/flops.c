/* SPDX-License-Identifier: Apache-2.0
 *
 * Flops: two for each product that is summed up.
 */
#include "model/plan/flops.h"

#include <string.h>

#include "model/op/window.h"

typedef double Count(const Step *step, const Tensor *const *inputs, const Tensor *outputs);

/* Taps that lie in the image, over all windows of one axis. */
static double count_taps(const WindowAxis *axis)
{
    double taps = 0;
    for (int64_t i = 0; i < axis->out; i++) {
        int64_t first = 0, end = 0;
        window_taps(axis, i, &first, &end);
        taps += (double)(end - first);
    }
    return taps;
}

/* Filters are [rows, columns, in, out]; of a depthwise one `in` and `out` are channels and
 * multiplier. Both take so many products for each tap. */
static Error *count_convolution(const Step *step, const Shape *x, const Shape *filter, double *ret)
{
    static const WindowNames names = { NULL, "strides", "padding", "dilations",
                                       "explicit_paddings" };
    Window window;
    WindowAxis rows, columns;
    TRY(window_from_attrs(step->attrs, &names, &window));
    int first = window.channels_first ? 2 : 1;
    TRY(window_axis(&window, 0, x->dims[first], filter->dims[0], &rows));
    TRY(window_axis(&window, 1, x->dims[first + 1], filter->dims[1], &columns));
    *ret = 2 * (double)x->dims[0] * count_taps(&rows) * count_taps(&columns) *
           (double)filter->dims[2] * (double)filter->dims[3];
    return NULL;
}

static double convolution(const Step *step, const Tensor *const *inputs,
                          _unused_ const Tensor *outputs)
{
    const Shape *x = &inputs[0]->shape, *filter = &inputs[1]->shape;
    double flops = 0;
    if (x->rank == 4 && filter->rank == 4)
        error_free(count_convolution(step, x, filter, &flops));
    return flops;
}

/* [..., m, k] x [..., k, n], either transposed: each of the outputs takes k products. */
static double matrix_product(_unused_ const Step *step, const Tensor *const *inputs,
                             const Tensor *outputs)
{
    const Shape *a = &inputs[0]->shape, *c = &outputs[0].shape;
    if (a->rank < 2 || c->rank < 2 || outputs[0].n == 0)
        return 0;
    double mk = (double)a->dims[a->rank - 1] * (double)a->dims[a->rank - 2];
    return 2 * (double)outputs[0].n * mk / (double)c->dims[c->rank - 2];
}

static const struct {
    const char *op;
    Count *count;
} rows[] = { { "Conv2D", convolution },          { "_FusedConv2D", convolution },
             { "MatMul", matrix_product },       { "DepthwiseConv2dNative", convolution },
             { "_FusedMatMul", matrix_product }, { "_FusedDepthwiseConv2D", convolution },
             { "BatchMatMul", matrix_product },  { "BatchMatMulV2", matrix_product },
             { "BatchMatMulV3", matrix_product } };

double step_flops(const Step *step, const Tensor *const *inputs, const Tensor *outputs)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(step->op->name, rows[i].op) == 0)
            return rows[i].count(step, inputs, outputs);
    return 0;
}
