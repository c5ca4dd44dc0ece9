/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes: a method up to the first space, then a path.
 */
#include <string.h>

#include "server/rest/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 1 << 20);
    char *line = arena != NULL ? arena_strndup(arena, (const char *)data, size) : NULL;
    char *space = line != NULL ? strchr(line, ' ') : NULL;
    if (space == NULL)
        return 0;
    *space = '\0';
    Route route;
    error_free(route_read(arena, line, space + 1, &route));
    return 0;
}
