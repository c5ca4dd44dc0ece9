/* SPDX-License-Identifier: Apache-2.0
 *
 * CallState: what a Call consists of. Internal to server/grpc, shared by call.c (the life of every
 * call) and stream.c (what only streams do).
 *
 *     unary         FREE -> ARMED -> WAITING -> RUNNING -> SENDING -> FREE
 *     chat          ... RUNNING -> WRITING -> IDLE (reads) -> WAITING ..., at last SENDING -> FREE
 *     subscription  ... RUNNING -> WRITING -> IDLE (until woken) -> WAITING ..., the same
 */
#ifndef DIGIT_SERVER_GRPC_CALL_STATE_H
#define DIGIT_SERVER_GRPC_CALL_STATE_H

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <stdatomic.h>

#include "server/grpc/call.h"

typedef enum CallState {
    CALL_FREE,
    CALL_ARMED,
    CALL_WAITING,
    CALL_RUNNING,
    CALL_WRITING, /* a reply that is not the last */
    CALL_IDLE,    /* between two runs */
    CALL_SENDING, /* the status, and a unary call's reply */
} CallState;

struct Call {
    Tag tag;        /* a request has come; a reply or the status is sent */
    Tag closed_tag; /* a watched call's stream is at its end */
    Tag read_tag;   /* a chat's next message has come */
    Tag wake_tag;   /* the stream has been woken */
    Queue *queue;   /* borrowed */
    Slot *slot;     /* borrowed; of the queue */
    Call *link;
    Arena *arena; /* owned */
    CallState state;

    /* From ARMED on; what gRPC gives belongs to the Call until it is FREE again. */
    grpc_call *rpc;
    gpr_timespec deadline;
    grpc_metadata_array metadata; /* its values belong to `rpc` */
    grpc_metadata echo;           /* borrows from `metadata` */
    grpc_call_details details;    /* only of a method that is not registered */
    grpc_byte_buffer *payload;    /* may be NULL: a client that sent no message */
    Bytes request;

    grpc_slice reply;
    bool has_reply;
    int cancelled;  /* written by gRPC: the stream ended before the reply */
    bool has_begun; /* initial metadata is sent */
    bool is_sent;
    bool is_watched; /* closed_tag is on its way */
    bool is_closed;  /* and has come */

    /* A deferred call. The thread that ends it has no other order with the queue's that tools could
     * see: gRPC core, through which the call comes back, is not instrumented. */
    bool is_deferred;
    void (*gone)(void *data); /* NULL: nobody is to be told */
    void *gone_data;
    atomic_bool is_cancelled; /* relaxed: guards nothing */
    atomic_bool is_back;      /* released by call_end, acquired by the event that follows */

    /* Only streams; see stream.c. */
    grpc_slice last_reply; /* a subscription's */
    bool has_last_reply;
    bool is_reading; /* read_tag is on its way */
    bool is_dirty;   /* was woken since it last ran */

    /* guarded by the StreamList's lock */
    Call *next_stream;
    Call **stream_link; /* what points at this call; NULL: in no list */
    bool is_woken;      /* wake_tag is on its way */
};

static inline bool call_is_stream(const Call *call)
{
    return call->slot->method->kind != METHOD_UNARY;
}

/* Forgets what was made of the request; the request itself stays. */
void call_reset_arena(Call *call);

/* Gives back what the request held and what was made of it. */
void call_drop_request(Call *call);

/* RUNNING, WAITING or IDLE -> SENDING: the status, behind the reply if there is one. */
void call_end(Call *call, ErrorCode code, const char *text);

/* WAITING or IDLE -> SENDING, with nothing to send: nobody is there to be answered. */
void call_abandon(Call *call);

/* SENDING -> FREE when no event of the call is on its way any more. */
void call_finish_if_over(Call *call);

/* Starts a batch, whose event is `tag`. */
void call_start(Call *call, const grpc_op *ops, size_t n, Tag *tag);

/* The head of the first batch that sends something. */
grpc_op call_initial_metadata(Call *call);

#endif
