/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager: versions come, serve and go; readiness, policies, draining.
 */
#include <malloc.h>

#include "tests/unit/server/manager/manager_fixture.h"

static void test_first_version(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    Handle handle = { 0 };
    assert_error(acquire("digits", NULL, &handle), ERROR_NOT_FOUND,
                 "Servable not found for request: Latest(digits)");
    wait_until_ready(1);
    check_latest(1, 10);
    assert_int_equal(atomic_load(&fake_n_warm), 1);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    run_a_few_polls();
    assert_int_equal(fx.n_ready, 1);
    assert_int_equal(atomic_load(&fake_n_loads), 1);
}

static void test_texts_of_not_found(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    Handle handle = { 0 };
    int64_t two = 2;
    assert_error(acquire("intentionally_missing_model", NULL, &handle), ERROR_NOT_FOUND,
                 "Servable not found for request: Latest(intentionally_missing_model)");
    assert_error(acquire("digits", &two, &handle), ERROR_NOT_FOUND,
                 "Servable not found for request: Specific(digits, 2)");
    assert_error(acquire("digit", NULL, &handle), ERROR_NOT_FOUND, "Latest(digit)");
    assert_error(acquire("digitsx", NULL, &handle), ERROR_NOT_FOUND, "Latest(digitsx)");
    VersionStatus *statuses;
    size_t n;
    assert_error(manager_status(fx.manager, bytes_of_text("other"), NULL, fx.arena, &statuses, &n),
                 ERROR_NOT_FOUND, "Could not find any versions of model other");
    assert_error(manager_status(fx.manager, bytes_of_text("digits"), &two, fx.arena, &statuses, &n),
                 ERROR_NOT_FOUND, "Could not find version 2 of model digits");
}

static void test_new_version_while_handles_are_held(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    Handle old = { 0 };
    Handle second = { 0 };
    assert_ok(acquire("digits", NULL, &old));
    assert_ok(acquire("digits", NULL, &second));
    publish(2, "ok 20");
    wait_for(2, VERSION_AVAILABLE, ERROR_OK);
    check_latest(2, 20);
    wait_for(1, VERSION_UNLOADING, ERROR_OK);
    run_a_few_polls();
    assert_int_equal(fake_value(old.model), 10);
    handle_release(&old);
    run_a_few_polls();
    wait_for(1, VERSION_UNLOADING, ERROR_OK);
    assert_int_equal(fake_value(second.model), 10);
    assert_int_equal(atomic_load(&fake_n_alive), 2);
    handle_release(&second);
    wait_for(1, VERSION_END, ERROR_OK);
    assert_int_equal(atomic_load(&fake_n_alive), 1);
    check_latest(2, 20);
}

static void test_ready_waits_for_the_load(void **state)
{
    (void)state;
    publish(1, "gate 10");
    start(0);
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    wait_for(1, VERSION_LOADING, ERROR_OK);
    run_a_few_polls();
    assert_int_equal(fx.n_ready, 0);
    fake_gate_open();
    wait_until_ready(1);
}

static void test_ready_waits_no_longer_than_the_limit(void **state)
{
    (void)state;
    publish(1, "gate 10");
    start(50);
    wait_until_ready(0);
    fake_gate_open();
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    run_a_few_polls();
    assert_int_equal(fx.n_ready, 1);
}

static void test_two_models(void **state)
{
    (void)state;
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    fx.options.n_models = 2;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1); /* the missing one is not waited for */
    static const struct {
        const char *service;
        HealthStatus one, both;
    } cases[] = {
        { "", HEALTH_NOT_SERVING, HEALTH_SERVING },
        { "tensorflow.serving.PredictionService", HEALTH_NOT_SERVING, HEALTH_SERVING },
        { "tensorflow.serving.ModelService", HEALTH_NOT_SERVING, HEALTH_SERVING },
        { "digits", HEALTH_SERVING, HEALTH_SERVING },
        { "half", HEALTH_NOT_SERVING, HEALTH_SERVING },
        { "other", HEALTH_UNKNOWN, HEALTH_UNKNOWN },
        { "tensorflow.serving", HEALTH_UNKNOWN, HEALTH_UNKNOWN },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(health(cases[i].service), cases[i].one);
    publish_in("half", 5, "ok 50");
    while (health("half") != HEALTH_SERVING)
        run_a_few_polls();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(health(cases[i].service), cases[i].both);
    Handle handle;
    assert_ok(acquire("half", NULL, &handle));
    assert_int_equal(handle.version, 5);
    handle_release(&handle);
    check_latest(1, 10);
    manager_drain(fx.manager);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(health(cases[i].service),
                         cases[i].both == HEALTH_SERVING ? HEALTH_NOT_SERVING : HEALTH_UNKNOWN);
}

static void test_drain(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    manager_drain(fx.manager);
    publish(2, "ok 20");
    run_a_few_polls();
    check_latest(1, 10); /* still answers */
    assert_int_equal(atomic_load(&fake_n_loads), 1);
}

static void test_drain_during_a_load(void **state)
{
    (void)state;
    publish(1, "gate 10");
    start(0);
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    manager_drain(fx.manager);
    fake_gate_open();
    run_a_few_polls();
    assert_int_equal(fx.n_ready, 0);
}

