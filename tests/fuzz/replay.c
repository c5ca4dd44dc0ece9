/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over files without libFuzzer: replay_NAME FILE_OR_FOLDER...
 * A folder stands for all files in it. What the target does wrong shows as a crash, a sanitizer's
 * report or the test's time limit. A folder without files is an error: it would test nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX_BYTES (16 << 20)

static Error *replay_file(const char *path)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    if (arena == NULL)
        return error_out_of_memory();
    uint8_t *data;
    size_t size;
    TRY(file_read(arena, path, INPUT_MAX_BYTES, &data, &size));

    /* A copy of exactly this size, so that a read past its end is seen. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return error_out_of_memory();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return NULL;
}

static Error *replay(Arena *arena, const char *path, size_t *n_files)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        *n_files += 1;
        return replay_file(path);
    }
    Error *error = NULL;
    for (struct dirent *entry; error == NULL && (entry = readdir(directory)) != NULL;) {
        char *file = file_join(arena, path, entry->d_name);
        if (file == NULL)
            error = error_out_of_memory();
        else if (entry->d_name[0] != '.')
            error = replay(arena, file, n_files);
    }
    closedir(directory);
    return error;
}

int main(int argc, char **argv)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    size_t n_files = 0;
    Error *error = arena == NULL ? error_out_of_memory() : NULL;
    for (int i = 1; error == NULL && i < argc; i++)
        error = replay(arena, argv[i], &n_files);
    if (error == NULL && n_files == 0)
        error =
            error_new(ERROR_NOT_FOUND, "no files to replay; usage: %s FILE_OR_FOLDER...", argv[0]);
    if (error != NULL) {
        fprintf(stderr, "%s\n", error->text);
        error_free(error);
        return 1;
    }
    printf("%zu files replayed\n", n_files);
    return 0;
}
