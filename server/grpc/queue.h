/* SPDX-License-Identifier: Apache-2.0
 *
 * Queue: one completion queue and the one thread that takes its events and runs its calls.
 *
 * One call at a time runs, to completion, on the thread. What happens under load:
 *
 * - A thread that had to wait for a call asks gRPC for the next one only after it has answered, so
 *   that a request which arrives meanwhile goes to a thread that is idle.
 * - A thread that finds a call ready when it comes back from one (which means that no thread was
 *   idle) takes all that are ready, oldest first, into its waiting list. So the backlog is counted
 *   here and does not hide inside gRPC.
 * - A thread holds at most `max_calls` calls: waiting, running, or with a reply that the client has
 *   not taken yet. One more is refused at once with RESOURCE_EXHAUSTED. The list never grows past
 *   that, and neither does memory.
 * - At most half of these may be streams, so that others find room whoever stays connected.
 * - A call whose deadline passes while it waits costs no computing, and neither does one that waits
 *   behind many others and is cancelled.
 */
#ifndef DIGIT_SERVER_GRPC_QUEUE_H
#define DIGIT_SERVER_GRPC_QUEUE_H

#include <grpc/grpc.h>
#include <stdbool.h>

#include "server/grpc/call.h"
#include "server/grpc/stream.h"

typedef struct QueueOptions {
    grpc_server *server; /* borrowed */
    Slot *slots;         /* [n_slots] borrowed; only this queue's */
    size_t n_slots;
    void *context; /* for the handlers; borrowed */
    unsigned max_calls;
    size_t max_call_bytes; /* see ServerOptions */
    bool is_passive;       /* others read the network for it (standby.h) */
    const char *name;      /* of the thread, at most 15 bytes; borrowed */
} QueueOptions;

/* A queue that is registered with the server, which must not have started. NULL when memory is
 * out. */
Queue *queue_new(const QueueOptions *options) _warn_unused_result_;

/* Arms the slots and starts the thread. The server must have started. */
Error *queue_start(Queue *queue) _warn_unused_result_;

/* Ends the thread, if it was started, and frees. The server must have been shut down and destroyed,
 * and no call be left. Takes NULL; returns NULL. */
Queue *queue_free(Queue *queue);

grpc_completion_queue *queue_completion_queue(Queue *queue);
grpc_server *queue_server(Queue *queue);
void *queue_context(Queue *queue);
size_t queue_max_call_bytes(const Queue *queue);

/* The streams that are open on the queue. */
StreamList *queue_streams(Queue *queue);

/* Counts the times that the thread read the network and found no more calls ready. Any thread. */
unsigned queue_n_dry(const Queue *queue);

/* True while the thread waits for something to happen. Any thread. */
bool queue_is_idle(const Queue *queue);

/* The calls that have arrived and are not finished. Any thread. */
unsigned queue_n_calls(const Queue *queue);

/* The queue's thread, while a call runs: takes the events that are ready, and asks for no new calls:
 * other queues may be free for them. */
void queue_take_ready(Queue *queue);

/* From now on calls that have not begun to run are answered with UNAVAILABLE. Any thread. */
void queue_drop_waiting(Queue *queue);
bool queue_is_dropping(const Queue *queue);

/* For call.c, on the queue's thread: a request has arrived in `call`; a call that had one is at its
 * end; a call was armed and gets no request any more, since the server stops. */
void queue_arrived(Queue *queue, Call *call);
void queue_finished(Queue *queue, Call *call);
void queue_disarmed(Queue *queue, Call *call);

/* For stream.c, on the queue's thread: `call`, which has run before, is WAITING to run again. */
void queue_again(Queue *queue, Call *call);

#endif
