/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a signature: names of a request to feeds and outputs of the plan, with TensorFlow
 * Serving's checks, in its order and words
 * (tensorflow_serving/servables/tensorflow/predict_util.cc, tensorflow/cc/saved_model/util.cc).
 * Shapes are not compared with the signature's: there neither.
 */
#include <string.h>

#include "model/base/buf.h"
#include "model/model.h"
#include "model/plan/run.h"

#define TEXT_MAX_BYTES ((size_t)64 << 10) /* of lists of names in an error */

typedef struct Call {
    const Signature *signature;
    const NamedTensor *inputs;
    size_t n_inputs;
    Arena *arena;
} Call;

/* ---- texts of errors ----------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const Bytes *x = a, *y = b;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = n > 0 ? memcmp(x->data, y->data, n) : 0;
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static Error *request_names(const Call *call, Bytes **ret)
{
    Bytes *names = arena_calloc(call->arena, call->n_inputs, sizeof *names);
    if (names == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < call->n_inputs; i++)
        names[i] = call->inputs[i].name;
    if (call->n_inputs > 0)
        qsort(names, call->n_inputs, sizeof *names, compare_names);
    *ret = names;
    return NULL;
}

static Error *alias_names(const Call *call, size_t n, const SignatureTensor *tensors, Bytes **ret)
{
    *ret = arena_calloc(call->arena, n, sizeof **ret);
    if (*ret == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        (*ret)[i] = bytes_of_text(tensors[i].alias);
    return NULL;
}

/* "a,b" of names[0..n), without those in others[0..n_others). In the arena. */
static Error *join(const Call *call, size_t n, const Bytes *names, size_t n_others,
                   const Bytes *others, const char **ret_text)
{
    Buf buf;
    Error *error = NULL;
    buf_init(&buf, TEXT_MAX_BYTES);
    for (size_t i = 0; i < n && error == NULL; i++) {
        bool is_other = false;
        for (size_t k = 0; k < n_others && !is_other; k++)
            is_other = bytes_equal(names[i], others[k]);
        if (is_other)
            continue;
        if (buf.size > 0)
            error = buf_append_text(&buf, ",");
        if (error == NULL)
            error = buf_append(&buf, names[i].data, names[i].size);
    }
    if (error == NULL) {
        *ret_text =
            arena_strndup(call->arena, buf.data != NULL ? (const char *)buf.data : "", buf.size);
        if (*ret_text == NULL)
            error = error_out_of_memory();
    }
    buf_done(&buf);
    return error;
}

static Error *wrong_count(const Call *call)
{
    size_t n = call->n_inputs, n_wanted = call->signature->n_inputs;
    Bytes *sent, *wanted;
    const char *sent_text, *wanted_text, *extra, *missing;
    TRY(request_names(call, &sent));
    TRY(alias_names(call, n_wanted, call->signature->inputs, &wanted));
    TRY(join(call, n, sent, 0, NULL, &sent_text));
    TRY(join(call, n_wanted, wanted, 0, NULL, &wanted_text));
    TRY(join(call, n, sent, n_wanted, wanted, &extra));
    TRY(join(call, n_wanted, wanted, n, sent, &missing));
    return error_new(ERROR_INVALID_ARGUMENT,
                     "input size does not match signature: %zu!=%zu len({%s}) != len({%s}). "
                     "Sent extra: {%s}. Missing but required: {%s}.",
                     n, n_wanted, sent_text, wanted_text, extra, missing);
}

static Error *missing_input(const Call *call, const SignatureTensor *input)
{
    const Signature *signature = call->signature;
    Bytes *wanted, *with_default;
    const char *wanted_text, *default_text;
    size_t n_defaults = 0;
    TRY(alias_names(call, signature->n_inputs, signature->inputs, &wanted));
    TRY(alias_names(call, signature->n_inputs, signature->inputs, &with_default));
    for (size_t i = 0; i < signature->n_inputs; i++)
        if (signature->inputs[i].default_value != NULL)
            with_default[n_defaults++] = bytes_of_text(signature->inputs[i].alias);
    TRY(join(call, signature->n_inputs, wanted, 0, NULL, &wanted_text));
    TRY(join(call, n_defaults, with_default, 0, NULL, &default_text));
    return error_new(ERROR_INVALID_ARGUMENT,
                     "Signature input alias: %s(feed name: %s) not found in request and no default "
                     "value provided. Inputs expected to be in the request {%s}, or default input "
                     "alias set: %s",
                     input->alias, input->tensor_name, wanted_text, default_text);
}

