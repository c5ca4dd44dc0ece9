/* SPDX-License-Identifier: Apache-2.0
 *
 * TextBuf: see text_buf.h. One thread.
 */
#include "model/op/text_buf.h"

Error *text_buf_append(TextBuf *buf, Bytes bytes)
{
    size_t wanted = 0, doubled = 0;
    if (bytes.size == 0)
        return NULL;
    if (!checked_add(buf->size, bytes.size, &wanted) || !checked_mul(buf->capacity, 2, &doubled))
        return error_out_of_memory();
    if (wanted > buf->capacity) {
        size_t capacity = wanted > doubled ? wanted : doubled;
        uint8_t *grown = arena_alloc(buf->arena, capacity);
        if (grown == NULL)
            return error_out_of_memory();
        if (buf->size > 0)
            memcpy(grown, buf->data, buf->size);
        buf->data = grown;
        buf->capacity = capacity;
    }
    memcpy(buf->data + buf->size, bytes.data, bytes.size);
    buf->size = wanted;
    return NULL;
}
