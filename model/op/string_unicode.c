/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts and code points: UnicodeTranscode, UnicodeDecode, UnicodeDecodeWithOffsets, UnicodeEncode.
 * unicode.h says which encodings there are.
 *
 * The attribute `errors` says what becomes of bytes that are no text: 'replace' puts replacement_char
 * in their place, 'ignore' leaves them out, 'strict' ends the run. With replace_control_characters
 * U+0000 to U+001F count as such bytes.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/text_buf.h"
#include "model/op/unicode.h"

typedef enum UnicodeErrors { ERRORS_REPLACE, ERRORS_IGNORE, ERRORS_STRICT } UnicodeErrors;

typedef struct UnicodeKernel {
    UnicodeEncoding input, output;
    UnicodeErrors errors;
    uint32_t replacement;
    bool replace_control;
    DType split_type;
    bool has_offsets;
} UnicodeKernel;

/* ---- prepare ------------------------------------------------------------------------------- */

static Error *read_errors(const OpPrepare *prepare, UnicodeKernel *kernel)
{
    const char *errors = NULL;
    int64_t replacement = 0;
    TRY(attrs_text_or(prepare->attrs, "errors", "replace", &errors));
    TRY(attrs_int_or(prepare->attrs, "replacement_char", UNICODE_REPLACEMENT, &replacement));
    TRY(attrs_bool_or(prepare->attrs, "replace_control_characters", false,
                      &kernel->replace_control));
    if (strcmp(errors, "ignore") == 0)
        kernel->errors = ERRORS_IGNORE;
    else if (strcmp(errors, "strict") == 0)
        kernel->errors = ERRORS_STRICT;
    else if (strcmp(errors, "replace") != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "errors policy must be one of 'strict', 'replace', or 'ignore'");
    if (replacement < 0 || replacement > UNICODE_MAX)
        return error_new(ERROR_INVALID_ARGUMENT, "replacement_char out of unicode codepoint range");
    kernel->replacement = (uint32_t)replacement;
    return NULL;
}

static Error *read_encoding(const OpPrepare *prepare, const char *attr, bool is_written,
                            UnicodeEncoding *ret)
{
    const char *name = NULL;
    TRY(attrs_text_or(prepare->attrs, attr, "", &name));
    if (!unicode_find_encoding(name, ret))
        return error_new(ERROR_UNIMPLEMENTED, "%s does not know the encoding '%s'",
                         prepare->op->name, name);
    if (is_written && *ret > UNICODE_UTF32_BE)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s is '%s', but must be UTF-8, UTF-16-BE or UTF-32-BE", attr, name);
    return NULL;
}

static Error *new_kernel(OpPrepare *prepare, UnicodeKernel **ret)
{
    UnicodeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    prepare->kernel = *ret = kernel;
    return read_errors(prepare, kernel);
}

Error *unicode_transcode_prepare(OpPrepare *prepare)
{
    UnicodeKernel *kernel = NULL;
    TRY(new_kernel(prepare, &kernel));
    TRY(read_encoding(prepare, "input_encoding", false, &kernel->input));
    return read_encoding(prepare, "output_encoding", true, &kernel->output);
}

Error *unicode_decode_prepare(OpPrepare *prepare)
{
    UnicodeKernel *kernel = NULL;
    TRY(new_kernel(prepare, &kernel));
    TRY(attrs_type_or(prepare->attrs, "Tsplits", DT_INT64, &kernel->split_type));
    if (kernel->split_type != DT_INT32 && kernel->split_type != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "attribute Tsplits is %s, but must be int32 or int64",
                         dtype_name(kernel->split_type));
    kernel->has_offsets = prepare->n_outputs == 3;
    return read_encoding(prepare, "input_encoding", false, &kernel->input);
}

Error *unicode_encode_prepare(OpPrepare *prepare)
{
    UnicodeKernel *kernel = NULL;
    TRY(op_check_index_type(prepare, 1));
    TRY(new_kernel(prepare, &kernel));
    return read_encoding(prepare, "output_encoding", true, &kernel->output);
}

/* ---- run ----------------------------------------------------------------------------------- */

static Error *bad_text(void)
{
    return error_new(ERROR_INVALID_ARGUMENT, "Invalid formatting on input string");
}

/* One code point as the kernel wants it. */
typedef struct Character {
    uint32_t code;
    bool is_text; /* false: bytes that are none */
    bool is_bad;  /* the same, or a control character that is to be replaced */
    bool is_kept;
} Character;

static Character next_character(const UnicodeKernel *kernel, Bytes *rest)
{
    Character next = { .code = 0 };
    next.is_text = unicode_next(kernel->input, rest, &next.code);
    next.is_bad = !next.is_text || (kernel->replace_control && next.code <= 0x1F);
    next.is_kept = !next.is_bad || kernel->errors != ERRORS_IGNORE;
    if (next.is_bad)
        next.code = kernel->replacement;
    return next;
}

