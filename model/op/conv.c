/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv2D and _FusedConv2D (fused.h): attributes, checks in TensorFlow's words, and the choice of a
 * form: depthwise where each input channel is a group of its own, else direct. A constant filter
 * is packed once; another is packed by each run, which costs little beside the products. Channels
 * last; double and int32 in plain loops, all else as float. Any thread.
 */
#include "model/op/conv.h"

#include <string.h>

#include "model/op/conv_plain.h"
#include "model/op/elementwise.h"
#include "model/op/fused.h"
#include "model/op/kernels.h"
#include "model/op/pool.h"

typedef struct ConvKernel {
    Window window;
    Activation activation;
    FusedResidual residual;
    int n_biases;      /* 0 or 1 */
    bool is_depthwise; /* the filter is [h,w,C,M], as DepthwiseConv2dNative has it */
    bool has_pool;
    Window pool;
    Shape filter;         /* when the filter is constant; else rank 0 */
    const float *weights; /* the same as it was, where a depthwise run may want it */
    const float *panels;  /* packed; NULL when the filter is not constant */
    const float *bias;    /* [conv_bias_floats]; NULL when it is not constant */
} ConvKernel;

/* ---- prepare ------------------------------------------------------------------------------- */

static const float *padded_bias(Arena *arena, const float *bias, size_t n)
{
    float *padded = arena_calloc(arena, conv_bias_floats(n), sizeof(float));
    if (padded != NULL && bias != NULL)
        memcpy(padded, bias, n * sizeof(float));
    return padded;
}

/* Packs a constant filter of a sensible shape; run words the error for any other. A filter of depth
 * 1 is kept as well: how many channels the input has, and so whether it is a depthwise
 * convolution, is known to run only. */
static Error *pack_filter(OpPrepare *prepare, ConvKernel *kernel)
{
    const Tensor *filter = prepare->constants[1];
    if (filter == NULL || filter->shape.rank != 4 || filter->n == 0 || kernel->is_depthwise)
        return NULL;
    size_t n = (size_t)filter->shape.dims[3], k = (size_t)filter->n / n;
    size_t floats = panel_floats(k, n);
    float *panels =
        floats == 0 ? NULL : arena_alloc_aligned(prepare->arena, floats * sizeof(float));
    if (panels == NULL)
        return error_out_of_memory();
    panel_pack(filter->data, n, false, k, n, panels);
    kernel->panels = panels;
    kernel->filter = filter->shape;
    prepare->release_input[1] = filter->shape.dims[2] != 1;
    if (filter->shape.dims[2] == 1)
        kernel->weights = filter->data;
    return NULL;
}

static Error *pack_bias(OpPrepare *prepare, ConvKernel *kernel)
{
    const Tensor *bias = kernel->n_biases > 0 ? prepare->constants[2] : NULL;
    if (kernel->panels == NULL || (kernel->n_biases > 0 && bias == NULL) ||
        (bias != NULL && (bias->shape.rank != 1 || bias->n != kernel->filter.dims[3])))
        return NULL;
    kernel->bias = padded_bias(prepare->arena, bias != NULL ? bias->data : NULL,
                               (size_t)kernel->filter.dims[3]);
    if (kernel->bias == NULL)
        return error_out_of_memory();
    if (bias != NULL)
        prepare->release_input[2] = true;
    return NULL;
}

static Error *prepare_kernel(OpPrepare *prepare, bool is_depthwise, ConvKernel **ret_kernel)
{
    ConvKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->is_depthwise = is_depthwise;
    TRY(fused_residual(prepare, &kernel->residual));
    kernel->n_biases = prepare->n_inputs - 2 - (kernel->residual != RESIDUAL_NONE);
    if (!conv_plain_has(prepare->input_dtypes[0]))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(window_of_convolution(prepare->attrs, &kernel->window));
    if (prepare->input_dtypes[0] == DT_FLOAT) {
        TRY(pack_filter(prepare, kernel));
        TRY(pack_bias(prepare, kernel));
    }
    prepare->kernel = kernel;
    *ret_kernel = kernel;
    return NULL;
}

Error *conv_prepare(OpPrepare *prepare)
{
    ConvKernel *kernel = NULL;
    return prepare_kernel(prepare, false, &kernel);
}

static Error *prepare_fused(OpPrepare *prepare, bool is_depthwise)
{
    ConvKernel *kernel = NULL;
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(prepare_kernel(prepare, is_depthwise, &kernel));
    TRY(fused_activation(prepare->attrs, &kernel->activation));
    kernel->has_pool = attrs_find(prepare->attrs, "pool_ksize") != NULL;
    if (kernel->has_pool)
        TRY(window_from_attrs(prepare->attrs,
                              &(WindowNames){ .size = "pool_ksize",
                                              .strides = "pool_strides",
                                              .padding = "pool_padding" },
                              &kernel->pool));
    return NULL;
}

