/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelConfig: what the operator says of one model: its name, where its versions lie, which of them
 * should serve, and what they are called. tensorflow.serving.ModelConfig with its meaning checked.
 */
#ifndef DIGIT_SERVER_MANAGER_MODEL_CONFIG_H
#define DIGIT_SERVER_MANAGER_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "server/manager/policy.h"

/* A name of a version, such as "stable", that requests may ask for in place of its number. */
typedef struct VersionLabel {
    const char *name;
    int64_t version;
} VersionLabel;

/* tensorflow.serving.LoggingConfig: which requests are written down, and where. */
typedef struct RequestLogConfig {
    const char *type;            /* of the collector; NULL: requests are not logged */
    const char *filename_prefix; /* NULL as `type` is */
    double sampling_rate;        /* 0..1, of requests */
} RequestLogConfig;

typedef struct ModelConfig {
    const char *name;
    const char *base_path;      /* its children that are numbers are the versions */
    VersionPolicy policy;       /* zero: the latest one */
    const VersionLabel *labels; /* [n_labels] */
    size_t n_labels;
    RequestLogConfig request_log;
} ModelConfig;

/* A deep copy whose parts lie in `arena`. INVALID_ARGUMENT for a model with no name or no base path,
 * and for a label that is there twice. */
Error *model_config_copy(Arena *arena, const ModelConfig *config,
                         ModelConfig *ret_copy) _warn_unused_result_;

/* INVALID_ARGUMENT `Illegal to list model M multiple times in config list`. */
Error *model_configs_check(const ModelConfig *configs, size_t n) _warn_unused_result_;

/* The label `name` of the model; NULL when it has none. */
const VersionLabel *model_config_find_label(const ModelConfig *config, const char *name);

#endif
