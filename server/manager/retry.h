/* SPDX-License-Identifier: Apache-2.0
 *
 * Retry: when a version that would not load is tried again. By time, a few times, for what passes
 * by itself (memory, a volume that was away); and whenever its files have changed, for a bundle
 * that was half there.
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_RETRY_H
#define DIGIT_SERVER_MANAGER_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "server/manager/manager.h"
#include "server/manager/version.h"

/* `version` has just failed: logs it, once a reason, and notes when to try again. `serving` is the
 * version that serves instead; NULL: none. */
void retry_note_failure(Version *version, const ManagerOptions *options, const Version *serving);

/* What a look at the disk said of the files of `version`. One that failed is back in START when
 * they are no longer those that failed, and were the same in two looks: a copy that still goes on
 * would only fail again. */
void retry_note_fingerprint(Version *version, uint64_t fingerprint);

/* A version that failed is back in START when its time has come. */
void retry_note_time(Version *version, uint64_t now_ms);

#endif
