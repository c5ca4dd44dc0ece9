/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies. For each message a function that gives its size and one that writes it; the nested ones
 * are called for their size again where their head is written, which costs less than keeping it.
 *
 * | PredictResponse          | 1 outputs map: {1 key, 2 TensorProto}; 2 ModelSpec                |
 * | ClassificationResponse   | 1 {1 Classifications {1 Class {1 label, 2 score}}}; 2 ModelSpec   |
 * | RegressionResponse       | 1 {1 Regression {1 value}}; 2 ModelSpec                           |
 * | MultiInferenceResponse   | 1 {1 ModelSpec; 2 ClassificationResult or 3 RegressionResult}     |
 * | GetModelMetadataResponse | 1 ModelSpec; 2 metadata map: {1 key, 2 Any {1 url, 2 value}}      |
 * | ModelSpec                | 1 name; 2 Int64Value {1 value}; 3 signature_name                  |
 */
#include "server/service/reply.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "model/tensor/tensor_proto.h"
#include "server/service/wire.h"

#define ERROR_TEXT_BYTES 1024
#define TRUNCATED "...TRUNCATED"

/* protobuf refuses messages over 2 GiB, and so would every client. */
Error *reply_begin(Call *call, size_t bytes, uint8_t **ret_out)
{
    if (bytes > INT_MAX)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "the reply would have %zu bytes; a message may have %d", bytes, INT_MAX);
    uint8_t *out = call_reply_begin(call, bytes);
    if (out == NULL)
        return error_out_of_memory();
    *ret_out = out;
    return NULL;
}

/* ---- ModelSpec ------------------------------------------------------------------------------- */

/* What is said about the version that answered. */
typedef struct SpecReply {
    Bytes name;
    int64_t version;
    Bytes signature_name; /* "" is left out */
} SpecReply;

static size_t version_size(int64_t version)
{
    return version != 0 ? wire_varint_size((uint64_t)version) : 0;
}

static size_t spec_size(const SpecReply *spec)
{
    return wire_bytes_size(spec->name.size) + wire_bytes_size(version_size(spec->version)) +
           (spec->signature_name.size > 0 ? wire_bytes_size(spec->signature_name.size) : 0);
}

static uint8_t *put_spec(uint8_t *out, unsigned number, const SpecReply *spec)
{
    out = wire_put_head(out, number, spec_size(spec));
    out = wire_put_bytes(out, 1, spec->name);
    out = wire_put_head(out, 2, version_size(spec->version));
    if (spec->version != 0)
        out = wire_put_varint(out, 1, (uint64_t)spec->version);
    if (spec->signature_name.size > 0)
        out = wire_put_bytes(out, 3, spec->signature_name);
    return out;
}

/* ---- Predict --------------------------------------------------------------------------------- */

static size_t output_size(const NamedTensor *output, bool as_content)
{
    return wire_bytes_size(output->name.size) +
           wire_bytes_size(tensor_wire_size(&output->tensor, as_content));
}

static uint8_t *put_output(uint8_t *out, const NamedTensor *output, bool as_content)
{
    out = wire_put_head(out, 1, output_size(output, as_content));
    out = wire_put_bytes(out, 1, output->name);
    out = wire_put_head(out, 2, tensor_wire_size(&output->tensor, as_content));
    return tensor_to_wire(&output->tensor, as_content, out);
}

Error *reply_outputs(Call *call, const ModelSpec *spec, int64_t version, const NamedTensor *outputs,
                     size_t n_outputs, bool as_content)
{
    SpecReply answered = { spec->name, version, spec_signature_name(spec) };
    size_t bytes = wire_bytes_size(spec_size(&answered));
    for (size_t i = 0; i < n_outputs; i++)
        bytes += wire_bytes_size(output_size(&outputs[i], as_content));
    uint8_t *begun;
    TRY(reply_begin(call, bytes, &begun));
    uint8_t *out = begun;
    for (size_t i = 0; i < n_outputs; i++)
        out = put_output(out, &outputs[i], as_content);
    out = put_spec(out, 2, &answered);
    assert(out == begun + bytes);
    call_reply_send(call);
    return NULL;
}

/* ---- Classify -------------------------------------------------------------------------------- */

/* Class number `at` of row-major [n,k]. As protobuf does, what has its default value is left out:
 * a score of which all bits are zero. */
static size_t class_size(const Classification *c, int64_t at, bool *ret_has_label,
                         bool *ret_has_score)
{
    static const float zero = 0;
    *ret_has_label = c->classes != NULL && c->classes[at].size > 0;
    *ret_has_score = c->scores != NULL && memcmp(&c->scores[at], &zero, sizeof(zero)) != 0;
    return (*ret_has_label ? wire_bytes_size(c->classes[at].size) : 0) +
           (*ret_has_score ? WIRE_FIXED32_SIZE : 0);
}

static uint8_t *put_class(uint8_t *out, const Classification *c, int64_t at)
{
    bool has_label, has_score;
    out = wire_put_head(out, 1, class_size(c, at, &has_label, &has_score));
    if (has_label)
        out = wire_put_bytes(out, 1, c->classes[at]);
    if (has_score)
        out = wire_put_float(out, 2, c->scores[at]);
    return out;
}

/* The Classifications of one example. */
static size_t row_size(const Classification *c, int64_t row)
{
    size_t bytes = 0;
    bool has_label, has_score;
    for (int64_t j = 0; j < c->k; j++)
        bytes += wire_bytes_size(class_size(c, row * c->k + j, &has_label, &has_score));
    return bytes;
}

