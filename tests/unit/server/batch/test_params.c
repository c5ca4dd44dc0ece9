/* SPDX-License-Identifier: Apache-2.0
 *
 * BatchingParameters: what the file says, what holds without, and what is refused.
 */
#include "model/base/workers.h"
#include "server/batch/params.h"
#include "tests/support/check.h"

static Error *parse(Arena *arena, const char *text, BatchParams *ret_params)
{
    return batch_params_parse(arena, bytes_of_text(text), ret_params);
}

static void test_defaults(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    BatchParams params;
    assert_ok(parse(arena, "", &params));
    assert_int_equal(params.max_task_rows, 1000);
    assert_int_equal(params.max_rows, 1000);
    assert_int_equal(params.timeout_ns, 0);
    assert_int_equal(params.max_queued_batches, 10);
    assert_int_equal(params.n_threads, workers_processors());
    assert_int_equal(params.n_allowed, 0);
    assert_false(params.pads);
    assert_false(params.splits);
}

static void test_everything(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    BatchParams params;
    assert_ok(parse(arena,
                    "max_batch_size { value: 128 }\n"
                    "batch_timeout_micros { value: 2500 }\n"
                    "max_enqueued_batches { value: 7 }\n"
                    "num_batch_threads { value: 3 }\n"
                    "thread_pool_name { value: 'pool' }\n"
                    "allowed_batch_sizes: 4 allowed_batch_sizes: 16 allowed_batch_sizes: 32\n"
                    "pad_variable_length_inputs: true\n"
                    "enable_large_batch_splitting { value: true }\n"
                    "max_execution_batch_size { value: 32 }\n",
                    &params));
    assert_int_equal(params.max_task_rows, 128);
    assert_int_equal(params.max_rows, 32);
    assert_int_equal(params.timeout_ns, 2500000);
    assert_int_equal(params.max_queued_batches, 7);
    assert_int_equal(params.n_threads, 3);
    assert_true(params.pads);
    assert_true(params.splits);
    static const int64_t sizes[][2] = { { 1, 4 }, { 4, 4 }, { 5, 16 }, { 17, 32 }, { 32, 32 } };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        assert_int_equal(batch_params_round_up(&params, sizes[i][0]), sizes[i][1]);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "max_batch_size { value: 0 }", "max_batch_size must be between 1" },
        { "batch_timeout_micros { value: -1 }", "batch_timeout_micros must be between 0" },
        { "max_enqueued_batches { value: 0 }", "max_enqueued_batches must be between 1" },
        { "num_batch_threads { value: 0 }", "num_batch_threads must be between 1" },
        { "max_batch_size { value: 9223372036854775807 }", "max_batch_size must be between 1" },
        { "enable_large_batch_splitting { value: true } max_batch_size { value: 8 } "
          "max_execution_batch_size { value: 9 }",
          "max_execution_batch_size must be between 1 and 8; was 9" },
        { "max_batch_size { value: 8 } allowed_batch_sizes: [2, 4]",
          "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 4; expected "
          "8" },
        { "max_batch_size { value: 8 } allowed_batch_sizes: [4, 2, 8]",
          "allowed_batch_sizes must be positive and ascending; entry 1 is 2" },
        { "max_batch_size: 8", "Error parsing text-format tensorflow.serving.BatchingParameters" },
        { "no_such_field: 1", "Error parsing text-format tensorflow.serving.BatchingParameters" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
        BatchParams params;
        assert_error(parse(arena, cases[i].text, &params), ERROR_INVALID_ARGUMENT, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
