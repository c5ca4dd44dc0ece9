/* SPDX-License-Identifier: Apache-2.0
 *
 * Options: the table of flags, and the checks that go beyond one flag's range. Names that
 * TensorFlow Serving has mean the same here.
 */
#include "server/options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/flags.h"
#include "model/base/workers.h"

#define MAX_SECONDS 1e9

static const char usage[] =
    "digit-server: serves TensorFlow SavedModels over gRPC, as TensorFlow Serving does.\n"
    "\n"
    "  digit-server --port=8500 --model_name=digits --model_base_path=models/digits\n"
    "  digit-server --port=8500 --model_config_file=models.config\n";

/* Flags of TensorFlow Serving that are accepted, so that its command lines work as they are. */
static const struct {
    const char *name;
    bool is_boolean;
} ignored[OPTIONS_N_IGNORED] = {
    { "enable_grpc_healthcheck_service", true }, /* there always is one */
    { "enable_profiler", true },
    { "flush_filesystem_caches", true },
    { "mixed_precision", false },
    { "num_tflite_interpreters_per_pool", false },
    { "num_tflite_pools", false },
    { "num_unload_threads", false },
    { "per_process_gpu_memory_fraction", false },
    { "platform_config_file", false },
    { "prefer_tflite_model", true },
    { "remove_unused_fields_from_bundle_metagraph", true },
    { "skip_initialize_tpu", true },
    { "tensorflow_inter_op_parallelism", false },
    { "tensorflow_session_config_file", false },
    { "thread_pool_factory_config_file", false },
    { "xla_cpu_compilation_enabled", true },
    { "xla_gpu_compilation_enabled", true },
};

/* What the flags write that is not yet an option. */
typedef struct RawOptions {
    const char *base_path;
    const char *tags;
    const char *log_level;
    int64_t session_parallelism;
    bool version;
    bool use_alts;
} RawOptions;

