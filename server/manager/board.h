/* SPDX-License-Identifier: Apache-2.0
 *
 * Board: a copy of the states of all versions, which the loop writes and anyone reads under
 * one lock. Answers GetModelStatus and health while every other thread computes.
 */
#ifndef DIGIT_SERVER_MANAGER_BOARD_H
#define DIGIT_SERVER_MANAGER_BOARD_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"
#include "server/manager/handle.h"

typedef struct Board Board;

/* A board for `n_models` models, none of which has a version. Copies the names. NULL when memory is
 * out. */
Board *board_new(const char *const *names, size_t n_models) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Board *board_free(Board *board);

/* ---- the loop's thread writes -------------------------------------------------------------- */

/* Copies statuses[0..n), descending by version, as those of model number `i`. */
Error *board_set(Board *board, size_t i, const VersionStatus *statuses,
                 size_t n) _warn_unused_result_;

/* No service is SERVING any more. */
void board_drain(Board *board);

/* ---- any thread reads ---------------------------------------------------------------------- */

/* As manager_status and manager_health. */
Error *board_read(Board *board, Bytes name, const int64_t *version, Arena *arena,
                  VersionStatus **ret_statuses, size_t *ret_n) _warn_unused_result_;
HealthStatus board_health(Board *board, Bytes service);

#endif
