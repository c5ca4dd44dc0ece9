/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of metrics share: a scrape's text, and questions to it.
 */
#ifndef DIGIT_TESTS_METRICS_FIXTURE_H
#define DIGIT_TESTS_METRICS_FIXTURE_H

#include "server/metrics/telemetry.h"
#include "tests/support/check.h"

/* The text of a scrape; the caller frees it. */
static inline char *scrape(Metrics *metrics)
{
    Buf text;
    buf_init(&text, 16u << 20);
    assert_ok(metrics_text(metrics, &text));
    char *copy = strdup(buf_text(&text));
    assert_non_null(copy);
    buf_done(&text);
    return copy;
}

/* What is left of a text. Looked at by lengths: the sanitizers would measure the whole rest at each
 * look otherwise. */
typedef struct Lines {
    const char *at, *end;
} Lines;

/* Takes the next line, without its newline, as long as there is one. */
static inline bool next_line(Lines *lines, Bytes *ret_line)
{
    size_t left = (size_t)(lines->end - lines->at);
    if (left == 0)
        return false;
    const char *newline = memchr(lines->at, '\n', left);
    size_t size = newline != NULL ? (size_t)(newline - lines->at) : left;
    *ret_line = (Bytes){ (const uint8_t *)lines->at, size };
    lines->at += newline != NULL ? size + 1 : size;
    return true;
}

static inline bool begins_with(Bytes line, const char *head)
{
    size_t n = strlen(head);
    return line.size >= n && memcmp(line.data, head, n) == 0;
}

/* The number at the end of a line. */
static inline double number_of(Bytes line)
{
    char number[64];
    size_t n = 0;
    while (n < line.size && n < sizeof(number) - 1 && line.data[line.size - n - 1] != ' ')
        n++;
    memcpy(number, line.data + line.size - n, n);
    number[n] = '\0';
    return strtod(number, NULL);
}

/* The number behind the line that begins with `head`; -1 when there is no such line. */
static inline double value_of(const char *text, const char *head)
{
    Bytes line;
    for (Lines lines = { text, text + strlen(text) }; next_line(&lines, &line);)
        if (begins_with(line, head) && line.data[strlen(head)] == ' ')
            return number_of(line);
    return -1;
}

/* The sum over all lines that begin with `head`. */
static inline double sum_of(const char *text, const char *head)
{
    double sum = 0;
    Bytes line;
    for (Lines lines = { text, text + strlen(text) }; next_line(&lines, &line);)
        if (begins_with(line, head))
            sum += number_of(line);
    return sum;
}

static inline size_t lines_of(const char *text, const char *head)
{
    size_t n = 0;
    Bytes line;
    for (Lines lines = { text, text + strlen(text) }; next_line(&lines, &line);)
        n += begins_with(line, head);
    return n;
}

/* A Predict of version 3 of digits over gRPC that took 32.4 us. */
#define A_CALL                                                                                     \
    ((CallRecord){ .model = bytes_of_text("digits"),                                               \
                   .is_known = true,                                                               \
                   .has_version = true,                                                            \
                   .version = 3,                                                                   \
                   .signature = bytes_of_text("serving_default"),                                  \
                   .method = "Predict",                                                            \
                   .entrypoint = "GRPC",                                                           \
                   .latency_ns = 32400,                                                            \
                   .runtime_ns = 32400,                                                            \
                   .request_bytes = 100,                                                           \
                   .reply_bytes = 7 })

#endif
