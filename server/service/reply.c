/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies. For each message a function that gives its size and one that writes it; the nested ones
 * are called for their size again where their head is written, which costs less than keeping it.
 *
 * | PredictResponse          | 1 outputs map: {1 key, 2 TensorProto}; 2 ModelSpec                |
 * | ClassificationResponse   | 1 {1 Classifications {1 Class {1 label, 2 score}}}; 2 ModelSpec   |
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
static Error *begin(Call *call, size_t bytes, uint8_t **ret_out)
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

static size_t output_size(const NamedTensor *output)
{
    return wire_bytes_size(output->name.size) +
           wire_bytes_size(tensor_wire_size(&output->tensor, false));
}

static uint8_t *put_output(uint8_t *out, const NamedTensor *output)
{
    out = wire_put_head(out, 1, output_size(output));
    out = wire_put_bytes(out, 1, output->name);
    out = wire_put_head(out, 2, tensor_wire_size(&output->tensor, false));
    return tensor_to_wire(&output->tensor, false, out);
}

Error *reply_outputs(Call *call, const ModelSpec *spec, int64_t version, const NamedTensor *outputs,
                     size_t n_outputs)
{
    SpecReply answered = { spec->name, version, spec_signature_name(spec) };
    size_t bytes = wire_bytes_size(spec_size(&answered));
    for (size_t i = 0; i < n_outputs; i++)
        bytes += wire_bytes_size(output_size(&outputs[i]));
    uint8_t *begun;
    TRY(begin(call, bytes, &begun));
    uint8_t *out = begun;
    for (size_t i = 0; i < n_outputs; i++)
        out = put_output(out, &outputs[i]);
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

Error *reply_classification(Call *call, const ModelSpec *spec, int64_t version,
                            const Classification *classification)
{
    SpecReply answered = { spec->name, version, spec_signature_name(spec) };
    size_t result_bytes = 0;
    for (int64_t i = 0; i < classification->n; i++)
        result_bytes += wire_bytes_size(row_size(classification, i));
    size_t bytes = wire_bytes_size(result_bytes) + wire_bytes_size(spec_size(&answered));
    uint8_t *begun;
    TRY(begin(call, bytes, &begun));
    uint8_t *out = wire_put_head(begun, 1, result_bytes);
    for (int64_t i = 0; i < classification->n; i++) {
        out = wire_put_head(out, 1, row_size(classification, i));
        for (int64_t j = 0; j < classification->k; j++)
            out = put_class(out, classification, i * classification->k + j);
    }
    out = put_spec(out, 2, &answered);
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
    TRY(begin(call, bytes, &begun));
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
    TRY(begin(call, protobuf_c_message_get_packed_size(message), &out));
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
