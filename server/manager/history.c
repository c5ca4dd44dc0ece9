/* SPDX-License-Identifier: Apache-2.0
 *
 * A short array, oldest first: with sixteen rows a move is cheaper than being clever.
 */
#include "server/manager/history.h"

#include <string.h>

static void remove_at(History *history, size_t i)
{
    error_free(history->ended[i].error);
    history->n--;
    memmove(&history->ended[i], &history->ended[i + 1], (history->n - i) * sizeof(Ended));
}

void history_remove(History *history, int64_t number)
{
    for (size_t i = 0; i < history->n; i++)
        if (history->ended[i].number == number) {
            remove_at(history, i);
            return;
        }
}

void history_add(History *history, int64_t number, Error *error)
{
    history_remove(history, number);
    if (history->n == HISTORY_MAX)
        remove_at(history, 0);
    history->ended[history->n++] = (Ended){ number, error };
}

void history_done(History *history)
{
    while (history->n > 0)
        remove_at(history, history->n - 1);
}
