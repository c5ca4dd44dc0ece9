/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: read whole, read a range, write so that nobody sees a half-written file.
 *
 * Files are read, never mapped: a file that another machine truncates under a mapping kills the
 * process. Every error names the path and says what the system said.
 */
#ifndef DIGIT_BASE_FILE_H
#define DIGIT_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* Reads the whole regular file into `arena`; a NUL stands behind the bytes, not counted.
 * NOT_FOUND when it does not exist, RESOURCE_EXHAUSTED over `max_bytes`, FAILED_PRECONDITION when
 * it is no regular file, UNAVAILABLE on other failures. */
Error *file_read(Arena *arena, const char *path, size_t max_bytes, uint8_t **ret_data,
                 size_t *ret_size) _warn_unused_result_;

/* Reads exactly `bytes` bytes at `offset` of the open file `fd` into `data` (caller's storage).
 * DATA_LOSS when the file ends before. `path` is only for the error's text. */
Error *file_read_range(int fd, const char *path, uint64_t offset, void *data,
                       size_t bytes) _warn_unused_result_;

/* Opens for reading, with O_CLOEXEC; gives the descriptor and the size. Errors as file_read. */
Error *file_open(const char *path, int *ret_fd, uint64_t *ret_size) _warn_unused_result_;

/* Writes `bytes` bytes as the new content of `path`: to a temporary name in the same directory,
 * synced, then renamed. */
Error *file_write(const char *path, const void *data, size_t bytes) _warn_unused_result_;

/* Makes the directory and those above it that are missing. */
Error *file_make_directories(const char *path) _warn_unused_result_;

/* Removes a file, or a directory with all that is in it. No error when it does not exist. Does
 * not follow symbolic links. */
Error *file_remove_tree(const char *path) _warn_unused_result_;

/* Syncs a directory, so that renames in it outlive a power cut. */
Error *file_sync_directory(const char *path) _warn_unused_result_;

bool file_exists(const char *path);
bool file_is_directory(const char *path);

/* `directory/name` in `arena`; NULL when memory is out. */
char *file_join(Arena *arena, const char *directory, const char *name) _warn_unused_result_;

/* For `_cleanup_(file_closep) int fd = -1;` */
void file_closep(int *fd);

#endif
