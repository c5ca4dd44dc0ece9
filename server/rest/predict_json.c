/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of :predict. In the row form each element of `instances` is a row of every input; it is
 * added to the input's tensor as soon as it is read. In the column form a value is a tensor.
 *
 * Checks and texts, in their order, are those of TensorFlow Serving's json_tensor.cc.
 */
#include "server/rest/predict_json.h"

#include <string.h>

#include "server/rest/json_base64.h"
#include "server/rest/json_write.h"
#include "server/rest/tensor_json.h"
#include "server/service/spec.h"

/* ---- the document ---------------------------------------------------------------------------- */

static Error *format_error(Arena *arena, Json json, const char *what)
{
    return error_new(ERROR_INVALID_ARGUMENT, "JSON Value: %s %s", json_shown(arena, json), what);
}

Error *body_json_open(Arena *arena, const char *text, size_t bytes, Json *ret_document,
                      Bytes *ret_signature_name)
{
    Json document, name;
    const char *end;
    TRY(json_check(arena, text, bytes, &document));
    if (json_type(document) != JSON_OBJECT)
        return format_error(arena, document, "Is not object");
    TRY(json_find(arena, document, bytes_of_text("signature_name"), &name));
    *ret_signature_name = (Bytes){ 0 };
    if (name != NULL && json_type(name) != JSON_STRING)
        return format_error(
            arena, document,
            "not formatted correctly. 'signature_name' key must be a string value.");
    if (name != NULL)
        TRY(json_string(arena, name, ret_signature_name, &end));
    *ret_document = document;
    return NULL;
}

Error *predict_json_open(Arena *arena, const char *text, size_t bytes, PredictJson *ret_request)
{
    PredictJson request;
    TRY(body_json_open(arena, text, bytes, &request.document, &request.signature_name));
    TRY(json_find(arena, request.document, bytes_of_text("instances"), &request.instances));
    TRY(json_find(arena, request.document, bytes_of_text("inputs"), &request.inputs));
    *ret_request = request;
    return NULL;
}

