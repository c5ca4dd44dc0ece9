/* SPDX-License-Identifier: Apache-2.0
 *
 * A load generator on gRPC core: the same unary call over and over, on one thread.
 *
 *     load --port 8500 --request request.bin --outstanding 8 --seconds 5
 *     load --port 8500 --request request.bin --rate 2000 --seconds 5
 *
 * Closed loop: `--outstanding` calls are always under way. Open loop: `--rate` calls a second are
 * started on schedule, however slow the answers are, and latency counts from the time that was
 * scheduled, so that a stall is felt by all the calls that it held up. Prints one line:
 *
 *     calls/s 7130  p50 138 us  p99 240 us  errors 0
 */
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/file.h"
#include "model/base/flags.h"

#define MAX_OUTSTANDING 65536
#define REQUEST_MAX_BYTES (256 << 20)
#define DRAIN_S 10
#define PREDICT "/tensorflow.serving.PredictionService/Predict"

/* Latencies by microseconds: exact up to 256, then 128 steps an octave. */
#define EXACT_US 256
#define STEPS 128
#define BUCKETS (EXACT_US + STEPS * 24)

typedef struct Load Load;

typedef struct Slot {
    grpc_call *rpc;
    uint64_t start_ns;
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *reply;
    grpc_status_code status;
    grpc_slice details;
    struct Slot *next; /* free slots */
} Slot;

struct Load {
    /* options */
    int64_t port, outstanding, connections, rate;
    double seconds, warmup_seconds;
    const char *host, *path, *request_path, *save_reply_path;

    grpc_completion_queue *cq;
    grpc_channel **channels;
    void **methods; /* the path, registered with each channel */
    grpc_byte_buffer *request;
    Slot *slots, *free_slots;
    uint64_t n_started, n_running, n_done, n_errors, n_missed;
    bool is_measuring;
    uint32_t histogram[BUCKETS];
    char first_error[256];
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- latencies ------------------------------------------------------------------------------- */

static size_t bucket_of(uint64_t us)
{
    if (us < EXACT_US)
        return us;
    unsigned octave = 63 - (unsigned)__builtin_clzll(us); /* 8 at EXACT_US */
    size_t bucket = EXACT_US + (octave - 8) * STEPS + ((us >> (octave - 7)) & (STEPS - 1));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The lowest latency of the bucket. */
static uint64_t us_of(size_t bucket)
{
    if (bucket < EXACT_US)
        return bucket;
    unsigned octave = (unsigned)((bucket - EXACT_US) / STEPS) + 8;
    return (uint64_t)(STEPS + (bucket - EXACT_US) % STEPS) << (octave - 7);
}

static uint64_t percentile(const Load *load, double share)
{
    uint64_t want = (uint64_t)(share * (double)load->n_done), seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += load->histogram[i];
        if (seen > want)
            return us_of(i);
    }
    return us_of(BUCKETS - 1);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void start_call(Load *load, uint64_t start_ns)
{
    Slot *slot = load->free_slots;
    load->free_slots = slot->next;
    size_t c = load->n_started++ % (uint64_t)load->connections;
    load->n_running++;
    slot->start_ns = start_ns;
    slot->rpc =
        grpc_channel_create_registered_call(load->channels[c], NULL, 0, load->cq, load->methods[c],
                                            gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    grpc_op ops[6] = {
        { .op = GRPC_OP_SEND_INITIAL_METADATA },  { .op = GRPC_OP_SEND_MESSAGE },
        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT }, { .op = GRPC_OP_RECV_INITIAL_METADATA },
        { .op = GRPC_OP_RECV_MESSAGE },           { .op = GRPC_OP_RECV_STATUS_ON_CLIENT }
    };
    /* gRPC core takes the bytes out of the message: a copy, which shares them, for each call. */
    grpc_byte_buffer *message = grpc_byte_buffer_copy(load->request);
    ops[1].data.send_message.send_message = message;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &slot->initial;
    ops[4].data.recv_message.recv_message = &slot->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &slot->trailing;
    ops[5].data.recv_status_on_client.status = &slot->status;
    ops[5].data.recv_status_on_client.status_details = &slot->details;
    if (grpc_call_start_batch(slot->rpc, ops, 6, slot, NULL) != GRPC_CALL_OK)
        abort();
    grpc_byte_buffer_destroy(message);
}

static Error *save_reply(Load *load, grpc_byte_buffer *reply)
{
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, reply))
        return error_new(ERROR_INTERNAL, "the reply cannot be read");
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    Error *error =
        file_write(load->save_reply_path, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all));
    grpc_slice_unref(all);
    load->save_reply_path = "";
    return error;
}

