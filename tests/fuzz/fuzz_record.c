/* SPDX-License-Identifier: Apache-2.0
 *
 * Record after record of a TFRecord file. The sums that libFuzzer cannot guess are put right first,
 * where the first byte says so.
 */
#include <string.h>

#include "model/base/crc32c.h"
#include "server/service/record.h"

#define MAX_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_sums_right(uint8_t *data, size_t size)
{
    while (size >= 16) {
        store_le32(data + 8, crc32c_mask(crc32c(data, 8)));
        uint64_t bytes = load_le64(data);
        if (bytes > size - 16)
            return;
        store_le32(data + 12 + bytes, crc32c_mask(crc32c(data + 12, bytes)));
        data += 16 + bytes;
        size -= 16 + bytes;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t copy[MAX_BYTES];
    if (size == 0 || size > MAX_BYTES)
        return 0;
    memcpy(copy, data + 1, size - 1);
    if ((data[0] & 1) != 0)
        put_sums_right(copy, size - 1);
    Bytes rest = { copy, size - 1 }, record;
    volatile uint8_t seen = 0; /* so that the bytes are read */
    Error *error = NULL;
    while (rest.size > 0 && error == NULL) {
        error = record_next(&rest, &record);
        for (size_t i = 0; error == NULL && i < record.size; i++)
            seen = (uint8_t)(seen ^ record.data[i]);
    }
    error_free(error);
    return 0;
}