static void test_policies(void **state)
{
    (void)state;
    static const int64_t wanted[] = { 1, 3 };
    fx.models[0].policy =
        (VersionPolicy){ .choice = VERSIONS_SPECIFIC, .versions = wanted, .n_versions = 2 };
    for (int i = 1; i <= 4; i++)
        publish(i, "ok 1");
    start(0);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    wait_for(3, VERSION_AVAILABLE, ERROR_OK);
    for (int64_t version = 1; version <= 4; version++) {
        Handle handle = { 0 };
        if (version % 2 == 1) {
            assert_ok(acquire("digits", &version, &handle));
            assert_int_equal(handle.version, version);
            handle_release(&handle);
        } else {
            assert_error(acquire("digits", &version, &handle), ERROR_NOT_FOUND, "Specific");
        }
    }
    check_latest(3, 1);
    VersionStatus *statuses;
    size_t n;
    assert_ok(manager_status(fx.manager, bytes_of_text("digits"), NULL, fx.arena, &statuses, &n));
    assert_int_equal(n, 2);
    assert_int_equal(statuses[0].version, 3); /* descending */
    assert_int_equal(statuses[1].version, 1);
}

static void test_looking_once_and_never(void **state)
{
    (void)state;
    fx.options.poll_wait_seconds = 0;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    publish(2, "ok 20");
    run_a_few_polls();
    check_latest(1, 10);
    fx.manager = manager_free(fx.manager, LIMIT_MS);

    fx.options.poll_wait_seconds = -1;
    fx.n_ready = 0;
    start(0);
    wait_until_ready(0);
    run_a_few_polls();
    Handle handle;
    assert_error(acquire("digits", NULL, &handle), ERROR_NOT_FOUND, "Latest(digits)");
}

static void test_bad_options(void **state)
{
    (void)state;
    fx.models[1] = fx.models[0];
    fx.options.n_models = 2;
    assert_error(manager_new(fx.loop, &fx.options, &fx.manager), ERROR_INVALID_ARGUMENT,
                 "Illegal to list model digits multiple times in config list");
    fx.models[1].name = "";
    assert_error(manager_new(fx.loop, &fx.options, &fx.manager), ERROR_INVALID_ARGUMENT,
                 "has no name");
    fx.models[1].name = "other";
    fx.models[1].base_path = "";
    assert_error(manager_new(fx.loop, &fx.options, &fx.manager), ERROR_INVALID_ARGUMENT,
                 "model other has no base path");
    assert_null(fx.manager);
}

static bool are_all_unloaded_but_one(void *data)
{
    (void)data;
    return atomic_load(&fake_n_alive) == 1;
}

/* Each model is 1 MiB: what a reload leaves behind would show, in the counters or in the memory
 * that the process holds; and the list of versions that have ended stays short. */
static void test_many_reloads(void **state)
{
    (void)state;
    enum { N = 200, WARM = 50 };
    publish(1, "ok 1");
    start(0);
    wait_until_ready(1);
    size_t used_warm = 0;
    for (int i = 2; i <= N; i++) {
        publish(i, "ok 1");
        wait_for(i, VERSION_AVAILABLE, ERROR_OK);
        check_latest(i, 1);
        assert_true(loop_run_until(fx.loop, are_all_unloaded_but_one, NULL, LIMIT_MS));
        assert_ok(file_remove_tree(in("digits/%d", i - 1)));
        arena_reset(fx.arena, 4096);
        if (i == WARM)
            used_warm = mallinfo2().uordblks + mallinfo2().hblkhd;
    }
    size_t used = mallinfo2().uordblks + mallinfo2().hblkhd;
    if (used > used_warm + 256 * 1024)
        fail_msg("%zu bytes more in use after %d reloads", used - used_warm, N - WARM);
    VersionStatus *statuses;
    size_t n;
    assert_ok(manager_status(fx.manager, bytes_of_text("digits"), NULL, fx.arena, &statuses, &n));
    assert_in_range(n, 2, 18);
    assert_int_equal(statuses[0].version, N);
    assert_int_equal(statuses[1].version, N - 1);
}

/* Last, since what is still lent out then stays to the end of the process. */
static void test_free_with_a_handle_out(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    Handle handle;
    assert_ok(acquire("digits", NULL, &handle));
    assert_ptr_equal(manager_free(fx.manager, 50), fx.manager);
    fx.manager = NULL;
    assert_int_equal(fake_value(handle.model), 10);
    fx.loop = loop_free(fx.loop);
    handle_release(&handle);
    arena_free(fx.arena);
    test_directory_remove(fx.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_version),
        TEST(test_texts_of_not_found),
        TEST(test_new_version_while_handles_are_held),
        TEST(test_ready_waits_for_the_load),
        TEST(test_ready_waits_no_longer_than_the_limit),
        TEST(test_two_models),
        TEST(test_drain),
        TEST(test_drain_during_a_load),
        TEST(test_policies),
        TEST(test_looking_once_and_never),
        TEST(test_bad_options),
        TEST(test_many_reloads),
        cmocka_unit_test_setup(test_free_with_a_handle_out, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
