/* SPDX-License-Identifier: Apache-2.0
 *
 * digit-server: the order of start and stop, and nothing else.
 *
 *     options -> loop -> manager loads -> (ready) workers -> gRPC server, REST
 *     SIGTERM -> health NOT_SERVING -> lame duck -> both take no calls, end those in flight -> exit 0
 *
 * The main thread runs the loop. server_stop blocks, so it has a thread of its own, and the loop
 * goes on to hear a second signal, which ends the process at once.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/base/log.h"
#include "model/model.h"
#include "server/config/config_file.h"
#include "server/config/ssl_config.h"
#include "server/grpc/server.h"
#include "server/loop.h"
#include "server/manager/manager.h"
#include "server/options.h"
#include "server/rest/rest.h"
#include "server/service/methods.h"
#include "server/service/warm_up.h"
#include "server/service/worker.h"

#define UNLOAD_MS 2000 /* for versions to go at the end; nothing is lost with those that do not */

typedef struct Program {
    Options options;
    WarmUpOptions warm_up;
    VersionLoader loader;
    Arena *arena;  /* of the TLS configuration */
    ListenTls tls; /* without a key: none */
    Loop *loop;
    ConfigFile *config_file; /* NULL: one model, of the flags */
    Manager *manager;
    Batching *batching; /* NULL: requests are run one by one */
    Crew *crew;         /* helps with single large calls; NULL: no call has more than its thread */
    Worker **workers;   /* [n_threads + 1], the control thread's last */
    Server *server;     /* NULL until the models are ready */
    Rest *rest;         /* NULL: no REST, or not yet */
    int exit_code;

    pthread_t stopper;
    bool has_stopper;
    bool is_stopping;
    bool is_stopped; /* no call runs any more; the stopper writes, read after joining it */
    LoopTask stopped_task;
} Program;

/* ---- start ----------------------------------------------------------------------------------- */

static Error *make_workers(Program *program)
{
    size_t n = (size_t)program->options.n_threads + 1;
    program->workers = calloc(n + 1, sizeof(Worker *));
    if (program->workers == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        program->workers[i] = worker_new(program->manager, &program->options.services,
                                         program->batching, program->crew);
        if (program->workers[i] == NULL)
            return error_out_of_memory();
    }
    return NULL;
}

static Error *start_server(Program *program)
{
    const Options *options = &program->options;
    return server_start(
        &(ServerOptions){
            .listen = { .port = (int)options->port,
                        .socket_path = options->socket_path,
                        .tls = program->tls.key != NULL ? &program->tls : NULL },
            .channel_arguments = options->channel_arguments,
            .methods = methods,
            .n_methods = methods_n,
            .n_threads = (int)options->n_threads,
            .contexts = (void *const *)program->workers,
            .control_context = program->workers[options->n_threads],
            .max_calls_per_thread = (unsigned)options->max_calls_per_thread,
            .max_call_bytes = (size_t)options->max_request_tensor_bytes,
            .max_receive_bytes = (int)options->max_request_bytes,
        },
        &program->server);
}

/* Health may have changed. */
static void on_change(void *data)
{
    Program *program = data;
    if (program->server != NULL)
        server_notify(program->server);
}

/* Goes on without REST when its port is gRPC's, as TensorFlow Serving does, but not when another
 * program has it: who asked for REST would not see that it is missing. */
static Error *start_rest(Program *program)
{
    const Options *options = &program->options;
    if (options->rest_port == 0)
        return NULL;
    if (options->rest_port == options->port) {
        log_error("server", "--rest_api_port=%d is the port of gRPC: going on without REST",
                  (int)options->rest_port);
        return NULL;
    }
    TRY(rest_start(
        &(RestOptions){
            .loop = program->loop,
            .manager = program->manager,
            .services = &options->services,
            .crew = program->crew,
            .port = (int)options->rest_port,
            .n_threads = (size_t)options->n_rest_threads,
            .timeout_ms = options->rest_timeout_ms,
            .allow_pages = options->rest_allow_pages,
            .max_body_bytes = (size_t)options->rest_max_body_bytes,
            .max_arena_bytes = (size_t)options->max_request_tensor_bytes,
            .max_waiting = (size_t)(options->max_calls_per_thread * options->n_rest_threads),
        },
        &program->rest));
    log_info("server", "listening for HTTP on port %d", (int)options->rest_port);
    return NULL;
}

