/* SPDX-License-Identifier: Apache-2.0
 *
 * Scope-bound cleanup, and the two macros that every fallible function uses.
 *
 *     _cleanup_(file_close) int fd = -1;      closed when the scope ends
 *     *ret_thing = TAKE(thing);               handed over, no longer cleaned up
 *     TRY(thing_open(path, &thing));          returns the callee's Error
 */
#ifndef DIGIT_BASE_CLEANUP_H
#define DIGIT_BASE_CLEANUP_H

#include <stdlib.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _warn_unused_result_ __attribute__((warn_unused_result))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _returns_nonnull_ __attribute__((returns_nonnull))
#define _unused_ __attribute__((unused))

/* The value of the pointer `p`, which is NULL afterwards. */
#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) *take_p_ = &(p);                                                             \
        __typeof__(p) take_v_ = *take_p_;                                                          \
        *take_p_ = NULL;                                                                           \
        take_v_;                                                                                   \
    })

/* Returns from the enclosing function with the error of `expr`, if it has one. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        Error *try_error_ = (expr);                                                                \
        if (try_error_ != NULL)                                                                    \
            return try_error_;                                                                     \
    } while (0)

/* For `_cleanup_(freep)`: frees what the pointer points to. */
static inline void freep(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
