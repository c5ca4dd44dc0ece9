/* SPDX-License-Identifier: Apache-2.0
 *
 * Http: an HTTP/1.1 server on the loop. The door to libmicrohttpd; knows no path.
 *
 * A request is read whole and handed to the handler as an Exchange, which fills in the reply and calls
 * exchange_finish, at once or later and from any thread. Until then its connection is suspended.
 * Everything else is for the loop's thread.
 */
#ifndef DIGIT_SERVER_REST_HTTP_H
#define DIGIT_SERVER_REST_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/buf.h"
#include "server/loop.h"
#include "server/rest/pool.h"
#include "server/rest/route.h"

typedef struct Http Http;

/* What became of a request's body. */
typedef enum BodyState {
    BODY_WHOLE,
    BODY_TOO_BIG, /* over HttpOptions.max_body_bytes; it was dropped */
    BODY_REFUSED, /* all requests together hold too much, or memory is out; it was dropped */
} BodyState;

typedef struct Exchange {
    /* the request */
    const char *method, *path; /* percent-encoded, without its query; in the arena */
    Buf body;
    BodyState body_state;
    bool body_is_gzip;
    bool accepts_gzip;
    bool comes_from_page; /* it has an Origin that is a page's */
    Arena *arena;         /* its own; small things */

    /* the reply; set by the handler */
    unsigned status;
    const char *content_type; /* NULL: none */
    Buf reply;
    bool reply_is_gzip;
    unsigned retry_after_seconds; /* 0: not said */

    /* the handler's own */
    void *owner;
    Buf plain; /* the body, uncompressed */
    PoolJob job;
    Route route;
    uint64_t deadline_ns;

    /* http.c's own */
    Http *http;
    struct MHD_Connection *connection;
    uint64_t n_received; /* bytes of the body, those dropped too */
    LoopTask finished;
    bool is_busy, is_finished;
} Exchange;

typedef struct HttpOptions {
    Loop *loop; /* borrowed */
    int port;   /* on all addresses, of IPv6 and IPv4 */
    size_t max_body_bytes;
    bool allow_pages; /* every reply has the headers of CORS that let any page read it */
    void (*handle)(void *data, Exchange *exchange);
    void (*on_idle)(void *data); /* after http_drain: no request is with the handler any more */
    void *data;
} HttpOptions;

/* Listens. UNAVAILABLE naming the port and why not. */
Error *http_start(const HttpOptions *options, Http **ret_http) _warn_unused_result_;

/* Ends an exchange that the handler has been given, with the reply that is in it. Any thread. */
void exchange_finish(Exchange *exchange);

/* Takes no new connections; those that there are get one more reply each. Calls on_idle when nothing
 * is with the handler, at once if so. */
void http_drain(Http *http);

/* Closes all connections and frees. Nothing may be with the handler. Takes NULL; returns NULL. */
Http *http_free(Http *http);

#endif
