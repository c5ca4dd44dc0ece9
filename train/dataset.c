/* SPDX-License-Identifier: Apache-2.0
 *
 * MNIST on disk and in batches. The bytes stay as they are in memory (47 MB); floats are made
 * batch by batch.
 */
#include "train/dataset.h"

#include <string.h>

#include "model/base/file.h"
#include "train/augment.h"
#include "train/idx.h"
#include "train/net.h"

#define ROWS 8 /* images at a time */

/* Reads DIR/NAME.gz, or DIR/NAME when that is not there. */
static Error *read_either(Arena *arena, const char *directory, const char *name, int rank,
                          Idx *ret_idx)
{
    const char *plain = file_join(arena, directory, name);
    const char *zipped = plain == NULL ? NULL : arena_printf(arena, "%s.gz", plain);
    if (zipped == NULL)
        return error_out_of_memory();
    if (file_exists(zipped))
        return idx_read(arena, zipped, rank, ret_idx);
    if (file_exists(plain))
        return idx_read(arena, plain, rank, ret_idx);
    return error_new(ERROR_NOT_FOUND,
                     "neither %s nor %s.gz exists; the official MNIST set (four .gz files) is at "
                     "https://storage.googleapis.com/cvdf-datasets/mnist/ - put them into "
                     "--data_dir as they are",
                     plain, plain);
}

Error *dataset_read(Arena *arena, const char *directory, const char *prefix, Dataset *ret_dataset)
{
    const char *image_name = arena_printf(arena, "%s-images-idx3-ubyte", prefix);
    const char *label_name = arena_printf(arena, "%s-labels-idx1-ubyte", prefix);
    if (image_name == NULL || label_name == NULL)
        return error_out_of_memory();
    Idx images, labels;
    TRY(read_either(arena, directory, image_name, 3, &images));
    TRY(read_either(arena, directory, label_name, 1, &labels));
    if (images.dims[1] != NET_SIZE || images.dims[2] != NET_SIZE)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s in %s holds images of %zux%zu pixels; they must be 28x28", image_name,
                         directory, images.dims[1], images.dims[2]);
    if (images.dims[0] != labels.dims[0] || images.dims[0] == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s in %s holds %zu images and %s holds %zu labels; there must be as many "
                         "of both, and at least one",
                         image_name, directory, images.dims[0], label_name, labels.dims[0]);
    for (size_t i = 0; i < labels.dims[0]; i++)
        if (labels.data[i] >= NET_CLASSES)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "%s in %s: label %zu is %u; labels must be 0 to 9", label_name,
                             directory, i, labels.data[i]);
    *ret_dataset = (Dataset){ images.dims[0], images.data, labels.data };
    return NULL;
}

typedef struct Load {
    const DatasetBatch *batch;
    float *images;
    uint8_t *labels;
} Load;

static void load_rows(void *context, size_t begin, size_t end, int thread _unused_)
{
    const Load *load = context;
    const DatasetBatch *batch = load->batch;
    for (size_t i = begin; i < end; i++) {
        const uint8_t *pixels = batch->dataset->images + (size_t)batch->order[i] * NET_PIXELS;
        float *image = load->images + i * NET_PIXELS;
        load->labels[i] = batch->dataset->labels[batch->order[i]];
        if (batch->augment) {
            Rng rng = rng_stream(batch->seed, RNG_AUGMENT, (uint64_t)batch->step, i);
            Warp warp = warp_random(&rng);
            warp_image(&warp, pixels, image);
        } else {
            for (size_t k = 0; k < NET_PIXELS; k++)
                image[k] = (float)pixels[k] * (1.0f / 255.0f);
        }
    }
}

void dataset_load(const DatasetBatch *batch, Workers *workers, float *images, uint8_t *labels)
{
    Load load = { batch, images, labels };
    workers_for(workers, batch->n, ROWS, load_rows, &load);
}
