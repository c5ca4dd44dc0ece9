/* SPDX-License-Identifier: Apache-2.0
 *
 * Image: the same digit in every form that PNG has comes out the same; what is like MNIST is left
 * as it is; damaged and huge files are refused. The PNGs are written here, with libpng.
 */
#include <math.h>
#include <png.h>

#include "client/image.h"
#include "model/base/buf.h"
#include "tests/support/check.h"

/* How a picture is to be written. Tones are 0..255, whatever the depth. */
typedef struct Form {
    int color_type, bit_depth;
    bool is_interlaced;
} Form;

/* A picture to be written: tone and alpha of a pixel. */
typedef struct Drawing {
    int width, height;
    int paper, ink;      /* tones */
    int paper_alpha;     /* of 255; the ink's is 255 */
    int left, top, side; /* where the digit's box is, and the size of it */
    int noise;           /* the paper's tones go up and down by so much */
} Drawing;

/* A "4" of straight strokes in the unit square: how much of it is at (x,y). */
static bool is_ink(double x, double y)
{
    bool is_upright = x > 0.6 && x < 0.78 && y >= 0 && y < 1;
    bool is_bar = y > 0.55 && y < 0.72 && x >= 0 && x < 1;
    double slope = fabs(x + y - 0.62);
    return is_upright || is_bar || (slope < 0.1 && y >= 0 && y < 0.72 && x >= 0 && x < 0.75);
}

static int coverage(const Drawing *d, int px, int py)
{
    int n = 0;
    for (int i = 0; i < 16; i++) {
        double x = (px + (i % 4 + 0.5) / 4 - d->left) / d->side;
        double y = (py + (i / 4 + 0.5) / 4 - d->top) / d->side;
        n += is_ink(x, y);
    }
    return n;
}

typedef struct Pixel {
    int tone, alpha;
} Pixel;

static Pixel pixel_at(const Drawing *d, int x, int y)
{
    int n = coverage(d, x, y);
    int noise = d->noise > 0 ? (x * 7919 + y * 104729 + x * y * 31) % (2 * d->noise) - d->noise : 0;
    if (d->paper_alpha == 255)
        return (Pixel){ (d->ink * n + (d->paper + noise) * (16 - n)) / 16, 255 };
    return (Pixel){ d->ink, (255 * n + d->paper_alpha * (16 - n)) / 16 };
}

static void append_png(png_structp png, png_bytep data, size_t bytes)
{
    assert_ok(buf_append(png_get_io_ptr(png), data, bytes));
}

/* Writes one row of samples of the form, big-endian for 16 bits, packed below 8. */
static void fill_row(const Drawing *d, const Form *form, int y, uint8_t *row, size_t row_bytes)
{
    memset(row, 0, row_bytes);
    bool has_color = (form->color_type & PNG_COLOR_MASK_COLOR) != 0;
    bool is_palette = form->color_type == PNG_COLOR_TYPE_PALETTE;
    int n_tones = has_color && !is_palette ? 3 : 1;
    bool has_alpha = (form->color_type & PNG_COLOR_MASK_ALPHA) != 0;
    int levels = (1 << (form->bit_depth < 8 ? form->bit_depth : 8)) - 1;
    for (int x = 0, sample = 0; x < d->width; x++) {
        Pixel p = pixel_at(d, x, y);
        for (int i = 0; i < n_tones + has_alpha; i++, sample++) {
            int tone = i < n_tones ? p.tone : p.alpha;
            int value = (tone * levels + 127) / 255;
            if (form->bit_depth == 16)
                row[2 * sample] = row[2 * sample + 1] = (uint8_t)value;
            else if (form->bit_depth == 8)
                row[sample] = (uint8_t)value;
            else
                row[sample * form->bit_depth / 8] |=
                    (uint8_t)(value << (8 - form->bit_depth - sample * form->bit_depth % 8));
        }
    }
}

