/* SPDX-License-Identifier: Apache-2.0
 *
 * Call: the states of one RPC and the batches of operations that move it on. Knows neither services
 * nor messages: a request and a reply are bytes here. Everything runs on the queue's thread.
 *
 * The whole reply (initial metadata, message, status, and the wait for the stream's end) is one
 * batch: splitting it costs a quarter more. Only a call that waits behind many others has a batch
 * for the stream's end of its own, which tells us early when its client has gone.
 */
#include "server/grpc/call.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stddef.h>
#include <stdlib.h>

#include "server/grpc/call_state.h"
#include "server/grpc/queue.h"
#include "server/grpc/stream.h"

/* A call's memory comes in blocks of this size, and this much is kept between calls. */
#define CALL_BLOCK_BYTES (16u << 10)
#define CALL_KEEP_BYTES (64u << 10)

#define REQUEST_ID "x-request-id"
#define REQUEST_ID_MAX_BYTES 256 /* a longer one is not echoed */

#define NS_PER_S 1000000000ull

/* ---- the end of a call ----------------------------------------------------------------------- */

void call_reset_arena(Call *call)
{
    call->request = (Bytes){ NULL, 0 };
    arena_limit(call->arena, 0);
    arena_reset(call->arena, CALL_KEEP_BYTES);
}

/* As soon as the handler is done: a client that is slow to take its reply would hold memory. */
static void drop_payload(Call *call)
{
    if (call->payload != NULL)
        grpc_byte_buffer_destroy(TAKE(call->payload));
}

void call_drop_request(Call *call)
{
    drop_payload(call);
    call_reset_arena(call);
}

static void clear(Call *call)
{
    call_drop_request(call);
    if (call->has_reply)
        grpc_slice_unref(call->reply);
    call->has_reply = false;
    if (call->has_last_reply)
        grpc_slice_unref(call->last_reply);
    call->has_last_reply = false;
    if (call->slot->registered == NULL)
        grpc_call_details_destroy(&call->details);
    call->metadata.count = 0;
    call->cancelled = 0;
    call->is_deferred = false;
    call->gone = NULL;
    atomic_store_explicit(&call->is_cancelled, false, memory_order_relaxed);
    atomic_store_explicit(&call->is_back, false, memory_order_relaxed);
    call->has_begun = false;
    call->is_dirty = false;
    call->is_sent = false;
    call->is_watched = false;
    call->is_closed = false;
    call->state = CALL_FREE;
}

static void finish(Call *call)
{
    grpc_call_unref(TAKE(call->rpc));
    clear(call);
    queue_finished(call->queue, call);
}

void call_finish_if_over(Call *call)
{
    /* A stream has left its list before, so is_woken changes no more but by its event. */
    if (call->is_sent && (!call->is_watched || call->is_closed) && !call->is_reading &&
        !call->is_woken)
        finish(call);
}

void call_abandon(Call *call)
{
    if (call_is_stream(call))
        stream_leave(call);
    call->state = CALL_SENDING;
    call->is_sent = true;
    call_finish_if_over(call);
}

void call_start(Call *call, const grpc_op *ops, size_t n, Tag *tag)
{
    grpc_call_error e = grpc_call_start_batch(call->rpc, ops, n, tag, NULL);
    assert(e == GRPC_CALL_OK);
    (void)e;
}

/* NULL when the request has no such header. */
static const grpc_metadata *find_metadata(const Call *call, const char *key)
{
    for (size_t i = 0; i < call->metadata.count; i++)
        if (grpc_slice_str_cmp(call->metadata.metadata[i].key, key) == 0)
            return &call->metadata.metadata[i];
    return NULL;
}

grpc_op call_initial_metadata(Call *call)
{
    grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };
    const grpc_metadata *id = find_metadata(call, REQUEST_ID);
    call->has_begun = true;
    if (id != NULL && GRPC_SLICE_LENGTH(id->value) <= REQUEST_ID_MAX_BYTES) {
        call->echo =
            (grpc_metadata){ .key = grpc_slice_from_static_string(REQUEST_ID), .value = id->value };
        op.data.send_initial_metadata.count = 1;
        op.data.send_initial_metadata.metadata = &call->echo;
    }
    return op;
}

