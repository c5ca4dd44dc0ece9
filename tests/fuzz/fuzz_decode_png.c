/* SPDX-License-Identifier: Apache-2.0
 *
 * png_decode: whatever the bytes are, either an error or exactly as many samples as its layout says.
 */
#include <stdlib.h>

#include "model/op/png_decode.h"

#define MAX_BYTES ((size_t)1 << 20) /* larger images only cost time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(Arena *arena, Bytes file, int channels, bool is_16_bit)
{
    PngDecoder *decoder = NULL;
    Error *error = png_decoder_new(arena, file, channels, is_16_bit, &decoder);
    if (error == NULL) {
        PngLayout layout = png_decoder_layout(decoder);
        if (layout.height <= 0 || layout.width <= 0 || layout.channels < 1 || layout.channels > 4 ||
            (channels != 0 && layout.channels != channels))
            abort();
        size_t bytes =
            (size_t)(layout.height * layout.width * layout.channels) * (is_16_bit ? 2 : 1);
        void *samples = bytes <= MAX_BYTES ? malloc(bytes) : NULL;
        if (samples != NULL)
            error = png_decode(decoder, samples);
        free(samples);
    }
    error_free(error);
    arena_reset(arena, MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int channels[] = { 0, 1, 3, 4 };
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, (size_t)64 << 20);
    if (arena == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        decode(arena, (Bytes){ data, size }, channels[i], false);
        decode(arena, (Bytes){ data, size }, channels[i], true);
    }
    return 0;
}
