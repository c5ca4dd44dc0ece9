/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager's configuration changes while it serves: models come, go and move, and version labels
 * are given.
 */
#include "tests/unit/server/manager/manager_fixture.h"

typedef struct Reloaded {
    int n_calls;
    Error *error;
} Reloaded;

static Reloaded reloaded;

static void on_reloaded(void *data, Error *error)
{
    assert_ptr_equal(data, &reloaded);
    reloaded.n_calls++;
    error_free(reloaded.error);
    reloaded.error = error;
}

static Error *begin_reload(size_t n)
{
    reloaded.n_calls = 0;
    return manager_reload(fx.manager, fx.models, n, on_reloaded, &reloaded);
}

static bool is_reloaded(void *data)
{
    (void)data;
    return reloaded.n_calls > 0;
}

/* Waits for the reload and gives what it said. */
static Error *end_reload(void)
{
    assert_int_equal(reloaded.n_calls, 0); /* never called from inside */
    assert_true(loop_run_until(fx.loop, is_reloaded, NULL, LIMIT_MS));
    assert_int_equal(reloaded.n_calls, 1);
    return TAKE(reloaded.error);
}

static void reload(size_t n)
{
    assert_ok(begin_reload(n));
    assert_ok(end_reload());
}

static void start_digits(void)
{
    publish(1, "ok 10");
    start(0);
    wait_until_ready(1);
}

static bool is_gone(void *data)
{
    VersionStatus *statuses;
    size_t n;
    Error *error = manager_status(fx.manager, bytes_of_text(data), NULL, fx.arena, &statuses, &n);
    bool is_not_found = error != NULL && error->code == ERROR_NOT_FOUND;
    error_free(error);
    return is_not_found;
}

static void wait_until_gone(const char *name)
{
    assert_true(loop_run_until(fx.loop, is_gone, (char *)(uintptr_t)name, LIMIT_MS));
}

/* The value that the label's version has; fails the test when there is none. */
static int labelled(const char *label)
{
    Handle handle = { 0 };
    assert_ok(
        handle_acquire_labelled(fx.reader, bytes_of_text("digits"), bytes_of_text(label), &handle));
    int value = fake_value(handle.model);
    handle_release(&handle);
    return value;
}

static void set_labels(const VersionLabel *labels, size_t n)
{
    fx.models[0].labels = labels;
    fx.models[0].n_labels = n;
}

/* ---- models -------------------------------------------------------------------------------- */

static void test_a_model_is_added(void **state)
{
    (void)state;
    start_digits();
    publish_in("half", 5, "gate 50");
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    assert_ok(begin_reload(2));
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    assert_int_equal(reloaded.n_calls, 0);
    assert_int_equal(health("digits"), HEALTH_SERVING);
    assert_int_equal(health(""), HEALTH_NOT_SERVING);
    check_latest(1, 10);
    fake_gate_open();
    assert_ok(end_reload());
    Handle handle;
    assert_ok(acquire("half", NULL, &handle));
    assert_int_equal(fake_value(handle.model), 50);
    handle_release(&handle);
    assert_int_equal(health(""), HEALTH_SERVING);
    assert_int_equal(atomic_load(&fake_n_loads), 2);
}

static void test_a_model_is_removed(void **state)
{
    (void)state;
    publish_in("half", 5, "ok 50");
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    fx.options.n_models = 2;
    publish(1, "ok 10");
    start(0);
    wait_until_ready(2);
    Handle held;
    assert_ok(acquire("half", NULL, &held));
    reload(1);
    Handle handle;
    assert_error(acquire("half", NULL, &handle), ERROR_NOT_FOUND, "Latest(half)");
    assert_int_equal(health("half"), HEALTH_UNKNOWN);
    assert_int_equal(health(""), HEALTH_SERVING);
    run_a_few_polls();
    assert_int_equal(fake_value(held.model), 50); /* the loan is good until it is given back */
    handle_release(&held);
    wait_until_gone("half");
    check_latest(1, 10);
    assert_int_equal(atomic_load(&fake_n_alive), 1);

    fx.models[1].base_path = in("half"); /* and comes back */
    reload(2);
    assert_ok(acquire("half", NULL, &handle));
    handle_release(&handle);
}

