/* SPDX-License-Identifier: Apache-2.0
 *
 * Server: makes and ends gRPC core's server in the order that it demands, or it aborts:
 *
 *     create, register methods and queues, bind, start; then queues run
 *     shutdown_and_notify, its tag, destroy; then queues shut down, drained, destroyed
 *
 * Every queue has a slot for each of its methods; the control queue also takes what is not
 * registered.
 */
#include "server/grpc/server.h"

#include <assert.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/base/log.h"
#include "server/grpc/channel_arguments.h"
#include "server/grpc/queue.h"
#include "server/grpc/standby.h"

#define NAME_BYTES 24
#define OWN_ARGUMENTS 3 /* of gRPC core, before the operator's */
#define MAX_ARGUMENTS 64
#define POLL_NS 1000000      /* how often server_stop looks at the queues */
#define AFTER_CANCEL_MS 1000 /* for handlers to end once their calls are cancelled */

/* A queue and what it borrows. */
typedef struct Lane {
    Queue *queue;
    Slot *slots; /* [n_slots] */
    size_t n_slots;
    char name[NAME_BYTES];
} Lane;

struct Server {
    grpc_server *grpc;
    grpc_completion_queue *stop_cq; /* the standby's; then tells that the last call has ended */
    Lane *lanes;                    /* [n_lanes], the control queue's first */
    size_t n_lanes;
    Standby *standby; /* NULL before the start and while the server stops */
    Method unregistered;
};

/* ---- gRPC core's own log --------------------------------------------------------------------- */

static void log_at(LogLevel level, gpr_log_func_args *args)
{
    if (log_enabled(level))
        log_write(level, "grpc", "%s", args->message);
}

static void log_all(gpr_log_func_args *args)
{
    log_at(args->severity == GPR_LOG_SEVERITY_ERROR ? LOG_WARNING : LOG_DEBUG, args);
}

/* While binding: what goes wrong there is said once, by us. */
static void log_quietly(gpr_log_func_args *args)
{
    log_at(LOG_DEBUG, args);
}

/* ---- making ---------------------------------------------------------------------------------- */

static void unregistered_handle(Call *call, void *context)
{
    (void)context;
    Bytes path = call_request(call);
    call_reply_error(call, error_new(ERROR_UNIMPLEMENTED, "unknown method %.*s", (int)path.size,
                                     (const char *)path.data));
}

static Error *create_grpc(Server *server, const ServerOptions *options)
{
    grpc_arg args[MAX_ARGUMENTS] = {
        /* Else a second server on the port is no error. */
        { .type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0 },
        { .type = GRPC_ARG_INTEGER,
          .key = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
          .value.integer = options->max_receive_bytes },
        { .type = GRPC_ARG_INTEGER, .key = GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, .value.integer = -1 },
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    size_t n = OWN_ARGUMENTS;
    if (arena == NULL)
        return error_out_of_memory();
    if (options->channel_arguments != NULL)
        TRY(channel_arguments_parse(arena, options->channel_arguments, args, n, MAX_ARGUMENTS, &n));
    grpc_channel_args channel_args = { n, args }; /* copied */
    server->grpc = grpc_server_create(&channel_args, NULL);
    if (server->grpc == NULL)
        return error_out_of_memory();
    grpc_completion_queue_attributes attributes = {
        .version = GRPC_CQ_CURRENT_VERSION,
        .cq_completion_type = GRPC_CQ_NEXT,
        .cq_polling_type = GRPC_CQ_NON_LISTENING,
    };
    server->stop_cq = grpc_completion_queue_create(
        grpc_completion_queue_factory_lookup(&attributes), &attributes, NULL);
    grpc_server_register_completion_queue(server->grpc, server->stop_cq, NULL);
    return NULL;
}

/* Registers the methods, and gives each lane its slots for them. */
static Error *add_slots(Server *server, const ServerOptions *options)
{
    for (size_t i = 0; i < server->n_lanes; i++) {
        server->lanes[i].slots = calloc(options->n_methods + 1, sizeof(Slot));
        if (server->lanes[i].slots == NULL)
            return error_out_of_memory();
    }
    for (size_t m = 0; m < options->n_methods; m++) {
        const Method *method = &options->methods[m];
        void *registered = grpc_server_register_method(
            server->grpc, method->path, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
        if (registered == NULL)
            return error_new(ERROR_INTERNAL, "method %s cannot be registered", method->path);
        size_t first = method->queue == METHOD_CONTROL ? 0 : 1;
        size_t end = method->queue == METHOD_CONTROL ? 1 : server->n_lanes;
        for (Lane *lane = &server->lanes[first]; lane < &server->lanes[end]; lane++)
            lane->slots[lane->n_slots++] = (Slot){ .method = method, .registered = registered };
    }
    Lane *control = &server->lanes[0];
    control->slots[control->n_slots++] = (Slot){ .method = &server->unregistered };
    return NULL;
}

static Error *create_queues(Server *server, const ServerOptions *options)
{
    for (size_t i = 0; i < server->n_lanes; i++) {
        Lane *lane = &server->lanes[i];
        if (i == 0)
            snprintf(lane->name, sizeof(lane->name), "control");
        else
            snprintf(lane->name, sizeof(lane->name), "compute-%d", (int)i - 1);
        lane->queue = queue_new(&(QueueOptions){
            .server = server->grpc,
            .slots = lane->slots,
            .n_slots = lane->n_slots,
            .context = i == 0 ? options->control_context : options->contexts[i - 1],
            .max_calls = options->max_calls_per_thread,
            .max_call_bytes = options->max_call_bytes,
            .is_passive = i == 0,
            .name = lane->name,
        });
        if (lane->queue == NULL)
            return error_out_of_memory();
    }
    return NULL;
}

static Error *listen_quietly(Server *server, const ServerOptions *options)
{
    gpr_set_log_function(log_quietly);
    Error *error = listen_add(server->grpc, &options->listen);
    gpr_set_log_function(log_all);
    return error;
}

/* Starts the threads, with a standby for those that compute. */
static Error *start_queues(Server *server)
{
    size_t n = server->n_lanes - 1;
    _cleanup_(freep) Queue **computing = calloc(n, sizeof(Queue *));
    if (computing == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < server->n_lanes; i++) {
        TRY(queue_start(server->lanes[i].queue));
        if (i > 0)
            computing[i - 1] = server->lanes[i].queue;
    }
    return standby_start(server->stop_cq, computing, n, &server->standby);
}

static Error *build(Server *server, const ServerOptions *options)
{
    server->n_lanes = (size_t)options->n_threads + 1;
    server->lanes = calloc(server->n_lanes, sizeof(Lane));
    if (server->lanes == NULL)
        return error_out_of_memory();
    TRY(create_grpc(server, options));
    TRY(add_slots(server, options));
    TRY(create_queues(server, options));
    TRY(listen_quietly(server, options));
    grpc_server_start(server->grpc);
    return start_queues(server);
}

/* ---- the end --------------------------------------------------------------------------------- */

static gpr_timespec in_ms(int64_t ms)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

static void sleep_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
}

/* gRPC core drops the calls that have arrived and have not been handed out when it is shut down.
 * Waits until every queue has found nothing more to take, so that they are in our hands; a thread
 * looks when it is done with the call that it runs. */
static void wait_until_dry(Server *server, gpr_timespec until)
{
    for (size_t i = 0; i < server->n_lanes; i++) {
        Queue *queue = server->lanes[i].queue;
        unsigned before = queue_n_dry(queue);
        while (!queue_is_idle(queue) && queue_n_dry(queue) == before &&
               gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), until) < 0)
            sleep_a_little();
    }
}

