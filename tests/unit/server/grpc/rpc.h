/* SPDX-License-Identifier: Apache-2.0
 *
 * Rpc: unary calls of gRPC's C client on raw bytes, many at a time, for tests of the transport.
 */
#ifndef DIGIT_TESTS_SERVER_GRPC_RPC_H
#define DIGIT_TESTS_SERVER_GRPC_RPC_H

#include <arpa/inet.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check.h"

typedef struct Rpc {
    grpc_call *call;
    grpc_completion_queue *cq;
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *reply;
    grpc_slice details;
    grpc_status_code status;
    bool has_begun; /* a stream's initial metadata has come */
} Rpc;

static inline int rpc_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY) };
    socklen_t bytes = sizeof(address);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, bytes), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static inline grpc_channel *rpc_channel(int port)
{
    char target[32];
    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    grpc_arg args[] = {
        { .type = GRPC_ARG_INTEGER, .key = "grpc.max_receive_message_length", .value.integer = -1 },
        { .type = GRPC_ARG_INTEGER, .key = "grpc.use_local_subchannel_pool", .value.integer = 1 },
        { .type = GRPC_ARG_INTEGER, .key = "grpc.enable_retries", .value.integer = 0 },
    };
    grpc_channel_args channel_args = { 3, args };
    grpc_channel_credentials *insecure = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(target, insecure, &channel_args);
    grpc_channel_credentials_release(insecure);
    return channel;
}

/* Sends `bytes` to `path`; timeout_ms 0 means no deadline. */
static inline void rpc_start(Rpc *rpc, grpc_channel *channel, const char *path, const void *data,
                             size_t bytes, int timeout_ms)
{
    *rpc = (Rpc){ .cq = grpc_completion_queue_create_for_pluck(NULL) };
    grpc_metadata_array_init(&rpc->initial);
    grpc_metadata_array_init(&rpc->trailing);
    gpr_timespec deadline = timeout_ms == 0
                                ? gpr_inf_future(GPR_CLOCK_REALTIME)
                                : gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                                               gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
    rpc->call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, rpc->cq,
                                         grpc_slice_from_static_string(path), NULL, deadline, NULL);
    grpc_slice slice = grpc_slice_from_copied_buffer(data, bytes);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op ops[6] = {
        { .op = GRPC_OP_SEND_INITIAL_METADATA },  { .op = GRPC_OP_SEND_MESSAGE },
        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT }, { .op = GRPC_OP_RECV_INITIAL_METADATA },
        { .op = GRPC_OP_RECV_MESSAGE },           { .op = GRPC_OP_RECV_STATUS_ON_CLIENT }
    };
    ops[1].data.send_message.send_message = message;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &rpc->initial;
    ops[4].data.recv_message.recv_message = &rpc->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &rpc->trailing;
    ops[5].data.recv_status_on_client.status = &rpc->status;
    ops[5].data.recv_status_on_client.status_details = &rpc->details;
    assert_int_equal(grpc_call_start_batch(rpc->call, ops, 6, rpc, NULL), GRPC_CALL_OK);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(slice);
}

/* Waits for the status, which it returns. */
static inline grpc_status_code rpc_wait(Rpc *rpc)
{
    gpr_timespec until =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(60, GPR_TIMESPAN));
    grpc_event event = grpc_completion_queue_pluck(rpc->cq, rpc, until, NULL);
    assert_int_equal(event.type, GRPC_OP_COMPLETE);
    return rpc->status;
}

static inline bool rpc_details_are(const Rpc *rpc, const char *text)
{
    return grpc_slice_str_cmp(rpc->details, text) == 0;
}

static inline void rpc_assert_reply(const Rpc *rpc, const void *data, size_t bytes)
{
    assert_non_null(rpc->reply);
    assert_int_equal(grpc_byte_buffer_length(rpc->reply), bytes);
    grpc_byte_buffer_reader reader;
    assert_true(grpc_byte_buffer_reader_init(&reader, rpc->reply));
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    assert_memory_equal(GRPC_SLICE_START_PTR(all), data, bytes);
    grpc_slice_unref(all);
    grpc_byte_buffer_reader_destroy(&reader);
}

static inline void rpc_done(Rpc *rpc)
{
    grpc_completion_queue_shutdown(rpc->cq);
    grpc_completion_queue_destroy(rpc->cq);
    grpc_call_unref(rpc->call);
    grpc_metadata_array_destroy(&rpc->initial);
    grpc_metadata_array_destroy(&rpc->trailing);
    if (rpc->reply != NULL)
        grpc_byte_buffer_destroy(rpc->reply);
    grpc_slice_unref(rpc->details);
}

/* Group fixtures: gRPC core stays up between the tests of a program. */
static inline int keep_grpc(void **state)
{
    (void)state;
    grpc_init();
    return 0;
}

static inline int drop_grpc(void **state)
{
    (void)state;
    grpc_shutdown_blocking();
    return 0;
}

#endif
