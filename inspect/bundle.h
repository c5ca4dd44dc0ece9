/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundle: what can be said of a SavedModel without running it, and also when Digit cannot run it.
 */
#ifndef DIGIT_INSPECT_BUNDLE_H
#define DIGIT_INSPECT_BUNDLE_H

#include "model/graph/survey.h"
#include "model/model.h"

typedef struct Bundle {
    const char *directory; /* of the version */
    const Signature *signatures;
    size_t n_signatures;
    const SurveyOp *ops; /* that the signatures reach */
    size_t n_ops, n_unsupported;
} Bundle;

/* Reads the bundle at `path`: a version's directory, or the highest of the numbered ones in it. All
 * of `ret_bundle` lies in `arena`. Errors of saved_model_read, signatures_read and survey. */
Error *bundle_read(Arena *arena, const char *path, const char *tag,
                   Bundle *ret_bundle) _warn_unused_result_;

/* The number in `signatures` of the one named `name`; "" is serving_default, or the first one.
 * NOT_FOUND lists what there is. */
Error *bundle_find(const Bundle *bundle, const char *name, size_t *ret_number) _warn_unused_result_;

#endif
