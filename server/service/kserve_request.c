/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelInferRequest, read along the wire: walked once to check and count, once to fill arrays of the
 * exact size.
 *
 * | ModelInferRequest | 1 model_name; 2 model_version; 3 id; 4 parameters map; 5 InferInputTensor;|
 * |                   | 6 InferRequestedOutputTensor; 7 raw_input_contents, one an input or none  |
 * | InferInputTensor  | 1 name; 2 datatype; 3 shape, packed or not; 4 parameters; 5 contents      |
 * | -RequestedOutput- | 1 name; 2 parameters                                                      |
 * | map entry         | 1 key; 2 InferParameter, a oneof: 3 string_param and four others          |
 */
#include "server/service/kserve_request.h"

#include "server/service/kserve_tensor.h"
#include "server/service/request.h"
#include "server/service/spec.h"
#include "server/service/wire.h"

static Error *no_message(void)
{
    return error_new(ERROR_INVALID_ARGUMENT, "the request's bytes are not an "
                                             "inference.ModelInferRequest");
}

/* ---- parameters ------------------------------------------------------------------------------ */

typedef struct Parameter {
    Bytes key;
    bool is_text;
    Bytes text; /* of string_param */
} Parameter;

#define STRING_PARAM 3
#define LAST_PARAM 5

static bool read_parameter(Bytes wire, Parameter *parameter)
{
    Bytes value = { (const uint8_t *)"", 0 };
    WireField field;
    *parameter = (Parameter){ .key = value };
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (wire_is(&field, 1, WIRE_BYTES))
            parameter->key = field.bytes;
        else if (wire_is(&field, 2, WIRE_BYTES))
            value = field.bytes;
    }
    while (value.size > 0) {
        if (!wire_read(&value, &field))
            return false;
        if (field.number > LAST_PARAM)
            continue;
        parameter->is_text = wire_is(&field, STRING_PARAM, WIRE_BYTES);
        parameter->text = field.bytes;
    }
    return true;
}

/* Of an input or an output. Most parameters are hints, such as "binary_data"; these are not. */
static Error *check_parameter(Bytes wire, const char *kind)
{
    static const char *const refused[] = { "shared_memory_region", "classification" };
    Parameter parameter;
    if (!read_parameter(wire, &parameter))
        return no_message();
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (bytes_equal(parameter.key, bytes_of_text(refused[i])))
            return error_new(ERROR_UNIMPLEMENTED, "parameter %s of an %s is not supported",
                             refused[i], kind);
    return NULL;
}

static Error *take_parameter(Bytes wire, KserveRequest *request)
{
    Parameter parameter;
    if (!read_parameter(wire, &parameter))
        return no_message();
    if (!bytes_equal(parameter.key, bytes_of_text("signature_name")))
        return NULL;
    if (!parameter.is_text)
        return error_new(ERROR_INVALID_ARGUMENT, "parameter signature_name must be a string_param");
    request->signature_name = parameter.text;
    return NULL;
}

/* ---- one input ------------------------------------------------------------------------------- */

typedef struct Input {
    Bytes wire;
    Bytes name;
    Bytes datatype;
    Shape shape;
    size_t n_dims; /* more than SHAPE_MAX_RANK are not in `shape` */
    bool has_contents;
} Input;

static void add_dim(Input *input, uint64_t dim)
{
    if (input->n_dims < SHAPE_MAX_RANK) {
        input->shape.dims[input->n_dims] = (int64_t)dim;
        input->shape.rank = (int)input->n_dims + 1;
    }
    input->n_dims++;
}

static bool add_dims(Input *input, Bytes packed)
{
    const uint8_t *at = packed.data, *end = at + packed.size;
    uint64_t dim;
    while (at < end) {
        if (!varint_read(&at, end, &dim))
            return false;
        add_dim(input, dim);
    }
    return true;
}

static Error *read_input(Bytes wire, Input *input)
{
    Bytes empty = { (const uint8_t *)"", 0 };
    WireField field;
    *input = (Input){ .wire = wire, .name = empty, .datatype = empty };
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return no_message();
        if (wire_is(&field, 1, WIRE_BYTES))
            input->name = field.bytes;
        else if (wire_is(&field, 2, WIRE_BYTES))
            input->datatype = field.bytes;
        else if (wire_is(&field, 3, WIRE_VARINT))
            add_dim(input, field.value);
        else if (wire_is(&field, 3, WIRE_BYTES) && !add_dims(input, field.bytes))
            return no_message();
        else if (wire_is(&field, 4, WIRE_BYTES))
            TRY(check_parameter(field.bytes, "input"));
        else if (wire_is(&field, 5, WIRE_BYTES))
            input->has_contents = true;
    }
    return NULL;
}

/* `raw` is NULL for a typed input. */
static Error *bind_input(Arena *arena, const Input *input, const Bytes *raw, Tensor *ret_tensor)
{
    DType dtype = kserve_dtype(input->datatype);
    if (dtype == DT_INVALID)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "datatype '%.*s' is none of BOOL, UINT8 to UINT64, INT8 to INT64, FP16, "
                         "BF16, FP32, FP64, BYTES",
                         SHOWN(input->datatype));
    if (input->n_dims > SHAPE_MAX_RANK)
        return error_new(ERROR_INVALID_ARGUMENT, "the shape has %zu dimensions; at most %d work",
                         input->n_dims, SHAPE_MAX_RANK);
    if (raw != NULL && input->has_contents)
        return error_new(ERROR_INVALID_ARGUMENT, "it has contents, and there are "
                                                 "raw_input_contents: only one of them may be");
    if (raw != NULL)
        return kserve_from_raw(arena, dtype, &input->shape, *raw, ret_tensor);
    Bytes contents;
    TRY(request_merged_field(arena, input->wire, 5, &contents));
    return kserve_from_typed(arena, dtype, &input->shape, contents, ret_tensor);
}