static Error *end_call(Load *load, Slot *slot)
{
    Error *error = NULL;
    load->n_running--;
    if (load->is_measuring) {
        load->n_done++;
        load->histogram[bucket_of((now_ns() - slot->start_ns) / 1000)]++;
    }
    if (slot->status != GRPC_STATUS_OK) {
        if (load->n_errors++ == 0) {
            char *text = grpc_slice_to_c_string(slot->details);
            snprintf(load->first_error, sizeof(load->first_error), "%d: %s", slot->status, text);
            gpr_free(text);
        }
    } else if (load->save_reply_path[0] != '\0' && slot->reply != NULL) {
        error = save_reply(load, slot->reply);
    }
    grpc_call_unref(TAKE(slot->rpc));
    grpc_slice_unref(slot->details);
    slot->initial.count = slot->trailing.count = 0;
    if (slot->reply != NULL)
        grpc_byte_buffer_destroy(TAKE(slot->reply));
    slot->next = load->free_slots;
    load->free_slots = slot;
    return error;
}

/* Starts what is to be started at `now`, and gives the time of the next start. */
static uint64_t start_calls(Load *load, uint64_t now, uint64_t begin, uint64_t end, uint64_t next)
{
    if (load->rate == 0) {
        while (load->n_running < (uint64_t)load->outstanding)
            start_call(load, now_ns());
        return end;
    }
    while (next <= now && next < end) {
        if (load->free_slots != NULL)
            start_call(load, next);
        else
            load->n_missed++;
        next = begin +
               (uint64_t)((double)(load->n_started + load->n_missed) * 1e9 / (double)load->rate);
    }
    return next < end ? next : end;
}

static Error *drive(Load *load, double seconds)
{
    uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9), next = begin;
    load->n_started = load->n_missed = 0;
    for (uint64_t now = begin; now < end; now = now_ns()) {
        next = start_calls(load, now, begin, end, next);
        uint64_t wait_ns = next > now ? next - now : 0;
        gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                          gpr_time_from_nanos((int64_t)wait_ns, GPR_TIMESPAN));
        grpc_event event = grpc_completion_queue_next(load->cq, until, NULL);
        if (event.type == GRPC_OP_COMPLETE)
            TRY(end_call(load, event.tag));
    }
    return NULL;
}

static Error *drain(Load *load)
{
    gpr_timespec until =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(DRAIN_S, GPR_TIMESPAN));
    while (load->n_running > 0) {
        grpc_event event = grpc_completion_queue_next(load->cq, until, NULL);
        if (event.type != GRPC_OP_COMPLETE)
            return error_new(ERROR_DEADLINE_EXCEEDED, "%llu calls have no answer after %d s",
                             (unsigned long long)load->n_running, DRAIN_S);
        TRY(end_call(load, event.tag));
    }
    return NULL;
}

/* ---- main ------------------------------------------------------------------------------------ */

static Error *open_channels(Load *load)
{
    char target[300];
    snprintf(target, sizeof(target), "%s:%d", load->host, (int)load->port);
    /* Channels of one process share connections unless told not to. */
    grpc_arg args[] = {
        { .type = GRPC_ARG_INTEGER, .key = "grpc.use_local_subchannel_pool", .value.integer = 1 },
        { .type = GRPC_ARG_INTEGER, .key = "grpc.max_receive_message_length", .value.integer = -1 },
    };
    grpc_channel_args channel_args = { ARRAY_SIZE(args), args };
    load->channels = calloc((size_t)load->connections, sizeof(grpc_channel *));
    load->methods = calloc((size_t)load->connections, sizeof(void *));
    load->slots = calloc(MAX_OUTSTANDING, sizeof(Slot));
    if (load->channels == NULL || load->methods == NULL || load->slots == NULL)
        return error_out_of_memory();
    for (int64_t i = 0; i < load->connections; i++) {
        load->channels[i] =
            grpc_channel_create(target, grpc_insecure_credentials_create(), &channel_args);
        load->methods[i] = grpc_channel_register_call(load->channels[i], load->path, NULL, NULL);
    }
    for (size_t i = 0; i < MAX_OUTSTANDING; i++) {
        grpc_metadata_array_init(&load->slots[i].initial);
        grpc_metadata_array_init(&load->slots[i].trailing);
        load->slots[i].next = load->free_slots;
        load->free_slots = &load->slots[i];
    }
    return NULL;
}

