/* SPDX-License-Identifier: Apache-2.0
 *
 * Log: times are UTC, so that the lines of several machines sort. What is written may come from
 * strangers (a model's name): control characters are written as escapes, never sent to a terminal.
 */
#include "model/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/base/buf.h"
#include "model/base/json_text.h"

#define LINE_MAX_BYTES (512 << 10) /* an Error's text is at most 64 KiB; each byte may become 6 */

/* Relaxed: a change need not be seen at once by other threads, and orders nothing else. */
static _Atomic LogLevel least_level = LOG_INFO;
static _Atomic LogFormat line_format = LOG_HUMAN;

static const char *const level_names[] = { "DEBUG", "INFO", "WARNING", "ERROR" };

typedef struct Event {
    LogLevel level;
    const char *component;
    const LogField *fields; /* [n_fields] */
    size_t n_fields;
    const char *text;
} Event;

void log_set_level(LogLevel level)
{
    atomic_store_explicit(&least_level, level, memory_order_relaxed);
}

bool log_enabled(LogLevel level)
{
    return level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

void log_set_format(LogFormat format)
{
    atomic_store_explicit(&line_format, format, memory_order_relaxed);
}

/* The time of day; `between` stands between date and time. */
static Error *append_time(Buf *line, char between)
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    return buf_printf(line, "%04d-%02d-%02d%c%02d:%02d:%02d.%03ld", tm.tm_year + 1900,
                      tm.tm_mon + 1, tm.tm_mday, between, tm.tm_hour, tm.tm_min, tm.tm_sec,
                      now.tv_nsec / 1000000);
}

static Error *append_escaped(Buf *line, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '\n')
            TRY(buf_append(line, "\\n", 2));
        else if (c < 0x20 || c == 0x7f)
            TRY(buf_printf(line, "\\x%02x", c));
        else
            TRY(buf_append(line, p, 1));
    }
    return NULL;
}

static void write_line(const void *data, size_t bytes)
{
    /* One write, so that lines of threads do not mix. What a full pipe does not take is lost: a
     * server must not stand still because nobody reads its log. */
    ssize_t n;
    do
        n = write(STDERR_FILENO, data, bytes);
    while (n < 0 && errno == EINTR);
}

static Error *append_human(Buf *line, const Event *event)
{
    TRY(append_time(line, ' '));
    TRY(buf_printf(line, " %s %s: ", level_names[event->level], event->component));
    TRY(append_escaped(line, event->text));
    return buf_append(line, "\n", 1);
}

static Error *append_json(Buf *line, const Event *event)
{
    TRY(buf_append_text(line, "{\"ts\":\""));
    TRY(append_time(line, 'T'));
    TRY(buf_printf(line, "Z\",\"level\":\"%s\",\"component\":\"%s\",\"message\":",
                   level_names[event->level], event->component));
    TRY(json_append_text(line, bytes_of_text(event->text)));
    for (size_t i = 0; i < event->n_fields; i++) {
        const LogField *field = &event->fields[i];
        TRY(buf_printf(line, ",\"%s\":", field->name));
        TRY(field->text.data != NULL ? json_append_text(line, field->text)
                                     : buf_printf(line, "%.15g", field->number));
    }
    return buf_append_text(line, "}\n");
}

static void write_event(const Event *event)
{
    Buf line;
    buf_init(&line, LINE_MAX_BYTES);
    bool is_json = atomic_load_explicit(&line_format, memory_order_relaxed) == LOG_JSON;
    Error *error = is_json ? append_json(&line, event) : append_human(&line, event);
    if (error == NULL) {
        write_line(line.data, line.size);
    } else {
        static const char lost[] = "ERROR log: a line was lost, out of memory\n";
        static const char lost_json[] =
            "{\"level\":\"ERROR\",\"component\":\"log\",\"message\":\"a line was lost\"}\n";
        write_line(is_json ? lost_json : lost, (is_json ? sizeof(lost_json) : sizeof(lost)) - 1);
    }
    error_free(error);
    buf_done(&line);
}

/* The formatted text, malloc'ed; NULL when memory is out. */
static char *format_text(const char *format, va_list args)
{
    char *text;
    return vasprintf(&text, format, args) < 0 ? NULL : text;
}

void log_write(LogLevel level, const char *component, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    va_list args;
    va_start(args, format);
    _cleanup_(freep) char *text = format_text(format, args);
    va_end(args);
    write_event(&(Event){
        .level = level, .component = component, .text = text != NULL ? text : "out of memory" });
}

void log_event(LogLevel level, const char *component, const LogField *fields, size_t n,
               const char *format, ...)
{
    if (!log_enabled(level))
        return;
    va_list args;
    va_start(args, format);
    _cleanup_(freep) char *text = format_text(format, args);
    va_end(args);
    write_event(&(Event){ level, component, fields, n, text != NULL ? text : "out of memory" });
}

void log_error_free(LogLevel level, const char *component, Error *error, const char *format, ...)
{
    if (error == NULL)
        return;
    if (log_enabled(level)) {
        va_list args;
        va_start(args, format);
        _cleanup_(freep) char *text = format_text(format, args);
        va_end(args);
        const char *before = text != NULL ? text : "";
        if (log_enabled(LOG_DEBUG))
            log_write(level, component, "%s: %s: %s (%s:%d)", before, error_code_name(error->code),
                      error->text, error->file, error->line);
        else
            log_write(level, component, "%s: %s: %s", before, error_code_name(error->code),
                      error->text);
    }
    error_free(error);
}
