/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementwise: see elementwise.h. The loops are in unary.c, binary.c and compare.c; here is what
 * surrounds them.
 */
#include <string.h>

#include "model/op/broadcast.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/tensor/half.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

Error *op_unsupported_type(const OpPrepare *prepare, DType dtype)
{
    return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for type %s", prepare->op->name,
                     dtype_name(dtype));
}

/* ---- 16-bit types -------------------------------------------------------------------------- */

void shorts_widen(DType dtype, int64_t n, const void *x, float *y)
{
    const uint16_t *bits = x;
    if (dtype == DT_HALF) {
        for (int64_t i = 0; i < n; i++)
            y[i] = half_to_float(bits[i]);
    } else {
        for (int64_t i = 0; i < n; i++)
            y[i] = bfloat16_to_float(bits[i]);
    }
}

void shorts_narrow(DType dtype, int64_t n, const float *x, void *y)
{
    uint16_t *bits = y;
    if (dtype == DT_HALF) {
        for (int64_t i = 0; i < n; i++)
            bits[i] = float_to_half(x[i]);
    } else {
        for (int64_t i = 0; i < n; i++)
            bits[i] = float_to_bfloat16(x[i]);
    }
}

Error *shorts_as_floats(OpContext *c, const Tensor *tensor, const float **ret)
{
    if (!dtype_is_short_float(tensor->dtype)) {
        *ret = tensor->data;
        return NULL;
    }
    float *wide = op_scratch(c, (size_t)tensor->n * sizeof(float));
    if (wide == NULL)
        return error_out_of_memory();
    shorts_widen(tensor->dtype, tensor->n, tensor->data, wide);
    *ret = wide;
    return NULL;
}

static DType loop_type(DType dtype)
{
    return dtype_is_short_float(dtype) ? DT_FLOAT : dtype;
}

/* ---- unary --------------------------------------------------------------------------------- */

Error *unary_prepare_rows(OpPrepare *prepare, const UnaryRow *rows, size_t n)
{
    DType dtype = prepare->input_dtypes[0];
    UnaryKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->dtype = dtype;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].in == loop_type(dtype) && strcmp(rows[i].op, prepare->op->name) == 0)
            kernel->row = &rows[i];
    }
    if (kernel->row == NULL)
        return op_unsupported_type(prepare, dtype);
    prepare->kernel = kernel;
    return NULL;
}

typedef struct UnaryRun {
    const UnaryRow *row;
    const char *x;
    char *y;
} UnaryRun;

static void run_elements(void *context, size_t begin, size_t end, int thread)
{
    const UnaryRun *run = context;
    (void)thread;
    run->row->loop((int64_t)(end - begin), run->x + begin * dtype_size(run->row->in),
                   run->y + begin * dtype_size(run->row->out));
}

Error *unary_run(OpContext *c)
{
    const UnaryKernel *kernel = c->kernel;
    const UnaryRow *row = kernel->row;
    const Tensor *x = op_input(c, 0);
    bool is_short = dtype_is_short_float(kernel->dtype);
    Tensor *y = NULL;
    TRY(op_output_reuse(c, 0, 0, row->out == row->in ? kernel->dtype : row->out, &x->shape, &y));
    if (!is_short) {
        UnaryRun run = { row, x->data, y->data };
        workers_for(c->workers, (size_t)x->n, GRAIN, run_elements, &run);
        return NULL;
    }
    float *wide = op_scratch(c, (size_t)x->n * sizeof(float));
    if (wide == NULL)
        return error_out_of_memory();
    shorts_widen(kernel->dtype, x->n, x->data, wide);
    if (row->out == DT_BOOL) {
        row->loop(x->n, wide, y->data);
    } else {
        row->loop(x->n, wide, wide);
        shorts_narrow(kernel->dtype, x->n, wide, y->data);
    }
    return NULL;
}

/* ---- binary -------------------------------------------------------------------------------- */

Error *binary_prepare_rows(OpPrepare *prepare, const BinaryRow *rows, size_t n,
                           BinaryKernel **ret_kernel)
{
    DType dtype = prepare->input_dtypes[0];
    BinaryKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->dtype = dtype;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].in == loop_type(dtype) && strcmp(rows[i].op, prepare->op->name) == 0)
            kernel->row = &rows[i];
    }
    if (kernel->row == NULL)
        return op_unsupported_type(prepare, dtype);
    prepare->kernel = kernel;
    *ret_kernel = kernel;
    return NULL;
}

