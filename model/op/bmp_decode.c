/* SPDX-License-Identifier: Apache-2.0
 *
 * BMP: see bmp_decode.h. The bytes come from strangers. Any thread.
 *
 *   OFFSET  SIZE  (little-endian)
 *       10     4  where the rows begin
 *       18     4  width
 *       22     4  height; negative when the first row is the top one, else rows go upward
 *       28     2  bits a pixel
 *   rows: blue, green, red (, alpha), or grey; each filled up to a multiple of four bytes
 */
#include "model/op/bmp_decode.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 32
#define SIDE_MAX (1 << 27) /* pixels: TensorFlow's own limit keeps products small */

Error *bmp_open(Bytes bytes, int channels, Bmp *ret_bmp)
{
    if (bytes.size < HEADER_BYTES)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Incomplete bmp content, requires at least 32 bytes "
                         "to find the header size, width, height, and bpp, "
                         "got %zu bytes",
                         bytes.size);
    const int64_t start = (int32_t)load_le32(bytes.data + 10);
    const int64_t width = (int32_t)load_le32(bytes.data + 18);
    const int64_t height = (int32_t)load_le32(bytes.data + 22);
    const int bits = bytes.data[28] | bytes.data[29] << 8;
    if (bits != 8 && bits != 24 && bits != 32)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Number of channels inherent in the image must be 1, 3 or 4, was %d",
                         bits / 8);
    if (channels != 0 && channels != bits / 8)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "channels attribute %d does not match bits per pixel from file %d",
                         channels, bits / 8);
    if (width <= 0 || height == 0 || width >= SIDE_MAX || llabs(height) >= SIDE_MAX)
        return error_new(ERROR_INVALID_ARGUMENT, "the BMP has a size of %lld x %lld",
                         (long long)width, (long long)height);
    Bmp bmp = { .height = llabs(height),
                .width = width,
                .channels = bits / 8,
                .is_top_down = height < 0,
                .row_bytes = ((size_t)width * (size_t)bits + 31) / 32 * 4 };
    size_t last_bytes =
        (size_t)width * (size_t)bmp.channels; /* the last row need not be filled up */
    size_t wanted = (size_t)(bmp.height - 1) * bmp.row_bytes + last_bytes;
    if (start < 0 || (size_t)start > bytes.size || wanted > bytes.size - (size_t)start)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "Incomplete bmp content, requires at least %zu bytes behind the header, got "
            "%lld",
            wanted, (long long)bytes.size - start);
    bmp.rows = bytes.data + start;
    *ret_bmp = bmp;
    return NULL;
}

void bmp_read(const Bmp *bmp, uint8_t *samples)
{
    for (int64_t row = 0; row < bmp->height; row++) {
        int64_t stored = bmp->is_top_down ? row : bmp->height - 1 - row;
        const uint8_t *from = bmp->rows + (size_t)stored * bmp->row_bytes;
        for (int64_t x = 0; x < bmp->width; x++) {
            for (int c = 0; c < bmp->channels; c++)
                *samples++ = from[bmp->channels >= 3 && c < 3 ? 2 - c : c];
            from += bmp->channels;
        }
    }
}
