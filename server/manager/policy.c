/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules, as TensorFlow Serving has them (core/aspired_version_policy.h and its two children).
 */
#include "server/manager/policy.h"

static bool contains(const int64_t *numbers, size_t n, int64_t number)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

void policy_aspire(const VersionPolicy *policy, const int64_t *on_disk, size_t n, bool *ret_aspired)
{
    size_t n_latest = policy->n_latest == 0 ? 1 : policy->n_latest;
    for (size_t i = 0; i < n; i++) {
        switch (policy->choice) {
        case VERSIONS_LATEST:
            ret_aspired[i] = n - i <= n_latest;
            break;
        case VERSIONS_ALL:
            ret_aspired[i] = true;
            break;
        case VERSIONS_SPECIFIC:
            ret_aspired[i] = contains(policy->versions, policy->n_versions, on_disk[i]);
            break;
        }
    }
}

/* What the rules ask about a model's versions. */
typedef struct Summary {
    bool has_aspired;
    bool has_aspired_ready;
    bool is_loading;
    bool is_unloading;
    size_t n_unwanted_ready;
    const VersionSnapshot *lowest_unwanted_ready;
    const VersionSnapshot *highest_new; /* aspired */
} Summary;

static Summary summarize(const VersionSnapshot *versions, size_t n)
{
    Summary s = { 0 };
    for (size_t i = 0; i < n; i++) {
        const VersionSnapshot *v = &versions[i];
        s.is_loading |= v->state == SNAPSHOT_LOADING;
        s.is_unloading |= v->state == SNAPSHOT_UNLOADING;
        s.has_aspired |= v->is_aspired;
        s.has_aspired_ready |= v->is_aspired && v->state == SNAPSHOT_READY;
        if (!v->is_aspired && v->state == SNAPSHOT_READY) {
            s.n_unwanted_ready++;
            if (s.lowest_unwanted_ready == NULL || v->version < s.lowest_unwanted_ready->version)
                s.lowest_unwanted_ready = v;
        }
        if (v->is_aspired && v->state == SNAPSHOT_NEW &&
            (s.highest_new == NULL || v->version > s.highest_new->version))
            s.highest_new = v;
    }
    return s;
}

Action policy_next(TransitionRule rule, const VersionSnapshot *versions, size_t n)
{
    Summary s = summarize(versions, n);
    bool may_unload = s.n_unwanted_ready > 0;
    bool may_load = s.highest_new != NULL && !s.is_loading;
    switch (rule) {
    case TRANSITION_KEEP_AVAILABLE:
        /* The last unwanted version serves until a wanted one does. */
        may_unload &= !s.has_aspired || s.has_aspired_ready || s.n_unwanted_ready > 1;
        break;
    case TRANSITION_SAVE_RESOURCES:
        may_load &= s.n_unwanted_ready == 0 && !s.is_unloading;
        break;
    }
    if (may_unload)
        return (Action){ ACTION_UNLOAD, s.lowest_unwanted_ready->version };
    if (may_load)
        return (Action){ ACTION_LOAD, s.highest_new->version };
    return (Action){ .kind = ACTION_NONE };
}
