/* SPDX-License-Identifier: Apache-2.0
 *
 * Prometheus' text format.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef DIGIT_SERVER_METRICS_EXPOSITION_H
#define DIGIT_SERVER_METRICS_EXPOSITION_H

#include "model/base/buf.h"
#include "model/base/bytes.h"

#define EXPOSITION_CONTENT_TYPE "text/plain"

typedef struct MetricLabel {
    const char *name;
    Bytes value; /* what is not UTF-8 is shown as U+FFFD */
} MetricLabel;

/* The lines before a metric's first. `type` is counter, gauge or histogram; `help` may be NULL. */
Error *exposition_head(Buf *text, const char *name, const char *type,
                       const char *help) _warn_unused_result_;

/* `NAME{labels} VALUE`: braces always. */
Error *exposition_line(Buf *text, const char *name, const MetricLabel *labels, size_t n,
                       double value) _warn_unused_result_;

/* A metric of one line and no labels. */
Error *exposition_single(Buf *text, const char *name, const char *type, const char *help,
                         double value) _warn_unused_result_;

/* `a="b",c="d"`, escaped. */
Error *exposition_labels(Buf *text, const MetricLabel *labels, size_t n) _warn_unused_result_;

/* The shortest of up to 15 digits. */
Error *exposition_number(Buf *text, double value) _warn_unused_result_;

#endif
