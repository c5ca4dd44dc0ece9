/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/dataset.c and train/augment.c.
 */
#include "train/dataset.h"

#include <math.h>

#include "tests/unit/train/digits.h"
#include "train/augment.h"

/* Writes n images of `side` x 28 pixels and m labels that are all `label`. */
typedef struct Files {
    size_t n, side, m;
    uint8_t label;
} Files;

static void write_idx(const char *path, const uint8_t *header, size_t header_size, size_t n,
                      uint8_t value)
{
    size_t size = header_size + n;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memcpy(bytes, header, header_size);
    memset(bytes + header_size, value, n);
    assert_ok(file_write(path, bytes, size));
    free(bytes);
}

static void write_files(Arena *arena, const char *directory, Files files)
{
    const uint8_t image_header[16] = {
        0, 0, 8, 3, 0, 0, 0, (uint8_t)files.n, 0, 0, 0, (uint8_t)files.side, 0, 0, 0, NET_SIZE
    };
    const uint8_t label_header[8] = { 0, 0, 8, 1, 0, 0, 0, (uint8_t)files.m };
    write_idx(file_join(arena, directory, "train-images-idx3-ubyte"), image_header, 16,
              files.n * files.side * NET_SIZE, 51);
    write_idx(file_join(arena, directory, "train-labels-idx1-ubyte"), label_header, 8, files.m,
              files.label);
}

static void test_sets(void **state _unused_)
{
    static const struct {
        Files files;
        const char *text; /* of the error; NULL for none */
    } cases[] = {
        { { 3, 28, 3, 9 }, NULL },
        { { 3, 27, 3, 9 }, "27x28 pixels; they must be 28x28" },
        { { 3, 28, 2, 9 }, "3 images and train-labels-idx1-ubyte holds 2 labels" },
        { { 0, 28, 0, 9 }, "at least one" },
        { { 3, 28, 3, 10 }, "label 0 is 10; labels must be 0 to 9" },
    };
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
        char directory[TEST_DIRECTORY_BYTES];
        test_directory_make(directory);
        write_files(arena, directory, cases[k].files);
        Dataset dataset = { 0 };
        Error *error = dataset_read(arena, directory, "train", &dataset);
        if (cases[k].text == NULL) {
            assert_ok(error);
            assert_int_equal(dataset.n, 3);
            assert_int_equal(dataset.images[3 * NET_PIXELS - 1], 51);
            assert_int_equal(dataset.labels[2], 9);
        } else {
            assert_error(error, ERROR_INVALID_ARGUMENT, cases[k].text);
        }
        test_directory_remove(directory);
    }
}

/* The error names the file that is missing and where the set is to be had. */
static void test_missing(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset;
    assert_error(dataset_read(arena, "/nowhere", "t10k", &dataset), ERROR_NOT_FOUND,
                 "neither /nowhere/t10k-images-idx3-ubyte nor "
                 "/nowhere/t10k-images-idx3-ubyte.gz exists; the official MNIST set");
    assert_error(dataset_read(arena, "/nowhere", "t10k", &dataset), ERROR_NOT_FOUND,
                 "https://storage.googleapis.com/cvdf-datasets/mnist/");
}

static void test_batch(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, 20, 1);
    const uint32_t order[] = { 7, 0, 19 };
    DatasetBatch batch = { .dataset = &dataset, .order = order, .n = 3 };
    float images[3 * NET_PIXELS];
    uint8_t labels[3];
    dataset_load(&batch, NULL, images, labels);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(labels[i], dataset.labels[order[i]]);
        for (size_t k = 0; k < NET_PIXELS; k++)
            assert_float_equal(images[i * NET_PIXELS + k],
                               dataset.images[order[i] * NET_PIXELS + k] / 255.0, 1e-6);
    }
}

static void test_warps(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, 1, 1);
    float image[NET_PIXELS];
    const Warp identity = { .xx = 1, .yy = 1 };
    warp_image(&identity, dataset.images, image);
    for (size_t k = 0; k < NET_PIXELS; k++)
        assert_float_equal(image[k], dataset.images[k] / 255.0, 1e-5);

    const Warp left = { .xx = 1, .yy = 1, .dx = 1 }; /* from one pixel to the right */
    warp_image(&left, dataset.images, image);
    for (size_t y = 0; y < NET_SIZE; y++) {
        for (size_t x = 0; x + 1 < NET_SIZE; x++)
            assert_float_equal(image[y * NET_SIZE + x],
                               dataset.images[y * NET_SIZE + x + 1] / 255.0, 1e-5);
        assert_float_equal(image[y * NET_SIZE + NET_SIZE - 1], 0, 1e-6); /* from outside */
    }

    const Warp half = { .xx = 1, .yy = 1, .dy = 0.5f }; /* between two rows: their mean */
    warp_image(&half, dataset.images, image);
    for (size_t k = 0; k + NET_SIZE < NET_PIXELS; k++)
        assert_float_equal(image[k], (dataset.images[k] + dataset.images[k + NET_SIZE]) / 510.0,
                           1e-5);

    const Warp turn = { .xy = -1, .yx = 1 }; /* by 90 degrees about the centre */
    warp_image(&turn, dataset.images, image);
    for (size_t y = 0; y < NET_SIZE; y++)
        for (size_t x = 0; x < NET_SIZE; x++)
            assert_float_equal(image[y * NET_SIZE + x],
                               dataset.images[x * NET_SIZE + (NET_SIZE - 1 - y)] / 255.0, 1e-4);
}

/* Warps are named by seed, step and place, and are as small as augment.h says. */
static void test_augmented_batch(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, 2, 1);
    const uint32_t order[] = { 0, 0 };
    DatasetBatch batch = { .dataset = &dataset, .order = order, .n = 2, .augment = true };
    float first[2 * NET_PIXELS], again[2 * NET_PIXELS];
    uint8_t labels[2];
    dataset_load(&batch, NULL, first, labels);
    dataset_load(&batch, NULL, again, labels);
    assert_memory_equal(first, again, sizeof(first));
    assert_memory_not_equal(first, first + NET_PIXELS, NET_PIXELS * sizeof(float));
    batch.step = 1;
    dataset_load(&batch, NULL, again, labels);
    assert_memory_not_equal(first, again, sizeof(first));
    Rng rng = rng_stream(1, RNG_AUGMENT, 0, 0);
    for (int i = 0; i < 1000; i++) {
        Warp warp = warp_random(&rng);
        double area = fabs((double)(warp.xx * warp.yy - warp.xy * warp.yx));
        assert_true(area > 0.85 * 0.85 - 1e-5 && area < 1.15 * 1.15 + 1e-5);
        assert_true(fabsf(warp.dx) <= 2.0f && fabsf(warp.dy) <= 2.0f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_warps),
        cmocka_unit_test(test_augmented_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
