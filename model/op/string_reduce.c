/* SPDX-License-Identifier: Apache-2.0
 *
 * Many strings to one: ReduceJoin along axes, UnsortedSegmentJoin by numbers, StringNGrams of
 * neighbours in the rows of a ragged matrix.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/text_buf.h"

static Error *text_attr(const OpPrepare *prepare, const char *name, Bytes *ret)
{
    const Attr *attr = attrs_find(prepare->attrs, name);
    *ret = (Bytes){ NULL, 0 };
    if (attr != NULL && attr->kind != ATTR_TEXT)
        return error_new(ERROR_INVALID_ARGUMENT, "the attribute %s of %s must be a string", name,
                         prepare->op->name);
    if (attr != NULL)
        *ret = attr->texts[0];
    return NULL;
}

/* ---- ReduceJoin ---------------------------------------------------------------------------- */

typedef struct JoinKernel {
    Bytes separator;
    bool keep_dims;
} JoinKernel;

Error *reduce_join_prepare(OpPrepare *prepare)
{
    JoinKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(op_prepare_indices(prepare));
    TRY(text_attr(prepare, "separator", &kernel->separator));
    TRY(attrs_bool_or(prepare->attrs, "keep_dims", false, &kernel->keep_dims));
    prepare->kernel = kernel;
    return NULL;
}

/* A walk over some dimensions of a tensor; the last one of `axes` changes first. */
typedef struct AxisWalk {
    int n;
    int axes[SHAPE_MAX_RANK];
    int64_t strides[SHAPE_MAX_RANK]; /* of all dimensions of the tensor */
    const Shape *shape;
} AxisWalk;

static int64_t walk_count(const AxisWalk *walk)
{
    int64_t n = 1;
    for (int i = 0; i < walk->n; i++)
        n *= walk->shape->dims[walk->axes[i]];
    return n;
}

static int64_t walk_offset(const AxisWalk *walk, int64_t k)
{
    int64_t offset = 0;
    for (int i = walk->n - 1; i >= 0; i--) {
        int64_t dim = walk->shape->dims[walk->axes[i]];
        offset += k % dim * walk->strides[walk->axes[i]];
        k /= dim;
    }
    return offset;
}

/* Sorts the dimensions into those that are joined and those that stay. */
static Error *split_axes(const Tensor *x, const Tensor *axes, AxisWalk *joined, AxisWalk *kept)
{
    bool is_joined[SHAPE_MAX_RANK] = { false };
    *joined = (AxisWalk){ .shape = &x->shape };
    for (int d = 0; d < x->shape.rank; d++)
        joined->strides[d] = dims_product(&x->shape, d + 1, x->shape.rank);
    *kept = *joined;
    for (int64_t i = axes->n - 1; i >= 0; i--) { /* the axis that is named first changes first */
        int64_t axis = tensor_index_at(axes, i);
        int d = axis_of(axis, x->shape.rank);
        if (d < 0)
            return error_new(ERROR_OUT_OF_RANGE,
                             "Invalid reduction dimension %lld for input with %d dimension(s)",
                             (long long)axis, x->shape.rank);
        if (is_joined[d])
            return error_new(ERROR_INVALID_ARGUMENT, "Duplicate reduction dimension %lld",
                             (long long)axis);
        is_joined[d] = true;
        joined->axes[joined->n++] = d;
    }
    for (int d = 0; d < x->shape.rank; d++) {
        if (!is_joined[d])
            kept->axes[kept->n++] = d;
    }
    return NULL;
}

Error *reduce_join_run(OpContext *c)
{
    const JoinKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    AxisWalk joined, kept;
    TRY(split_axes(x, op_input(c, 1), &joined, &kept));
    Shape shape = kernel->keep_dims ? x->shape : (Shape){ .rank = 0 };
    for (int i = 0; i < joined.n && kernel->keep_dims; i++)
        shape.dims[joined.axes[i]] = 1;
    for (int i = 0; i < kept.n && !kernel->keep_dims; i++)
        shape.dims[shape.rank++] = x->shape.dims[kept.axes[i]];
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &shape, &y));
    int64_t n_parts = x->n > 0 ? walk_count(&joined) : 0;
    for (int64_t i = 0; i < y->n; i++) {
        TextBuf text = { .arena = c->arena };
        int64_t at = walk_offset(&kept, i);
        for (int64_t k = 0; k < n_parts; k++) {
            if (k > 0)
                TRY(text_buf_append(&text, kernel->separator));
            TRY(text_buf_append(&text, ((const Bytes *)x->data)[at + walk_offset(&joined, k)]));
        }
        ((Bytes *)y->data)[i] = text_buf_bytes(&text);
    }
    return NULL;
}

