/* SPDX-License-Identifier: Apache-2.0
 *
 * Inference of KServe's Open Inference Protocol v2, apart from how a request came and how its reply
 * goes: a model's version, its signature, the checks, the run.
 */
#ifndef DIGIT_SERVER_SERVICE_KSERVE_INFER_H
#define DIGIT_SERVER_SERVICE_KSERVE_INFER_H

#include "server/manager/handle.h"
#include "server/service/kserve_request.h"

/* The version that is asked for, in digits, or the latest, for "". INVALID_ARGUMENT when it is
 * anything else than a number up to INT64_MAX. */
Error *kserve_version(const KserveModel *model, bool *ret_is_latest,
                      int64_t *ret_version) _warn_unused_result_;

/* The loan of the version that is asked for: the latest for "". The errors of kserve_version and
 * handle_acquire. The reader's thread. */
Error *kserve_acquire(const KserveModel *model, Reader *reader,
                      Handle *ret_handle) _warn_unused_result_;

/* The signature `name`; for "" serving_default, or the only one that there is.
 * FAILED_PRECONDITION, with the names that there are. */
Error *kserve_find_signature(const Model *model, Bytes name, Arena *arena,
                             const Signature **ret_signature) _warn_unused_result_;

/* Runs what `request` asks of `model`, whose name and version are only looked at for errors. Outputs
 * as signature_run. INVALID_ARGUMENT for an input that is not the signature's, is there twice or is
 * missing, and for one of another datatype or shape: the text names the model, the input, what the
 * signature has and what came. UNIMPLEMENTED for an output that the protocol has no datatype for.
 * The rest is of signature_run. */
Error *kserve_run(const Model *model, const KserveRequest *request, const RunOptions *options,
                  Scratch *scratch, Arena *arena, NamedTensor **ret_outputs,
                  size_t *ret_n) _warn_unused_result_;

#endif
