/* SPDX-License-Identifier: Apache-2.0
 *
 * bmp_decode: whatever the bytes are, either an error or exactly as many samples as its header says.
 */
#include <stdlib.h>

#include "model/op/bmp_decode.h"

#define MAX_BYTES ((int64_t)1 << 20) /* larger images only cost time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int channels[] = { 0, 1, 3, 4 };
    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        Bmp bmp;
        Error *error = bmp_open((Bytes){ data, size }, channels[i], &bmp);
        if (error != NULL) {
            error_free(error);
            continue;
        }
        int64_t n = bmp.height * bmp.width * bmp.channels;
        if (bmp.height <= 0 || bmp.width <= 0 || (channels[i] != 0 && bmp.channels != channels[i]))
            abort();
        uint8_t *samples = n <= MAX_BYTES ? malloc((size_t)n) : NULL;
        if (samples != NULL)
            bmp_read(&bmp, samples);
        free(samples);
    }
    return 0;
}
