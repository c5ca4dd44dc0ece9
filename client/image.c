/* SPDX-License-Identifier: Apache-2.0
 *
 * Image: from PNG bytes to the 28 x 28 pixels that the network was trained on, in four steps:
 *
 *   decode     libpng: any colour type, depth and interlacing to grey and alpha, 8 bits each
 *   flatten    lays a transparent picture on a background that its ink stands out from
 *   find ink   how far each pixel is from the background, on the side where the ink is
 *   fit        the ink's box to 20 pixels by area averaging, its centre of mass to the centre:
 *              so MNIST was made (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of
 *              handwritten digits"). A picture that is like that already is left as it is.
 *
 * The one door to libpng.
 */
#include "client/image.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "model/base/file.h"

#define BOX_SIDE 20       /* of a digit in MNIST */
#define PNG_HEAD_BYTES 33 /* the signature and the chunk IHDR */
#define CHUNK_MAX_BYTES (8 << 20)
#define CHUNKS_MAX 1000

/* What stands out from the background less than this, of 255, is no ink: paper is not even. */
#define INK_LEAST 24

/* A picture while it is read. It stays outside the function that calls setjmp, so that the jump
 * loses nothing in it. */
typedef struct Picture {
    Bytes rest; /* bytes not yet read */
    size_t width, height;
    uint8_t *pixels; /* [height,width,2]: grey, alpha; [height,width] when flattened */
    uint8_t most;    /* of the ink, once it is found */
    char text[128];  /* what libpng says is wrong */
} Picture;

/* A box of ink: [left,right) x [top,bottom). */
typedef struct Box {
    size_t left, top, right, bottom;
} Box;

/* ---- decode ---- */

static void on_png_error(png_structp png, png_const_charp text)
{
    Picture *picture = png_get_error_ptr(png);
    snprintf(picture->text, sizeof(picture->text), "%s", text);
    png_longjmp(png, 1);
}

static void on_png_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void read_png_bytes(png_structp png, png_bytep to, size_t bytes)
{
    Picture *picture = png_get_io_ptr(png);
    if (bytes > picture->rest.size)
        png_error(png, "it ends too early");
    memcpy(to, picture->rest.data, bytes);
    picture->rest.data += bytes;
    picture->rest.size -= bytes;
}

/* Called under setjmp: every failure leaves by png_error. Everything becomes grey and alpha of 8
 * bits each: what the memory at `pixels` is for. */
static void read_picture(png_structp png, png_infop info, Picture *picture)
{
    png_read_info(png, info);
    png_set_scale_16(png);
    png_set_expand(png); /* palette to RGB, fewer bits to 8, a transparent colour to alpha */
    png_set_rgb_to_gray_fixed(png, PNG_ERROR_ACTION_NONE, PNG_RGB_TO_GRAY_DEFAULT,
                              PNG_RGB_TO_GRAY_DEFAULT);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
    int n_passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);

    size_t row_bytes = 2 * picture->width;
    if (png_get_rowbytes(png, info) != row_bytes ||
        png_get_image_height(png, info) != picture->height)
        png_error(png, "its pixels cannot be converted to grey");
    for (int pass = 0; pass < n_passes; pass++)
        for (size_t y = 0; y < picture->height; y++)
            png_read_row(png, picture->pixels + y * row_bytes, NULL);
    png_read_end(png, NULL);
}

/* Width and height, from the first chunk, before anything is allocated for them. */
static Error *read_size(Picture *picture)
{
    const uint8_t *data = picture->rest.data;
    if (picture->rest.size < 8 || png_sig_cmp(data, 0, 8) != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "it is not a PNG file");
    if (picture->rest.size < PNG_HEAD_BYTES || memcmp(data + 12, "IHDR", 4) != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "it is a damaged PNG file: it has no header");
    size_t width = png_get_uint_32(data + 16), height = png_get_uint_32(data + 20);
    if (width == 0 || height == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "it is a damaged PNG file: it has no pixels");
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || width * height > IMAGE_MAX_PIXELS)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "its %zu x %zu pixels are too many; at most %d are read, %d a side", width,
                         height, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE);
    picture->width = width;
    picture->height = height;
    return NULL;
}

