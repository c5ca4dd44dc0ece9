/* SPDX-License-Identifier: Apache-2.0
 *
 * For targets whose parser reads files: a directory that is gone when the process ends, and files
 * in it that are written anew for each input. With TMPDIR=/dev/shm this costs no disk.
 */
#ifndef DIGIT_TESTS_FUZZ_DIRECTORY_H
#define DIGIT_TESTS_FUZZ_DIRECTORY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/file.h"

static char fuzz_directory[256];

static inline void fuzz_directory_remove(void)
{
    error_free(file_remove_tree(fuzz_directory));
}

/* Writes `fuzz_directory`/`name`; the directory is made at the first call. Not file_write, which
 * syncs. A failure is no finding of the parser's, but nothing is tested then: it ends the process.
 */
static inline void fuzz_directory_write(const char *name, const uint8_t *data, size_t size)
{
    if (fuzz_directory[0] == '\0') {
        const char *tmp = getenv("TMPDIR");
        snprintf(fuzz_directory, sizeof(fuzz_directory), "%s/digit-fuzz-XXXXXX",
                 tmp != NULL ? tmp : "/tmp");
        if (mkdtemp(fuzz_directory) == NULL || atexit(fuzz_directory_remove) != 0)
            abort();
    }
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", fuzz_directory, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || (size > 0 && fwrite(data, 1, size, file) != size) || fclose(file) != 0)
        abort();
}

#endif
