/* SPDX-License-Identifier: Apache-2.0
 *
 * The board keeps copies: what the writer or the reader does with its own memory changes nothing.
 */
#include "server/manager/board.h"

#include "tests/support/check.h"

static Board *make_board(void)
{
    static const char *const names[] = { "digits", "other" };
    Board *board = board_new();
    assert_ok(board_configure(board, names, 2));
    return board;
}

static HealthStatus health(Board *board, const char *service)
{
    return board_health(board, bytes_of_text(service));
}

static void test_reading(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    Board *board = make_board();
    VersionStatus *statuses;
    size_t n;
    assert_error(board_read(board, bytes_of_text("digits"), NULL, arena, &statuses, &n),
                 ERROR_NOT_FOUND, "Could not find any versions of model digits");

    char text[] = "no such op";
    const VersionStatus written[] = {
        { 3, VERSION_END, ERROR_UNIMPLEMENTED, text },
        { 2, VERSION_AVAILABLE, ERROR_OK, "" },
    };
    assert_ok(board_set(board, "digits", written, 2));
    memset(text, 'x', sizeof(text) - 1);
    assert_ok(board_read(board, bytes_of_text("digits"), NULL, arena, &statuses, &n));
    assert_int_equal(n, 2);
    assert_int_equal(statuses[0].version, 3);
    assert_int_equal(statuses[0].code, ERROR_UNIMPLEMENTED);
    assert_string_equal(statuses[0].text, "no such op");
    assert_int_equal(statuses[1].state, VERSION_AVAILABLE);
    assert_string_equal(statuses[1].text, "");

    int64_t two = 2;
    int64_t four = 4;
    VersionStatus *one;
    assert_ok(board_read(board, bytes_of_text("digits"), &two, arena, &one, &n));
    assert_int_equal(n, 1);
    assert_int_equal(one->version, 2);
    assert_error(board_read(board, bytes_of_text("digits"), &four, arena, &one, &n),
                 ERROR_NOT_FOUND, "Could not find version 4 of model digits");
    assert_error(board_read(board, bytes_of_text("digit"), &two, arena, &one, &n), ERROR_NOT_FOUND,
                 "Could not find version 2 of model digit");

    assert_ok(board_set(board, "digits", NULL, 0));
    assert_string_equal(statuses[0].text, "no such op"); /* the reader's own */
    board_free(board);
}

static void test_health(void **state)
{
    (void)state;
    Board *board = make_board();
    const VersionStatus up[] = { { 2, VERSION_END, ERROR_UNKNOWN, "x" },
                                 { 1, VERSION_AVAILABLE, ERROR_OK, "" } };
    const VersionStatus down[] = { { 2, VERSION_LOADING, ERROR_OK, "" },
                                   { 1, VERSION_UNLOADING, ERROR_OK, "" } };
    static const char *const services[] = {
        "",
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
        "PredictionService",
        "ModelService",
    };
    assert_ok(board_set(board, "digits", up, 2));
    assert_ok(board_set(board, "other", down, 2));
    assert_int_equal(health(board, "digits"), HEALTH_SERVING);
    assert_int_equal(health(board, "other"), HEALTH_NOT_SERVING);
    assert_int_equal(health(board, "third"), HEALTH_UNKNOWN);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        assert_int_equal(health(board, services[i]), HEALTH_NOT_SERVING);
    assert_ok(board_set(board, "other", up, 2));
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        assert_int_equal(health(board, services[i]), HEALTH_SERVING);
    board_drain(board);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        assert_int_equal(health(board, services[i]), HEALTH_NOT_SERVING);
    assert_int_equal(health(board, "digits"), HEALTH_NOT_SERVING);
    assert_int_equal(health(board, "third"), HEALTH_UNKNOWN);
    board_free(board);
}

/* A model that leaves is shown until it is gone, but does not count for health. */
static void test_configuration(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    static const char *const names[] = { "third", "digits" };
    const VersionStatus up = { 1, VERSION_AVAILABLE, ERROR_OK, "" };
    Board *board = make_board();
    VersionStatus *statuses;
    const char **models;
    size_t n;
    assert_ok(board_set(board, "digits", &up, 1));
    assert_ok(board_set(board, "other", &up, 1));
    assert_ok(board_configure(board, names, 2));
    assert_ok(board_models(board, arena, &models, &n));
    assert_int_equal(n, 2);
    assert_string_equal(models[0], "digits");
    assert_string_equal(models[1], "third");
    assert_int_equal(health(board, ""), HEALTH_NOT_SERVING); /* third has no version */
    assert_int_equal(health(board, "other"), HEALTH_UNKNOWN);
    assert_ok(board_read(board, bytes_of_text("other"), NULL, arena, &statuses, &n));
    board_remove(board, "other");
    board_remove(board, "never there");
    assert_error(board_read(board, bytes_of_text("other"), NULL, arena, &statuses, &n),
                 ERROR_NOT_FOUND, "Could not find any versions of model other");
    assert_ok(board_set(board, "other", &up, 1)); /* nobody's status is nobody's loss */
    assert_ok(board_set(board, "third", &up, 1));
    assert_int_equal(health(board, ""), HEALTH_SERVING);
    board_free(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
