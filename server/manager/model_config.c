/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of ModelConfigs, and what is wrong with one wherever it comes from: flags, a file, an RPC.
 */
#include "server/manager/model_config.h"

#include <string.h>

#include "model/base/map.h"

static Error *copy_labels(Arena *arena, const ModelConfig *config, ModelConfig *copy)
{
    VersionLabel *labels = arena_calloc(arena, config->n_labels, sizeof(*labels));
    if (labels == NULL)
        return error_out_of_memory();
    copy->labels = labels;
    copy->n_labels = 0;
    for (size_t i = 0; i < config->n_labels; i++) {
        const VersionLabel *label = &config->labels[i];
        if (model_config_find_label(copy, label->name) != NULL)
            return error_new(ERROR_INVALID_ARGUMENT, "model %s has the version label %s twice",
                             config->name, label->name);
        labels[i] = (VersionLabel){ arena_strdup(arena, label->name), label->version };
        if (labels[i].name == NULL)
            return error_out_of_memory();
        copy->n_labels++;
    }
    return NULL;
}

static Error *copy_text(Arena *arena, const char **text)
{
    if (*text == NULL)
        return NULL;
    *text = arena_strdup(arena, *text);
    return *text != NULL ? NULL : error_out_of_memory();
}

Error *model_config_copy(Arena *arena, const ModelConfig *config, ModelConfig *ret_copy)
{
    if (config->name == NULL || config->name[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT, "a model of the configuration has no name");
    if (config->base_path == NULL || config->base_path[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT, "model %s has no base path", config->name);
    ModelConfig copy = *config;
    const VersionPolicy *policy = &config->policy;
    copy.policy.versions =
        arena_memdup(arena, policy->versions, policy->n_versions * sizeof(*policy->versions));
    if (copy.policy.versions == NULL)
        return error_out_of_memory();
    TRY(copy_text(arena, &copy.name));
    TRY(copy_text(arena, &copy.base_path));
    TRY(copy_text(arena, &copy.request_log.type));
    TRY(copy_text(arena, &copy.request_log.filename_prefix));
    TRY(copy_labels(arena, config, &copy));
    *ret_copy = copy;
    return NULL;
}

Error *model_configs_check(const ModelConfig *configs, size_t n)
{
    _cleanup_(map_freep) Map *names = map_new();
    if (names == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        if (configs[i].name == NULL)
            continue;
        if (map_has(names, configs[i].name))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Illegal to list model %s multiple times in config list",
                             configs[i].name);
        TRY(map_set(names, configs[i].name, (void *)(uintptr_t)&configs[i]));
    }
    return NULL;
}

const VersionLabel *model_config_find_label(const ModelConfig *config, const char *name)
{
    for (size_t i = 0; i < config->n_labels; i++)
        if (strcmp(config->labels[i].name, name) == 0)
            return &config->labels[i];
    return NULL;
}
