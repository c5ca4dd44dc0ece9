/* SPDX-License-Identifier: Apache-2.0
 *
 * MatMul, _FusedMatMul (fused.h), BatchMatMul, V2 and V3. Constant weights run as a dense layer on
 * packed panels, all else on OpenBLAS (gemm.h); integers in plain loops. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/fused.h"
#include "model/op/gemm.h"
#include "model/op/kernels.h"
#include "model/op/matmul.h"

typedef struct MatmulKernel {
    bool transpose_a, transpose_b;
    Activation activation;
    FusedResidual residual;
    int n_biases;  /* 0 or 1 */
    bool flattens; /* a is [...,K]: its rows are all that is in front of the last dimension */
    Dense *dense;  /* NULL: inputs 1 and 2 are read at run time */
    Shape b;       /* with dense */
} MatmulKernel;

/* Integers wrap round, as TensorFlow's do: unsigned arithmetic gives the same bits. */
#define PRODUCT(name, type)                                                                        \
    static void name(const Gemm *g, const type *a, const type *b, type *c)                         \
    {                                                                                              \
        for (size_t i = 0; i < g->m; i++) {                                                        \
            for (size_t j = 0; j < g->n; j++) {                                                    \
                type sum = 0;                                                                      \
                for (size_t k = 0; k < g->k; k++)                                                  \
                    sum += a[g->transpose_a ? k * g->m + i : i * g->k + k] *                       \
                           b[g->transpose_b ? j * g->k + k : k * g->n + j];                        \
                c[i * g->n + j] = sum;                                                             \
            }                                                                                      \
        }                                                                                          \
    }
PRODUCT(product_int32, uint32_t)
PRODUCT(product_int64, uint64_t)

bool matrix_product_has(DType dtype)
{
    return dtype == DT_FLOAT || dtype == DT_DOUBLE || dtype == DT_INT32 || dtype == DT_INT64;
}

Error *matrix_product(const Gemm *g, DType dtype, const void *a, const void *b, void *c)
{
    if (dtype == DT_FLOAT) {
        Gemm f = *g;
        f.alpha = 1;
        f.a = a;
        f.b = b;
        f.c = c;
        return gemm_run(&f);
    }
    if (dtype == DT_DOUBLE)
        return gemm_run_double(&(GemmDouble){ .m = g->m,
                                              .n = g->n,
                                              .k = g->k,
                                              .transpose_a = g->transpose_a,
                                              .transpose_b = g->transpose_b,
                                              .a = a,
                                              .b = b,
                                              .c = c });
    if (dtype == DT_INT32)
        product_int32(g, a, b, c);
    else
        product_int64(g, a, b, c);
    return NULL;
}

static Error *check_dtype(const OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    if (!matrix_product_has(dtype))
        return error_new(ERROR_UNIMPLEMENTED,
                         "%s of type %s is not supported: float, double, int32 and int64 are",
                         prepare->op->name, dtype_name(dtype));
    return NULL;
}

/* ---- MatMul, _FusedMatMul ------------------------------------------------------------------- */

/* True for one matrix: [..., 1, rows, columns]. */
static bool is_one_matrix(const Shape *shape)
{
    for (int d = 0; d < shape->rank - 2; d++) {
        if (shape->dims[d] != 1)
            return false;
    }
    return shape->rank >= 2;
}

/* Packs b, and the bias where there is one, when both are constant and of sensible shapes; any
 * other shape is an error that run words, or a batch of matrices, which is not packed. */
static Error *pack(OpPrepare *prepare, MatmulKernel *kernel)
{
    const Tensor *b = prepare->constants[1];
    const Tensor *bias = prepare->n_inputs > 2 ? prepare->constants[2] : NULL;
    if (prepare->input_dtypes[0] != DT_FLOAT || kernel->transpose_a || b == NULL ||
        !is_one_matrix(&b->shape))
        return NULL;
    const int64_t *dims = b->shape.dims + b->shape.rank - 2;
    size_t k = (size_t)dims[kernel->transpose_b ? 1 : 0];
    size_t n = (size_t)dims[kernel->transpose_b ? 0 : 1];
    if (prepare->n_inputs > 2 && (bias == NULL || bias->shape.rank != 1 || (size_t)bias->n != n))
        return NULL;
    DenseOptions options = { .k = k,
                             .n = n,
                             .b = b->data,
                             .transposed = kernel->transpose_b,
                             .bias = bias != NULL ? bias->data : NULL,
                             .activation = kernel->activation };
    TRY(dense_new(prepare->arena, &options, &kernel->dense));
    kernel->b = b->shape;
    prepare->release_input[1] = true;
    if (bias != NULL)
        prepare->release_input[2] = true;
    return NULL;
}

