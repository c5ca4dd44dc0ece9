/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: the part of a model's configuration that may change while it serves, in memory of its
 * own. Made and checked first, so that a configuration is put into effect as a whole or not at all.
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_SETTINGS_H
#define DIGIT_SERVER_MANAGER_SETTINGS_H

#include "server/manager/label.h"
#include "server/manager/model_config.h"

typedef struct Settings {
    Arena *arena; /* of all that is here */
    ModelConfig config;
    LabelSet labels;
} Settings;

/* A copy of `config`; its labels go on from `before`, which may be NULL. INVALID_ARGUMENT as
 * model_config_copy. */
Error *settings_new(const ModelConfig *config, const Settings *before,
                    Settings **ret_settings) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Settings *settings_free(Settings *settings);

#endif
