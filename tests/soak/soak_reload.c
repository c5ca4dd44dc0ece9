/* SPDX-License-Identifier: Apache-2.0
 *
 * The bundle that ships, loaded again and again as a new version while a thread takes handles and
 * runs it: no look-up fails, and the memory that the process holds does not grow.
 *
 *     DIGIT_SOAK_RELOADS=1000 meson test -C build --suite soak -v
 *
 * prints the resident size as it goes. Sanitizers keep freed memory, so with them it is not judged.
 */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "server/manager/manager.h"
#include "tests/support/check.h"

#define LIMIT_MS 60000
#define DEFAULT_RELOADS 60
#define MAX_GROWTH_KB 2048

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

typedef struct Soak {
    char directory[TEST_DIRECTORY_BYTES];
    char bundle[PATH_MAX];
    Loop *loop;
    Manager *manager;
    int64_t expected; /* version */
    bool is_ready;
    atomic_bool is_over;
    atomic_int n_runs;
    atomic_int n_failures;
} Soak;

static Soak soak;

static long resident_kb(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    long total = 0;
    long resident = 0;
    assert_int_equal(fscanf(file, "%ld %ld", &total, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A version made of links to the files of the bundle, in place at once. */
static void publish(int version)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    char *part = arena_printf(arena, "%s/.part", soak.directory);
    assert_ok(file_make_directories(part));
    static const char *const names[] = { "saved_model.pb", "variables" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(
            symlink(file_join(arena, soak.bundle, names[i]), file_join(arena, part, names[i])), 0);
    assert_int_equal(rename(part, arena_printf(arena, "%s/%d", soak.directory, version)), 0);
}

static void withdraw(int version)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    assert_ok(file_remove_tree(arena_printf(arena, "%s/%d", soak.directory, version)));
}

static void on_ready(void *data, size_t n_serving, size_t n_models)
{
    (void)data;
    soak.is_ready = n_serving == n_models;
}

static bool is_ready(void *data)
{
    (void)data;
    return soak.is_ready;
}

/* The expected version serves, and no other is loaded. */
static bool is_settled(void *data)
{
    (void)data;
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    VersionStatus *statuses = NULL;
    size_t n = 0;
    error_free(manager_status(soak.manager, bytes_of_text("digits"), NULL, arena, &statuses, &n));
    bool is_up = false;
    for (size_t i = 0; i < n; i++) {
        if (statuses[i].version == soak.expected)
            is_up = statuses[i].state == VERSION_AVAILABLE;
        else if (statuses[i].state != VERSION_END)
            return false;
    }
    return is_up;
}

static Error *run_once(Reader *reader, Scratch *scratch, Arena *arena)
{
    static const float image[28 * 28] = { 0 };
    Handle handle;
    TRY(handle_acquire(reader, bytes_of_text("digits"), NULL, &handle));
    const Shape shape = shape_of(1, 28, 28, 1);
    NamedTensor input = { bytes_of_text("image"), tensor_view(DT_FLOAT, &shape, image) };
    NamedTensor *outputs;
    size_t n;
    Error *error = signature_run(handle.model, model_find_signature(handle.model, (Bytes){ 0 }),
                                 &input, 1, NULL, 0, NULL, scratch, arena, &outputs, &n);
    handle_release(&handle);
    return error;
}

static void *run_on_and_on(void *data)
{
    (void)data;
    Reader *reader = handle_reader_new(soak.manager);
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    _cleanup_(arena_freep) Arena *arena = arena_new(64 * 1024, 0);
    while (!atomic_load(&soak.is_over)) {
        Error *error = run_once(reader, scratch, arena);
        if (error != NULL) {
            fprintf(stderr, "%s\n", error->text);
            error_free(error);
            atomic_fetch_add(&soak.n_failures, 1);
        }
        atomic_fetch_add(&soak.n_runs, 1);
        arena_reset(arena, 64 * 1024);
        scratch_trim(scratch);
        usleep(1000);
    }
    return NULL;
}

static void set_up(void)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    assert_non_null(realpath(test_path(arena, "../models/digits/1"), soak.bundle));
    test_directory_make(soak.directory);
    assert_ok(loop_new(&soak.loop));
    const ModelConfig model = { .name = "digits", .base_path = soak.directory };
    ManagerOptions options = MANAGER_OPTIONS_DEFAULT;
    options.models = &model;
    options.n_models = 1;
    options.loader = &loader_of_bundles;
    assert_ok(manager_new(soak.loop, &options, &soak.manager));
    publish(1);
    manager_start(soak.manager, 0, on_ready, NULL);
    assert_true(loop_run_until(soak.loop, is_ready, NULL, LIMIT_MS));
}

static void test_reloads(void **state)
{
    (void)state;
    const char *text = getenv("DIGIT_SOAK_RELOADS");
    int n_reloads = text == NULL ? DEFAULT_RELOADS : (int)strtol(text, NULL, 10);
    set_up();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_on_and_on, NULL), 0);
    long warm_kb = 0;
    for (int i = 2; i < n_reloads + 2; i++) {
        publish(i);
        soak.expected = i;
        assert_true(loop_run_until(soak.loop, is_settled, NULL, LIMIT_MS));
        withdraw(i - 1);
        if (i == 2 + n_reloads / 5)
            warm_kb = resident_kb();
        if (i % (n_reloads / 10 + 1) == 0)
            print_message("%d reloads: %ld KB resident\n", i - 1, resident_kb());
    }
    long grown_kb = resident_kb() - warm_kb;
    atomic_store(&soak.is_over, true);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&soak.n_failures), 0);
    assert_true(atomic_load(&soak.n_runs) > n_reloads);
    print_message("%d reloads, %d runs, grown by %ld KB since the first fifth\n", n_reloads,
                  atomic_load(&soak.n_runs), grown_kb);
    if (!IS_SANITIZED)
        assert_true(grown_kb < MAX_GROWTH_KB);
    manager_free(soak.manager, LIMIT_MS);
    loop_free(soak.loop);
    test_directory_remove(soak.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reloads) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