Error *matmul_prepare(OpPrepare *prepare)
{
    MatmulKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(check_dtype(prepare));
    TRY(attrs_bool_or(prepare->attrs, "transpose_a", false, &kernel->transpose_a));
    TRY(attrs_bool_or(prepare->attrs, "transpose_b", false, &kernel->transpose_b));
    TRY(pack(prepare, kernel));
    prepare->kernel = kernel;
    return NULL;
}

Error *fused_matmul_prepare(OpPrepare *prepare)
{
    MatmulKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_INTERNAL, "_FusedMatMul takes floats");
    TRY(fused_residual(prepare, &kernel->residual));
    kernel->n_biases = prepare->n_inputs - 2 - (kernel->residual != RESIDUAL_NONE);
    TRY(attrs_bool_or(prepare->attrs, "transpose_a", false, &kernel->transpose_a));
    TRY(attrs_bool_or(prepare->attrs, "transpose_b", false, &kernel->transpose_b));
    TRY(attrs_bool_or(prepare->attrs, "flattens", false, &kernel->flattens));
    if (kernel->flattens && kernel->transpose_a)
        return error_new(ERROR_INTERNAL, "_FusedMatMul flattens what is not transposed");
    TRY(fused_activation(prepare->attrs, &kernel->activation));
    TRY(pack(prepare, kernel));
    prepare->kernel = kernel;
    return NULL;
}

/* The matrix that `a` is multiplied as. */
static Error *flatten(const Shape *a, Shape *ret_matrix)
{
    if (a->rank < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "In[0] ndims must be >= 2: %d", a->rank);
    *ret_matrix = shape_of(dims_product(a, 0, a->rank - 1), a->dims[a->rank - 1]);
    return NULL;
}

static Error *check_shapes(const MatmulKernel *kernel, const Shape *a, const Shape *b)
{
    char a_text[SHAPE_TEXT_BYTES], b_text[SHAPE_TEXT_BYTES];
    if (a->rank != 2 || b->rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "In[%d] ndims must be >= 2", a->rank != 2 ? 0 : 1);
    if (a->dims[kernel->transpose_a ? 0 : 1] != b->dims[kernel->transpose_b ? 1 : 0])
        return error_new(ERROR_INVALID_ARGUMENT, "Matrix size-incompatible: In[0]: %s, In[1]: %s",
                         shape_text(a, a_text), shape_text(b, b_text));
    return NULL;
}

static Error *check_bias(const OpContext *context, const Shape *product)
{
    const Tensor *bias = op_input(context, 2);
    char bias_text[SHAPE_TEXT_BYTES], value_text[SHAPE_TEXT_BYTES];
    if (bias->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Biases must be 1D: %s",
                         shape_text(&bias->shape, bias_text));
    if (bias->n != product->dims[product->rank - 1])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Must provide as many biases as the last dimension of the input tensor: "
                         "%s vs. %s",
                         shape_text(&bias->shape, bias_text), shape_text(product, value_text));
    return NULL;
}

/* The product and bias into `c`, without packed weights. */
static Error *run_plain(OpContext *context, const Gemm *g, const Activation *activation, void *c)
{
    const MatmulKernel *kernel = context->kernel;
    const Tensor *a = op_input(context, 0);
    TRY(matrix_product(g, a->dtype, a->data, op_input(context, 1)->data, c));
    if (a->dtype == DT_FLOAT)
        fused_epilogue(activation, kernel->n_biases > 0 ? op_input(context, 2)->data : NULL, g->m,
                       g->n, c);
    return NULL;
}

