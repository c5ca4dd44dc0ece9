/* SPDX-License-Identifier: Apache-2.0
 *
 * The text form of messages. What is printed is what is set: in proto3 a scalar that is zero is
 * not, except in the entries of maps.
 *
 *     inputs {
 *       key: "x"
 *       value {
 *         name: "x:0"
 *         dtype: DT_FLOAT
 *       }
 *     }
 *
 * Source: https://protobuf.dev/reference/protobuf/textformat-spec/
 */
#include "model/base/message_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/message_layout.h"

static Error *message_fields(const ProtobufCMessage *message, int indent, Buf *buf);

static Error *quoted(const uint8_t *data, size_t n, Buf *buf)
{
    TRY(buf_append_text(buf, "\""));
    for (size_t i = 0; i < n; i++) {
        uint8_t c = data[i];
        if (c == '\n')
            TRY(buf_append_text(buf, "\\n"));
        else if (c == '\r')
            TRY(buf_append_text(buf, "\\r"));
        else if (c == '\t')
            TRY(buf_append_text(buf, "\\t"));
        else if (c == '"' || c == '\'' || c == '\\')
            TRY(buf_printf(buf, "\\%c", c));
        else if (c < 0x20 || c >= 0x7f)
            TRY(buf_printf(buf, "\\%03o", c));
        else
            TRY(buf_append(buf, &c, 1));
    }
    return buf_append_text(buf, "\"");
}

/* With few digits where they read back as the same number, else with enough for every one: as
 * protobuf's SimpleFtoa and SimpleDtoa do it. */
static Error *float_value(float value, Buf *buf)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", (double)value);
    return strtof(text, NULL) == value ? buf_append_text(buf, text)
                                       : buf_printf(buf, "%.9g", (double)value);
}

static Error *double_value(double value, Buf *buf)
{
    char text[40];
    snprintf(text, sizeof text, "%.15g", value);
    return strtod(text, NULL) == value ? buf_append_text(buf, text)
                                       : buf_printf(buf, "%.17g", value);
}

static Error *enum_value(const ProtobufCFieldDescriptor *field, int value, Buf *buf)
{
    const ProtobufCEnumValue *name = protobuf_c_enum_descriptor_get_value(field->descriptor, value);
    return name != NULL ? buf_append_text(buf, name->name) : buf_printf(buf, "%d", value);
}

static Error *scalar(const ProtobufCFieldDescriptor *field, const void *at, Buf *buf)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return buf_printf(buf, "%" PRId64, *(const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return buf_printf(buf, "%" PRIu64, *(const uint64_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return buf_printf(buf, "%" PRIu32, *(const uint32_t *)at);
    case PROTOBUF_C_TYPE_FLOAT:
        return float_value(*(const float *)at, buf);
    case PROTOBUF_C_TYPE_DOUBLE:
        return double_value(*(const double *)at, buf);
    case PROTOBUF_C_TYPE_BOOL:
        return buf_append_text(buf, *(const protobuf_c_boolean *)at ? "true" : "false");
    case PROTOBUF_C_TYPE_ENUM:
        return enum_value(field, *(const int *)at, buf);
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)at;
        return quoted((const uint8_t *)text, text != NULL ? strlen(text) : 0, buf);
    }
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = at;
        return quoted(bytes->data, bytes->len, buf);
    }
    default:
        return buf_printf(buf, "%" PRId32, *(const int32_t *)at);
    }
}

static Error *element(const ProtobufCFieldDescriptor *field, const void *at, int indent, Buf *buf)
{
    TRY(buf_printf(buf, "%*s%s", indent, "", field->name));
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
        TRY(buf_append_text(buf, ": "));
        TRY(scalar(field, at, buf));
        return buf_append_text(buf, "\n");
    }
    TRY(buf_append_text(buf, " {\n"));
    TRY(message_fields(*(const ProtobufCMessage *const *)at, indent + 2, buf));
    return buf_printf(buf, "%*s}\n", indent, "");
}

/* protobuf-c tells map entries from other messages by nothing but the name that protoc gives them.
 */
static bool is_map_entry(const ProtobufCMessageDescriptor *descriptor)
{
    size_t n = strlen(descriptor->short_name);
    return n > 5 && strcmp(descriptor->short_name + n - 5, "Entry") == 0 &&
           descriptor->n_fields == 2 && strcmp(descriptor->fields[0].name, "key") == 0;
}

/* False for what the message does not say. */
static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    static const uint8_t zeros[sizeof(ProtobufCBinaryData)];
    const void *at = message_member(message, field->offset);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return *(const uint32_t *)message_member(message, field->quantifier_offset) == field->id;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void *const *)at != NULL;
    if (is_map_entry(message->descriptor))
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)at;
        return text != NULL && text[0] != '\0';
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)at)->len > 0;
    return memcmp(at, zeros, message_element_bytes(field->type)) != 0;
}

static int compare_entries(const void *a, const void *b)
{
    const ProtobufCMessage *x = *(ProtobufCMessage *const *)a;
    const ProtobufCMessage *y = *(ProtobufCMessage *const *)b;
    size_t offset = x->descriptor->fields[0].offset;
    return strcmp(*(const char *const *)message_member(x, offset),
                  *(const char *const *)message_member(y, offset));
}

static Error *repeated(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       int indent, Buf *buf)
{
    size_t n = *(const size_t *)message_member(message, field->quantifier_offset);
    const uint8_t *data = *(const uint8_t *const *)message_member(message, field->offset);
    size_t bytes = message_element_bytes(field->type);
    _cleanup_(freep) ProtobufCMessage **sorted = NULL;
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    if (n > 1 && field->type == PROTOBUF_C_TYPE_MESSAGE && is_map_entry(entry) &&
        entry->fields[0].type == PROTOBUF_C_TYPE_STRING) {
        sorted = calloc(n, sizeof *sorted);
        if (sorted == NULL)
            return error_out_of_memory();
        memcpy(sorted, data, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, compare_entries);
        data = (const uint8_t *)sorted;
    }
    for (size_t i = 0; i < n; i++)
        TRY(element(field, data + i * bytes, indent, buf));
    return NULL;
}

static Error *message_fields(const ProtobufCMessage *message, int indent, Buf *buf)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            TRY(repeated(message, field, indent, buf));
        else if (is_set(message, field))
            TRY(element(field, message_member(message, field->offset), indent, buf));
    }
    return NULL;
}

Error *message_to_text(const ProtobufCMessage *message, Buf *buf)
{
    return message_fields(message, 0, buf);
}