static void test_removed_and_added_while_it_unloads(void **state)
{
    (void)state;
    start_digits();
    Handle held;
    assert_ok(acquire("digits", NULL, &held));
    reload(0);
    Handle handle;
    assert_error(acquire("digits", NULL, &handle), ERROR_NOT_FOUND, "Latest(digits)");
    reload(1);
    check_latest(1, 10);
    assert_int_equal(atomic_load(&fake_n_alive), 2);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    handle_release(&held);
    run_a_few_polls();
    assert_int_equal(atomic_load(&fake_n_alive), 1);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
}

/* Serves from the old place until the new one is up, and never neither. */
static void test_a_model_moves(void **state)
{
    (void)state;
    start_digits();
    publish_in("elsewhere", 1, "gate 11");
    fx.models[0].base_path = in("elsewhere");
    assert_ok(begin_reload(1));
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    run_a_few_polls();
    assert_int_equal(reloaded.n_calls, 0);
    check_latest(1, 10);
    assert_int_equal(health("digits"), HEALTH_SERVING);
    fake_gate_open();
    assert_ok(end_reload());
    check_latest(1, 11);
    run_a_few_polls();
    assert_int_equal(atomic_load(&fake_n_alive), 1);
    publish(9, "ok 90"); /* nobody looks there any more */
    run_a_few_polls();
    check_latest(1, 11);
}

static void test_a_move_that_fails(void **state)
{
    (void)state;
    start_digits();
    publish_in("elsewhere", 2, "bad weights");
    fx.models[0].base_path = in("elsewhere");
    assert_ok(begin_reload(1));
    assert_error(end_reload(), ERROR_UNKNOWN,
                 "1 model(s) did not become available: {{{name: digits version: 2} due to error: "
                 "INVALID_ARGUMENT: weights}, }");
    check_latest(1, 10);
    assert_int_equal(health("digits"), HEALTH_SERVING);
    fx.models[0].base_path = in("digits"); /* and back: loaded once more */
    reload(1);
    check_latest(1, 10);
}

static void test_what_does_not_come_up(void **state)
{
    (void)state;
    start_digits();
    publish_in("half", 5, "bad half");
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    fx.models[2] = (ModelConfig){ .name = "none", .base_path = in("none") };
    assert_ok(begin_reload(3));
    _cleanup_(error_freep) Error *error = end_reload();
    assert_int_equal(error->code, ERROR_UNKNOWN);
    assert_non_null(strstr(error->text, "2 model(s) did not become available: "));
    assert_non_null(strstr(error->text, "{{name: half version: 5} due to error: "
                                        "INVALID_ARGUMENT: half}, "));
    assert_non_null(strstr(error->text, "{{name: none} due to error: NOT_FOUND: no version to "
                                        "serve was found under base path "));
    check_latest(1, 10);
}

static void test_all_or_nothing(void **state)
{
    (void)state;
    start_digits();
    publish_in("half", 5, "ok 50");
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    fx.models[2] = fx.models[1];
    assert_error(begin_reload(3), ERROR_INVALID_ARGUMENT,
                 "Illegal to list model half multiple times in config list");
    fx.models[2] = (ModelConfig){ .name = "third", .base_path = "" };
    assert_error(begin_reload(3), ERROR_INVALID_ARGUMENT, "model third has no base path");
    run_a_few_polls();
    assert_int_equal(reloaded.n_calls, 0);
    assert_int_equal(health("half"), HEALTH_UNKNOWN);
    assert_int_equal(atomic_load(&fake_n_loads), 1);
    check_latest(1, 10);
}

