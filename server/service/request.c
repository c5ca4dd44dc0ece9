/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests. Each message is walked twice: once to check and count, once to fill arrays of the exact
 * size. Field 1 is the ModelSpec in all of them but MultiInference's and the health check's.
 *
 * | PredictRequest           | 2 inputs map: {1 key, 2 TensorProto}; 3 output_filter             |
 * | Classification-, RegressionRequest | 2 Input: oneof {1 ExampleList, 2 ExampleListWithContext}|
 * | MultiInferenceRequest    | 1 InferenceTask {1 ModelSpec; 2 method_name}; 2 Input             |
 * | ExampleList, -WithContext| 1 examples; 2 context                                             |
 * | GetModelMetadataRequest  | 2 metadata_field                                                  |
 * | HealthCheckRequest       | 1 service                                                         |
 */
#include "server/service/request.h"

#include "server/service/wire.h"

#define N_COUNTED 4 /* field numbers 0 to 3 */

static Error *no_message(const char *name)
{
    return error_new(ERROR_INVALID_ARGUMENT, "the request's bytes are not a %s", name);
}

/* Merges field 1 of a request into `*spec`. False when the bytes are no message. */
static bool read_spec(Bytes wire, ModelSpec *spec)
{
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (wire_is(&field, 1, WIRE_BYTES) && !spec_read(field.bytes, spec))
            return false;
    }
    return true;
}

/* Sets counts[i] to the number of fields i of type WIRE_BYTES. False when the bytes are no
 * message. */
static bool count_fields(Bytes wire, size_t counts[N_COUNTED])
{
    WireField field;
    memset(counts, 0, N_COUNTED * sizeof(counts[0]));
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (field.type == WIRE_BYTES && field.number < N_COUNTED)
            counts[field.number]++;
    }
    return true;
}

/* Gives the values of the fields `number`, of which there are `n`, in order. For bytes that
 * count_fields has been through. */
static Error *list_fields(Arena *arena, Bytes wire, uint32_t number, size_t n, Bytes **ret_list)
{
    Bytes *list = arena_calloc(arena, n, sizeof(Bytes));
    if (list == NULL)
        return error_out_of_memory();
    WireField field;
    for (size_t i = 0; i < n && wire_read(&wire, &field);)
        if (wire_is(&field, number, WIRE_BYTES))
            list[i++] = field.bytes;
    *ret_list = list;
    return NULL;
}

/* ---- Predict --------------------------------------------------------------------------------- */

static bool read_input(Bytes wire, RequestInput *ret_input)
{
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (wire_is(&field, 1, WIRE_BYTES))
            ret_input->name = field.bytes;
        else if (wire_is(&field, 2, WIRE_BYTES))
            ret_input->tensor_proto = field.bytes;
    }
    return true;
}

/* Adds an entry, in the place of one with the same name if there is one. */
static void add_input(PredictRequest *request, RequestInput input)
{
    size_t i = 0;
    while (i < request->n_inputs && !bytes_equal(request->inputs[i].name, input.name))
        i++;
    request->inputs[i] = input;
    if (i == request->n_inputs)
        request->n_inputs++;
}

Error *request_read_predict(Arena *arena, Bytes wire, PredictRequest *ret_request)
{
    static const char name[] = "tensorflow.serving.PredictRequest";
    PredictRequest request = { 0 };
    size_t counts[N_COUNTED];
    if (!read_spec(wire, &request.spec) || !count_fields(wire, counts))
        return no_message(name);
    if (counts[2] > REQUEST_MAX_INPUTS)
        return error_new(ERROR_INVALID_ARGUMENT, "the request has %zu inputs; the limit is %d",
                         counts[2], REQUEST_MAX_INPUTS);
    request.n_filter = counts[3];
    request.inputs = arena_calloc(arena, counts[2], sizeof(RequestInput));
    if (request.inputs == NULL)
        return error_out_of_memory();
    TRY(list_fields(arena, wire, 3, request.n_filter, &request.output_filter));
    WireField field;
    while (wire.size > 0 && wire_read(&wire, &field)) {
        if (!wire_is(&field, 2, WIRE_BYTES))
            continue;
        RequestInput input = { { (const uint8_t *)"", 0 }, { (const uint8_t *)"", 0 } };
        if (!read_input(field.bytes, &input))
            return no_message(name);
        add_input(&request, input);
    }
    *ret_request = request;
    return NULL;
}

/* ---- Classify, Regress -------------------------------------------------------------------------------- */

Error *request_merged_field(Arena *arena, Bytes wire, uint32_t number, Bytes *ret_merged)
{
    Bytes merged = { (const uint8_t *)"", 0 }, rest = wire;
    size_t n = 0, bytes = 0;
    WireField field;
    while (rest.size > 0 && wire_read(&rest, &field)) {
        if (wire_is(&field, number, WIRE_BYTES)) {
            merged = field.bytes;
            bytes += field.bytes.size;
            n++;
        }
    }
    if (n > 1) {
        uint8_t *out = arena_alloc(arena, bytes);
        if (out == NULL)
            return error_out_of_memory();
        merged = (Bytes){ out, bytes };
        for (rest = wire; rest.size > 0 && wire_read(&rest, &field);) {
            if (wire_is(&field, number, WIRE_BYTES) && field.bytes.size > 0) {
                memcpy(out, field.bytes.data, field.bytes.size);
                out += field.bytes.size;
            }
        }
    }
    *ret_merged = merged;
    return NULL;
}

