/* SPDX-License-Identifier: Apache-2.0
 *
 * Volume: see volume.h. Reads attributes when an op is prepared; any thread.
 */
#include "model/op/volume.h"

#include <string.h>

#define NUMBER_MAX INT32_MAX /* sizes, strides, dilations, paddings; as in window.c */

static int64_t *axis_field(Window *window, VolumeField field)
{
    switch (field) {
    case VOLUME_SIZE:
        return window->size;
    case VOLUME_STRIDE:
        return window->stride;
    default:
        return window->dilation;
    }
}

/* Where the first spatial axis stands in the data format, and the channels. */
static int first_spatial(const Volume *v)
{
    return v->channels_first ? 2 : 1;
}

static int channel_dim(const Volume *v)
{
    return v->channels_first ? 1 : v->n_spatial + 1;
}

Error *volume_set(Volume *v, VolumeField field, const char *name, const int64_t *numbers)
{
    for (int i = 0; i < v->n_spatial + 2; i++) {
        if (numbers[i] <= 0 || numbers[i] > NUMBER_MAX)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Sliding window %s must be > 0 and at most %d, but got %lld", name,
                             NUMBER_MAX, (long long)numbers[i]);
    }
    if (numbers[0] != 1 || numbers[channel_dim(v)] != 1)
        return error_new(ERROR_UNIMPLEMENTED,
                         "Current implementation does not yet support %s in the batch and depth "
                         "dimensions.",
                         name);
    for (int i = 0; i < v->n_spatial; i++)
        axis_field(&v->axes[3 - v->n_spatial + i], field)[0] = numbers[first_spatial(v) + i];
    return NULL;
}

static Error *read_spatial(const Attrs *attrs, const char *name, VolumeField field, Volume *v)
{
    size_t n = 0;
    const int64_t *numbers = NULL;
    if (attrs_find(attrs, name) == NULL)
        return NULL;
    TRY(attrs_ints(attrs, name, &n, &numbers));
    if (n != (size_t)v->n_spatial + 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Sliding window %s field must specify %d dimensions", name,
                         v->n_spatial + 2);
    return volume_set(v, field, name, numbers);
}

static Error *read_explicit(const Attrs *attrs, Volume *v)
{
    const int64_t *pads = NULL;
    TRY(window_explicit_paddings(attrs, "explicit_paddings", v->n_spatial + 2, channel_dim(v),
                                 &pads));
    for (int i = 0; i < v->n_spatial; i++) {
        Window *axis = &v->axes[3 - v->n_spatial + i];
        axis->padding = PADDING_EXPLICIT;
        axis->before[0] = pads[2 * (first_spatial(v) + i)];
        axis->after[0] = pads[2 * (first_spatial(v) + i) + 1];
    }
    return NULL;
}

Error *volume_from_attrs(const Attrs *attrs, int n_spatial, Volume *ret_volume)
{
    static const char *const formats[2][2] = { { "NHWC", "NCHW" }, { "NDHWC", "NCDHW" } };
    const char *const *names = formats[n_spatial - 2];
    Volume v = { .n_spatial = n_spatial };
    const char *format = NULL, *padding = NULL;
    TRY(attrs_text_or(attrs, "data_format", names[0], &format));
    TRY(attrs_text(attrs, "padding", &padding));
    v.channels_first = strcmp(format, names[1]) == 0;
    if (!v.channels_first && strcmp(format, names[0]) != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "data_format must be %s or %s, but is '%s'",
                         names[0], names[1], format);
    bool is_same = strcmp(padding, "SAME") == 0;
    for (int i = 0; i < 3; i++)
        v.axes[i] = (Window){ .size = { 1, 1 },
                              .stride = { 1, 1 },
                              .dilation = { 1, 1 },
                              .padding = is_same ? PADDING_SAME : PADDING_VALID };
    if (strcmp(padding, "EXPLICIT") == 0)
        TRY(read_explicit(attrs, &v));
    else if (!is_same && strcmp(padding, "VALID") != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "padding must be SAME, VALID or EXPLICIT, but is '%s'", padding);
    TRY(read_spatial(attrs, "ksize", VOLUME_SIZE, &v));
    TRY(read_spatial(attrs, "strides", VOLUME_STRIDE, &v));
    TRY(read_spatial(attrs, "dilations", VOLUME_DILATION, &v));
    *ret_volume = v;
    return NULL;
}

Error *volume_axes(const Volume *volume, const int64_t *in, const int64_t *taps,
                   WindowAxis ret_axes[3])
{
    int missing = 3 - volume->n_spatial;
    for (int i = 0; i < 3; i++) {
        int64_t size = i < missing ? 1 : in[i - missing], n = i < missing ? 1 : taps[i - missing];
        TRY(window_axis(&volume->axes[i], 0, size, n, &ret_axes[i]));
    }
    return NULL;
}
