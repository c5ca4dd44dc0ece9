/* SPDX-License-Identifier: Apache-2.0
 *
 * The ops made of pools (pool.h): MaxPool, MaxPoolV2 (whose window is an input), AvgPool, MaxPool3D
 * and AvgPool3D. Maxima of every number, means of float and double. Any thread.
 */
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/pool.h"
#include "model/op/volume.h"

/* ---- prepare ------------------------------------------------------------------------------- */

static Error *prepare_volume(OpPrepare *prepare, int n_spatial, bool is_mean)
{
    Volume *volume = arena_calloc(prepare->arena, 1, sizeof(*volume));
    if (volume == NULL)
        return error_out_of_memory();
    if (!pool_has(prepare->input_dtypes[0], is_mean))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(volume_from_attrs(prepare->attrs, n_spatial, volume));
    prepare->kernel = volume;
    return NULL;
}

/* Those that have their window as attributes must have it. */
static Error *prepare_pool(OpPrepare *prepare, int n_spatial, bool is_mean)
{
    size_t n = 0;
    const int64_t *numbers = NULL;
    TRY(attrs_ints(prepare->attrs, "ksize", &n, &numbers));
    if (n == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "attribute ksize of %s is missing",
                         prepare->op->name);
    return prepare_volume(prepare, n_spatial, is_mean);
}

Error *max_pool_v2_prepare(OpPrepare *prepare)
{
    return prepare_volume(prepare, 2, false);
}

Error *max_pool_prepare(OpPrepare *prepare)
{
    return prepare_pool(prepare, 2, false);
}

Error *avg_pool_prepare(OpPrepare *prepare)
{
    return prepare_pool(prepare, 2, true);
}

Error *max_pool3d_prepare(OpPrepare *prepare)
{
    return prepare_pool(prepare, 3, false);
}

Error *avg_pool3d_prepare(OpPrepare *prepare)
{
    return prepare_pool(prepare, 3, true);
}

/* ---- run ----------------------------------------------------------------------------------- */

static Error *check_rank(const Shape *shape, int n_spatial)
{
    char text[SHAPE_TEXT_BYTES];
    if (shape->rank == n_spatial + 2)
        return NULL;
    if (n_spatial == 2)
        return error_new(ERROR_INVALID_ARGUMENT, "Input must be 4 or 5-dimensional");
    return error_new(ERROR_INVALID_ARGUMENT, "tensor_in must be 5-dimensional, got %s",
                     shape_text(shape, text));
}

static Error *run(OpContext *c, const Volume *volume, bool is_mean)
{
    const Tensor *x = op_input(c, 0);
    const int n = volume->n_spatial, first = volume->channels_first ? 2 : 1;
    const int64_t *d = x->shape.dims;
    int64_t taps[3] = { 1, 1, 1 };
    TRY(check_rank(&x->shape, n));
    Pool pool = { .dtype = x->dtype,
                  .batch = volume->channels_first ? d[0] * d[1] : d[0],
                  .channels = volume->channels_first ? 1 : d[n + 1],
                  .is_mean = is_mean,
                  .x = x->data };
    for (int i = 0; i < n; i++)
        taps[i] = volume->axes[3 - n + i].size[0];
    TRY(volume_axes(volume, &d[first], taps, pool.axes));
    Shape shape = x->shape;
    for (int i = 0; i < n; i++)
        shape.dims[first + i] = pool.axes[3 - n + i].out;
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    pool.y = y->data;
    if (y->n > 0)
        pool_run(&pool, c->workers);
    return NULL;
}

Error *max_pool_run(OpContext *c)
{
    return run(c, c->kernel, false);
}

Error *avg_pool_run(OpContext *c)
{
    return run(c, c->kernel, true);
}

Error *max_pool_v2_run(OpContext *c)
{
    Volume volume = *(const Volume *)c->kernel;
    for (int i = 0; i < 2; i++) {
        const Tensor *t = op_input(c, i + 1);
        const char *name = i == 0 ? "ksize" : "strides";
        if (t->shape.rank != 1 || t->n != 4)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Sliding window %s field must specify 4 dimensions", name);
        int64_t numbers[4];
        for (int j = 0; j < 4; j++)
            numbers[j] = tensor_index_at(t, j);
        TRY(volume_set(&volume, i == 0 ? VOLUME_SIZE : VOLUME_STRIDE, name, numbers));
    }
    return run(c, &volume, false);
}