static size_t classification_size(const Classification *c)
{
    size_t bytes = 0;
    for (int64_t i = 0; i < c->n; i++)
        bytes += wire_bytes_size(row_size(c, i));
    return bytes;
}

static uint8_t *put_classification(uint8_t *out, unsigned number, const Classification *c)
{
    out = wire_put_head(out, number, classification_size(c));
    for (int64_t i = 0; i < c->n; i++) {
        out = wire_put_head(out, 1, row_size(c, i));
        for (int64_t j = 0; j < c->k; j++)
            out = put_class(out, c, i * c->k + j);
    }
    return out;
}

/* ---- Regress --------------------------------------------------------------------------------- */

static size_t value_size(float value)
{
    static const float zero = 0;
    return memcmp(&value, &zero, sizeof(zero)) != 0 ? WIRE_FIXED32_SIZE : 0;
}

static size_t regression_size(const Regression *r)
{
    size_t bytes = 0;
    for (int64_t i = 0; i < r->n; i++)
        bytes += wire_bytes_size(value_size(r->values[i]));
    return bytes;
}

static uint8_t *put_regression(uint8_t *out, unsigned number, const Regression *r)
{
    out = wire_put_head(out, number, regression_size(r));
    for (int64_t i = 0; i < r->n; i++) {
        out = wire_put_head(out, 1, value_size(r->values[i]));
        if (value_size(r->values[i]) > 0)
            out = wire_put_float(out, 1, r->values[i]);
    }
    return out;
}

/* ---- one head's result, or several ------------------------------------------------------------ */

static size_t result_size(const Inference *inference)
{
    return inference->is_regression ? regression_size(&inference->regression)
                                    : classification_size(&inference->classification);
}

static uint8_t *put_result(uint8_t *out, unsigned number, const Inference *inference)
{
    return inference->is_regression ? put_regression(out, number, &inference->regression)
                                    : put_classification(out, number, &inference->classification);
}

static SpecReply answered_by(const Inference *inference)
{
    return (SpecReply){ inference->spec->name, inference->version,
                        spec_signature_name(inference->spec) };
}

Error *reply_inference(Call *call, const Inference *inference)
{
    SpecReply answered = answered_by(inference);
    size_t bytes = wire_bytes_size(result_size(inference)) + wire_bytes_size(spec_size(&answered));
    uint8_t *begun;
    TRY(reply_begin(call, bytes, &begun));
    uint8_t *out = put_result(begun, 1, inference);
    out = put_spec(out, 2, &answered);
    assert(out == begun + bytes);
    call_reply_send(call);
    return NULL;
}

static size_t inference_size(const Inference *inference)
{
    SpecReply answered = answered_by(inference);
    return wire_bytes_size(spec_size(&answered)) + wire_bytes_size(result_size(inference));
}

Error *reply_inferences(Call *call, const Inference *inferences, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += wire_bytes_size(inference_size(&inferences[i]));
    uint8_t *begun;
    TRY(reply_begin(call, bytes, &begun));
    uint8_t *out = begun;
    for (size_t i = 0; i < n; i++) {
        SpecReply answered = answered_by(&inferences[i]);
        out = wire_put_head(out, 1, inference_size(&inferences[i]));
        out = put_spec(out, 1, &answered);
        out = put_result(out, inferences[i].is_regression ? 3 : 2, &inferences[i]);
    }
    assert(out == begun + bytes);
    call_reply_send(call);
    return NULL;
}

/* ---- GetModelMetadata ------------------------------------------------------------------------ */

Error *reply_signatures(Call *call, const ModelSpec *spec, int64_t version, Bytes signatures)
{
    Bytes key = bytes_of_text("signature_def");
    Bytes url = bytes_of_text("type.googleapis.com/tensorflow.serving.SignatureDefMap");
    SpecReply answered = { .name = spec->name, .version = version };
    size_t any_bytes = wire_bytes_size(url.size) + wire_bytes_size(signatures.size);
    size_t entry_bytes = wire_bytes_size(key.size) + wire_bytes_size(any_bytes);
    size_t bytes = wire_bytes_size(spec_size(&answered)) + wire_bytes_size(entry_bytes);
    uint8_t *begun;
    TRY(reply_begin(call, bytes, &begun));
    uint8_t *out = put_spec(begun, 1, &answered);
    out = wire_put_head(out, 2, entry_bytes);
    out = wire_put_bytes(out, 1, key);
    out = wire_put_head(out, 2, any_bytes);
    out = wire_put_bytes(out, 1, url);
    out = wire_put_bytes(out, 2, signatures);
    assert(out == begun + bytes);
    call_reply_send(call);
    return NULL;
}

/* ---- any ------------------------------------------------------------------------------------- */

Error *reply_message(Call *call, const ProtobufCMessage *message)
{
    uint8_t *out;
    TRY(reply_begin(call, protobuf_c_message_get_packed_size(message), &out));
    protobuf_c_message_pack(message, out);
    call_reply_send(call);
    return NULL;
}

void reply_error(Call *call, Error *error)
{
    if (error == NULL)
        return;
    if (strlen(error->text) > ERROR_TEXT_BYTES) {
        Error *cut = error_new(error->code, "%.*s" TRUNCATED, ERROR_TEXT_BYTES, error->text);
        error_free(error);
        error = cut;
    }
    call_reply_error(call, error);
}
