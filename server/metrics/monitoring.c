/* SPDX-License-Identifier: Apache-2.0
 *
 * MonitoringConfig { PrometheusConfig prometheus_config = 1 { bool enable = 1; string path = 2; } }
 */
#include "server/metrics/monitoring.h"

#include "model/base/file.h"
#include "model/base/message_parse.h"
#include "tensorflow_serving/config/monitoring_config.pb-c.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)

Error *monitoring_parse(Arena *arena, Bytes text, const char **ret_path)
{
    ProtobufCMessage *message;
    TRY(message_from_text(arena, &tensorflow__serving__monitoring_config__descriptor,
                          (const char *)text.data, text.size, &message));
    const Tensorflow__Serving__PrometheusConfig *prometheus =
        ((const Tensorflow__Serving__MonitoringConfig *)message)->prometheus_config;
    const char *path = NULL;
    if (prometheus != NULL && prometheus->enable) {
        path = prometheus->path[0] != '\0' ? prometheus->path : MONITORING_DEFAULT_PATH;
        if (path[0] != '/')
            return error_new(ERROR_INVALID_ARGUMENT,
                             "prometheus_config.path is %s: it must start with a slash", path);
    }
    *ret_path = path;
    return NULL;
}

Error *monitoring_read(Arena *arena, const char *file, const char **ret_path)
{
    uint8_t *bytes;
    size_t size;
    TRY(file_read(arena, file, FILE_MAX_BYTES, &bytes, &size));
    return error_prefix(monitoring_parse(arena, (Bytes){ bytes, size }, ret_path), "%s", file);
}
