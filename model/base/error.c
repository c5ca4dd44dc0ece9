/* SPDX-License-Identifier: Apache-2.0
 *
 * Error: one allocation holds the struct and its text. When there is no memory for that, the static
 * "out of memory" error stands in, so that a failure is always reported as a failure.
 */
#include "model/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Sanity only: gRPC cuts a status text at 1 KiB anyway, and a log line should stay readable. */
#define TEXT_MAX_BYTES (64 << 10)

static Error out_of_memory = {
    .code = ERROR_RESOURCE_EXHAUSTED,
    .text = "out of memory",
    .file = __FILE__,
    .line = __LINE__,
    .is_static = true,
};

/* An Error with room for a text of `bytes` bytes, which the caller writes to `*ret_text`; NULL when
 * memory is out. */
static Error *error_alloc(const char *file, int line, ErrorCode code, size_t bytes, char **ret_text)
{
    Error *error = malloc(sizeof(*error) + bytes + 1);
    if (error == NULL)
        return NULL;
    char *text = (char *)(error + 1);
    text[0] = text[bytes] = '\0';
    *error = (Error){ .code = code, .text = text, .file = file, .line = line };
    *ret_text = text;
    return error;
}

/* The length of the formatted text, within the limit. A format that cannot be printed gives 0. */
static size_t formatted_size(const char *format, va_list args)
{
    va_list copy;
    va_copy(copy, args);
    int n = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    return n < 0 ? 0 : n > TEXT_MAX_BYTES ? TEXT_MAX_BYTES : (size_t)n;
}

Error *error_new_at(const char *file, int line, ErrorCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t size = formatted_size(format, args);
    char *text;
    Error *error = error_alloc(file, line, code, size, &text);
    if (error != NULL)
        vsnprintf(text, size + 1, format, args);
    va_end(args);
    return error != NULL ? error : &out_of_memory;
}

Error *error_out_of_memory(void)
{
    return &out_of_memory;
}

Error *error_prefix(Error *error, const char *format, ...)
{
    if (error == NULL)
        return NULL;

    va_list args;
    va_start(args, format);
    size_t size = formatted_size(format, args);
    size_t total = size + strlen(": ") + strlen(error->text);
    char *text;
    Error *longer = error_alloc(error->file, error->line, error->code, total, &text);
    if (longer != NULL) {
        vsnprintf(text, size + 1, format, args);
        snprintf(text + size, total - size + 1, ": %s", error->text);
    }
    va_end(args);
    if (longer == NULL)
        return error;
    error_free(error);
    return longer;
}

Error *error_suffix(Error *error, const char *format, ...)
{
    if (error == NULL)
        return NULL;

    va_list args;
    va_start(args, format);
    size_t size = formatted_size(format, args);
    size_t old_size = strlen(error->text);
    char *text;
    Error *longer = error_alloc(error->file, error->line, error->code, old_size + size, &text);
    if (longer != NULL) {
        memcpy(text, error->text, old_size);
        vsnprintf(text + old_size, size + 1, format, args);
    }
    va_end(args);
    if (longer == NULL)
        return error;
    error_free(error);
    return longer;
}

Error *error_copy(const Error *error)
{
    if (error == NULL)
        return NULL;
    return error_new_at(error->file, error->line, error->code, "%s", error->text);
}

Error *error_free(Error *error)
{
    if (error != NULL && !error->is_static)
        free(error);
    return NULL;
}

const char *error_code_name(ErrorCode code)
{
    static const char *const names[] = {
        [ERROR_OK] = "OK",
        [ERROR_CANCELLED] = "CANCELLED",
        [ERROR_UNKNOWN] = "UNKNOWN",
        [ERROR_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
        [ERROR_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
        [ERROR_NOT_FOUND] = "NOT_FOUND",
        [ERROR_ALREADY_EXISTS] = "ALREADY_EXISTS",
        [ERROR_PERMISSION_DENIED] = "PERMISSION_DENIED",
        [ERROR_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
        [ERROR_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
        [ERROR_ABORTED] = "ABORTED",
        [ERROR_OUT_OF_RANGE] = "OUT_OF_RANGE",
        [ERROR_UNIMPLEMENTED] = "UNIMPLEMENTED",
        [ERROR_INTERNAL] = "INTERNAL",
        [ERROR_UNAVAILABLE] = "UNAVAILABLE",
        [ERROR_DATA_LOSS] = "DATA_LOSS",
        [ERROR_UNAUTHENTICATED] = "UNAUTHENTICATED",
    };
    size_t i = (size_t)(unsigned)code;
    return i < ARRAY_SIZE(names) ? names[i] : "UNKNOWN";
}
