/* SPDX-License-Identifier: Apache-2.0
 *
 * TrainingState: all that a run needs to go on where it stopped: weights, moving statistics, Adam's
 * moments, the step. On disk it is a TensorFlow checkpoint that tf.train.load_checkpoint reads:
 *
 *   MODEL_DIR/checkpoint                                 text, names the newest
 *   MODEL_DIR/model.ckpt-STEP.index, .data-00000-of-00001
 *     conv2d/kernel, conv2d/kernel/Adam (m), conv2d/kernel/Adam_1 (v), ..., global_step (int64)
 *
 * Orders, warps and dropout are functions of seed and step, so a resumed run gives the same bits as
 * one that never stopped.
 */
#ifndef DIGIT_TRAIN_TRAINING_STATE_H
#define DIGIT_TRAIN_TRAINING_STATE_H

#include "train/parameters.h"

typedef struct TrainingState {
    Parameters *parameters; /* borrowed */
    float *m, *v;           /* [parameters->n_trainable] in the caller's arena */
    long step;              /* steps done */
} TrainingState;

/* A state at step 0 with zero moments in `arena`. RESOURCE_EXHAUSTED when memory is out. */
Error *training_state_init(TrainingState *state, Parameters *parameters,
                           Arena *arena) _warn_unused_result_;

/* Writes the checkpoint, makes it the newest, and removes the one that was. Makes the directory. */
Error *training_state_save(const TrainingState *state, const char *model_dir) _warn_unused_result_;

/* Reads the newest checkpoint, if there is one (`state` is unchanged if not: step 0).
 * FAILED_PRECONDITION when it is of a network of another shape; else as checkpoint_open. */
Error *training_state_restore(TrainingState *state, const char *model_dir) _warn_unused_result_;

#endif
