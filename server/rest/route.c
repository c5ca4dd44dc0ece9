/* SPDX-License-Identifier: Apache-2.0
 *
 * Route. TensorFlow Serving matches two regular expressions without regard to case, then takes the
 * verb as it is written, and decodes %XX in the names afterwards:
 *
 *     POST /v1/models/([^/:]+)(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?:(classify|regress|predict)
 *     GET  /v1/models(?:/([^/:]+))?(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?(?:\/(metadata))?
 */
#include "server/rest/route.h"

#include <string.h>
#include <strings.h>

#define PREFIX "/v1/"

/* Moves `*at` behind `word`, whatever its case. */
static bool take(const char **at, const char *word)
{
    size_t n = strlen(word);
    if (strncasecmp(*at, word, n) != 0)
        return false;
    *at += n;
    return true;
}

/* A name up to the next slash or colon, still encoded; not empty. */
static bool take_name(const char **at, Bytes *ret_name)
{
    size_t n = strcspn(*at, "/:");
    *ret_name = (Bytes){ (const uint8_t *)*at, n };
    *at += n;
    return n > 0;
}

static bool take_digits(const char **at, Bytes *ret_digits)
{
    size_t n = strspn(*at, "0123456789");
    *ret_digits = (Bytes){ (const uint8_t *)*at, n };
    *at += n;
    return n > 0;
}

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Without its %XX; one that is none stays as it is. */
static Error *decode(Arena *arena, Bytes *name)
{
    uint8_t *decoded = arena_alloc(arena, name->size);
    if (decoded == NULL)
        return error_out_of_memory();
    size_t n = 0;
    for (size_t i = 0; i < name->size; i++) {
        const uint8_t *at = name->data + i;
        bool is_code =
            *at == '%' && name->size - i > 2 && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0;
        decoded[n++] = is_code ? (uint8_t)(hex_value(at[1]) << 4 | hex_value(at[2])) : *at;
        i += is_code ? 2 : 0;
    }
    *name = (Bytes){ decoded, n };
    return NULL;
}

static Error *read_version(Bytes digits, int64_t *ret_version)
{
    int64_t version = 0;
    for (size_t i = 0; i < digits.size; i++)
        if (__builtin_mul_overflow(version, 10, &version) ||
            __builtin_add_overflow(version, digits.data[i] - '0', &version))
            return error_new(ERROR_INVALID_ARGUMENT, "Failed to convert version: %.*s to numeric.",
                             SHOWN(digits));
    *ret_version = version;
    return NULL;
}

static Error *malformed(const char *method, const char *path)
{
    return error_new(ERROR_INVALID_ARGUMENT, "Malformed request: %.64s %.2048s", method, path);
}

/* What is behind the name, version and label. */
static RouteKind kind_of(bool is_post, const char *rest)
{
    if (!is_post)
        return *rest == '\0'                        ? ROUTE_STATUS
               : strcasecmp(rest, "/metadata") == 0 ? ROUTE_METADATA
                                                    : ROUTE_ELSEWHERE;
    return strcmp(rest, ":predict") == 0    ? ROUTE_PREDICT
           : strcmp(rest, ":classify") == 0 ? ROUTE_CLASSIFY
           : strcmp(rest, ":regress") == 0  ? ROUTE_REGRESS
                                            : ROUTE_ELSEWHERE;
}

static Error *read_model(Arena *arena, const char *method, const char *path, Route *route)
{
    const char *at = path;
    Bytes digits = { 0 };
    bool is_post = strcmp(method, "POST") == 0;
    if ((!is_post && strcmp(method, "GET") != 0) || !take(&at, "/v1/models"))
        return malformed(method, path);
    if (!is_post && *at == '\0') {
        route->kind = ROUTE_LIST;
        return NULL;
    }
    if (!take(&at, "/") || !take_name(&at, &route->spec.name))
        return malformed(method, path);
    if (take(&at, "/versions/")) {
        route->spec.has_version = take_digits(&at, &digits);
        if (!route->spec.has_version)
            return malformed(method, path);
    } else if (take(&at, "/labels/")) {
        route->spec.has_label = take_name(&at, &route->spec.label);
        if (!route->spec.has_label)
            return malformed(method, path);
    }
    route->kind = kind_of(is_post, at);
    if (route->kind == ROUTE_ELSEWHERE)
        return malformed(method, path);
    route->spec.is_there = true;
    TRY(decode(arena, &route->spec.name));
    TRY(decode(arena, &route->spec.label));
    return read_version(digits, &route->spec.version);
}

Error *route_read(Arena *arena, const char *method, const char *path, Route *ret_route)
{
    Route route = { .kind = ROUTE_ELSEWHERE };
    if (strncasecmp(path, PREFIX, strlen(PREFIX)) == 0)
        TRY(read_model(arena, method, path, &route));
    else if (strcmp(path, "/healthz") == 0)
        route.kind = ROUTE_LIVE;
    else if (strcmp(path, "/readyz") == 0)
        route.kind = ROUTE_READY;
    *ret_route = route;
    return NULL;
}
