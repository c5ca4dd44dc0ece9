/* SPDX-License-Identifier: Apache-2.0
 *
 * The request path's side of the manager. The look-up itself, and why it needs no lock, is roster.h.
 */
#include "server/manager/handle.h"

#include <inttypes.h>

#include "server/manager/board.h"
#include "server/manager/manager.h"
#include "server/manager/roster.h"
#include "server/manager/version.h"

#define MAX_NAME_BYTES 1024 /* of a stranger's name in an error's text */

Reader *handle_reader_new(Manager *manager)
{
    return roster_reader_new(manager_roster(manager));
}

/* A stranger's text in an error's. */
#define CUT(bytes)                                                                                 \
    (int)((bytes).size < MAX_NAME_BYTES ? (bytes).size : MAX_NAME_BYTES), (const char *)(bytes).data

static Error *not_found(Bytes name, const int64_t *version)
{
    if (version != NULL)
        return error_new(ERROR_NOT_FOUND,
                         "Servable not found for request: Specific(%.*s, %" PRId64 ")", CUT(name),
                         *version);
    return error_new(ERROR_NOT_FOUND, "Servable not found for request: Latest(%.*s)", CUT(name));
}

Error *handle_acquire(Reader *reader, Bytes name, const int64_t *version, Handle *ret_handle)
{
    Version *found = roster_find(reader, name, version);
    if (found == NULL)
        return not_found(name, version);
    *ret_handle = (Handle){ found->model, found->number, found };
    return NULL;
}

Error *handle_acquire_labelled(Reader *reader, Bytes name, Bytes label, Handle *ret_handle)
{
    Version *found;
    int64_t number;
    if (!roster_find_labelled(reader, name, label, &number, &found))
        return error_new(ERROR_INVALID_ARGUMENT, "Unrecognized servable version label: %.*s",
                         CUT(label));
    if (found == NULL)
        return not_found(name, &number);
    *ret_handle = (Handle){ found->model, found->number, found };
    return NULL;
}

void handle_release(Handle *handle)
{
    if (handle->owner != NULL)
        version_unref(handle->owner);
    *handle = (Handle){ 0 };
}

Error *manager_models(Manager *manager, Arena *arena, const char ***ret_names, size_t *ret_n)
{
    return board_models(manager_board(manager), arena, ret_names, ret_n);
}

Error *manager_status(Manager *manager, Bytes name, const int64_t *version, Arena *arena,
                      VersionStatus **ret_statuses, size_t *ret_n)
{
    return board_read(manager_board(manager), name, version, arena, ret_statuses, ret_n);
}

HealthStatus manager_health(Manager *manager, Bytes service)
{
    return board_health(manager_board(manager), service);
}

const char *const *manager_services(size_t *ret_n)
{
    return board_services(ret_n);
}