static Error *decode(Arena *arena, Picture *picture)
{
    TRY(read_size(picture));
    picture->pixels = arena_calloc(arena, picture->width * picture->height, 2);
    if (picture->pixels == NULL)
        return error_out_of_memory();

    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, picture, on_png_error, on_png_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        return error_out_of_memory();
    }
    png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(png, CHUNK_MAX_BYTES);
    png_set_chunk_cache_max(png, CHUNKS_MAX);
    png_set_read_fn(png, picture, read_png_bytes);
    volatile bool is_read = false;
    if (setjmp(png_jmpbuf(png)) == 0) {
        read_picture(png, info, picture);
        is_read = true;
    }
    png_destroy_read_struct(&png, &info, NULL);
    return is_read
               ? NULL
               : error_new(ERROR_INVALID_ARGUMENT, "it is a damaged PNG file: %s", picture->text);
}

/* ---- flatten ---- */

static bool is_on_border(const Picture *picture, size_t i)
{
    size_t x = i % picture->width, y = i / picture->width;
    return x == 0 || y == 0 || x == picture->width - 1 || y == picture->height - 1;
}

/* The tone to lay the picture on: that of its border if the border can be seen; else, the picture
 * being ink on nothing, black or white, whichever the ink is further from. */
static uint8_t backing_tone(const Picture *picture)
{
    uint64_t border_alpha = 0, border_tone = 0, n_border = 0, alpha = 0, tone = 0;
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        uint64_t g = picture->pixels[2 * i], a = picture->pixels[2 * i + 1];
        alpha += a;
        tone += a * g;
        if (is_on_border(picture, i)) {
            border_alpha += a;
            border_tone += a * g;
            n_border++;
        }
    }
    if (border_alpha >= n_border * 128)
        return (uint8_t)(border_tone / border_alpha);
    return alpha > 0 && tone / alpha >= 128 ? 0 : 255;
}

static void flatten(Picture *picture)
{
    unsigned backing = backing_tone(picture);
    uint8_t *pixels = picture->pixels;
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        unsigned g = pixels[2 * i], a = pixels[2 * i + 1];
        pixels[i] = (uint8_t)((g * a + backing * (255 - a) + 127) / 255);
    }
}

/* ---- find ink ---- */

/* The middle one of the border's tones: a digit that touches the border does not change it. */
static int background_tone(const Picture *picture)
{
    size_t counts[256] = { 0 }, n = 0, seen = 0;
    for (size_t i = 0; i < picture->width * picture->height; i++)
        if (is_on_border(picture, i)) {
            counts[picture->pixels[i]]++;
            n++;
        }
    int tone = 0;
    for (seen = counts[0]; 2 * seen < n; seen += counts[tone])
        tone++;
    return tone;
}

/* Turns tones into ink: the distance from the background, towards the side that has more of it.
 * Distances are squared for that, so that a stroke weighs more than an uneven background. */
static Error *find_ink(Picture *picture)
{
    size_t n = picture->width * picture->height;
    uint8_t *pixels = picture->pixels;
    int background = background_tone(picture);
    uint64_t dark = 0, light = 0;
    for (size_t i = 0; i < n; i++) {
        int d = pixels[i] - background;
        *(d < 0 ? &dark : &light) += (uint64_t)(d * d);
    }
    int sign = dark > light ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        int d = sign * (pixels[i] - background);
        pixels[i] = (uint8_t)(d > 0 ? d : 0);
        picture->most = pixels[i] > picture->most ? pixels[i] : picture->most;
    }
    return picture->most >= INK_LEAST
               ? NULL
               : error_new(ERROR_INVALID_ARGUMENT,
                           "it shows nothing that stands out from its background");
}

/* ---- fit ---- */

/* The smallest box around all ink of at least `least`. There is some. */
static Box find_box(const Picture *picture, uint8_t least)
{
    Box box = { picture->width, picture->height, 0, 0 };
    for (size_t y = 0; y < picture->height; y++)
        for (size_t x = 0; x < picture->width; x++) {
            if (picture->pixels[y * picture->width + x] < least)
                continue;
            box.left = x < box.left ? x : box.left;
            box.right = x + 1 > box.right ? x + 1 : box.right;
            box.top = y < box.top ? y : box.top;
            box.bottom = y + 1;
        }
    return box;
}

static size_t longer_side(const Box *box)
{
    size_t width = box->right - box->left, height = box->bottom - box->top;
    return width > height ? width : height;
}

/* The centre of mass of `pixels` [height,width] along x and y, pixels being 1 wide. */
static void find_centre(const float *pixels, size_t width, size_t height, double *ret_x,
                        double *ret_y)
{
    double mass = 0, x_sum = 0, y_sum = 0;
    for (size_t i = 0; i < width * height; i++) {
        double m = pixels[i];
        mass += m;
        x_sum += m * ((double)(i % width) + 0.5);
        y_sum += m * ((double)(i / width) + 0.5);
    }
    *ret_x = x_sum / mass;
    *ret_y = y_sum / mass;
}

