/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fused ops share: activation and residual as attributes, and the epilogues for products
 * that were not made on panels. Any thread.
 */
#include "model/op/fused.h"

#include "model/op/broadcast.h"

Error *fused_activation(const Attrs *attrs, Activation *ret_activation)
{
    Activation a = { ACTIVATION_NONE, 0 };
    const char *name = NULL;
    TRY(attrs_text_or(attrs, "activation", "", &name));
    if (!activation_find(name, &a.kind))
        return error_new(ERROR_INVALID_ARGUMENT, "there is no activation '%s'", name);
    if (a.kind == ACTIVATION_LEAKY_RELU)
        TRY(attrs_float_or(attrs, "alpha", 0.2F, &a.alpha));
    *ret_activation = a;
    return NULL;
}

void fused_epilogue(const Activation *activation, const float *bias, size_t n_rows, size_t n,
                    float *rows)
{
    if (bias == NULL && activation->kind == ACTIVATION_NONE)
        return;
    for (size_t r = 0; r < n_rows; r++, rows += n) {
        for (size_t j = 0; j < n && bias != NULL; j++)
            rows[j] += bias[j];
        activation_apply(activation, rows, n, rows);
    }
}

Error *fused_residual(const OpPrepare *prepare, FusedResidual *ret)
{
    int64_t operand = -1;
    TRY(attrs_int_or(prepare->attrs, "residual", -1, &operand));
    int n_args = prepare->n_inputs - 2;
    if (operand < -1 || operand > 1 || n_args > (operand < 0 ? 1 : 2) || (operand >= 0 && !n_args))
        return error_new(ERROR_INTERNAL, "%s takes at most one bias and one residual",
                         prepare->op->name);
    *ret = operand < 0 ? RESIDUAL_NONE : operand == 0 ? RESIDUAL_FIRST : RESIDUAL_SECOND;
    return NULL;
}

Error *fused_add(OpContext *context, FusedResidual residual, const Activation *activation,
                 const Tensor *product)
{
    const Tensor *other = op_input(context, context->n_inputs - 1);
    const Shape *shapes[2] = { &product->shape, &other->shape };
    bool is_first = residual == RESIDUAL_FIRST;
    char text[2][SHAPE_TEXT_BYTES];
    Broadcast b;
    Tensor *y = NULL;
    if (!broadcast_init(&b, 2, shapes))
        return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s",
                         shape_text(shapes[is_first], text[0]),
                         shape_text(shapes[!is_first], text[1]));
    TRY(op_output(context, 0, DT_FLOAT, &b.shape, &y));
    float *out = y->data;
    for (BroadcastWalk w = broadcast_begin(&b); !w.done; broadcast_next(&b, &w), out += b.row) {
        const float *p = (const float *)product->data + w.offsets[0];
        const float *r = (const float *)other->data + w.offsets[1];
        for (int64_t i = 0; i < b.row; i++)
            out[i] = p[i * b.row_strides[0]] + r[i * b.row_strides[1]];
        activation_apply(activation, out, (size_t)b.row, out);
    }
    return NULL;
}
