/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of digit-inspect.
 */
#ifndef DIGIT_INSPECT_OPTIONS_H
#define DIGIT_INSPECT_OPTIONS_H

#include "model/base/flags.h"

typedef struct Options {
    FlagList bundles;      /* exactly one: what is not a flag */
    const char *signature; /* "": serving_default, or the first one */
    const char *tag;
    const char *shape; /* "NAME=D,D;NAME=D" */
    int64_t batch;
    int64_t repeat;
    int64_t threads;
    int64_t seed;
    bool is_plan, is_run, is_json;
    bool is_help, is_version;
} Options;

/* Parses argv; options_done is needed after success only. INVALID_ARGUMENT names the flag. */
Error *options_parse(int argc, char **argv, Options *ret_options) _warn_unused_result_;
void options_help(FILE *out);
void options_done(Options *options);

#endif
