/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fused ops share: the activation as an attribute, and the epilogue for products that
 * were not made on panels. Any thread.
 */
#include "model/op/fused.h"

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
