/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes: methods and paths of the contract, and those that are none.
 */
#include "server/rest/route.h"
#include "tests/support/check.h"

typedef struct Case {
    const char *method, *path;
    RouteKind kind;
    const char *name, *label; /* NULL: none */
    int64_t version;          /* -1: none */
} Case;

static const Case cases[] = {
    { "GET", "/v1/models/m", ROUTE_STATUS, "m", NULL, -1 },
    { "GET", "/V1/Models/Mm", ROUTE_STATUS, "Mm", NULL, -1 },
    { "GET", "/v1/models/m/versions/12", ROUTE_STATUS, "m", NULL, 12 },
    { "GET", "/v1/models/m/labels/stable", ROUTE_STATUS, "m", "stable", -1 },
    { "GET", "/v1/models/m/metadata", ROUTE_METADATA, "m", NULL, -1 },
    { "GET", "/v1/models/m/versions/0/METADATA", ROUTE_METADATA, "m", NULL, 0 },
    { "GET", "/v1/models", ROUTE_LIST, NULL, NULL, -1 },
    { "POST", "/v1/models/m:predict", ROUTE_PREDICT, "m", NULL, -1 },
    { "POST", "/v1/models/m/versions/9223372036854775807:predict", ROUTE_PREDICT, "m", NULL,
      INT64_MAX },
    { "POST", "/v1/models/a%2Fb%20c/labels/x%3a:classify", ROUTE_CLASSIFY, "a/b c", "x:", -1 },
    { "POST", "/v1/models/50%:regress", ROUTE_REGRESS, "50%", NULL, -1 },
    { "GET", "/", ROUTE_ELSEWHERE, NULL, NULL, -1 },
    { "PUT", "/v2/models/m", ROUTE_ELSEWHERE, NULL, NULL, -1 },
    { "GET", "/healthz", ROUTE_LIVE, NULL, NULL, -1 },
    { "GET", "/readyz", ROUTE_READY, NULL, NULL, -1 },
};

static const struct {
    const char *method, *path, *text;
} refused[] = {
    { "POST", "/v1/models/m:PREDICT", "Malformed request: POST /v1/models/m:PREDICT" },
    { "GET", "/v1/models/m:predict", "Malformed request: GET /v1/models/m:predict" },
    { "POST", "/v1/models/m", "Malformed request: POST /v1/models/m" },
    { "POST", "/v1/models", "Malformed request: POST /v1/models" },
    { "HEAD", "/v1/models/m", "Malformed request: HEAD /v1/models/m" },
    { "GET", "/v1/models/", "Malformed request: GET /v1/models/" },
    { "GET", "/v1/models/m/", "Malformed request: GET /v1/models/m/" },
    { "GET", "/v1/models/m/versions/", "Malformed request: GET /v1/models/m/versions/" },
    { "GET", "/v1/models/m/versions/1a", "Malformed request: GET /v1/models/m/versions/1a" },
    { "GET", "/v1/models/m/versions/1/labels/a", "Malformed request: " },
    { "GET", "/v1/models/m/labels/", "Malformed request: " },
    { "POST", "/v1/models/:predict", "Malformed request: " },
    { "POST", "/v1/models/m:predictx", "Malformed request: " },
    { "GET", "/v1/modelsx", "Malformed request: GET /v1/modelsx" },
    { "GET", "/v1/models/m/versions/9223372036854775808",
      "Failed to convert version: 9223372036854775808 to numeric." },
};

static void assert_text(Bytes got, const char *expected)
{
    size_t n = expected != NULL ? strlen(expected) : 0;
    assert_int_equal(got.size, n);
    if (n > 0)
        assert_memory_equal(got.data, expected, n);
}

static void test_routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
        const Case *c = &cases[i];
        Route route;
        print_message("%s %s\n", c->method, c->path);
        assert_ok(route_read(arena, c->method, c->path, &route));
        assert_int_equal(route.kind, c->kind);
        assert_text(route.spec.name, c->name);
        assert_text(route.spec.label, c->label);
        assert_int_equal(route.spec.has_label, c->label != NULL);
        assert_int_equal(route.spec.has_version, c->version >= 0);
        assert_int_equal(route.spec.version, c->version >= 0 ? c->version : 0);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
        Route route;
        assert_error(route_read(arena, refused[i].method, refused[i].path, &route),
                     ERROR_INVALID_ARGUMENT, refused[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
