/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of servables: configured ones first, in the order of the configuration, those on their
 * way out behind them. A new configuration makes a new list from the old one; everything that can
 * fail is done before anything changes.
 */
#include "server/manager/lineup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct Member {
    Servable *servable;
    Servable *successor; /* leaves when this one serves; NULL: it is configured, or leaving */
    Settings *settings;  /* while a configuration is made: to be put into effect; else NULL */
} Member;

struct Lineup {
    const ServableHost *host;
    Member *members;
    size_t n_configured; /* the first of them */
    size_t n;
    bool is_started;
};

Lineup *lineup_new(const ServableHost *host)
{
    Lineup *lineup = calloc(1, sizeof(*lineup));
    if (lineup != NULL)
        lineup->host = host;
    return lineup;
}

Lineup *lineup_free(Lineup *lineup)
{
    if (lineup == NULL)
        return NULL;
    for (size_t i = 0; i < lineup->n; i++)
        servable_free(lineup->members[i].servable);
    free(lineup->members);
    free(lineup);
    return NULL;
}

static const ModelConfig *config_of(const Servable *servable)
{
    return &servable_settings(servable)->config;
}

/* ---- looking ------------------------------------------------------------------------------- */

size_t lineup_size(const Lineup *lineup)
{
    return lineup->n_configured;
}

Servable *lineup_at(const Lineup *lineup, size_t i)
{
    assert(i < lineup->n_configured);
    return lineup->members[i].servable;
}

Servable *lineup_find(const Lineup *lineup, const char *name)
{
    for (size_t i = 0; i < lineup->n_configured; i++)
        if (strcmp(config_of(lineup->members[i].servable)->name, name) == 0)
            return lineup->members[i].servable;
    return NULL;
}

/* Its AVAILABLE versions are for readers. */
static bool is_visible(const Member *member)
{
    return member->successor == NULL || !servable_is_serving(member->successor);
}

Error *lineup_collect(Lineup *lineup, Arena *arena, Version ***ret_versions, size_t *ret_n,
                      RosterLabel **ret_labels, size_t *ret_n_labels)
{
    size_t n = 0, n_labels = 0, room, room_labels = 0, room_versions = 0;
    for (size_t i = 0; i < lineup->n; i++) {
        servable_versions(lineup->members[i].servable, &room);
        room_versions += room;
        room_labels += config_of(lineup->members[i].servable)->n_labels;
    }
    Version **versions = arena_calloc(arena, room_versions, sizeof(*versions));
    RosterLabel *labels = arena_calloc(arena, room_labels, sizeof(*labels));
    if (versions == NULL || labels == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < lineup->n; i++) {
        Servable *servable = lineup->members[i].servable;
        if (!is_visible(&lineup->members[i]))
            continue;
        Version *const *items = servable_versions(servable, &room);
        for (size_t k = 0; k < room; k++)
            if (items[k]->state == VERSION_AVAILABLE)
                versions[n++] = items[k];
        /* The labels of a model that moves are its new configuration's. */
        const LabelSet *set = servable_labels(servable);
        for (size_t k = 0; k < set->n && i < lineup->n_configured; k++)
            labels[n_labels++] = (RosterLabel){ config_of(servable)->name, set->labels[k].name,
                                                set->labels[k].number };
    }
    *ret_versions = versions;
    *ret_n = n;
    *ret_labels = labels;
    *ret_n_labels = n_labels;
    return NULL;
}

static int compare_descending(const void *a, const void *b)
{
    const VersionStatus *x = a, *y = b;
    if (x->version != y->version)
        return x->version > y->version ? -1 : 1;
    return (y->state == VERSION_AVAILABLE) - (x->state == VERSION_AVAILABLE);
}

Error *lineup_statuses(const Lineup *lineup, const char *name, Arena *arena,
                       VersionStatus **ret_statuses, size_t *ret_n)
{
    VersionStatus *all = NULL;
    size_t n = 0;
    for (size_t i = 0; i < lineup->n; i++) {
        const Servable *servable = lineup->members[i].servable;
        if (strcmp(config_of(servable)->name, name) != 0)
            continue;
        VersionStatus *statuses;
        size_t more;
        TRY(servable_statuses(servable, arena, &statuses, &more));
        VersionStatus *joined = arena_calloc(arena, n + more, sizeof(*joined));
        if (joined == NULL)
            return error_out_of_memory();
        if (n > 0)
            memcpy(joined, all, n * sizeof(*joined));
        if (more > 0)
            memcpy(joined + n, statuses, more * sizeof(*joined));
        all = joined;
        n += more;
    }
    /* Of a number that two of them have, the one that serves counts. */
    if (n > 1)
        qsort(all, n, sizeof(*all), compare_descending);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || all[kept - 1].version != all[i].version)
            all[kept++] = all[i];
    *ret_statuses = all;
    *ret_n = kept;
    return NULL;
}

void lineup_reclaim(Lineup *lineup, uint64_t over)
{
    for (size_t i = 0; i < lineup->n; i++)
        servable_reclaim(lineup->members[i].servable, over);
}

/* ---- a new configuration ------------------------------------------------------------------- */

static bool is_available(const Servable *servable, int64_t number)
{
    size_t n;
    Version *const *versions = servable_versions(servable, &n);
    for (size_t i = 0; i < n; i++)
        if (versions[i]->number == number)
            return versions[i]->state == VERSION_AVAILABLE;
    return false;
}

