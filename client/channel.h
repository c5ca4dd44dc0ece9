/* SPDX-License-Identifier: Apache-2.0
 *
 * Channel: the way to one server. The one door to gRPC core. One call at a time.
 */
#ifndef DIGIT_CLIENT_CHANNEL_H
#define DIGIT_CLIENT_CHANNEL_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

typedef struct Channel Channel;

/* Connects at the first call. `host` is a name, an IPv4 or an IPv6 address. */
Error *channel_new(const char *host, int port, Channel **ret_channel) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Channel *channel_free(Channel *channel);

/* Calls `method` ("/package.Service/Method") and gives the reply's bytes, in `arena`. Without a
 * server there it fails at once. UNAVAILABLE and DEADLINE_EXCEEDED name the server and say what to
 * do; other errors are the server's own. */
Error *channel_call(Channel *channel, const char *method, Bytes request, double timeout_seconds,
                    Arena *arena, Bytes *ret_reply) _warn_unused_result_;

static inline void channel_freep(Channel **channel)
{
    channel_free(*channel);
}

#endif
