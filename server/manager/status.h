/* SPDX-License-Identifier: Apache-2.0
 *
 * StatusBoard: a copy of the states of all versions, which the loop writes and anyone reads under
 * one lock. Answers GetModelStatus and health while every other thread computes.
 */
#ifndef DIGIT_SERVER_MANAGER_STATUS_H
#define DIGIT_SERVER_MANAGER_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"
#include "server/manager/handle.h"

typedef struct StatusBoard StatusBoard;

/* A board for `n_models` models, none of which has a version. Copies the names. NULL when memory is
 * out. */
StatusBoard *board_new(const char *const *names, size_t n_models) _warn_unused_result_;

/* Takes NULL; returns NULL. */
StatusBoard *board_free(StatusBoard *board);

/* ---- the loop's thread writes -------------------------------------------------------------- */

/* Copies statuses[0..n), descending by version, as those of model number `i`. */
Error *board_set(StatusBoard *board, size_t i, const VersionStatus *statuses,
                 size_t n) _warn_unused_result_;

/* No service is SERVING any more. */
void board_drain(StatusBoard *board);

/* ---- any thread reads ---------------------------------------------------------------------- */

/* As manager_status and manager_health. */
Error *board_read(StatusBoard *board, Bytes name, const int64_t *version, Arena *arena,
                  VersionStatus **ret_statuses, size_t *ret_n) _warn_unused_result_;
HealthStatus board_health(StatusBoard *board, Bytes service);

#endif
