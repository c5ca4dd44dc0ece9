/* SPDX-License-Identifier: Apache-2.0
 *
 * StringSplit and StringSplitV2: a vector of strings to the pieces of each, as a sparse matrix.
 * Pieces borrow the bytes of the input.
 *
 *   op             separator                             empty: cuts at      empty pieces
 *   StringSplit    each byte of it, on its own           every byte          go with skip_empty
 *   StringSplitV2  the whole of it                       runs of white space stay; none of white space
 */
#include "model/op/kernels.h"
#include "model/op/text.h"

typedef struct SplitKernel {
    bool skip_empty;    /* StringSplit */
    int64_t max_splits; /* StringSplitV2; negative: no limit */
} SplitKernel;

/* What is left of a string that is being cut. */
typedef struct Cutter {
    const SplitKernel *kernel;
    Bytes separator, rest;
    int64_t n_splits;
    bool is_done;
} Cutter;

/* Gives the next piece; false at the end. */
typedef bool NextPiece(Cutter *cutter, Bytes *ret);

Error *string_split_prepare(OpPrepare *prepare)
{
    SplitKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "skip_empty", true, &kernel->skip_empty));
    TRY(attrs_int_or(prepare->attrs, "maxsplit", -1, &kernel->max_splits));
    prepare->kernel = kernel;
    return NULL;
}

static void advance(Bytes *text, size_t n)
{
    *text = (Bytes){ text->data + n, text->size - n };
}

/* Cuts rest[0..size) off as a piece, and `gap` bytes behind it. */
static Bytes cut(Cutter *cutter, size_t size, size_t gap)
{
    Bytes piece = { cutter->rest.data, size };
    advance(&cutter->rest, size + gap);
    cutter->n_splits++;
    return piece;
}

static bool last_piece(Cutter *cutter, Bytes *ret)
{
    cutter->is_done = true;
    *ret = cutter->rest;
    return true;
}

static bool is_at_limit(const Cutter *cutter)
{
    return cutter->kernel->max_splits >= 0 && cutter->n_splits >= cutter->kernel->max_splits;
}

/* ---- pieces -------------------------------------------------------------------------------- */

static bool next_word(Cutter *cutter, Bytes *ret)
{
    if (cutter->is_done)
        return false;
    /* A limit is met after a cut; without one (0) nothing is cut nor stripped. */
    if (is_at_limit(cutter) && cutter->n_splits == 0)
        return last_piece(cutter, ret);
    cutter->rest = text_strip_left(cutter->rest);
    if (is_at_limit(cutter))
        return last_piece(cutter, ret);
    size_t n = 0;
    while (n < cutter->rest.size && !text_is_space(cutter->rest.data[n]))
        n++;
    if (n == 0)
        return false;
    *ret = cut(cutter, n, 0);
    return true;
}

static bool next_part(Cutter *cutter, Bytes *ret)
{
    if (cutter->is_done)
        return false;
    if (is_at_limit(cutter) || cutter->rest.size == 0)
        return last_piece(cutter, ret);
    const uint8_t *found = memmem(cutter->rest.data, cutter->rest.size, cutter->separator.data,
                                  cutter->separator.size);
    if (found == NULL)
        return last_piece(cutter, ret);
    *ret = cut(cutter, (size_t)(found - cutter->rest.data), cutter->separator.size);
    return true;
}

static bool next_byte(Cutter *cutter, Bytes *ret)
{
    if (cutter->rest.size == 0)
        return false;
    *ret = cut(cutter, 1, 0);
    return true;
}

static bool next_field(Cutter *cutter, Bytes *ret)
{
    if (cutter->rest.size == 0 && cutter->n_splits == 0) /* an empty string has no pieces at all */
        return false;
    while (!cutter->is_done) {
        size_t n = 0;
        while (n < cutter->rest.size &&
               memchr(cutter->separator.data, cutter->rest.data[n], cutter->separator.size) == NULL)
            n++;
        if (n < cutter->rest.size)
            *ret = cut(cutter, n, 1);
        else
            last_piece(cutter, ret);
        if (ret->size > 0 || !cutter->kernel->skip_empty)
            return true;
    }
    return false;
}

/* ---- run ----------------------------------------------------------------------------------- */

static Cutter cutter_of(OpContext *c, int64_t i)
{
    return (Cutter){ .kernel = c->kernel,
                     .separator = *(const Bytes *)op_input(c, 1)->data,
                     .rest = ((const Bytes *)op_input(c, 0)->data)[i] };
}

/* Counts the pieces first, then writes them. */
static Error *split(OpContext *c, NextPiece *next)
{
    const Tensor *x = op_input(c, 0);
    int64_t n = 0, longest = 0;
    Bytes piece;
    for (int64_t i = 0; i < x->n; i++) {
        int64_t before = n;
        for (Cutter cutter = cutter_of(c, i); next(&cutter, &piece);)
            n++;
        longest = n - before > longest ? n - before : longest;
    }
    Tensor *indices = NULL, *values = NULL, *shape = NULL;
    TRY(op_output(c, 0, DT_INT64, &shape_of(n, 2), &indices));
    TRY(op_output(c, 1, DT_STRING, &shape_of(n), &values));
    TRY(op_output(c, 2, DT_INT64, &shape_of(2), &shape));
    int64_t *at = indices->data;
    Bytes *pieces = values->data;
    for (int64_t i = 0; i < x->n; i++) {
        Cutter cutter = cutter_of(c, i);
        for (int64_t k = 0; next(&cutter, &piece); k++) {
            *pieces++ = piece;
            *at++ = i;
            *at++ = k;
        }
    }
    ((int64_t *)shape->data)[0] = x->n;
    ((int64_t *)shape->data)[1] = longest;
    return NULL;
}

static Error *check_shapes(const OpContext *c, const char *separator)
{
    char text[SHAPE_TEXT_BYTES];
    const Tensor *x = op_input(c, 0), *sep = op_input(c, 1);
    if (x->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be a vector, got shape: %s",
                         shape_text(&x->shape, text));
    if (sep->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must be a scalar, got shape: %s", separator,
                         shape_text(&sep->shape, text));
    return NULL;
}

Error *string_split_run(OpContext *c)
{
    TRY(check_shapes(c, "delimiter"));
    return split(c, ((const Bytes *)op_input(c, 1)->data)->size == 0 ? next_byte : next_field);
}

Error *string_split_v2_run(OpContext *c)
{
    TRY(check_shapes(c, "sep"));
    return split(c, ((const Bytes *)op_input(c, 1)->data)->size == 0 ? next_word : next_part);
}