static Error *parse_flags(int argc, char **argv, Options *options, RawOptions *raw, bool *ret_help)
{
    const Flag own[] = {
        { "port", FLAG_INT, &options->port, "PORT",
          "TCP port of gRPC, on all addresses; 0 is none.", 0, 65535 },
        { "grpc_socket_path", FLAG_TEXT, &options->socket_path, "PATH",
          "UNIX socket to serve gRPC on too.", 0, 0 },
        { "grpc_channel_arguments", FLAG_TEXT, &options->channel_arguments, "KEY=VALUE,...",
          "Settings of gRPC itself.", 0, 0 },
        { "ssl_config_file", FLAG_TEXT, &options->ssl_config_file, "FILE",
          "Text SSLConfig: key and certificates of gRPC over TLS.", 0, 0 },
        { "use_alts_credentials", FLAG_BOOL, &raw->use_alts, NULL,
          "Not supported: use --ssl_config_file.", 0, 0 },
        { "model_name", FLAG_TEXT, &options->model_name, "NAME", "What clients call the model.", 0,
          0 },
        { "model_base_path", FLAG_TEXT, &raw->base_path, "DIR",
          "Directory whose numbered subdirectories are the model's versions.", 0, 0 },
        { "model_config_file", FLAG_TEXT, &options->model_config_file, "FILE",
          "Text ModelServerConfig: the models to serve, in place of the two flags above.", 0, 0 },
        { "model_config_file_poll_wait_seconds", FLAG_DOUBLE, &options->config_poll_wait_seconds,
          "SECONDS", "Between two looks whether that file has changed; 0 never looks.", 0,
          MAX_SECONDS },
        { "allow_version_labels_for_unavailable_models", FLAG_BOOL,
          &options->allow_labels_for_unavailable, NULL,
          "Labels may be given to versions that are not up yet.", 0, 0 },
        { "file_system_poll_wait_seconds", FLAG_DOUBLE, &options->poll_wait_seconds, "SECONDS",
          "Between two looks for new versions; 0 looks once, less never.", -1, MAX_SECONDS },
        { "saved_model_tags", FLAG_TEXT, &raw->tags, "TAG,...",
          "Tags of the graph to serve, all of them.", 0, 0 },
        { "grpc_max_threads", FLAG_INT, &options->n_threads, "N",
          "Threads that compute, each one call at a time; 0 is one a processor.", 0, 1024 },
        { "tensorflow_intra_op_parallelism", FLAG_INT, &options->n_intra_op_threads, "N",
          "Threads that may work on one call while others are idle; 0 is one a processor.", 0,
          1024 },
        { "tensorflow_session_parallelism", FLAG_INT, &raw->session_parallelism, "N",
          "The same, where the flag above is not given.", 0, 1024 },
        { "max_calls_per_thread", FLAG_INT, &options->max_calls_per_thread, "N",
          "Calls that a thread holds; more are refused with RESOURCE_EXHAUSTED.", 1, 1 << 20 },
        { "max_request_bytes", FLAG_INT, &options->max_request_bytes, "BYTES",
          "Bigger requests are refused with RESOURCE_EXHAUSTED.", 1, INT_MAX },
        { "max_request_tensor_bytes", FLAG_INT, &options->max_request_tensor_bytes, "BYTES",
          "Memory that a request's tensors may claim beyond the bytes that it has.", 65536,
          (double)((int64_t)1 << 40) },
        { "enable_signature_method_name_check", FLAG_BOOL, &options->services.check_method_names,
          NULL, "Refuse signatures whose method_name is another RPC's.", 0, 0 },
        { "enable_serialization_as_tensor_content", FLAG_BOOL,
          &options->services.reply_as_tensor_content, NULL,
          "Predict answers with tensor_content in place of typed values.", 0, 0 },
        { "enable_batching", FLAG_BOOL, &options->enable_batching, NULL,
          "Run requests that wait at the same time together.", 0, 0 },
        { "batching_parameters_file", FLAG_TEXT, &options->batching_file, "FILE",
          "Text BatchingParameters: how.", 0, 0 },
        { "enable_per_model_batching_parameters", FLAG_BOOL, &options->per_model_batching, NULL,
          "Each version's batching_params.pbtxt says how; those without are not batched.", 0, 0 },
        { "enable_model_warmup", FLAG_BOOL, &options->warm_up, NULL,
          "Run the requests in a version's assets.extra before it serves, or one on zeros.", 0, 0 },
        { "num_request_iterations_for_warmup", FLAG_INT, &options->n_warm_up_iterations, "N",
          "How often each of these requests is run; 0 is once.", 0, 1 << 20 },
        { "rest_api_port", FLAG_INT, &options->rest_port, "PORT",
          "TCP port of REST, on all addresses; 0: no REST.", 0, 65535 },
        { "rest_api_num_threads", FLAG_INT, &options->n_rest_threads, "N",
          "Threads that compute for REST; 0 is one a processor.", 0, 1024 },
        { "rest_api_timeout_in_ms", FLAG_INT, &options->rest_timeout_ms, "MS",
          "Time that a REST request may take once it is there; 0 or less: any.", INT_MIN, INT_MAX },
        { "rest_api_max_body_bytes", FLAG_INT, &options->rest_max_body_bytes, "BYTES",
          "Bigger bodies of REST requests are refused with status 413.", 1, INT_MAX },
        { "rest_api_enable_cors_support", FLAG_BOOL, &options->rest_allow_pages, NULL,
          "REST replies may be read by any web page.", 0, 0 },
        { "num_load_threads", FLAG_INT, &options->n_load_threads, "N",
          "Threads that load versions; 0 is one.", 0, 1024 },
        { "max_num_load_retries", FLAG_INT, &options->max_load_retries, "N",
          "Further tries to load a version that failed.", 0, INT_MAX },
        { "load_retry_interval_micros", FLAG_INT, &options->load_retry_interval_micros, "MICROS",
          "Between two tries to load a version.", 0, MAX_SECONDS * 1e6 },
        { "startup_wait_seconds", FLAG_DOUBLE, &options->startup_wait_seconds, "SECONDS",
          "The port opens when the model is loaded, or after this time; 0 waits for ever.", 0,
          MAX_SECONDS },
        { "shutdown_lame_duck_seconds", FLAG_DOUBLE, &options->shutdown_lame_duck_seconds,
          "SECONDS", "Time after SIGTERM to go on serving, with health checks told otherwise.", 0,
          MAX_SECONDS },
        { "shutdown_grace_seconds", FLAG_DOUBLE, &options->shutdown_grace_seconds, "SECONDS",
          "Time that calls in flight get to finish after SIGTERM.", 0, MAX_SECONDS },
        { "log_level", FLAG_TEXT, &raw->log_level, "LEVEL", "debug, info, warning or error.", 0,
          0 },
        { "version", FLAG_BOOL, &raw->version, NULL, "Print the version and exit.", 0, 0 },
    };
    Flag flags[ARRAY_SIZE(own) + OPTIONS_N_IGNORED];
    memcpy(flags, own, sizeof(own));
    for (size_t i = 0; i < OPTIONS_N_IGNORED; i++)
        flags[ARRAY_SIZE(own) + i] =
            (Flag){ ignored[i].name,
                    ignored[i].is_boolean ? FLAG_IGNORED_BOOL : FLAG_IGNORED,
                    &options->ignored[i],
                    NULL,
                    "Accepted, without effect.",
                    0,
                    0 };
    TRY(flags_parse(flags, ARRAY_SIZE(flags), argc, argv, ret_help));
    if (*ret_help)
        flags_help(flags, ARRAY_SIZE(flags), usage, stdout);
    return NULL;
}

