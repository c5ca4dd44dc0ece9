/* SPDX-License-Identifier: Apache-2.0
 *
 * Standby: looks at the queues every STANDBY_MS. A queue is attended when its thread waits for
 * events, or has looked for some since the last time. If none is, the standby reads the network
 * until its next look. That also hands the control queue's calls to its thread.
 */
#include "server/grpc/standby.h"

#include <assert.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Standby {
    grpc_completion_queue *cq; /* borrowed */
    pthread_t thread;
    atomic_bool is_stopping; /* relaxed: guards nothing else */
    size_t n;
    struct {
        Queue *queue;   /* borrowed */
        unsigned n_dry; /* at the last look */
    } watched[];
};

/* Whether a thread has read the network since the last time that this was asked. */
static bool is_attended(Standby *standby)
{
    bool attended = false;
    for (size_t i = 0; i < standby->n; i++) {
        unsigned n_dry = queue_n_dry(standby->watched[i].queue);
        attended |= n_dry != standby->watched[i].n_dry || queue_is_idle(standby->watched[i].queue);
        standby->watched[i].n_dry = n_dry;
    }
    return attended;
}

static void *standby_main(void *argument)
{
    Standby *standby = argument;
    while (!atomic_load_explicit(&standby->is_stopping, memory_order_relaxed)) {
        if (is_attended(standby)) {
            nanosleep(&(struct timespec){ .tv_nsec = STANDBY_MS * 1000000 }, NULL);
            continue;
        }
        gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                          gpr_time_from_millis(STANDBY_MS, GPR_TIMESPAN));
        grpc_event event = grpc_completion_queue_next(standby->cq, until, NULL);
        assert(event.type == GRPC_QUEUE_TIMEOUT);
        (void)event;
    }
    return NULL;
}

Error *standby_start(grpc_completion_queue *cq, Queue *const *queues, size_t n,
                     Standby **ret_standby)
{
    Standby *standby = calloc(1, sizeof(*standby) + n * sizeof(standby->watched[0]));
    if (standby == NULL)
        return error_out_of_memory();
    standby->cq = cq;
    standby->n = n;
    for (size_t i = 0; i < n; i++)
        standby->watched[i].queue = queues[i];
    int e = pthread_create(&standby->thread, NULL, standby_main, standby);
    if (e != 0) {
        free(standby);
        return error_new(ERROR_RESOURCE_EXHAUSTED, "cannot start thread standby: %s", strerror(e));
    }
    pthread_setname_np(standby->thread, "standby");
    *ret_standby = standby;
    return NULL;
}

Standby *standby_stop(Standby *standby)
{
    if (standby != NULL) {
        atomic_store_explicit(&standby->is_stopping, true, memory_order_relaxed);
        pthread_join(standby->thread, NULL);
        free(standby);
    }
    return NULL;
}