/* ---- UnsortedSegmentJoin ------------------------------------------------------------------- */

Error *segment_join_run(OpContext *c)
{
    const JoinKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0), *ids = op_input(c, 1), *count = op_input(c, 2);
    bool fits = count->n == 1 && ids->shape.rank > 0 && ids->shape.rank <= x->shape.rank;
    for (int d = 0; fits && d < ids->shape.rank; d++)
        fits = ids->shape.dims[d] == x->shape.dims[d];
    if (!fits)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "segment_ids must have the first dimensions of inputs, and num_segments "
                         "be a scalar");
    Shape shape = shape_of(tensor_index_at(count, 0));
    for (int d = ids->shape.rank; d < x->shape.rank; d++)
        shape.dims[shape.rank++] = x->shape.dims[d];
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &shape, &y));
    int64_t inner = dims_product(&shape, 1, shape.rank);
    TextBuf *texts = op_scratch(c, (size_t)y->n * sizeof(*texts));
    bool *begun = op_scratch(c, (size_t)y->n);
    if (texts == NULL || begun == NULL)
        return error_out_of_memory();
    for (int64_t i = 0; i < y->n; i++)
        texts[i] = (TextBuf){ .arena = c->arena };
    memset(begun, 0, (size_t)y->n);
    for (int64_t i = 0; i < ids->n; i++) {
        int64_t id = tensor_index_at(ids, i);
        if (id < 0 || id >= shape.dims[0])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "segment_ids are not allowed to exceed num_segments or to have "
                             "negative values.");
        for (int64_t k = 0; k < inner; k++) {
            int64_t at = id * inner + k;
            if (begun[at])
                TRY(text_buf_append(&texts[at], kernel->separator));
            TRY(text_buf_append(&texts[at], ((const Bytes *)x->data)[i * inner + k]));
            begun[at] = true;
        }
    }
    for (int64_t i = 0; i < y->n; i++)
        ((Bytes *)y->data)[i] = text_buf_bytes(&texts[i]);
    return NULL;
}

/* ---- StringNGrams -------------------------------------------------------------------------- */

#define NGRAM_MAX_WIDTH 65536 /* and of the padding: bounds the sums below */

typedef struct NGramKernel {
    Bytes separator, left_pad, right_pad;
    size_t n_widths;
    const int64_t *widths; /* [n_widths] */
    int64_t pad_width;     /* negative: as wide as fits */
    bool preserve_short;
} NGramKernel;

Error *ngrams_prepare(OpPrepare *prepare)
{
    NGramKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(text_attr(prepare, "separator", &kernel->separator));
    TRY(op_check_index_type(prepare, 1));
    TRY(text_attr(prepare, "left_pad", &kernel->left_pad));
    TRY(text_attr(prepare, "right_pad", &kernel->right_pad));
    TRY(attrs_ints(prepare->attrs, "ngram_widths", &kernel->n_widths, &kernel->widths));
    TRY(attrs_int(prepare->attrs, "pad_width", &kernel->pad_width));
    TRY(attrs_bool_or(prepare->attrs, "preserve_short_sequences", false, &kernel->preserve_short));
    for (size_t i = 0; i < kernel->n_widths; i++) {
        if (kernel->widths[i] <= 0 || kernel->widths[i] > NGRAM_MAX_WIDTH)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "ngram_widths must contain positive values, up to %d",
                             NGRAM_MAX_WIDTH);
    }
    if (kernel->pad_width > NGRAM_MAX_WIDTH)
        return error_new(ERROR_INVALID_ARGUMENT, "pad_width must be at most %d", NGRAM_MAX_WIDTH);
    prepare->kernel = kernel;
    return NULL;
}

static int64_t padding_of(const NGramKernel *kernel, int64_t width)
{
    bool is_narrower = kernel->pad_width >= 0 && kernel->pad_width < width - 1;
    return is_narrower ? kernel->pad_width : width - 1;
}

