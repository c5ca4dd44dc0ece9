/* SPDX-License-Identifier: Apache-2.0
 *
 * SavedModel on disk: `saved_model.pb`, the MetaGraph with the wanted tags, and where the rest of
 * the bundle is.
 */
#ifndef DIGIT_BUNDLE_SAVED_MODEL_H
#define DIGIT_BUNDLE_SAVED_MODEL_H

#include "model/base/arena.h"
#include "model/base/error.h"
#include "tensorflow/core/protobuf/meta_graph.pb-c.h"

#define SAVED_MODEL_MAX_BYTES ((size_t)2 << 30) /* of saved_model.pb: protobuf's own limit */

typedef struct SavedModel {
    const char *directory;                      /* of the version; in the arena */
    const Tensorflow__MetaGraphDef *meta_graph; /* in the arena; its graph_def is not NULL */
    const char *variables_prefix;               /* "DIR/variables/variables"; NULL when the bundle
                                                 * has no variables.index */
    const char *assets_directory;               /* "DIR/assets" */
} SavedModel;

/* Reads the bundle in `directory` and picks the first MetaGraph whose set of tags equals the wanted
 * one. All of `ret_saved_model` lies in `arena`.
 *
 * NOT_FOUND with TensorFlow's text when there is no saved_model.pb or no such MetaGraph;
 * UNIMPLEMENTED for a SessionBundle (export.meta) and for saved_model.pbtxt alone; INVALID_ARGUMENT
 * for bytes that are no SavedModel; FAILED_PRECONDITION for a Const without a value. */
Error *saved_model_read(Arena *arena, const char *directory, const char *const *tags, size_t n_tags,
                        SavedModel *ret_saved_model) _warn_unused_result_;

#endif
