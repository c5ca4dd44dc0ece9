/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of --monitoring_config_file: a MonitoringConfig in protobuf's text form.
 */
#ifndef DIGIT_SERVER_METRICS_MONITORING_H
#define DIGIT_SERVER_METRICS_MONITORING_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

#define MONITORING_DEFAULT_PATH "/monitoring/prometheus/metrics"

/* Reads the file. Gives the path under which the metrics are, in `arena`; NULL when they are not
 * enabled. INVALID_ARGUMENT for a text that is no such message, or a path that does not begin with
 * a slash; else as file_read. */
Error *monitoring_read(Arena *arena, const char *file, const char **ret_path) _warn_unused_result_;

/* The same of the file's text. */
Error *monitoring_parse(Arena *arena, Bytes text, const char **ret_path) _warn_unused_result_;

#endif
