/* SPDX-License-Identifier: Apache-2.0
 *
 * Scan: one look at a base path: the versions in it, and what can be watched. Blocks on the disk,
 * so it is for a pool thread; knows nothing of models or policies.
 */
#ifndef DIGIT_SERVER_MANAGER_SCAN_H
#define DIGIT_SERVER_MANAGER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/base/arena.h"
#include "model/base/error.h"

typedef struct ListedVersion {
    int64_t number;
    const char *name;     /* as the directory has it: "1", "0001" */
    uint64_t fingerprint; /* 0 unless asked for */
} ListedVersion;

/* Where a change of the listing can be seen: the base path or, when that is missing, its closest
 * ancestor that is there. */
typedef struct WatchTarget {
    const char *path; /* NULL: nothing to watch */
    dev_t device;
    ino_t inode;
} WatchTarget;

typedef struct Scan {
    /* in: borrowed */
    const char *base_path;
    const int64_t *suspects; /* numbers whose fingerprints are wanted */
    size_t n_suspects;

    /* out: in `arena` */
    Error *error;                  /* owned by whoever made the Scan; NULL: the listing is clean */
    const ListedVersion *versions; /* ascending, each number once */
    size_t n_versions;
    size_t n_duplicates; /* names left out, since a later name has the same number */
    WatchTarget target;
} Scan;

/* Fills in the out-fields. NOT_FOUND when the base path is missing, FAILED_PRECONDITION when it is
 * no directory, UNAVAILABLE when it cannot be read, RESOURCE_EXHAUSTED when it holds too much. */
void scan_run(Scan *scan, Arena *arena);

/* Whether the whole of `name` is a version number, as TensorFlow Serving reads them: an int64 in
 * decimal digits, sign, leading zeros and blanks around it let through. */
bool scan_parse_number(const char *name, int64_t *ret_number);

/* A number that differs when a file below `path` has been added, removed, renamed, written or
 * changed in size; from names, sizes, times and inodes, not from contents. Looks at 10,000 entries,
 * eight levels deep, at most. Symbolic links are followed. 0 when `path` cannot be read. */
uint64_t scan_fingerprint(const char *path);

#endif
