/* SPDX-License-Identifier: Apache-2.0
 *
 * ChannelArguments: gRPC core's own settings, as an operator writes them. Internal to server/grpc.
 */
#ifndef DIGIT_SERVER_GRPC_CHANNEL_ARGUMENTS_H
#define DIGIT_SERVER_GRPC_CHANNEL_ARGUMENTS_H

#include <grpc/grpc.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* Appends `text`, a list KEY=VALUE,KEY=VALUE, to args[0..n), which has room for `max`, and gives the
 * number there are then; an argument that is there already is replaced. A value is an integer when it reads as one of 32 bits, else a string; both
 * lie in `arena`. INVALID_ARGUMENT for an element that has no key or no `=`, or too many. */
Error *channel_arguments_parse(Arena *arena, const char *text, grpc_arg *args, size_t n, size_t max,
                               size_t *ret_n) _warn_unused_result_;

#endif
