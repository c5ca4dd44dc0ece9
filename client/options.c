/* SPDX-License-Identifier: Apache-2.0
 *
 * Options: the flag table of digit-client. Names and defaults of the first five are the tutorial's.
 */
#include "client/options.h"

#include <string.h>

static const Options defaults = {
    .host = "127.0.0.1",
    .port = 8500,
    .model = "digits",
    .signature = "predict",
    .timeout = 10,
};

#define N_FLAGS 9

static void fill_flags(Flag flags[N_FLAGS], Options *o)
{
    const Flag rows[N_FLAGS] = {
        { "image", FLAG_FILES, &o->images, NULL, "PNG files that show a digit each.", 0, 0 },
        { "host", FLAG_TEXT, &o->host, "HOST", "Host name or address of the server.", 0, 0 },
        { "port", FLAG_INT, &o->port, "PORT", "Its gRPC port.", 1, 65535 },
        { "model", FLAG_TEXT, &o->model, "NAME", "Name of the model.", 0, 0 },
        { "signature_name", FLAG_TEXT, &o->signature, "NAME", "Name of the model's signature.", 0,
          0 },
        { "timeout", FLAG_DOUBLE, &o->timeout, "SECONDS", "Give up after this time.", 0.001,
          86400 },
        { "verbose", FLAG_BOOL, &o->is_verbose, NULL, "Print the probability of each digit.", 0,
          0 },
        { "json", FLAG_BOOL, &o->is_json, NULL, "Print one JSON object a line.", 0, 0 },
        { "version", FLAG_BOOL, &o->is_version, NULL, "Print the version and exit.", 0, 0 },
    };
    memcpy(flags, rows, sizeof(rows));
}

Error *options_parse(int argc, char **argv, Options *ret_options)
{
    Options options = defaults;
    Flag flags[N_FLAGS];
    fill_flags(flags, &options);
    Error *error = flags_parse(flags, N_FLAGS, argc, argv, &options.is_help);
    if (error == NULL && options.images.n == 0 && !options.is_help && !options.is_version)
        error =
            error_new(ERROR_INVALID_ARGUMENT,
                      "no image is given: digit-client --image FILE...; --help lists all flags");
    if (error != NULL) {
        flag_list_done(&options.images);
        return error;
    }
    *ret_options = options;
    return NULL;
}

void options_help(FILE *out)
{
    Options options = defaults;
    Flag flags[N_FLAGS];
    fill_flags(flags, &options);
    flags_help(flags, N_FLAGS,
               "usage: digit-client --image FILE...\n"
               "Asks a digit-server, or TensorFlow Serving, which digit each PNG shows.",
               out);
}

void options_done(Options *options)
{
    flag_list_done(&options->images);
}