void options_warn(const Options *options)
{
    char names[1024] = "";
    size_t n = 0;
    for (size_t i = 0; i < OPTIONS_N_IGNORED; i++)
        if (options->ignored[i])
            n += (size_t)snprintf(names + n, sizeof(names) - n, " --%s", ignored[i].name);
    if (n > 0)
        log_warning("server", "these flags have no effect here:%s", names);
}

/* The comma list as an array; empty elements are not tags. */
static Error *split_tags(const char *text, Options *options)
{
    size_t max = 1;
    for (const char *c = text; *c != '\0'; c++)
        max += *c == ',';
    size_t bytes = strlen(text) + 1;
    char **tags = malloc(max * sizeof(char *) + bytes);
    if (tags == NULL)
        return error_out_of_memory();
    char *at = memcpy((char *)(tags + max), text, bytes);
    options->tags = tags;
    while (at != NULL) {
        char *comma = strchr(at, ',');
        if (comma != NULL)
            *comma++ = '\0';
        if (*at != '\0')
            tags[options->n_tags++] = at;
        at = comma;
    }
    return NULL;
}

static Error *make_absolute(const char *path, char **ret_path)
{
    if (path[0] == '/') {
        *ret_path = strdup(path);
        return *ret_path != NULL ? NULL : error_out_of_memory();
    }
    _cleanup_(freep) char *directory = get_current_dir_name();
    if (directory == NULL)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "--model_base_path=%s is relative and there is no current directory: "
                         "give an absolute path",
                         path);
    if (asprintf(ret_path, "%s/%s", directory, path) < 0) {
        *ret_path = NULL;
        return error_out_of_memory();
    }
    return NULL;
}

static Error *parse_level(const char *text, LogLevel *ret_level)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_level = (LogLevel)i;
            return NULL;
        }
    }
    return error_new(ERROR_INVALID_ARGUMENT,
                     "--log_level=%s: must be debug, info, warning or error", text);
}

static Error *check_models(const Options *options, const RawOptions *raw)
{
    if (raw->base_path[0] == '\0' && options->model_config_file[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Both --model_base_path and --model_config_file are empty: give the "
                         "directory whose numbered subdirectories are the model's versions, or a "
                         "file that lists the models");
    if (options->model_name[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT, "--model_name is empty");
    if (options->batching_file[0] != '\0' && !options->enable_batching)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "server_options.batching_parameters_file is set without setting "
                         "server_options.enable_batching to true.");
    return NULL;
}

static Error *check_listening(const Options *options, const RawOptions *raw)
{
    if (options->port == 0 && options->socket_path[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT,
                         "At least one of --port and --grpc_socket_path must be set");
    if (raw->use_alts)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "--use_alts_credentials: ALTS, which works between machines of Google's "
                         "cloud alone, is not supported; for TLS there is --ssl_config_file");
    return NULL;
}

static void fill_threads(Options *options, const RawOptions *raw)
{
    if (options->n_threads == 0)
        options->n_threads = workers_processors();
    if (options->n_rest_threads == 0)
        options->n_rest_threads = workers_processors();
    if (options->n_intra_op_threads == 0)
        options->n_intra_op_threads = raw->session_parallelism;
    if (options->n_intra_op_threads == 0)
        options->n_intra_op_threads = workers_processors();
}

Error *options_parse(int argc, char **argv, Options *ret_options, bool *ret_exit)
{
    *ret_options = (Options){
        .port = 8500,
        .socket_path = "",
        .channel_arguments = "",
        .ssl_config_file = "",
        .model_name = "default",
        .model_config_file = "",
        .poll_wait_seconds = 1,
        .max_calls_per_thread = 4096,
        .max_request_bytes = INT_MAX,
        .max_request_tensor_bytes = (int64_t)1 << 30,
        .rest_timeout_ms = 30000,
        .rest_max_body_bytes = (int64_t)256 << 20,
        .batching_file = "",
        .max_load_retries = 5,
        .load_retry_interval_micros = 60 * 1000 * 1000,
        .startup_wait_seconds = 600,
        .warm_up = true,
        .shutdown_grace_seconds = 30,
    };
    RawOptions raw = { .base_path = "", .tags = "serve", .log_level = "info" };
    bool help = false;
    TRY(parse_flags(argc, argv, ret_options, &raw, &help));
    if (raw.version)
        printf("digit-server %s\n", DIGIT_VERSION);
    *ret_exit = help || raw.version;
    if (*ret_exit)
        return NULL;
    TRY(check_models(ret_options, &raw));
    TRY(check_listening(ret_options, &raw));
    fill_threads(ret_options, &raw);
    TRY(parse_level(raw.log_level, &ret_options->log_level));
    TRY(split_tags(raw.tags, ret_options));
    return raw.base_path[0] == '\0' ? NULL
                                    : make_absolute(raw.base_path, &ret_options->model_base_path);
}

void options_done(Options *options)
{
    free(options->tags);
    free(options->model_base_path);
    options->tags = NULL;
    options->model_base_path = NULL;
}
