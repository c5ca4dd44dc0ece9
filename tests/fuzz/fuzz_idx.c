/* SPDX-License-Identifier: Apache-2.0
 *
 * idx_decode on bytes that are to be images (an even first byte) or labels, plain or gzip. What is
 * promised is read to its end.
 */
#include "train/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const int rank = data[0] % 2 == 0 ? 3 : 1;
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 64 << 20);
    Idx idx;
    Error *error = idx_decode(arena, (Bytes){ data + 1, size - 1 }, rank, &idx);
    if (error == NULL) {
        size_t n = 1;
        volatile uint8_t sum = 0;
        for (int i = 0; i < idx.rank; i++)
            n *= idx.dims[i];
        for (size_t i = 0; i < n; i++)
            sum = (uint8_t)(sum + idx.data[i]);
    }
    error_free(error);
    return 0;
}