/* The models are loaded, or have failed: the ports open. */
static void on_ready(void *data, size_t n_serving, size_t n_models)
{
    Program *program = data;
    if (program->is_stopping)
        return;
    /* REST first: what has no call yet can be closed again when the other cannot start. */
    Error *error = make_workers(program);
    if (error == NULL)
        error = start_rest(program);
    if (error == NULL)
        error = start_server(program);
    if (error != NULL) {
        log_error_free(LOG_ERROR, "server", error, "cannot start");
        program->exit_code = EXIT_FAILURE;
        loop_stop(program->loop);
        return;
    }
    log_info("server", "listening on port %d%s%s%s, %zu of %zu models serving",
             (int)program->options.port, program->options.socket_path[0] != '\0' ? " and " : "",
             program->options.socket_path, program->tls.key != NULL ? ", with TLS" : "", n_serving,
             n_models);
}

/* ---- stop ------------------------------------------------------------------------------------ */

static void stopped(void *data)
{
    Program *program = data;
    loop_stop(program->loop);
}

static void *stopper_main(void *data)
{
    Program *program = data;
    double lame_duck = program->options.shutdown_lame_duck_seconds;
    struct timespec rest = { .tv_sec = (time_t)lame_duck,
                             .tv_nsec = (long)((lame_duck - (double)(time_t)lame_duck) * 1e9) };
    nanosleep(&rest, NULL);
    if (program->batching != NULL)
        batcher_drain(batching_batcher(program->batching));
    int64_t grace_ms = (int64_t)(program->options.shutdown_grace_seconds * 1000);
    int64_t end_ms = (int64_t)loop_now_ms() + grace_ms;
    rest_drain(program->rest);
    program->is_stopped = server_stop(program->server, grace_ms);
    program->is_stopped &= rest_wait(program->rest, end_ms - (int64_t)loop_now_ms());
    loop_post(program->loop, &program->stopped_task);
    return NULL;
}

static void on_terminate(void *data, unsigned count)
{
    Program *program = data;
    if (count > 1) {
        log_warning("server", "asked to stop again: leaving at once");
        _exit(EXIT_FAILURE);
    }
    log_info("server", "stopping: no new calls, those in flight get %g s",
             program->options.shutdown_grace_seconds);
    program->is_stopping = true;
    manager_drain(program->manager);
    program->stopped_task = (LoopTask){ .run = stopped, .data = program };
    if (program->server != NULL &&
        pthread_create(&program->stopper, NULL, stopper_main, program) == 0)
        program->has_stopper = true;
    else
        loop_stop(program->loop);
}

static bool is_file_idle(void *data)
{
    return config_file_is_idle(data);
}

/* Frees everything in the reverse order of the start. False when calls still run, on threads that
 * cannot be ended: then nothing may be freed. */
static bool tear_down(Program *program)
{
    if (program->has_stopper)
        pthread_join(program->stopper, NULL);
    if (program->server != NULL && !program->is_stopped)
        return false;
    program->rest = rest_free(program->rest);
    program->server = server_free(program->server);
    batching_stop(program->batching);
    for (size_t i = 0; program->workers != NULL && program->workers[i] != NULL; i++)
        worker_free(program->workers[i]);
    free(program->workers);
    crew_free(program->crew);
    if (program->config_file != NULL)
        config_file_stop(program->config_file);
    if (manager_free(program->manager, UNLOAD_MS) == NULL)
        batching_free(program->batching);
    /* A disk that hangs may keep a look from ending; then the process ends with it. */
    if (program->config_file != NULL &&
        loop_run_until(program->loop, is_file_idle, program->config_file, UNLOAD_MS))
        config_file_free(program->config_file);
    loop_free(program->loop);
    arena_free(program->arena);
    options_done(&program->options);
    return true;
}

/* ---- main ------------------------------------------------------------------------------------ */

static void on_hangup(void *data)
{
    Program *program = data;
    if (program->config_file != NULL)
        config_file_look(program->config_file);
}

/* The models to begin with: of the file, or the one of the flags, which `flags` is storage for. */
static Error *list_models(Program *program, ModelConfig *flags, ModelList *ret_list)
{
    const Options *options = &program->options;
    if (options->model_config_file[0] != '\0')
        return config_file_open(program->loop, options->model_config_file, &program->config_file,
                                ret_list);
    *flags = (ModelConfig){ .name = options->model_name, .base_path = options->model_base_path };
    *ret_list = (ModelList){ flags, 1 };
    return NULL;
}

