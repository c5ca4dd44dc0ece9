/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire form of tensorflow.Example: see example_wire.h. All bytes come from strangers.
 */
#include <string.h>

#include "model/op/example_wire.h"

/* Tags of one byte: field number and wire type. */
#define TAG_VARINT(field) ((field) << 3 | 0)
#define TAG_DELIMITED(field) ((field) << 3 | 2)
#define TAG_FIXED32(field) ((field) << 3 | 5)

static bool read_varint(Bytes *from, uint64_t *ret)
{
    const uint8_t *at = from->data;
    if (from->size == 0 || !varint_read(&at, from->data + from->size, ret))
        return false;
    from->size -= (size_t)(at - from->data);
    from->data = at;
    return true;
}

static bool read_delimited(Bytes *from, Bytes *ret)
{
    uint64_t size = 0;
    if (!read_varint(from, &size) || size > from->size)
        return false;
    *ret = (Bytes){ from->data, (size_t)size };
    from->data += size;
    from->size -= (size_t)size;
    return true;
}

static bool skip_bytes(Bytes *from, size_t n)
{
    if (n > from->size)
        return false;
    from->data += n;
    from->size -= n;
    return true;
}

/* Skips the value of an unknown field. Groups are no part of any version of the message. */
static bool skip_field(Bytes *from, uint64_t tag)
{
    uint64_t number = 0;
    Bytes bytes;
    switch (tag & 7) {
    case 0:
        return read_varint(from, &number);
    case 1:
        return skip_bytes(from, 8);
    case 2:
        return read_delimited(from, &bytes);
    case 5:
        return skip_bytes(from, 4);
    default:
        return false;
    }
}

/* ---- entries ------------------------------------------------------------------------------- */

/* Protocol buffers allow key and value in any order. */
static bool read_entry(Bytes entry, Bytes *ret_key, Bytes *ret_feature)
{
    Bytes fields[2] = { { NULL, 0 }, { NULL, 0 } };
    bool seen[2] = { false, false };
    while (entry.size > 0) {
        uint64_t tag = 0;
        if (!read_varint(&entry, &tag) || (tag != TAG_DELIMITED(1) && tag != TAG_DELIMITED(2)))
            return false;
        int k = tag == TAG_DELIMITED(1) ? 0 : 1;
        if (seen[k] || !read_delimited(&entry, &fields[k]))
            return false;
        seen[k] = true;
    }
    *ret_key = fields[0];
    *ret_feature = fields[1];
    return seen[0] && seen[1];
}

ExampleStatus example_next(ExampleReader *reader, Bytes *ret_key, Bytes *ret_feature)
{
    uint64_t tag = 0;
    while (reader->features.size == 0) {
        if (reader->example.size == 0)
            return EXAMPLE_END;
        if (!read_varint(&reader->example, &tag))
            return EXAMPLE_BAD;
        bool ok = tag == TAG_DELIMITED(1) ? read_delimited(&reader->example, &reader->features)
                                          : skip_field(&reader->example, tag);
        if (!ok)
            return EXAMPLE_BAD;
    }
    Bytes entry;
    if (!read_varint(&reader->features, &tag) || tag != TAG_DELIMITED(1) ||
        !read_delimited(&reader->features, &entry) || !read_entry(entry, ret_key, ret_feature))
        return EXAMPLE_BAD;
    return EXAMPLE_ENTRY;
}

/* ---- lists --------------------------------------------------------------------------------- */

/* Each of the following walks the fields of a list and counts the elements; where `out` is not NULL
 * it writes them too. False when the bytes are no such list. */

static bool walk_bytes_list(Bytes fields, int64_t *ret_n, Bytes *out)
{
    int64_t n = 0;
    for (; fields.size > 0; n++) {
        uint64_t tag = 0;
        Bytes element;
        if (!read_varint(&fields, &tag) || tag != TAG_DELIMITED(1) ||
            !read_delimited(&fields, &element))
            return false;
        if (out != NULL)
            out[n] = element;
    }
    *ret_n = n;
    return true;
}

static bool walk_float_list(Bytes fields, int64_t *ret_n, float *out)
{
    int64_t n = 0;
    while (fields.size > 0) {
        uint64_t tag = 0;
        Bytes packed = { fields.data, 0 };
        if (!read_varint(&fields, &tag))
            return false;
        if (tag == TAG_DELIMITED(1)) {
            if (!read_delimited(&fields, &packed))
                return false;
        } else if (tag == TAG_FIXED32(1)) {
            packed = (Bytes){ fields.data, sizeof(float) };
            if (!skip_bytes(&fields, sizeof(float)))
                return false;
        } else {
            return false;
        }
        if (packed.size % sizeof(float) != 0)
            return false;
        if (out != NULL && packed.size > 0)
            memcpy(out + n, packed.data, packed.size);
        n += (int64_t)(packed.size / sizeof(float));
    }
    *ret_n = n;
    return true;
}

static bool walk_int64_list(Bytes fields, int64_t *ret_n, int64_t *out)
{
    int64_t n = 0;
    while (fields.size > 0) {
        uint64_t tag = 0, value = 0;
        Bytes packed = { NULL, 0 };
        if (!read_varint(&fields, &tag))
            return false;
        if (tag == TAG_VARINT(1)) {
            if (!read_varint(&fields, &value))
                return false;
            if (out != NULL)
                out[n] = (int64_t)value;
            n++;
        } else if (tag != TAG_DELIMITED(1) || !read_delimited(&fields, &packed)) {
            return false;
        }
        for (; packed.size > 0; n++) {
            if (!read_varint(&packed, &value))
                return false;
            if (out != NULL)
                out[n] = (int64_t)value;
        }
    }
    *ret_n = n;
    return true;
}

bool feature_open(Bytes feature, FeatureList *ret_list)
{
    FeatureList list = { .dtype = DT_INVALID };
    uint64_t tag = 0;
    bool ok = true;
    if (feature.size > 0) {
        if (!read_varint(&feature, &tag) || !read_delimited(&feature, &list.fields))
            return false;
        switch (tag) {
        case TAG_DELIMITED(1):
            list.dtype = DT_STRING;
            ok = walk_bytes_list(list.fields, &list.n, NULL);
            break;
        case TAG_DELIMITED(2):
            list.dtype = DT_FLOAT;
            ok = walk_float_list(list.fields, &list.n, NULL);
            break;
        case TAG_DELIMITED(3):
            list.dtype = DT_INT64;
            ok = walk_int64_list(list.fields, &list.n, NULL);
            break;
        default:
            ok = false;
        }
    }
    if (ok)
        *ret_list = list;
    return ok;
}

void feature_copy(const FeatureList *list, void *out)
{
    int64_t n = 0;
    bool ok = true;
    if (list->dtype == DT_STRING)
        ok = walk_bytes_list(list->fields, &n, out);
    else if (list->dtype == DT_FLOAT)
        ok = walk_float_list(list->fields, &n, out);
    else if (list->dtype == DT_INT64)
        ok = walk_int64_list(list->fields, &n, out);
    (void)ok; /* feature_open has walked the same bytes */
}
