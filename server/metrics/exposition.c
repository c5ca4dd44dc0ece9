/* SPDX-License-Identifier: Apache-2.0
 *
 * The text format: lines of names, labels and numbers. Knows no metric.
 */
#include "server/metrics/exposition.h"

#include "model/base/utf8.h"

static Error *append_value(Buf *text, Bytes value)
{
    for (size_t at = 0; at < value.size;) {
        size_t n = utf8_length(value.data + at, value.size - at);
        uint8_t c = value.data[at];
        if (n == 0)
            TRY(buf_append_text(text, UTF8_REPLACEMENT));
        else if (c == '\n')
            TRY(buf_append_text(text, "\\n"));
        else if (c == '\\' || c == '"')
            TRY(buf_printf(text, "\\%c", c));
        else
            TRY(buf_append(text, value.data + at, n));
        at += n > 0 ? n : 1;
    }
    return NULL;
}

Error *exposition_labels(Buf *text, const MetricLabel *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        TRY(buf_printf(text, "%s%s=\"", i > 0 ? "," : "", labels[i].name));
        TRY(append_value(text, labels[i].value));
        TRY(buf_append_text(text, "\""));
    }
    return NULL;
}

Error *exposition_number(Buf *text, double value)
{
    return buf_printf(text, "%.15g", value);
}

Error *exposition_head(Buf *text, const char *name, const char *type, const char *help)
{
    if (help != NULL)
        TRY(buf_printf(text, "# HELP %s %s\n", name, help));
    return buf_printf(text, "# TYPE %s %s\n", name, type);
}

Error *exposition_line(Buf *text, const char *name, const MetricLabel *labels, size_t n,
                       double value)
{
    TRY(buf_printf(text, "%s{", name));
    TRY(exposition_labels(text, labels, n));
    TRY(buf_append_text(text, "} "));
    TRY(exposition_number(text, value));
    return buf_append_text(text, "\n");
}

Error *exposition_single(Buf *text, const char *name, const char *type, const char *help,
                         double value)
{
    TRY(exposition_head(text, name, type, help));
    return exposition_line(text, name, NULL, 0, value);
}
