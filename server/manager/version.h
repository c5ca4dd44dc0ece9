/* SPDX-License-Identifier: Apache-2.0
 *
 * Version: one numbered directory of one model on its way through START, LOADING, AVAILABLE,
 * UNLOADING, END. What should happen to it, and when, is the servable's to say (servable.h).
 *
 *     START --version_load--> LOADING --ok--> AVAILABLE --version_retire--> UNLOADING --> END
 *       ^                        |
 *       |                        `--error--> END with that error
 *       `--------- version_reset (a retry) -----'
 *
 * Internal to server/manager. Everything is for the loop's thread, unless said otherwise.
 */
#ifndef DIGIT_SERVER_MANAGER_VERSION_H
#define DIGIT_SERVER_MANAGER_VERSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "server/loop.h"
#include "server/manager/background.h"
#include "server/manager/handle.h"
#include "server/manager/loader.h"

typedef struct Version Version;

/* What the versions of one model share. */
typedef struct VersionHost {
    Loop *loop;
    Background *background;
    const VersionLoader *loader;
    const ModelOptions *load_options;
    const char *model_name;

    /* Called when loading has ended (AVAILABLE, or END with an error) and when unloading has (END).
     * It is the last thing that happens: the version may be reset, retired or freed inside. */
    void (*changed)(void *data, Version *version);
    void *data;
} VersionHost;

struct Version {
    /* immutable */
    const VersionHost *host; /* borrowed */
    int64_t number;
    char *directory;

    /* written on the loop's thread before the version is published, immutable while it is */
    Model *model;

    /* loop's thread */
    VersionState state;
    Error *error;         /* why it ended; NULL: as it should */
    uint64_t fingerprint; /* of its files, just before they were loaded; see scan.h */
    uint64_t since_ms;    /* when its state began */

    /* loop's thread; the servable's own notes */
    bool is_aspired;            /* should serve */
    unsigned n_tries;           /* loads that failed since its files last changed */
    Error *logged;              /* the last failure that the log has been told of */
    uint64_t retry_at_ms;       /* 0: no retry by time is due */
    uint64_t seen_fingerprint;  /* by the last scan */
    uint64_t unpublished_epoch; /* see roster_publish; 0: published, or out of use already */

    /* of the background thread while a job is under way, of the loop's thread otherwise */
    BackgroundJob job;
    Model *job_model;
    Error *job_error;
    uint64_t job_fingerprint;

    /* atomic: the handles, and one for being AVAILABLE or UNLOADING. Counted up with relaxed order,
     * since who counts up has a reference or the roster's protection; down with acquire and release,
     * so that all uses happen before the unloading. */
    atomic_size_t n_references;
    LoopTask released;
};

/* START; copies `directory`, borrows `host`. */
Error *version_new(const VersionHost *host, int64_t number, const char *directory,
                   Version **ret_version) _warn_unused_result_;

/* START or END only, and no handles. Takes NULL; returns NULL. */
Version *version_free(Version *version);

/* START -> LOADING, then AVAILABLE or END. A load whose files changed meanwhile has failed. */
void version_load(Version *version);

/* END -> START. */
void version_reset(Version *version);

/* AVAILABLE -> UNLOADING. The version still counts as published: version_unpublished must follow
 * when no reader can find it any more. */
void version_retire(Version *version);

/* Drops the reference of being published. When the last handle is gone the memory goes, on a
 * background thread, and then the state is END. */
void version_unpublished(Version *version);

/* Any thread. The caller has a reference, or is the roster under its protection. */
Version *version_ref(Version *version);
/* Any thread. */
void version_unref(Version *version);

#endif
