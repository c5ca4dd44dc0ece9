/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads: the checks of TensorFlow Serving's classifier and regressor, in its order
 * (tensorflow_serving/servables/tensorflow/classifier.cc, regressor.cc), around signature_run. The
 * examples stay bytes: what is wrong with one is found by the graph's own ParseExample.
 */
#include "model/heads.h"

#include <string.h>

#define INPUTS "inputs"
#define OUTPUTS "outputs"
#define CLASSES "classes"
#define SCORES "scores"

static bool has_tensor(size_t n, const SignatureTensor *tensors, const char *alias)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(tensors[i].alias, alias) == 0)
            return true;
    return false;
}

static Error *find_signature(const Model *model, Bytes name, const Signature **ret)
{
    *ret = model_find_signature(model, name);
    if (*ret == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "No signature was found with the name: %.*s",
                         name.size > 0 ? (int)name.size : (int)strlen("serving_default"),
                         name.size > 0 ? (const char *)name.data : "serving_default");
    if ((*ret)->n_inputs != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected one input Tensor.");
    return NULL;
}

/* Feeds the examples as one vector of strings. */
static Error *feed(const Bytes *examples, size_t n_examples, HeadRun *run)
{
    if (n_examples == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Input is empty.");
    const Shape shape = shape_of((int64_t)n_examples);
    run->input = (NamedTensor){ bytes_of_text(INPUTS), tensor_view(DT_STRING, &shape, examples) };
    return NULL;
}

/* Runs it by itself. */
static Error *run_head(const Model *model, const HeadRun *run, const RunOptions *options,
                       Scratch *scratch, Arena *arena, NamedTensor **ret_outputs, size_t *ret_n)
{
    return signature_run(model, run->signature, &run->input, 1, run->filter, run->n_filter, options,
                         scratch, arena, ret_outputs, ret_n);
}

/* ---- classify ------------------------------------------------------------------------------ */

static Error *check_classify(const Signature *signature)
{
    if (signature->n_outputs != 1 && signature->n_outputs != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected one or two output Tensors, found %zu",
                         signature->n_outputs);
    if (!has_tensor(1, signature->inputs, INPUTS))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "No classification inputs found in SignatureDef: %s", signature->text);
    if (!has_tensor(signature->n_outputs, signature->outputs, CLASSES) &&
        !has_tensor(signature->n_outputs, signature->outputs, SCORES))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected classification signature outputs to contain at least one of "
                         "\"classes\" or \"scores\". Signature was: %s",
                         signature->text);
    return NULL;
}

static Error *check_half(const Tensor *tensor, const char *name, DType dtype)
{
    char text[SHAPE_TEXT_BYTES];
    if (tensor->shape.rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected Tensor shape: [batch_size num_classes] but got %s",
                         shape_text(&tensor->shape, text));
    if (tensor->dtype != dtype)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected %s Tensor of %s. Got: %s", name,
                         dtype_enum_name(dtype), dtype_enum_name(tensor->dtype));
    return NULL;
}

static Error *check_batch(const Tensor *tensor, const char *name, int64_t n)
{
    if (tensor->shape.dims[0] != n)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected %s output batch size of %lld. Got: %lld",
                         name, (long long)n, (long long)tensor->shape.dims[0]);
    return NULL;
}

static Error *read_classification(const Tensor *classes, const Tensor *scores, int64_t n,
                                  Classification *ret)
{
    if (classes != NULL)
        TRY(check_half(classes, CLASSES, DT_STRING));
    if (scores != NULL)
        TRY(check_half(scores, SCORES, DT_FLOAT));
    if (classes != NULL)
        TRY(check_batch(classes, CLASSES, n));
    if (scores != NULL)
        TRY(check_batch(scores, SCORES, n));
    if (classes != NULL && scores != NULL && classes->shape.dims[1] != scores->shape.dims[1])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Tensors class and score should match in dim_size(1). Got %lld vs. %lld",
                         (long long)classes->shape.dims[1], (long long)scores->shape.dims[1]);
    *ret = (Classification){ .n = n,
                             .k = classes != NULL ? classes->shape.dims[1] : scores->shape.dims[1],
                             .classes = classes != NULL ? classes->data : NULL,
                             .scores = scores != NULL ? scores->data : NULL };
    return NULL;
}