/* The residual is added by numpy's rule, but where it has the product's shape and the weights are
 * packed: then the sums start from it, in its memory if nobody else needs that. */
static Error *run_residual(OpContext *context, const Gemm *g, const Shape *shape)
{
    const MatmulKernel *kernel = context->kernel;
    const Activation none = { .kind = ACTIVATION_NONE };
    int last = context->n_inputs - 1;
    const Tensor *residual = op_input(context, last);
    const float *a = op_input(context, 0)->data;
    if (kernel->dense != NULL && shape_equal(shape, &residual->shape)) {
        Tensor *c = NULL;
        TRY(op_output_reuse(context, 0, last, DT_FLOAT, shape, &c));
        if (c->n > 0 && c->data != residual->data)
            memcpy(c->data, residual->data, tensor_bytes(c));
        dense_run_add(kernel->dense, g->m, a, c->data, context->workers);
        return NULL;
    }
    Tensor product = { .dtype = DT_FLOAT, .shape = *shape };
    TRY(shape_count(shape, &product.n));
    product.data = op_scratch(context, tensor_bytes(&product));
    if (product.data == NULL)
        return error_out_of_memory();
    if (kernel->dense != NULL)
        dense_run_linear(kernel->dense, g->m, a, product.data, context->workers);
    else
        TRY(run_plain(context, g, &none, product.data));
    return fused_add(context, kernel->residual, &kernel->activation, &product);
}

Error *matmul_run(OpContext *context)
{
    const MatmulKernel *kernel = context->kernel;
    const Tensor *in = op_input(context, 0);
    const Shape *b = kernel->dense != NULL ? &kernel->b : &op_input(context, 1)->shape;
    Shape a = in->shape, shape = in->shape;
    if (kernel->flattens)
        TRY(flatten(&in->shape, &a));
    TRY(check_shapes(kernel, &a, b));
    const Gemm g = { .m = (size_t)a.dims[kernel->transpose_a ? 1 : 0],
                     .n = (size_t)b->dims[kernel->transpose_b ? 0 : 1],
                     .k = (size_t)a.dims[kernel->transpose_a ? 0 : 1],
                     .transpose_a = kernel->transpose_a,
                     .transpose_b = kernel->transpose_b,
                     .workers = context->workers };
    if (!kernel->flattens)
        shape.dims[0] = (int64_t)g.m;
    shape.dims[shape.rank - 1] = (int64_t)g.n;
    Tensor *c = NULL;
    if (kernel->dense == NULL && kernel->n_biases > 0)
        TRY(check_bias(context, &shape));
    if (kernel->residual != RESIDUAL_NONE)
        return run_residual(context, &g, &shape);
    TRY(op_output(context, 0, in->dtype, &shape, &c));
    if (kernel->dense == NULL)
        return run_plain(context, &g, &kernel->activation, c->data);
    dense_run(kernel->dense, g.m, in->data, c->data, context->workers);
    return NULL;
}

/* ---- BatchMatMul, V2, V3 -------------------------------------------------------------- */

Error *batch_matmul_prepare(OpPrepare *prepare)
{
    MatmulKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(check_dtype(prepare));
    if (prepare->input_dtypes[1] != prepare->input_dtypes[0])
        return error_new(ERROR_UNIMPLEMENTED, "%s of types %s and %s is not supported: one type is",
                         prepare->op->name, dtype_name(prepare->input_dtypes[0]),
                         dtype_name(prepare->input_dtypes[1]));
    TRY(attrs_bool_or(prepare->attrs, "adj_x", false, &kernel->transpose_a));
    TRY(attrs_bool_or(prepare->attrs, "adj_y", false, &kernel->transpose_b));
    TRY(pack(prepare, kernel));
    prepare->kernel = kernel;
    return NULL;
}

/* The dims before the last two, broadcast against each other as numpy does. `shape` is the
 * output's; its last two dims are set by the caller. */
