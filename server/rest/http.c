/* SPDX-License-Identifier: Apache-2.0
 *
 * Http over libmicrohttpd, which has no thread of its own here: its epoll descriptor is one of the
 * loop's, and a timer stands for the time that it wants to be called at.
 *
 * libmicrohttpd calls on_request for the headers, for each piece of the body, and when all is there.
 * A reply can be given at the first and the last of them only, so what is too big is read over.
 */
#include "server/rest/http.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/log.h"

#define ARENA_BLOCK_BYTES 1024
#define ARENA_MAX_BYTES (16 << 20)    /* the states of very many models */
#define CONNECTION_BYTES (128 * 1024) /* headers and one read of a body */
#define CONNECTION_LIMIT 4096
#define IDLE_SECONDS 120 /* before a connection is closed on which nothing happens */
#define HELD_BODIES 4    /* bodies of the largest size that all requests together may have */
#define REPLY_MAX_BYTES ((size_t)INT32_MAX)

struct Http {
    HttpOptions options;
    struct MHD_Daemon *daemon;
    LoopPoll *poll;
    LoopTimer *timer;
    size_t held_bytes; /* of all bodies */
    size_t n_busy;     /* exchanges that are with the handler, or whose reply is being sent */
    bool is_draining;
};

/* ---- exchanges ------------------------------------------------------------------------------- */

static void exchange_free(Exchange *exchange)
{
    exchange->http->held_bytes -= exchange->body.size;
    buf_done(&exchange->body);
    buf_done(&exchange->plain);
    buf_done(&exchange->reply);
    arena_free(exchange->arena);
    free(exchange);
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value != NULL ? value : "";
}

/* Whether a list of encodings has gzip, and not with quality 0. */
static bool names_gzip(const char *list)
{
    const char *at = strcasestr(list, "gzip");
    if (at == NULL)
        return false;
    at += strlen("gzip");
    at += strspn(at, " \t");
    if (*at != ';')
        return true;
    at += 1 + strspn(at + 1, " \t");
    return strncasecmp(at, "q=", 2) != 0 || strtod(at + 2, NULL) > 0;
}

