/* SPDX-License-Identifier: Apache-2.0
 *
 * Files. Names are opened without blocking (a FIFO where a file is expected must not hang the
 * server) and with O_CLOEXEC; EINTR is retried; short reads and writes are continued.
 */
#include "model/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY_MAX_DEPTH 128

/* The Error for a failed system call on `path`. strerror_r, since threads read files. */
static Error *error_of_errno(int code, const char *verb, const char *path)
{
    char text[128];
    const char *reason = strerror_r(code, text, sizeof(text));
    bool is_missing = code == ENOENT || code == ENOTDIR;
    return error_new(is_missing ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE, "cannot %s \"%s\": %s", verb,
                     path, reason);
}

Error *file_open(const char *path, int *ret_fd, uint64_t *ret_size)
{
    _cleanup_(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_of_errno(errno, "open", path);
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_of_errno(errno, "open", path);
    if (!S_ISREG(status.st_mode))
        return error_new(ERROR_FAILED_PRECONDITION, "\"%s\" is %s, not a regular file", path,
                         S_ISDIR(status.st_mode) ? "a directory" : "something else");
    *ret_fd = fd;
    *ret_size = (uint64_t)status.st_size;
    fd = -1;
    return NULL;
}

Error *file_read_range(int fd, const char *path, uint64_t offset, void *data, size_t bytes)
{
    uint8_t *to = data;
    while (bytes > 0) {
        if (offset > INT64_MAX)
            return error_new(ERROR_DATA_LOSS, "\"%s\" cannot hold anything at offset %llu", path,
                             (unsigned long long)offset);
        ssize_t n = pread(fd, to, bytes, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_of_errno(errno, "read", path);
        if (n == 0)
            return error_new(ERROR_DATA_LOSS, "\"%s\" ends at byte %llu, %zu bytes too early", path,
                             (unsigned long long)offset, bytes);
        to += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return NULL;
}

Error *file_read(Arena *arena, const char *path, size_t max_bytes, uint8_t **ret_data,
                 size_t *ret_size)
{
    _cleanup_(file_closep) int fd = -1;
    uint64_t size;
    TRY(file_open(path, &fd, &size));
    if (size > max_bytes || size >= SIZE_MAX)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "\"%s\" has %llu bytes; the limit is %zu", path,
                         (unsigned long long)size, max_bytes);
    uint8_t *data = arena_alloc(arena, (size_t)size + 1);
    if (data == NULL)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "no memory for the %llu bytes of \"%s\"",
                         (unsigned long long)size, path);
    TRY(file_read_range(fd, path, 0, data, (size_t)size));
    data[size] = '\0';
    *ret_data = data;
    *ret_size = (size_t)size;
    return NULL;
}

static Error *write_all(int fd, const char *path, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_of_errno(errno, "write", path);
        data += n;
        bytes -= (size_t)n;
    }
    return fsync(fd) < 0 ? error_of_errno(errno, "sync", path) : NULL;
}

/* "path.tmp-RANDOM": a name of its own for each writer. malloc'ed; NULL when memory is out. */
static char *temporary_name(const char *path)
{
    uint64_t number;
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        number = (uint64_t)getpid();
    char *name;
    return asprintf(&name, "%s.tmp-%016llx", path, (unsigned long long)number) < 0 ? NULL : name;
}

/* The part of `path` before the last slash, malloc'ed; "." without one. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

Error *file_write(const char *path, const void *data, size_t bytes)
{
    _cleanup_(freep) char *temporary = temporary_name(path);
    _cleanup_(freep) char *directory = directory_of(path);
    if (temporary == NULL || directory == NULL)
        return error_out_of_memory();
    _cleanup_(file_closep) int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_of_errno(errno, "create", temporary);

    Error *error = write_all(fd, path, data, bytes);
    if (error == NULL && rename(temporary, path) < 0)
        error = error_of_errno(errno, "rename a temporary file to", path);
    if (error != NULL) {
        unlink(temporary);
        return error;
    }
    return file_sync_directory(directory);
}

Error *file_make_directories(const char *path)
{
    _cleanup_(freep) char *part = strdup(path);
    if (part == NULL)
        return error_out_of_memory();
    for (char *p = part; *p != '\0';) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        char slash = *p;
        *p = '\0';
        if (mkdir(part, 0777) < 0 && !file_is_directory(part))
            return error_of_errno(errno, "make the directory", part);
        *p = slash;
    }
    return NULL;
}

static Error *remove_at(int parent, const char *name, const char *path, unsigned depth);

/* Removes what is in the directory `fd`, which it takes. */
static Error *remove_entries(int fd, const char *path, unsigned depth)
{
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        Error *error = error_of_errno(errno, "read the directory", path);
        close(fd);
        return error;
    }
    Error *error = NULL;
    while (error == NULL) {
        errno = 0;
        struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            if (errno != 0)
                error = error_of_errno(errno, "read the directory", path);
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            error = remove_at(dirfd(directory), entry->d_name, path, depth);
    }
    closedir(directory);
    return error;
}

/* Removes `name` in the open directory `parent`; `path` is the tree's root, for the error's text.
 * Goes by descriptors, so that nobody can put a symbolic link into its way. */
static Error *remove_at(int parent, const char *name, const char *path, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return NULL;
    if (errno != EISDIR && errno != EPERM)
        return error_of_errno(errno, "remove", path);
    if (depth == DIRECTORY_MAX_DEPTH)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "cannot remove \"%s\": directories are nested deeper than %d", path,
                         DIRECTORY_MAX_DEPTH);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_of_errno(errno, "remove", path);
    TRY(remove_entries(fd, path, depth + 1));
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_of_errno(errno, "remove", path);
    return NULL;
}

Error *file_remove_tree(const char *path)
{
    return remove_at(AT_FDCWD, path, path, 0);
}

Error *file_sync_directory(const char *path)
{
    _cleanup_(file_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_of_errno(errno, "open the directory", path);
    /* Some network file systems cannot sync a directory and say EINVAL. */
    if (fsync(fd) < 0 && errno != EINVAL)
        return error_of_errno(errno, "sync the directory", path);
    return NULL;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

bool file_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *file_join(Arena *arena, const char *directory, const char *name)
{
    size_t n = strlen(directory);
    bool has_slash = n > 0 && directory[n - 1] == '/';
    return arena_printf(arena, "%s%s%s", directory, has_slash || n == 0 ? "" : "/", name);
}

void file_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
