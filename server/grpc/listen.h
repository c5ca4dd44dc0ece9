/* SPDX-License-Identifier: Apache-2.0
 *
 * Listen: where a server is reached, and what proves who it is. Internal to server/grpc but for the
 * options.
 */
#ifndef DIGIT_SERVER_GRPC_LISTEN_H
#define DIGIT_SERVER_GRPC_LISTEN_H

#include <stdbool.h>

#include "model/base/error.h"

/* PEM texts; borrowed. */
typedef struct ListenTls {
    const char *key;          /* of the server; secret */
    const char *certificate;  /* and what leads from it to a root */
    const char *client_roots; /* whose clients are trusted; NULL: the system's */
    bool verify_client;       /* clients must show a certificate */
} ListenTls;

typedef struct ListenOptions {
    int port;                /* 0: none */
    const char *socket_path; /* of a UNIX socket; NULL or "": none */
    const ListenTls *tls;    /* NULL: without */
} ListenOptions;

struct grpc_server;

/* Adds the port, on all addresses, IPv6 and IPv4, and the socket to `grpc`, which has not started.
 * A socket that somebody left at the path is replaced. UNAVAILABLE, with the system's reason, when
 * the port cannot be had, or the socket and there is no port; with a port that is a warning in the
 * log. INVALID_ARGUMENT for a key or certificate that is none. */
Error *listen_add(struct grpc_server *grpc, const ListenOptions *options) _warn_unused_result_;

#endif
