/* SPDX-License-Identifier: Apache-2.0
 *
 * Digits: the Predict call, and, when it fails because of the signature, a GetModelMetadata call to
 * tell the user what there is.
 */
#include "client/digits.h"

#include <inttypes.h>
#include <string.h>

#include "client/image.h"
#include "model/base/message.h"
#include "model/tensor/tensor_proto.h"
#include "tensorflow_serving/apis/get_model_metadata.pb-c.h"
#include "tensorflow_serving/apis/predict.pb-c.h"

#define REQUEST_MAX_BYTES INT32_MAX

/* protobuf-c's structs have no const; it does not write to what it packs. */
#define TEXT(text) ((char *)(uintptr_t)(text))

static Error *pack(const ProtobufCMessage *message, Arena *arena, Bytes *ret_bytes)
{
    Buf buf;
    buf_init(&buf, REQUEST_MAX_BYTES);
    Error *error = message_pack(message, &buf);
    uint8_t *data = error == NULL ? arena_memdup(arena, buf.data, buf.size) : NULL;
    if (error == NULL && data == NULL)
        error = error_out_of_memory();
    if (error == NULL)
        *ret_bytes = (Bytes){ data, buf.size };
    buf_done(&buf);
    return error;
}

static Error *pack_request(const Question *question, const float *pixels, size_t n, Arena *arena,
                           Bytes *ret_request)
{
    Tensorflow__TensorShapeProto__Dim dims[4], *dim_list[4];
    static const int sides[4] = { 0, IMAGE_SIDE, IMAGE_SIDE, 1 };
    for (int i = 0; i < 4; i++) {
        dims[i] = (Tensorflow__TensorShapeProto__Dim)TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT;
        dims[i].size = i == 0 ? (int64_t)n : sides[i];
        dim_list[i] = &dims[i];
    }
    Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
    shape.n_dim = ARRAY_SIZE(dim_list);
    shape.dim = dim_list;
    Tensorflow__TensorProto tensor = TENSORFLOW__TENSOR_PROTO__INIT;
    tensor.dtype = TENSORFLOW__DATA_TYPE__DT_FLOAT;
    tensor.tensor_shape = &shape;
    tensor.n_float_val = n * IMAGE_PIXELS;
    tensor.float_val = (float *)(uintptr_t)pixels;

    Tensorflow__Serving__PredictRequest__InputsEntry input =
        TENSORFLOW__SERVING__PREDICT_REQUEST__INPUTS_ENTRY__INIT;
    input.key = TEXT("image");
    input.value = &tensor;
    Tensorflow__Serving__PredictRequest__InputsEntry *inputs[] = { &input };
    Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
    spec.name = TEXT(question->model);
    spec.signature_name = TEXT(question->signature);
    Tensorflow__Serving__PredictRequest request = TENSORFLOW__SERVING__PREDICT_REQUEST__INIT;
    request.model_spec = &spec;
    request.n_inputs = 1;
    request.inputs = inputs;
    return pack(&request.base, arena, ret_request);
}

/* ---- the reply ---- */

/* The output `name` as a tensor; one with data NULL when there is none. */
static Error *find_output(const Tensorflow__Serving__PredictResponse *response, const char *name,
                          Arena *arena, Tensor *ret_tensor)
{
    *ret_tensor = (Tensor){ 0 };
    for (size_t i = 0; i < response->n_outputs; i++) {
        const Tensorflow__Serving__PredictResponse__OutputsEntry *entry = response->outputs[i];
        if (entry->value != NULL && strcmp(entry->key, name) == 0)
            return error_prefix(tensor_from_proto(arena, entry->value, ret_tensor),
                                "the reply's output \"%s\"", name);
    }
    return NULL;
}

static bool are_classes(const Tensor *tensor, size_t n)
{
    return tensor->data != NULL && (size_t)tensor->n == n &&
           (tensor->dtype == DT_INT64 || tensor->dtype == DT_INT32);
}

static bool are_probabilities(const Tensor *tensor, size_t n)
{
    return tensor->data != NULL && tensor->dtype == DT_FLOAT && tensor->n > 0 &&
           (size_t)tensor->n % n == 0;
}

static int64_t most_probable(const float *probabilities, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    return (int64_t)best;
}

Error *digits_read(Bytes reply, size_t n, Arena *arena, Digits *ret_digits)
{
    ProtobufCMessage *message;
    TRY(message_unpack(arena, &tensorflow__serving__predict_response__descriptor,
                       "the server's reply", reply.data, reply.size, &message));
    const Tensorflow__Serving__PredictResponse *response =
        (const Tensorflow__Serving__PredictResponse *)message;
    Tensor classes, probabilities;
    TRY(find_output(response, "classes", arena, &classes));
    TRY(find_output(response, "probabilities", arena, &probabilities));
    bool has_classes = are_classes(&classes, n);
    bool has_probabilities = are_probabilities(&probabilities, n);
    if (!has_classes && !has_probabilities)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "the reply has neither \"classes\" (int64) nor \"probabilities\" (float) of "
            "%zu pictures",
            n);

    int64_t *digits = arena_calloc(arena, n, sizeof(*digits));
    if (digits == NULL)
        return error_out_of_memory();
    Digits result = { .n = n, .digits = digits };
    if (has_probabilities) {
        result.n_classes = (size_t)probabilities.n / n;
        result.probabilities = probabilities.data;
    }
    for (size_t i = 0; i < n; i++)
        digits[i] = has_classes ? tensor_index_at(&classes, (int64_t)i)
                                : most_probable(result.probabilities + i * result.n_classes,
                                                result.n_classes);
    *ret_digits = result;
    return NULL;
}