static Buf write_png(const Drawing *d, const Form *form)
{
    Buf buf;
    buf_init(&buf, SIZE_MAX);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &buf, append_png, NULL);
    png_set_IHDR(png, info, (png_uint_32)d->width, (png_uint_32)d->height, form->bit_depth,
                 form->color_type, form->is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (form->color_type == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[256];
        int levels = 1 << form->bit_depth;
        for (int i = 0; i < levels; i++) {
            png_byte tone = (png_byte)(255 * i / (levels - 1));
            palette[i] = (png_color){ tone, tone, tone };
        }
        png_set_PLTE(png, info, palette, levels);
    }
    png_write_info(png, info);
    size_t row_bytes = png_get_rowbytes(png, info);
    uint8_t *rows = malloc(row_bytes * (size_t)d->height);
    png_bytepp pointers = malloc(sizeof(*pointers) * (size_t)d->height);
    assert_non_null(rows);
    assert_non_null(pointers);
    for (int y = 0; y < d->height; y++) {
        pointers[y] = rows + row_bytes * (size_t)y;
        fill_row(d, form, y, pointers[y], row_bytes);
    }
    png_write_image(png, pointers);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    free(pointers);
    free(rows);
    return buf;
}

static Error *decode(const Drawing *d, const Form *form, float pixels[IMAGE_PIXELS])
{
    Buf buf = write_png(d, form);
    Error *error = image_decode((Bytes){ buf.data, buf.size }, pixels);
    buf_done(&buf);
    return error;
}

static const Form grey8 = { PNG_COLOR_TYPE_GRAY, 8, false };

/* The greatest difference of a pixel, and the mean one. */
static void assert_alike(const float a[IMAGE_PIXELS], const float b[IMAGE_PIXELS], float most,
                         float mean)
{
    float sum = 0;
    for (int i = 0; i < IMAGE_PIXELS; i++) {
        float d = fabsf(a[i] - b[i]);
        if (d > most)
            print_error("pixel %d: %g, not %g\n", i, (double)a[i], (double)b[i]);
        assert_true(d <= most);
        sum += d;
    }
    assert_true(sum / IMAGE_PIXELS <= mean);
}

/* Light on black, 28 x 28, the digit's box 20 pixels in the right place: as in MNIST. */
static const Drawing like_mnist = { 28, 28, 0, 255, 255, 4, 5, 20, 0 };

static void test_like_mnist_is_left_as_it_is(void **state _unused_)
{
    float pixels[IMAGE_PIXELS];
    assert_ok(decode(&like_mnist, &grey8, pixels));
    for (int i = 0; i < IMAGE_PIXELS; i++)
        assert_true(pixels[i] == (float)pixel_at(&like_mnist, i % 28, i / 28).tone / 255);
}

static void test_every_form(void **state _unused_)
{
    static const Form forms[] = {
        { PNG_COLOR_TYPE_GRAY, 1, false },        { PNG_COLOR_TYPE_GRAY, 2, false },
        { PNG_COLOR_TYPE_GRAY, 4, false },        { PNG_COLOR_TYPE_GRAY, 8, false },
        { PNG_COLOR_TYPE_GRAY, 16, false },       { PNG_COLOR_TYPE_RGB, 8, false },
        { PNG_COLOR_TYPE_RGB, 16, false },        { PNG_COLOR_TYPE_PALETTE, 1, false },
        { PNG_COLOR_TYPE_PALETTE, 2, false },     { PNG_COLOR_TYPE_PALETTE, 4, false },
        { PNG_COLOR_TYPE_PALETTE, 8, false },     { PNG_COLOR_TYPE_GRAY_ALPHA, 8, false },
        { PNG_COLOR_TYPE_GRAY_ALPHA, 16, false }, { PNG_COLOR_TYPE_RGB_ALPHA, 8, false },
        { PNG_COLOR_TYPE_RGB_ALPHA, 16, false },
    };
    float expected[IMAGE_PIXELS];
    assert_ok(decode(&like_mnist, &grey8, expected));
    for (size_t i = 0; i < 2 * ARRAY_SIZE(forms); i++) {
        Form form = forms[i / 2];
        form.is_interlaced = i % 2 == 1;
        print_message("colour type %d, %d bits%s\n", form.color_type, form.bit_depth,
                      form.is_interlaced ? ", interlaced" : "");
        /* Few levels are coarse: half a step is lost. */
        float step = form.bit_depth < 8 ? 1.0f / (float)((1 << form.bit_depth) - 1) : 0.02f;
        for (int inverted = 0; inverted < 2; inverted++) {
            Drawing d = like_mnist;
            d.paper = inverted ? 255 : 0;
            d.ink = inverted ? 0 : 255;
            float pixels[IMAGE_PIXELS];
            assert_ok(decode(&d, &form, pixels));
            assert_alike(pixels, expected, step / 2 + 0.02f, step / 4);
        }
    }
}

