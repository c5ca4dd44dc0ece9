/* SPDX-License-Identifier: Apache-2.0
 *
 * Crew: who gets the workers and who does not; that two threads never have them at once.
 */
#include <pthread.h>

#include "model/base/crew.h"
#include "tests/support/check.h"

#define N_THREADS 4
#define N_ROUNDS 2000
#define N_ITERATIONS 64

static void test_taken_once(_unused_ void **state)
{
    _cleanup_(crew_freep) Crew *crew = NULL;
    assert_ok(crew_new(2, 8, &crew));
    crew_enter(crew);
    Workers *workers = crew_take(crew);
    assert_non_null(workers);
    assert_int_equal(workers_count(workers), 2);
    assert_null(crew_take(crew));
    crew_give(crew, NULL); /* who got none gives none */
    assert_null(crew_take(crew));
    crew_give(crew, workers);
    assert_ptr_equal(crew_take(crew), workers);
    crew_give(crew, workers);
    crew_leave(crew);
}

/* With k threads and p processors, the workers are to be had while at most p - (k - 1) compute, and
 * by one that computes alone in any case. */
static void test_yields_when_many_compute(_unused_ void **state)
{
    static const struct {
        int n_threads, n_processors, most;
    } rows[] = { { 2, 2, 1 }, { 2, 4, 3 }, { 4, 4, 1 }, { 8, 2, 1 }, { 1, 2, 2 } };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(crew_freep) Crew *crew = NULL;
        assert_ok(crew_new(rows[i].n_threads, rows[i].n_processors, &crew));
        for (int n = 1; n <= 6; n++) {
            crew_enter(crew);
            Workers *workers = crew_take(crew);
            assert_int_equal(workers != NULL, n <= rows[i].most);
            crew_give(crew, workers);
        }
        for (int n = 6; n > rows[i].most; n--)
            crew_leave(crew);
        assert_non_null(crew_take(crew));
    }
}

static void test_no_crew(_unused_ void **state)
{
    crew_enter(NULL);
    assert_null(crew_take(NULL));
    crew_give(NULL, NULL);
    crew_leave(NULL);
    assert_null(crew_free(NULL));
    Crew *crew = NULL;
    assert_error(crew_new(0, 1, &crew), ERROR_INVALID_ARGUMENT, "0 worker threads");
    assert_null(crew);
}

/* ---- many threads -------------------------------------------------------------------------- */

typedef struct Shared {
    Crew *crew;
    int n_had; /* plain on purpose: only who has the workers writes it */
} Shared;

static void add(void *context, size_t begin, size_t end, _unused_ int thread)
{
    int *sums = context;
    for (size_t i = begin; i < end; i++)
        sums[i]++;
}

static void *compute(void *data)
{
    Shared *shared = data;
    int sums[N_ITERATIONS] = { 0 };
    for (int i = 0; i < N_ROUNDS; i++) {
        crew_enter(shared->crew);
        Workers *workers = crew_take(shared->crew);
        if (workers != NULL)
            shared->n_had++;
        workers_for(workers, N_ITERATIONS, 2, add, sums);
        crew_give(shared->crew, workers);
        crew_leave(shared->crew);
    }
    for (int i = 0; i < N_ITERATIONS; i++)
        if (sums[i] != N_ROUNDS)
            return data;
    return NULL;
}

static void test_many_threads(_unused_ void **state)
{
    _cleanup_(crew_freep) Crew *crew = NULL;
    assert_ok(crew_new(2, 64, &crew));
    Shared shared = { .crew = crew };
    pthread_t threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, compute, &shared), 0);
    for (int i = 0; i < N_THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_in_range(shared.n_had, 1, N_THREADS * N_ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_once),
        cmocka_unit_test(test_yields_when_many_compute),
        cmocka_unit_test(test_no_crew),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