/* ---- the request ----------------------------------------------------------------------------- */

enum { FIELD_INPUT = 5, FIELD_OUTPUT = 6, FIELD_RAW = 7, N_COUNTED = 8 };

/* All but inputs and outputs, which are counted. */
static Error *read_frame(Bytes wire, KserveRequest *request, size_t counts[N_COUNTED])
{
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return no_message();
        if (field.type != WIRE_BYTES || field.number >= N_COUNTED)
            continue;
        counts[field.number]++;
        if (field.number == 1)
            request->model.name = field.bytes;
        else if (field.number == 2)
            request->model.version = field.bytes;
        else if (field.number == 3)
            request->id = field.bytes;
        else if (field.number == 4)
            TRY(take_parameter(field.bytes, request));
    }
    return NULL;
}

static Error *check_counts(const size_t counts[N_COUNTED])
{
    static const struct {
        unsigned field;
        const char *name;
    } limited[] = { { FIELD_INPUT, "inputs" }, { FIELD_OUTPUT, "outputs" } };
    for (size_t i = 0; i < ARRAY_SIZE(limited); i++)
        if (counts[limited[i].field] > REQUEST_MAX_INPUTS)
            return error_new(ERROR_INVALID_ARGUMENT, "the request has %zu %s; the limit is %d",
                             counts[limited[i].field], limited[i].name, REQUEST_MAX_INPUTS);
    if (counts[FIELD_RAW] > 0 && counts[FIELD_RAW] != counts[FIELD_INPUT])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "the request has %zu inputs and %zu raw_input_contents, which are one an "
                         "input or none",
                         counts[FIELD_INPUT], counts[FIELD_RAW]);
    return NULL;
}

static Error *read_output(Bytes wire, Bytes *ret_name)
{
    Bytes name = { (const uint8_t *)"", 0 };
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return no_message();
        if (wire_is(&field, 1, WIRE_BYTES))
            name = field.bytes;
        else if (wire_is(&field, 2, WIRE_BYTES))
            TRY(check_parameter(field.bytes, "output"));
    }
    *ret_name = name;
    return NULL;
}

/* Moves `*rest` to behind the next field of that number, which is there. */
static Bytes next_field(Bytes *rest, uint32_t number)
{
    WireField field = { 0 };
    while (!wire_is(&field, number, WIRE_BYTES) && wire_read(rest, &field)) {
    }
    return field.bytes;
}

static Error *read_inputs(Arena *arena, Bytes wire, KserveRequest *request, bool has_raw)
{
    Bytes at_input = wire, at_raw = wire;
    for (size_t i = 0; i < request->n_inputs; i++) {
        Input input;
        Bytes raw;
        TRY(read_input(next_field(&at_input, FIELD_INPUT), &input));
        if (has_raw)
            raw = next_field(&at_raw, FIELD_RAW);
        NamedTensor *named = &request->inputs[i];
        named->name = input.name;
        Error *error = bind_input(arena, &input, has_raw ? &raw : NULL, &named->tensor);
        if (error != NULL && error->code == ERROR_RESOURCE_EXHAUSTED) {
            error_free(error);
            error = error_new(ERROR_RESOURCE_EXHAUSTED, "it claims more memory than a request may "
                                                        "have (--max_request_tensor_bytes)");
        }
        TRY(error_prefix(error, "input %.*s", SHOWN(input.name)));
    }
    return NULL;
}

static Error *read_tensors(Arena *arena, Bytes wire, const size_t counts[N_COUNTED],
                           KserveRequest *request)
{
    TRY(check_counts(counts));
    request->n_inputs = counts[FIELD_INPUT];
    request->n_filter = counts[FIELD_OUTPUT];
    request->is_raw = counts[FIELD_RAW] > 0 || request->n_inputs == 0;
    request->inputs = arena_calloc(arena, request->n_inputs, sizeof(NamedTensor));
    request->output_filter = arena_calloc(arena, request->n_filter, sizeof(Bytes));
    if (request->inputs == NULL || request->output_filter == NULL)
        return error_out_of_memory();
    TRY(read_inputs(arena, wire, request, counts[FIELD_RAW] > 0));
    for (size_t i = 0; i < request->n_filter; i++)
        TRY(read_output(next_field(&wire, FIELD_OUTPUT), &request->output_filter[i]));
    return NULL;
}

Error *kserve_request_read(Arena *arena, Bytes wire, KserveRequest *ret_request)
{
    KserveRequest request = { 0 };
    size_t counts[N_COUNTED] = { 0 };
    TRY(read_frame(wire, &request, counts));
    if (request.model.name.size == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "the request names no model");
    TRY(error_prefix(read_tensors(arena, wire, counts, &request), "model %.*s",
                     SHOWN(request.model.name)));
    *ret_request = request;
    return NULL;
}

Error *kserve_request_read_model(Bytes wire, KserveModel *ret_model)
{
    KserveModel model = { 0 };
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "the request's bytes are not an inference.ModelReadyRequest or "
                             "ModelMetadataRequest");
        if (wire_is(&field, 1, WIRE_BYTES))
            model.name = field.bytes;
        else if (wire_is(&field, 2, WIRE_BYTES))
            model.version = field.bytes;
    }
    if (model.name.size == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "the request names no model");
    *ret_model = model;
    return NULL;
}
