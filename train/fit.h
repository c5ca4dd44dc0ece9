/* SPDX-License-Identifier: Apache-2.0
 *
 * Fit: the training loop: batches in a fresh order each epoch, gradients, Adam with a rate that
 * falls along a half cosine to zero, checkpoints, and a progress line on standard error.
 */
#ifndef DIGIT_TRAIN_FIT_H
#define DIGIT_TRAIN_FIT_H

#include "train/dataset.h"
#include "train/net.h"

typedef struct FitOptions {
    long steps;           /* in all, those before a resume included; 0: as many as `epochs` give */
    long epochs;          /* passes over the training set */
    int batch_size;       /* at most the net's */
    double learning_rate; /* of the first step */
    bool augment;
    uint64_t seed;         /* of orders and warps */
    const char *model_dir; /* checkpoints; NULL for none */
    Workers *workers;      /* borrowed; NULL: one thread */
    /* Asked after each step, with the number of steps done; NULL: never stop before the end. */
    bool (*should_stop)(long step);
} FitOptions;

/* Trains `net` on `dataset`, from the newest checkpoint of model_dir on if it has one. CANCELLED
 * when should_stop said so; the checkpoint is of that step then. INVALID_ARGUMENT when the set is
 * smaller than a batch; ABORTED when the loss is no number any more; else as training_state_save
 * and training_state_restore. */
Error *fit_train(Net *net, const Dataset *dataset, const FitOptions *options) _warn_unused_result_;

/* The learning rate of `step` of a run of `steps`. */
double fit_rate(double learning_rate, long step, long steps);

typedef struct FitScore {
    size_t n, n_right;
    double loss; /* mean cross-entropy */
} FitScore;

/* Runs inference over the whole of `dataset`. RESOURCE_EXHAUSTED when memory is out. */
Error *fit_evaluate(Net *net, const Dataset *dataset, Workers *workers,
                    FitScore *ret_score) _warn_unused_result_;

#endif