/* ---- what the model has, for error texts ---- */

static Error *fetch_signatures(Channel *channel, const Question *question, Arena *arena,
                               Tensorflow__Serving__SignatureDefMap **ret_map)
{
    Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
    spec.name = TEXT(question->model);
    char *fields[] = { TEXT("signature_def") };
    Tensorflow__Serving__GetModelMetadataRequest request =
        TENSORFLOW__SERVING__GET_MODEL_METADATA_REQUEST__INIT;
    request.model_spec = &spec;
    request.n_metadata_field = 1;
    request.metadata_field = fields;
    Bytes bytes, reply;
    TRY(pack(&request.base, arena, &bytes));
    TRY(channel_call(channel, "/tensorflow.serving.PredictionService/GetModelMetadata", bytes,
                     question->timeout_seconds, arena, &reply));
    ProtobufCMessage *message;
    TRY(message_unpack(arena, &tensorflow__serving__get_model_metadata_response__descriptor,
                       "metadata", reply.data, reply.size, &message));
    const Tensorflow__Serving__GetModelMetadataResponse *response =
        (const Tensorflow__Serving__GetModelMetadataResponse *)message;
    if (response->n_metadata != 1 || response->metadata[0]->value == NULL)
        return error_new(ERROR_INTERNAL, "metadata: no signature_def");
    ProtobufCBinaryData map = response->metadata[0]->value->value;
    TRY(message_unpack(arena, &tensorflow__serving__signature_def_map__descriptor, "metadata",
                       map.data, map.len, &message));
    *ret_map = (Tensorflow__Serving__SignatureDefMap *)message;
    return NULL;
}

static Error *describe_tensor(Buf *buf, size_t i, const char *name,
                              const Tensorflow__TensorInfo *info)
{
    Shape shape = { .rank = SHAPE_UNKNOWN_RANK };
    char text[SHAPE_TEXT_BYTES];
    if (info != NULL)
        TRY(shape_from_proto(info->tensor_shape, &shape));
    DType dtype = info != NULL ? dtype_of_number((int)info->dtype) : DT_INVALID;
    return buf_printf(buf, "%s%s (%s %s)", i > 0 ? ", " : "", name, dtype_name(dtype),
                      shape_text(&shape, text));
}

/* "takes image (float [?,28,28,1]) and gives classes (int64 [?])". */
static Error *describe_signature(Buf *buf, const Tensorflow__SignatureDef *signature)
{
    TRY(buf_append_text(buf, "takes "));
    for (size_t i = 0; i < signature->n_inputs; i++)
        TRY(describe_tensor(buf, i, signature->inputs[i]->key, signature->inputs[i]->value));
    TRY(buf_append_text(buf, " and gives "));
    for (size_t i = 0; i < signature->n_outputs; i++)
        TRY(describe_tensor(buf, i, signature->outputs[i]->key, signature->outputs[i]->value));
    return NULL;
}

static Error *describe_model(Buf *buf, const Question *question,
                             const Tensorflow__Serving__SignatureDefMap *map)
{
    for (size_t i = 0; i < map->n_signature_def; i++)
        if (map->signature_def[i]->value != NULL &&
            strcmp(map->signature_def[i]->key, question->signature) == 0) {
            TRY(buf_printf(buf, "signature \"%s\" ", question->signature));
            return describe_signature(buf, map->signature_def[i]->value);
        }
    TRY(buf_append_text(buf, "the model's signatures are "));
    for (size_t i = 0; i < map->n_signature_def; i++)
        TRY(buf_printf(buf, "%s%s", i > 0 ? ", " : "", map->signature_def[i]->key));
    return NULL;
}

/* Takes `error` and returns it with what the model has, if the server tells. */
static Error *explain(Channel *channel, const Question *question, Arena *arena, Error *error)
{
    if (error->code != ERROR_INVALID_ARGUMENT && error->code != ERROR_FAILED_PRECONDITION)
        return error;
    Tensorflow__Serving__SignatureDefMap *map;
    Buf buf;
    buf_init(&buf, 16 << 10);
    Error *failure = fetch_signatures(channel, question, arena, &map);
    if (failure == NULL)
        failure = describe_model(&buf, question, map);
    const char *text = buf_text(&buf);
    if (failure == NULL && text != NULL)
        error = error_suffix(error, "; %s", text);
    error_free(failure); /* the first error says enough */
    buf_done(&buf);
    return error;
}

Error *digits_ask(Channel *channel, const Question *question, const float *pixels, size_t n,
                  Arena *arena, Digits *ret_digits)
{
    Bytes request, reply;
    TRY(pack_request(question, pixels, n, arena, &request));
    Error *error = channel_call(channel, "/tensorflow.serving.PredictionService/Predict", request,
                                question->timeout_seconds, arena, &reply);
    if (error == NULL)
        error = digits_read(reply, n, arena, ret_digits);
    if (error == NULL || error->code == ERROR_UNAVAILABLE || error->code == ERROR_DEADLINE_EXCEEDED)
        return error;
    return error_prefix(explain(channel, question, arena, error), "model \"%s\"", question->model);
}
