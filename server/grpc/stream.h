/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams: calls that stay open between replies, and the list of those of one queue. Internal to
 * server/grpc.
 */
#ifndef DIGIT_SERVER_GRPC_STREAM_H
#define DIGIT_SERVER_GRPC_STREAM_H

#include <pthread.h>

#include "server/grpc/call.h"

typedef struct StreamList {
    pthread_mutex_t lock;
    /* guarded by lock */
    Call *first;
    unsigned n;
    unsigned max; /* more are refused: open streams must leave room for other calls */
    bool is_ending;
} StreamList;

void stream_list_init(StreamList *list, unsigned max);

/* The list must be empty. */
void stream_list_done(StreamList *list);

/* Has every subscription run again; with `end`, every stream ends as soon as it has sent what it
 * is about to, and there are to be no new ones. Any thread. */
void stream_list_wake(StreamList *list, bool end);

/* ---- for call.c, on the queue's thread --------------------------------------------------------- */

/* The first run: enters the list and watches for the client going away. UNAVAILABLE when streams
 * are ending, RESOURCE_EXHAUSTED when there are too many. Nothing for a stream that runs again. */
Error *stream_enter(Call *call) _warn_unused_result_;

/* Leaves the list, if it is there: is not woken any more. */
void stream_leave(Call *call);

/* RUNNING -> WRITING, or IDLE when a subscription has nothing new to say. */
void stream_reply(Call *call);

/* WRITING -> IDLE: the reply has been taken. */
void stream_wrote(Call *call);

/* The events of Call.read_tag and wake_tag. */
void stream_read(Tag *tag, bool ok);
void stream_woken(Tag *tag, bool ok);

#endif