Error *fused_conv_prepare(OpPrepare *prepare)
{
    return prepare_fused(prepare, false);
}

Error *fused_depthwise_prepare(OpPrepare *prepare)
{
    return prepare_fused(prepare, true);
}

/* ---- run ----------------------------------------------------------------------------------- */

static Error *check_shapes(const Shape *x, const Shape *filter)
{
    char text[SHAPE_TEXT_BYTES];
    if (x->rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be 4-dimensional%s",
                         shape_text(x, text));
    if (filter->rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "filter must be 4-dimensional: %s",
                         shape_text(filter, text));
    for (int i = 0; i < 4; i++) {
        if (filter->dims[i] == 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "filter must not have zero elements (i.e. all dimensions must be "
                             "non-zero)");
    }
    int64_t in_c = x->dims[3], filter_c = filter->dims[2];
    if (in_c % filter_c != 0 || in_c == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input depth must be evenly divisible by filter depth: %lld vs %lld",
                         (long long)in_c, (long long)filter_c);
    if (filter->dims[3] % (in_c / filter_c) != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "output depth must be evenly divisible by number of groups: %lld vs %lld",
                         (long long)filter->dims[3], (long long)(in_c / filter_c));
    return NULL;
}

static Error *check_bias(const OpContext *context, const ConvShape *s)
{
    const Shape product = shape_of(s->batch, s->rows.out, s->columns.out, s->out_c);
    const Tensor *bias = op_input(context, 2);
    char bias_text[SHAPE_TEXT_BYTES], value_text[SHAPE_TEXT_BYTES];
    if (bias->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Biases must be 1D: %s",
                         shape_text(&bias->shape, bias_text));
    if (bias->n != s->out_c)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Must provide as many biases as the last dimension of the input tensor: "
                         "%s vs. %s",
                         shape_text(&bias->shape, bias_text), shape_text(&product, value_text));
    return NULL;
}

static bool is_depthwise_shape(const ConvShape *s)
{
    return s->groups == s->in_c && s->groups > 1;
}

/* What a convolution does behind its sums. */
typedef struct Tail {
    Activation activation;
    bool pools; /* as ConvDirect has them */
    bool adds;
} Tail;

/* The convolution alone (with what `tail` says) into `y`. */
static Error *run_conv(OpContext *context, const ConvShape *s, const Tail *tail, float *y)
{
    const ConvKernel *kernel = context->kernel;
    const float *x = op_input(context, 0)->data;
    /* What is not constant is read, and packed, each time. */
    bool reads_filter = kernel->panels == NULL, reads_bias = kernel->bias == NULL;
    const float *bias = !reads_bias            ? kernel->bias
                        : kernel->n_biases > 0 ? op_input(context, 2)->data
                                               : NULL;
    if (is_depthwise_shape(s)) {
        depthwise_conv_run(
            &(Depthwise){ .shape = *s,
                          .x = x,
                          .filter = reads_filter ? op_input(context, 1)->data : kernel->weights,
                          .bias = bias,
                          .activation = tail->activation,
                          .y = y },
            context->workers);
        return NULL;
    }
    ConvDirect conv = { .shape = *s,
                        .form = panel_form(),
                        .x = x,
                        .panels = kernel->panels,
                        .bias = kernel->bias,
                        .activation = tail->activation,
                        .pools = tail->pools,
                        .adds = tail->adds,
                        .y = y };
    size_t n = (size_t)s->out_c;
    if (reads_filter) {
        size_t k = (size_t)op_input(context, 1)->n / n, floats = panel_floats(k, n);
        float *panels = floats == 0 ? NULL : op_scratch(context, floats * sizeof(float));
        if (panels == NULL)
            return error_out_of_memory();
        panel_pack(op_input(context, 1)->data, n, false, k, n, panels);
        conv.panels = panels;
    }
    if (reads_bias) {
        float *padded = op_scratch(context, conv_bias_floats(n) * sizeof(float));
        if (padded == NULL)
            return error_out_of_memory();
        memset(padded, 0, conv_bias_floats(n) * sizeof(float));
        if (bias != NULL)
            memcpy(padded, bias, n * sizeof(float));
        conv.bias = padded;
    }
    return conv_direct_run(&conv, context);
}