static int64_t count_of(const NGramKernel *kernel, int64_t length, int64_t width)
{
    int64_t n = length + 2 * padding_of(kernel, width) - width + 1;
    return n > 0 ? n : 0;
}

/* The n-grams of a row of `length`; a short one that is preserved counts as one. */
static int64_t row_count(const NGramKernel *kernel, int64_t length)
{
    int64_t n = 0;
    for (size_t i = 0; i < kernel->n_widths; i++)
        n += count_of(kernel, length, kernel->widths[i]);
    return n == 0 && length > 0 && kernel->preserve_short ? 1 : n;
}

/* N-gram k of `n`: tokens [k, k + width) of the row with `padding` on both sides. */
typedef struct NGram {
    const Bytes *row;
    int64_t length, width, padding, k;
} NGram;

static Error *write_ngram(const NGramKernel *kernel, const NGram *g, Arena *arena, Bytes *ret)
{
    TextBuf text = { .arena = arena };
    for (int64_t t = g->k; t < g->k + g->width; t++) {
        if (t > g->k)
            TRY(text_buf_append(&text, kernel->separator));
        int64_t at = t - g->padding;
        TRY(text_buf_append(&text, at < 0           ? kernel->left_pad
                                   : at < g->length ? g->row[at]
                                                    : kernel->right_pad));
    }
    *ret = text_buf_bytes(&text);
    return NULL;
}

static Error *write_row(const OpContext *c, const Bytes *row, int64_t length, Bytes *to)
{
    const NGramKernel *kernel = c->kernel;
    NGram g = { .row = row, .length = length };
    Bytes *first = to;
    for (size_t i = 0; i < kernel->n_widths; i++) {
        g.width = kernel->widths[i];
        g.padding = padding_of(kernel, g.width);
        int64_t n = count_of(kernel, length, g.width);
        for (g.k = 0; g.k < n; g.k++)
            TRY(write_ngram(kernel, &g, c->arena, to++));
    }
    if (to == first && length > 0 && kernel->preserve_short) {
        if (kernel->pad_width < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Pad width should be >= 0 when preserve_short_sequences is True and "
                             "ngram_widths are not provided, got %lld",
                             (long long)kernel->pad_width);
        g.width = length + 2 * kernel->pad_width;
        g.padding = kernel->pad_width;
        g.k = 0;
        return write_ngram(kernel, &g, c->arena, to);
    }
    return NULL;
}

static Error *check_splits(const Tensor *splits, int64_t n)
{
    int64_t last = 0;
    for (int64_t i = 0; i < splits->n; i++) {
        int64_t split = tensor_index_at(splits, i);
        if (i == 0 && split != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "First split value must be 0, got %lld",
                             (long long)split);
        if (split < last || split > n)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Invalid split value %lld, must be in [%lld, %lld]", (long long)split,
                             (long long)last, (long long)n);
        last = split;
    }
    if (splits->n > 0 && last != n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Last split value must be data size. Expected %lld, got %lld",
                         (long long)n, (long long)last);
    return NULL;
}

Error *ngrams_run(OpContext *c)
{
    const Tensor *data = op_input(c, 0), *splits = op_input(c, 1);
    TRY(check_splits(splits, data->n));
    Tensor *ngrams = NULL, *rows = NULL;
    TRY(op_output(c, 1, splits->dtype, &splits->shape, &rows));
    int64_t total = 0;
    bool is_small = splits->dtype == DT_INT32, is_empty = data->n == 0;
    for (int64_t i = 0; i < splits->n; i++) {
        if (i > 0 && !is_empty)
            total +=
                row_count(c->kernel, tensor_index_at(splits, i) - tensor_index_at(splits, i - 1));
        if (is_small && total > INT32_MAX)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "there are more n-grams than an int32 can say");
        if (is_small)
            ((int32_t *)rows->data)[i] = (int32_t)total;
        else
            ((int64_t *)rows->data)[i] = total;
    }
    TRY(op_output(c, 0, DT_STRING, is_empty ? &data->shape : &shape_of(total), &ngrams));
    for (int64_t i = 1; i < splits->n && !is_empty; i++) {
        int64_t begin = tensor_index_at(splits, i - 1), end = tensor_index_at(splits, i);
        TRY(write_row(c, (const Bytes *)data->data + begin, end - begin,
                      (Bytes *)ngrams->data + tensor_index_at(rows, i - 1)));
    }
    return NULL;
}
