/* SPDX-License-Identifier: Apache-2.0
 *
 * StringFormat: a template whose placeholders become the texts of tensors, as tf.print writes them:
 *
 *   [1 2 3 ... 8 9 10]     at most `summarize` elements at each end of a dimension, -1: all
 *   [[1 2]                 rows on lines of their own
 *    [3 4]]
 *   ["a\n"]                strings in quotes, escaped as in C
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/text_buf.h"
#include "model/op/typed.h"
#include "model/tensor/half.h"

typedef struct FormatKernel {
    const char *template, *placeholder;
    int64_t summarize; /* -1: all */
} FormatKernel;

Error *string_format_prepare(OpPrepare *prepare)
{
    FormatKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_text_or(prepare->attrs, "template", "%s", &kernel->template));
    TRY(attrs_text_or(prepare->attrs, "placeholder", "%s", &kernel->placeholder));
    TRY(attrs_int_or(prepare->attrs, "summarize", 3, &kernel->summarize));
    int n = 0;
    size_t step = strlen(kernel->placeholder);
    const char *at = kernel->template;
    for (; step > 0 && (at = strstr(at, kernel->placeholder)) != NULL; at += step)
        n++;
    if (n != prepare->n_inputs)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "num placeholders in template and num inputs must match: %d vs. %d", n,
                         prepare->n_inputs);
    for (int i = 0; i < prepare->n_inputs; i++) {
        DType dtype = prepare->input_dtypes[i];
        if (!dtype_is_plain(dtype) && dtype != DT_STRING)
            return error_new(ERROR_UNIMPLEMENTED, "StringFormat has no text for type %s",
                             dtype_name(dtype));
    }
    prepare->kernel = kernel;
    return NULL;
}

/* ---- elements ------------------------------------------------------------------------------ */

static Error *append_text(TextBuf *to, const char *text)
{
    return text_buf_append(to, bytes_of_text(text));
}

static Error *append_quoted(TextBuf *to, Bytes bytes)
{
    static const char special[] = "\n\r\t\"'\\", letters[] = "nrt\"'\\";
    TRY(append_text(to, "\""));
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t b = bytes.data[i];
        const char *found = b != 0 ? strchr(special, b) : NULL;
        char text[8];
        if (found != NULL)
            snprintf(text, sizeof(text), "\\%c", letters[found - special]);
        else if (b < 0x20 || b == 0x7F)
            snprintf(text, sizeof(text), "\\%03o", b);
        else
            snprintf(text, sizeof(text), "%c", b);
        TRY(append_text(to, text));
    }
    return append_text(to, "\"");
}

#define NUMBER_BYTES 40

/* As few digits as the type always keeps, or as many as give the same number again. */
static void print_float(char text[NUMBER_BYTES], float v)
{
    snprintf(text, NUMBER_BYTES, "%.6g", (double)v);
    if (isfinite(v) && strtof(text, NULL) != v)
        snprintf(text, NUMBER_BYTES, "%.9g", (double)v);
}

static void print_double(char text[NUMBER_BYTES], double v)
{
    snprintf(text, NUMBER_BYTES, "%.15g", v);
    if (isfinite(v) && strtod(text, NULL) != v)
        snprintf(text, NUMBER_BYTES, "%.17g", v);
}

#define PRINT_INT(dt, type, suffix)                                                                \
    case dt:                                                                                       \
        snprintf(text, sizeof(text), dt == DT_UINT64 ? "%" PRIu64 : "%" PRId64,                    \
                 (int64_t)((const type *)t->data)[i]);                                             \
        break;

static Error *append_element(TextBuf *to, const Tensor *t, int64_t i)
{
    char text[NUMBER_BYTES] = "";
    switch (t->dtype) {
        FOR_EACH_INT(PRINT_INT)
    case DT_FLOAT:
        print_float(text, ((const float *)t->data)[i]);
        break;
    case DT_DOUBLE:
        print_double(text, ((const double *)t->data)[i]);
        break;
    case DT_HALF:
        print_float(text, half_to_float(((const uint16_t *)t->data)[i]));
        break;
    case DT_BFLOAT16:
        print_float(text, bfloat16_to_float(((const uint16_t *)t->data)[i]));
        break;
    case DT_BOOL:
        snprintf(text, sizeof(text), "%d", ((const bool *)t->data)[i]);
        break;
    default:
        return append_quoted(to, ((const Bytes *)t->data)[i]);
    }
    return append_text(to, text);
}

/* ---- tensors ------------------------------------------------------------------------------- */

/* Between two elements of dimension `dim`: as many line ends as there are brackets to close. */
static Error *append_gap(TextBuf *to, int dim, int rank)
{
    if (dim == rank - 1)
        return append_text(to, " ");
    for (int k = dim; k < rank - 1; k++)
        TRY(append_text(to, "\n"));
    for (int k = 0; k <= dim; k++)
        TRY(append_text(to, " "));
    return NULL;
}

/* The elements behind index `at` of dimensions [0, dim). */
static Error *append_dim(TextBuf *to, const Tensor *t, int dim, int64_t at, int64_t ends)
{
    const Shape *shape = &t->shape;
    if (dim == shape->rank)
        return append_element(to, t, at);
    int64_t n = shape->dims[dim], skipped_to = n - ends > ends ? n - ends : ends;
    TRY(append_text(to, "["));
    for (int64_t i = 0; i < n; i++) {
        if (i == ends && skipped_to > ends) {
            TRY(append_gap(to, dim, shape->rank));
            TRY(append_text(to, "..."));
            i = skipped_to;
        }
        if (i == n)
            break;
        if (i > 0)
            TRY(append_gap(to, dim, shape->rank));
        TRY(append_dim(to, t, dim + 1, at * n + i, ends));
    }
    return append_text(to, "]");
}

Error *string_format_run(OpContext *c)
{
    const FormatKernel *kernel = c->kernel;
    TextBuf text = { .arena = c->arena };
    const char *rest = kernel->template;
    for (int i = 0; i < c->n_inputs; i++) {
        const Tensor *t = op_input(c, i);
        bool is_all = kernel->summarize < 0 || kernel->summarize > t->n;
        int64_t ends = is_all ? t->n : kernel->summarize;
        const char *at = strstr(rest, kernel->placeholder); /* prepare has counted them */
        TRY(text_buf_append(&text, (Bytes){ (const uint8_t *)rest, (size_t)(at - rest) }));
        TRY(ends == 0 && t->shape.rank == 0 ? append_text(&text, "...")
                                            : append_dim(&text, t, 0, 0, ends));
        rest = at + strlen(kernel->placeholder);
    }
    TRY(append_text(&text, rest));
    const Shape scalar = shape_of();
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &scalar, &y));
    *(Bytes *)y->data = text_buf_bytes(&text);
    return NULL;
}
