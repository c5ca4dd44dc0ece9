/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops that pass their inputs on, or do nothing: what is left of a training graph at inference. No
 * element is copied.
 */
#include "model/base/buf.h"
#include "model/op/axes.h"
#include "model/op/kernels.h"

Error *op_prepare_nothing(_unused_ OpPrepare *prepare)
{
    return NULL;
}

Error *op_check_index_type(const OpPrepare *prepare, int i)
{
    DType dtype = prepare->input_dtypes[i];
    if (dtype != DT_INT32 && dtype != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input %d of %s must be of type int32 or int64, but is %s", i,
                         prepare->op->name, dtype_name(dtype));
    return NULL;
}

Error *op_prepare_indices(OpPrepare *prepare)
{
    for (int i = 1; i < prepare->n_inputs; i++)
        TRY(op_check_index_type(prepare, i));
    return NULL;
}

Error *pad_v2_prepare(OpPrepare *prepare)
{
    return op_check_index_type(prepare, 1);
}

Error *concat_v2_prepare(OpPrepare *prepare)
{
    return op_check_index_type(prepare, prepare->n_inputs - 1);
}

Error *no_op_run(_unused_ OpContext *context)
{
    return NULL;
}

Error *identity_run(OpContext *context)
{
    for (int i = 0; i < context->n_inputs; i++)
        TRY(op_output_alias(context, i, i, &op_input(context, i)->shape));
    return NULL;
}

/* ---- Assert -------------------------------------------------------------------------------- */

#define ASSERT_TEXT_MAX_BYTES 4096

static Error *append_element(const Tensor *t, int64_t i, Buf *text)
{
    switch (t->dtype) {
    case DT_STRING: {
        Bytes element = ((const Bytes *)t->data)[i];
        return buf_append(text, element.data, element.size);
    }
    case DT_FLOAT:
        return buf_printf(text, "%g", (double)((const float *)t->data)[i]);
    case DT_DOUBLE:
        return buf_printf(text, "%g", ((const double *)t->data)[i]);
    case DT_BOOL:
        return buf_printf(text, "%d", ((const bool *)t->data)[i]);
    case DT_INT32:
    case DT_INT64:
        return buf_printf(text, "%lld", (long long)tensor_index_at(t, i));
    default:
        return buf_printf(text, "(%s)", dtype_name(t->dtype));
    }
}

/* The first elements of the data that the graph wants to be told: " [a b c...]" each. */
static Error *append_data(const OpContext *c, Buf *text)
{
    int64_t most = *(const int64_t *)c->kernel;
    for (int k = 1; k < c->n_inputs; k++) {
        const Tensor *t = op_input(c, k);
        TRY(buf_append_text(text, " ["));
        for (int64_t i = 0; i < t->n && i < most; i++) {
            TRY(buf_append_text(text, i > 0 ? " " : ""));
            TRY(append_element(t, i, text));
        }
        TRY(buf_append_text(text, t->n > most ? "...]" : "]"));
    }
    return NULL;
}

Error *assert_prepare(OpPrepare *prepare)
{
    int64_t *most = arena_calloc(prepare->arena, 1, sizeof(*most));
    if (most == NULL)
        return error_out_of_memory();
    TRY(attrs_int_or(prepare->attrs, "summarize", 3, most));
    if (*most < 0) /* all elements */
        *most = INT64_MAX;
    prepare->kernel = most;
    return NULL;
}

Error *assert_run(OpContext *c)
{
    const Tensor *condition = op_input(c, 0);
    if (condition->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "In[0] should be a scalar");
    if (*(const bool *)condition->data)
        return NULL;
    Buf text;
    buf_init(&text, ASSERT_TEXT_MAX_BYTES);
    error_free(append_data(c, &text)); /* past the maximum the text is cut */
    const char *data = buf_text(&text);
    Error *error =
        error_new(ERROR_INVALID_ARGUMENT, "assertion failed:%s", data != NULL ? data : "");
    buf_done(&text);
    return error;
}
