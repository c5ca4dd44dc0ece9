/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelSpec, read along the wire. Texts and order of the checks are TensorFlow Serving's.
 *
 * | 1 name | 2 version Int64Value{1 value} | 3 signature_name | 4 version_label |
 */
#include "server/service/spec.h"

#include "server/service/wire.h"

#define DEFAULT_SIGNATURE "serving_default"

static bool read_int64_value(Bytes wire, int64_t *value)
{
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (wire_is(&field, 1, WIRE_VARINT))
            *value = (int64_t)field.value;
    }
    return true;
}

bool spec_read(Bytes wire, ModelSpec *spec)
{
    spec->is_there = true;
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (field.type != WIRE_BYTES)
            continue;
        switch (field.number) {
        case 1:
            spec->name = field.bytes;
            break;
        case 2:
            if (!spec->has_version)
                spec->version = 0;
            spec->has_version = true;
            spec->has_label = false;
            if (!read_int64_value(field.bytes, &spec->version))
                return false;
            break;
        case 3:
            spec->signature_name = field.bytes;
            break;
        case 4:
            spec->label = field.bytes;
            spec->has_label = true;
            spec->has_version = false;
            break;
        default:
            break;
        }
    }
    return true;
}

const int64_t *spec_version(const ModelSpec *spec)
{
    return spec->has_version ? &spec->version : NULL;
}

Bytes spec_signature_name(const ModelSpec *spec)
{
    return spec->signature_name.size > 0 ? spec->signature_name : bytes_of_text(DEFAULT_SIGNATURE);
}

Error *spec_missing(void)
{
    return error_new(ERROR_INVALID_ARGUMENT, "Missing ModelSpec");
}

Error *spec_acquire(const ModelSpec *spec, Reader *reader, Handle *ret_handle)
{
    if (!spec->is_there)
        return spec_missing();
    if (spec->name.size == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "ModelSpec has no name specified.");
    if (spec->has_label)
        return handle_acquire_labelled(reader, spec->name, spec->label, ret_handle);
    return handle_acquire(reader, spec->name, spec_version(spec), ret_handle);
}
