/* SPDX-License-Identifier: Apache-2.0
 *
 * Rest: TensorFlow Serving's REST interface. What main.c starts and stops.
 */
#ifndef DIGIT_SERVER_REST_REST_H
#define DIGIT_SERVER_REST_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "server/loop.h"
#include "server/service/worker.h"

typedef struct Rest Rest;

typedef struct RestOptions {
    Loop *loop; /* all pointers are borrowed, and outlive the Rest */
    Manager *manager;
    const ServiceOptions *services;
    Crew *crew;
    int port;
    size_t n_threads;       /* that compute */
    int64_t timeout_ms;     /* of a run, from when the request is there; <= 0: none */
    bool allow_pages;       /* CORS */
    size_t max_body_bytes;  /* of a request */
    size_t max_arena_bytes; /* that a request's tensors may take */
    size_t max_waiting;     /* requests that wait for a thread */
} RestOptions;

/* Listens and answers. UNAVAILABLE naming the port. The loop's thread. */
Error *rest_start(const RestOptions *options, Rest **ret_rest) _warn_unused_result_;

/* Begins to stop: no new connections. Any thread; takes NULL. */
void rest_drain(Rest *rest);

/* After rest_drain: waits until every request that was there has its reply, up to `limit_ms`. False
 * when the time was over: then the Rest must not be freed. Not the loop's thread; takes NULL. */
bool rest_wait(Rest *rest, int64_t limit_ms) _warn_unused_result_;

/* After rest_wait. The loop's thread. Takes NULL; returns NULL. */
Rest *rest_free(Rest *rest);

#endif
