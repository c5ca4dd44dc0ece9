/* SPDX-License-Identifier: Apache-2.0
 *
 * What /proc/self tells of the process.
 *
 * | stat, after the name's `)`: fields from 3: 14 utime, 15 stime, 20 threads, 22 start, 23 vsize,  |
 * | 24 rss in pages (proc(5)); times in clock ticks, start since boot                              |
 */
#include "server/metrics/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/metrics/exposition.h"

/* Reads up to `max` bytes of the file, NUL behind them. False when there is none. */
static bool read_text(const char *path, char *text, size_t max)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t n = fread(text, 1, max, file);
    text[n] = '\0';
    fclose(file);
    return n > 0;
}

/* Seconds since 1970 at which the machine booted; 0 when /proc does not tell. */
static double boot_seconds(void)
{
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return 0;
    char line[256];
    double seconds = 0;
    while (fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "btime %lf", &seconds) == 1)
            break;
    fclose(file);
    return seconds;
}

static Error *append_stat(Buf *text)
{
    char stat[1024];
    unsigned long long user, system, start, virtual_bytes;
    long n_threads, n_pages;
    if (!read_text("/proc/self/stat", stat, sizeof(stat) - 1))
        return NULL;
    const char *rest = strrchr(stat, ')'); /* the name may hold anything */
    if (rest == NULL || sscanf(rest,
                               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d "
                               "%*d %*d %ld %*d %llu %llu %ld",
                               &user, &system, &n_threads, &start, &virtual_bytes, &n_pages) != 6)
        return NULL;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    double page = (double)sysconf(_SC_PAGESIZE);
    TRY(exposition_single(text, "process_cpu_seconds_total", "counter",
                          "Processor time spent, in user space and in the system.",
                          (double)(user + system) / ticks));
    TRY(exposition_single(text, "process_resident_memory_bytes", "gauge", "Memory that is in RAM.",
                          (double)n_pages * page));
    TRY(exposition_single(text, "process_virtual_memory_bytes", "gauge", "Address space in use.",
                          (double)virtual_bytes));
    TRY(exposition_single(text, "process_threads", "gauge", "Threads.", (double)n_threads));
    double boot = boot_seconds();
    if (boot == 0)
        return NULL;
    return exposition_single(text, "process_start_time_seconds", "gauge",
                             "When the process started, in seconds since 1970.",
                             boot + (double)start / ticks);
}

static Error *append_open_files(Buf *text)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return NULL;
    size_t n = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(directory);
    /* Not the one that was open for counting. */
    return exposition_single(text, "process_open_fds", "gauge", "Open file descriptors.",
                             (double)(n - 1));
}

Error *process_collect(void *data, Buf *text)
{
    (void)data;
    struct rlimit limit;
    TRY(append_stat(text));
    TRY(append_open_files(text));
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return NULL;
    return exposition_single(text, "process_max_fds", "gauge", "File descriptors that may be open.",
                             (double)limit.rlim_cur);
}
