/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers: every iteration once, the same pieces to the same threads; cgroup quotas of both
 * versions from files that the test writes.
 */
#include "model/base/workers.c"
#include "tests/support/check.h"

#define N_MAX 1000

typedef struct Run {
    unsigned char times[N_MAX]; /* how often each iteration ran */
    unsigned char thread[N_MAX];
    size_t grain;
} Run;

static void body(void *context, size_t begin, size_t end, int thread)
{
    Run *run = context;
    for (size_t i = begin; i < end; i++) {
        run->times[i]++;
        run->thread[i] = (unsigned char)thread;
    }
    if (begin % run->grain != 0 || end - begin > run->grain || begin >= end)
        run->times[begin] = 99;
}

static void test_every_iteration_once_and_the_same_each_time(void **state _unused_)
{
    static const size_t sizes[] = { 0, 1, 2, 7, 64, 999, 1000 },
                        grains[] = { 1, 3, 64, 1000, 5000 };
    for (int n_threads = 1; n_threads <= 5; n_threads++) {
        Workers *workers;
        assert_ok(workers_new(n_threads, &workers));
        assert_int_equal(workers_count(workers), n_threads);
        for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(grains); i++) {
            size_t n = sizes[i % ARRAY_SIZE(sizes)], grain = grains[i / ARRAY_SIZE(sizes)];
            Run first = { .grain = grain }, second = { .grain = grain };
            workers_for(workers, n, grain, body, &first);
            workers_for(workers, n, grain, body, &second);
            for (size_t j = 0; j < N_MAX; j++)
                assert_int_equal(first.times[j], j < n);
            assert_memory_equal(&first, &second, sizeof(first));
            if (n >= grain * (size_t)n_threads)
                assert_int_equal(first.thread[n - 1], n_threads - 1);
        }
        workers_free(workers);
    }
}

static void test_eager_takes_every_iteration_once(void **state _unused_)
{
    for (int n_threads = 1; n_threads <= 5; n_threads++) {
        Workers *workers;
        assert_ok(workers_new_eager(n_threads, &workers));
        for (int i = 0; i < 500; i++) {
            Run run = { .grain = (size_t)(1 + i % 70) };
            size_t n = (size_t)(i * 7 % N_MAX);
            workers_for(workers, n, run.grain, body, &run);
            for (size_t j = 0; j < N_MAX; j++) {
                assert_int_equal(run.times[j], j < n);
                assert_true(run.thread[j] < n_threads);
            }
        }
        workers_free(workers);
    }
}

/* The body of iteration 0 waits for another thread to come, which only happens if one is called. */
static void wait_for_another(void *context, size_t begin, _unused_ size_t end, int thread)
{
    atomic_bool *has_come = context;
    if (thread != 0)
        atomic_store(has_come, true);
    while (begin == 0 && !atomic_load(has_come) && thread == 0)
        sched_yield();
}

static void test_eager_threads_do_come(void **state _unused_)
{
    Workers *workers;
    atomic_bool has_come = false;
    assert_ok(workers_new_eager(2, &workers));
    workers_for(workers, 100, 1, wait_for_another, &has_come);
    assert_true(has_come);
    workers_free(workers);
}

static void test_many_short_loops(void **state _unused_)
{
    Workers *workers;
    assert_ok(workers_new(3, &workers));
    for (int i = 0; i < 2000; i++) {
        Run run = { .grain = 1 };
        workers_for(workers, 6, 1, body, &run);
        for (size_t j = 0; j < 6; j++)
            assert_int_equal(run.times[j], 1);
    }
    workers_free(workers);
}

static void test_without_workers(void **state _unused_)
{
    Run run = { .grain = 10 };
    workers_for(NULL, 95, 10, body, &run);
    for (size_t j = 0; j < N_MAX; j++)
        assert_int_equal(run.times[j], j < 95);
    assert_int_equal(workers_count(NULL), 1);
    assert_null(workers_free(NULL));
    Workers *workers;
    assert_error(workers_new(0, &workers), ERROR_INVALID_ARGUMENT, "1 to 1024");
    assert_error(workers_new(100000, &workers), ERROR_INVALID_ARGUMENT, "1 to 1024");
}

static void write_text(Arena *arena, const char *directory, const char *path, const char *text)
{
    char *file = file_join(arena, directory, path);
    *strrchr(file, '/') = '\0';
    assert_ok(file_make_directories(file));
    assert_ok(file_write(file_join(arena, directory, path), text, strlen(text)));
}

static void test_quotas(void **state _unused_)
{
    static const struct {
        const char *cgroup;   /* /proc/self/cgroup */
        const char *files[6]; /* path and text, in turn */
        int expected;         /* of 8 */
    } cases[] = {
        { "0::/\n", { "cpu.max", "max 100000\n" }, 8 },
        { "0::/\n", { "cpu.max", "250000 100000\n" }, 2 },
        { "0::/\n", { "cpu.max", "50000 100000\n" }, 1 },
        { "0::/\n", { "cpu.max", "9000000 100000\n" }, 8 },
        { "0::/a/b\n", { "a/b/cpu.max", "400000 100000\n", "a/cpu.max", "300000 100000\n" }, 3 },
        { "0::/a/b\n", { "a/b/cpu.max", "max 100000\n", "a/cpu.max", "600000 100000\n" }, 6 },
        { "0::/not/mounted\n", { "cpu.max", "500000 100000\n" }, 5 },
        { "0::/\n", { "cpu.max", "garbage\n" }, 8 },
        { "0::/\n", { NULL }, 8 },
        { "5:memory:/x\n4:cpu,cpuacct:/d\n0::/\n",
          { "cpu/d/cpu.cfs_quota_us", "200000\n", "cpu/d/cpu.cfs_period_us", "100000\n" },
          2 },
        { "4:cpu:/d\n", { "cpu/d/cpu.cfs_quota_us", "-1\n", "cpu/d/cpu.cfs_period_us", "1\n" }, 8 },
        { "4:cpuset:/d\n",
          { "cpu/d/cpu.cfs_quota_us", "100000\n", "cpu/d/cpu.cfs_period_us", "100000\n" },
          8 },
        { "no colons\n", { NULL }, 8 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
        char directory[TEST_DIRECTORY_BYTES];
        test_directory_make(directory);
        write_text(arena, directory, "self", cases[i].cgroup);
        for (size_t j = 0; j < 6 && cases[i].files[j] != NULL; j += 2)
            write_text(arena, directory, cases[i].files[j], cases[i].files[j + 1]);
        print_message("case %zu\n", i);
        assert_int_equal(processors_by_quota(file_join(arena, directory, "self"), directory, 8),
                         cases[i].expected);
        test_directory_remove(directory);
    }
    assert_int_equal(processors_by_quota("/no/such/file", "/", 8), 8);
    assert_true(workers_processors() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_iteration_once_and_the_same_each_time),
        cmocka_unit_test(test_eager_takes_every_iteration_once),
        cmocka_unit_test(test_eager_threads_do_come),
        cmocka_unit_test(test_many_short_loops),
        cmocka_unit_test(test_without_workers),
        cmocka_unit_test(test_quotas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