static Error *transcode(const UnicodeKernel *kernel, Bytes rest, TextBuf *to)
{
    while (rest.size > 0) {
        uint8_t bytes[4];
        Character next = next_character(kernel, &rest);
        if (next.is_bad && kernel->errors == ERRORS_STRICT)
            return bad_text();
        size_t n = next.is_kept ? unicode_write(kernel->output, next.code, bytes) : 0;
        TRY(text_buf_append(to, (Bytes){ bytes, n }));
    }
    return NULL;
}

Error *unicode_transcode_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++) {
        TextBuf text = { .arena = c->arena };
        TRY(transcode(c->kernel, ((const Bytes *)x->data)[i], &text));
        ((Bytes *)y->data)[i] = text_buf_bytes(&text);
    }
    return NULL;
}

static void set_split(Tensor *splits, int64_t i, int64_t value)
{
    if (splits->dtype == DT_INT32)
        ((int32_t *)splits->data)[i] = (int32_t)value;
    else
        ((int64_t *)splits->data)[i] = value;
}

/* The code points of all strings; where `codes` is not NULL they are written. */
static Error *decode_all(const UnicodeKernel *kernel, const Tensor *x, Tensor *splits,
                         int32_t *codes, int64_t *offsets)
{
    int64_t n = 0;
    for (int64_t i = 0; i < x->n; i++) {
        Bytes text = ((const Bytes *)x->data)[i], rest = text;
        set_split(splits, i, n);
        while (rest.size > 0) {
            int64_t at = (int64_t)(text.size - rest.size);
            Character next = next_character(kernel, &rest);
            if (!next.is_text && kernel->errors == ERRORS_STRICT)
                return bad_text();
            if (next.is_kept && codes != NULL)
                codes[n] = (int32_t)next.code;
            if (next.is_kept && offsets != NULL)
                offsets[n] = at;
            n += next.is_kept;
        }
    }
    if (splits->dtype == DT_INT32 && n > INT32_MAX)
        return error_new(ERROR_INVALID_ARGUMENT, "%lld characters are more than an int32 can say",
                         (long long)n);
    set_split(splits, x->n, n);
    return NULL;
}

/* Counts first, then writes. */
Error *unicode_decode_run(OpContext *c)
{
    const UnicodeKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    Tensor *splits = NULL, *codes = NULL, *offsets = NULL;
    TRY(op_output(c, 0, kernel->split_type, &shape_of(x->n + 1), &splits));
    TRY(decode_all(kernel, x, splits, NULL, NULL));
    int64_t n = tensor_index_at(splits, x->n);
    TRY(op_output(c, 1, DT_INT32, &shape_of(n), &codes));
    if (kernel->has_offsets)
        TRY(op_output(c, 2, DT_INT64, &shape_of(n), &offsets));
    return decode_all(kernel, x, splits, codes->data, offsets != NULL ? offsets->data : NULL);
}

static Error *check_splits(const Tensor *splits, int64_t n)
{
    bool fits = splits->shape.rank == 1 && splits->n > 0 && tensor_index_at(splits, 0) == 0 &&
                tensor_index_at(splits, splits->n - 1) == n;
    for (int64_t i = 1; fits && i < splits->n; i++)
        fits = tensor_index_at(splits, i) >= tensor_index_at(splits, i - 1);
    if (!fits)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input_splits must ascend from 0 to the number of values, %lld",
                         (long long)n);
    return NULL;
}

Error *unicode_encode_run(OpContext *c)
{
    const UnicodeKernel *kernel = c->kernel;
    const Tensor *codes = op_input(c, 0), *splits = op_input(c, 1);
    TRY(check_splits(splits, codes->n));
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &shape_of(splits->n - 1), &y));
    for (int64_t i = 0; i + 1 < splits->n; i++) {
        TextBuf text = { .arena = c->arena };
        for (int64_t k = tensor_index_at(splits, i); k < tensor_index_at(splits, i + 1); k++) {
            uint32_t code = (uint32_t)((const int32_t *)codes->data)[k];
            uint8_t bytes[4];
            bool is_bad = code > UNICODE_MAX || (code >= 0xD800 && code <= 0xDFFF);
            if (is_bad && kernel->errors == ERRORS_STRICT)
                return error_new(ERROR_INVALID_ARGUMENT,
                                 "Code point value out of valid Unicode range.");
            if (is_bad && kernel->errors == ERRORS_IGNORE)
                continue;
            if (is_bad)
                code = kernel->replacement;
            TRY(text_buf_append(&text,
                                (Bytes){ bytes, unicode_write(kernel->output, code, bytes) }));
        }
        ((Bytes *)y->data)[i] = text_buf_bytes(&text);
    }
    return NULL;
}
