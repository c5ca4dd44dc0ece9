/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorFlow Serving retries by time only, and then never again until the directory goes and comes
 * back; so a slow copy of a bundle stays out for good. Looking at the files mends that.
 */
#include "server/manager/retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/log.h"

static void log_failure(Version *version, const Version *serving)
{
    const char *known = version->logged == NULL ? "" : version->logged->text;
    LogLevel level = strcmp(known, version->error->text) == 0 ? LOG_DEBUG : LOG_ERROR;
    error_free(version->logged);
    version->logged = error_copy(version->error);
    char instead[48] = "nothing serves";
    if (serving != NULL)
        snprintf(instead, sizeof(instead), "keeping version %" PRId64, serving->number);
    log_error_free(level, "manager", error_copy(version->error),
                   "model %s version %" PRId64 ": cannot be loaded, %s", version->host->model_name,
                   version->number, instead);
}

void retry_note_failure(Version *version, const ManagerOptions *options, const Version *serving)
{
    log_failure(version, serving);
    version->n_tries++;
    version->seen_fingerprint = version->fingerprint;
    version->retry_at_ms = 0;
    if (version->n_tries <= options->max_load_retries)
        version->retry_at_ms = loop_now_ms() + options->load_retry_interval_ms + 1;
    else
        log_info("manager",
                 "model %s version %" PRId64 ": given up after %u tries, until its "
                 "files change",
                 version->host->model_name, version->number, version->n_tries);
}

void retry_note_fingerprint(Version *version, uint64_t fingerprint)
{
    bool is_settled = fingerprint == version->seen_fingerprint;
    version->seen_fingerprint = fingerprint;
    if (version->state != VERSION_END || fingerprint == 0 || !is_settled ||
        fingerprint == version->fingerprint)
        return;
    version->n_tries = 0;
    version_reset(version);
}

void retry_note_time(Version *version, uint64_t now_ms)
{
    if (version->state == VERSION_END && version->retry_at_ms != 0 &&
        version->retry_at_ms <= now_ms)
        version_reset(version);
}
