/* SPDX-License-Identifier: Apache-2.0
 *
 * Log: what arrives on standard error, one line an event, whole lines from many threads.
 */
#include <pthread.h>
#include <unistd.h>

#include "model/base/log.h"
#include "tests/support/check.h"

/* Standard error goes to a file until capture_end, which gives its text. */
typedef struct Capture {
    FILE *file;
    int saved;
} Capture;

static Capture capture_start(void)
{
    Capture capture = { .file = tmpfile(), .saved = dup(STDERR_FILENO) };
    assert_non_null(capture.file);
    assert_true(capture.saved >= 0);
    dup2(fileno(capture.file), STDERR_FILENO);
    return capture;
}

static char *capture_end(Capture *capture)
{
    static char text[1 << 20];
    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    ssize_t n = pread(fileno(capture->file), text, sizeof(text) - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    fclose(capture->file);
    return text;
}

static void test_line(void **state _unused_)
{
    Capture capture = capture_start();
    log_info("manager", "model %s version %d", "digits", 2);
    char *text = capture_end(&capture);
    int year, month, day, hour, minute, second, millisecond, end = 0;
    assert_int_equal(sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d.%3d INFO %n", &year, &month, &day, &hour,
                            &minute, &second, &millisecond, &end),
                     7);
    assert_true(year > 2000 && end == 29);
    assert_string_equal(text + end, "manager: model digits version 2\n");
}

static void test_levels(void **state _unused_)
{
    Capture capture = capture_start();
    log_debug("a", "dropped");
    log_set_level(LOG_DEBUG);
    log_debug("a", "kept");
    log_set_level(LOG_ERROR);
    log_warning("a", "dropped");
    log_error("a", "kept");
    log_set_level(LOG_INFO);
    char *text = capture_end(&capture);
    assert_null(strstr(text, "dropped"));
    assert_non_null(strstr(text, "DEBUG a: kept\n"));
    assert_non_null(strstr(text, "ERROR a: kept\n"));
}

static void test_control_characters_are_escaped(void **state _unused_)
{
    Capture capture = capture_start();
    log_info("a", "one\ntwo\x1b[31m\tthree \xc3\xa9");
    char *text = capture_end(&capture);
    assert_non_null(strstr(text, "a: one\\ntwo\\x1b[31m\\x09three \xc3\xa9\n"));
}

static void test_errors(void **state _unused_)
{
    Capture capture = capture_start();
    log_error_free(LOG_WARNING, "load", error_new(ERROR_DATA_LOSS, "bad crc"), "version %d", 3);
    log_error_free(LOG_WARNING, "load", NULL, "nothing");
    log_error_free(LOG_DEBUG, "load", error_new(ERROR_DATA_LOSS, "not shown"), "x");
    log_set_level(LOG_DEBUG);
    log_error_free(LOG_WARNING, "load", error_new(ERROR_ABORTED, "shown"), "x");
    log_set_level(LOG_INFO);
    char *text = capture_end(&capture);
    assert_non_null(strstr(text, "WARNING load: version 3: DATA_LOSS: bad crc\n"));
    assert_null(strstr(text, "nothing"));
    assert_null(strstr(text, "not shown"));
    assert_non_null(strstr(text, "load: x: ABORTED: shown ("));
    assert_non_null(strstr(text, "test_log.c:"));
}

static void test_json(void **state _unused_)
{
    const uint8_t name[] = { 'd', '"', 0xff, '\n' };
    const LogField fields[] = { LOG_TEXT("model", ((Bytes){ name, sizeof(name) })),
                                LOG_TEXT("none", bytes_of_text("")),
                                LOG_NUMBER("bytes", INT64_C(123456789012345)),
                                LOG_NUMBER("ms", 0.125) };
    Capture capture = capture_start();
    log_set_format(LOG_JSON);
    log_event(LOG_WARNING, "access", fields, ARRAY_SIZE(fields), "say \"%d\"\n", 7);
    log_info("a", "no fields");
    log_error_free(LOG_ERROR, "b", error_new(ERROR_ABORTED, "gone"), "x");
    log_set_format(LOG_HUMAN);
    char *text = capture_end(&capture);
    int year, month, day, hour, minute, second, millisecond, end = 0;
    assert_int_equal(sscanf(text, "{\"ts\":\"%4d-%2d-%2dT%2d:%2d:%2d.%3dZ\"%n", &year, &month, &day,
                            &hour, &minute, &second, &millisecond, &end),
                     7);
    assert_true(year > 2000 && end == 32);
    const char *first = ",\"level\":\"WARNING\",\"component\":\"access\",\"message\":"
                        "\"say \\\"7\\\"\\u000a\",\"model\":\"d\\\"\\ufffd\\u000a\",\"none\":\"\","
                        "\"bytes\":123456789012345,\"ms\":0.125}\n";
    assert_memory_equal(text + end, first, strlen(first));
    const char *second_line = strchr(text, '\n') + 1;
    assert_non_null(strstr(second_line, "\"level\":\"INFO\",\"component\":\"a\""));
    assert_non_null(strstr(second_line, "\"message\":\"no fields\"}\n"));
    assert_non_null(strstr(second_line, "\"message\":\"x: ABORTED: gone\"}\n"));
}

/* The text says it all; fields are for machines. */
static void test_fields_are_not_for_people(void **state _unused_)
{
    const LogField field = LOG_NUMBER("n", 1);
    Capture capture = capture_start();
    log_event(LOG_INFO, "a", &field, 1, "%s", "text");
    log_event(LOG_DEBUG, "a", &field, 1, "dropped");
    char *text = capture_end(&capture);
    assert_string_equal(strstr(text, "INFO"), "INFO a: text\n");
}

#define N_THREADS 4
#define N_LINES 200

static void *log_lines(void *digit)
{
    char text[201];
    memset(text, *(const char *)digit, 200);
    text[200] = '\0';
    for (int i = 0; i < N_LINES; i++)
        log_info("t", "%s", text);
    return NULL;
}

static void test_lines_of_threads_do_not_mix(void **state _unused_)
{
    pthread_t threads[N_THREADS];
    Capture capture = capture_start();
    for (int i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, log_lines, (void *)(uintptr_t) & "abcd"[i]);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    char *line = capture_end(&capture);
    int n = 0;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1, n++) {
        const char *text = strstr(line, " t: ");
        assert_non_null(text);
        assert_int_equal(end - (text + 4), 200);
        for (const char *p = text + 4; p < end; p++)
            assert_int_equal(*p, text[4]);
    }
    assert_int_equal(n, N_THREADS * N_LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_control_characters_are_escaped),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_fields_are_not_for_people),
        cmocka_unit_test(test_lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