static Error *read_tls(Program *program)
{
    Tensorflow__Serving__SSLConfig *config;
    if (program->options.ssl_config_file[0] == '\0')
        return NULL;
    program->arena = arena_new(4096, 0);
    if (program->arena == NULL)
        return error_out_of_memory();
    TRY(ssl_config_read(program->arena, program->options.ssl_config_file, &config));
    program->tls = (ListenTls){
        .key = config->server_key,
        .certificate = config->server_cert,
        .client_roots = config->custom_ca[0] != '\0' ? config->custom_ca : NULL,
        .verify_client = config->client_verify,
    };
    return NULL;
}

/* What the requests of all models share. */
static Error *start_computing(Program *program)
{
    const Options *options = &program->options;
    if (options->n_intra_op_threads > 1)
        TRY(crew_new((int)options->n_intra_op_threads, workers_processors(), &program->crew));
    if (!options->enable_batching)
        return NULL;
    const BatchingOptions batching = { .file = options->batching_file,
                                       .per_model = options->per_model_batching,
                                       .max_bytes = (size_t)options->max_request_tensor_bytes,
                                       .crew = program->crew };
    return batching_new(&batching, &program->batching);
}

static Error *warm_up(const Model *model, const char *directory, const void *data)
{
    const Program *program = data;
    if (program->batching != NULL)
        TRY(batching_add(program->batching, model, directory));
    return warm_up_run(model, directory, &program->warm_up);
}

static void cool_down(const Model *model, const void *data)
{
    const Program *program = data;
    if (program->batching != NULL)
        batching_remove(program->batching, model);
}

static Error *start_manager(Program *program)
{
    const Options *options = &program->options;
    ModelConfig flags;
    ModelList list;
    TRY(read_tls(program));
    TRY(start_computing(program));
    TRY(loop_new(&program->loop));
    TRY(loop_on_terminate(program->loop, on_terminate, program));
    TRY(loop_on_hangup(program->loop, on_hangup, program));
    TRY(list_models(program, &flags, &list));
    ManagerOptions manager = MANAGER_OPTIONS_DEFAULT;
    manager.models = list.models;
    manager.n_models = list.n;
    manager.poll_wait_seconds = options->poll_wait_seconds;
    manager.n_load_threads = (unsigned)options->n_load_threads;
    manager.max_load_retries = (unsigned)options->max_load_retries;
    manager.load_retry_interval_ms = (uint64_t)options->load_retry_interval_micros / 1000;
    manager.allow_labels_for_unavailable = options->allow_labels_for_unavailable;
    manager.load_options.tags = (const char *const *)options->tags;
    manager.load_options.n_tags = options->n_tags;
    program->warm_up = (WarmUpOptions){ options->warm_up, (unsigned)options->n_warm_up_iterations,
                                        options->services };
    program->loader = loader_of_bundles;
    program->loader.warm_up = warm_up;
    program->loader.cool_down = cool_down;
    program->loader.data = program;
    manager.loader = &program->loader;
    TRY(manager_new(program->loop, &manager, &program->manager));
    manager_on_change(program->manager, on_change, program);
    manager_start(program->manager, (uint64_t)(options->startup_wait_seconds * 1000), on_ready,
                  program);
    if (program->config_file != NULL)
        config_file_follow(program->config_file, program->manager,
                           options->config_poll_wait_seconds);
    return NULL;
}

static void say_what(const Options *options)
{
    bool has_file = options->model_config_file[0] != '\0';
    log_info("server", "digit-server %s: %d threads, up to %d for a call, %s kernels, %s%s%s",
             DIGIT_VERSION, (int)options->n_threads, (int)options->n_intra_op_threads,
             model_kernels(), has_file ? "models of " : options->model_name,
             has_file ? options->model_config_file : " in ",
             has_file ? "" : options->model_base_path);
    options_warn(options);
}

int main(int argc, char **argv)
{
    Program program = { .exit_code = EXIT_SUCCESS };
    bool is_done = false;
    Error *error = options_parse(argc, argv, &program.options, &is_done);
    if (error != NULL) {
        fprintf(stderr, "digit-server: %s (--help lists the flags)\n", error->text);
        error_free(error);
        options_done(&program.options);
        return EXIT_FAILURE;
    }
    if (is_done)
        return EXIT_SUCCESS;
    log_set_level(program.options.log_level);
    signal(SIGPIPE, SIG_IGN);
    say_what(&program.options);
    error = start_manager(&program);
    if (error != NULL) {
        log_error_free(LOG_ERROR, "server", error, "cannot start");
        program.exit_code = EXIT_FAILURE;
    } else {
        loop_run(program.loop);
    }
    if (!tear_down(&program)) {
        log_warning("server", "calls still run; leaving without them");
        _exit(program.exit_code);
    }
    log_info("server", "stopped");
    return program.exit_code;
}