static void test_a_policy_changes(void **state)
{
    (void)state;
    static const int64_t one[] = { 1 };
    publish(1, "ok 10");
    publish(2, "ok 20");
    start(0);
    wait_until_ready(1);
    check_latest(2, 20);
    fx.models[0].policy = (VersionPolicy){ .choice = VERSIONS_ALL };
    reload(1);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    fx.models[0].policy =
        (VersionPolicy){ .choice = VERSIONS_SPECIFIC, .versions = one, .n_versions = 1 };
    reload(1);
    wait_for(2, VERSION_END, ERROR_OK);
    check_latest(1, 10);
    assert_int_equal(atomic_load(&fake_n_loads), 2);
}

static void test_drain_ends_the_wait(void **state)
{
    (void)state;
    start_digits();
    publish_in("half", 5, "gate 50");
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    assert_ok(begin_reload(2));
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    manager_drain(fx.manager);
    assert_error(end_reload(), ERROR_UNAVAILABLE, "the server is stopping");
    assert_error(begin_reload(2), ERROR_UNAVAILABLE, "the server is stopping");
}

static void test_reloads_overtake_each_other(void **state)
{
    (void)state;
    start_digits();
    publish_in("half", 5, "gate 50");
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    Reloaded first = { 0 };
    assert_ok(begin_reload(2));
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    assert_ok(manager_reload(fx.manager, fx.models, 1, on_reloaded, &reloaded));
    first = reloaded;
    assert_int_equal(first.n_calls, 0);
    while (reloaded.n_calls < 2)
        run_a_few_polls();
    /* One of the two was told that its model has gone again. */
    fake_gate_open();
    wait_until_gone("half");
    error_free(TAKE(reloaded.error));
    check_latest(1, 10);
}

/* ---- labels -------------------------------------------------------------------------------- */

static void test_labels_from_the_start(void **state)
{
    (void)state;
    static const VersionLabel labels[] = { { "stable", 1 }, { "canary", 2 }, { "next", 3 } };
    publish(1, "ok 10");
    publish(2, "ok 20");
    fx.models[0].policy = (VersionPolicy){ .choice = VERSIONS_ALL };
    set_labels(labels, 3);
    start(0);
    wait_for(1, VERSION_AVAILABLE, ERROR_OK);
    wait_for(2, VERSION_AVAILABLE, ERROR_OK);
    assert_int_equal(labelled("stable"), 10);
    assert_int_equal(labelled("canary"), 20);
    Handle handle;
    assert_error(
        handle_acquire_labelled(fx.reader, bytes_of_text("digits"), bytes_of_text("next"), &handle),
        ERROR_NOT_FOUND, "Servable not found for request: Specific(digits, 3)");
    assert_error(
        handle_acquire_labelled(fx.reader, bytes_of_text("digits"), bytes_of_text("old"), &handle),
        ERROR_INVALID_ARGUMENT, "Unrecognized servable version label: old");
    assert_error(
        handle_acquire_labelled(fx.reader, bytes_of_text("half"), bytes_of_text("next"), &handle),
        ERROR_INVALID_ARGUMENT, "Unrecognized servable version label: next");
    publish(3, "ok 30");
    wait_for(3, VERSION_AVAILABLE, ERROR_OK);
    assert_int_equal(labelled("next"), 30);
}

