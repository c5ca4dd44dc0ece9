/* SPDX-License-Identifier: Apache-2.0
 *
 * Examples from JSON. What kind a feature is shows in how its values are written: 2 is an int64, 2.0
 * is a float, "2" and {"b64": "Mg=="} are bytes.
 *
 * | Example  | 1 Features {1 feature map: {1 key, 2 Feature}}                                      |
 * | Feature  | 1 BytesList {1 value}, 2 FloatList {1 packed value}, 3 Int64List {1 packed value}   |
 *
 * A feature's values are read twice: for their kind and size, and to write them.
 */
#include "server/rest/examples_json.h"

#include <string.h>

#include "server/rest/json_base64.h"
#include "server/rest/json_write.h"
#include "server/service/spec.h"
#include "server/service/wire.h"

/* Number of the field of Feature; KIND_NONE: no values. */
typedef enum Kind { KIND_NONE = 0, KIND_BYTES = 1, KIND_FLOAT = 2, KIND_INT64 = 3 } Kind;

/* One value of a feature. */
typedef struct Value {
    Kind kind;
    union {
        Bytes bytes;
        float number;
        int64_t integer;
    };
} Value;

typedef struct Feature {
    Bytes name;
    Kind kind;
    Value *values; /* [n] */
    size_t n;
    size_t list_bytes;    /* of the list's one field or fields */
    size_t feature_bytes; /* of the Feature */
} Feature;

/* ---- reading --------------------------------------------------------------------------------- */

static Error *type_error(Bytes feature, Json json)
{
    return error_new(ERROR_INVALID_ARGUMENT,
                     "Feature: %.*s has element with unexpected JSON type: %s", SHOWN(feature),
                     json_type_name(json));
}

static Error *read_number(Bytes feature, Json json, Value *value, const char **ret_end)
{
    JsonNumber number;
    *ret_end = json_number(json, &number);
    if (!number.is_integer) {
        *value = (Value){ .kind = KIND_FLOAT, .number = (float)number.value };
        return NULL;
    }
    value->kind = KIND_INT64;
    if (!json_integer(&number, INT64_MIN, INT64_MAX, &value->integer))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Feature: %.*s has uint64_t element. Only int64_t is supported.",
                         SHOWN(feature));
    return NULL;
}

static Error *read_value(Arena *arena, Bytes feature, Json json, Value *value, const char **ret_end)
{
    Json base64;
    switch (json_type(json)) {
    case JSON_FALSE:
    case JSON_TRUE:
        *value = (Value){ .kind = KIND_INT64, .integer = json_type(json) == JSON_TRUE };
        *ret_end = json_end(json);
        return NULL;
    case JSON_STRING:
        value->kind = KIND_BYTES;
        return json_string(arena, json, &value->bytes, ret_end);
    case JSON_NUMBER:
        return read_number(feature, json, value, ret_end);
    case JSON_OBJECT:
        if (!json_is_base64(json, &base64))
            return type_error(feature, json);
        value->kind = KIND_BYTES;
        *ret_end = json_end(json);
        return json_read_base64(arena, base64, &value->bytes);
    default:
        return type_error(feature, json);
    }
}

static Error *add_value(Arena *arena, Feature *feature, Json json, const char **ret_end)
{
    static const char *const names[] = { "", "bytes", "float", "int64" };
    Value *value = &feature->values[feature->n];
    TRY(read_value(arena, feature->name, json, value, ret_end));
    if (feature->kind == KIND_NONE)
        feature->kind = value->kind;
    if (value->kind != feature->kind)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Unexpected element type in feature: %.*s expecting type: %s",
                         SHOWN(feature->name), names[feature->kind]);
    feature->n++;
    return NULL;
}

static void measure(Feature *feature)
{
    size_t bytes = 0;
    for (size_t i = 0; i < feature->n; i++) {
        const Value *value = &feature->values[i];
        bytes += value->kind == KIND_BYTES   ? wire_bytes_size(value->bytes.size)
                 : value->kind == KIND_FLOAT ? sizeof(float)
                                             : varint_size((uint64_t)value->integer);
    }
    feature->list_bytes =
        feature->kind == KIND_BYTES || feature->kind == KIND_NONE ? bytes : wire_bytes_size(bytes);
    feature->feature_bytes = feature->kind == KIND_NONE ? 0 : wire_bytes_size(feature->list_bytes);
}

