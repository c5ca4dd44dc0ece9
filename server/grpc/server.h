/* SPDX-License-Identifier: Apache-2.0
 *
 * Server: a gRPC port, a table of methods, the threads that run them, and an orderly end.
 *
 * The transport knows no service: what an RPC does is in its Method.
 */
#ifndef DIGIT_SERVER_GRPC_SERVER_H
#define DIGIT_SERVER_GRPC_SERVER_H

#include "server/grpc/call.h"
#include "server/grpc/listen.h"

typedef struct Server Server;

typedef struct ServerOptions {
    ListenOptions listen;
    const char *channel_arguments; /* "KEY=VALUE,..." of gRPC core; NULL or "": none */
    const Method *methods;         /* [n_methods] borrowed, must outlive the server */
    size_t n_methods;
    int n_threads;                 /* that compute */
    void *const *contexts;         /* [n_threads] for the handlers of METHOD_COMPUTE; borrowed */
    void *control_context;         /* for those of METHOD_CONTROL; borrowed */
    unsigned max_calls_per_thread; /* see queue.h */
    /* What a call's arena may take beyond twice the size of its request: a client pays for what it
     * claims. A thread's calls hold theirs one at a time. */
    size_t max_call_bytes;
    int max_receive_bytes; /* a bigger request is refused with RESOURCE_EXHAUSTED */
} ServerOptions;

/* Opens the port and the socket and starts to answer. The errors are those of listen_add, and
 * INVALID_ARGUMENT for channel arguments that are none. One server a process at a time. */
Error *server_start(const ServerOptions *options, Server **ret_server) _warn_unused_result_;

/* Something has changed that subscriptions may tell of: their handlers run again. Any thread,
 * until server_free. */
void server_notify(Server *server);

/* Takes no new calls, ends streams (UNAVAILABLE, after what they are about to send), tells clients to go elsewhere (GOAWAY), and waits until the calls that have
 * arrived are answered: `grace_ms` at most, after which the rest is cancelled. Returns false when a
 * handler still runs a second later; the server must not be freed then. Blocks; once a server.
 *
 * gRPC core cancels (CANCELLED) what reaches an open connection after the stop has begun and before
 * its client has seen the GOAWAY: clients must have been led away before, by their health checks. */
bool server_stop(Server *server, int64_t grace_ms) _warn_unused_result_;

/* Frees what server_stop has brought to its end. Takes NULL; returns NULL. */
Server *server_free(Server *server);

#endif