static bool wait_until_stopped(Server *server, gpr_timespec until)
{
    return grpc_completion_queue_next(server->stop_cq, until, NULL).type == GRPC_OP_COMPLETE;
}

/* gRPC core has stopped when the last stream has ended, which a cancelled call's does while its
 * handler still runs. False when `until` comes first. */
static bool wait_until_empty(Server *server, gpr_timespec until)
{
    for (size_t i = 0; i < server->n_lanes; i++) {
        while (server->lanes[i].queue != NULL && queue_n_calls(server->lanes[i].queue) > 0) {
            if (gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), until) >= 0)
                return false;
            sleep_a_little();
        }
    }
    return true;
}

static void wake_streams(Server *server, bool end)
{
    for (size_t i = 0; i < server->n_lanes; i++)
        stream_list_wake(queue_streams(server->lanes[i].queue), end);
}

void server_notify(Server *server)
{
    wake_streams(server, false);
}

bool server_stop(Server *server, int64_t grace_ms)
{
    gpr_timespec end = in_ms(grace_ms);
    wait_until_dry(server, end);
    wake_streams(server, true);
    server->standby = standby_stop(server->standby); /* from here on we read through stop_cq */
    grpc_server_shutdown_and_notify(server->grpc, server->stop_cq, server);
    bool has_stopped = wait_until_stopped(server, end);
    if (!has_stopped) {
        log_warning("grpc", "calls still run after %lld ms of grace: cancelled",
                    (long long)grace_ms);
        for (size_t i = 0; i < server->n_lanes; i++)
            queue_drop_waiting(server->lanes[i].queue);
        grpc_server_cancel_all_calls(server->grpc);
        has_stopped = wait_until_stopped(server, in_ms(AFTER_CANCEL_MS));
    }
    return has_stopped && wait_until_empty(server, in_ms(AFTER_CANCEL_MS));
}

Server *server_free(Server *server)
{
    if (server == NULL)
        return NULL;
    if (server->grpc != NULL)
        grpc_server_destroy(server->grpc);
    for (size_t i = 0; server->lanes != NULL && i < server->n_lanes; i++) {
        queue_free(server->lanes[i].queue);
        free(server->lanes[i].slots);
    }
    if (server->stop_cq != NULL) {
        grpc_completion_queue_shutdown(server->stop_cq);
        grpc_completion_queue_destroy(server->stop_cq);
    }
    free(server->lanes);
    free(server);
    grpc_shutdown_blocking();
    return NULL;
}

/* ---- start ----------------------------------------------------------------------------------- */

Error *server_start(const ServerOptions *options, Server **ret_server)
{
    assert(options->n_threads >= 1);
    Server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return error_out_of_memory();
    server->unregistered = (Method){ .path = "*", .handle = unregistered_handle };
    grpc_init();
    gpr_set_log_function(log_all);
    Error *error = build(server, options);
    if (error != NULL) {
        /* gRPC core wants a server that never ran to be shut down too; no call can hold it up. */
        if (server->grpc != NULL) {
            grpc_server_shutdown_and_notify(server->grpc, server->stop_cq, server);
            grpc_server_cancel_all_calls(server->grpc);
            wait_until_stopped(server, gpr_inf_future(GPR_CLOCK_MONOTONIC));
            wait_until_empty(server, gpr_inf_future(GPR_CLOCK_MONOTONIC));
        }
        server_free(server);
        return error;
    }
    *ret_server = server;
    return NULL;
}
