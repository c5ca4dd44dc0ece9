/* SPDX-License-Identifier: Apache-2.0
 *
 * Inference of the v2 protocol. Unlike TensorFlow Serving's, it holds the shapes of inputs against
 * the signature: clients of v2 are told them by ModelMetadata, and Triton refuses them too.
 *
 * Order of the checks: the signature; each input's name, datatype and shape; those that are missing;
 * the outputs' datatypes; then signature_run's own.
 */
#include "server/service/kserve_infer.h"

#include "server/service/kserve_tensor.h"
#include "server/service/spec.h"

/* ---- which version --------------------------------------------------------------------------- */

Error *kserve_version(const KserveModel *model, bool *ret_is_latest, int64_t *ret_version)
{
    int64_t version = 0;
    for (size_t i = 0; i < model->version.size; i++) {
        unsigned digit = (unsigned)model->version.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(version, 10, &version) ||
            __builtin_add_overflow(version, digit, &version))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "model %.*s: version '%.*s' is no number of a version",
                             SHOWN(model->name), SHOWN(model->version));
    }
    *ret_is_latest = model->version.size == 0;
    *ret_version = version;
    return NULL;
}

Error *kserve_acquire(const KserveModel *model, Reader *reader, Handle *ret_handle)
{
    bool is_latest;
    int64_t version;
    TRY(kserve_version(model, &is_latest, &version));
    return handle_acquire(reader, model->name, is_latest ? NULL : &version, ret_handle);
}

/* ---- which signature ------------------------------------------------------------------------- */

/* "a, b, c". */
static const char *signature_names(const Model *model, Arena *arena)
{
    size_t n;
    const Signature *signatures = model_signatures(model, &n);
    const char *text = "";
    for (size_t i = 0; i < n && i < 16 && text != NULL; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "", signatures[i].name);
    return text != NULL ? text : "";
}

Error *kserve_find_signature(const Model *model, Bytes name, Arena *arena,
                             const Signature **ret_signature)
{
    size_t n;
    const Signature *signatures = model_signatures(model, &n);
    const Signature *signature = model_find_signature(model, name);
    if (signature == NULL && name.size == 0 && n == 1)
        signature = &signatures[0];
    if (signature == NULL && name.size == 0)
        return error_new(
            ERROR_FAILED_PRECONDITION,
            "no signature is called serving_default: the parameter signature_name must "
            "be one of {%s}",
            signature_names(model, arena));
    if (signature == NULL)
        return error_new(ERROR_FAILED_PRECONDITION,
                         "signature '%.*s' is none of the model's, which are {%s}", SHOWN(name),
                         signature_names(model, arena));
    *ret_signature = signature;
    return NULL;
}

/* ---- the checks ------------------------------------------------------------------------------ */

/* What a client would write for it; TensorFlow's name for what it cannot. */
static const char *shown_datatype(DType dtype)
{
    const char *name = kserve_datatype(dtype);
    return name != NULL ? name : dtype_enum_name(dtype);
}

static Error *check_input(const SignatureTensor *wanted, const Tensor *got)
{
    char wanted_text[SHAPE_TEXT_BYTES], got_text[SHAPE_TEXT_BYTES];
    if (got->dtype == wanted->dtype && shape_allows(&wanted->shape, &got->shape))
        return NULL;
    return error_new(ERROR_INVALID_ARGUMENT, "input %s: expected %s %s, got %s %s", wanted->alias,
                     shown_datatype(wanted->dtype), shape_text(&wanted->shape, wanted_text),
                     shown_datatype(got->dtype), shape_text(&got->shape, got_text));
}

/* is_there[i]: input i of the signature has come; all false at first. */
static Error *check_inputs(const Signature *signature, const KserveRequest *request, bool *is_there)
{
    for (size_t i = 0; i < request->n_inputs; i++) {
        const NamedTensor *input = &request->inputs[i];
        size_t k = 0;
        while (k < signature->n_inputs &&
               !bytes_equal(input->name, bytes_of_text(signature->inputs[k].alias)))
            k++;
        if (k == signature->n_inputs)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "input %.*s: signature %s has none of this name", SHOWN(input->name),
                             signature->name);
        if (is_there[k])
            return error_new(ERROR_INVALID_ARGUMENT, "input %s is there twice",
                             signature->inputs[k].alias);
        is_there[k] = true;
        TRY(check_input(&signature->inputs[k], &input->tensor));
    }
    for (size_t k = 0; k < signature->n_inputs; k++) {
        const SignatureTensor *wanted = &signature->inputs[k];
        char text[SHAPE_TEXT_BYTES];
        if (!is_there[k] && wanted->default_value == NULL)
            return error_new(ERROR_INVALID_ARGUMENT, "input %s: expected %s %s, got none",
                             wanted->alias, shown_datatype(wanted->dtype),
                             shape_text(&wanted->shape, text));
    }
    return NULL;
}

/* A wrong name in the filter is left to signature_run. */
static Error *check_outputs(const Signature *signature, const KserveRequest *request)
{
    for (size_t i = 0; i < signature->n_outputs; i++) {
        const SignatureTensor *output = &signature->outputs[i];
        bool is_wanted = request->n_filter == 0;
        for (size_t k = 0; k < request->n_filter && !is_wanted; k++)
            is_wanted = bytes_equal(request->output_filter[k], bytes_of_text(output->alias));
        if (is_wanted && kserve_datatype(output->dtype) == NULL)
            return error_new(
                ERROR_UNIMPLEMENTED,
                "output %s is a %s, for which the protocol has no datatype: name other "
                "outputs",
                output->alias, dtype_enum_name(output->dtype));
    }
    return NULL;
}

static Error *run(const Model *model, const KserveRequest *request, const RunOptions *options,
                  Scratch *scratch, Arena *arena, NamedTensor **ret_outputs, size_t *ret_n)
{
    const Signature *signature;
    TRY(kserve_find_signature(model, request->signature_name, arena, &signature));
    bool *is_there = arena_calloc(arena, signature->n_inputs, sizeof(bool));
    if (is_there == NULL)
        return error_out_of_memory();
    TRY(check_inputs(signature, request, is_there));
    TRY(check_outputs(signature, request));
    NamedTensor *outputs;
    size_t n;
    TRY(signature_run(model, signature, request->inputs, request->n_inputs, request->output_filter,
                      request->n_filter, options, scratch, arena, &outputs, &n));
    /* The types that a SignatureDef says may be wrong. */
    for (size_t i = 0; i < n; i++)
        if (kserve_datatype(outputs[i].tensor.dtype) == NULL)
            return error_new(ERROR_UNIMPLEMENTED,
                             "output %.*s is a %s, for which the protocol has no datatype",
                             SHOWN(outputs[i].name), dtype_enum_name(outputs[i].tensor.dtype));
    *ret_outputs = outputs;
    *ret_n = n;
    return NULL;
}

Error *kserve_run(const Model *model, const KserveRequest *request, const RunOptions *options,
                  Scratch *scratch, Arena *arena, NamedTensor **ret_outputs, size_t *ret_n)
{
    return error_prefix(run(model, request, options, scratch, arena, ret_outputs, ret_n),
                        "model %.*s", SHOWN(request->model.name));
}
