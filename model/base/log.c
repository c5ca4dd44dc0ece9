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

#define LINE_MAX_BYTES (256 << 10) /* an Error's text is at most 64 KiB; each byte may become 4 */

/* Relaxed: a change need not be seen at once by other threads, and orders nothing else. */
static _Atomic LogLevel least_level = LOG_INFO;

void log_set_level(LogLevel level)
{
    atomic_store_explicit(&least_level, level, memory_order_relaxed);
}

bool log_enabled(LogLevel level)
{
    return level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

static Error *append_head(Buf *line, LogLevel level, const char *component)
{
    static const char *const names[] = { "DEBUG", "INFO", "WARNING", "ERROR" };
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    return buf_printf(line, "%04d-%02d-%02d %02d:%02d:%02d.%03ld %s %s: ", tm.tm_year + 1900,
                      tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                      now.tv_nsec / 1000000, names[level], component);
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

static void log_text(LogLevel level, const char *component, const char *text)
{
    Buf line;
    buf_init(&line, LINE_MAX_BYTES);
    Error *error = append_head(&line, level, component);
    if (error == NULL)
        error = append_escaped(&line, text);
    if (error == NULL)
        error = buf_append(&line, "\n", 1);
    if (error == NULL) {
        write_line(line.data, line.size);
    } else {
        static const char lost[] = "ERROR log: a line was lost, out of memory\n";
        write_line(lost, sizeof(lost) - 1);
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
    log_text(level, component, text != NULL ? text : "out of memory");
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
