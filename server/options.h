/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of digit-server: TensorFlow Serving's flags and a few of our own.
 */
#ifndef DIGIT_SERVER_OPTIONS_H
#define DIGIT_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "model/base/log.h"
#include "server/service/worker.h"

/* TensorFlow Serving's flags that make no sense here: accelerators, its session, its file cache. */
#define OPTIONS_N_IGNORED 17

typedef struct Options {
    int64_t port;            /* 0: the socket alone */
    const char *socket_path; /* "": none. This and the two below are borrowed from argv */
    const char *channel_arguments;
    const char *ssl_config_file;   /* "": no TLS */
    const char *model_name;        /* borrowed from argv */
    char *model_base_path;         /* absolute; owned; NULL with a model_config_file */
    const char *model_config_file; /* borrowed from argv; "": the one model of the two above */
    double config_poll_wait_seconds;
    bool allow_labels_for_unavailable;
    double poll_wait_seconds;
    char **tags; /* [n_tags] owned, one block with their texts */
    size_t n_tags;
    int64_t n_threads;
    int64_t n_intra_op_threads; /* that may work on one request */
    int64_t max_calls_per_thread;
    int64_t max_request_bytes;
    int64_t max_request_tensor_bytes;
    ServiceOptions services;
    int64_t rest_port; /* 0: no REST */
    int64_t n_rest_threads;
    int64_t rest_timeout_ms;
    int64_t rest_max_body_bytes;
    bool rest_allow_pages;
    bool enable_batching;
    const char *batching_file; /* borrowed from argv; "": none */
    bool per_model_batching;
    bool warm_up;
    int64_t n_warm_up_iterations;
    int64_t n_load_threads;
    int64_t max_load_retries;
    int64_t load_retry_interval_micros;
    double startup_wait_seconds;
    double shutdown_lame_duck_seconds;
    double shutdown_grace_seconds;
    LogLevel log_level;
    bool ignored[OPTIONS_N_IGNORED]; /* which of the flags without effect were given */
} Options;

/* Parses the command line into `*ret_options`, to be given to options_done also after an error.
 * INVALID_ARGUMENT names the flag and what would be right. With --help or --version, which it
 * prints, `*ret_exit` becomes true: there is nothing to serve. */
Error *options_parse(int argc, char **argv, Options *ret_options,
                     bool *ret_exit) _warn_unused_result_;

/* One warning in the log that names the flags that were given and have no effect here; none when
 * there are none. */
void options_warn(const Options *options);

/* Frees what the options own. */
void options_done(Options *options);

#endif