static Error *parse(Load *load, int argc, char **argv, bool *ret_help)
{
    const Flag flags[] = {
        { "host", FLAG_TEXT, &load->host, "HOST", "The server.", 0, 0 },
        { "port", FLAG_INT, &load->port, "PORT", "Its port.", 1, 65535 },
        { "path", FLAG_TEXT, &load->path, "PATH", "The method.", 0, 0 },
        { "request", FLAG_TEXT, &load->request_path, "FILE", "The bytes of every request.", 0, 0 },
        { "save_reply", FLAG_TEXT, &load->save_reply_path, "FILE", "Where the first reply goes.", 0,
          0 },
        { "outstanding", FLAG_INT, &load->outstanding, "N", "Calls under way.", 1,
          MAX_OUTSTANDING },
        { "connections", FLAG_INT, &load->connections, "N", "Connections, used in turn.", 1, 1024 },
        { "rate", FLAG_INT, &load->rate, "N", "Calls a second; 0 is a closed loop.", 0, 1000000 },
        { "seconds", FLAG_DOUBLE, &load->seconds, "S", "How long it is measured.", 0.1, 86400 },
        { "warmup_seconds", FLAG_DOUBLE, &load->warmup_seconds, "S", "And not, before that.", 0,
          86400 },
    };
    TRY(flags_parse(flags, ARRAY_SIZE(flags), argc, argv, ret_help));
    if (*ret_help)
        flags_help(flags, ARRAY_SIZE(flags), "load: the same call over and over.", stdout);
    return NULL;
}

static Error *run(Load *load, int argc, char **argv)
{
    bool help = false;
    TRY(parse(load, argc, argv, &help));
    if (help)
        return NULL;
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    if (arena == NULL)
        return error_out_of_memory();
    uint8_t *request;
    size_t bytes;
    TRY(file_read(arena, load->request_path, REQUEST_MAX_BYTES, &request, &bytes));
    grpc_init();
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)request, bytes);
    load->request = grpc_raw_byte_buffer_create(&slice, 1);
    load->cq = grpc_completion_queue_create_for_next(NULL);
    TRY(open_channels(load));

    TRY(drive(load, load->warmup_seconds));
    load->is_measuring = true;
    uint64_t begin = now_ns();
    TRY(drive(load, load->seconds));
    double took = (double)(now_ns() - begin) / 1e9;
    uint64_t n_done = load->n_done;
    TRY(drain(load));
    printf("calls/s %.0f  p50 %llu us  p99 %llu us  errors %llu", (double)n_done / took,
           (unsigned long long)percentile(load, 0.50), (unsigned long long)percentile(load, 0.99),
           (unsigned long long)load->n_errors);
    if (load->n_missed > 0)
        printf("  missed %llu", (unsigned long long)load->n_missed);
    printf("\n");
    if (load->n_errors > 0)
        return error_new(ERROR_UNKNOWN, "first error: %s", load->first_error);
    return NULL;
}

int main(int argc, char **argv)
{
    Load load = { .host = "localhost",
                  .port = 8500,
                  .path = PREDICT,
                  .request_path = "",
                  .save_reply_path = "",
                  .outstanding = 8,
                  .connections = 1,
                  .seconds = 5,
                  .warmup_seconds = 0.5 };
    Error *error = run(&load, argc, argv);
    if (error == NULL)
        return EXIT_SUCCESS;
    fprintf(stderr, "load: %s\n", error->text);
    error_free(error);
    return EXIT_FAILURE;
}
