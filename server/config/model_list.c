/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelServerConfig to ModelConfigs. What it says of a model beyond this is for other software: a
 * custom_logging_config, attributes of a sampling_config.
 */
#include "server/config/model_list.h"

#include <string.h>

#include "model/base/log.h"
#include "model/base/message_parse.h"

typedef Tensorflow__Serving__ModelServerConfig ServerMessage;
typedef Tensorflow__Serving__ModelConfig ModelMessage;
typedef Tensorflow__Serving__FileSystemStoragePathSourceConfig__ServableVersionPolicy PolicyMessage;

#define POLICY(choice)                                                                             \
    TENSORFLOW__SERVING__FILE_SYSTEM_STORAGE_PATH_SOURCE_CONFIG__SERVABLE_VERSION_POLICY__POLICY_CHOICE_##choice

static Error *check_platform(const ModelMessage *message)
{
    bool has_platform = message->model_platform[0] != '\0';
    bool has_type = message->model_type != TENSORFLOW__SERVING__MODEL_TYPE__MODEL_TYPE_UNSPECIFIED;
    if (has_platform && has_type)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Illegal setting both ModelServerConfig::model_type (deprecated) and "
                         "ModelServerConfig::model_platform, model name is %s",
                         message->name);
    if (!has_platform && !has_type)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
                         "ModelServerConfig::model_platform, model name is %s",
                         message->name);
    if (has_type && message->model_type != TENSORFLOW__SERVING__MODEL_TYPE__TENSORFLOW)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "ModelServerConfig::model_type choice %d not supported.",
                         (int)message->model_type);
    if (has_platform && strcmp(message->model_platform, "tensorflow") != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Model %s requests unsupported platform %s",
                         message->name, message->model_platform);
    return NULL;
}

static VersionPolicy policy_of(const PolicyMessage *message)
{
    VersionPolicy policy = { 0 };
    if (message == NULL)
        return policy;
    if (message->policy_choice_case == POLICY(LATEST)) {
        policy.n_latest = message->latest->num_versions;
    } else if (message->policy_choice_case == POLICY(ALL)) {
        policy.choice = VERSIONS_ALL;
    } else if (message->policy_choice_case == POLICY(SPECIFIC)) {
        policy.choice = VERSIONS_SPECIFIC;
        policy.versions = message->specific->versions;
        policy.n_versions = message->specific->n_versions;
    }
    return policy;
}

static Error *read_request_log(const ModelMessage *message, RequestLogConfig *log)
{
    const Tensorflow__Serving__LoggingConfig *config = message->logging_config;
    if (config == NULL || config->log_collector_config == NULL)
        return NULL;
    double rate = config->sampling_config != NULL ? config->sampling_config->sampling_rate : 0;
    if (!(rate >= 0 && rate <= 1))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "model %s: sampling_rate is %g; must be a number from 0 to 1",
                         message->name, rate);
    log_warning("config", "model %s: its logging_config has no effect: requests are not logged",
                message->name);
    *log = (RequestLogConfig){ config->log_collector_config->type,
                               config->log_collector_config->filename_prefix, rate };
    return NULL;
}

static Error *read_model(Arena *arena, const ModelMessage *message, ModelConfig *model)
{
    TRY(check_platform(message));
    if (message->base_path[0] != '/')
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected model %s to have an absolute path or URI; got base_path()=%s",
                         message->name, message->base_path);
    VersionLabel *labels = arena_calloc(arena, message->n_version_labels, sizeof(*labels));
    if (labels == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < message->n_version_labels; i++)
        labels[i] =
            (VersionLabel){ message->version_labels[i]->key, message->version_labels[i]->value };
    *model = (ModelConfig){ .name = message->name,
                            .base_path = message->base_path,
                            .policy = policy_of(message->model_version_policy),
                            .labels = labels,
                            .n_labels = message->n_version_labels };
    return read_request_log(message, &model->request_log);
}

Error *model_list_of_message(Arena *arena, const ServerMessage *message, ModelList *ret_list)
{
    if (message == NULL ||
        message->config_case != TENSORFLOW__SERVING__MODEL_SERVER_CONFIG__CONFIG_MODEL_CONFIG_LIST)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "the configuration has no model_config_list, which is the only kind "
                         "there is");
    const Tensorflow__Serving__ModelConfigList *list = message->model_config_list;
    ModelConfig *models = arena_calloc(arena, list->n_config, sizeof(*models));
    if (models == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < list->n_config; i++)
        TRY(read_model(arena, list->config[i], &models[i]));
    TRY(model_configs_check(models, list->n_config));
    *ret_list = (ModelList){ models, list->n_config };
    return NULL;
}

Error *model_list_of_text(Arena *arena, Bytes text, ModelList *ret_list)
{
    ProtobufCMessage *message;
    TRY(message_from_text(arena, &tensorflow__serving__model_server_config__descriptor,
                          (const char *)text.data, text.size, &message));
    return model_list_of_message(arena, (const ServerMessage *)message, ret_list);
}
