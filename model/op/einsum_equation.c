/* SPDX-License-Identifier: Apache-2.0
 *
 * EinsumEquation: see einsum_equation.h. Parsed once, when the op is prepared; bound to the shapes
 * of each run. Any thread.
 *
 *   equation  axes ["," axes] "->" axes
 *   axes      {letter} ["..." {letter}]
 */
#include "model/op/einsum_equation.h"

#include <string.h>

#include "model/op/axes.h"

#define ELLIPSIS "..."

static int label_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 26;
    return -1;
}

/* Reads axes up to a comma, an arrow or the end. */
static Error *parse_axes(const char *equation, const char **at, EinsumAxes *ret)
{
    EinsumAxes axes = { .ellipsis = -1 };
    const char *p = *at;
    for (; *p != '\0' && *p != ',' && strncmp(p, "->", 2) != 0; p++) {
        if (strncmp(p, ELLIPSIS, strlen(ELLIPSIS)) == 0) {
            if (axes.ellipsis >= 0)
                return error_new(ERROR_INVALID_ARGUMENT,
                                 "Expected at most one ellipsis in each part of einsum equation: "
                                 "%s",
                                 equation);
            axes.ellipsis = axes.n;
            p += strlen(ELLIPSIS) - 1;
            continue;
        }
        int label = label_of(*p);
        if (label < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Axes of einsum equation %s must be named by letters", equation);
        if (axes.n == SHAPE_MAX_RANK)
            return shape_rank_error();
        axes.labels[axes.n++] = label;
    }
    *at = p;
    *ret = axes;
    return NULL;
}

static bool has_label(const EinsumAxes *axes, int label)
{
    for (int i = 0; i < axes->n; i++) {
        if (axes->labels[i] == label)
            return true;
    }
    return false;
}

Error *einsum_parse(const char *text, EinsumEquation *ret)
{
    const char *at = text, *arrow = strstr(text, "->");
    EinsumEquation e = { .n_inputs = 0 };
    if (arrow == NULL || strstr(arrow + 2, "->") != NULL)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expecting exactly one '->' in einsum equation: %s", text);
    for (;;) {
        if (e.n_inputs == 2)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expecting 1 or 2 input subscripts in equation '%s'", text);
        TRY(parse_axes(text, &at, &e.inputs[e.n_inputs++]));
        if (*at != ',')
            break;
        at++;
    }
    at += 2; /* the arrow: there is one, and a comma was none */
    TRY(parse_axes(text, &at, &e.output));
    if (*at != '\0')
        return error_new(ERROR_INVALID_ARGUMENT, "Expecting one output in einsum equation: %s",
                         text);
    for (int i = 0; i < e.output.n; i++) {
        int label = e.output.labels[i];
        if (!has_label(&e.inputs[0], label) && (e.n_inputs < 2 || !has_label(&e.inputs[1], label)))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Output of einsum equation %s has an axis that no input has", text);
    }
    *ret = e;
    return NULL;
}

/* Axes with the ellipsis replaced by labels of its last n_broadcast axes. */
static Error *expand(const EinsumAxes *axes, int n_broadcast, EinsumAxes *ret)
{
    EinsumAxes out = { .n = 0, .ellipsis = -1 };
    if (axes->n + n_broadcast > SHAPE_MAX_RANK)
        return shape_rank_error();
    for (int i = 0; i <= axes->n; i++) {
        for (int k = 0; i == axes->ellipsis && k < n_broadcast; k++)
            out.labels[out.n++] = EINSUM_LABELS - n_broadcast + k;
        if (i < axes->n)
            out.labels[out.n++] = axes->labels[i];
    }
    *ret = out;
    return NULL;
}

/* Takes the sizes of an operand's axes; a label has size -1 before it is met. */
static Error *take_sizes(const EinsumAxes *axes, const Shape *shape, int64_t dims[EINSUM_LABELS])
{
    char text[SHAPE_TEXT_BYTES];
    for (int i = 0; i < axes->n; i++) {
        int64_t *dim = &dims[axes->labels[i]], size = shape->dims[i];
        bool is_broadcast = axes->labels[i] >= EINSUM_LETTERS;
        if (*dim < 0 || (is_broadcast && *dim == 1))
            *dim = size;
        else if (*dim != size && !(is_broadcast && size == 1))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected dimension %lld at axis %d of the input shaped %s but got "
                             "dimension %lld",
                             (long long)*dim, i, shape_text(shape, text), (long long)size);
    }
    return NULL;
}

Error *einsum_bind(const EinsumEquation *equation, const Shape *const *shapes,
                   EinsumEquation *ret_bound, int64_t ret_dims[EINSUM_LABELS])
{
    EinsumEquation bound = { .n_inputs = equation->n_inputs };
    int most = 0; /* axes of the result's ellipsis */
    for (int d = 0; d < EINSUM_LABELS; d++)
        ret_dims[d] = -1;
    for (int i = 0; i < equation->n_inputs; i++) {
        const EinsumAxes *axes = &equation->inputs[i];
        int n = shapes[i]->rank - axes->n;
        bool has_ellipsis = axes->ellipsis >= 0;
        if (n < 0 || (n > 0 && !has_ellipsis))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected input %d to have rank %s%d but got: %d", i,
                             has_ellipsis ? "at least " : "", axes->n, shapes[i]->rank);
        most = n > most ? n : most;
        TRY(expand(axes, n, &bound.inputs[i]));
        TRY(take_sizes(&bound.inputs[i], shapes[i], ret_dims));
    }
    if (most > 0 && equation->output.ellipsis < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Output contains %d broadcasting dimension(s) but no ellipsis (...) was "
                         "found in the output subscripts.",
                         most);
    TRY(expand(&equation->output, most, &bound.output));
    for (int d = 0; d < EINSUM_LABELS; d++)
        ret_dims[d] = ret_dims[d] < 0 ? 1 : ret_dims[d];
    *ret_bound = bound;
    return NULL;
}
