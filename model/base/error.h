/* SPDX-License-Identifier: Apache-2.0
 *
 * Error: a gRPC status code and one line for the user.
 *
 * Every fallible function of Digit returns `Error *`: NULL is success. Out-parameters are left
 * untouched on failure. An Error remembers the file and line where it was born, which the log
 * shows at debug level.
 */
#ifndef DIGIT_BASE_ERROR_H
#define DIGIT_BASE_ERROR_H

#include <stdbool.h>

#include "model/base/cleanup.h"

/* gRPC status codes, which are tensorflow.error.Code too.
 * https://grpc.io/docs/guides/status-codes/ */
typedef enum ErrorCode {
    ERROR_OK = 0,
    ERROR_CANCELLED = 1,
    ERROR_UNKNOWN = 2,
    ERROR_INVALID_ARGUMENT = 3,
    ERROR_DEADLINE_EXCEEDED = 4,
    ERROR_NOT_FOUND = 5,
    ERROR_ALREADY_EXISTS = 6,
    ERROR_PERMISSION_DENIED = 7,
    ERROR_RESOURCE_EXHAUSTED = 8,
    ERROR_FAILED_PRECONDITION = 9,
    ERROR_ABORTED = 10,
    ERROR_OUT_OF_RANGE = 11,
    ERROR_UNIMPLEMENTED = 12,
    ERROR_INTERNAL = 13,
    ERROR_UNAVAILABLE = 14,
    ERROR_DATA_LOSS = 15,
    ERROR_UNAUTHENTICATED = 16,
} ErrorCode;

typedef struct Error {
    ErrorCode code;
    const char *text; /* owned by the Error; never NULL */
    const char *file; /* where it was born */
    int line;
    bool is_static; /* error_free leaves it alone */
} Error;

/* A new Error, owned by the caller. Falls back to a static Error when memory is out, so it never
 * returns NULL. */
#define error_new(code, ...) error_new_at(__FILE__, __LINE__, (code), __VA_ARGS__)
Error *error_new_at(const char *file, int line, ErrorCode code, const char *format, ...)
    _printf_(4, 5) _returns_nonnull_ _warn_unused_result_;

/* The static RESOURCE_EXHAUSTED error "out of memory": made without allocating. */
Error *error_out_of_memory(void) _returns_nonnull_ _warn_unused_result_;

/* Takes `error` and returns it with `format: ` before its text; NULL stays NULL. For adding the
 * name of the thing (model, file, node) that the callee could not know. */
Error *error_prefix(Error *error, const char *format, ...) _printf_(2, 3) _warn_unused_result_;

/* Takes `error` and returns it with the formatted text appended; NULL stays NULL. */
Error *error_suffix(Error *error, const char *format, ...) _printf_(2, 3) _warn_unused_result_;

/* A copy owned by the caller; NULL gives NULL. */
Error *error_copy(const Error *error) _warn_unused_result_;

/* Frees; takes NULL. Returns NULL. */
Error *error_free(Error *error);

/* "INVALID_ARGUMENT" and so on; "UNKNOWN" for a number that is no code. */
const char *error_code_name(ErrorCode code);

static inline void error_freep(Error **error)
{
    error_free(*error);
}

#endif
