/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: one arena a configuration.
 */
#include "server/manager/settings.h"

#include <stdlib.h>

static Error *fill(Settings *settings, const ModelConfig *config, const Settings *before)
{
    static const LabelSet none;
    if (settings->arena == NULL)
        return error_out_of_memory();
    TRY(model_config_copy(settings->arena, config, &settings->config));
    return label_set_make(settings->arena, &settings->config,
                          before != NULL ? &before->labels : &none, &settings->labels);
}

Error *settings_new(const ModelConfig *config, const Settings *before, Settings **ret_settings)
{
    Settings *settings = calloc(1, sizeof(*settings));
    if (settings == NULL)
        return error_out_of_memory();
    settings->arena = arena_new(1024, 0);
    Error *error = fill(settings, config, before);
    if (error != NULL) {
        settings_free(settings);
        return error;
    }
    *ret_settings = settings;
    return NULL;
}

Settings *settings_free(Settings *settings)
{
    if (settings != NULL) {
        arena_free(settings->arena);
        free(settings);
    }
    return NULL;
}