#define EXAMPLE_LIST_WITH_CONTEXT 2

/* Puts `context` before each example. */
static Error *add_context(Arena *arena, Bytes context, Bytes *examples, size_t n)
{
    for (size_t i = 0; i < n && context.size > 0; i++) {
        uint8_t *joined = arena_alloc(arena, context.size + examples[i].size);
        if (joined == NULL)
            return error_out_of_memory();
        memcpy(joined, context.data, context.size);
        if (examples[i].size > 0)
            memcpy(joined + context.size, examples[i].data, examples[i].size);
        examples[i] = (Bytes){ joined, context.size + examples[i].size };
    }
    return NULL;
}

/* The kind of list that an Input holds, 0 for none, and where in `*input` the part begins that
 * counts: a oneof forgets what it held when another kind is set. False when it is no message. */
static bool find_kind(Bytes *input, uint32_t *ret_kind)
{
    Bytes rest = *input;
    WireField field;
    while (rest.size > 0) {
        Bytes here = rest;
        if (!wire_read(&rest, &field))
            return false;
        if (field.type != WIRE_BYTES || field.number > EXAMPLE_LIST_WITH_CONTEXT ||
            field.number == *ret_kind)
            continue;
        *ret_kind = field.number;
        *input = here;
    }
    return true;
}

/* The examples of the Input in field 2 of a message that has been checked. */
static Error *read_examples(Arena *arena, Bytes wire, const char *name, Bytes **ret_examples,
                            size_t *ret_n)
{
    size_t counts[N_COUNTED];
    uint32_t kind = 0;
    Bytes input, list, context;
    TRY(request_merged_field(arena, wire, 2, &input));
    if (!find_kind(&input, &kind))
        return no_message(name);
    TRY(request_merged_field(arena, input, kind, &list));
    if (!count_fields(list, counts))
        return no_message(name);
    TRY(list_fields(arena, list, 1, counts[1], ret_examples));
    *ret_n = counts[1];
    if (kind == EXAMPLE_LIST_WITH_CONTEXT) {
        TRY(request_merged_field(arena, list, 2, &context));
        TRY(add_context(arena, context, *ret_examples, *ret_n));
    }
    return NULL;
}

Error *request_read_examples(Arena *arena, Bytes wire, ExamplesRequest *ret_request)
{
    static const char name[] = "tensorflow.serving.ClassificationRequest or RegressionRequest";
    ExamplesRequest request = { 0 };
    if (!read_spec(wire, &request.spec))
        return no_message(name);
    TRY(read_examples(arena, wire, name, &request.examples, &request.n_examples));
    *ret_request = request;
    return NULL;
}

/* ---- MultiInference -------------------------------------------------------------------------- */

static bool read_task(Bytes wire, InferenceTask *task)
{
    WireField field;
    if (!read_spec(wire, &task->spec))
        return false;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (wire_is(&field, 2, WIRE_BYTES))
            task->method_name = field.bytes;
    }
    return true;
}

Error *request_read_multi_inference(Arena *arena, Bytes wire, MultiInferenceRequest *ret_request)
{
    static const char name[] = "tensorflow.serving.MultiInferenceRequest";
    MultiInferenceRequest request = { 0 };
    size_t counts[N_COUNTED];
    Bytes *tasks;
    if (!count_fields(wire, counts))
        return no_message(name);
    if (counts[1] > REQUEST_MAX_INPUTS)
        return error_new(ERROR_INVALID_ARGUMENT, "the request has %zu tasks; the limit is %d",
                         counts[1], REQUEST_MAX_INPUTS);
    TRY(list_fields(arena, wire, 1, counts[1], &tasks));
    request.tasks = arena_calloc(arena, counts[1], sizeof(InferenceTask));
    if (request.tasks == NULL)
        return error_out_of_memory();
    for (; request.n_tasks < counts[1]; request.n_tasks++)
        if (!read_task(tasks[request.n_tasks], &request.tasks[request.n_tasks]))
            return no_message(name);
    TRY(read_examples(arena, wire, name, &request.examples, &request.n_examples));
    *ret_request = request;
    return NULL;
}

/* ---- the others ------------------------------------------------------------------------------ */

Error *request_read_metadata(Arena *arena, Bytes wire, MetadataRequest *ret_request)
{
    MetadataRequest request = { 0 };
    size_t counts[N_COUNTED];
    if (!read_spec(wire, &request.spec) || !count_fields(wire, counts))
        return no_message("tensorflow.serving.GetModelMetadataRequest");
    request.n_fields = counts[2];
    TRY(list_fields(arena, wire, 2, request.n_fields, &request.fields));
    *ret_request = request;
    return NULL;
}

Error *request_read_status(Bytes wire, ModelSpec *ret_spec)
{
    ModelSpec spec = { 0 };
    if (!read_spec(wire, &spec))
        return no_message("tensorflow.serving.GetModelStatusRequest");
    *ret_spec = spec;
    return NULL;
}

Error *request_read_health(Bytes wire, Bytes *ret_service)
{
    Bytes service = { (const uint8_t *)"", 0 };
    WireField field;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return no_message("grpc.health.v1.HealthCheckRequest");
        if (wire_is(&field, 1, WIRE_BYTES))
            service = field.bytes;
    }
    *ret_service = service;
    return NULL;
}
