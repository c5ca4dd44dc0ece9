/* SPDX-License-Identifier: Apache-2.0
 *
 * Channel: one unary call, one batch, one completion queue. What a user cannot act on (gRPC's own
 * log, its list of attempts) stays out of the error texts.
 */
#include "client/channel.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_BYTES 300 /* a host name has at most 253 characters */

#define TEXT_BYTES 1200 /* TensorFlow Serving cuts an error's text at 1024 */

struct Channel {
    grpc_channel *channel;
    grpc_completion_queue *queue;
    char address[ADDRESS_BYTES]; /* "host:port", for people */
};

/* What a call brings back. Everything in it is owned. */
typedef struct Answer {
    grpc_metadata_array initial_metadata, trailing_metadata;
    grpc_byte_buffer *reply; /* NULL without one */
    grpc_status_code code;
    grpc_slice text;
} Answer;

static void answer_init(Answer *answer)
{
    *answer = (Answer){ .code = GRPC_STATUS_UNKNOWN, .text = grpc_empty_slice() };
    grpc_metadata_array_init(&answer->initial_metadata);
    grpc_metadata_array_init(&answer->trailing_metadata);
}

static void answer_done(Answer *answer)
{
    grpc_metadata_array_destroy(&answer->initial_metadata);
    grpc_metadata_array_destroy(&answer->trailing_metadata);
    if (answer->reply != NULL)
        grpc_byte_buffer_destroy(answer->reply);
    grpc_slice_unref(answer->text);
}

static void log_nothing(gpr_log_func_args *args)
{
    (void)args;
}

Error *channel_new(const char *host, int port, Channel **ret_channel)
{
    Channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL)
        return error_out_of_memory();
    bool is_ipv6 = strchr(host, ':') != NULL && host[0] != '[';
    int n = snprintf(channel->address, sizeof(channel->address), is_ipv6 ? "[%s]:%d" : "%s:%d",
                     host, port);
    if (n >= (int)sizeof(channel->address) || strchr(host, '/') != NULL || host[0] == '\0') {
        free(channel);
        return error_new(ERROR_INVALID_ARGUMENT, "\"%s\" is no host name or address", host);
    }
    /* One clear line is what the user gets; GRPC_VERBOSITY brings gRPC's own log back. */
    if (getenv("GRPC_VERBOSITY") == NULL)
        gpr_set_log_function(log_nothing);
    grpc_init();
    /* A server in the house is not behind the proxy that http_proxy names for the web. */
    grpc_arg args[] = {
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, { .integer = -1 } },
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, { .integer = -1 } },
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_HTTP_PROXY, { .integer = 0 } },
    };
    const grpc_channel_args channel_args = { ARRAY_SIZE(args), args };
    char target[ADDRESS_BYTES + 8];
    snprintf(target, sizeof(target), "dns:///%s", channel->address);
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    channel->channel = grpc_channel_create(target, credentials, &channel_args);
    grpc_channel_credentials_release(credentials);
    channel->queue = grpc_completion_queue_create_for_next(NULL);
    *ret_channel = channel;
    return NULL;
}

Channel *channel_free(Channel *channel)
{
    if (channel == NULL)
        return NULL;
    grpc_completion_queue_shutdown(channel->queue);
    while (
        grpc_completion_queue_next(channel->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
        GRPC_QUEUE_SHUTDOWN) {
    }
    grpc_completion_queue_destroy(channel->queue);
    grpc_channel_destroy(channel->channel);
    grpc_shutdown();
    free(channel);
    return NULL;
}

/* Sends the request and waits for the end of the call, which its deadline brings at the latest. */
static Error *run_call(Channel *channel, grpc_call *call, grpc_byte_buffer *request, Answer *answer)
{
    grpc_op ops[6] = {
        { .op = GRPC_OP_SEND_INITIAL_METADATA },  { .op = GRPC_OP_SEND_MESSAGE },
        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT }, { .op = GRPC_OP_RECV_INITIAL_METADATA },
        { .op = GRPC_OP_RECV_MESSAGE },           { .op = GRPC_OP_RECV_STATUS_ON_CLIENT },
    };
    ops[1].data.send_message.send_message = request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &answer->initial_metadata;
    ops[4].data.recv_message.recv_message = &answer->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &answer->trailing_metadata;
    ops[5].data.recv_status_on_client.status = &answer->code;
    ops[5].data.recv_status_on_client.status_details = &answer->text;
    grpc_call_error code = grpc_call_start_batch(call, ops, ARRAY_SIZE(ops), call, NULL);
    if (code != GRPC_CALL_OK)
        return error_new(ERROR_INTERNAL, "gRPC refuses the call: %s",
                         grpc_call_error_to_string(code));
    grpc_completion_queue_next(channel->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    return NULL;
}

/* The Error of a call that did not end with OK. */
static Error *error_of_answer(const Channel *channel, const Answer *answer, double timeout_seconds)
{
    char text[TEXT_BYTES];
    size_t n = GRPC_SLICE_LENGTH(answer->text);
    n = n < sizeof(text) ? n : sizeof(text) - 1;
    memcpy(text, GRPC_SLICE_START_PTR(answer->text), n);
    text[n] = '\0';

    const char *address = channel->address;
    grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel->channel, 0);
    bool is_connected = state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_IDLE;
    if (answer->code == GRPC_STATUS_UNAVAILABLE && !is_connected)
        return error_new(ERROR_UNAVAILABLE,
                         "no server answers at %s; start digit-server there, or name another with "
                         "--host and --port (%s)",
                         address, text);
    if (answer->code == GRPC_STATUS_DEADLINE_EXCEEDED)
        return error_new(ERROR_DEADLINE_EXCEEDED, "no %s %s within %g s; --timeout allows more",
                         is_connected ? "answer from" : "connection to", address, timeout_seconds);
    return error_new((ErrorCode)answer->code, "%s: %s", error_code_name((ErrorCode)answer->code),
                     n > 0 ? text : "no reason given");
}

static Error *copy_reply(grpc_byte_buffer *reply, Arena *arena, Bytes *ret_reply)
{
    grpc_byte_buffer_reader reader;
    if (reply == NULL || !grpc_byte_buffer_reader_init(&reader, reply))
        return error_new(ERROR_INTERNAL, "the server's reply cannot be read");
    grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    size_t size = GRPC_SLICE_LENGTH(slice);
    const uint8_t *data = arena_memdup(arena, GRPC_SLICE_START_PTR(slice), size);
    grpc_slice_unref(slice);
    if (data == NULL)
        return error_out_of_memory();
    *ret_reply = (Bytes){ data, size };
    return NULL;
}

Error *channel_call(Channel *channel, const char *method, Bytes request, double timeout_seconds,
                    Arena *arena, Bytes *ret_reply)
{
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_micros((int64_t)(timeout_seconds * 1e6), GPR_TIMESPAN));
    grpc_call *call =
        grpc_channel_create_call(channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS, channel->queue,
                                 grpc_slice_from_static_string(method), NULL, deadline, NULL);
    grpc_slice slice = grpc_slice_from_static_buffer(request.data, request.size);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    Answer answer;
    answer_init(&answer);

    Error *error = run_call(channel, call, message, &answer);
    if (error == NULL && answer.code != GRPC_STATUS_OK)
        error = error_of_answer(channel, &answer, timeout_seconds);
    if (error == NULL)
        error = copy_reply(answer.reply, arena, ret_reply);

    answer_done(&answer);
    grpc_byte_buffer_destroy(message);
    grpc_call_unref(call);
    return error;
}