static void test_labels_need_their_version(void **state)
{
    (void)state;
    static const VersionLabel to_one[] = { { "stable", 1 } }, to_two[] = { { "stable", 2 } };
    start_digits();
    set_labels(to_two, 1);
    assert_error(begin_reload(1), ERROR_FAILED_PRECONDITION,
                 "Request to assign label to version 2 of model digits, which is not currently "
                 "available for inference");
    set_labels(to_one, 1);
    reload(1);
    assert_int_equal(labelled("stable"), 10);
    withdraw(1);
    publish(3, "ok 30");
    wait_for(3, VERSION_AVAILABLE, ERROR_OK);
    wait_for(1, VERSION_END, ERROR_OK);
    reload(1); /* what does not change needs nothing */
    set_labels(NULL, 0);
    reload(1);
    Handle handle;
    assert_error(handle_acquire_labelled(fx.reader, bytes_of_text("digits"),
                                         bytes_of_text("stable"), &handle),
                 ERROR_INVALID_ARGUMENT, "Unrecognized servable version label: stable");
}

/* With the flag a label may go to a version that is to come; until then the old one has it. */
static void test_a_label_moves_when_its_version_is_up(void **state)
{
    (void)state;
    static const VersionLabel to_one[] = { { "stable", 1 } }, to_two[] = { { "stable", 2 } };
    fx.options.allow_labels_for_unavailable = true;
    fx.models[0].policy = (VersionPolicy){ .choice = VERSIONS_ALL };
    set_labels(to_one, 1);
    start_digits();
    set_labels(to_two, 1);
    reload(1);
    assert_int_equal(labelled("stable"), 10);
    publish(2, "gate 20");
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    assert_int_equal(labelled("stable"), 10);
    fake_gate_open();
    wait_for(2, VERSION_AVAILABLE, ERROR_OK);
    assert_int_equal(labelled("stable"), 20);
}

static void test_a_label_twice(void **state)
{
    (void)state;
    static const VersionLabel labels[] = { { "stable", 1 }, { "stable", 1 } };
    start_digits();
    set_labels(labels, 2);
    assert_error(begin_reload(1), ERROR_INVALID_ARGUMENT,
                 "model digits has the version label stable twice");
}

/* ---- who wants to know --------------------------------------------------------------------- */

static void note_health(void *data)
{
    HealthStatus *told = data;
    told[0] = health("");
    told[1] = health("half");
}

/* Whoever asks whenever there is a change knows all that there is to know. */
static void test_changes_are_told(void **state)
{
    (void)state;
    HealthStatus told[2] = { HEALTH_UNKNOWN, HEALTH_UNKNOWN };
    publish(1, "ok 10");
    start(0);
    manager_on_change(fx.manager, note_health, told);
    wait_until_ready(1);
    assert_int_equal(told[0], HEALTH_SERVING);
    publish_in("half", 5, "gate 50");
    fx.models[1] = (ModelConfig){ .name = "half", .base_path = in("half") };
    assert_ok(begin_reload(2));
    assert_int_equal(told[0], HEALTH_NOT_SERVING);
    assert_int_equal(told[1], HEALTH_NOT_SERVING);
    assert_true(loop_run_until(fx.loop, is_at_gate, NULL, LIMIT_MS));
    fake_gate_open();
    assert_ok(end_reload());
    assert_int_equal(told[0], HEALTH_SERVING);
    assert_int_equal(told[1], HEALTH_SERVING);
    assert_ok(begin_reload(1));
    assert_int_equal(told[1], HEALTH_UNKNOWN);
    assert_ok(end_reload());
    manager_drain(fx.manager);
    assert_int_equal(told[0], HEALTH_NOT_SERVING);
    fx.manager = manager_free(fx.manager, LIMIT_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_model_is_added),
        TEST(test_a_model_is_removed),
        TEST(test_removed_and_added_while_it_unloads),
        TEST(test_a_model_moves),
        TEST(test_a_move_that_fails),
        TEST(test_what_does_not_come_up),
        TEST(test_all_or_nothing),
        TEST(test_a_policy_changes),
        TEST(test_drain_ends_the_wait),
        TEST(test_reloads_overtake_each_other),
        TEST(test_labels_from_the_start),
        TEST(test_labels_need_their_version),
        TEST(test_a_label_moves_when_its_version_is_up),
        TEST(test_a_label_twice),
        TEST(test_changes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
