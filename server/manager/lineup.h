/* SPDX-License-Identifier: Apache-2.0
 *
 * Lineup: the servables there are: one for each configured model, and those on their way out.
 *
 *     removed from the configuration -> leaves at once
 *     another base path              -> its successor loads; leaves when that one serves
 *     leaving and empty              -> freed by lineup_sweep
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_LINEUP_H
#define DIGIT_SERVER_MANAGER_LINEUP_H

#include "server/manager/roster.h"
#include "server/manager/servable.h"

typedef struct Lineup Lineup;

/* An empty lineup; borrows `host`. NULL when memory is out. */
Lineup *lineup_new(const ServableHost *host) _warn_unused_result_;

/* Of servables that are empty or never started. Takes NULL; returns NULL. */
Lineup *lineup_free(Lineup *lineup);

/* Replaces the configuration by models[0..n), all of it or, on failure, nothing. Models that are
 * configured already go on serving. INVALID_ARGUMENT as model_configs_check and model_config_copy;
 * FAILED_PRECONDITION `Request to assign label to version V of model M, which is not currently
 * available for inference` for a label of a model that is configured already which is new or moved,
 * unless ManagerOptions.allow_labels_for_unavailable. */
Error *lineup_configure(Lineup *lineup, const ModelConfig *models, size_t n) _warn_unused_result_;

/* From now on servables that lineup_configure adds are started, and those there are now. */
void lineup_start(Lineup *lineup);

/* What `servable` has become makes those that it replaces leave. */
void lineup_note_change(Lineup *lineup, const Servable *servable);

/* Frees servables that have left; `gone(data, name)` is called for a model of which nothing is left.
 * True when some have not left yet. */
bool lineup_sweep(Lineup *lineup, void (*gone)(void *data, const char *name), void *data);

/* All servables load no more; all versions unload; nothing is left. See servable.h. */
void lineup_drain(Lineup *lineup);
void lineup_unload(Lineup *lineup);
bool lineup_is_empty(const Lineup *lineup);

/* ---- looking ------------------------------------------------------------------------------- */

/* The servables of the configured models are lineup_at(lineup, 0 .. lineup_size - 1). */
size_t lineup_size(const Lineup *lineup);
Servable *lineup_at(const Lineup *lineup, size_t i);

/* The servable of the configured model `name`; NULL when there is none. */
Servable *lineup_find(const Lineup *lineup, const char *name);

/* The versions and labels that readers are to see: as roster_publish takes them, in `arena`. Of a
 * model that moves, those of the old base path until the new one serves. */
Error *lineup_collect(Lineup *lineup, Arena *arena, Version ***ret_versions, size_t *ret_n,
                      RosterLabel **ret_labels, size_t *ret_n_labels) _warn_unused_result_;

/* Of the model `name` with all that is left of it, descending, each number once; in `arena`, texts
 * lent until the next change. */
Error *lineup_statuses(const Lineup *lineup, const char *name, Arena *arena,
                       VersionStatus **ret_statuses, size_t *ret_n) _warn_unused_result_;

/* The versions that no reader can find any more since epoch `over` may go. */
void lineup_reclaim(Lineup *lineup, uint64_t over);

#endif
