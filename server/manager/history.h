/* SPDX-License-Identifier: Apache-2.0
 *
 * History: how the last versions of a model ended. Bounded: the longest ended is forgotten first.
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_HISTORY_H
#define DIGIT_SERVER_MANAGER_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"

#define HISTORY_MAX 16

typedef struct Ended {
    int64_t number;
    Error *error; /* owned; NULL: it was unloaded */
} Ended;

typedef struct History {
    Ended ended[HISTORY_MAX]; /* oldest first, each number once; [0..n) */
    size_t n;
} History;

/* Takes `error`. An earlier end of the same number is replaced. */
void history_add(History *history, int64_t number, Error *error);

/* Forgets `number`: it lives again. */
void history_remove(History *history, int64_t number);

/* Frees what it holds; it is empty then. */
void history_done(History *history);

#endif