static Error *read_feature(Arena *arena, const JsonMember *member, Feature *feature)
{
    bool is_list = json_type(member->value) == JSON_ARRAY;
    const char *end;
    size_t n = is_list ? (size_t)json_count(member->value, NULL) : 1;
    *feature = (Feature){ .name = member->key };
    feature->values = arena_calloc(arena, n, sizeof(Value));
    if (feature->values == NULL)
        return error_out_of_memory();
    if (!is_list)
        TRY(add_value(arena, feature, member->value, &end));
    for (Json json = is_list ? json_first(member->value) : NULL; json != NULL;
         json = json_next(end))
        TRY(add_value(arena, feature, json, &end));
    measure(feature);
    return NULL;
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint8_t *put_packed(uint8_t *out, const Feature *feature)
{
    size_t bytes = 0;
    for (size_t i = 0; i < feature->n; i++)
        bytes += feature->kind == KIND_FLOAT ? sizeof(float)
                                             : varint_size((uint64_t)feature->values[i].integer);
    out = wire_put_head(out, 1, bytes);
    for (size_t i = 0; i < feature->n; i++) {
        const Value *value = &feature->values[i];
        if (feature->kind == KIND_INT64) {
            out += varint_write(out, (uint64_t)value->integer);
        } else {
            uint32_t bits;
            memcpy(&bits, &value->number, sizeof(bits));
            store_le32(out, bits);
            out += sizeof(bits);
        }
    }
    return out;
}

static uint8_t *put_feature(uint8_t *out, const Feature *feature)
{
    out = wire_put_head(out, 2, feature->feature_bytes);
    if (feature->kind == KIND_NONE)
        return out;
    out = wire_put_head(out, feature->kind, feature->list_bytes);
    if (feature->kind != KIND_BYTES)
        return put_packed(out, feature);
    for (size_t i = 0; i < feature->n; i++)
        out = wire_put_bytes(out, 1, feature->values[i].bytes);
    return out;
}

static size_t entry_size(const Feature *feature)
{
    return wire_bytes_size(feature->name.size) + wire_bytes_size(feature->feature_bytes);
}

/* The Example of features[0..n), behind `context`. */
static Error *put_example(Arena *arena, Bytes context, const Feature *features, size_t n,
                          Bytes *ret_example)
{
    size_t bytes = 0, whole;
    for (size_t i = 0; i < n; i++)
        bytes += wire_bytes_size(entry_size(&features[i]));
    whole = context.size + wire_bytes_size(bytes);
    uint8_t *example = arena_alloc(arena, whole), *out = example;
    if (example == NULL)
        return error_out_of_memory();
    if (context.size > 0)
        memcpy(out, context.data, context.size);
    out = wire_put_head(out + context.size, 1, bytes);
    for (size_t i = 0; i < n; i++) {
        out = wire_put_head(out, 1, entry_size(&features[i]));
        out = wire_put_bytes(out, 1, features[i].name);
        out = put_feature(out, &features[i]);
    }
    *ret_example = (Bytes){ example, whole };
    return NULL;
}

static Error *read_example(Arena *arena, Bytes context, Json json, Bytes *ret_example)
{
    if (json_type(json) != JSON_OBJECT)
        return error_new(ERROR_INVALID_ARGUMENT, "Example must be JSON object but got JSON %s",
                         json_type_name(json));
    Error *error = NULL;
    size_t n = 0;
    for (JsonMember member = { .next = json_first(json) }; json_each(arena, &member, &error);)
        n++;
    TRY(error);
    Feature *features = arena_calloc(arena, n, sizeof(Feature));
    if (features == NULL)
        return error_out_of_memory();
    JsonMember member = { .next = json_first(json) };
    for (size_t i = 0; json_each(arena, &member, &error); i++)
        TRY(read_feature(arena, &member, &features[i]));
    TRY(error);
    return put_example(arena, context, features, n, ret_example);
}

static Error *format_error(Arena *arena, Json document, const char *verb, const char *what)
{
    return error_new(ERROR_INVALID_ARGUMENT, "JSON Value: %s %s%s%s", json_shown(arena, document),
                     verb != NULL ? "When method is " : "", verb != NULL ? verb : "", what);
}

Error *examples_from_json(Arena *arena, Json document, const char *verb, Bytes **ret_examples,
                          size_t *ret_n)
{
    Json context, list;
    Bytes common = { 0 };
    TRY(json_find(arena, document, bytes_of_text("context"), &context));
    if (context != NULL)
        TRY(read_example(arena, common, context, &common));
    TRY(json_find(arena, document, bytes_of_text("examples"), &list));
    if (list == NULL)
        return format_error(arena, document, verb,
                            ", key 'examples' is expected and was not found");
    if (json_type(list) != JSON_ARRAY)
        return format_error(arena, document, NULL,
                            "Expecting 'examples' value to be an list/array");
    size_t n = (size_t)json_count(list, NULL), i = 0;
    if (n == 0)
        return format_error(arena, document, NULL, "'examples' value is an empty array");
    Bytes *examples = arena_calloc(arena, n, sizeof(Bytes));
    if (examples == NULL)
        return error_out_of_memory();
    for (Json json = json_first(list); json != NULL; json = json_next(json_end(json)))
        TRY(read_example(arena, common, json, &examples[i++]));
    *ret_examples = examples;
    *ret_n = n;
    return NULL;
}

/* ---- replies --------------------------------------------------------------------------------- */

static Error *write_class(const Classification *c, int64_t at, Buf *buf)
{
    TRY(buf_append_text(buf, "["));
    TRY(json_write_string(buf, c->classes != NULL ? c->classes[at] : (Bytes){ 0 }));
    TRY(buf_append_text(buf, ", "));
    TRY(json_write_float(buf, c->scores != NULL ? c->scores[at] : 0));
    return buf_append_text(buf, "]");
}

Error *classification_to_json(const Classification *c, Buf *buf)
{
    if (c->n == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Cannot convert empty ClassificationResults to JSON");
    TRY(buf_append_text(buf, "{\n    \"results\": ["));
    for (int64_t i = 0; i < c->n; i++) {
        TRY(buf_append_text(buf, i > 0 ? ", [" : "["));
        for (int64_t j = 0; j < c->k; j++) {
            if (j > 0)
                TRY(buf_append_text(buf, ", "));
            TRY(write_class(c, i * c->k + j, buf));
        }
        TRY(buf_append_text(buf, "]"));
    }
    return buf_append_text(buf, "\n    ]\n}");
}

Error *regression_to_json(const Regression *r, Buf *buf)
{
    if (r->n == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Cannot convert empty RegressionResults to JSON");
    TRY(buf_append_text(buf, "{\n    \"results\": ["));
    for (int64_t i = 0; i < r->n; i++) {
        if (i > 0)
            TRY(buf_append_text(buf, ", "));
        TRY(json_write_float(buf, r->values[i]));
    }
    return buf_append_text(buf, "]\n}");
}
