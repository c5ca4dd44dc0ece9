/* SPDX-License-Identifier: Apache-2.0
 *
 * What the manager's tests share: the manager over real directories and a real loop, with a fake
 * loader. Nothing waits for a time to pass: each test runs the loop until what it expects is so, and
 * fails when that takes ten seconds.
 */
#ifndef DIGIT_TESTS_MANAGER_FIXTURE_H
#define DIGIT_TESTS_MANAGER_FIXTURE_H

#include "server/manager/manager.h"

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
    ModelConfig models[3];
    int n_ready; /* calls of on_ready */
    size_t n_serving;
} Fixture;

static Fixture fx;

static inline const char *in(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline const char *in(const char *format, ...)
{
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    return file_join(fx.arena, fx.directory, name);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
    (void)state;
    fake_gate_open();
    fx.manager = manager_free(fx.manager, LIMIT_MS);
    assert_int_equal(atomic_load(&fake_n_alive), 0);
    loop_free(fx.loop);
    arena_free(fx.arena);
    test_directory_remove(fx.directory);
    return 0;
}

static inline void on_ready(void *data, size_t n_serving, size_t n_models)
{
    (void)data;
    assert_int_equal(n_models, fx.options.n_models);
    fx.n_ready++;
    fx.n_serving = n_serving;
}

static inline void start(uint64_t limit_ms)
{
    assert_ok(manager_new(fx.loop, &fx.options, &fx.manager));
    fx.reader = handle_reader_new(fx.manager);
    assert_non_null(fx.reader);
    manager_start(fx.manager, limit_ms, on_ready, NULL);
    assert_int_equal(fx.n_ready, 0);
}

/* ---- bundles ------------------------------------------------------------------------------- */

/* A version that appears at once and whole, as publishers should make them. */
static inline void publish_in(const char *base, int version, const char *text)
{
    const char *whole = in("%s/%d", base, version);
    const char *part = in("%s/tmp-%d", base, version);
    assert_ok(file_make_directories(part));
    assert_ok(file_write(file_join(fx.arena, part, "saved_model.pb"), text, strlen(text)));
    assert_int_equal(rename(part, whole), 0);
}

static inline void publish(int version, const char *text)
{
    publish_in("digits", version, text);
}

static inline void withdraw(int version)
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

static inline bool is_in_state(void *data)
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
static inline const char *wait_for(int64_t version, VersionState state, ErrorCode code)
{
    Expected expected = { .version = version, .state = state, .code = code };
    if (!loop_run_until(fx.loop, is_in_state, &expected, LIMIT_MS))
        fail_msg("version %d: expected state %d, code %d; is %d, %d %s", (int)version, (int)state,
                 (int)code, (int)expected.got.state, (int)expected.got.code, expected.got.text);
    return expected.got.text;
}

static inline bool never(void *data)
{
    (void)data;
    return false;
}

static inline void run_a_few_polls(void)
{
    loop_run_until(fx.loop, never, NULL, A_FEW_POLLS_MS);
}

static inline bool is_ready(void *data)
{
    (void)data;
    return fx.n_ready > 0;
}

static inline void wait_until_ready(size_t n_serving)
{
    assert_true(loop_run_until(fx.loop, is_ready, NULL, LIMIT_MS));
    assert_int_equal(fx.n_serving, n_serving);
}

static inline bool is_at_gate(void *data)
{
    (void)data;
    return atomic_load(&fake_n_waiting) > 0;
}

/* ---- asking -------------------------------------------------------------------------------- */

static inline Error *acquire(const char *name, const int64_t *version, Handle *ret_handle)
{
    return handle_acquire(fx.reader, bytes_of_text(name), version, ret_handle);
}

static inline void check_latest(int64_t version, int value)
{
    Handle handle = { 0 };
    assert_ok(acquire("digits", NULL, &handle));
    assert_int_equal(handle.version, version);
    assert_int_equal(fake_value(handle.model), value);
    handle_release(&handle);
    assert_null(handle.model);
    handle_release(&handle); /* takes an empty one */
}

static inline HealthStatus health(const char *service)
{
    return manager_health(fx.manager, bytes_of_text(service));
}

/* A row of a test program's table. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
