/* SPDX-License-Identifier: Apache-2.0
 *
 * An array that is searched from end to end: a model has a handful of versions.
 */
#include "server/manager/version_set.h"

#include <assert.h>
#include <stdlib.h>

static Error *make_room(VersionSet *set)
{
    if (set->n < set->room)
        return NULL;
    size_t room = set->room == 0 ? 8 : set->room * 2;
    Version **items = reallocarray(set->items, room, sizeof(*items));
    if (items == NULL)
        return error_out_of_memory();
    set->items = items;
    VersionSnapshot *snapshots = reallocarray(set->snapshots, room, sizeof(*snapshots));
    if (snapshots == NULL)
        return error_out_of_memory();
    set->snapshots = snapshots;
    set->room = room;
    return NULL;
}

Error *version_set_add(VersionSet *set, Version *version)
{
    assert(version_set_find(set, version->number) == NULL);
    Error *error = make_room(set);
    if (error != NULL) {
        version_free(version);
        return error;
    }
    set->items[set->n++] = version;
    return NULL;
}

Version *version_set_take(VersionSet *set, size_t i)
{
    Version *version = set->items[i];
    set->items[i] = set->items[--set->n];
    return version;
}

Version *version_set_find(const VersionSet *set, int64_t number)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->items[i]->number == number)
            return set->items[i];
    return NULL;
}

const Version *version_set_find_highest_available(const VersionSet *set)
{
    const Version *highest = NULL;
    for (size_t i = 0; i < set->n; i++) {
        const Version *version = set->items[i];
        if (version->state == VERSION_AVAILABLE &&
            (highest == NULL || version->number > highest->number))
            highest = version;
    }
    return highest;
}

static SnapshotState snapshot_state(const Version *version)
{
    switch (version->state) {
    case VERSION_START:
        return SNAPSHOT_NEW;
    case VERSION_LOADING:
        return SNAPSHOT_LOADING;
    case VERSION_AVAILABLE:
        return SNAPSHOT_READY;
    case VERSION_UNLOADING:
        return SNAPSHOT_UNLOADING;
    default:
        return SNAPSHOT_FAILED;
    }
}

const VersionSnapshot *version_set_snapshots(VersionSet *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const Version *version = set->items[i];
        set->snapshots[i] = (VersionSnapshot){ .version = version->number,
                                               .state = snapshot_state(version),
                                               .is_aspired = version->is_aspired };
    }
    return set->snapshots;
}

void version_set_done(VersionSet *set)
{
    assert(set->n == 0);
    free(set->items);
    free(set->snapshots);
    *set = (VersionSet){ 0 };
}