static void test_sizes_and_places(void **state _unused_)
{
    static const Drawing cases[] = {
        { 200, 200, 255, 0, 255, 40, 30, 120, 0 },   /* ink on paper */
        { 200, 200, 0, 255, 255, 10, 70, 120, 0 },   /* in a corner, light on dark */
        { 300, 150, 230, 60, 255, 150, 15, 100, 0 }, /* wide, little contrast */
        { 100, 900, 20, 110, 255, 10, 700, 80, 0 },  /* high, dark grey */
        { 28, 28, 255, 0, 255, 1, 8, 20, 0 },        /* not centred */
        { 20, 20, 0, 255, 255, 0, 0, 20, 0 },        /* no margin: the ink touches the border */
        { 1000, 1000, 200, 30, 255, 100, 100, 800, 0 },
        { 400, 300, 200, 30, 255, 100, 20, 200, 25 }, /* rough paper */
        { 400, 300, 60, 240, 255, 150, 60, 200, 25 },
    };
    float expected[IMAGE_PIXELS];
    assert_ok(decode(&like_mnist, &grey8, expected));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        print_message("case %zu\n", i);
        float pixels[IMAGE_PIXELS];
        assert_ok(decode(&cases[i], &grey8, pixels));
        assert_alike(pixels, expected, 0.5f, 0.03f);
    }
}

static void test_transparency(void **state _unused_)
{
    static const Form form = { PNG_COLOR_TYPE_RGB_ALPHA, 8, false };
    float expected[IMAGE_PIXELS], pixels[IMAGE_PIXELS];
    assert_ok(decode(&like_mnist, &grey8, expected));
    /* Ink of any tone on nothing. */
    for (int ink = 0; ink <= 255; ink += 85) {
        Drawing d = { 28, 28, 0, ink, 0, 4, 5, 20, 0 };
        assert_ok(decode(&d, &form, pixels));
        assert_alike(pixels, expected, 0.36f, 0.06f);
    }
}

static void test_small_ones_are_enlarged(void **state _unused_)
{
    Drawing d = { 12, 12, 255, 0, 255, 1, 1, 10, 0 };
    float pixels[IMAGE_PIXELS];
    assert_ok(decode(&d, &grey8, pixels));
    int rows = 0;
    for (int y = 0; y < IMAGE_SIDE; y++) {
        bool has_ink = false;
        for (int x = 0; x < IMAGE_SIDE; x++)
            has_ink = has_ink || pixels[y * IMAGE_SIDE + x] > 0.2f;
        rows += has_ink;
    }
    assert_int_equal(rows, 20);
}

static void test_nothing_to_see(void **state _unused_)
{
    float pixels[IMAGE_PIXELS];
    Drawing even = { 50, 50, 255, 255, 255, 10, 10, 30, 0 };
    assert_error(decode(&even, &grey8, pixels), ERROR_INVALID_ARGUMENT, "nothing that stands out");
    Drawing faint = { 50, 50, 255, 240, 255, 10, 10, 30, 0 };
    assert_error(decode(&faint, &grey8, pixels), ERROR_INVALID_ARGUMENT, "nothing that stands out");
    Drawing dot = { 1, 1, 0, 255, 255, 0, 0, 1, 0 };
    assert_error(decode(&dot, &grey8, pixels), ERROR_INVALID_ARGUMENT, "nothing that stands out");
}

