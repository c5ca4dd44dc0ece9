/* SPDX-License-Identifier: Apache-2.0
 *
 * | PredictionLog | 2 classify_log, 3 regress_log, 4 multi_inference_log, 5 session_run_log,        |
 * |               | 6 predict_log, 7 predict_streamed_log; of each 1 is the request               |
 *
 * A log of no kind is skipped, as TensorFlow Serving does.
 */
#include "server/service/warm_up.h"

#include "model/base/file.h"
#include "server/manager/loader.h"
#include "server/service/infer.h"
#include "server/service/predict.h"
#include "server/service/record.h"
#include "server/service/wire.h"

#define FILE_NAME "assets.extra/tf_serving_warmup_requests"
#define FILE_MAX_BYTES ((size_t)1 << 30)
#define MAX_RECORDS 1000
#define REQUEST_MAX_BYTES ((size_t)1 << 30) /* that a request's tensors may claim */

enum { NO_LOG = 0, CLASSIFY = 2, REGRESS = 3, MULTI = 4, PREDICT = 6 };

typedef struct WarmUp {
    const Model *model;
    const WarmUpOptions *options;
    Scratch *scratch;
    Arena *arena; /* of one request */
} WarmUp;

/* The number of the log's kind, and its request. False when the bytes are no PredictionLog. */
static bool read_log(Bytes wire, uint32_t *ret_kind, Bytes *ret_request)
{
    WireField field;
    Bytes log = { (const uint8_t *)"", 0 };
    *ret_kind = NO_LOG;
    *ret_request = log;
    while (wire.size > 0) {
        if (!wire_read(&wire, &field))
            return false;
        if (field.type == WIRE_BYTES && field.number >= CLASSIFY && field.number <= 7) {
            *ret_kind = field.number;
            log = field.bytes;
        }
    }
    while (log.size > 0) {
        if (!wire_read(&log, &field))
            return false;
        if (wire_is(&field, 1, WIRE_BYTES))
            *ret_request = field.bytes;
    }
    return true;
}

/* ---- one request ----------------------------------------------------------------------------- */

static Error *predict(const WarmUp *w, Bytes wire)
{
    const RunOptions run = { 0 };
    PredictRequest request;
    NamedTensor *outputs;
    size_t n;
    TRY(request_read_predict(w->arena, wire, &request));
    return predict_run(w->model, &request, &w->options->services, &run, w->scratch, w->arena,
                       &outputs, &n);
}

static Error *infer(const WarmUp *w, Bytes wire, bool is_regression)
{
    const RunOptions run = { 0 };
    ExamplesRequest request;
    TRY(request_read_examples(w->arena, wire, &request));
    Inference inference = { .spec = &request.spec, .is_regression = is_regression };
    return infer_run(w->model, request.examples, request.n_examples, &w->options->services, &run,
                     w->scratch, w->arena, &inference);
}

static Error *multi_inference(const WarmUp *w, Bytes wire)
{
    const RunOptions run = { 0 };
    MultiInferenceRequest request;
    Inference *inferences;
    TRY(request_read_multi_inference(w->arena, wire, &request));
    return infer_run_multi(w->model, &request, &w->options->services, &run, w->scratch, w->arena,
                           &inferences);
}

static Error *run_once(const WarmUp *w, uint32_t kind, Bytes request)
{
    arena_reset(w->arena, 64 * 1024);
    switch (kind) {
    case NO_LOG:
        return NULL;
    case CLASSIFY:
    case REGRESS:
        return infer(w, request, kind == REGRESS);
    case MULTI:
        return multi_inference(w, request);
    case PREDICT:
        return predict(w, request);
    default:
        return error_new(ERROR_UNIMPLEMENTED, "Unsupported log_type for warmup: %u", kind);
    }
}

/* ---- the file -------------------------------------------------------------------------------- */

static Error *run_record(const WarmUp *w, Bytes record, const char *path)
{
    uint32_t kind;
    Bytes request;
    if (!read_log(record, &kind, &request))
        return error_new(ERROR_DATA_LOSS, "Failed to parse warmup record from %s", path);
    unsigned n = w->options->n_iterations > 0 ? w->options->n_iterations : 1;
    for (unsigned i = 0; i < n; i++)
        TRY(run_once(w, kind, request));
    return NULL;
}

static Error *run_records(const WarmUp *w, Bytes rest, const char *path)
{
    for (size_t i = 0; rest.size > 0; i++) {
        Bytes record;
        if (i == MAX_RECORDS)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Number of warmup records exceeds the maximum (%d) at %s", MAX_RECORDS,
                             path);
        TRY(error_suffix(error_prefix(record_next(&rest, &record), "%s: record %zu", path, i),
                         ". Please verify your warmup data is in TFRecord format."));
        TRY(error_prefix(run_record(w, record, path), "warm-up request %zu of %s", i, path));
    }
    return NULL;
}

Error *warm_up_run(const Model *model, const char *directory, const void *data)
{
    const WarmUpOptions *options = data;
    if (!options->is_enabled)
        return NULL;
    _cleanup_(arena_freep) Arena *file_arena = arena_new(4096, 0);
    _cleanup_(arena_freep) Arena *arena = arena_new(64 * 1024, REQUEST_MAX_BYTES);
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    if (file_arena == NULL || arena == NULL || scratch == NULL)
        return error_out_of_memory();
    char *path = file_join(file_arena, directory, FILE_NAME);
    if (path == NULL)
        return error_out_of_memory();
    uint8_t *bytes;
    size_t size;
    Error *error = file_read(file_arena, path, FILE_MAX_BYTES, &bytes, &size);
    if (error != NULL && error->code == ERROR_NOT_FOUND) {
        error_free(error);
        loader_warm_up_on_zeros(model);
        return NULL;
    }
    TRY(error);
    const WarmUp w = { model, options, scratch, arena };
    return run_records(&w, (Bytes){ bytes, size }, path);
}
