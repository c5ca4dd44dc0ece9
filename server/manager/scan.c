/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a base path. A child is a version when its name is a number; it need not be a directory:
 * a plain file is tried, and its failure to load is then seen in the version's status.
 */
#include "server/manager/scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAX_VERSIONS 65536
#define MAX_FINGERPRINT_ENTRIES 10000
#define MAX_FINGERPRINT_DEPTH 8

static void closedirp(DIR **directory)
{
    if (*directory != NULL)
        closedir(*directory);
}

/* ---- numbers ------------------------------------------------------------------------------- */

bool scan_parse_number(const char *name, int64_t *ret_number)
{
    char *end;
    errno = 0;
    long long number = strtoll(name, &end, 10);
    if (end == name || errno != 0)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    if (*end != '\0')
        return false;
    *ret_number = number;
    return true;
}

/* ---- fingerprints -------------------------------------------------------------------------- */

/* The finalizer of MurmurHash3: every bit of the argument changes half of the result's. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static uint64_t mix_entry(uint64_t parent, const char *name, const struct stat *st)
{
    uint64_t h = parent;
    for (const char *c = name; *c != '\0'; c++)
        h = mix(h ^ (unsigned char)*c);
    h = mix(h ^ (uint64_t)st->st_ino);
    h = mix(h ^ (uint64_t)st->st_mode);
    h = mix(h ^ (uint64_t)st->st_size);
    h = mix(h ^ (uint64_t)st->st_mtim.tv_sec);
    return mix(h ^ (uint64_t)st->st_mtim.tv_nsec);
}

/* Adds up over the entries of a directory, so that their order does not matter. Takes `fd`. */
static uint64_t fingerprint_directory(int fd, uint64_t parent, int depth, int *n_left)
{
    _cleanup_(closedirp) DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return 0;
    }
    uint64_t sum = 0;
    struct dirent *entry;
    while (*n_left > 0 && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        struct stat st;
        (*n_left)--;
        if (fstatat(fd, entry->d_name, &st, 0) != 0)
            continue;
        uint64_t h = mix_entry(parent, entry->d_name, &st);
        sum += h;
        if (S_ISDIR(st.st_mode) && depth < MAX_FINGERPRINT_DEPTH) {
            int child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (child >= 0)
                sum += fingerprint_directory(child, h, depth + 1, n_left);
        }
    }
    return sum;
}

uint64_t scan_fingerprint(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) != 0) {
        close(fd);
        return 0;
    }
    uint64_t h = mix_entry(1, "", &st);
    int n_left = MAX_FINGERPRINT_ENTRIES;
    if (S_ISDIR(st.st_mode))
        return h + fingerprint_directory(fd, h, 0, &n_left);
    close(fd);
    return h;
}

/* ---- what can be watched ------------------------------------------------------------------- */

/* Network and user-space file systems send no events for what others do, and asking them for a
 * watch may hang. Numbers from statfs(2). */
static bool sends_events(const char *path)
{
    static const uint32_t silent[] = {
        0x6969,     /* NFS */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x517b,     /* SMB */
        0x65735546, /* FUSE */
        0x01021997, /* 9P */
        0x00c36400, /* CEPH */
        0x5346414f, /* AFS */
        0x73757245, /* CODA */
        0x0bd00bd0, /* Lustre */
    };
    struct statfs fs;
    if (statfs(path, &fs) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
        if ((uint32_t)fs.f_type == silent[i])
            return false;
    return true;
}

static void find_watch_target(Scan *scan, Arena *arena)
{
    /* A path of one name is one below the working directory. */
    bool is_bare = strchr(scan->base_path, '/') == NULL;
    char *path = arena_printf(arena, "%s%s", is_bare ? "./" : "", scan->base_path);
    if (path == NULL)
        return;
    struct stat st;
    while (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || strcmp(path, "/") == 0)
            return;
        if (slash == path)
            slash++; /* the root is its own name */
        *slash = '\0';
    }
    if (sends_events(path))
        scan->target = (WatchTarget){ path, st.st_dev, st.st_ino };
}

/* ---- the listing --------------------------------------------------------------------------- */

typedef struct Found {
    ListedVersion *versions;
    size_t n;
    size_t room;
} Found;

static Error *add_version(Arena *arena, Found *found, int64_t number, const char *name)
{
    if (found->n == found->room) {
        size_t room = found->room == 0 ? 16 : found->room * 2;
        ListedVersion *versions = arena_calloc(arena, room, sizeof(*versions));
        if (versions == NULL)
            return error_out_of_memory();
        if (found->n > 0)
            memcpy(versions, found->versions, found->n * sizeof(*versions));
        found->versions = versions;
        found->room = room;
    }
    name = arena_strdup(arena, name);
    if (name == NULL)
        return error_out_of_memory();
    found->versions[found->n++] = (ListedVersion){ .number = number, .name = name };
    return NULL;
}

static Error *list_error(const char *base_path)
{
    ErrorCode code = errno == ENOENT    ? ERROR_NOT_FOUND
                     : errno == ENOTDIR ? ERROR_FAILED_PRECONDITION
                                        : ERROR_UNAVAILABLE;
    return error_new(code, "%s: cannot list the base path: %s", base_path, strerror(errno));
}

static Error *list_versions(const char *base_path, Arena *arena, Found *found)
{
    _cleanup_(closedirp) DIR *directory = opendir(base_path);
    if (directory == NULL)
        return list_error(base_path);
    for (;;) {
        errno = 0; /* readdir tells an error from the end only so */
        struct dirent *entry = readdir(directory);
        if (entry == NULL)
            return errno == 0 ? NULL : list_error(base_path);
        int64_t number;
        if (!scan_parse_number(entry->d_name, &number))
            continue;
        if (found->n == MAX_VERSIONS)
            return error_new(ERROR_RESOURCE_EXHAUSTED, "%s: holds more than %d versions", base_path,
                             MAX_VERSIONS);
        TRY(add_version(arena, found, number, entry->d_name));
    }
}

static int compare_versions(const void *a, const void *b)
{
    const ListedVersion *x = a;
    const ListedVersion *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Of names with the same number keeps the one sorted last, as TensorFlow Serving does. */
static size_t drop_duplicates(ListedVersion *versions, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && versions[kept - 1].number == versions[i].number)
            kept--;
        versions[kept++] = versions[i];
    }
    return kept;
}

static void fingerprint_suspects(const Scan *scan, Arena *arena, Found *found)
{
    for (size_t i = 0; i < found->n; i++) {
        for (size_t k = 0; k < scan->n_suspects; k++) {
            if (scan->suspects[k] != found->versions[i].number)
                continue;
            char *path = arena_printf(arena, "%s/%s", scan->base_path, found->versions[i].name);
            if (path != NULL)
                found->versions[i].fingerprint = scan_fingerprint(path);
        }
    }
}

void scan_run(Scan *scan, Arena *arena)
{
    find_watch_target(scan, arena);
    Found found = { 0 };
    scan->error = list_versions(scan->base_path, arena, &found);
    if (scan->error != NULL || found.n == 0)
        return;
    qsort(found.versions, found.n, sizeof(*found.versions), compare_versions);
    size_t kept = drop_duplicates(found.versions, found.n);
    scan->n_duplicates = found.n - kept;
    found.n = kept;
    fingerprint_suspects(scan, arena, &found);
    scan->versions = found.versions;
    scan->n_versions = found.n;
}