static void test_every_truncation_is_an_error(void **state _unused_)
{
    float pixels[IMAGE_PIXELS];
    Buf buf = write_png(&like_mnist, &grey8);
    for (size_t n = 0; n < buf.size; n++) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, buf.data, n);
        assert_error(image_decode((Bytes){ cut, n }, pixels), ERROR_INVALID_ARGUMENT, "PNG file");
        free(cut);
    }
    for (size_t i = 8; i < buf.size; i++) { /* every byte is guarded by a checksum or a length */
        buf.data[i] ^= 0x10;
        Error *error = image_decode((Bytes){ buf.data, buf.size }, pixels);
        assert_non_null(error);
        error_free(error);
        buf.data[i] ^= 0x10;
    }
    buf_done(&buf);
    assert_error(image_decode((Bytes){ (const uint8_t *)"GIF89a..", 8 }, pixels),
                 ERROR_INVALID_ARGUMENT, "it is not a PNG file");
}

/* Sets the size in the first chunk, checksum included, so that only the size is wrong. */
static void set_size(Buf *buf, uint32_t width, uint32_t height)
{
    png_save_uint_32(buf->data + 16, width);
    png_save_uint_32(buf->data + 20, height);
    uint32_t crc = ~0u;
    for (int i = 12; i < 29; i++) {
        crc ^= buf->data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    png_save_uint_32(buf->data + 29, ~crc);
}

static void test_bombs(void **state _unused_)
{
    static const struct {
        uint32_t width, height;
        ErrorCode code;
        const char *text;
    } cases[] = {
        { 16384, 16384, ERROR_RESOURCE_EXHAUSTED, "16384 x 16384 pixels are too many" },
        { 2000000000, 2000000000, ERROR_RESOURCE_EXHAUSTED, "too many; at most 33554432" },
        { 0xffffffff, 1, ERROR_RESOURCE_EXHAUSTED, "4294967295 x 1" },
        { 20000, 2, ERROR_RESOURCE_EXHAUSTED, "16384 a side" },
        { 0, 5, ERROR_INVALID_ARGUMENT, "no pixels" },
        { 28, 29, ERROR_INVALID_ARGUMENT, "damaged" }, /* a row too few */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        float pixels[IMAGE_PIXELS];
        Buf buf = write_png(&like_mnist, &grey8);
        set_size(&buf, cases[i].width, cases[i].height);
        assert_error(image_decode((Bytes){ buf.data, buf.size }, pixels), cases[i].code,
                     cases[i].text);
        buf_done(&buf);
    }
}

static void test_a_chunk_longer_than_the_file(void **state _unused_)
{
    float pixels[IMAGE_PIXELS];
    Buf buf = write_png(&like_mnist, &grey8);
    png_save_uint_32(buf.data + 33, 0x7fffffff); /* libpng would allocate as much */
    assert_error(image_decode((Bytes){ buf.data, buf.size }, pixels), ERROR_INVALID_ARGUMENT,
                 "cut off");
    buf_done(&buf);
}

static void test_files(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    char directory[TEST_DIRECTORY_BYTES];
    test_directory_make(directory);
    float pixels[IMAGE_PIXELS];
    char *path = file_join(arena, directory, "a.png");
    assert_error(image_read(path, pixels), ERROR_NOT_FOUND, path);
    Buf buf = write_png(&like_mnist, &grey8);
    assert_ok(file_write(path, buf.data, buf.size));
    assert_ok(image_read(path, pixels));
    assert_ok(file_write(path, buf.data, buf.size - 1));
    assert_error(image_read(path, pixels), ERROR_INVALID_ARGUMENT, path);
    buf_done(&buf);
    test_directory_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_mnist_is_left_as_it_is),
        cmocka_unit_test(test_every_form),
        cmocka_unit_test(test_sizes_and_places),
        cmocka_unit_test(test_transparency),
        cmocka_unit_test(test_small_ones_are_enlarged),
        cmocka_unit_test(test_nothing_to_see),
        cmocka_unit_test(test_every_truncation_is_an_error),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_a_chunk_longer_than_the_file),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
