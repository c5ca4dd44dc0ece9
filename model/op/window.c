/* SPDX-License-Identifier: Apache-2.0
 *
 * Strides, dilations and padding: attributes, and the arithmetic of one axis. The sizes come from
 * strangers: numbers of attributes are held under 2^31, so that no sum or product here overflows.
 * Any thread.
 */
#include "model/op/window.h"

#include <string.h>

#define NUMBER_MAX INT32_MAX

static Error *read_four(const Attrs *attrs, const char *name, const int64_t **ret)
{
    size_t n = 0;
    TRY(attrs_ints(attrs, name, &n, ret));
    if (n != 4)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Sliding window %s field must specify 4 dimensions, got %zu", name, n);
    return NULL;
}

/* Sets one of size, strides and dilations from four numbers, in the order of the data format.
 * `what` names them: "ksize", "strides", "dilations". */
static Error *read_spatial(const Window *window, const char *what, const int64_t numbers[4],
                           int64_t ret_numbers[2])
{
    int h = window->channels_first ? 2 : 1;
    int c = window->channels_first ? 1 : 3;
    for (int i = 0; i < 4; i++) {
        if (numbers[i] <= 0 || numbers[i] > NUMBER_MAX)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Sliding window %s must be > 0 and at most %d, but got %lld", what,
                             NUMBER_MAX, (long long)numbers[i]);
    }
    if (numbers[0] != 1 || numbers[c] != 1)
        return error_new(ERROR_UNIMPLEMENTED,
                         "Current implementation does not yet support %s in the batch and depth "
                         "dimensions.",
                         what);
    ret_numbers[0] = numbers[h];
    ret_numbers[1] = numbers[h + 1];
    return NULL;
}

Error *window_explicit_paddings(const Attrs *attrs, const char *name, int n_dims, int channel,
                                const int64_t **ret_paddings)
{
    size_t n = 0;
    const int64_t *pads = NULL;
    TRY(attrs_ints(attrs, name, &n, &pads));
    if (n != 2 * (size_t)n_dims)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "explicit_paddings attribute must contain %d values, but got: %zu",
                         2 * n_dims, n);
    for (size_t i = 0; i < n; i++) {
        if (pads[i] < 0 || pads[i] > NUMBER_MAX)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "All elements of explicit_paddings must be nonnegative and at most "
                             "%d, but got %lld",
                             NUMBER_MAX, (long long)pads[i]);
    }
    if (pads[0] != 0 || pads[1] != 0 || pads[2 * channel] != 0 || pads[2 * channel + 1] != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Nonzero explicit padding in the batch or depth dimensions is not "
                         "supported");
    *ret_paddings = pads;
    return NULL;
}

static Error *read_explicit(const Attrs *attrs, const char *name, Window *window)
{
    const int64_t *pads = NULL;
    int h = window->channels_first ? 2 : 1;
    TRY(window_explicit_paddings(attrs, name, 4, window->channels_first ? 1 : 3, &pads));
    for (int i = 0; i < 2; i++) {
        window->before[i] = pads[2 * (h + i)];
        window->after[i] = pads[2 * (h + i) + 1];
    }
    return NULL;
}

static Error *read_padding(const Attrs *attrs, const WindowNames *names, Window *window)
{
    const char *padding = NULL;
    TRY(attrs_text(attrs, names->padding, &padding));
    if (strcmp(padding, "VALID") == 0) {
        window->padding = PADDING_VALID;
    } else if (strcmp(padding, "SAME") == 0) {
        window->padding = PADDING_SAME;
    } else if (strcmp(padding, "EXPLICIT") == 0 && names->explicit_paddings != NULL) {
        window->padding = PADDING_EXPLICIT;
        TRY(read_explicit(attrs, names->explicit_paddings, window));
    } else {
        return error_new(ERROR_INVALID_ARGUMENT, "%s must be SAME, VALID%s, but is '%s'",
                         names->padding, names->explicit_paddings != NULL ? " or EXPLICIT" : "",
                         padding);
    }
    return NULL;
}

Error *window_from_attrs(const Attrs *attrs, const WindowNames *names, Window *ret_window)
{
    Window w = { .size = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 } };
    const int64_t *numbers = NULL;
    const char *format = NULL;
    TRY(attrs_text_or(attrs, "data_format", "NHWC", &format));
    w.channels_first = strcmp(format, "NCHW") == 0;
    if (!w.channels_first && strcmp(format, "NHWC") != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "data_format must be NHWC or NCHW, but is '%s'",
                         format);
    if (names->size != NULL) {
        TRY(read_four(attrs, names->size, &numbers));
        TRY(read_spatial(&w, "ksize", numbers, w.size));
    }
    if (names->strides != NULL) {
        TRY(read_four(attrs, names->strides, &numbers));
        TRY(read_spatial(&w, "strides", numbers, w.stride));
    }
    if (names->dilations != NULL && attrs_find(attrs, names->dilations) != NULL) {
        TRY(read_four(attrs, names->dilations, &numbers));
        TRY(read_spatial(&w, "dilations", numbers, w.dilation));
    }
    TRY(read_padding(attrs, names, &w));
    *ret_window = w;
    return NULL;
}

Error *window_of_convolution(const Attrs *attrs, Window *ret_window)
{
    static const WindowNames names = { .strides = "strides",
                                       .padding = "padding",
                                       .dilations = "dilations",
                                       .explicit_paddings = "explicit_paddings" };
    return window_from_attrs(attrs, &names, ret_window);
}

const WindowAxis window_flat_axis = { .in = 1, .taps = 1, .stride = 1, .dilation = 1, .out = 1 };

Error *window_axis(const Window *window, int axis, int64_t in, int64_t taps, WindowAxis *ret_axis)
{
    int64_t stride = window->stride[axis], dilation = window->dilation[axis];
    int64_t reach = 0, before = 0, after = 0, out = 0;
    if (taps > NUMBER_MAX || in > NUMBER_MAX)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "a window of %lld over %lld positions is too large", (long long)taps,
                         (long long)in);
    reach = (taps - 1) * dilation + 1;
    if (window->padding == PADDING_EXPLICIT) {
        before = window->before[axis];
        after = window->after[axis];
    }
    if (window->padding == PADDING_SAME) {
        out = (in + stride - 1) / stride;
        int64_t needed = (out - 1) * stride + reach - in;
        before = needed > 0 ? needed / 2 : 0;
    } else {
        out = (in + before + after - reach + stride) / stride;
    }
    if (out < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Computed output size would be negative: %lld [input_size: %lld, "
                         "effective_filter_size: %lld, stride: %lld]",
                         (long long)out, (long long)in, (long long)reach, (long long)stride);
    *ret_axis = (WindowAxis){
        .in = in, .taps = taps, .stride = stride, .dilation = dilation, .out = out, .before = before
    };
    return NULL;
}

void window_taps(const WindowAxis *axis, int64_t out, int64_t *ret_first, int64_t *ret_end)
{
    int64_t at = out * axis->stride - axis->before;
    int64_t first = at >= 0 ? 0 : (-at + axis->dilation - 1) / axis->dilation;
    int64_t end = at >= axis->in ? 0 : (axis->in - at + axis->dilation - 1) / axis->dilation;
    end = end < axis->taps ? end : axis->taps;
    first = first < end ? first : end;
    *ret_first = first;
    *ret_end = end;
}