static Error *check_labels(const Servable *servable, const ModelConfig *config)
{
    for (size_t i = 0; i < config->n_labels; i++) {
        const VersionLabel *label = &config->labels[i];
        const VersionLabel *old = model_config_find_label(config_of(servable), label->name);
        bool is_unchanged = old != NULL && old->version == label->version;
        if (!is_unchanged && !is_available(servable, label->version))
            return error_new(ERROR_FAILED_PRECONDITION,
                             "Request to assign label to version %" PRId64
                             " of model %s, which is not currently available for inference",
                             label->version, config->name);
    }
    return NULL;
}

/* The member for one model: the servable there is, with new settings, or a fresh one. */
static Error *make_member(const Lineup *lineup, const ModelConfig *config, Member *member)
{
    Servable *servable = config->name != NULL ? lineup_find(lineup, config->name) : NULL;
    bool is_there = servable != NULL && config->base_path != NULL &&
                    strcmp(config_of(servable)->base_path, config->base_path) == 0;
    if (!is_there)
        return servable_new(lineup->host, config, &member->servable);
    if (!lineup->host->options->allow_labels_for_unavailable)
        TRY(check_labels(servable, config));
    TRY(settings_new(config, servable_settings(servable), &member->settings));
    member->servable = servable;
    return NULL;
}

/* True for a servable that the list had before. */
static bool is_kept(const Member *member)
{
    return member->settings != NULL;
}

static void free_members(Member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_kept(&members[i]))
            servable_free(members[i].servable);
        settings_free(members[i].settings);
    }
    free(members);
}

static Error *make_members(const Lineup *lineup, const ModelConfig *models, size_t n,
                           Member **ret_members)
{
    TRY(model_configs_check(models, n));
    Member *members = calloc(n + lineup->n + 1, sizeof(*members));
    if (members == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        Error *error = make_member(lineup, &models[i], &members[i]);
        if (error != NULL) {
            free_members(members, i);
            return error;
        }
    }
    *ret_members = members;
    return NULL;
}

static bool has_servable(const Member *members, size_t n, const Servable *servable)
{
    for (size_t i = 0; i < n; i++)
        if (members[i].servable == servable)
            return true;
    return false;
}

/* Who takes the place of `servable`: the configured one of its name, if it waits for that at all. */
static Servable *successor_of(const Lineup *lineup, const Member *member, bool was_configured)
{
    if (!was_configured && member->successor == NULL)
        return NULL;
    return lineup_find(lineup, config_of(member->servable)->name);
}

static void leave(Member *member)
{
    member->successor = NULL;
    servable_drain(member->servable);
    servable_unload(member->servable);
}

/* Replaces the list: members[0..n_configured), then all of the old one that are not among them. */
static void replace(Lineup *lineup, Member *members, size_t n_configured)
{
    Lineup old = *lineup;
    lineup->members = members;
    lineup->n_configured = lineup->n = n_configured;
    for (size_t i = 0; i < old.n; i++) {
        Member *member = &old.members[i];
        if (has_servable(members, n_configured, member->servable))
            continue;
        member->successor = successor_of(lineup, member, i < old.n_configured);
        members[lineup->n++] = *member;
    }
    free(old.members);
}

Error *lineup_configure(Lineup *lineup, const ModelConfig *models, size_t n)
{
    Member *members;
    TRY(make_members(lineup, models, n, &members));
    replace(lineup, members, n);
    for (size_t i = 0; i < n; i++) {
        Member *member = &lineup->members[i];
        if (is_kept(member))
            servable_configure(member->servable, TAKE(member->settings));
        else if (lineup->is_started)
            servable_start(member->servable);
    }
    /* What serves stays until its successor serves, but takes up nothing new. */
    for (size_t i = n; i < lineup->n; i++) {
        Member *member = &lineup->members[i];
        servable_drain(member->servable);
        if (member->successor == NULL || !servable_is_serving(member->servable))
            leave(member);
    }
    return NULL;
}

void lineup_start(Lineup *lineup)
{
    lineup->is_started = true;
    for (size_t i = 0; i < lineup->n_configured; i++)
        servable_start(lineup->members[i].servable);
}

void lineup_note_change(Lineup *lineup, const Servable *servable)
{
    if (!servable_is_serving(servable))
        return;
    for (size_t i = lineup->n_configured; i < lineup->n; i++)
        if (lineup->members[i].successor == servable)
            leave(&lineup->members[i]);
}

/* ---- going --------------------------------------------------------------------------------- */

static bool is_any_left(const Lineup *lineup, const char *name)
{
    for (size_t i = 0; i < lineup->n; i++)
        if (strcmp(config_of(lineup->members[i].servable)->name, name) == 0)
            return true;
    return false;
}

bool lineup_sweep(Lineup *lineup, void (*gone)(void *data, const char *name), void *data)
{
    for (size_t i = lineup->n; i-- > lineup->n_configured;) {
        Servable *servable = lineup->members[i].servable;
        if (lineup->members[i].successor != NULL || !servable_is_empty(servable))
            continue;
        lineup->members[i] = lineup->members[--lineup->n];
        const char *name = config_of(servable)->name;
        if (!is_any_left(lineup, name))
            gone(data, name);
        servable_free(servable);
    }
    return lineup->n > lineup->n_configured;
}

void lineup_drain(Lineup *lineup)
{
    for (size_t i = 0; i < lineup->n; i++)
        servable_drain(lineup->members[i].servable);
}

void lineup_unload(Lineup *lineup)
{
    for (size_t i = 0; i < lineup->n; i++)
        servable_unload(lineup->members[i].servable);
}

bool lineup_is_empty(const Lineup *lineup)
{
    for (size_t i = 0; i < lineup->n; i++)
        if (!servable_is_empty(lineup->members[i].servable))
            return false;
    return true;
}
