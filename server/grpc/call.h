/* SPDX-License-Identifier: Apache-2.0
 *
 * Call: one RPC from its arrival until its reply is sent. It belongs to one queue and its thread.
 *
 *     FREE -> ARMED -> WAITING -> RUNNING -> SENDING -> FREE
 *
 * A handler gets a Call that is RUNNING, with the request's bytes read, and ends it by exactly one
 * of call_reply_send and call_reply_error; after that the Call is no longer its own. A Call keeps
 * its memory, so that a warm server allocates nothing for a call besides what gRPC core does.
 *
 * A handler that has to wait for others defers the call, and returns: then whoever it has handed
 * the call to, on any thread, ends it. Until that, what a call lends stays valid.
 *
 * A stream's handler is written like any other: it gets one request and gives one reply. That the
 * call stays open, and when the handler runs again, is the transport's affair (MethodKind).
 *
 * What services need is the first half; the rest is for queue.c and server.c.
 */
#ifndef DIGIT_SERVER_GRPC_CALL_H
#define DIGIT_SERVER_GRPC_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"
#include "server/grpc/trace.h"

typedef struct Call Call;

/* Which threads a method runs on. */
typedef enum MethodQueue {
    METHOD_COMPUTE, /* any of the computing threads */
    METHOD_CONTROL, /* the one thread that never computes, so that it always answers */
} MethodQueue;

/* When a method's handler runs, and what its reply does. An error ends the call in every kind. */
typedef enum MethodKind {
    METHOD_UNARY, /* once; the reply ends the call */
    /* Once for each message of the client, which reads the reply before its next message is read;
     * the call ends with the client's last. */
    METHOD_CHAT,
    /* With the one request of the client, again after each server_notify: the reply is sent if it
     * is not the same as the last. The call ends when the client leaves or the server stops. */
    METHOD_SUBSCRIPTION,
} MethodKind;

/* A row of the server's table of RPCs. */
typedef struct Method {
    const char *path; /* "/package.Service/Method" */
    MethodKind kind;
    MethodQueue queue;
    /* Runs to completion on the queue's thread and ends the call, or defers it. `context` is what
     * ServerOptions.contexts has for that thread. */
    void (*handle)(Call *call, void *context);
} Method;

/* ---- for services ---------------------------------------------------------------------------- */

/* The serialized request. Borrowed, valid until the call is ended. */
Bytes call_request(const Call *call);

/* The call's memory, up to ServerOptions.max_call_bytes; reset when the call is ended. */
Arena *call_arena(Call *call);

/* CLOCK_MONOTONIC nanoseconds; 0 when the client set no deadline. */
uint64_t call_deadline_ns(const Call *call);

/* The value of the request's header `key`, in lower case; data is NULL when it has none. Borrowed,
 * valid until the call is ended. The first of several. `x-request-id` is echoed in the head of the
 * reply, also of an error, by itself. */
Bytes call_metadata(const Call *call, const char *key);

/* The trace that the request belongs to, if it has a valid `traceparent`. */
bool call_trace(const Call *call, Trace *ret_trace);

/* True when nobody waits for the reply: the client has gone, or the server is stopping by force.
 * Takes events of the queue, and lets gRPC tell from the first time on: for handlers that have run
 * for some milliseconds. `call` is a Call. Of a deferred call it only reads a flag. */
bool call_is_cancelled(void *call);

/* RUNNING, of a unary method, on the queue's thread: the handler may return without having ended the
 * call. From here on the call belongs to one thread at a time, not of the queue's choice; it has to
 * be ended, also when it is cancelled, or the server cannot stop. Handing it over (loop_post, a
 * lock) must order memory, as it always does. */
void call_defer(Call *call);

/* Right after call_defer, on the queue's thread: `gone`, with `data`, is called there when nobody waits
 * for the reply any more, as in call_is_cancelled. That may be while the call is ended by another
 * thread, or just has been: so the call's arena then stays until the reply is sent. */
void call_on_gone(Call *call, void (*gone)(void *data), void *data);

/* Room for a serialized reply of exactly `bytes` bytes, to be filled before call_reply_send.
 * Borrowed. Once a call. NULL when memory is out: end the call with an error then. */
uint8_t *call_reply_begin(Call *call, size_t bytes) _warn_unused_result_;

/* Ends the call with OK and the reply that was begun; a stream's run with the reply alone. */
void call_reply_send(Call *call);

/* Ends the call with `error`, which it takes, and an empty reply. */
void call_reply_error(Call *call, Error *error);

/* ---- for the transport ------------------------------------------------------------------------
 */

typedef struct Queue Queue;

/* What a completion queue's event points at. */
typedef struct Tag {
    void (*happened)(struct Tag *tag, bool ok);
} Tag;

/* A method on one queue. `n_armed` calls wait there for a request. */
typedef struct Slot {
    const Method *method;
    void *registered; /* gRPC's handle of the method; NULL: whatever is not registered */
    unsigned n_armed;
} Slot;

/* NULL when memory is out. */
Call *call_new(Queue *queue) _warn_unused_result_;

/* For a Call that is FREE. Takes NULL; returns NULL. */
Call *call_free(Call *call);

/* FREE -> ARMED: the next request for the slot's method arrives in this call. */
void call_arm(Call *call, Slot *slot);

/* WAITING -> RUNNING, or straight to SENDING when running it is of no use any more: its deadline
 * has passed, its client is known to have gone, the server is stopping by force, or a stream may
 * not be opened. */
void call_run(Call *call);

/* WAITING or RUNNING, once: lets gRPC tell if the client goes away before the reply. */
void call_watch(Call *call);

/* The next one in the one list that the call is in: the queue's free calls or its waiting ones. */
Call **call_link(Call *call);

#endif
