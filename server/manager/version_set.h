/* SPDX-License-Identifier: Apache-2.0
 *
 * VersionSet: the versions of one model that have not ended for good.
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_VERSION_SET_H
#define DIGIT_SERVER_MANAGER_VERSION_SET_H

#include <stddef.h>
#include <stdint.h>

#include "server/manager/policy.h"
#include "server/manager/version.h"

typedef struct VersionSet {
    Version **items; /* [0..n), owned, in no order, each number once */
    size_t n;

    /* private */
    size_t room;
    VersionSnapshot *snapshots; /* [room] */
} VersionSet;

/* Takes `version`, also on failure: RESOURCE_EXHAUSTED when memory is out. */
Error *version_set_add(VersionSet *set, Version *version) _warn_unused_result_;

/* Takes the i-th item out and gives it to the caller; another one takes its place. */
Version *version_set_take(VersionSet *set, size_t i);

/* NULL when there is none. */
Version *version_set_find(const VersionSet *set, int64_t number);
const Version *version_set_find_highest_available(const VersionSet *set);

/* The versions as the policy sees them; lent until the next call. */
const VersionSnapshot *version_set_snapshots(VersionSet *set);

/* Frees the memory of the set, which has no versions any more. */
void version_set_done(VersionSet *set);

#endif
