/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager and the disk: bad and half-copied bundles, files that change, directories that come,
 * go, are busy or cannot be listed; retries.
 */
#include "tests/unit/server/manager/manager_fixture.h"

static LoopTimer *noise;
static int n_noises;

static void test_a_bad_version_keeps_the_old_one(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    publish(2, "bad node `x` has op Frobnicate");
    const char *text = wait_for(2, VERSION_END, ERROR_INVALID_ARGUMENT);
    assert_string_equal(text, "node `x` has op Frobnicate");
    run_a_few_polls();
    check_latest(1, 10);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    assert_int_equal(atomic_load(&fake_n_loads), 2);

    /* Gone again, it is history; and a good one after it is taken up. */
    withdraw(2);
    run_a_few_polls();
    assert_string_equal(wait_for(2, VERSION_END, ERROR_INVALID_ARGUMENT), text);
    check_latest(1, 10);
    publish(3, "ok 30");
    wait_for(3, VERSION_AVAILABLE, ERROR_OK);
    check_latest(3, 30);
}

/* No retry by time is due for a minute: it is the changed file that does it. */
static void test_a_warm_up_that_fails(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    publish(2, "ok -1"); /* FAKE_COLD */
    assert_string_equal(wait_for(2, VERSION_END, ERROR_INVALID_ARGUMENT), "it stays cold");
    check_latest(1, 10);
    assert_int_equal(atomic_load(&fake_n_alive), 1);
}

static void test_a_half_copied_version_is_completed(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    assert_ok(file_make_directories(in("digits/2")));
    wait_for(2, VERSION_END, ERROR_NOT_FOUND);
    check_latest(1, 10);
    assert_ok(file_write(in("digits/2/saved_model.pb"), "bad half", 8));
    assert_string_equal(wait_for(2, VERSION_END, ERROR_INVALID_ARGUMENT), "half");
    check_latest(1, 10);
    assert_ok(file_write(in("digits/2/saved_model.pb"), "ok 20", 5));
    wait_for(2, VERSION_AVAILABLE, ERROR_OK);
    check_latest(2, 20);
    wait_for(1, VERSION_END, ERROR_OK);
}

static void test_files_that_change_while_they_load(void **state)
{
    (void)state;
    publish(1, "gate 10");
    start(0);
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    assert_ok(file_write(in("digits/1/saved_model.pb"), "ok 11", 5));
    fake_gate_open();
    assert_non_null(strstr(wait_for(1, VERSION_END, ERROR_UNAVAILABLE), "changed while"));
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    check_latest(1, 11);
}

static void test_files_that_change_afterwards(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    assert_ok(file_write(in("digits/1/saved_model.pb"), "bad", 3));
    run_a_few_polls();
    check_latest(1, 10);
    assert_int_equal(unlink(in("digits/1/saved_model.pb")), 0);
    run_a_few_polls();
    check_latest(1, 10);
    assert_int_equal(atomic_load(&fake_n_loads), 1);
}

static void test_removal_and_return(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    withdraw(1);
    wait_for(1, VERSION_END, ERROR_OK);
    Handle handle;
    assert_error(acquire("digits", NULL, &handle), ERROR_NOT_FOUND, "Latest(digits)");
    assert_int_equal(health("digits"), HEALTH_NOT_SERVING);
    publish(1, "ok 11");
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    check_latest(1, 11);
    assert_int_equal(health("digits"), HEALTH_SERVING);
}

static void test_going_back_to_an_older_version(void **state)
{
    (void)state;
    publish(1, "ok 10");
    publish(2, "ok 20");
    start(0);
    wait_until_ready(1);
    check_latest(2, 20);
    withdraw(2);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    wait_for(2, VERSION_END, ERROR_OK);
    check_latest(1, 10);
}

static void test_a_base_path_that_comes_late(void **state)
{
    (void)state;
    fx.models[0].base_path = in("volume/mounted/digits");
    start(0);
    wait_until_ready(0);
    assert_int_equal(health("digits"), HEALTH_NOT_SERVING);
    publish_in("volume/mounted/digits", 1, "ok 10");
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    check_latest(1, 10);
}

/* Polling is a minute away: events must do it, from the first missing ancestor down. */
static void test_events_alone(void **state)
{
    (void)state;
    fx.options.poll_wait_seconds = 60;
    fx.models[0].base_path = in("a/b/digits");
    start(0);
    wait_until_ready(0);
    assert_ok(file_make_directories(in("a")));
    run_a_few_polls();
    publish_in("a/b/digits", 1, "ok 10");
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    publish_in("a/b/digits", 2, "ok 20");
    wait_for(2, VERSION_AVAILABLE, ERROR_OK);
    wait_for(1, VERSION_END, ERROR_OK);
}

static void make_noise(void *data)
{
    (void)data;
    n_noises++;
    const char *path = in("digits/noise");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(rmdir(path), 0);
    loop_timer_start(noise, 1);
}

/* Events every millisecond must not put the look off, which would then wait for a pause in them. */
static void test_a_busy_directory(void **state)
{
    (void)state;
    fx.options.poll_wait_seconds = 60;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    noise = loop_timer_new(fx.loop, make_noise, NULL);
    assert_non_null(noise);
    make_noise(NULL);
    run_a_few_polls();
    publish(2, "ok 20");
    n_noises = 0;
    wait_for(2, VERSION_AVAILABLE, ERROR_OK);
    assert_in_range(n_noises, 0, 300);
    loop_timer_free(noise);
}

static void test_a_listing_error_keeps_all(void **state)
{
    (void)state;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
    assert_int_equal(rename(in("digits"), in("away")), 0);
    run_a_few_polls();
    check_latest(1, 10);
    assert_int_equal(health(""), HEALTH_SERVING);
    /* A clean listing without the version is another matter. */
    assert_ok(file_make_directories(in("digits")));
    wait_for(1, VERSION_END, ERROR_OK);
}

static void test_retries_by_time(void **state)
{
    (void)state;
    fx.options.max_load_retries = 2;
    fx.options.load_retry_interval_ms = 10;
    publish(1, "flaky 2");
    start(0);
    wait_until_ready(0); /* a first failure is enough not to wait for it */
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    assert_int_equal(atomic_load(&fake_n_loads), 3);
}

static void test_retries_have_an_end(void **state)
{
    (void)state;
    fx.options.max_load_retries = 2;
    fx.options.load_retry_interval_ms = 1;
    publish(1, "flaky 1000");
    start(0);
    wait_for(1, VERSION_END, ERROR_UNAVAILABLE);
    run_a_few_polls();
    assert_int_equal(atomic_load(&fake_n_loads), 3);
    assert_string_equal(wait_for(1, VERSION_END, ERROR_UNAVAILABLE), "not in the mood");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_bad_version_keeps_the_old_one),
        TEST(test_a_warm_up_that_fails),
        TEST(test_a_half_copied_version_is_completed),
        TEST(test_files_that_change_while_they_load),
        TEST(test_files_that_change_afterwards),
        TEST(test_removal_and_return),
        TEST(test_going_back_to_an_older_version),
        TEST(test_a_base_path_that_comes_late),
        TEST(test_events_alone),
        TEST(test_a_busy_directory),
        TEST(test_a_listing_error_keeps_all),
        TEST(test_retries_by_time),
        TEST(test_retries_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
