/* SPDX-License-Identifier: Apache-2.0
 *
 * monitoring_parse: which path, if any, a MonitoringConfig gives.
 */
#include "server/metrics/monitoring.h"
#include "tests/support/check.h"

static void test_paths(void **state _unused_)
{
    static const struct {
        const char *text, *path;
    } cases[] = {
        { "", NULL },
        { "prometheus_config {}", NULL },
        { "prometheus_config { path: \"/x\" }", NULL },
        { "prometheus_config { enable: true }", MONITORING_DEFAULT_PATH },
        { "prometheus_config: { enable: true, path: \"/metrics\" }", "/metrics" },
    };
    Arena *arena = arena_new(4096, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = "untouched";
        assert_ok(monitoring_parse(arena, bytes_of_text(cases[i].text), &path));
        if (cases[i].path == NULL)
            assert_null(path);
        else
            assert_string_equal(path, cases[i].path);
    }
    arena_free(arena);
}

static void test_errors(void **state _unused_)
{
    Arena *arena = arena_new(4096, 0);
    const char *path;
    assert_error(
        monitoring_parse(
            arena, bytes_of_text("prometheus_config { enable: true path: \"metrics\" }"), &path),
        ERROR_INVALID_ARGUMENT, "metrics: it must start with a slash");
    assert_error(monitoring_parse(arena, bytes_of_text("prometheus { }"), &path),
                 ERROR_INVALID_ARGUMENT, "tensorflow.serving.MonitoringConfig: 1:");
    assert_error(monitoring_read(arena, "/nowhere/monitoring.config", &path), ERROR_NOT_FOUND,
                 "/nowhere/monitoring.config");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
