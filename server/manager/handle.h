/* SPDX-License-Identifier: Apache-2.0
 *
 * Handle: any thread's loan of a serving version. While it is held the version stays loaded.
 *
 * Taking one reads the published table of serving versions and counts up the version's references
 * as one step: the reader first marks its own slot (one a thread, made by handle_reader_new), and
 * the manager frees a table that it has replaced only when no slot is marked with an older epoch.
 * No lock, no shared counter but the version's own.
 */
#ifndef DIGIT_SERVER_MANAGER_HANDLE_H
#define DIGIT_SERVER_MANAGER_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/error.h"
#include "model/model.h"

typedef struct Manager Manager;
typedef struct Reader Reader; /* one a thread that takes handles */

typedef struct Handle {
    const Model *model;
    int64_t version;
    void *owner; /* for handle_release */
} Handle;

/* A reader of `manager` for the calling thread; freed by the manager when it is freed. NULL when
 * memory is out. Any thread. */
Reader *handle_reader_new(Manager *manager) _warn_unused_result_;

/* The version of model `name` to serve: exactly `*version`, or the highest available one when
 * `version` is NULL. NOT_FOUND `Servable not found for request: Latest(NAME)` or
 * `Specific(NAME, V)`. The reader's thread. */
Error *handle_acquire(Reader *reader, Bytes name, const int64_t *version,
                      Handle *ret_handle) _warn_unused_result_;

/* The version of model `name` that is called `label`. INVALID_ARGUMENT `Unrecognized servable version
 * label: LABEL`; NOT_FOUND `Servable not found for request: Specific(NAME, V)` when that version
 * does not serve. The reader's thread. */
Error *handle_acquire_labelled(Reader *reader, Bytes name, Bytes label,
                               Handle *ret_handle) _warn_unused_result_;

/* Gives the loan back; the handle is empty afterwards. Any thread. Takes an empty handle. */
void handle_release(Handle *handle);

/* ---- what GetModelStatus and health tell; any thread, takes the manager's lock --------------- */

/* Numbers of tensorflow.serving.ModelVersionStatus.State. */
typedef enum VersionState {
    VERSION_UNKNOWN = 0,
    VERSION_START = 10,
    VERSION_LOADING = 20,
    VERSION_AVAILABLE = 30,
    VERSION_UNLOADING = 40,
    VERSION_END = 50,
} VersionState;

typedef struct VersionStatus {
    int64_t version;
    VersionState state;
    ErrorCode code;   /* OK, or why it ended */
    const char *text; /* in the caller's arena; "" when OK */
} VersionStatus;

/* The names of the configured models, in `arena`. */
Error *manager_models(Manager *manager, Arena *arena, const char ***ret_names,
                      size_t *ret_n) _warn_unused_result_;

/* The versions of model `name` by number, descending, ended ones included; only `*version` when it
 * is not NULL. NOT_FOUND `Could not find any versions of model NAME` or `Could not find version V
 * of model NAME`. */
Error *manager_status(Manager *manager, Bytes name, const int64_t *version, Arena *arena,
                      VersionStatus **ret_statuses, size_t *ret_n) _warn_unused_result_;

/* What grpc.health.v1 says. */
typedef enum HealthStatus {
    HEALTH_SERVING = 1,
    HEALTH_NOT_SERVING = 2,
    HEALTH_UNKNOWN = 3
} HealthStatus;

/* Of a service: "" and the full names of the server's services are SERVING when every configured
 * model has a version up and the server is not draining; the name of a model is about that model;
 * anything else is HEALTH_UNKNOWN. */
HealthStatus manager_health(Manager *manager, Bytes service);

/* The services that are about all models: names[0..*ret_n), "" the first. */
const char *const *manager_services(size_t *ret_n);

#endif
