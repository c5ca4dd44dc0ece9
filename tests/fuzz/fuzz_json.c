/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of REST requests, read as every verb reads them, for signatures of one and of two inputs.
 */
#include <string.h>

#include "server/rest/examples_json.h"
#include "server/rest/predict_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_inputs(Arena *arena, const PredictJson *request, DType dtype, size_t n_inputs)
{
    const SignatureTensor inputs[] = { { .alias = "x", .dtype = dtype },
                                       { .alias = "y", .dtype = DT_STRING } };
    const Signature signature = { .name = "s", .inputs = inputs, .n_inputs = n_inputs };
    NamedTensor *tensors;
    size_t n;
    Buf reply;
    buf_init(&reply, 1 << 20);
    Error *error = predict_json_inputs(arena, request, &signature, &tensors, &n);
    if (error == NULL)
        error = predict_json_reply(request, tensors, n, &reply);
    error_free(error);
    buf_done(&reply);
}

static void read_all(Arena *arena, const char *text, size_t size)
{
    PredictJson request;
    Bytes *examples;
    size_t n;
    Error *error = predict_json_open(arena, text, size, &request);
    if (error != NULL) {
        error_free(error);
        return;
    }
    read_inputs(arena, &request, DT_FLOAT, 1);
    read_inputs(arena, &request, DT_INT64, 2);
    read_inputs(arena, &request, DT_STRING, 1);
    error_free(examples_from_json(arena, request.document, "classify", &examples, &n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 16 << 20);
    char *text = malloc(size + 1);
    if (arena != NULL && text != NULL) {
        if (size > 0)
            memcpy(text, data, size);
        text[size] = '\0';
        read_all(arena, text, size);
    }
    free(text);
    return 0;
}
