/* SPDX-License-Identifier: Apache-2.0
 *
 * Queue: the loop of one thread over one completion queue. It decides which call runs next and when
 * the next one is asked for; queue.h tells why. Only `idle`, `n_dry` and `dropping` are seen by
 * other threads.
 */
#include "server/grpc/queue.h"

#include <assert.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/log.h"

/* Events taken before a call is run again, so that a flood of calls to refuse cannot keep the
 * thread from the ones that it has. */
#define EVENTS_A_ROUND 256
/* A call that waits behind more than this is watched for its client going away. A watch costs a
 * quarter of a call's transport, so only those that wait for long get one. */
#define UNWATCHED_CALLS 16
#define REFUSED_LOG_S 10

struct Queue {
    /* immutable once started */
    QueueOptions options;
    grpc_completion_queue *cq;
    pthread_t thread;
    bool is_started;

    /* the queue's thread */
    Call *free_calls;
    Call *waiting; /* oldest first */
    Call **waiting_end;
    unsigned n_waiting;
    unsigned n_refused; /* since the last line in the log */
    time_t refused_logged_s;
    bool is_closing; /* the server hands out no more calls */

    StreamList streams; /* see there */

    /* atomic, relaxed: single values that guard nothing else; the thread writes all but dropping */
    atomic_uint n_calls; /* arrived and not finished */
    atomic_bool idle;
    atomic_uint n_dry;
    atomic_bool dropping;
};

/* ---- the lists ------------------------------------------------------------------------------- */

static void free_push(Queue *queue, Call *call)
{
    *call_link(call) = queue->free_calls;
    queue->free_calls = call;
}

/* NULL when memory is out. */
static Call *free_pop(Queue *queue)
{
    Call *call = queue->free_calls;
    if (call == NULL)
        return call_new(queue);
    queue->free_calls = *call_link(call);
    return call;
}

static void waiting_push(Queue *queue, Call *call)
{
    *call_link(call) = NULL;
    *queue->waiting_end = call;
    queue->waiting_end = call_link(call);
    queue->n_waiting++;
}

static Call *waiting_pop(Queue *queue)
{
    Call *call = queue->waiting;
    if (call == NULL)
        return NULL;
    queue->waiting = *call_link(call);
    if (queue->waiting == NULL)
        queue->waiting_end = &queue->waiting;
    queue->n_waiting--;
    return call;
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Every slot has one call armed. When memory is out a slot stays empty until the next round. */
static void arm_slots(Queue *queue)
{
    for (size_t i = 0; i < queue->options.n_slots && !queue->is_closing; i++) {
        Slot *slot = &queue->options.slots[i];
        if (slot->n_armed > 0)
            continue;
        Call *call = free_pop(queue);
        if (call != NULL)
            call_arm(call, slot);
    }
}

/* Handles one event. False when the queue has been shut down. */
static bool handle_event(grpc_event event)
{
    if (event.type == GRPC_QUEUE_SHUTDOWN)
        return false;
    if (event.type == GRPC_OP_COMPLETE) {
        Tag *tag = event.tag;
        tag->happened(tag, event.success != 0);
    }
    return true;
}

static grpc_event next_event(Queue *queue, gpr_timespec until)
{
    return grpc_completion_queue_next(queue->cq, until, NULL);
}

/* Takes the events that are ready; waits for one when there is none and no call to run. False when
 * the queue has been shut down. */
static bool take_events(Queue *queue)
{
    for (int i = 0; i < EVENTS_A_ROUND; i++) {
        arm_slots(queue);
        grpc_event event = next_event(queue, gpr_inf_past(GPR_CLOCK_MONOTONIC));
        if (event.type != GRPC_QUEUE_TIMEOUT) {
            if (!handle_event(event))
                return false;
            continue;
        }
        atomic_fetch_add_explicit(&queue->n_dry, 1, memory_order_relaxed);
        if (queue->n_waiting > 0)
            return true;
        atomic_store_explicit(&queue->idle, true, memory_order_relaxed);
        event = next_event(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC));
        atomic_store_explicit(&queue->idle, false, memory_order_relaxed);
        if (!handle_event(event))
            return false;
        /* A call that was waited for runs before the next one is asked for: others are idle too. */
        if (queue->n_waiting > 0)
            return true;
    }
    return true;
}

void queue_take_ready(Queue *queue)
{
    for (int i = 0; i < EVENTS_A_ROUND; i++) {
        grpc_event event = next_event(queue, gpr_inf_past(GPR_CLOCK_MONOTONIC));
        if (event.type == GRPC_QUEUE_TIMEOUT || !handle_event(event))
            return;
    }
}

