/* SPDX-License-Identifier: Apache-2.0
 *
 * Board: a copy of the states of all versions, which the loop writes and anyone reads under
 * one lock. Answers GetModelStatus and health while every other thread computes.
 *
 * A model that leaves the configuration is shown until its last version is gone, but counts for
 * health no more.
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

/* A board without models. NULL when memory is out. */
Board *board_new(void) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Board *board_free(Board *board);

/* ---- the loop's thread writes -------------------------------------------------------------- */

/* The configured models are names[0..n), which are copied, and no others; one that is new has no
 * version yet. Readers see all of it at once. */
Error *board_configure(Board *board, const char *const *names, size_t n) _warn_unused_result_;

/* The model is gone, if it was there. */
void board_remove(Board *board, const char *name);

/* Copies statuses[0..n), descending by version, as those of the model, if the board
 * has it. */
Error *board_set(Board *board, const char *name, const VersionStatus *statuses,
                 size_t n) _warn_unused_result_;

/* No service is SERVING any more. */
void board_drain(Board *board);

/* ---- any thread reads ---------------------------------------------------------------------- */

/* As manager_models, manager_status, manager_health and manager_services. */
Error *board_models(Board *board, Arena *arena, const char ***ret_names,
                    size_t *ret_n) _warn_unused_result_;
Error *board_read(Board *board, Bytes name, const int64_t *version, Arena *arena,
                  VersionStatus **ret_statuses, size_t *ret_n) _warn_unused_result_;
HealthStatus board_health(Board *board, Bytes service);
const char *const *board_services(size_t *ret_n);

#endif
