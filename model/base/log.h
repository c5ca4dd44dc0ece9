/* SPDX-License-Identifier: Apache-2.0
 *
 * Log: one event, one line, on standard error. Programs log; libraries return errors and log
 * nothing above debug.
 *
 *     2026-11-24 06:31:48.120 INFO manager: model digits version 2: AVAILABLE after 41 ms
 *     {"ts":"2026-11-24T06:31:48.120Z","level":"INFO","component":"manager","message":"..."}
 *
 * The second form, for machines, has the event's fields too; in the first the text says it all.
 * A line is written with one write(2), so that lines of threads do not mix. Never log payloads or
 * secrets. Thread-safe.
 */
#ifndef DIGIT_BASE_LOG_H
#define DIGIT_BASE_LOG_H

#include <stdbool.h>

#include "model/base/bytes.h"
#include "model/base/cleanup.h"
#include "model/base/error.h"

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } LogLevel;

/* Lines below `level` are dropped. The default is LOG_INFO. */
void log_set_level(LogLevel level);
bool log_enabled(LogLevel level);

typedef enum LogFormat { LOG_HUMAN, LOG_JSON } LogFormat;

/* The form of all lines from now on. The default is LOG_HUMAN. */
void log_set_format(LogFormat format);

/* `component` is one word: loop, manager, grpc, load... A newline inside the text is written
 * as "\n", so that an event stays one line. */
void log_write(LogLevel level, const char *component, const char *format, ...) _printf_(3, 4);

/* What an event is about, for machines: a text, or a number where text.data is NULL. */
typedef struct LogField {
    const char *name;
    Bytes text; /* borrowed */
    double number;
} LogField;

#define LOG_TEXT(name, bytes) ((LogField){ (name), (bytes), 0 })
#define LOG_NUMBER(name, value) ((LogField){ (name), { NULL, 0 }, (double)(value) })

/* As log_write, with fields[0..n). */
void log_event(LogLevel level, const char *component, const LogField *fields, size_t n,
               const char *format, ...) _printf_(5, 6);

/* Logs the error's code and text (its birthplace too, at debug) after the formatted text, and
 * frees it. Takes NULL, and then logs nothing. */
void log_error_free(LogLevel level, const char *component, Error *error, const char *format, ...)
    _printf_(4, 5);

#define log_debug(component, ...)                                                                  \
    do {                                                                                           \
        if (log_enabled(LOG_DEBUG))                                                                \
            log_write(LOG_DEBUG, component, __VA_ARGS__);                                          \
    } while (0)
#define log_info(component, ...) log_write(LOG_INFO, component, __VA_ARGS__)
#define log_warning(component, ...) log_write(LOG_WARNING, component, __VA_ARGS__)
#define log_error(component, ...) log_write(LOG_ERROR, component, __VA_ARGS__)

#endif