static bool is_plain_object(Json json)
{
    Json base64;
    return json_type(json) == JSON_OBJECT && !json_is_base64(json, &base64);
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct Rows {
    Arena *arena;
    const Signature *signature;
    RowTensor *tensors; /* [n_inputs] */
    int64_t n;          /* rows that are there */
} Rows;

static int64_t find_input(const Signature *signature, Bytes name)
{
    for (size_t i = 0; i < signature->n_inputs; i++)
        if (bytes_equal(bytes_of_text(signature->inputs[i].alias), name))
            return (int64_t)i;
    return -1;
}

/* Takes the error of one value; what is not the client's fault is said as it is. */
static Error *row_error(const Rows *rows, const char *key, Error *error)
{
    if (error == NULL || error->code == ERROR_RESOURCE_EXHAUSTED)
        return error;
    Error *whole = error_new(ERROR_INVALID_ARGUMENT,
                             "Failed to process element: %lld%s of 'instances' list. Error: %s: %s",
                             (long long)rows->n, key, error_code_name(error->code), error->text);
    error_free(error);
    return whole;
}

static Error *keys_error(const Rows *rows, Json row)
{
    Error *error = error_new(ERROR_INVALID_ARGUMENT,
                             "Failed to process element: %lld of 'instances' list. JSON object: %s "
                             "keys must be equal to: ",
                             (long long)rows->n, json_shown(rows->arena, row));
    for (size_t i = 0; i < rows->signature->n_inputs; i++)
        error = error_suffix(error, "%s%s", i > 0 ? "," : "", rows->signature->inputs[i].alias);
    return error;
}

static Error *add_member(Rows *rows, const JsonMember *member, bool *is_first)
{
    const char *end;
    int64_t i = find_input(rows->signature, member->key);
    if (i < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "JSON object: does not have named input: %.*s",
                         SHOWN(member->key));
    /* A key that is there twice would make two rows of one. */
    *is_first = rows->tensors[i].n_rows == rows->n;
    return *is_first ? row_tensor_add(rows->arena, &rows->tensors[i], member->value, &end) : NULL;
}

static Error *add_object(Rows *rows, Json row)
{
    size_t n_keys = 0;
    Error *error = NULL;
    JsonMember member = { .next = json_first(row) };
    while (json_each(rows->arena, &member, &error)) {
        bool is_first = true;
        error = add_member(rows, &member, &is_first);
        n_keys += is_first;
        if (error != NULL) {
            char *key = arena_printf(rows->arena, " key: %.*s", SHOWN(member.key));
            return row_error(rows, key != NULL ? key : "", error);
        }
    }
    TRY(error);
    return n_keys == rows->signature->n_inputs ? NULL : keys_error(rows, row);
}

static Error *add_row(Rows *rows, Json row, bool are_objects, const char **ret_end)
{
    bool is_object = is_plain_object(row);
    if (is_object != are_objects)
        return error_new(ERROR_INVALID_ARGUMENT,
                         are_objects ? "Expecting object but got list at item %lld of input list"
                                     : "Expecting value/list but got object at item %lld of input "
                                       "list",
                         (long long)rows->n);
    if (!is_object)
        return row_error(rows, "", row_tensor_add(rows->arena, &rows->tensors[0], row, ret_end));
    *ret_end = json_end(row);
    return add_object(rows, row);
}

static Error *read_rows(Arena *arena, const PredictJson *request, const Signature *signature,
                        NamedTensor *inputs)
{
    if (json_type(request->instances) != JSON_ARRAY)
        return format_error(arena, request->document, "Expecting 'instances' to be an list/array");
    Json row = json_first(request->instances);
    if (row == NULL)
        return format_error(arena, request->document, "No values in 'instances' array");
    if (json_type(row) != JSON_OBJECT && signature->n_inputs > 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "instances is a plain list, but expecting list of objects as multiple "
                         "input tensors required as per tensorinfo_map");
    Rows rows = { .arena = arena, .signature = signature };
    rows.tensors = arena_calloc(arena, signature->n_inputs, sizeof(RowTensor));
    if (rows.tensors == NULL)
        return error_out_of_memory();
    const char *end;
    int64_t n = json_count(request->instances, &end);
    for (size_t i = 0; i < signature->n_inputs; i++)
        rows.tensors[i] = (RowTensor){ .dtype = signature->inputs[i].dtype,
                                       .max_rows = n,
                                       .max_elements = end - request->instances };
    bool are_objects = is_plain_object(row);
    for (; row != NULL; row = json_next(end), rows.n++)
        TRY(add_row(&rows, row, are_objects, &end));
    for (size_t i = 0; i < signature->n_inputs; i++)
        inputs[i].tensor = rows.tensors[i].tensor;
    return NULL;
}

/* ---- columns --------------------------------------------------------------------------------- */

static Error *read_columns(Arena *arena, Json value, const Signature *signature,
                           NamedTensor *inputs)
{
    if (!is_plain_object(value)) {
        if (signature->n_inputs > 1)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "inputs is a plain value/list, but expecting an object as multiple "
                             "input tensors required as per tensorinfo_map");
        return tensor_from_json(arena, value, signature->inputs[0].dtype, &inputs[0].tensor);
    }
    for (size_t i = 0; i < signature->n_inputs; i++) {
        Json column;
        const SignatureTensor *input = &signature->inputs[i];
        TRY(json_find(arena, value, inputs[i].name, &column));
        if (column == NULL)
            return error_new(ERROR_INVALID_ARGUMENT, "Missing named input: %s in 'inputs' object.",
                             input->alias);
        TRY(tensor_from_json(arena, column, input->dtype, &inputs[i].tensor));
    }
    return NULL;
}