static Error *extra_input(const Call *call)
{
    const Signature *signature = call->signature;
    Bytes *sent, *wanted, *used;
    const char *sent_text, *used_text;
    size_t n_used = 0;
    TRY(request_names(call, &sent));
    TRY(request_names(call, &used));
    TRY(alias_names(call, signature->n_inputs, signature->inputs, &wanted));
    for (size_t i = 0; i < call->n_inputs; i++)
        for (size_t k = 0; k < signature->n_inputs; k++)
            if (bytes_equal(sent[i], wanted[k]))
                used[n_used++] = sent[i];
    TRY(join(call, n_used, used, 0, NULL, &used_text));
    TRY(join(call, call->n_inputs, sent, 0, NULL, &sent_text));
    return error_new(ERROR_INVALID_ARGUMENT,
                     "Inputs contains invalid name. Used request inputs: %s, request input: %s",
                     used_text, sent_text);
}

static Error *unknown_output(const Call *call, Bytes name)
{
    const Signature *signature = call->signature;
    Bytes *names;
    const char *text;
    TRY(alias_names(call, signature->n_outputs, signature->outputs, &names));
    TRY(join(call, signature->n_outputs, names, 0, NULL, &text));
    return error_new(ERROR_INVALID_ARGUMENT,
                     "output tensor alias not found in signature: %.*s Outputs expected to be in "
                     "the set {%s}.",
                     (int)name.size, (const char *)name.data, text);
}

/* ---- binding ------------------------------------------------------------------------------- */

static bool is_named(Bytes name, const char *text)
{
    size_t n = strlen(text);
    return name.size == n && memcmp(name.data, text, n) == 0;
}

static bool has_defaults(const Signature *signature)
{
    for (size_t i = 0; i < signature->n_inputs; i++)
        if (signature->inputs[i].default_value != NULL)
            return true;
    return false;
}

static Error *check_count(const Call *call)
{
    size_t n = call->n_inputs, n_wanted = call->signature->n_inputs;
    if (n > n_wanted || (n < n_wanted && !has_defaults(call->signature)))
        return wrong_count(call);
    return NULL;
}

/* Puts the request's inputs, or defaults, at the places of the signature's. */
static Error *bind_inputs(const Call *call, Tensor *feeds)
{
    const Signature *signature = call->signature;
    size_t n_found = 0;
    TRY(check_count(call));
    for (size_t i = 0; i < signature->n_inputs; i++) {
        const SignatureTensor *input = &signature->inputs[i];
        size_t k = 0;
        while (k < call->n_inputs && !is_named(call->inputs[k].name, input->alias))
            k++;
        if (k == call->n_inputs && input->default_value == NULL)
            return missing_input(call, input);
        feeds[i] = k < call->n_inputs ? call->inputs[k].tensor : *input->default_value;
        n_found += k < call->n_inputs;
    }
    return n_found == call->n_inputs ? NULL : extra_input(call);
}

/* is_wanted[i]: output i is to be returned. */
static Error *bind_outputs(const Call *call, const Bytes *filter, size_t n_filter, bool *is_wanted)
{
    const Signature *signature = call->signature;
    for (size_t i = 0; i < signature->n_outputs; i++)
        is_wanted[i] = n_filter == 0;
    for (size_t i = 0; i < n_filter; i++) {
        size_t k = 0;
        while (k < signature->n_outputs && !is_named(filter[i], signature->outputs[k].alias))
            k++;
        if (k == signature->n_outputs)
            return unknown_output(call, filter[i]);
        if (is_wanted[k])
            return error_new(ERROR_INVALID_ARGUMENT, "duplicate output tensor alias: %s",
                             signature->outputs[k].alias);
        is_wanted[k] = true;
    }
    return NULL;
}

