/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager over real directories and a real loop, with a fake loader. Nothing waits for a time
 * to pass: each test runs the loop until what it expects is so, and fails when that takes ten
 * seconds.
 */
#include "server/manager/manager.h"

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/server/manager/fake_loader.h"

#define LIMIT_MS 10000
#define POLL_SECONDS 0.02
#define A_FEW_POLLS_MS 200

typedef struct Fixture {
    char directory[TEST_DIRECTORY_BYTES];
    Arena *arena;
    Loop *loop;
    Manager *manager;
    Reader *reader;
    ManagerOptions options;
    ModelConfig models[2];
    int n_ready; /* calls of on_ready */
    size_t n_serving;
} Fixture;

static Fixture fx;
static LoopTimer *noise;
static int n_noises;

static const char *in(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *in(const char *format, ...)
{
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    return file_join(fx.arena, fx.directory, name);
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    memset(&fx, 0, sizeof(fx));
    test_directory_make(fx.directory);
    fx.arena = arena_new(4096, 0);
    assert_ok(loop_new(&fx.loop));
    fx.models[0] = (ModelConfig){ .name = "digits", .base_path = in("digits") };
    fx.options = (ManagerOptions)MANAGER_OPTIONS_DEFAULT;
    fx.options.models = fx.models;
    fx.options.n_models = 1;
    fx.options.poll_wait_seconds = POLL_SECONDS;
    fx.options.loader = &fake_loader;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_gate_open();
    noise = loop_timer_free(noise);
    fx.manager = manager_free(fx.manager, LIMIT_MS);
    assert_int_equal(atomic_load(&fake_n_alive), 0);
    loop_free(fx.loop);
    arena_free(fx.arena);
    test_directory_remove(fx.directory);
    return 0;
}

static void on_ready(void *data, size_t n_serving, size_t n_models)
{
    (void)data;
    assert_int_equal(n_models, fx.options.n_models);
    fx.n_ready++;
    fx.n_serving = n_serving;
}

static void start(uint64_t limit_ms)
{
    assert_ok(manager_new(fx.loop, &fx.options, &fx.manager));
    fx.reader = handle_reader_new(fx.manager);
    assert_non_null(fx.reader);
    manager_start(fx.manager, limit_ms, on_ready, NULL);
    assert_int_equal(fx.n_ready, 0);
}

/* ---- bundles ------------------------------------------------------------------------------- */

/* A version that appears at once and whole, as publishers should make them. */
static void publish_in(const char *base, int version, const char *text)
{
    const char *whole = in("%s/%d", base, version);
    const char *part = in("%s/tmp-%d", base, version);
    assert_ok(file_make_directories(part));
    assert_ok(file_write(file_join(fx.arena, part, "saved_model.pb"), text, strlen(text)));
    assert_int_equal(rename(part, whole), 0);
}

static void publish(int version, const char *text)
{
    publish_in("digits", version, text);
}

static void withdraw(int version)
{
    /* By rename, so that no look sees half of it. */
    assert_int_equal(rename(in("digits/%d", version), in("gone-%d", version)), 0);
}

/* ---- waiting ------------------------------------------------------------------------------- */

typedef struct Expected {
    int64_t version;
    VersionState state;
    ErrorCode code;
    VersionStatus got;
} Expected;

static bool is_in_state(void *data)
{
    Expected *expected = data;
    VersionStatus *statuses;
    size_t n;
    Error *error = manager_status(fx.manager, bytes_of_text("digits"), &expected->version, fx.arena,
                                  &statuses, &n);
    if (error != NULL) {
        error_free(error);
        return false;
    }
    expected->got = statuses[0];
    return statuses[0].state == expected->state && statuses[0].code == expected->code;
}

/* Runs the loop until the version is in this state; returns the text of its status. */
static const char *wait_for(int64_t version, VersionState state, ErrorCode code)
{
    Expected expected = { .version = version, .state = state, .code = code };
    if (!loop_run_until(fx.loop, is_in_state, &expected, LIMIT_MS))
        fail_msg("version %d: expected state %d, code %d; is %d, %d %s", (int)version, (int)state,
                 (int)code, (int)expected.got.state, (int)expected.got.code, expected.got.text);
    return expected.got.text;
}

static bool never(void *data)
{
    (void)data;
    return false;
}

static void run_a_few_polls(void)
{
    loop_run_until(fx.loop, never, NULL, A_FEW_POLLS_MS);
}

static bool is_ready(void *data)
{
    (void)data;
    return fx.n_ready > 0;
}

static void wait_until_ready(size_t n_serving)
{
    assert_true(loop_run_until(fx.loop, is_ready, NULL, LIMIT_MS));
    assert_int_equal(fx.n_serving, n_serving);
}

static bool is_at_gate(void *data)
{
    (void)data;
    return atomic_load(&fake_n_waiting) > 0;
}

/* ---- asking -------------------------------------------------------------------------------- */

static Error *acquire(const char *name, const int64_t *version, Handle *ret_handle)
{
    return handle_acquire(fx.reader, bytes_of_text(name), version, ret_handle);
}

static void check_latest(int64_t version, int value)
{
    Handle handle = { 0 };
    assert_ok(acquire("digits", NULL, &handle));
    assert_int_equal(handle.version, version);
    assert_int_equal(fake_value(handle.model), value);
    handle_release(&handle);
    assert_null(handle.model);
    handle_release(&handle); /* takes an empty one */
}

static HealthStatus health(const char *service)
{
    return manager_health(fx.manager, bytes_of_text(service));
}

/* ---- tests --------------------------------------------------------------------------------- */

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
    fx.manager = manager_free(fx.manager, 50);
    assert_int_equal(fake_value(handle.model), 10);
    fx.loop = loop_free(fx.loop);
    handle_release(&handle);
    arena_free(fx.arena);
    test_directory_remove(fx.directory);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_version),
        TEST(test_texts_of_not_found),
        TEST(test_new_version_while_handles_are_held),
        TEST(test_a_bad_version_keeps_the_old_one),
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