Error *heads_classify_prepare(const Model *model, Bytes signature_name, const Bytes *examples,
                              size_t n_examples, HeadRun *ret)
{
    HeadRun run = { 0 };
    TRY(find_signature(model, signature_name, &run.signature));
    TRY(check_classify(run.signature));
    if (has_tensor(run.signature->n_outputs, run.signature->outputs, CLASSES))
        run.filter[run.n_filter++] = bytes_of_text(CLASSES);
    if (has_tensor(run.signature->n_outputs, run.signature->outputs, SCORES))
        run.filter[run.n_filter++] = bytes_of_text(SCORES);
    TRY(feed(examples, n_examples, &run));
    *ret = run;
    return NULL;
}

Error *heads_classify_read(const NamedTensor *outputs, size_t n, size_t n_examples,
                           Classification *ret)
{
    const Tensor *classes = NULL, *scores = NULL;
    for (size_t i = 0; i < n; i++) {
        if (bytes_equal(outputs[i].name, bytes_of_text(CLASSES)))
            classes = &outputs[i].tensor;
        else
            scores = &outputs[i].tensor;
    }
    return read_classification(classes, scores, (int64_t)n_examples, ret);
}

Error *heads_classify(const Model *model, Bytes signature_name, const Bytes *examples,
                      size_t n_examples, const RunOptions *options, Scratch *scratch, Arena *arena,
                      Classification *ret)
{
    HeadRun run;
    NamedTensor *outputs = NULL;
    size_t n = 0;
    TRY(heads_classify_prepare(model, signature_name, examples, n_examples, &run));
    TRY(run_head(model, &run, options, scratch, arena, &outputs, &n));
    return heads_classify_read(outputs, n, n_examples, ret);
}

/* ---- regress ------------------------------------------------------------------------------- */

static Error *check_regress(const Signature *signature)
{
    if (signature->n_outputs != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected one output Tensor.");
    if (!has_tensor(1, signature->inputs, INPUTS))
        return error_new(ERROR_INVALID_ARGUMENT, "No regression inputs found in SignatureDef: %s",
                         signature->text);
    if (!has_tensor(1, signature->outputs, OUTPUTS))
        return error_new(ERROR_INVALID_ARGUMENT, "No regression outputs found in SignatureDef: %s",
                         signature->text);
    return NULL;
}

static Error *read_regression(const Tensor *values, int64_t n, Regression *ret)
{
    char text[SHAPE_TEXT_BYTES];
    const Shape *shape = &values->shape;
    if (shape->rank != 1 && (shape->rank != 2 || shape->dims[1] != 1))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected output Tensor shape to be either [batch_size] or "
                         "[batch_size, 1] but got %s",
                         shape_text(shape, text));
    if (shape->dims[0] != n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input batch size did not match output batch size: %lld vs. %lld",
                         (long long)n, (long long)shape->dims[0]);
    if (values->dtype != DT_FLOAT)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected output Tensor of DT_FLOAT.  Got: %s",
                         dtype_enum_name(values->dtype));
    *ret = (Regression){ .n = n, .values = values->data };
    return NULL;
}

Error *heads_regress_prepare(const Model *model, Bytes signature_name, const Bytes *examples,
                             size_t n_examples, HeadRun *ret)
{
    HeadRun run = { 0 };
    TRY(find_signature(model, signature_name, &run.signature));
    TRY(check_regress(run.signature));
    TRY(feed(examples, n_examples, &run));
    *ret = run;
    return NULL;
}

Error *heads_regress_read(const NamedTensor *outputs, size_t n, size_t n_examples, Regression *ret)
{
    (void)n; /* the signature's one output */
    return read_regression(&outputs[0].tensor, (int64_t)n_examples, ret);
}

Error *heads_regress(const Model *model, Bytes signature_name, const Bytes *examples,
                     size_t n_examples, const RunOptions *options, Scratch *scratch, Arena *arena,
                     Regression *ret)
{
    HeadRun run;
    NamedTensor *outputs = NULL;
    size_t n = 0;
    TRY(heads_regress_prepare(model, signature_name, examples, n_examples, &run));
    TRY(run_head(model, &run, options, scratch, arena, &outputs, &n));
    return heads_regress_read(outputs, n, n_examples, ret);
}
