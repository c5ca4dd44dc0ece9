/* SPDX-License-Identifier: Apache-2.0
 *
 * Rest: between Http, which knows no path, and the answers, which know no connection. States and
 * probes are answered on the loop, so that they come while every thread computes; all else, gzip too,
 * is for the pool.
 */
#include "server/rest/rest.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/rest/answer.h"
#include "server/rest/gzip.h"
#include "server/rest/http.h"
#include "server/rest/pool.h"

#define GUNZIP_MAX_BYTES ((size_t)100 << 20) /* of a body, TensorFlow Serving's limit */
#define GZIP_MIN_BYTES 1024                  /* a reply that is not worth it is shorter */
#define STATUS_TOO_LARGE 413
#define NS_PER_MS 1000000

struct Rest {
    RestOptions options;
    Pool *pool;
    Http *http;
    LoopTask drain;

    /* guarded by lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_idle;
};

static const char not_found_page[] = "<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n"
                                     "<H1>Not Found</H1>\n</BODY></HTML>\n";

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- replies --------------------------------------------------------------------------------- */

/* Makes the error, which it takes, the reply; NULL leaves the reply as it is. */
static void conclude(Exchange *exchange, Error *error)
{
    exchange->content_type = "application/json";
    exchange->status = answer_http_status(error != NULL ? error->code : ERROR_OK);
    if (error != NULL)
        answer_error(error, &exchange->reply);
    error_free(error);
}

static void finish(Exchange *exchange, Error *error)
{
    conclude(exchange, error);
    exchange_finish(exchange);
}

static void finish_too_large(Exchange *exchange, Error *error)
{
    conclude(exchange, error);
    exchange->status = STATUS_TOO_LARGE;
    exchange_finish(exchange);
}

static void finish_overloaded(Exchange *exchange, Error *error)
{
    exchange->retry_after_seconds = 1;
    finish(exchange, error);
}

/* ---- on a thread of the pool ----------------------------------------------------------------- */

/* Puts the reply's gzip in its place; without memory for it the reply goes as it is. */
static void compress(Exchange *exchange)
{
    Buf small;
    buf_init(&small, exchange->reply.size);
    Error *error = gzip_write((Bytes){ exchange->reply.data, exchange->reply.size }, &small);
    if (error == NULL) {
        buf_done(&exchange->reply);
        exchange->reply = small;
        exchange->reply_is_gzip = true;
    } else {
        buf_done(&small);
    }
    error_free(error);
}

/* Puts what the body's gzip holds in its place. `*ret_is_big` when that is too much. */
static Error *uncompress(Exchange *exchange, size_t max_bytes, bool *ret_is_big)
{
    Buf plain;
    buf_init(&plain, max_bytes < GUNZIP_MAX_BYTES ? max_bytes : GUNZIP_MAX_BYTES);
    Error *error = gzip_read((Bytes){ exchange->body.data, exchange->body.size }, &plain);
    *ret_is_big = error != NULL && plain.size == plain.max_bytes;
    if (*ret_is_big) {
        error_free(error);
        error = error_new(ERROR_RESOURCE_EXHAUSTED,
                          "the request's body has more than %zu bytes once it is uncompressed",
                          plain.max_bytes);
    }
    if (error == NULL)
        error = buf_text(&plain) != NULL ? NULL : error_out_of_memory();
    if (error != NULL) {
        buf_done(&plain);
        return error;
    }
    exchange->plain = plain;
    return NULL;
}

static Error *compute(Exchange *exchange, Worker *worker, Arena *arena)
{
    if (exchange->deadline_ns != 0 && now_ns() >= exchange->deadline_ns)
        return error_new(ERROR_DEADLINE_EXCEEDED,
                         "the request waited for a thread longer than --rest_api_timeout_in_ms");
    Buf *body = exchange->body_is_gzip ? &exchange->plain : &exchange->body;
    const char *text = buf_text(body);
    if (text == NULL)
        return error_out_of_memory();
    return answer_compute(&exchange->route, (Bytes){ (const uint8_t *)text, body->size },
                          exchange->deadline_ns, worker, arena, &exchange->reply);
}

static void run_job(PoolJob *job, Worker *worker, Arena *arena)
{
    Exchange *exchange = (Exchange *)(void *)((char *)job - offsetof(Exchange, job));
    Rest *rest = exchange->owner;
    bool is_big = false;
    Error *error = NULL;
    if (exchange->body_is_gzip)
        error = uncompress(exchange, rest->options.max_body_bytes, &is_big);
    if (is_big) {
        finish_too_large(exchange, error);
        return;
    }
    conclude(exchange, error != NULL ? error : compute(exchange, worker, arena));
    if (exchange->accepts_gzip && exchange->reply.size >= GZIP_MIN_BYTES)
        compress(exchange);
    exchange_finish(exchange);
}

/* ---- on the loop ----------------------------------------------------------------------------- */

static void submit(Rest *rest, Exchange *exchange)
{
    int64_t timeout_ms = rest->options.timeout_ms;
    exchange->owner = rest;
    exchange->job.run = run_job;
    exchange->deadline_ns = timeout_ms > 0 ? now_ns() + (uint64_t)timeout_ms * NS_PER_MS : 0;
    if (!pool_submit(rest->pool, &exchange->job))
        finish_overloaded(exchange,
                          error_new(ERROR_RESOURCE_EXHAUSTED,
                                    "%zu requests wait for a thread already; try again later",
                                    rest->options.max_waiting));
}

static void finish_elsewhere(Exchange *exchange)
{
    exchange->status = 404;
    exchange->content_type = "text/html";
    error_free(buf_append_text(&exchange->reply, not_found_page));
    exchange_finish(exchange);
}

static void dispatch(Rest *rest, Exchange *exchange)
{
    Error *error = route_read(exchange->arena, exchange->method, exchange->path, &exchange->route);
    if (error != NULL)
        finish(exchange, error);
    else if (exchange->route.kind == ROUTE_ELSEWHERE)
        finish_elsewhere(exchange);
    else if (answer_computes(&exchange->route))
        submit(rest, exchange);
    else
        finish(exchange, answer_state(&exchange->route, rest->options.manager, exchange->arena,
                                      &exchange->reply));
}

static void on_exchange(void *data, Exchange *exchange)
{
    Rest *rest = data;
    if (strcmp(exchange->method, "OPTIONS") == 0) {
        exchange->status = exchange->comes_from_page ? 200 : 400;
        exchange->content_type = "application/json";
        exchange_finish(exchange);
    } else if (exchange->body_state == BODY_TOO_BIG) {
        finish_too_large(exchange, error_new(ERROR_RESOURCE_EXHAUSTED,
                                             "the request's body has more than %zu bytes "
                                             "(--rest_api_max_body_bytes)",
                                             rest->options.max_body_bytes));
    } else if (exchange->body_state == BODY_REFUSED) {
        finish_overloaded(exchange, error_new(ERROR_RESOURCE_EXHAUSTED,
                                              "the requests that are there take all the memory "
                                              "that they may have; try again later"));
    } else {
        dispatch(rest, exchange);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void on_idle(void *data)
{
    Rest *rest = data;
    pthread_mutex_lock(&rest->lock);
    rest->is_idle = true;
    pthread_cond_signal(&rest->changed);
    pthread_mutex_unlock(&rest->lock);
}

static void on_drain(void *data)
{
    Rest *rest = data;
    http_drain(rest->http);
}

static Error *open_rest(Rest *rest)
{
    const RestOptions *options = &rest->options;
    TRY(pool_new(
        &(PoolOptions){
            .manager = options->manager,
            .services = options->services,
            .crew = options->crew,
            .n_threads = options->n_threads,
            .max_waiting = options->max_waiting,
            .max_arena_bytes = options->max_arena_bytes,
        },
        &rest->pool));
    return http_start(
        &(HttpOptions){
            .loop = options->loop,
            .port = options->port,
            .max_body_bytes = options->max_body_bytes,
            .allow_pages = options->allow_pages,
            .handle = on_exchange,
            .on_idle = on_idle,
            .data = rest,
        },
        &rest->http);
}

Error *rest_start(const RestOptions *options, Rest **ret_rest)
{
    assert_on_loop(options->loop);
    Rest *rest = calloc(1, sizeof(*rest));
    if (rest == NULL)
        return error_out_of_memory();
    rest->options = *options;
    rest->drain = (LoopTask){ .run = on_drain, .data = rest };
    pthread_mutex_init(&rest->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&rest->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    Error *error = open_rest(rest);
    if (error != NULL)
        rest_free(rest);
    else
        *ret_rest = rest;
    return error;
}

void rest_drain(Rest *rest)
{
    if (rest != NULL)
        loop_post(rest->options.loop, &rest->drain);
}

bool rest_wait(Rest *rest, int64_t limit_ms)
{
    if (rest == NULL)
        return true;
    uint64_t until_ns = now_ns() + (uint64_t)(limit_ms > 0 ? limit_ms : 0) * NS_PER_MS;
    struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
                              .tv_nsec = (long)(until_ns % 1000000000) };
    pthread_mutex_lock(&rest->lock);
    int status = 0;
    while (!rest->is_idle && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&rest->changed, &rest->lock, &until);
    bool is_idle = rest->is_idle;
    pthread_mutex_unlock(&rest->lock);
    return is_idle;
}

Rest *rest_free(Rest *rest)
{
    if (rest == NULL)
        return NULL;
    http_free(rest->http);
    pool_free(rest->pool);
    pthread_cond_destroy(&rest->changed);
    pthread_mutex_destroy(&rest->lock);
    free(rest);
    return NULL;
}
