/* SPDX-License-Identifier: Apache-2.0
 *
 * Answer: what a request is replied to, whatever way it came in.
 */
#ifndef DIGIT_SERVER_REST_ANSWER_H
#define DIGIT_SERVER_REST_ANSWER_H

#include "model/base/buf.h"
#include "server/rest/route.h"
#include "server/service/worker.h"

/* True for what may take long, and so is for the pool: everything but states and probes. */
bool answer_computes(const Route *route);

/* Appends the reply to a request of a kind that computes. `body` has a NUL behind it and is borrowed;
 * what is needed besides lies in `arena`. On the worker's thread. `deadline_ns` is of CLOCK_MONOTONIC;
 * 0: none. */
Error *answer_compute(const Route *route, Bytes body, uint64_t deadline_ns, Worker *worker,
                      Arena *arena, Buf *reply) _warn_unused_result_;

/* The same for a request of another kind, of this interface. UNAVAILABLE from ROUTE_READY while not
 * all models serve. Any thread. */
Error *answer_state(const Route *route, Manager *manager, Arena *arena,
                    Buf *reply) _warn_unused_result_;

/* Makes `reply` the body that tells of an error. Appends as much of it as there is memory for. */
void answer_error(const Error *error, Buf *reply);

/* The HTTP status that stands for a code. */
unsigned answer_http_status(ErrorCode code);

#endif
