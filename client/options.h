/* SPDX-License-Identifier: Apache-2.0
 *
 * Options: what the user asks of digit-client.
 */
#ifndef DIGIT_CLIENT_OPTIONS_H
#define DIGIT_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/error.h"
#include "model/base/flags.h"

typedef struct Options {
    FlagList images; /* owned */
    const char *host;
    int64_t port;
    const char *model;
    const char *signature;
    double timeout; /* seconds, for the call in all */
    bool is_verbose;
    bool is_json;
    bool is_version; /* only the version is asked for */
    bool is_help;    /* only the help */
} Options;

/* Reads the command line; texts are borrowed from argv. INVALID_ARGUMENT says what is wrong. */
Error *options_parse(int argc, char **argv, Options *ret_options) _warn_unused_result_;

void options_help(FILE *out);

void options_done(Options *options);

#endif
