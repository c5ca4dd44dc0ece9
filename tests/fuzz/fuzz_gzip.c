/* SPDX-License-Identifier: Apache-2.0
 *
 * Compressed bodies of REST requests.
 */
#include "server/rest/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Buf plain;
    buf_init(&plain, 1 << 20);
    error_free(gzip_read((Bytes){ data, size }, &plain));
    buf_done(&plain);
    return 0;
}
