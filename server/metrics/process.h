/* SPDX-License-Identifier: Apache-2.0
 *
 * The process_* metrics that Prometheus' client libraries agree on.
 * https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
 */
#ifndef DIGIT_SERVER_METRICS_PROCESS_H
#define DIGIT_SERVER_METRICS_PROCESS_H

#include "model/base/buf.h"

/* A MetricsCollect; `data` is not looked at. What /proc does not tell is left out. */
Error *process_collect(void *data, Buf *text) _warn_unused_result_;

#endif
