/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration file that is changed under a manager, as people and tools change one: in one go, by
 * cutting it short first, by swapping a symbolic link.
 */
#include "server/config/config_file.h"

#include <unistd.h>

#include "tests/unit/server/manager/manager_fixture.h"

static ConfigFile *file;

static const char *text_of(const char *name)
{
    return arena_printf(fx.arena,
                        "model_config_list { config { name: '%s' base_path: '%s' "
                        "model_platform: 'tensorflow' } }\n",
                        name, in("%s", name));
}

static void write_config(const char *text)
{
    assert_ok(file_write(in("models.config"), text, strlen(text)));
}

static void start_with_file(double poll_seconds)
{
    ModelList list;
    publish_in("a", 1, "ok 10");
    publish_in("b", 1, "ok 20");
    write_config(text_of("a"));
    assert_ok(config_file_open(fx.loop, in("models.config"), &file, &list));
    fx.options.models = list.models;
    fx.options.n_models = list.n;
    start(0);
    config_file_follow(file, fx.manager, poll_seconds);
    wait_until_ready(1);
}

static bool is_idle(void *data)
{
    (void)data;
    return config_file_is_idle(file);
}

static int teardown_file(void **state)
{
    config_file_stop(file);
    assert_true(loop_run_until(fx.loop, is_idle, NULL, LIMIT_MS));
    file = config_file_free(file);
    return teardown(state);
}

static bool is_b_serving(void *data)
{
    (void)data;
    return health("b") == HEALTH_SERVING;
}

static void check_models(HealthStatus a, HealthStatus b)
{
    assert_int_equal(health("a"), a);
    assert_int_equal(health("b"), b);
}

static void test_a_change(void **state)
{
    (void)state;
    start_with_file(POLL_SECONDS);
    check_models(HEALTH_SERVING, HEALTH_UNKNOWN);
    write_config(text_of("b"));
    assert_true(loop_run_until(fx.loop, is_b_serving, NULL, LIMIT_MS));
    check_models(HEALTH_UNKNOWN, HEALTH_SERVING);
}

static void test_what_is_no_configuration(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "model_config_list {", "nonsense",
                                         "model_config_list { config { name: 'b' } }" };
    start_with_file(POLL_SECONDS);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        write_config(texts[i]);
        run_a_few_polls();
        check_models(HEALTH_SERVING, HEALTH_UNKNOWN);
    }
    assert_int_equal(unlink(in("models.config")), 0);
    run_a_few_polls();
    check_models(HEALTH_SERVING, HEALTH_UNKNOWN);
    write_config(text_of("b"));
    assert_true(loop_run_until(fx.loop, is_b_serving, NULL, LIMIT_MS));
}

static void test_no_polling(void **state)
{
    (void)state;
    start_with_file(0);
    write_config(text_of("b"));
    run_a_few_polls();
    check_models(HEALTH_SERVING, HEALTH_UNKNOWN);
    config_file_look(file);
    config_file_look(file); /* asked twice while it looks */
    assert_true(loop_run_until(fx.loop, is_b_serving, NULL, LIMIT_MS));
}

static void test_a_link_is_swapped(void **state)
{
    (void)state;
    start_with_file(POLL_SECONDS);
    const char *text = text_of("b");
    assert_ok(file_write(in("other.config"), text, strlen(text)));
    assert_int_equal(symlink("other.config", in("link")), 0);
    assert_int_equal(rename(in("link"), in("models.config")), 0);
    assert_true(loop_run_until(fx.loop, is_b_serving, NULL, LIMIT_MS));
}

static void test_opening(void **state)
{
    (void)state;
    ModelList list;
    assert_error(config_file_open(fx.loop, in("none"), &file, &list), ERROR_NOT_FOUND, "none");
    write_config("improperly formatted file");
    assert_error(config_file_open(fx.loop, in("models.config"), &file, &list),
                 ERROR_INVALID_ARGUMENT,
                 "Error parsing text-format tensorflow.serving.ModelServerConfig");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_change, setup, teardown_file),
        cmocka_unit_test_setup_teardown(test_what_is_no_configuration, setup, teardown_file),
        cmocka_unit_test_setup_teardown(test_no_polling, setup, teardown_file),
        cmocka_unit_test_setup_teardown(test_a_link_is_swapped, setup, teardown_file),
        TEST(test_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
