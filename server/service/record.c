/* SPDX-License-Identifier: Apache-2.0
 *
 * One record at a time, in place.
 */
#include "server/service/record.h"

#include "model/base/crc32c.h"

#define HEAD_BYTES 12
#define FOOT_BYTES 4

Error *record_next(Bytes *rest, Bytes *ret_record)
{
    const uint8_t *data = rest->data;
    if (rest->size < HEAD_BYTES)
        return error_new(ERROR_DATA_LOSS, "truncated record: %zu bytes of a head of %d", rest->size,
                         HEAD_BYTES);
    if (crc32c_mask(crc32c(data, 8)) != load_le32(data + 8))
        return error_new(ERROR_DATA_LOSS, "corrupted record: the sum of its length is wrong");
    uint64_t size = load_le64(data);
    if (size > rest->size - HEAD_BYTES || rest->size - HEAD_BYTES - size < FOOT_BYTES)
        return error_new(ERROR_DATA_LOSS, "truncated record: %zu bytes are left of %llu",
                         rest->size - HEAD_BYTES, (unsigned long long)size);
    Bytes record = { data + HEAD_BYTES, (size_t)size };
    if (crc32c_mask(crc32c(record.data, record.size)) != load_le32(record.data + record.size))
        return error_new(ERROR_DATA_LOSS, "corrupted record: the sum of its bytes is wrong");
    size_t taken = HEAD_BYTES + record.size + FOOT_BYTES;
    *rest = (Bytes){ data + taken, rest->size - taken };
    *ret_record = record;
    return NULL;
}
