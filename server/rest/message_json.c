/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON form of messages: message_text.c of model/base for another format and other rules about
 * what is there.
 */
#include "server/rest/message_json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/base/message_layout.h"
#include "server/rest/json_write.h"

#define INDENT 4

static Error *new_line(int indent, Buf *buf)
{
    return buf_printf(buf, "\n%*s", indent, "");
}

static Error *write_enum(const ProtobufCFieldDescriptor *field, int value, Buf *buf)
{
    const ProtobufCEnumValue *name = protobuf_c_enum_descriptor_get_value(field->descriptor, value);
    return name != NULL ? buf_printf(buf, "\"%s\"", name->name) : buf_printf(buf, "%d", value);
}

/* Numbers that JSON does not have are strings in this form. */
static Error *write_double(double value, bool is_float, Buf *buf)
{
    const char *quote = isfinite(value) ? "" : "\"";
    TRY(buf_append_text(buf, quote));
    TRY(is_float ? json_write_float(buf, (float)value) : json_write_double(buf, value));
    return buf_append_text(buf, quote);
}

/* One element at `at`. */
static Error *write_value(const ProtobufCFieldDescriptor *field, const void *at, int indent,
                          Buf *buf)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_to_json(*(const ProtobufCMessage *const *)at, indent, buf);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return buf_printf(buf, "\"%" PRId64 "\"", *(const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return buf_printf(buf, "\"%" PRIu64 "\"", *(const uint64_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_write_uint(buf, *(const uint32_t *)at);
    case PROTOBUF_C_TYPE_FLOAT:
        return write_double((double)*(const float *)at, true, buf);
    case PROTOBUF_C_TYPE_DOUBLE:
        return write_double(*(const double *)at, false, buf);
    case PROTOBUF_C_TYPE_BOOL:
        return buf_append_text(buf, *(const protobuf_c_boolean *)at ? "true" : "false");
    case PROTOBUF_C_TYPE_ENUM:
        return write_enum(field, *(const int *)at, buf);
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)at;
        return json_write_string(buf, bytes_of_text(text != NULL ? text : ""));
    }
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = at;
        return json_write_base64(buf, (Bytes){ bytes->data, bytes->len });
    }
    default:
        return json_write_int(buf, *(const int32_t *)at);
    }
}

/* protoc calls the entries of a map NAMEEntry, and no other message of ours. */
static bool is_map(const ProtobufCFieldDescriptor *field)
{
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t n = strlen(entry->short_name);
    return n > 5 && strcmp(entry->short_name + n - 5, "Entry") == 0 && entry->n_fields == 2 &&
           entry->fields[0].type == PROTOBUF_C_TYPE_STRING;
}

static Error *write_entry(const ProtobufCMessage *entry, int indent, Buf *buf)
{
    const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
    const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
    const void *at = message_member(entry, value->offset);
    TRY(write_value(key, message_member(entry, key->offset), indent, buf));
    TRY(buf_append_text(buf, ": "));
    if (value->type == PROTOBUF_C_TYPE_MESSAGE && *(void *const *)at == NULL)
        return buf_append_text(buf, "{}");
    return write_value(value, at, indent, buf);
}

/* A list in one line, unless it is one of messages; a map as an object. */
static Error *write_repeated(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             int indent, Buf *buf)
{
    size_t n = *(const size_t *)message_member(message, field->quantifier_offset);
    const uint8_t *data = *(const uint8_t *const *)message_member(message, field->offset);
    size_t bytes = message_element_bytes(field->type);
    bool as_object = is_map(field), in_lines = field->type == PROTOBUF_C_TYPE_MESSAGE && n > 0;
    TRY(buf_append_text(buf, as_object ? "{" : "["));
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            TRY(buf_append_text(buf, in_lines ? "," : ", "));
        if (in_lines)
            TRY(new_line(indent + INDENT, buf));
        const void *at = data + i * bytes;
        TRY(as_object ? write_entry(*(const ProtobufCMessage *const *)at, indent + INDENT, buf)
                      : write_value(field, at, indent + INDENT, buf));
    }
    if (in_lines)
        TRY(new_line(indent, buf));
    return buf_append_text(buf, as_object ? "}" : "]");
}

static bool is_there(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return true;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return *(const uint32_t *)message_member(message, field->quantifier_offset) == field->id;
    return field->type != PROTOBUF_C_TYPE_MESSAGE ||
           *(void *const *)message_member(message, field->offset) != NULL;
}

Error *message_to_json(const ProtobufCMessage *message, int indent, Buf *buf)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    bool is_first = true;
    TRY(buf_append_text(buf, "{"));
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (!is_there(message, field))
            continue;
        TRY(buf_append_text(buf, is_first ? "" : ","));
        TRY(new_line(indent + INDENT, buf));
        TRY(buf_printf(buf, "\"%s\": ", field->name));
        is_first = false;
        TRY(field->label == PROTOBUF_C_LABEL_REPEATED
                ? write_repeated(message, field, indent + INDENT, buf)
                : write_value(field, message_member(message, field->offset), indent + INDENT, buf));
    }
    if (!is_first)
        TRY(new_line(indent, buf));
    return buf_append_text(buf, "}");
}
