/* SPDX-License-Identifier: Apache-2.0
 *
 * image_decode: whatever the bytes are, either an error or 784 pixels in 0..1.
 */
#include <stdlib.h>

#include "client/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    float pixels[IMAGE_PIXELS];
    Error *error = image_decode((Bytes){ data, size }, pixels);
    for (int i = 0; error == NULL && i < IMAGE_PIXELS; i++)
        if (!(pixels[i] >= 0 && pixels[i] <= 1))
            abort();
    error_free(error);
    return 0;
}
