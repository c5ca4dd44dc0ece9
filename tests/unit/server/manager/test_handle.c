/* SPDX-License-Identifier: Apache-2.0
 *
 * Handles taken and given back by several threads while versions come and go as fast as they can.
 * Meant for the thread and address sanitizers, which see a version that is used after it was freed;
 * without them its magic number tells.
 */
#include <pthread.h>
#include <sched.h>

#include "server/manager/roster.h"
#include "tests/unit/server/manager/fake_loader.h"

#define LIMIT_MS 60000
#define N_READERS 3
#define N_FLIPS 100

typedef struct Flipper {
    Loop *loop;
    VersionHost host;
    Roster *roster;
    int n_changes; /* calls of `changed` */
    atomic_bool is_over;
    atomic_int n_started;
} Flipper;

static void on_changed(void *data, Version *version)
{
    (void)version;
    ((Flipper *)data)->n_changes++;
}

typedef struct ReaderThread {
    pthread_t thread;
    Flipper *flipper;
    int n_found;
    int n_missing;
    int n_wrong;
} ReaderThread;

/* Half of the references are given back at once, the others one round later. */
static void *read_on_and_on(void *data)
{
    ReaderThread *self = data;
    Reader *reader = roster_reader_new(self->flipper->roster);
    Version *kept = NULL;
    int64_t last = 0;
    atomic_fetch_add(&self->flipper->n_started, 1);
    while (!atomic_load(&self->flipper->is_over)) {
        Version *version = roster_find(reader, bytes_of_text("digits"), NULL);
        if (version == NULL) {
            self->n_missing++;
            continue;
        }
        self->n_found++;
        if (self->n_found % 64 == 0)
            sched_yield(); /* the background threads are the last to get a turn */
        if (fake_value(version->model) != (int)version->number || version->number < last)
            self->n_wrong++;
        last = version->number;
        if (kept != NULL)
            version_unref(TAKE(kept));
        if (self->n_found % 2 == 0)
            kept = version;
        else
            version_unref(version);
    }
    if (kept != NULL)
        version_unref(kept);
    return NULL;
}

static bool has_changed(void *data)
{
    return ((Flipper *)data)->n_changes > 0;
}

static bool is_reclaimed(void *data)
{
    Flipper *flipper = data;
    roster_reclaim(flipper->roster);
    if (!roster_is_waiting(flipper->roster))
        return true;
    sched_yield();
    return false;
}

static void wait_for_change(Flipper *flipper)
{
    assert_true(loop_run_until(flipper->loop, has_changed, flipper, LIMIT_MS));
    flipper->n_changes = 0;
}

static Version *load_version(Flipper *flipper, const char *directory, int number)
{
    char text[32];
    snprintf(text, sizeof(text), "ok %d", number);
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    assert_ok(file_write(file_join(arena, directory, "saved_model.pb"), text, strlen(text)));
    Version *version;
    assert_ok(version_new(&flipper->host, number, directory, &version));
    version_load(version);
    wait_for_change(flipper);
    assert_int_equal(version->state, VERSION_AVAILABLE);
    return version;
}

/* Takes `version`, which the roster no longer has since `epoch`. */
static void unload_version(Flipper *flipper, Version *version, uint64_t epoch)
{
    version_retire(version);
    while (roster_reclaim(flipper->roster) < epoch)
        sched_yield();
    assert_true(loop_run_until(flipper->loop, is_reclaimed, flipper, LIMIT_MS));
    version_unpublished(version);
    wait_for_change(flipper);
    assert_int_equal(version->state, VERSION_END);
    version_free(version);
}

