/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams: what a chat and a subscription do between two runs of their handler. On the queue's
 * thread, but for stream_list_wake.
 *
 * Waking: gRPC core has no way to put an event of ours into a queue, but a batch of no operations
 * is at once complete, and batches may be started by any thread. So every open stream is woken by
 * an empty batch of its own, and all else stays with the one thread. A stream that has such an
 * event on its way is not woken twice, and is not freed before it has come.
 */
#include "server/grpc/stream.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <stddef.h>

#include "server/grpc/call_state.h"
#include "server/grpc/queue.h"

/* A subscription keeps its request as long as it is open. */
#define SUBSCRIPTION_MAX_BYTES 4096

static const char stopping[] = "the server is shutting down";

/* ---- the list -------------------------------------------------------------------------------- */

void stream_list_init(StreamList *list, unsigned max)
{
    *list = (StreamList){ .max = max };
    pthread_mutex_init(&list->lock, NULL);
}

void stream_list_done(StreamList *list)
{
    assert(list->first == NULL);
    pthread_mutex_destroy(&list->lock);
}

void stream_list_wake(StreamList *list, bool end)
{
    pthread_mutex_lock(&list->lock);
    list->is_ending |= end;
    for (Call *call = list->first; call != NULL; call = call->next_stream) {
        if (call->is_woken)
            continue;
        call->is_woken = true;
        call_start(call, NULL, 0, &call->wake_tag);
    }
    pthread_mutex_unlock(&list->lock);
}

static bool is_ending(StreamList *list)
{
    pthread_mutex_lock(&list->lock);
    bool ending = list->is_ending;
    pthread_mutex_unlock(&list->lock);
    return ending;
}

/* False when there are too many. */
static bool list_add(StreamList *list, Call *call)
{
    pthread_mutex_lock(&list->lock);
    bool fits = list->n < list->max;
    if (fits) {
        call->next_stream = list->first;
        call->stream_link = &list->first;
        if (list->first != NULL)
            list->first->stream_link = &call->next_stream;
        list->first = call;
        list->n++;
    }
    pthread_mutex_unlock(&list->lock);
    return fits;
}

void stream_leave(Call *call)
{
    StreamList *list = queue_streams(call->queue);
    pthread_mutex_lock(&list->lock);
    if (call->stream_link != NULL) {
        *call->stream_link = call->next_stream;
        if (call->next_stream != NULL)
            call->next_stream->stream_link = call->stream_link;
        call->stream_link = NULL;
        list->n--;
    }
    pthread_mutex_unlock(&list->lock);
}

Error *stream_enter(Call *call)
{
    StreamList *list = queue_streams(call->queue);
    if (call->stream_link != NULL)
        return NULL;
    if (is_ending(list))
        return error_new(ERROR_UNAVAILABLE, "%s", stopping);
    if (call->slot->method->kind == METHOD_SUBSCRIPTION && call->payload != NULL &&
        grpc_byte_buffer_length(call->payload) > SUBSCRIPTION_MAX_BYTES)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "the request has %zu bytes; of a subscription it may have %d",
                         grpc_byte_buffer_length(call->payload), SUBSCRIPTION_MAX_BYTES);
    if (!list_add(list, call))
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "the server is overloaded: %u streams are open, as many as may be",
                         list->max);
    if (!call->is_watched)
        call_watch(call);
    return NULL;
}

/* ---- between two runs -------------------------------------------------------------------------- */

static void run_again(Call *call)
{
    call->is_dirty = false;
    call->state = CALL_WAITING;
    queue_again(call->queue, call);
}

/* The handler has been answered for. A subscription that has been woken meanwhile runs once more
 * even when streams are ending: the last change is told too. */
static void rest(Call *call)
{
    bool is_chat = call->slot->method->kind == METHOD_CHAT;
    call->state = CALL_IDLE;
    if (call->is_closed) {
        call_abandon(call);
    } else if (call->is_dirty && !is_chat) {
        run_again(call);
    } else if (is_ending(queue_streams(call->queue))) {
        call_end(call, ERROR_UNAVAILABLE, stopping);
    } else if (is_chat && !call->is_reading) {
        grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };
        op.data.recv_message.recv_message = &call->payload;
        call->is_reading = true;
        call_start(call, &op, 1, &call->read_tag);
    }
}

void stream_reply(Call *call)
{
    bool is_chat = call->slot->method->kind == METHOD_CHAT;
    assert(call->state == CALL_RUNNING && call->has_reply);
    if (is_chat)
        call_drop_request(call);
    else
        call_reset_arena(call);
    call->has_reply = false;
    if (call->has_last_reply && grpc_slice_eq(call->reply, call->last_reply)) {
        grpc_slice_unref(call->reply);
        rest(call);
        return;
    }
    grpc_op ops[2];
    size_t n = 0;
    if (!call->has_begun)
        ops[n++] = call_initial_metadata(call);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&call->reply, 1);
    ops[n] = (grpc_op){ .op = GRPC_OP_SEND_MESSAGE };
    ops[n++].data.send_message.send_message = message;
    call->state = CALL_WRITING;
    call_start(call, ops, n, &call->tag);
    grpc_byte_buffer_destroy(message);
    if (call->has_last_reply)
        grpc_slice_unref(call->last_reply);
    call->has_last_reply = !is_chat;
    if (is_chat)
        grpc_slice_unref(call->reply);
    else
        call->last_reply = call->reply;
}

void stream_wrote(Call *call)
{
    assert(call->state == CALL_WRITING);
    rest(call);
}

void stream_read(Tag *tag, bool ok)
{
    Call *call = (Call *)(void *)((char *)tag - offsetof(Call, read_tag));
    call->is_reading = false;
    if (call->state == CALL_SENDING) {
        call_drop_request(call);
        call_finish_if_over(call);
        return;
    }
    assert(call->state == CALL_IDLE);
    if (ok && call->payload != NULL)
        run_again(call);
    else
        call_end(call, ERROR_OK, ""); /* the client has said all that it had to */
}

void stream_woken(Tag *tag, bool ok)
{
    (void)ok;
    Call *call = (Call *)(void *)((char *)tag - offsetof(Call, wake_tag));
    StreamList *list = queue_streams(call->queue);
    pthread_mutex_lock(&list->lock);
    call->is_woken = false;
    pthread_mutex_unlock(&list->lock);
    call->is_dirty = true;
    if (call->state == CALL_IDLE)
        rest(call);
    else if (call->state == CALL_SENDING)
        call_finish_if_over(call);
}
