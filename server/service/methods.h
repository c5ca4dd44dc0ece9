/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of RPCs.
 */
#ifndef DIGIT_SERVER_SERVICE_METHODS_H
#define DIGIT_SERVER_SERVICE_METHODS_H

#include "server/grpc/call.h"

/* methods[0..methods_n). The context of every handler is the thread's Worker. */
extern const Method methods[];
extern const size_t methods_n;

#endif
