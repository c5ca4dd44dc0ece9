/* SPDX-License-Identifier: Apache-2.0
 *
 * Options: the flag table of digit-inspect.
 */
#include "inspect/options.h"

#include <string.h>

static const Options defaults = {
    .signature = "", .tag = "serve", .shape = "", .batch = 1, .repeat = 20, .threads = 1, .seed = 1
};

#define N_FLAGS 12

static void fill_flags(Flag flags[N_FLAGS], Options *o)
{
    const Flag rows[N_FLAGS] = {
        { "bundle", FLAG_FILES, &o->bundles, "DIR",
          "A version's directory, or one with numbered versions: then the highest.", 0, 0 },
        { "signature", FLAG_TEXT, &o->signature, "NAME",
          "The one to plan and run; serving_default, or the first, when not given.", 0, 0 },
        { "saved_model_tag", FLAG_TEXT, &o->tag, "TAG", "Tag of the graph to read.", 0, 0 },
        { "plan", FLAG_BOOL, &o->is_plan, NULL,
          "Print the signature's steps as they were written and as they run.", 0, 0 },
        { "run", FLAG_BOOL, &o->is_run, NULL,
          "Run the signature on random input and print the time of each step.", 0, 0 },
        { "batch", FLAG_INT, &o->batch, "N", "First dimension of inputs that leave it open.", 1,
          1 << 20 },
        { "shape", FLAG_TEXT, &o->shape, "NAME=D,D;...",
          "Shapes of inputs whose other dimensions are open: image=1,28,28,1", 0, 0 },
        { "repeat", FLAG_INT, &o->repeat, "N", "Runs that are timed.", 1, 1 << 20 },
        { "threads", FLAG_INT, &o->threads, "N", "Threads that work on a run.", 1, 1024 },
        { "seed", FLAG_INT, &o->seed, "N", "Of the random input.", 0, 0 },
        { "json", FLAG_BOOL, &o->is_json, NULL, "Print one JSON object.", 0, 0 },
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
    if (error == NULL && options.bundles.n != 1 && !options.is_help && !options.is_version)
        error = error_new(ERROR_INVALID_ARGUMENT,
                          "%zu bundles are given, one is wanted: digit-inspect DIR; --help lists "
                          "the flags",
                          options.bundles.n);
    if (error != NULL) {
        flag_list_done(&options.bundles);
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
               "usage: digit-inspect DIR [--plan] [--run]\n"
               "Shows what a SavedModel takes and gives, what it is made of, and what Digit makes "
               "of it.",
               out);
}

void options_done(Options *options)
{
    flag_list_done(&options->bundles);
}