static void test_versions_flip_under_readers(void **state)
{
    (void)state;
    char directory[TEST_DIRECTORY_BYTES];
    test_directory_make(directory);
    fake_reset();
    Flipper flipper = { 0 };
    assert_ok(loop_new(&flipper.loop));
    flipper.roster = roster_new();
    flipper.host = (VersionHost){ .loop = flipper.loop,
                                  .loader = &fake_loader,
                                  .model_name = "digits",
                                  .changed = on_changed,
                                  .data = &flipper };
    assert_ok(background_new(flipper.loop, 1, &flipper.host.background));

    uint64_t epoch;
    Version *serving = load_version(&flipper, directory, 1);
    assert_ok(roster_publish(flipper.roster, &serving, 1, NULL, 0, &epoch));
    ReaderThread readers[N_READERS] = { 0 };
    for (int i = 0; i < N_READERS; i++) {
        readers[i].flipper = &flipper;
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on_and_on, &readers[i]), 0);
    }
    while (atomic_load(&flipper.n_started) < N_READERS)
        sched_yield();
    for (int number = 2; number <= N_FLIPS; number++) {
        Version *next = load_version(&flipper, directory, number);
        assert_ok(roster_publish(flipper.roster, &next, 1, NULL, 0, &epoch));
        unload_version(&flipper, serving, epoch);
        serving = next;
    }
    atomic_store(&flipper.is_over, true);
    for (int i = 0; i < N_READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].n_missing, 0); /* something served all the time */
        assert_int_equal(readers[i].n_wrong, 0);
        assert_true(readers[i].n_found > 0);
    }
    assert_ok(roster_publish(flipper.roster, NULL, 0, NULL, 0, &epoch));
    unload_version(&flipper, serving, epoch);
    assert_int_equal(atomic_load(&fake_n_alive), 0);
    background_free(flipper.host.background);
    roster_free(flipper.roster);
    loop_free(flipper.loop);
    test_directory_remove(directory);
}

/* ---- the look-up --------------------------------------------------------------------------- */

static void test_find(void **state)
{
    (void)state;
    VersionHost hosts[] = { { .model_name = "b" }, { .model_name = "ab" }, { .model_name = "a" } };
    Version versions[] = {
        { .host = &hosts[0], .number = 7 },  { .host = &hosts[2], .number = 3 },
        { .host = &hosts[1], .number = -1 }, { .host = &hosts[2], .number = 10 },
        { .host = &hosts[2], .number = 4 },
    };
    Version *rows[ARRAY_SIZE(versions)];
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
        rows[i] = &versions[i];
    static const struct {
        const char *model;
        int64_t number;
        bool is_latest;
        int expected; /* index in versions; -1: none */
    } cases[] = {
        { "a", 0, true, 3 },           { "a", 3, false, 1 },          { "a", 4, false, 4 },
        { "a", 10, false, 3 },         { "a", 5, false, -1 },         { "a", 2, false, -1 },
        { "a", 11, false, -1 },        { "ab", 0, true, 2 },          { "ab", -1, false, 2 },
        { "b", 0, true, 0 },           { "b", 7, false, 0 },          { "", 0, true, -1 },
        { "aa", 0, true, -1 },         { "c", 0, true, -1 },          { "abc", 0, true, -1 },
        { "a", INT64_MAX, false, -1 }, { "a", INT64_MIN, false, -1 },
    };
    Roster *roster = roster_new();
    Reader *reader = roster_reader_new(roster);
    assert_null(roster_find(reader, bytes_of_text("a"), NULL));
    uint64_t epoch;
    assert_ok(roster_publish(roster, rows, ARRAY_SIZE(rows), NULL, 0, &epoch));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Version *found = roster_find(reader, bytes_of_text(cases[i].model),
                                           cases[i].is_latest ? NULL : &cases[i].number);
        const Version *expected = cases[i].expected < 0 ? NULL : &versions[cases[i].expected];
        if (found != expected)
            fail_msg("case %zu: %s %d", i, cases[i].model, (int)cases[i].number);
    }
    assert_int_equal(atomic_load(&versions[3].n_references), 2); /* one a find */
    roster_free(roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_versions_flip_under_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