/* All 70,000 pictures of MNIST have boxes of 19 or 20 pixels around a centre of mass in [14,15),
 * and ink of at least 254. */
static bool is_like_mnist(const Picture *picture, const float pixels[IMAGE_PIXELS])
{
    double x, y;
    find_centre(pixels, IMAGE_SIDE, IMAGE_SIDE, &x, &y);
    Box box = find_box(picture, 1);
    size_t side = longer_side(&box);
    return picture->most >= 250 && side >= BOX_SIDE - 1 && side <= BOX_SIDE && fabs(x - 14.5) < 1 &&
           fabs(y - 14.5) < 1;
}

/* The overlap of [a,a+1) and [begin,end). */
static double overlap(size_t a, double begin, double end)
{
    double from = begin > (double)a ? begin : (double)a;
    double to = end < (double)a + 1 ? end : (double)a + 1;
    return to > from ? to - from : 0;
}

/* The mean ink of the box's part [left,right) x [top,bottom), whose edges may cut pixels. */
static double mean_ink(const Picture *picture, double left, double top, double right, double bottom)
{
    double sum = 0;
    for (size_t y = (size_t)top; y < picture->height && (double)y < bottom; y++) {
        double row = 0;
        for (size_t x = (size_t)left; x < picture->width && (double)x < right; x++)
            row += picture->pixels[y * picture->width + x] * overlap(x, left, right);
        sum += row * overlap(y, top, bottom);
    }
    return sum / ((right - left) * (bottom - top));
}

/* Where to put `size` pixels whose centre of mass is at `centre`, so that none is cut off. */
static size_t place(double centre, size_t size)
{
    double offset = round(14.5 - centre);
    return offset < 0                             ? 0
           : offset > (double)(IMAGE_SIDE - size) ? IMAGE_SIDE - size
                                                  : (size_t)offset;
}

static void fit(const Picture *picture, const Box *box, float pixels[IMAGE_PIXELS])
{
    double step = (double)longer_side(box) / BOX_SIDE; /* source pixels to one of ours */
    size_t width = (size_t)fmax(1, round((double)(box->right - box->left) / step));
    size_t height = (size_t)fmax(1, round((double)(box->bottom - box->top) / step));
    float digit[BOX_SIDE * BOX_SIDE], most = 0;
    for (size_t i = 0; i < width * height; i++) {
        double left = (double)box->left + step * (double)(i % width);
        double top = (double)box->top + step * (double)(i / width);
        digit[i] = (float)mean_ink(picture, left, top, left + step, top + step);
        most = digit[i] > most ? digit[i] : most;
    }
    /* Thin strokes become faint when they are averaged, MNIST's are not. */
    double x, y;
    find_centre(digit, width, height, &x, &y);
    size_t left = place(x, width), top = place(y, height);
    memset(pixels, 0, IMAGE_PIXELS * sizeof(*pixels));
    for (size_t i = 0; i < width * height; i++)
        pixels[(top + i / width) * IMAGE_SIDE + left + i % width] = digit[i] / most;
}

/* ---- public ---- */

Error *image_decode(Bytes png, float pixels[IMAGE_PIXELS])
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    if (arena == NULL)
        return error_out_of_memory();
    Picture picture = { .rest = png };
    TRY(decode(arena, &picture));
    flatten(&picture);
    TRY(find_ink(&picture));

    if (picture.width == IMAGE_SIDE && picture.height == IMAGE_SIDE) {
        for (size_t i = 0; i < IMAGE_PIXELS; i++)
            pixels[i] = (float)picture.pixels[i] / 255;
        if (is_like_mnist(&picture, pixels))
            return NULL;
    }
    /* The box of what is seen at a glance: specks on the paper are fainter than the stroke. */
    uint8_t least = picture.most / 8 > INK_LEAST ? picture.most / 8 : INK_LEAST;
    Box box = find_box(&picture, least);
    fit(&picture, &box, pixels);
    return NULL;
}

Error *image_read(const char *path, float pixels[IMAGE_PIXELS])
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    if (arena == NULL)
        return error_out_of_memory();
    Bytes png;
    uint8_t *data;
    TRY(file_read(arena, path, IMAGE_MAX_FILE_BYTES, &data, &png.size));
    png.data = data;
    return error_prefix(image_decode(png, pixels), "%s", path);
}
