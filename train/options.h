/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of digit-train.
 */
#ifndef DIGIT_TRAIN_OPTIONS_H
#define DIGIT_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/error.h"

/* Texts are borrowed from argv. */
typedef struct Options {
    const char *data_dir;
    const char *model_dir;  /* NULL: no checkpoints */
    const char *export_dir; /* NULL: no export */
    int64_t version;        /* of the export; 0: the time in seconds */
    int64_t hidden_layers;
    int64_t dense_units;
    double learning_rate;
    int64_t steps; /* 0: as `epochs` says */
    int64_t epochs;
    int64_t batch_size;
    int64_t seed;
    int64_t threads;
    bool augment;
} Options;

/* Parses and checks argv; prints the help and sets `*ret_help` when it is asked for.
 * INVALID_ARGUMENT names the flag and what would be right. */
Error *options_parse(int argc, char **argv, Options *ret_options,
                     bool *ret_help) _warn_unused_result_;

#endif
