/* SPDX-License-Identifier: Apache-2.0
 *
 * Policy: which versions should serve, and which step leads there. Pure functions of snapshots: no
 * state, no clock, no thread.
 */
#ifndef DIGIT_SERVER_MANAGER_POLICY_H
#define DIGIT_SERVER_MANAGER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- which versions: tensorflow.serving's ServableVersionPolicy ---------------------------- */

typedef enum VersionChoice {
    VERSIONS_LATEST, /* the `n_latest` highest; the zero value of a VersionPolicy is latest 1 */
    VERSIONS_ALL,
    VERSIONS_SPECIFIC, /* those of `versions` that exist */
} VersionChoice;

typedef struct VersionPolicy {
    VersionChoice choice;
    uint32_t n_latest;       /* 0 counts as 1 */
    const int64_t *versions; /* borrowed; any order */
    size_t n_versions;
} VersionPolicy;

/* Sets ret_aspired[i] for each of the versions on_disk[0..n), which are in ascending order and each
 * there once: true when it should serve. */
void policy_aspire(const VersionPolicy *policy, const int64_t *on_disk, size_t n,
                   bool *ret_aspired);

/* ---- which step ---------------------------------------------------------------------------- */

typedef enum TransitionRule {
    TRANSITION_KEEP_AVAILABLE, /* load the new version, then unload the old one */
    TRANSITION_SAVE_RESOURCES, /* unload the old version, wait until it is gone, then load */
} TransitionRule;

/* A version as the rule sees it. */
typedef enum SnapshotState {
    SNAPSHOT_NEW, /* not loaded, may be loaded */
    SNAPSHOT_LOADING,
    SNAPSHOT_READY,
    SNAPSHOT_UNLOADING,
    SNAPSHOT_FAILED, /* would not load, and is not to be tried (now) */
} SnapshotState;

typedef struct VersionSnapshot {
    int64_t version;
    SnapshotState state;
    bool is_aspired;
} VersionSnapshot;

typedef enum ActionKind { ACTION_NONE, ACTION_LOAD, ACTION_UNLOAD } ActionKind;

typedef struct Action {
    ActionKind kind;
    int64_t version;
} Action;

/* The next step for one model whose versions are versions[0..n) in any order. At most one version
 * loads at a time: while one does, no other load is asked for. The caller takes the step, which
 * changes a state, and asks again until there is ACTION_NONE. The rules are TensorFlow Serving's
 * AvailabilityPreservingPolicy and ResourcePreservingPolicy. */
Action policy_next(TransitionRule rule, const VersionSnapshot *versions, size_t n);

#endif