Error *predict_json_inputs(Arena *arena, const PredictJson *request, const Signature *signature,
                           NamedTensor **ret_inputs, size_t *ret_n)
{
    size_t n = signature->n_inputs;
    if (n == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Failed to get input map for signature: %.*s",
                         SHOWN(request->signature_name.size > 0 ? request->signature_name
                                                                : bytes_of_text("DEFAULT")));
    if (request->instances != NULL && request->inputs != NULL)
        return format_error(arena, request->document,
                            "Not formatted correctly expecting only one of 'inputs' or "
                            "'instances' keys to exist ");
    if (request->instances == NULL && request->inputs == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "Missing 'inputs' or 'instances' key");
    NamedTensor *inputs = arena_calloc(arena, n, sizeof(NamedTensor));
    if (inputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        inputs[i].name = bytes_of_text(signature->inputs[i].alias);
    if (request->instances != NULL)
        TRY(read_rows(arena, request, signature, inputs));
    else
        TRY(read_columns(arena, request->inputs, signature, inputs));
    *ret_inputs = inputs;
    *ret_n = n;
    return NULL;
}

/* ---- replies --------------------------------------------------------------------------------- */

/* Strings of an output with such a name are bytes. */
static bool is_named_bytes(const NamedTensor *output)
{
    static const char suffix[] = "_bytes";
    size_t n = strlen(suffix);
    return output->name.size >= n &&
           memcmp(output->name.data + output->name.size - n, suffix, n) == 0;
}

static Error *write_key(const NamedTensor *output, const char *indent, Buf *buf)
{
    TRY(buf_append_text(buf, indent));
    TRY(json_write_string(buf, output->name));
    return buf_append_text(buf, ": ");
}

static Error *check_rows(const NamedTensor *outputs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const Shape *shape = &outputs[i].tensor.shape;
        if (shape->rank == 0)
            return error_new(ERROR_INVALID_ARGUMENT, "Tensor name: %.*s has no shape information ",
                             SHOWN(outputs[i].name));
        if (shape->dims[0] != outputs[0].tensor.shape.dims[0])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Tensor name: %.*s has inconsistent batch size: %lld expecting: %lld",
                             SHOWN(outputs[i].name), (long long)shape->dims[0],
                             (long long)outputs[0].tensor.shape.dims[0]);
    }
    return NULL;
}

static Error *write_row(const NamedTensor *outputs, size_t n, int64_t row, Buf *buf)
{
    if (n > 1)
        TRY(buf_append_text(buf, "\n        {"));
    for (size_t i = 0; i < n; i++) {
        const Tensor *tensor = &outputs[i].tensor;
        int64_t at = tensor->n / tensor->shape.dims[0] * row;
        if (n > 1)
            TRY(write_key(&outputs[i], i > 0 ? ",\n            " : "\n            ", buf));
        TRY(tensor_to_json(tensor, 1, is_named_bytes(&outputs[i]), &at, buf));
    }
    return n > 1 ? buf_append_text(buf, "\n        }") : NULL;
}

static Error *reply_rows(const NamedTensor *outputs, size_t n, Buf *buf)
{
    TRY(check_rows(outputs, n));
    TRY(buf_append_text(buf, "{\n    \"predictions\": ["));
    for (int64_t row = 0; row < outputs[0].tensor.shape.dims[0]; row++) {
        if (row > 0)
            TRY(buf_append_text(buf, n > 1 ? "," : ", "));
        TRY(write_row(outputs, n, row, buf));
    }
    return buf_append_text(buf, "\n    ]\n}");
}

static Error *reply_columns(const NamedTensor *outputs, size_t n, Buf *buf)
{
    TRY(buf_append_text(buf, "{\n    \"outputs\": "));
    if (n > 1)
        TRY(buf_append_text(buf, "{"));
    for (size_t i = 0; i < n; i++) {
        int64_t at = 0;
        if (n > 1)
            TRY(write_key(&outputs[i], i > 0 ? ",\n        " : "\n        ", buf));
        TRY(tensor_to_json(&outputs[i].tensor, 0, is_named_bytes(&outputs[i]), &at, buf));
    }
    return buf_append_text(buf, n > 1 ? "\n    }\n}" : "\n}");
}

Error *predict_json_reply(const PredictJson *request, const NamedTensor *outputs, size_t n_outputs,
                          Buf *buf)
{
    if (n_outputs == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Cannot convert empty tensor map to JSON");
    return request->instances != NULL ? reply_rows(outputs, n_outputs, buf)
                                      : reply_columns(outputs, n_outputs, buf);
}
