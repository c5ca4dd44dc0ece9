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

Error *handle_acquire(Reader *reader, Bytes name, const int64_t *version, Handle *ret_handle)
{
    Version *found = roster_find(reader, name, version);
    if (found != NULL) {
        *ret_handle = (Handle){ found->model, found->number, found };
        return NULL;
    }
    int size = name.size < MAX_NAME_BYTES ? (int)name.size : MAX_NAME_BYTES;
    if (version != NULL)
        return error_new(ERROR_NOT_FOUND,
                         "Servable not found for request: Specific(%.*s, %" PRId64 ")", size,
                         (const char *)name.data, *version);
    return error_new(ERROR_NOT_FOUND, "Servable not found for request: Latest(%.*s)", size,
                     (const char *)name.data);
}

void handle_release(Handle *handle)
{
    if (handle->owner != NULL)
        version_unref(handle->owner);
    *handle = (Handle){ 0 };
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