/* A pool that tiles can take: whole windows of 2x2, side by side. */
static bool is_tile_pool(const ConvKernel *kernel, const ConvShape *s)
{
    const Window *p = &kernel->pool;
    return p->size[0] == 2 && p->size[1] == 2 && p->stride[0] == 2 && p->stride[1] == 2 &&
           (p->padding == PADDING_VALID || (s->rows.out % 2 == 0 && s->columns.out % 2 == 0)) &&
           activation_is_monotone(&kernel->activation) && !is_depthwise_shape(s);
}

/* The convolution with `tail` into scratch. */
static Error *run_aside(OpContext *context, const ConvShape *s, const Tail *tail,
                        Tensor *ret_product)
{
    const Shape shape = shape_of(s->batch, s->rows.out, s->columns.out, s->out_c);
    Tensor product = { .dtype = DT_FLOAT, .shape = shape };
    TRY(shape_count(&shape, &product.n));
    product.data = op_scratch(context, tensor_bytes(&product));
    if (product.data == NULL)
        return error_out_of_memory();
    if (product.n > 0)
        TRY(run_conv(context, s, tail, product.data));
    *ret_product = product;
    return NULL;
}

static Error *run_pooled(OpContext *context, const ConvShape *s, Pool *pool)
{
    const ConvKernel *kernel = context->kernel;
    const Tail tail = { .activation = kernel->activation };
    Tensor product;
    TRY(run_aside(context, s, &tail, &product));
    pool->x = product.data;
    pool_run(pool, context->workers);
    return NULL;
}

/* Sums that start from the residual, in its memory if nobody else needs it. */
static Error *run_residual(OpContext *context, const ConvShape *s)
{
    const ConvKernel *kernel = context->kernel;
    const Shape shape = shape_of(s->batch, s->rows.out, s->columns.out, s->out_c);
    const Tensor *residual = op_input(context, context->n_inputs - 1);
    if (is_depthwise_shape(s) || !shape_equal(&shape, &residual->shape)) {
        const Tail nothing = { .adds = false };
        Tensor product;
        TRY(run_aside(context, s, &nothing, &product));
        return fused_add(context, kernel->residual, &kernel->activation, &product);
    }
    const Tail tail = { .activation = kernel->activation, .adds = true };
    Tensor *y = NULL;
    TRY(op_output_reuse(context, 0, context->n_inputs - 1, DT_FLOAT, &shape, &y));
    if (y->n == 0)
        return NULL;
    if (y->data != residual->data)
        memcpy(y->data, residual->data, tensor_bytes(y));
    return run_conv(context, s, &tail, y->data);
}

Error *conv_run(OpContext *context)
{
    const ConvKernel *kernel = context->kernel;
    const Tensor *x = op_input(context, 0);
    Shape filter = kernel->panels != NULL ? kernel->filter : op_input(context, 1)->shape;
    if (kernel->is_depthwise) {
        int64_t out_c = 0;
        TRY(depthwise_check(&x->shape, &filter, &out_c));
        filter = shape_of(filter.dims[0], filter.dims[1], 1, out_c);
    }
    TRY(check_shapes(&x->shape, &filter));
    const int64_t *d = x->shape.dims, *f = filter.dims;
    ConvShape s = { .batch = d[0], .in_c = d[3], .out_c = f[3], .groups = d[3] / f[2] };
    TRY(window_axis(&kernel->window, 0, d[1], f[0], &s.rows));
    TRY(window_axis(&kernel->window, 1, d[2], f[1], &s.columns));
    if (kernel->n_biases > 0 && kernel->bias == NULL)
        TRY(check_bias(context, &s));
    if (kernel->residual != RESIDUAL_NONE)
        return run_residual(context, &s);
    Pool pool = {
        .dtype = DT_FLOAT, .batch = s.batch, .channels = s.out_c, .axes = { window_flat_axis }
    };
    Shape shape = shape_of(s.batch, s.rows.out, s.columns.out, s.out_c);
    if (kernel->has_pool) {
        TRY(window_axis(&kernel->pool, 0, s.rows.out, kernel->pool.size[0], &pool.axes[1]));
        TRY(window_axis(&kernel->pool, 1, s.columns.out, kernel->pool.size[1], &pool.axes[2]));
        shape.dims[1] = pool.axes[1].out;
        shape.dims[2] = pool.axes[2].out;
    }
    Tensor *y = NULL;
    TRY(op_output(context, 0, x->dtype, &shape, &y));
    pool.y = y->data;
    if (y->n == 0)
        return NULL;
    if (x->dtype != DT_FLOAT) {
        conv_plain_image(&s, x, op_input(context, 1), y, context->workers);
        return NULL;
    }
    if (kernel->has_pool && !is_tile_pool(kernel, &s))
        return run_pooled(context, &s, &pool);
    const Tail tail = { .activation = kernel->activation, .pools = kernel->has_pool };
    return run_conv(context, &s, &tail, y->data);
}