/* TensorFlow numbers what is fed by the names of the tensors, sorted. */
static size_t feed_number(const Signature *signature, size_t i)
{
    size_t number = 0;
    for (size_t k = 0; k < signature->n_inputs; k++)
        number += strcmp(signature->inputs[k].tensor_name, signature->inputs[i].tensor_name) < 0;
    return number;
}

/* The types are those of the graph, which the SignatureDef may have wrong. */
static Error *check_dtypes(const Signature *signature, const Tensor *feeds)
{
    const Plan *plan = signature->plan;
    for (size_t i = 0; i < signature->n_inputs; i++)
        if (feeds[i].dtype != plan->feed_dtypes[i])
            return error_new(ERROR_INVALID_ARGUMENT, "Expects arg[%zu] to be %s but %s is provided",
                             feed_number(signature, i), dtype_name(plan->feed_dtypes[i]),
                             dtype_name(feeds[i].dtype));
    return NULL;
}

Error *signature_check_count(const Signature *signature, const NamedTensor *inputs, size_t n_inputs,
                             Arena *arena)
{
    const Call call = { signature, inputs, n_inputs, arena };
    return check_count(&call);
}

/* Gives feeds[0..n_inputs) and is_wanted[0..n_outputs) of the signature, in the call's arena. */
static Error *bind(const Call *call, const Bytes *filter, size_t n_filter, Tensor **ret_feeds,
                   bool **ret_is_wanted)
{
    const Signature *signature = call->signature;
    Tensor *feeds = arena_calloc(call->arena, signature->n_inputs, sizeof *feeds);
    bool *is_wanted = arena_calloc(call->arena, signature->n_outputs, sizeof *is_wanted);
    if (feeds == NULL || is_wanted == NULL)
        return error_out_of_memory();
    TRY(bind_inputs(call, feeds));
    TRY(bind_outputs(call, filter, n_filter, is_wanted));
    TRY(check_dtypes(signature, feeds));
    *ret_feeds = feeds;
    *ret_is_wanted = is_wanted;
    return NULL;
}

Error *signature_check(const Signature *signature, const NamedTensor *inputs, size_t n_inputs,
                       const Bytes *output_filter, size_t n_filter, Arena *arena)
{
    const Call call = { signature, inputs, n_inputs, arena };
    Tensor *feeds;
    bool *is_wanted;
    return bind(&call, output_filter, n_filter, &feeds, &is_wanted);
}

Error *signature_run(_unused_ const Model *model, const Signature *signature,
                     const NamedTensor *inputs, size_t n_inputs, const Bytes *output_filter,
                     size_t n_filter, const RunOptions *options, Scratch *scratch, Arena *arena,
                     NamedTensor **ret_outputs, size_t *ret_n)
{
    const Call call = { signature, inputs, n_inputs, arena };
    size_t n_outputs = signature->n_outputs;
    Tensor *feeds;
    bool *is_wanted;
    TRY(bind(&call, output_filter, n_filter, &feeds, &is_wanted));
    Tensor *outputs = arena_calloc(arena, n_outputs, sizeof *outputs);
    NamedTensor *named = arena_calloc(arena, n_outputs, sizeof *named);
    if (outputs == NULL || named == NULL)
        return error_out_of_memory();
    const PlanRun run = { .plan = signature->plan,
                          .feeds = feeds,
                          .deadline_ns = options != NULL ? options->deadline_ns : 0,
                          .cancel = options != NULL ? options->cancel : NULL,
                          .scratch = scratch,
                          .arena = arena };
    TRY(plan_run(&run, outputs));
    size_t n = 0;
    for (size_t i = 0; i < n_outputs; i++)
        if (is_wanted[i])
            named[n++] = (NamedTensor){ bytes_of_text(signature->outputs[i].alias), outputs[i] };
    *ret_outputs = named;
    *ret_n = n;
    return NULL;
}
