/* SPDX-License-Identifier: Apache-2.0
 *
 * Scratch: the memory that runs need: one a thread, reused by every run of every plan on that
 * thread, so that a warm thread calls malloc no more.
 */
#ifndef DIGIT_PLAN_SCRATCH_H
#define DIGIT_PLAN_SCRATCH_H

#include <stddef.h>

#include "model/base/cleanup.h"
#include "model/base/crew.h"

typedef struct Scratch Scratch;

/* `n_threads` cores may work on one run (1: the caller's only). NULL when memory is out. */
Scratch *scratch_new(int n_threads) _warn_unused_result_;

/* Runs get the workers of `crew` when it can spare them: for a crew that many scratches share, which
 * is borrowed and must outlive them; NULL: none. NULL when memory is out. */
Scratch *scratch_new_shared(Crew *crew) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Scratch *scratch_free(Scratch *scratch);

/* Forgets what belongs to plans that are no more, and gives back memory that the others do not
 * need. Outputs of the last run are gone. Call now and then. */
void scratch_trim(Scratch *scratch);

/* Bytes that the scratch holds for tensors. */
size_t scratch_bytes(const Scratch *scratch);

static inline void scratch_freep(Scratch **scratch)
{
    scratch_free(*scratch);
}

#endif
