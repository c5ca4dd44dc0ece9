/* SPDX-License-Identifier: Apache-2.0
 *
 * The states of one version, and the two jobs that move it: load and unload, both on a background
 * thread. The last version_unref hands the version to the loop, which hands it to the background,
 * so that a request never pays for the freeing.
 */
#include "server/manager/version.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/log.h"
#include "server/manager/scan.h"

static void set_state(Version *version, VersionState state)
{
    version->state = state;
    version->since_ms = loop_now_ms();
}

/* ---- load ---------------------------------------------------------------------------------- */

static Model *unload(const VersionLoader *loader, Model *model)
{
    if (loader->cool_down != NULL)
        loader->cool_down(model, loader->data);
    return loader->unload(model);
}

static void run_load(void *data)
{
    Version *version = data;
    const VersionLoader *loader = version->host->loader;
    version->job_fingerprint = scan_fingerprint(version->directory);
    Model *model = NULL;
    Error *error = loader->load(version->directory, version->host->load_options, &model);
    if (error == NULL && scan_fingerprint(version->directory) != version->job_fingerprint) {
        /* What has been read may be part old, part new. */
        error = error_new(ERROR_UNAVAILABLE, "%s: the files changed while they were read",
                          version->directory);
        model = loader->unload(model);
    }
    if (error == NULL && loader->warm_up != NULL) {
        error = loader->warm_up(model, version->directory, loader->data);
        if (error != NULL)
            model = unload(loader, model);
    }
    version->job_model = model;
    version->job_error = error;
}

static void finish_load(void *data)
{
    Version *version = data;
    assert_on_loop(version->host->loop);
    version->fingerprint = version->job_fingerprint;
    uint64_t took_ms = loop_now_ms() - version->since_ms;
    if (version->job_error != NULL) {
        version->error = TAKE(version->job_error);
        set_state(version, VERSION_END);
    } else {
        version->model = TAKE(version->job_model);
        atomic_store(&version->n_references, 1);
        set_state(version, VERSION_AVAILABLE);
        log_info("manager", "model %s version %" PRId64 ": AVAILABLE after %" PRIu64 " ms",
                 version->host->model_name, version->number, took_ms);
    }
    version->host->changed(version->host->data, version);
}

void version_load(Version *version)
{
    assert_on_loop(version->host->loop);
    assert(version->state == VERSION_START);
    set_state(version, VERSION_LOADING);
    log_debug("manager", "model %s version %" PRId64 ": LOADING from %s", version->host->model_name,
              version->number, version->directory);
    version->job = (BackgroundJob){ .run = run_load, .done = finish_load, .data = version };
    background_submit(version->host->background, &version->job);
}

void version_reset(Version *version)
{
    assert_on_loop(version->host->loop);
    assert(version->state == VERSION_END && version->model == NULL);
    version->error = error_free(version->error);
    set_state(version, VERSION_START);
}

/* ---- unload -------------------------------------------------------------------------------- */

static void run_unload(void *data)
{
    Version *version = data;
    version->job_model = unload(version->host->loader, version->job_model);
}

static void finish_unload(void *data)
{
    Version *version = data;
    assert_on_loop(version->host->loop);
    uint64_t took_ms = loop_now_ms() - version->since_ms;
    set_state(version, VERSION_END);
    log_info("manager", "model %s version %" PRId64 ": unloaded after %" PRIu64 " ms",
             version->host->model_name, version->number, took_ms);
    version->host->changed(version->host->data, version);
}

static void on_released(void *data)
{
    Version *version = data;
    assert_on_loop(version->host->loop);
    assert(version->state == VERSION_UNLOADING);
    version->job_model = TAKE(version->model);
    version->job = (BackgroundJob){ .run = run_unload, .done = finish_unload, .data = version };
    background_submit(version->host->background, &version->job);
}

void version_retire(Version *version)
{
    assert_on_loop(version->host->loop);
    assert(version->state == VERSION_AVAILABLE);
    set_state(version, VERSION_UNLOADING);
}

void version_unpublished(Version *version)
{
    assert_on_loop(version->host->loop);
    assert(version->state == VERSION_UNLOADING);
    version_unref(version);
}

/* ---- references ---------------------------------------------------------------------------- */

Version *version_ref(Version *version)
{
    atomic_fetch_add_explicit(&version->n_references, 1, memory_order_relaxed);
    return version;
}

void version_unref(Version *version)
{
    if (atomic_fetch_sub_explicit(&version->n_references, 1, memory_order_acq_rel) == 1)
        loop_post(version->host->loop, &version->released);
}

/* ---- life ---------------------------------------------------------------------------------- */

Error *version_new(const VersionHost *host, int64_t number, const char *directory,
                   Version **ret_version)
{
    assert_on_loop(host->loop);
    Version *version = calloc(1, sizeof(*version));
    if (version == NULL)
        return error_out_of_memory();
    version->directory = strdup(directory);
    if (version->directory == NULL) {
        free(version);
        return error_out_of_memory();
    }
    version->host = host;
    version->number = number;
    atomic_init(&version->n_references, 0);
    version->released = (LoopTask){ .run = on_released, .data = version };
    set_state(version, VERSION_START);
    *ret_version = version;
    return NULL;
}

Version *version_free(Version *version)
{
    if (version == NULL)
        return NULL;
    assert_on_loop(version->host->loop);
    assert(version->state == VERSION_START || version->state == VERSION_END);
    assert(version->model == NULL);
    error_free(version->error);
    error_free(version->logged);
    free(version->directory);
    free(version);
    return NULL;
}