static void *queue_main(void *argument)
{
    Queue *queue = argument;
    while (take_events(queue)) {
        Call *call = waiting_pop(queue);
        if (call != NULL)
            call_run(call);
    }
    return NULL;
}

/* ---- for call.c ------------------------------------------------------------------------------ */

static void refuse(Queue *queue, Call *call)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    queue->n_refused++;
    if (queue->refused_logged_s == 0 || now.tv_sec - queue->refused_logged_s >= REFUSED_LOG_S) {
        log_warning("grpc", "%s: overloaded, %u calls refused", queue->options.name,
                    queue->n_refused);
        queue->n_refused = 0;
        queue->refused_logged_s = now.tv_sec;
    }
    call_reply_error(call, error_new(ERROR_RESOURCE_EXHAUSTED,
                                     "the server is overloaded: %u calls wait for this thread",
                                     queue->options.max_calls));
}

void queue_arrived(Queue *queue, Call *call)
{
    if (atomic_fetch_add_explicit(&queue->n_calls, 1, memory_order_relaxed) >=
        queue->options.max_calls) {
        refuse(queue, call);
        return;
    }
    waiting_push(queue, call);
    if (queue->n_waiting > UNWATCHED_CALLS)
        call_watch(call);
}

void queue_finished(Queue *queue, Call *call)
{
    atomic_fetch_sub_explicit(&queue->n_calls, 1, memory_order_relaxed);
    free_push(queue, call);
}

void queue_again(Queue *queue, Call *call)
{
    waiting_push(queue, call);
}

void queue_disarmed(Queue *queue, Call *call)
{
    queue->is_closing = true;
    free_push(queue, call);
}

/* ---- public ---------------------------------------------------------------------------------- */

Queue *queue_new(const QueueOptions *options)
{
    Queue *queue = calloc(1, sizeof(*queue));
    if (queue == NULL)
        return NULL;
    queue->options = *options;
    queue->waiting_end = &queue->waiting;
    stream_list_init(&queue->streams, (options->max_calls + 1) / 2);
    grpc_completion_queue_attributes attributes = {
        .version = GRPC_CQ_CURRENT_VERSION,
        .cq_completion_type = GRPC_CQ_NEXT,
        .cq_polling_type = options->is_passive ? GRPC_CQ_NON_POLLING : GRPC_CQ_DEFAULT_POLLING,
    };
    queue->cq = grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&attributes),
                                             &attributes, NULL);
    grpc_server_register_completion_queue(options->server, queue->cq, NULL);
    for (size_t i = 0; i < options->n_slots; i++) {
        Call *call = call_new(queue);
        if (call == NULL)
            return queue_free(queue);
        free_push(queue, call);
    }
    return queue;
}

Error *queue_start(Queue *queue)
{
    int e = pthread_create(&queue->thread, NULL, queue_main, queue);
    if (e != 0)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "cannot start thread %s: %s",
                         queue->options.name, strerror(e));
    queue->is_started = true;
    pthread_setname_np(queue->thread, queue->options.name);
    return NULL;
}

Queue *queue_free(Queue *queue)
{
    if (queue == NULL)
        return NULL;
    grpc_completion_queue_shutdown(queue->cq);
    if (queue->is_started)
        pthread_join(queue->thread, NULL);
    else
        while (handle_event(next_event(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC))))
            ;
    assert(queue_n_calls(queue) == 0);
    grpc_completion_queue_destroy(queue->cq);
    while (queue->free_calls != NULL)
        call_free(free_pop(queue));
    stream_list_done(&queue->streams);
    free(queue);
    return NULL;
}

grpc_completion_queue *queue_completion_queue(Queue *queue)
{
    return queue->cq;
}

grpc_server *queue_server(Queue *queue)
{
    return queue->options.server;
}

void *queue_context(Queue *queue)
{
    return queue->options.context;
}

size_t queue_max_call_bytes(const Queue *queue)
{
    return queue->options.max_call_bytes;
}

StreamList *queue_streams(Queue *queue)
{
    return &queue->streams;
}

unsigned queue_n_dry(const Queue *queue)
{
    return atomic_load_explicit(&queue->n_dry, memory_order_relaxed);
}

bool queue_is_idle(const Queue *queue)
{
    return atomic_load_explicit(&queue->idle, memory_order_relaxed);
}

unsigned queue_n_calls(const Queue *queue)
{
    return atomic_load_explicit(&queue->n_calls, memory_order_relaxed);
}

void queue_drop_waiting(Queue *queue)
{
    atomic_store_explicit(&queue->dropping, true, memory_order_relaxed);
}

bool queue_is_dropping(const Queue *queue)
{
    return atomic_load_explicit(&queue->dropping, memory_order_relaxed);
}
