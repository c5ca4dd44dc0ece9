/* SPDX-License-Identifier: Apache-2.0
 *
 * Roster: the published table of serving versions, replaced by one pointer swap.
 *
 * Readers never wait. How a replaced snapshot is known to be out of use:
 *
 *     reader                                     writer (loop's thread)
 *     mark = epoch                               snapshot = new one
 *     s = snapshot; find; count version up       epoch = epoch + 1, which is the old one's end
 *     mark = 0                                   free the old one when every mark is 0 or >= its
 * end
 *
 * All but the last step are sequentially consistent. A reader whose mark the writer sees as 0 has
 * not read the snapshot yet, and will read the new one; a reader whose mark is not below the end
 * has read the epoch after the swap, so the new snapshot too; only a lower mark may still use the
 * old one. This is the scheme of K. Fraser, "Practical lock-freedom" (2004), 5.2.3, for one writer.
 */
#ifndef DIGIT_SERVER_MANAGER_ROSTER_H
#define DIGIT_SERVER_MANAGER_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/error.h"
#include "server/manager/handle.h"
#include "server/manager/version.h"

typedef struct Roster Roster;

/* An empty roster. NULL when memory is out. */
Roster *roster_new(void) _warn_unused_result_;

/* Frees the readers too; nobody may read any more. Takes NULL; returns NULL. */
Roster *roster_free(Roster *roster);

/* ---- readers' side ------------------------------------------------------------------------- */

/* A reader for the calling thread, owned by the roster. NULL when memory is out. Any thread. */
Reader *roster_reader_new(Roster *roster) _warn_unused_result_;

/* The version `*number` of `model`, or its highest one when `number` is NULL, with a reference
 * taken as one step with the look-up; NULL when there is none. The reader's thread. */
Version *roster_find(Reader *reader, Bytes model, const int64_t *number);

/* What `label` of `model` stands for: gives its number and, with a reference, the version of that
 * number, NULL when there is none. False when the model has no such label. The reader's thread. */
bool roster_find_labelled(Reader *reader, Bytes model, Bytes label, int64_t *ret_number,
                          Version **ret_version);

/* ---- writer's side: the loop's thread ------------------------------------------------------ */

typedef struct RosterLabel {
    const char *model, *label; /* copied */
    int64_t number;
} RosterLabel;

/* Replaces what readers see by versions[0..n), which the roster borrows, and labels[0..n_labels);
 * each version must stay until the epoch in which it was left out is over. Gives the epoch in which
 * the replaced snapshot ends. No versions and no labels need no memory and do not fail. */
Error *roster_publish(Roster *roster, Version *const *versions, size_t n, const RosterLabel *labels,
                      size_t n_labels, uint64_t *ret_epoch) _warn_unused_result_;

/* Frees the replaced snapshots that no reader can see. Returns the latest epoch whose snapshot, and
 * all before it, are out of use. */
uint64_t roster_reclaim(Roster *roster);

/* True while replaced snapshots wait for readers. */
bool roster_is_waiting(const Roster *roster);

#endif
