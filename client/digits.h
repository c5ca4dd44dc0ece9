/* SPDX-License-Identifier: Apache-2.0
 *
 * Digits: asks a server what pictures show, in one Predict call, and reads its reply.
 */
#ifndef DIGIT_CLIENT_DIGITS_H
#define DIGIT_CLIENT_DIGITS_H

#include "client/channel.h"

/* Whom to ask. Texts are borrowed. */
typedef struct Question {
    const char *model;
    const char *signature;
    double timeout_seconds;
} Question;

typedef struct Digits {
    size_t n;
    const int64_t *digits; /* [n] */
    size_t n_classes;
    const float *probabilities; /* [n,n_classes]; NULL when the signature gives none */
} Digits;

/* Sends `pixels` [n,28,28,1] as the input "image" and takes the outputs "classes" and
 * "probabilities", of which one is enough. What is given lies in `arena`. Errors are the channel's
 * and the server's; where the signature does not fit they say what it takes and gives. */
Error *digits_ask(Channel *channel, const Question *question, const float *pixels, size_t n,
                  Arena *arena, Digits *ret_digits) _warn_unused_result_;

/* Reads the bytes of a PredictResponse for `n` pictures. Borrows from `reply`. INVALID_ARGUMENT
 * when they are none, or hold no fitting outputs. */
Error *digits_read(Bytes reply, size_t n, Arena *arena, Digits *ret_digits) _warn_unused_result_;

#endif
