/* SPDX-License-Identifier: Apache-2.0
 *
 * Source: reports which versions of one model are on disk, whenever that may have changed.
 *
 * It looks on events of the file system, and by polling too, since a network volume sends none.
 * Each look is a scan on a pool thread, one at a time, so that a hanging disk stops neither the
 * loop nor other models. A look that fails says nothing about the versions: only a clean listing
 * does.
 *
 * Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_SOURCE_H
#define DIGIT_SERVER_MANAGER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "server/loop.h"
#include "server/manager/scan.h"

typedef struct Source Source;

/* versions[0..n) in ascending order, lent for the call. Not `is_clean`: the base path could not be
 * listed, which has been logged. Called after every look, changed or not. */
typedef void SourceReport(void *data, const ListedVersion *versions, size_t n, bool is_clean);

typedef struct SourceOptions {
    Loop *loop;
    const char *model_name; /* for the log; borrowed */
    const char *base_path;  /* borrowed */
    double poll_seconds;    /* 0: look once; < 0: never */
    SourceReport *report;
    void *data;
} SourceOptions;

Error *source_new(const SourceOptions *options, Source **ret_source) _warn_unused_result_;

/* Begins to look. Reports come later, never from inside a call. */
void source_start(Source *source);

/* Looks soon, unless it never does. */
void source_look(Source *source);

/* From now on the fingerprints of the versions numbers[0..n) are in the listings; those over
 * SOURCE_MAX_SUSPECTS are not. Copied. */
#define SOURCE_MAX_SUSPECTS 64
void source_suspect(Source *source, const int64_t *numbers, size_t n);

/* Looks and reports no more. */
void source_stop(Source *source);

/* False while a look is under way. */
bool source_is_idle(const Source *source);

/* Stopped and idle sources only. Takes NULL; returns NULL. */
Source *source_free(Source *source);

#endif
