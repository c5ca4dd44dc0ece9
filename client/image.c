/* SPDX-License-Identifier: Apache-2.0
 *
 * Image: from a decoded picture to the 28 x 28 pixels that the network was trained on, in three
 * steps:
 *
 *   flatten    lays a transparent picture on a background that its ink stands out from
 *   find ink   how far each pixel is from the background, on the side where the ink is
 *   fit        the ink's box to 20 pixels by area averaging, its centre of mass to the centre:
 *              so MNIST was made (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of
 *              handwritten digits"). A picture that is like that already is left as it is.
 */
#include "client/image.h"

#include <math.h>
#include <string.h>

#include "client/picture.h"
#include "model/base/file.h"

#define FILE_MAX_BYTES (64 << 20)
#define BOX_SIDE 20 /* of a digit in MNIST */

/* A picture shows something when it has ink of this much, of 255. */
#define INK_LEAST 24

/* How much ink each pixel has; before find_ink, its tone. */
typedef struct Ink {
    size_t width, height;
    uint8_t *pixels; /* [height,width] */
    uint8_t most;    /* of all pixels */
} Ink;

/* A box of ink: [left,right) x [top,bottom). */
typedef struct Box {
    size_t left, top, right, bottom;
} Box;

/* ---- flatten ---- */

static bool is_on_border(size_t width, size_t height, size_t i)
{
    size_t x = i % width, y = i / width;
    return x == 0 || y == 0 || x == width - 1 || y == height - 1;
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
        if (is_on_border(picture->width, picture->height, i)) {
            border_alpha += a;
            border_tone += a * g;
            n_border++;
        }
    }
    if (border_alpha >= n_border * 128)
        return (uint8_t)(border_tone / border_alpha);
    return alpha > 0 && tone / alpha >= 128 ? 0 : 255;
}

/* Writes the tones over the picture's own memory. */
static Ink flatten(const Picture *picture)
{
    unsigned backing = backing_tone(picture);
    uint8_t *pixels = picture->pixels;
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        unsigned g = pixels[2 * i], a = pixels[2 * i + 1];
        pixels[i] = (uint8_t)((g * a + backing * (255 - a) + 127) / 255);
    }
    return (Ink){ .width = picture->width, .height = picture->height, .pixels = pixels };
}

/* ---- find ink ---- */

/* The middle one of the border's tones: a digit that touches the border does not change it. */
static int background_tone(const Ink *ink)
{
    size_t counts[256] = { 0 }, n = 0, seen = 0;
    for (size_t i = 0; i < ink->width * ink->height; i++)
        if (is_on_border(ink->width, ink->height, i)) {
            counts[ink->pixels[i]]++;
            n++;
        }
    int tone = 0;
    for (seen = counts[0]; 2 * seen < n; seen += counts[tone])
        tone++;
    return tone;
}

/* Turns tones into ink: the distance from the background, towards the side that has more of it.
 * Distances are squared for that, so that a stroke weighs more than an uneven background. */
static Error *find_ink(Ink *ink)
{
    size_t n = ink->width * ink->height;
    uint8_t *pixels = ink->pixels;
    int background = background_tone(ink);
    uint64_t dark = 0, light = 0;
    for (size_t i = 0; i < n; i++) {
        int d = pixels[i] - background;
        *(d < 0 ? &dark : &light) += (uint64_t)(d * d);
    }
    int sign = dark > light ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        int d = sign * (pixels[i] - background);
        pixels[i] = (uint8_t)(d > 0 ? d : 0);
        ink->most = pixels[i] > ink->most ? pixels[i] : ink->most;
    }
    return ink->most >= INK_LEAST
               ? NULL
               : error_new(ERROR_INVALID_ARGUMENT,
                           "it shows nothing that stands out from its background");
}

/* Paper is not even, and scanners are not quiet: what is no more than the border has here and there
 * is no ink. For noise whose upper half has the mean m, 12 m are five standard deviations. A border
 * that is even takes nothing away; one that the digit touches no more than a quarter. */
static void clean_ink(Ink *ink)
{
    size_t n = ink->width * ink->height, n_border = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        if (is_on_border(ink->width, ink->height, i)) {
            sum += ink->pixels[i];
            n_border++;
        }
    size_t noise = 12 * sum / n_border, most = ink->most / 4;
    uint8_t least = (uint8_t)(noise < most ? noise : most);
    for (size_t i = 0; i < n; i++)
        if (ink->pixels[i] < least)
            ink->pixels[i] = 0;
}

/* ---- fit ---- */

/* The smallest box around all ink. There is some. */
static Box find_box(const Ink *ink)
{
    Box box = { ink->width, ink->height, 0, 0 };
    for (size_t y = 0; y < ink->height; y++)
        for (size_t x = 0; x < ink->width; x++) {
            if (ink->pixels[y * ink->width + x] == 0)
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
static bool is_like_mnist(const Ink *ink, const float pixels[IMAGE_PIXELS])
{
    double x, y;
    find_centre(pixels, IMAGE_SIDE, IMAGE_SIDE, &x, &y);
    Box box = find_box(ink);
    size_t side = longer_side(&box);
    return ink->most >= 250 && side >= BOX_SIDE - 1 && side <= BOX_SIDE && fabs(x - 14.5) < 1 &&
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
static double mean_ink(const Ink *ink, double left, double top, double right, double bottom)
{
    double sum = 0;
    for (size_t y = (size_t)top; y < ink->height && (double)y < bottom; y++) {
        double row = 0;
        for (size_t x = (size_t)left; x < ink->width && (double)x < right; x++)
            row += ink->pixels[y * ink->width + x] * overlap(x, left, right);
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

static void fit(const Ink *ink, const Box *box, float pixels[IMAGE_PIXELS])
{
    double step = (double)longer_side(box) / BOX_SIDE; /* source pixels to one of ours */
    size_t width = (size_t)fmax(1, round((double)(box->right - box->left) / step));
    size_t height = (size_t)fmax(1, round((double)(box->bottom - box->top) / step));
    float digit[BOX_SIDE * BOX_SIDE], most = 0;
    for (size_t i = 0; i < width * height; i++) {
        double left = (double)box->left + step * (double)(i % width);
        double top = (double)box->top + step * (double)(i / width);
        digit[i] = (float)mean_ink(ink, left, top, left + step, top + step);
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
    Picture picture;
    TRY(picture_decode(arena, png, &picture));
    Ink ink = flatten(&picture);
    TRY(find_ink(&ink));

    if (ink.width == IMAGE_SIDE && ink.height == IMAGE_SIDE) {
        for (size_t i = 0; i < IMAGE_PIXELS; i++)
            pixels[i] = (float)ink.pixels[i] / 255;
        if (is_like_mnist(&ink, pixels))
            return NULL;
    }
    clean_ink(&ink);
    Box box = find_box(&ink);
    fit(&ink, &box, pixels);
    return NULL;
}

Error *image_read(const char *path, float pixels[IMAGE_PIXELS])
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    if (arena == NULL)
        return error_out_of_memory();
    Bytes png;
    uint8_t *data;
    TRY(file_read(arena, path, FILE_MAX_BYTES, &data, &png.size));
    png.data = data;
    return error_prefix(image_decode(png, pixels), "%s", path);
}