void call_end(Call *call, ErrorCode code, const char *text)
{
    assert(call->state == CALL_RUNNING || call->state == CALL_WAITING || call->state == CALL_IDLE);
    if (call_is_stream(call))
        stream_leave(call);
    call->state = CALL_SENDING;

    grpc_op ops[4] = { { .flags = 0 } };
    size_t n = 0;
    if (!call->has_begun)
        ops[n++] = call_initial_metadata(call);
    grpc_byte_buffer *message = NULL;
    if (code == ERROR_OK && call->has_reply) {
        message = grpc_raw_byte_buffer_create(&call->reply, 1);
        ops[n].op = GRPC_OP_SEND_MESSAGE;
        ops[n++].data.send_message.send_message = message;
    }
    grpc_slice details = grpc_slice_from_copied_string(text);
    ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[n].data.send_status_from_server.status = (grpc_status_code)code;
    ops[n++].data.send_status_from_server.status_details = &details;
    if (!call->is_watched) {
        ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
        ops[n++].data.recv_close_on_server.cancelled = &call->cancelled;
    }
    /* What is read now belongs to a message that nobody waits for; gRPC still writes to it. What
     * `gone` looks at stays until no event can call it any more. */
    if (call->gone != NULL)
        drop_payload(call);
    else if (!call->is_reading)
        call_drop_request(call);
    /* A deferred call's event may come, and the call be another's, before this returns. */
    grpc_call *rpc = call->rpc;
    Tag *tag = &call->tag;
    if (call->is_deferred)
        atomic_store_explicit(&call->is_back, true, memory_order_release);
    grpc_call_error e = grpc_call_start_batch(rpc, ops, n, tag, NULL);
    assert(e == GRPC_CALL_OK);
    (void)e;
    grpc_slice_unref(details);
    if (message != NULL)
        grpc_byte_buffer_destroy(message);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* The event of the batch or request that was started last. */
static void call_next(Tag *tag, bool ok)
{
    Call *call = (Call *)(void *)((char *)tag - offsetof(Call, tag));
    if (call->is_deferred && !atomic_load_explicit(&call->is_back, memory_order_acquire))
        assert(!"a deferred call that was not ended");
    switch (call->state) {
    case CALL_ARMED:
        call->slot->n_armed--;
        if (ok) {
            call->state = CALL_WAITING;
            queue_arrived(call->queue, call);
        } else {
            clear(call);
            queue_disarmed(call->queue, call);
        }
        return;
    case CALL_SENDING:
        /* Not ok: the client has gone and needs no reply. */
        call->is_sent = true;
        call_finish_if_over(call);
        return;
    case CALL_WRITING:
        stream_wrote(call);
        return;
    case CALL_IDLE:
    case CALL_FREE:
    case CALL_WAITING:
    case CALL_RUNNING:
        break;
    }
    assert(!"an event that the state does not wait for");
}

static void call_closed(Tag *tag, bool ok)
{
    (void)ok;
    Call *call = (Call *)(void *)((char *)tag - offsetof(Call, closed_tag));
    call->is_closed = true;
    if (call->cancelled)
        atomic_store_explicit(&call->is_cancelled, true, memory_order_relaxed);
    if (call->cancelled && call->gone != NULL && !call->is_sent)
        call->gone(call->gone_data);
    /* A deferred call's state is not ours to look at. */
    if (call_is_stream(call) && call->state == CALL_IDLE)
        call_abandon(call);
    else
        call_finish_if_over(call);
}

void call_watch(Call *call)
{
    assert(call->state == CALL_WAITING || call->state == CALL_RUNNING);
    grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };
    op.data.recv_close_on_server.cancelled = &call->cancelled;
    call->is_watched = true;
    call_start(call, &op, 1, &call->closed_tag);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Points call->request at the payload's bytes: in place where gRPC has them in one piece, else
 * gathered in the arena. What is not registered has its path for a request. */
static Error *read_request(Call *call)
{
    if (call->slot->registered == NULL) {
        call->request = (Bytes){ GRPC_SLICE_START_PTR(call->details.method),
                                 GRPC_SLICE_LENGTH(call->details.method) };
        return NULL;
    }
    if (call->payload == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "the call has no request message");
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, call->payload))
        return error_new(ERROR_INTERNAL, "the request message cannot be read");
    size_t size = grpc_byte_buffer_length(call->payload);
    grpc_slice *slice;
    if (!grpc_byte_buffer_reader_peek(&reader, &slice)) {
        call->request = (Bytes){ (const uint8_t *)"", 0 };
    } else if (GRPC_SLICE_LENGTH(*slice) == size) {
        call->request = (Bytes){ GRPC_SLICE_START_PTR(*slice), size };
    } else {
        uint8_t *gathered = arena_alloc(call->arena, size);
        size_t at = 0;
        if (gathered != NULL) {
            do {
                memcpy(gathered + at, GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
                at += GRPC_SLICE_LENGTH(*slice);
            } while (grpc_byte_buffer_reader_peek(&reader, &slice));
            call->request = (Bytes){ gathered, at };
        }
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return call->request.data != NULL ? NULL : error_out_of_memory();
}

/* Why running the call is of no use; NULL when it is. */
static Error *reason_to_drop(Call *call)
{
    if (gpr_time_cmp(call->deadline, gpr_now(call->deadline.clock_type)) <= 0)
        return error_new(ERROR_DEADLINE_EXCEEDED, "the deadline passed before the call could run");
    if (queue_is_dropping(call->queue))
        return error_new(ERROR_UNAVAILABLE, "the server is shutting down");
    return NULL;
}

void call_run(Call *call)
{
    assert(call->state == CALL_WAITING);
    if (call->is_closed && call->cancelled) {
        call_abandon(call);
        return;
    }
    if (call->slot->registered == NULL)
        call->deadline = call->details.deadline;
    Error *error = reason_to_drop(call);
    if (error == NULL && call_is_stream(call))
        error = stream_enter(call);
    if (error == NULL && call->slot->method->kind == METHOD_CHAT && call->payload == NULL) {
        call_end(call, ERROR_OK, ""); /* its client had nothing to say at all */
        return;
    }
    if (error == NULL)
        error = read_request(call);
    if (error != NULL) {
        call_reply_error(call, error);
        return;
    }
    /* The request's own bytes are limited where they are received, and may be copied once more. */
    arena_limit(call->arena,
                arena_held(call->arena) + call->request.size + queue_max_call_bytes(call->queue));
    call->state = CALL_RUNNING;
    call->slot->method->handle(call, queue_context(call->queue));
}

/* ---- public ---------------------------------------------------------------------------------- */

Call *call_new(Queue *queue)
{
    Call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return NULL;
    call->arena = arena_new(CALL_BLOCK_BYTES, 0);
    if (call->arena == NULL) {
        free(call);
        return NULL;
    }
    call->tag.happened = call_next;
    call->closed_tag.happened = call_closed;
    call->read_tag.happened = stream_read;
    call->wake_tag.happened = stream_woken;
    call->queue = queue;
    grpc_metadata_array_init(&call->metadata);
    return call;
}

Call *call_free(Call *call)
{
    if (call != NULL) {
        assert(call->state == CALL_FREE);
        grpc_metadata_array_destroy(&call->metadata);
        arena_free(call->arena);
        free(call);
    }
    return NULL;
}

Call **call_link(Call *call)
{
    return &call->link;
}

void call_arm(Call *call, Slot *slot)
{
    assert(call->state == CALL_FREE);
    grpc_server *server = queue_server(call->queue);
    grpc_completion_queue *cq = queue_completion_queue(call->queue);
    grpc_call_error e;
    call->state = CALL_ARMED;
    call->slot = slot;
    slot->n_armed++;
    if (slot->registered != NULL) {
        e = grpc_server_request_registered_call(server, slot->registered, &call->rpc,
                                                &call->deadline, &call->metadata, &call->payload,
                                                cq, cq, &call->tag);
    } else {
        grpc_call_details_init(&call->details);
        e = grpc_server_request_call(server, &call->rpc, &call->details, &call->metadata, cq, cq,
                                     &call->tag);
    }
    assert(e == GRPC_CALL_OK);
    (void)e;
}

Bytes call_request(const Call *call)
{
    return call->request;
}

Arena *call_arena(Call *call)
{
    return call->arena;
}

uint64_t call_deadline_ns(const Call *call)
{
    if (gpr_time_cmp(call->deadline, gpr_inf_future(call->deadline.clock_type)) == 0)
        return 0;
    gpr_timespec at = gpr_convert_clock_type(call->deadline, GPR_CLOCK_MONOTONIC);
    return (uint64_t)at.tv_sec * NS_PER_S + (uint64_t)at.tv_nsec;
}

Bytes call_metadata(const Call *call, const char *key)
{
    const grpc_metadata *found = find_metadata(call, key);
    if (found == NULL)
        return (Bytes){ NULL, 0 };
    return (Bytes){ GRPC_SLICE_START_PTR(found->value), GRPC_SLICE_LENGTH(found->value) };
}

bool call_trace(const Call *call, Trace *ret_trace)
{
    Bytes text = call_metadata(call, "traceparent");
    return text.data != NULL && trace_parse(text, ret_trace);
}

bool call_is_cancelled(void *data)
{
    Call *call = data;
    assert(call->state == CALL_RUNNING);
    if (call->is_deferred)
        return atomic_load_explicit(&call->is_cancelled, memory_order_relaxed) ||
               queue_is_dropping(call->queue);
    if (!call->is_watched)
        call_watch(call);
    queue_take_ready(call->queue);
    return (call->is_closed && call->cancelled) || queue_is_dropping(call->queue);
}

uint8_t *call_reply_begin(Call *call, size_t bytes)
{
    assert(call->state == CALL_RUNNING && !call->has_reply);
    call->reply = grpc_slice_malloc(bytes);
    call->has_reply = true;
    return GRPC_SLICE_START_PTR(call->reply);
}

void call_reply_send(Call *call)
{
    assert(call->has_reply);
    if (call_is_stream(call))
        stream_reply(call);
    else
        call_end(call, ERROR_OK, "");
}

void call_reply_error(Call *call, Error *error)
{
    assert(error != NULL && error->code != ERROR_OK);
    call_end(call, error->code, error->text);
    error_free(error);
}
