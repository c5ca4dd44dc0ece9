/* SPDX-License-Identifier: Apache-2.0
 *
 * RegexReplace and RegexFullMatch, whose pattern is an input, and their static forms, whose pattern
 * is an attribute. A pattern that is known when the plan is made is compiled then.
 *
 * In a rewrite \0 is the match, \1 to \9 are its groups, \\ is a backslash. As RE2 does it, a rewrite
 * that names a group which the pattern has not leaves the string as it is. One that is no rewrite
 * ends where it is wrong when all matches are replaced, and does nothing when only the first is.
 */
#include "model/op/kernels.h"
#include "model/op/regex.h"
#include "model/op/text.h"
#include "model/op/text_buf.h"

typedef struct RegexKernel {
    const Regex *regex; /* NULL: the pattern is input 1 */
    Bytes rewrite;      /* of StaticRegexReplace */
    bool replace_global;
} RegexKernel;

/* ---- prepare ------------------------------------------------------------------------------- */

static Error *new_kernel(OpPrepare *prepare, RegexKernel **ret)
{
    RegexKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "replace_global", true, &kernel->replace_global));
    prepare->kernel = *ret = kernel;
    return NULL;
}

Error *regex_prepare(OpPrepare *prepare)
{
    RegexKernel *kernel = NULL;
    TRY(new_kernel(prepare, &kernel));
    const Tensor *pattern = prepare->constants[1];
    if (pattern == NULL || pattern->n != 1)
        return NULL;
    return regex_new(prepare->arena, *(const Bytes *)pattern->data, &kernel->regex);
}

static Error *text_attr(const OpPrepare *prepare, const char *name, Bytes *ret)
{
    const Attr *attr = attrs_find(prepare->attrs, name);
    if (attr == NULL || attr->kind != ATTR_TEXT)
        return error_new(ERROR_INVALID_ARGUMENT, "%s has no attribute %s that is a string",
                         prepare->op->name, name);
    *ret = attr->texts[0];
    return NULL;
}

Error *static_regex_match_prepare(OpPrepare *prepare)
{
    RegexKernel *kernel = NULL;
    Bytes pattern;
    TRY(new_kernel(prepare, &kernel));
    TRY(text_attr(prepare, "pattern", &pattern));
    return regex_new(prepare->arena, pattern, &kernel->regex);
}

Error *static_regex_replace_prepare(OpPrepare *prepare)
{
    TRY(static_regex_match_prepare(prepare));
    return text_attr(prepare, "rewrite", &((RegexKernel *)prepare->kernel)->rewrite);
}

/* The regular expression of this run and room for its results. */
static Error *begin(OpContext *c, RegexMatch **ret_match, const Regex **ret_regex)
{
    const RegexKernel *kernel = c->kernel;
    const Regex *regex = kernel->regex;
    if (c->n_inputs > 1 && op_input(c, 1)->shape.rank != 0) {
        char text[SHAPE_TEXT_BYTES];
        return error_new(ERROR_INVALID_ARGUMENT, "Pattern must be scalar, but received %s",
                         shape_text(&op_input(c, 1)->shape, text));
    }
    if (regex == NULL)
        TRY(regex_new(c->arena, *(const Bytes *)op_input(c, 1)->data, &regex));
    *ret_regex = regex;
    return regex_match_new(regex, c->arena, ret_match);
}

/* ---- replace ------------------------------------------------------------------------------- */

static Error *append(TextBuf *text, const uint8_t *data, size_t n)
{
    return text_buf_append(text, (Bytes){ data, n });
}

/* The highest group that the rewrite names. */
static uint32_t highest_group(Bytes rewrite)
{
    uint32_t highest = 0;
    for (size_t i = 0; i + 1 < rewrite.size; i++) {
        if (rewrite.data[i] != '\\')
            continue;
        i++;
        uint32_t group = (uint32_t)rewrite.data[i] - '0';
        if (group <= 9 && group > highest)
            highest = group;
    }
    return highest;
}

static bool is_rewrite(Bytes rewrite)
{
    for (size_t i = 0; i < rewrite.size; i++) {
        if (rewrite.data[i] != '\\')
            continue;
        if (++i == rewrite.size ||
            !(rewrite.data[i] == '\\' || (uint8_t)(rewrite.data[i] - '0') <= 9))
            return false;
    }
    return true;
}