typedef struct BinaryRun {
    const BinaryRow *row;
    const Broadcast *broadcast;
    const char *x, *y;
    char *z;
    int64_t parts; /* of a row, of GRAIN elements but for the last one: the items of work */
} BinaryRun;

static void run_parts(void *context, size_t begin, size_t end, int thread)
{
    const BinaryRun *run = context;
    const Broadcast *b = run->broadcast;
    const size_t in_size = dtype_size(run->row->in), out_size = dtype_size(run->row->out);
    int64_t row = (int64_t)begin / run->parts, part = (int64_t)begin % run->parts;
    BroadcastWalk w = broadcast_at(b, row);
    (void)thread;
    for (size_t i = begin; i < end; i++) {
        const int64_t first = part * GRAIN, left = b->row - first;
        const int64_t n = run->parts == 1 || left < GRAIN ? left : GRAIN;
        run->row->loop(n, run->x + (size_t)(w.offsets[0] + first * b->row_strides[0]) * in_size,
                       b->row_strides[0],
                       run->y + (size_t)(w.offsets[1] + first * b->row_strides[1]) * in_size,
                       b->row_strides[1], run->z + (size_t)(row * b->row + first) * out_size);
        if (++part == run->parts) {
            part = 0;
            row++;
            broadcast_next(b, &w);
        }
    }
}

static void walk_rows(Workers *workers, const BinaryRow *row, const Broadcast *b,
                      const void *const operands[2], void *z)
{
    BinaryRun run = { row, b, operands[0], operands[1], z, (b->row + GRAIN - 1) / GRAIN };
    int64_t grain = b->row < GRAIN ? GRAIN / (b->row + 1) + 1 : 1;
    if (b->row > 0)
        workers_for(workers, (size_t)(broadcast_rows(b) * run.parts), (size_t)grain, run_parts,
                    &run);
}

static Error *mismatch(OpContext *c, const Tensor *x, const Tensor *y)
{
    const BinaryKernel *kernel = c->kernel;
    char x_text[SHAPE_TEXT_BYTES], y_text[SHAPE_TEXT_BYTES];
    if (!kernel->mismatch_is_value)
        return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s",
                         shape_text(&x->shape, x_text), shape_text(&y->shape, y_text));
    const Shape scalar = shape_of();
    Tensor *z = NULL;
    TRY(op_output(c, 0, DT_BOOL, &scalar, &z));
    *(bool *)z->data = kernel->mismatch_value;
    return NULL;
}

static Error *short_binary(OpContext *c, const Broadcast *b, const Tensor *x, const Tensor *y,
                           Tensor *z)
{
    const BinaryKernel *kernel = c->kernel;
    const float *wide[2] = { NULL, NULL };
    TRY(shorts_as_floats(c, x, &wide[0]));
    TRY(shorts_as_floats(c, y, &wide[1]));
    const void *const operands[2] = { wide[0], wide[1] };
    if (kernel->row->out == DT_BOOL) {
        walk_rows(c->workers, kernel->row, b, operands, z->data);
        return NULL;
    }
    float *wide_z = op_scratch(c, (size_t)z->n * sizeof(float));
    if (wide_z == NULL)
        return error_out_of_memory();
    walk_rows(c->workers, kernel->row, b, operands, wide_z);
    shorts_narrow(kernel->dtype, z->n, wide_z, z->data);
    return NULL;
}

Error *binary_run(OpContext *c)
{
    const BinaryKernel *kernel = c->kernel;
    const BinaryRow *row = kernel->row;
    const Tensor *x = op_input(c, 0), *y = op_input(c, 1);
    Broadcast b;
    if (!broadcast_init(&b, 2, (const Shape *const[]){ &x->shape, &y->shape }))
        return mismatch(c, x, y);
    int64_t n = 0;
    TRY(shape_count(&b.shape, &n));
    /* An operand that is not repeated is read at k when the result is written at k. */
    int reuse = x->n == n ? 0 : y->n == n ? 1 : -1;
    Tensor *z = NULL;
    TRY(op_output_reuse(c, 0, reuse, row->out == DT_BOOL ? DT_BOOL : kernel->dtype, &b.shape, &z));
    if (n > 0 && row->check != NULL)
        TRY(row->check(x, y));
    if (dtype_is_short_float(kernel->dtype))
        return short_binary(c, &b, x, y, z);
    walk_rows(c->workers, row, &b, (const void *const[2]){ x->data, y->data }, z->data);
    return NULL;
}