static Error *broadcast_batch(const Shape *x, const Shape *y, bool may_broadcast, Shape *shape)
{
    char x_text[SHAPE_TEXT_BYTES], y_text[SHAPE_TEXT_BYTES];
    if (!may_broadcast && x->rank != y->rank)
        return error_new(ERROR_INVALID_ARGUMENT, "In[0] and In[1] has different ndims: %s vs. %s",
                         shape_text(x, x_text), shape_text(y, y_text));
    if (x->rank < 2 || y->rank < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "In[%d] ndims must be >= 2: %d",
                         x->rank < 2 ? 0 : 1, x->rank < 2 ? x->rank : y->rank);
    shape->rank = x->rank > y->rank ? x->rank : y->rank;
    for (int i = 0; i < shape->rank - 2; i++) {
        int xi = i - (shape->rank - x->rank), yi = i - (shape->rank - y->rank);
        int64_t xd = xi < 0 ? 1 : x->dims[xi], yd = yi < 0 ? 1 : y->dims[yi];
        if (xd != yd && !may_broadcast)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "In[0].dim(%d) and In[1].dim(%d) must be the same: %s vs %s", i, i,
                             shape_text(x, x_text), shape_text(y, y_text));
        if (xd != yd && xd != 1 && yd != 1)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "In[0] and In[1] must have compatible batch dimensions: %s vs. %s",
                             shape_text(x, x_text), shape_text(y, y_text));
        shape->dims[i] = xd == 1 ? yd : xd;
    }
    return NULL;
}

/* The number of the matrix of `in` that the `i`-th matrix of `out` is made of. */
static size_t batch_index(const Shape *in, const Shape *out, size_t i)
{
    size_t index = 0, stride = 1;
    for (int d = out->rank - 3; d >= 0; d--) {
        int at = d - (out->rank - in->rank);
        size_t size = (size_t)out->dims[d];
        if (at >= 0) {
            index += in->dims[at] == 1 ? 0 : i % size * stride;
            stride *= (size_t)in->dims[at];
        }
        i /= size;
    }
    return index;
}

Error *batch_matmul_run(OpContext *context)
{
    const MatmulKernel *kernel = context->kernel;
    const Tensor *x = op_input(context, 0);
    const Shape *xs = &x->shape;
    const Shape *ys = kernel->dense != NULL ? &kernel->b : &op_input(context, 1)->shape;
    Shape shape = { 0 };
    char x_text[SHAPE_TEXT_BYTES], y_text[SHAPE_TEXT_BYTES];
    TRY(broadcast_batch(xs, ys, strcmp(context->op->name, "BatchMatMul") != 0, &shape));
    Gemm g = { .m = (size_t)xs->dims[xs->rank - (kernel->transpose_a ? 1 : 2)],
               .n = (size_t)ys->dims[ys->rank - (kernel->transpose_b ? 2 : 1)],
               .k = (size_t)xs->dims[xs->rank - (kernel->transpose_a ? 2 : 1)],
               .transpose_a = kernel->transpose_a,
               .transpose_b = kernel->transpose_b,
               .workers = context->workers };
    if ((size_t)ys->dims[ys->rank - (kernel->transpose_b ? 1 : 2)] != g.k)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Matrix size-incompatible: In[0]: %s, In[1]: %s %d %d",
                         shape_text(xs, x_text), shape_text(ys, y_text), kernel->transpose_a,
                         kernel->transpose_b);
    shape.dims[shape.rank - 2] = (int64_t)g.m;
    shape.dims[shape.rank - 1] = (int64_t)g.n;
    Tensor *out = NULL;
    TRY(op_output(context, 0, x->dtype, &shape, &out));
    if (out->n == 0)
        return NULL;
    size_t size = dtype_size(x->dtype), n_matrices = (size_t)out->n / (g.m * g.n);
    if (kernel->dense != NULL) { /* the matrices of x, one below the other, are one product */
        dense_run(kernel->dense, n_matrices * g.m, x->data, out->data, context->workers);
        return NULL;
    }
    const Tensor *y = op_input(context, 1);
    for (size_t i = 0; i < n_matrices; i++) {
        const void *a = bytes_past(x->data, batch_index(xs, &shape, i) * g.m * g.k * size);
        const void *b = bytes_past(y->data, batch_index(ys, &shape, i) * g.k * g.n * size);
        TRY(matrix_product(&g, x->dtype, a, b, (char *)out->data + i * g.m * g.n * size));
    }
    return NULL;
}
