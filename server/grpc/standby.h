/* SPDX-License-Identifier: Apache-2.0
 *
 * Standby: one more thread that reads the network while every computing thread computes.
 *
 * gRPC core has no thread that reads sockets: whoever waits for an event does it for all. If the
 * control queue's thread took turns with the computing ones, each call of a server that is not busy
 * would wake two threads instead of one, which costs as much again as the whole call. So the
 * control queue only waits to be told, the computing threads read for it whenever they look for
 * calls, and the standby steps in when none of them has looked for a while.
 *
 * This rests on gRPC core's default way of polling on Linux, one epoll set for the whole process;
 * with GRPC_POLL_STRATEGY=poll the control queue would be served only between computations.
 */
#ifndef DIGIT_SERVER_GRPC_STANDBY_H
#define DIGIT_SERVER_GRPC_STANDBY_H

#include <stddef.h>

#include "server/grpc/queue.h"

typedef struct Standby Standby;

/* Starts to watch queues[0..n), which are started, and to read through `cq` when it is called for;
 * no event may come to `cq` until standby_stop. All borrowed. */
Error *standby_start(grpc_completion_queue *cq, Queue *const *queues, size_t n,
                     Standby **ret_standby) _warn_unused_result_;

/* Ends the thread and frees. Takes NULL; returns NULL. Blocks for STANDBY_MS at most. */
Standby *standby_stop(Standby *standby);

/* How long all threads may compute before the standby reads in their place, at least; at most it is
 * twice that. */
#define STANDBY_MS 20

#endif
