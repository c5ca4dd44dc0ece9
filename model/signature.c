/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures as they are loaded. What runs them is signature_run.c.
 */
#include "model/signature.h"

#include <string.h>

#include "model/base/message_text.h"
#include "model/tensor/tensor_proto.h"

#define LOADER_PREFIX "__saved_model_"
#define MAX_SIGNATURES 4096 /* each is compiled: a limit for bundles made to be slow */
#define TEXT_MAX_BYTES ((size_t)64 << 20)

static int compare_tensors(const void *a, const void *b)
{
    return strcmp(((const SignatureTensor *)a)->alias, ((const SignatureTensor *)b)->alias);
}

static int compare_signatures(const void *a, const void *b)
{
    return strcmp(((const Signature *)a)->name, ((const Signature *)b)->name);
}

/* ---- tensors ------------------------------------------------------------------------------- */

static Error *read_tensor(Arena *arena, const char *alias, const Tensorflow__TensorInfo *info,
                          SignatureTensor *ret)
{
    if (info == NULL || info->encoding_case != TENSORFLOW__TENSOR_INFO__ENCODING_NAME)
        return error_new(ERROR_INVALID_ARGUMENT, "'%s' is not one dense tensor", alias);
    ret->alias = arena_strdup(arena, alias);
    ret->tensor_name = arena_strdup(arena, info->name);
    if (ret->alias == NULL || ret->tensor_name == NULL)
        return error_out_of_memory();
    ret->dtype = dtype_of_number((int)info->dtype);
    return error_prefix(shape_from_proto(info->tensor_shape, &ret->shape), "'%s'", alias);
}

static Error *read_inputs(Arena *arena, const Tensorflow__SignatureDef *def, Signature *signature)
{
    SignatureTensor *tensors = arena_calloc(arena, def->n_inputs, sizeof *tensors);
    if (tensors == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < def->n_inputs; i++)
        TRY(read_tensor(arena, def->inputs[i]->key, def->inputs[i]->value, &tensors[i]));
    if (def->n_inputs > 0)
        qsort(tensors, def->n_inputs, sizeof *tensors, compare_tensors);
    signature->inputs = tensors;
    signature->n_inputs = def->n_inputs;
    for (size_t i = 0; i < def->n_defaults; i++) {
        const Tensorflow__SignatureDef__DefaultsEntry *entry = def->defaults[i];
        for (size_t k = 0; k < signature->n_inputs; k++) {
            if (strcmp(tensors[k].alias, entry->key) != 0 || entry->value == NULL)
                continue;
            Tensor borrowed;
            Tensor *value = arena_calloc(arena, 1, sizeof *value);
            if (value == NULL)
                return error_out_of_memory();
            TRY(error_prefix(tensor_from_proto(arena, entry->value, &borrowed),
                             "the default of '%s'", entry->key));
            TRY(tensor_copy(arena, &borrowed, value));
            tensors[k].default_value = value;
        }
    }
    return NULL;
}

static Error *read_outputs(Arena *arena, const Tensorflow__SignatureDef *def, Signature *signature)
{
    SignatureTensor *tensors = arena_calloc(arena, def->n_outputs, sizeof *tensors);
    if (tensors == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < def->n_outputs; i++)
        TRY(read_tensor(arena, def->outputs[i]->key, def->outputs[i]->value, &tensors[i]));
    if (def->n_outputs > 0)
        qsort(tensors, def->n_outputs, sizeof *tensors, compare_tensors);
    signature->outputs = tensors;
    signature->n_outputs = def->n_outputs;
    return NULL;
}

/* ---- signatures ---------------------------------------------------------------------------- */

static Error *read_text(Arena *arena, const Tensorflow__SignatureDef *def, const char **ret_text)
{
    Buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    Error *error = message_to_text(&def->base, &buf);
    if (error == NULL) {
        *ret_text = arena_strndup(arena, (const char *)buf.data, buf.size);
        if (*ret_text == NULL)
            error = error_out_of_memory();
    }
    buf_done(&buf);
    return error;
}

static Error *read_signature(Arena *arena, const char *name, const Tensorflow__SignatureDef *def,
                             Signature *signature)
{
    signature->name = arena_strdup(arena, name);
    signature->method_name = arena_strdup(arena, def->method_name);
    if (signature->name == NULL || signature->method_name == NULL)
        return error_out_of_memory();
    TRY(read_inputs(arena, def, signature));
    TRY(read_outputs(arena, def, signature));
    return read_text(arena, def, &signature->text);
}

Error *signatures_read(Arena *arena, const Tensorflow__MetaGraphDef *meta_graph,
                       Signature **ret_signatures, size_t *ret_n)
{
    if (meta_graph->n_signature_def > MAX_SIGNATURES)
        return error_new(ERROR_INVALID_ARGUMENT, "the bundle has %zu signatures, more than %d",
                         meta_graph->n_signature_def, MAX_SIGNATURES);
    Signature *signatures = arena_calloc(arena, meta_graph->n_signature_def, sizeof *signatures);
    if (signatures == NULL)
        return error_out_of_memory();
    size_t n = 0;
    for (size_t i = 0; i < meta_graph->n_signature_def; i++) {
        const Tensorflow__MetaGraphDef__SignatureDefEntry *entry = meta_graph->signature_def[i];
        if (strncmp(entry->key, LOADER_PREFIX, strlen(LOADER_PREFIX)) == 0 || entry->value == NULL)
            continue;
        TRY(error_prefix(read_signature(arena, entry->key, entry->value, &signatures[n]),
                         "signature '%s'", entry->key));
        n++;
    }
    if (n > 0)
        qsort(signatures, n, sizeof *signatures, compare_signatures);
    *ret_signatures = signatures;
    *ret_n = n;
    return NULL;
}

Error *signature_request(Arena *arena, const Signature *signature, CompileRequest *ret_request)
{
    GraphFeed *feeds = arena_calloc(arena, signature->n_inputs, sizeof *feeds);
    const char **outputs = arena_calloc(arena, signature->n_outputs, sizeof *outputs);
    if (feeds == NULL || outputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < signature->n_inputs; i++)
        feeds[i] = (GraphFeed){ signature->inputs[i].tensor_name, signature->inputs[i].dtype };
    for (size_t i = 0; i < signature->n_outputs; i++)
        outputs[i] = signature->outputs[i].tensor_name;
    *ret_request = (CompileRequest){ .name = signature->name,
                                     .graph = { .feeds = feeds,
                                                .n_feeds = signature->n_inputs,
                                                .outputs = outputs,
                                                .n_outputs = signature->n_outputs } };
    return NULL;
}

bool signature_is_pure(const Signature *signature)
{
    return plan_is_pure(signature->plan);
}
