/* SPDX-License-Identifier: Apache-2.0
 *
 * The batcher over a run of our own (batcher_fixture.h): who shares a run with whom, who fails, who
 * waits, and who leaves early.
 */
#include "tests/unit/server/batch/batcher_fixture.h"

static void test_joined(void **state)
{
    (void)state;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, jobs[5];
    job_block(batcher, &blocker);
    for (size_t i = 0; i < 5; i++) {
        job_make(&params, shape_of((int64_t)i, 2), 10 * (float)i, &jobs[i]);
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    gate_open();
    job_check(&blocker);
    for (size_t i = 0; i < 5; i++)
        job_check(&jobs[i]);
    assert_int_equal(fake.n_runs, 2);
    assert_int_equal(fake.rows[1], 0 + 1 + 2 + 3 + 4);
}

static void test_allowed_sizes(void **state)
{
    (void)state;
    static const int64_t allowed[] = { 4, 8 };
    params.max_task_rows = params.max_rows = 8;
    params.allowed = allowed;
    params.n_allowed = 2;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, jobs[4];
    job_block(batcher, &blocker);
    for (size_t i = 0; i < 4; i++) { /* 5 and 2, then 3 and 4: eight rows at most */
        static const int64_t rows[] = { 5, 2, 3, 4 };
        job_make(&params, shape_of(rows[i], 1), 0, &jobs[i]);
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    gate_open();
    job_check(&blocker);
    for (size_t i = 0; i < 4; i++)
        job_check(&jobs[i]);
    assert_int_equal(fake.n_runs, 3);
    assert_int_equal(fake.rows[0], 4);
    assert_int_equal(fake.rows[1], 8);
    assert_int_equal(fake.rows[2], 8);
}

static void test_split(void **state)
{
    (void)state;
    params.max_rows = 4;
    params.max_task_rows = 20;
    params.splits = true;
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        _cleanup_(batcher_freep) Batcher *batcher = start(n_threads);
        Job jobs[3];
        static const int64_t rows[] = { 10, 3, 15 };
        for (size_t i = 0; i < 3; i++) {
            job_make(&params, shape_of(rows[i], 2), 100 * (float)i, &jobs[i]);
            assert_ok(batcher_submit(batcher, &jobs[i].task));
        }
        for (size_t i = 0; i < 3; i++)
            job_check(&jobs[i]);
    }
    for (int i = 0; i < fake.n_runs; i++)
        assert_in_range(fake.rows[i], 1, 4);
}

static void test_split_fails_alone(void **state)
{
    (void)state;
    params.max_rows = 4;
    params.max_task_rows = 20;
    params.splits = true;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, bad, good;
    job_block(batcher, &blocker);
    job_make(&params, shape_of(9, 1), 0, &bad);
    ((float *)bad.task.inputs[0].tensor.data)[5] = -3;
    job_make(&params, shape_of(2, 1), 5, &good);
    assert_ok(batcher_submit(batcher, &bad.task));
    assert_ok(batcher_submit(batcher, &good.task));
    gate_open();
    job_check_error(&bad, ERROR_OUT_OF_RANGE, "-3 is negative");
    job_check(&good);
    job_check(&blocker);
}

static void test_bad_one_fails_alone(void **state)
{
    (void)state;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, jobs[4];
    job_block(batcher, &blocker);
    for (size_t i = 0; i < 4; i++) {
        job_make(&params, shape_of(1, 1), i == 2 ? -7 : (float)i, &jobs[i]);
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    gate_open();
    job_check(&blocker);
    for (size_t i = 0; i < 4; i++) {
        if (i == 2)
            job_check_error(&jobs[i], ERROR_OUT_OF_RANGE, "-7 is negative");
        else
            job_check(&jobs[i]);
    }
}

static void test_with_state_all_fail(void **state)
{
    (void)state;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, jobs[2];
    job_block(batcher, &blocker);
    for (size_t i = 0; i < 2; i++) {
        job_make(&params, shape_of(1, 1), i == 1 ? -7 : 1, &jobs[i]);
        jobs[i].task.is_repeatable = false;
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    gate_open();
    job_check(&blocker);
    for (size_t i = 0; i < 2; i++)
        job_check_error(&jobs[i], ERROR_OUT_OF_RANGE, "-7 is negative");
    assert_int_equal(fake.n_runs, 2);
}

static void test_shapes_apart(void **state)
{
    (void)state;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, jobs[6];
    job_block(batcher, &blocker);
    for (size_t i = 0; i < 6; i++) {
        job_make(&params, shape_of(1, 1 + (int64_t)(i % 3)), (float)i, &jobs[i]);
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    gate_open();
    job_check(&blocker);
    for (size_t i = 0; i < 6; i++)
        job_check(&jobs[i]);
    assert_int_equal(fake.n_runs, 1 + 3);
}

static void test_padding_is_bounded(void **state)
{
    (void)state;
    params.pads = true;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, small[16], wide;
    job_block(batcher, &blocker);
    /* Padded to it, the seventeen would need more than the batcher's 1 MiB. */
    job_make(&params, shape_of(1, 32, 1024), 0, &wide);
    wide.task.inputs[0].tensor.shape = shape_of(1, 32768);
    for (size_t i = 0; i < 16; i++) {
        job_make(&params, shape_of(1, 2), (float)i, &small[i]);
        assert_ok(batcher_submit(batcher, &small[i].task));
    }
    ((float *)wide.task.inputs[0].tensor.data)[1] = -1; /* its answer has no room in a Job */
    assert_ok(batcher_submit(batcher, &wide.task));
    gate_open();
    job_check(&blocker);
    for (size_t i = 0; i < 16; i++)
        job_check(&small[i]);
    job_check_error(&wide, ERROR_OUT_OF_RANGE, "-1 is negative");
    assert_int_equal(fake.n_runs, 3);
    assert_int_equal(fake.rows[1], 16);
}

static void test_full(void **state)
{
    (void)state;
    static const char full[] =
        "The batch scheduling queue to which this task was submitted is full";
    params.max_task_rows = params.max_rows = 2;
    params.max_queued_batches = 2;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, jobs[4], more, large;
    job_block(batcher, &blocker);
    for (size_t i = 0; i < 4; i++) {
        job_make(&params, shape_of(1, 1), (float)i, &jobs[i]);
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    job_make(&params, shape_of(1, 1), 0, &more);
    assert_error(batcher_submit(batcher, &more.task), ERROR_UNAVAILABLE, full);
    arena_free(more.arena);
    /* Other shapes have a line of their own, but memory is everybody's. */
    job_make(&params, shape_of(1, 1 << 18), 0, &large);
    assert_error(batcher_submit(batcher, &large.task), ERROR_UNAVAILABLE, full);
    arena_free(large.arena);
    gate_open();
    job_check(&blocker);
    for (size_t i = 0; i < 4; i++)
        job_check(&jobs[i]);
}

static void test_timeout(void **state)
{
    (void)state;
    params.max_task_rows = params.max_rows = 3;
    params.timeout_ns = 300 * NS_PER_MS;
    _cleanup_(batcher_freep) Batcher *batcher = start(2);
    Job jobs[4];
    uint64_t begin = now_ns();
    for (size_t i = 0; i < 4; i++) {
        job_make(&params, shape_of(1, 1), (float)i, &jobs[i]);
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    for (size_t i = 0; i < 4; i++)
        job_check(&jobs[i]);
    assert_int_equal(fake.n_runs, 2);
    /* Three are a full batch and do not wait; the fourth does. */
    assert_true(jobs[2].done_ns < jobs[3].done_ns);
    assert_true(jobs[3].done_ns - begin >= 300 * NS_PER_MS);
}

static void test_deadline_in_line(void **state)
{
    (void)state;
    params.timeout_ns = 3600ll * 1000 * NS_PER_MS;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job late, patient;
    job_make(&params, shape_of(1, 1), 1, &patient);
    assert_ok(batcher_submit(batcher, &patient.task));
    job_make(&params, shape_of(1, 1), 1, &late);
    late.task.deadline_ns = now_ns() + 20 * NS_PER_MS;
    assert_ok(batcher_submit(batcher, &late.task));
    job_check_error(&late, ERROR_RESOURCE_EXHAUSTED,
                    "Run() timeout exceeded while waiting in batching queue");
    assert_int_equal(fake.n_runs, 0);
    batcher_drain(batcher); /* nothing waits for an hour any more */
    job_check(&patient);
}

static void test_cancel(void **state)
{
    (void)state;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job blocker, waiting, gone;
    job_block(batcher, &blocker);
    job_make(&params, shape_of(1, 1), 1, &waiting);
    job_make(&params, shape_of(1, 1), 2, &gone);
    assert_ok(batcher_submit(batcher, &waiting.task));
    assert_ok(batcher_submit(batcher, &gone.task));
    batcher_cancel(batcher, &gone.task);
    assert_true(gone.is_done); /* at once, while the only thread runs */
    batcher_cancel(batcher, &gone.task);
    job_check_error(&gone, ERROR_CANCELLED, "the client has gone");
    /* A run that nobody waits for ends without the gate. */
    batcher_cancel(batcher, &blocker.task);
    job_check_error(&blocker, ERROR_CANCELLED, "nobody waits");
    gate_open();
    job_check(&waiting);
}

static void test_scalar_output(void **state)
{
    (void)state;
    fake.is_scalar = true;
    _cleanup_(batcher_freep) Batcher *batcher = start(1);
    Job job;
    job_make(&params, shape_of(1, 1), 1, &job);
    assert_ok(batcher_submit(batcher, &job.task));
    job_check_error(&job, ERROR_FAILED_PRECONDITION, "Batched output tensor has 0 dimensions");
}

/* All that waits is answered before the threads end. */
static void test_free_answers_all(void **state)
{
    (void)state;
    params.timeout_ns = 3600ll * 1000 * NS_PER_MS;
    Batcher *batcher = start(2);
    Job jobs[8];
    for (size_t i = 0; i < 8; i++) {
        job_make(&params, shape_of(1, 1 + (int64_t)(i % 2)), (float)i, &jobs[i]);
        assert_ok(batcher_submit(batcher, &jobs[i].task));
    }
    batcher_free(batcher);
    for (size_t i = 0; i < 8; i++) {
        assert_true(jobs[i].is_done);
        job_check(&jobs[i]);
    }
}

/* ---- many at once -------------------------------------------------------------------------- */

#define N_SUBMITTERS 4
#define N_JOBS 300

static void *submitter_main(void *data)
{
    Batcher *batcher = data;
    for (int i = 0; i < N_JOBS; i++) {
        Job job;
        job_make(&params, shape_of(1 + i % 7, 1 + i % 3), (float)i, &job);
        bool is_bad = i % 11 == 0;
        if (is_bad)
            ((float *)job.task.inputs[0].tensor.data)[0] = -1;
        assert_ok(batcher_submit(batcher, &job.task));
        if (i % 5 == 0)
            batcher_cancel(batcher, &job.task);
        job_wait(&job);
        if (job.error == NULL) {
            assert_false(is_bad);
            job_check(&job);
            continue;
        }
        assert_true(job.error->code == ERROR_CANCELLED ? i % 5 == 0 : is_bad);
        error_free(job.error);
        arena_free(job.arena);
    }
    return NULL;
}

static void test_many(void **state)
{
    (void)state;
    params.max_rows = 5;
    params.max_task_rows = 8;
    params.splits = true;
    params.timeout_ns = NS_PER_MS / 10;
    _cleanup_(batcher_freep) Batcher *batcher = start(3);
    pthread_t threads[N_SUBMITTERS];
    for (size_t i = 0; i < N_SUBMITTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submitter_main, batcher), 0);
    for (size_t i = 0; i < N_SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_joined),
        TEST(test_allowed_sizes),
        TEST(test_split),
        TEST(test_split_fails_alone),
        TEST(test_bad_one_fails_alone),
        TEST(test_with_state_all_fail),
        TEST(test_shapes_apart),
        TEST(test_padding_is_bounded),
        TEST(test_full),
        TEST(test_timeout),
        TEST(test_deadline_in_line),
        TEST(test_cancel),
        TEST(test_scalar_output),
        TEST(test_free_answers_all),
        TEST(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
