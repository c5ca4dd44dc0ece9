/* SPDX-License-Identifier: Apache-2.0
 *
 * Route: what a method and a path ask for.
 *
 * | POST | /v1/models/NAME[/versions/N or /labels/LABEL]:classify, :regress, :predict |
 * | GET  | /v1/models/NAME[/versions/N or /labels/LABEL]           status           |
 * | GET  | /v1/models/NAME[/versions/N or /labels/LABEL]/metadata                   |
 * | GET  | /v1/models                                              list             |
 * | GET  | /healthz, /readyz                                       probes           |
 */
#ifndef DIGIT_SERVER_REST_ROUTE_H
#define DIGIT_SERVER_REST_ROUTE_H

#include "server/service/spec.h"

typedef enum RouteKind {
    ROUTE_ELSEWHERE, /* no path of this interface: 404 */
    ROUTE_LIVE,
    ROUTE_READY,
    ROUTE_LIST,
    ROUTE_STATUS,
    ROUTE_METADATA,
    ROUTE_CLASSIFY,
    ROUTE_REGRESS,
    ROUTE_PREDICT,
} RouteKind;

typedef struct Route {
    RouteKind kind;
    ModelSpec spec; /* name, version and label; in the arena */
} Route;

/* Reads `path`, still percent-encoded and without its query. INVALID_ARGUMENT `Malformed request:
 * METHOD PATH` for a path under /v1/ that is none of these; `Failed to convert version: N to
 * numeric.` */
Error *route_read(Arena *arena, const char *method, const char *path,
                  Route *ret_route) _warn_unused_result_;

#endif
