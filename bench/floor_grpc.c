/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor of digit-server: gRPC core alone, answering every Predict with the same bytes. It
 * decodes nothing and computes nothing, and is written for nothing but speed:
 *
 *     floor_grpc --port 8600 --reply reply.bin [--threads 2]
 *
 * One completion queue a thread, a registered method with the payload read first, the whole reply
 * in one batch, calls that arm themselves again. What digit-server takes longer than this is ours.
 * It has no orderly end: SIGTERM kills it.
 */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/file.h"
#include "model/base/flags.h"

#define ARMED_CALLS 64
#define REPLY_MAX_BYTES (64 << 20)
#define PREDICT "/tensorflow.serving.PredictionService/Predict"

typedef struct Floor Floor;

typedef struct FloorCall {
    Floor *floor;
    grpc_call *rpc; /* NULL while armed */
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload;
    int cancelled;
} FloorCall;

struct Floor {
    grpc_server *server;
    grpc_completion_queue *cq;
    void *method;
    grpc_slice reply;
    FloorCall calls[ARMED_CALLS];
};

static void arm(FloorCall *call)
{
    call->metadata.count = 0;
    if (grpc_server_request_registered_call(call->floor->server, call->floor->method, &call->rpc,
                                            &call->deadline, &call->metadata, &call->payload,
                                            call->floor->cq, call->floor->cq, call) != GRPC_CALL_OK)
        abort();
}

static void answer(FloorCall *call)
{
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&call->floor->reply, 1);
    grpc_op ops[4] = { { .op = GRPC_OP_SEND_INITIAL_METADATA },
                       { .op = GRPC_OP_SEND_MESSAGE },
                       { .op = GRPC_OP_SEND_STATUS_FROM_SERVER },
                       { .op = GRPC_OP_RECV_CLOSE_ON_SERVER } };
    ops[1].data.send_message.send_message = message;
    ops[2].data.send_status_from_server.status = GRPC_STATUS_OK;
    ops[3].data.recv_close_on_server.cancelled = &call->cancelled;
    if (grpc_call_start_batch(call->rpc, ops, 4, call, NULL) != GRPC_CALL_OK)
        abort();
    grpc_byte_buffer_destroy(message);
    if (call->payload != NULL)
        grpc_byte_buffer_destroy(TAKE(call->payload));
}

static void *floor_main(void *argument)
{
    Floor *floor = argument;
    bool is_answered[ARMED_CALLS] = { false };
    for (int i = 0; i < ARMED_CALLS; i++) {
        floor->calls[i].floor = floor;
        grpc_metadata_array_init(&floor->calls[i].metadata);
        arm(&floor->calls[i]);
    }
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(floor->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        FloorCall *call = event.tag;
        bool *answered = &is_answered[call - floor->calls];
        if (!*answered) {
            answer(call);
            *answered = true;
        } else {
            grpc_call_unref(TAKE(call->rpc));
            arm(call);
            *answered = false;
        }
    }
    return NULL;
}

static Error *serve(int port, int n_threads, grpc_slice reply)
{
    grpc_arg args[] = { { .type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ALLOW_REUSEPORT } };
    grpc_channel_args channel_args = { ARRAY_SIZE(args), args };
    grpc_server *server = grpc_server_create(&channel_args, NULL);
    void *method = grpc_server_register_method(server, PREDICT, NULL,
                                               GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
    Floor *floors = calloc((size_t)n_threads, sizeof(Floor));
    if (floors == NULL)
        return error_out_of_memory();
    for (int i = 0; i < n_threads; i++) {
        floors[i] = (Floor){ .server = server,
                             .cq = grpc_completion_queue_create_for_next(NULL),
                             .method = method,
                             .reply = reply };
        grpc_server_register_completion_queue(server, floors[i].cq, NULL);
    }
    char address[32];
    snprintf(address, sizeof(address), "[::]:%d", port);
    if (grpc_server_add_http2_port(server, address, grpc_insecure_server_credentials_create()) !=
        port)
        return error_new(ERROR_UNAVAILABLE, "cannot listen on port %d", port);
    grpc_server_start(server);
    for (int i = 1; i < n_threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, floor_main, &floors[i]) != 0)
            return error_new(ERROR_RESOURCE_EXHAUSTED, "cannot start a thread");
    }
    floor_main(&floors[0]);
    return NULL;
}

static Error *run(int argc, char **argv)
{
    int64_t port = 8600, n_threads = 1;
    const char *reply_path = "";
    const Flag flags[] = {
        { "port", FLAG_INT, &port, "PORT", "TCP port.", 1, 65535 },
        { "threads", FLAG_INT, &n_threads, "N", "Completion queues, a thread each.", 1, 64 },
        { "reply", FLAG_TEXT, &reply_path, "FILE", "The bytes of every reply.", 0, 0 },
    };
    bool help = false;
    TRY(flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &help));
    if (help) {
        flags_help(flags, ARRAY_SIZE(flags), "floor_grpc: gRPC core alone.", stdout);
        return NULL;
    }
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    if (arena == NULL)
        return error_out_of_memory();
    uint8_t *reply;
    size_t bytes;
    TRY(file_read(arena, reply_path, REPLY_MAX_BYTES, &reply, &bytes));
    grpc_init();
    return serve((int)port, (int)n_threads,
                 grpc_slice_from_copied_buffer((const char *)reply, bytes));
}

int main(int argc, char **argv)
{
    Error *error = run(argc, argv);
    if (error == NULL)
        return EXIT_SUCCESS;
    fprintf(stderr, "floor_grpc: %s\n", error->text);
    error_free(error);
    return EXIT_FAILURE;
}