static Error *append_rewrite(TextBuf *text, Bytes rewrite, const RegexMatch *match, Bytes subject)
{
    for (size_t i = 0; i < rewrite.size; i++) {
        if (rewrite.data[i] == '\\') {
            if (++i == rewrite.size)
                return NULL;
            uint32_t group = (uint32_t)rewrite.data[i] - '0';
            size_t from = 0, to = 0;
            if (group <= 9 && regex_group(match, group, &from, &to))
                TRY(append(text, subject.data + from, to - from));
            if (group <= 9)
                continue;
            if (rewrite.data[i] != '\\')
                return NULL;
        }
        TRY(append(text, &rewrite.data[i], 1));
    }
    return NULL;
}

/* Bytes of the character at `at`; a byte that begins none counts as one. */
static size_t character_bytes(Bytes text, size_t at)
{
    size_t end = at + 1;
    if (text.data[at] >= 0xC0)
        while (end < text.size && end < at + 4 && utf8_is_continuation(text.data[end]))
            end++;
    return end - at;
}

/* RE2::GlobalReplace: an empty match right behind a match counts not, and one character goes by. */
static Error *replace_all(TextBuf *text, RegexMatch *match, Bytes rewrite, Bytes subject)
{
    size_t at = 0, last_end = SIZE_MAX, from = 0, to = 0;
    while (at <= subject.size) {
        bool found = false;
        TRY(regex_search(match, subject, at, &found));
        if (!found || !regex_group(match, 0, &from, &to) || from < at)
            break;
        TRY(append(text, subject.data + at, from - at));
        at = from;
        if (from == last_end && to == from) {
            if (at == subject.size)
                break;
            size_t n = character_bytes(subject, at);
            TRY(append(text, subject.data + at, n));
            at += n;
            continue;
        }
        TRY(append_rewrite(text, rewrite, match, subject));
        at = last_end = to;
    }
    return at < subject.size ? append(text, subject.data + at, subject.size - at) : NULL;
}

static Error *replace_first(TextBuf *text, RegexMatch *match, Bytes rewrite, Bytes subject)
{
    bool found = false;
    size_t from = 0, to = 0;
    TRY(regex_search(match, subject, 0, &found));
    if (!found || !regex_group(match, 0, &from, &to))
        return append(text, subject.data, subject.size);
    TRY(append(text, subject.data, from));
    TRY(append_rewrite(text, rewrite, match, subject));
    return append(text, subject.data + to, subject.size - to);
}

static Error *replace(OpContext *c, Bytes rewrite)
{
    const RegexKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    RegexMatch *match = NULL;
    const Regex *regex = NULL;
    TRY(begin(c, &match, &regex));
    if (highest_group(rewrite) > regex_groups(regex) ||
        (!kernel->replace_global && !is_rewrite(rewrite)))
        return op_output_alias(c, 0, 0, &x->shape);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++) {
        Bytes subject = ((const Bytes *)x->data)[i];
        if (subject.data == NULL)
            subject.data = (const uint8_t *)"";
        TextBuf text = { .arena = c->arena };
        TRY(kernel->replace_global ? replace_all(&text, match, rewrite, subject)
                                   : replace_first(&text, match, rewrite, subject));
        ((Bytes *)y->data)[i] = text_buf_bytes(&text);
    }
    return NULL;
}

Error *static_regex_replace_run(OpContext *c)
{
    return replace(c, ((const RegexKernel *)c->kernel)->rewrite);
}

Error *regex_replace_run(OpContext *c)
{
    const Tensor *rewrite = op_input(c, 2);
    char text[SHAPE_TEXT_BYTES];
    if (rewrite->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Rewrite must be scalar, but received %s",
                         shape_text(&rewrite->shape, text));
    return replace(c, *(const Bytes *)rewrite->data);
}

/* ---- match --------------------------------------------------------------------------------- */

Error *regex_match_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    RegexMatch *match = NULL;
    const Regex *regex = NULL;
    TRY(begin(c, &match, &regex));
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_BOOL, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++)
        TRY(regex_matches_whole(match, ((const Bytes *)x->data)[i], &((bool *)y->data)[i]));
    return NULL;
}
