/* SPDX-License-Identifier: Apache-2.0
 *
 * ChannelArguments. Empty elements (two commas, one at the end) say nothing. Each key
 * is there once, since gRPC core's versions differ in which of several they take; keys that it does
 * not know it does not look at.
 */
#include "server/grpc/channel_arguments.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool read_integer(const char *text, int *ret_value)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < INT_MIN || value > INT_MAX)
        return false;
    *ret_value = (int)value;
    return true;
}

/* `element` becomes key and value in place. */
static Error *parse_element(char *element, grpc_arg *ret_arg)
{
    char *equals = strchr(element, '=');
    if (equals == NULL || equals == element)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "--grpc_channel_arguments: \"%s\" must be KEY=VALUE", element);
    *equals = '\0';
    grpc_arg arg = { .type = GRPC_ARG_INTEGER, .key = element };
    if (!read_integer(equals + 1, &arg.value.integer)) {
        arg.type = GRPC_ARG_STRING;
        arg.value.string = equals + 1;
    }
    *ret_arg = arg;
    return NULL;
}

/* Where the argument `key` is, or would be. */
static size_t find_key(const grpc_arg *args, size_t n, const char *key)
{
    size_t at = 0;
    while (at < n && strcmp(args[at].key, key) != 0)
        at++;
    return at;
}

Error *channel_arguments_parse(Arena *arena, const char *text, grpc_arg *args, size_t n, size_t max,
                               size_t *ret_n)
{
    char *rest = arena_strdup(arena, text);
    if (rest == NULL)
        return error_out_of_memory();
    while (rest != NULL) {
        grpc_arg arg;
        char *element = rest;
        rest = strchr(element, ',');
        if (rest != NULL)
            *rest++ = '\0';
        if (*element == '\0')
            continue;
        TRY(parse_element(element, &arg));
        size_t at = find_key(args, n, arg.key);
        if (at == max)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "--grpc_channel_arguments: there may be %zu of them", max);
        args[at] = arg;
        n += at == n;
    }
    *ret_n = n;
    return NULL;
}
