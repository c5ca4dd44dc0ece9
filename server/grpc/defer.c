/* SPDX-License-Identifier: Apache-2.0
 *
 * How a handler puts off the end of its call. What becomes of it then is call.c's: call_end, maybe on
 * another thread, and call_closed, which tells that the client has gone.
 */
#include <assert.h>

#include "server/grpc/call_state.h"

void call_defer(Call *call)
{
    assert(call->state == CALL_RUNNING && !call_is_stream(call) && !call->is_deferred);
    call->is_deferred = true;
    if (!call->is_watched)
        call_watch(call);
}

void call_on_gone(Call *call, void (*gone)(void *data), void *data)
{
    assert(call->state == CALL_RUNNING && call->is_deferred);
    call->gone = gone;
    call->gone_data = data;
}