static Exchange *exchange_new(Http *http, struct MHD_Connection *connection, const char *method,
                              const char *path)
{
    Exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    exchange->http = http;
    exchange->connection = connection;
    buf_init(&exchange->body, http->options.max_body_bytes);
    buf_init(&exchange->reply, REPLY_MAX_BYTES);
    exchange->arena = arena_new(ARENA_BLOCK_BYTES, ARENA_MAX_BYTES);
    if (exchange->arena != NULL) {
        exchange->method = arena_strdup(exchange->arena, method);
        exchange->path = arena_strdup(exchange->arena, path);
    }
    if (exchange->path == NULL || exchange->method == NULL) {
        exchange_free(exchange);
        return NULL;
    }
    const char *origin = header_of(connection, MHD_HTTP_HEADER_ORIGIN);
    exchange->body_is_gzip =
        strcasestr(header_of(connection, MHD_HTTP_HEADER_CONTENT_ENCODING), "gzip") != NULL;
    exchange->accepts_gzip = names_gzip(header_of(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    exchange->comes_from_page =
        strstr(origin, "http://") != NULL || strstr(origin, "https://") != NULL;
    return exchange;
}

static void drop_body(Exchange *exchange, BodyState why)
{
    exchange->http->held_bytes -= exchange->body.size;
    buf_done(&exchange->body);
    exchange->body_state = why;
}

/* False when so much comes behind what was too big that nobody will wait for the reply. */
static bool take_body(Exchange *exchange, const char *data, size_t bytes)
{
    Http *http = exchange->http;
    size_t limit = http->options.max_body_bytes;
    exchange->n_received += bytes;
    if (exchange->body_state != BODY_WHOLE)
        return exchange->n_received / 2 <= limit;
    if (bytes > limit - exchange->body.size) {
        drop_body(exchange, BODY_TOO_BIG);
        return true;
    }
    Error *error = http->held_bytes / HELD_BODIES > limit
                       ? error_out_of_memory()
                       : buf_append(&exchange->body, data, bytes);
    if (error == NULL)
        http->held_bytes += bytes;
    else
        drop_body(exchange, BODY_REFUSED);
    error_free(error);
    return true;
}

/* ---- replies --------------------------------------------------------------------------------- */

typedef struct Header {
    const char *name, *value;
} Header;

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(const Exchange *exchange, struct MHD_Response *response)
{
    char seconds[16];
    snprintf(seconds, sizeof(seconds), "%u", exchange->retry_after_seconds);
    const Header headers[] = {
        { "Content-Type", exchange->content_type },
        { "Content-Encoding", exchange->reply_is_gzip ? "gzip" : NULL },
        { "Vary", exchange->reply_is_gzip ? "Accept-Encoding" : NULL },
        { "Retry-After", exchange->retry_after_seconds > 0 ? seconds : NULL },
        { "Connection", exchange->http->is_draining ? "close" : NULL },
    };
    static const Header of_pages[] = {
        { "Access-Control-Allow-Origin", "*" },
        { "Access-Control-Allow-Methods", "POST, GET" },
        { "Access-Control-Allow-Headers", "Content-Type" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        if (headers[i].value != NULL && !add_header(response, headers[i].name, headers[i].value))
            return false;
    for (size_t i = 0; exchange->http->options.allow_pages && i < ARRAY_SIZE(of_pages); i++)
        if (!add_header(response, of_pages[i].name, of_pages[i].value))
            return false;
    return true;
}

static enum MHD_Result send_reply(Exchange *exchange)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        exchange->reply.size, exchange->reply.data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;           /* closes the connection */
    exchange->reply.data = NULL; /* the response's now */
    buf_done(&exchange->reply);
    enum MHD_Result result = MHD_NO;
    if (add_headers(exchange, response))
        result = MHD_queue_response(exchange->connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- the daemon's callbacks ------------------------------------------------------------------ */

/* Everything of a request is there: the handler has it, and perhaps its answer at once. */
static enum MHD_Result hand_over(Exchange *exchange)
{
    Http *http = exchange->http;
    exchange->is_busy = true;
    http->n_busy++;
    http->options.handle(http->options.data, exchange);
    if (exchange->is_finished)
        return send_reply(exchange);
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **exchange_)
{
    (void)version;
    Exchange *exchange = *exchange_;
    if (exchange == NULL) {
        *exchange_ = exchange_new(data, connection, method, path);
        return *exchange_ != NULL ? MHD_YES : MHD_NO;
    }
    if (*upload_bytes > 0) {
        bool goes_on = take_body(exchange, upload, *upload_bytes);
        *upload_bytes = 0;
        return goes_on ? MHD_YES : MHD_NO;
    }
    return exchange->is_finished ? send_reply(exchange) : hand_over(exchange);
}

static void tell_idle(Http *http)
{
    if (http->is_draining && http->n_busy == 0)
        http->options.on_idle(http->options.data);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **exchange_,
                         enum MHD_RequestTerminationCode how)
{
    (void)connection;
    (void)how;
    Http *http = data;
    Exchange *exchange = *exchange_;
    if (exchange == NULL)
        return;
    *exchange_ = NULL;
    http->n_busy -= exchange->is_busy;
    exchange_free(exchange);
    tell_idle(http);
}

/* Paths are matched before they are decoded. */
static size_t leave_encoded(void *data, struct MHD_Connection *connection, char *text)
{
    (void)data;
    (void)connection;
    return strlen(text);
}

static void on_log(void *data, const char *format, va_list arguments) _printf_(2, 0);

static void on_log(void *data, const char *format, va_list arguments)
{
    (void)data;
    char text[256];
    vsnprintf(text, sizeof(text), format, arguments);
    log_debug("rest", "%s", text);
}

/* ---- the loop's callbacks -------------------------------------------------------------------- */

static void run(void *data)
{
    Http *http = data;
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    MHD_run(http->daemon);
    if (MHD_get_timeout(http->daemon, &timeout_ms) == MHD_YES)
        loop_timer_start(http->timer, timeout_ms);
    else
        loop_timer_stop(http->timer);
}

static void on_finished(void *data)
{
    Exchange *exchange = data;
    Http *http = exchange->http;
    exchange->is_finished = true;
    MHD_resume_connection(exchange->connection);
    run(http);
}

void exchange_finish(Exchange *exchange)
{
    if (loop_is_current(exchange->http->options.loop)) {
        exchange->is_finished = true; /* inside the handler: hand_over goes on */
        return;
    }
    exchange->finished = (LoopTask){ .run = on_finished, .data = exchange };
    loop_post(exchange->http->options.loop, &exchange->finished);
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct MHD_Daemon *listen_on(Http *http, unsigned family)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | family,
        (uint16_t)http->options.port, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER,
        on_log, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_encoded, http, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTION_LIMIT, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_END);
}

static Error *open_http(Http *http)
{
    errno = 0;
    http->daemon = listen_on(http, MHD_USE_DUAL_STACK);
    if (http->daemon == NULL && errno != EADDRINUSE)
        http->daemon = listen_on(http, 0); /* a machine without IPv6 */
    if (http->daemon == NULL)
        return error_new(ERROR_UNAVAILABLE, "cannot listen for HTTP on port %d: %s",
                         http->options.port, strerror(errno));
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL)
        return error_new(ERROR_INTERNAL, "libmicrohttpd has no epoll descriptor");
    http->timer = loop_timer_new(http->options.loop, run, http);
    if (http->timer == NULL)
        return error_out_of_memory();
    return loop_poll_new(http->options.loop, info->epoll_fd, run, http, &http->poll);
}

Error *http_start(const HttpOptions *options, Http **ret_http)
{
    assert_on_loop(options->loop);
    Http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return error_out_of_memory();
    http->options = *options;
    Error *error = open_http(http);
    if (error != NULL)
        http_free(http);
    else
        *ret_http = http;
    return error;
}

void http_drain(Http *http)
{
    assert_on_loop(http->options.loop);
    MHD_socket socket = MHD_quiesce_daemon(http->daemon);
    if (socket != MHD_INVALID_SOCKET)
        close(socket);
    http->is_draining = true;
    tell_idle(http);
}

Http *http_free(Http *http)
{
    if (http == NULL)
        return NULL;
    http->is_draining = false;
    loop_poll_free(http->poll);
    loop_timer_free(http->timer);
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    free(http);
    return NULL;
}
