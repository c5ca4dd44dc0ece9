/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop: tasks from other threads in their order, work on the pool, timers, signals, watches.
 */
#include "server/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/support/check.h"

#define LIMIT_MS 10000
#define N_POSTERS 4
#define N_TASKS 2000

static Loop *loop;

static int setup(void **state)
{
    (void)state;
    assert_ok(loop_new(&loop));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    loop = loop_free(loop);
    return 0;
}

static bool is_set(void *data)
{
    return *(int *)data != 0;
}

static void count(void *data)
{
    ++*(int *)data;
}

/* ---- tasks --------------------------------------------------------------------------------- */

typedef struct Poster {
    pthread_t thread;
    LoopTask tasks[N_TASKS];
    int order[N_TASKS];
    int n_run;
    bool is_in_order;
} Poster;

static Poster posters[N_POSTERS];

static void note_order(void *data)
{
    int *order = data;
    Poster *poster = &posters[*order / N_TASKS];
    assert_true(loop_is_current(loop));
    poster->is_in_order &= *order % N_TASKS == poster->n_run;
    poster->n_run++;
}

static void *post_all(void *data)
{
    Poster *poster = data;
    if (loop_is_current(loop))
        abort();
    for (int i = 0; i < N_TASKS; i++) {
        poster->order[i] = (int)(poster - posters) * N_TASKS + i;
        poster->tasks[i] = (LoopTask){ .run = note_order, .data = &poster->order[i] };
        loop_post(loop, &poster->tasks[i]);
    }
    return NULL;
}

static bool are_all_run(void *data)
{
    (void)data;
    int n_run = 0;
    for (int i = 0; i < N_POSTERS; i++)
        n_run += posters[i].n_run;
    return n_run == N_POSTERS * N_TASKS;
}

static void test_posts_of_threads_keep_their_order(void **state)
{
    (void)state;
    for (int i = 0; i < N_POSTERS; i++) {
        posters[i].is_in_order = true;
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    assert_true(loop_run_until(loop, are_all_run, NULL, LIMIT_MS));
    for (int i = 0; i < N_POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_true(posters[i].is_in_order);
    }
}

static LoopTask again;
static int n_again;

static void post_again(void *data)
{
    (void)data;
    if (++n_again < 5)
        loop_post(loop, &again);
}

static bool is_again_five(void *data)
{
    (void)data;
    return n_again == 5;
}

static void test_a_task_may_post_itself(void **state)
{
    (void)state;
    again = (LoopTask){ .run = post_again };
    loop_post(loop, &again);
    assert_int_equal(n_again, 0); /* never from inside loop_post */
    assert_true(loop_run_until(loop, is_again_five, NULL, LIMIT_MS));
}

static void test_free_runs_what_is_posted(void **state)
{
    (void)state;
    int n = 0;
    LoopTask task = { .run = count, .data = &n };
    loop_post(loop, &task);
    loop = loop_free(loop);
    assert_int_equal(n, 1);
}

/* ---- work ---------------------------------------------------------------------------------- */

typedef struct Work {
    pthread_t ran_on;
    int is_done;
} Work;

static void run_work(void *data)
{
    ((Work *)data)->ran_on = pthread_self();
}

static void finish_work(void *data)
{
    assert_true(loop_is_current(loop));
    ((Work *)data)->is_done = 1;
}

static void test_work(void **state)
{
    (void)state;
    Work work = { .is_done = 0 };
    assert_ok(loop_submit(loop, run_work, finish_work, &work));
    assert_true(loop_run_until(loop, is_set, &work.is_done, LIMIT_MS));
    assert_false(pthread_equal(work.ran_on, pthread_self()));
}

/* ---- time ---------------------------------------------------------------------------------- */

static void test_timer(void **state)
{
    (void)state;
    int n = 0;
    LoopTimer *timer = loop_timer_new(loop, count, &n);
    assert_non_null(timer);
    assert_false(loop_timer_is_active(timer));
    uint64_t start_ms = loop_now_ms();
    loop_timer_start(timer, 100000);
    loop_timer_start(timer, 20); /* the earlier start is forgotten */
    assert_true(loop_timer_is_active(timer));
    assert_true(loop_run_until(loop, is_set, &n, LIMIT_MS));
    assert_true(loop_now_ms() - start_ms >= 20);
    assert_false(loop_timer_is_active(timer));
    assert_false(loop_run_until(loop, is_set, &(int){ 0 }, 40));
    assert_int_equal(n, 1); /* once a start */

    loop_timer_start(timer, 1);
    loop_timer_stop(timer);
    assert_false(loop_run_until(loop, is_set, &(int){ 0 }, 20));
    assert_int_equal(n, 1);
    loop_timer_free(timer);
}

static LoopTimer *own_timer;

static void free_own_timer(void *data)
{
    own_timer = loop_timer_free(own_timer);
    count(data);
}

static void test_a_timer_may_free_itself(void **state)
{
    (void)state;
    int n = 0;
    own_timer = loop_timer_new(loop, free_own_timer, &n);
    loop_timer_start(own_timer, 0);
    assert_true(loop_run_until(loop, is_set, &n, LIMIT_MS));
}

/* ---- stop and signals ---------------------------------------------------------------------- */

static void stop(void *data)
{
    (void)data;
    loop_stop(loop);
}

static void test_stop(void **state)
{
    (void)state;
    LoopTask task = { .run = stop };
    loop_post(loop, &task);
    loop_run(loop);
    loop_stop(loop); /* before the run: returns at once */
    loop_run(loop);
}

static unsigned last_count;

static void on_terminate(void *data, unsigned n)
{
    last_count = n;
    loop_stop(data);
}

static void test_signals(void **state)
{
    (void)state;
    assert_ok(loop_on_terminate(loop, on_terminate, loop));
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    loop_run(loop);
    assert_int_equal(last_count, 1);
    assert_int_equal(kill(getpid(), SIGINT), 0);
    loop_run(loop);
    assert_int_equal(last_count, 2);
}

/* ---- watches ------------------------------------------------------------------------------- */

static void test_watch(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    char directory[TEST_DIRECTORY_BYTES];
    test_directory_make(directory);
    int n = 0;
    LoopWatch *watch = NULL;
    assert_ok(loop_watch_new(loop, directory, count, &n, &watch));
    assert_ok(file_make_directories(file_join(arena, directory, "1")));
    assert_true(loop_run_until(loop, is_set, &n, LIMIT_MS));
    n = 0;
    assert_int_equal(rename(file_join(arena, directory, "1"), file_join(arena, directory, "2")), 0);
    assert_true(loop_run_until(loop, is_set, &n, LIMIT_MS));
    loop_watch_free(watch);
    assert_error(loop_watch_new(loop, file_join(arena, directory, "no such"), count, &n, &watch),
                 ERROR_UNAVAILABLE, "no such: cannot watch");
    test_directory_remove(directory);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_posts_of_threads_keep_their_order),
        TEST(test_a_task_may_post_itself),
        TEST(test_free_runs_what_is_posted),
        TEST(test_work),
        TEST(test_timer),
        TEST(test_a_timer_may_free_itself),
        TEST(test_stop),
        TEST(test_signals),
        TEST(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
