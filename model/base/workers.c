/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers: threads that sleep until workers_for has a loop for them.
 *
 * Pieces of a loop are dealt out in contiguous shares, the same ones each time, so that what a
 * thread sums up for itself is the same each time too; eager workers take the next piece instead. A
 * loop is announced by its number under the lock; nobody spins.
 *
 * A processor quota of a cgroup is looked up here as well: threads beyond it would only be stopped
 * by the kernel in the middle of a loop.
 */
#include "model/base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define THREADS_MAX 1024
#define PROCESSORS_MAX 8192
#define EAGER_PIECES_MIN 16 /* a loop of fewer is over before a thread that sleeps has come */

typedef struct Loop {
    WorkersBody *body;
    void *context;
    size_t n;
    size_t grain;
} Loop;

typedef struct Thread {
    pthread_t id;
    Workers *workers;
    int number; /* 1.. */
} Thread;

struct Workers {
    /* immutable after workers_new */
    int n_threads;   /* the caller included */
    Thread *threads; /* [n_threads - 1] */
    bool is_eager;

    /* guarded by lock */
    pthread_mutex_t lock;
    pthread_cond_t started; /* `loop_number` has changed, or `is_ending` */
    pthread_cond_t done;    /* `n_running` is 0 */
    uint64_t loop_number;
    Loop loop;
    int n_running; /* threads in the loop, the caller apart; it ends when there are none */
    bool is_open;  /* eager: threads may still join the loop */
    bool is_ending;

    atomic_size_t next_piece; /* eager; set before the loop is announced */
};

static size_t count_pieces(const Loop *loop)
{
    return loop->n / loop->grain + (loop->n % loop->grain != 0);
}

static void run_piece(const Loop *loop, size_t piece, int number)
{
    size_t begin = piece * loop->grain;
    size_t left = loop->n - begin;
    loop->body(loop->context, begin, begin + (left < loop->grain ? left : loop->grain), number);
}

/* The pieces that are the thread's: [pieces * number / n_threads, and so of the next one). */
static void run_share(const Loop *loop, int number, int n_threads)
{
    size_t pieces = count_pieces(loop);
    size_t share = pieces / (size_t)n_threads, rest = pieces % (size_t)n_threads;
    size_t t = (size_t)number;
    size_t first = t * share + (t < rest ? t : rest);
    size_t last = first + share + (t < rest);
    for (size_t piece = first; piece < last; piece++)
        run_piece(loop, piece, number);
}

/* The pieces that nobody has taken yet. */
static void run_rest(Workers *workers, const Loop *loop, int number)
{
    size_t pieces = count_pieces(loop), piece;
    while ((piece = atomic_fetch_add_explicit(&workers->next_piece, 1, memory_order_relaxed)) <
           pieces)
        run_piece(loop, piece, number);
}

static void run_mine(Workers *workers, const Loop *loop, int number)
{
    if (workers->is_eager)
        run_rest(workers, loop, number);
    else
        run_share(loop, number, workers->n_threads);
}

static void *thread_main(void *context)
{
    Thread *self = context;
    Workers *workers = self->workers;
    uint64_t seen = 0;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (workers->loop_number == seen && !workers->is_ending)
            pthread_cond_wait(&workers->started, &workers->lock);
        if (workers->is_ending)
            break;
        seen = workers->loop_number;
        if (workers->is_eager && !workers->is_open)
            continue; /* late */
        workers->n_running += workers->is_eager;
        Loop loop = workers->loop;
        pthread_mutex_unlock(&workers->lock);
        run_mine(workers, &loop, self->number);
        pthread_mutex_lock(&workers->lock);
        if (--workers->n_running == 0)
            pthread_cond_signal(&workers->done);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* Starts the threads; on failure those that run are counted in `*ret_started`. Signals are left to
 * the program's own threads. */
static Error *start_threads(Workers *workers, int *ret_started)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = 0;
    for (*ret_started = 0; *ret_started < workers->n_threads - 1; ++*ret_started) {
        Thread *thread = &workers->threads[*ret_started];
        *thread = (Thread){ .workers = workers, .number = *ret_started + 1 };
        code = pthread_create(&thread->id, NULL, thread_main, thread);
        if (code != 0)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        return NULL;
    char text[128];
    return error_new(ERROR_RESOURCE_EXHAUSTED, "cannot start worker thread %d of %d: %s",
                     *ret_started + 1, workers->n_threads, strerror_r(code, text, sizeof(text)));
}

static Error *make(int n_threads, bool is_eager, Workers **ret_workers)
{
    if (n_threads < 1 || n_threads > THREADS_MAX)
        return error_new(ERROR_INVALID_ARGUMENT, "%d worker threads; there may be 1 to %d",
                         n_threads, THREADS_MAX);
    Workers *workers = calloc(1, sizeof(*workers));
    Thread *threads = calloc((size_t)n_threads, sizeof(*threads));
    if (workers == NULL || threads == NULL) {
        free(workers);
        free(threads);
        return error_out_of_memory();
    }
    workers->n_threads = n_threads;
    workers->threads = threads;
    workers->is_eager = is_eager;
    pthread_mutex_init(&workers->lock, NULL); /* these three cannot fail on Linux */
    pthread_cond_init(&workers->started, NULL);
    pthread_cond_init(&workers->done, NULL);
    int n_started;
    Error *error = start_threads(workers, &n_started);
    if (error != NULL) {
        workers->n_threads = n_started + 1;
        workers_free(workers);
        return error;
    }
    *ret_workers = workers;
    return NULL;
}

Error *workers_new(int n_threads, Workers **ret_workers)
{
    return make(n_threads, false, ret_workers);
}

Error *workers_new_eager(int n_threads, Workers **ret_workers)
{
    return make(n_threads, true, ret_workers);
}

Workers *workers_free(Workers *workers)
{
    if (workers == NULL)
        return NULL;
    pthread_mutex_lock(&workers->lock);
    workers->is_ending = true;
    pthread_cond_broadcast(&workers->started);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->n_threads - 1; i++)
        pthread_join(workers->threads[i].id, NULL);
    pthread_cond_destroy(&workers->done);
    pthread_cond_destroy(&workers->started);
    pthread_mutex_destroy(&workers->lock);
    free(workers->threads);
    free(workers);
    return NULL;
}

int workers_count(const Workers *workers)
{
    return workers != NULL ? workers->n_threads : 1;
}

void workers_for(Workers *workers, size_t n, size_t grain, WorkersBody *body, void *context)
{
    Loop loop = { body, context, n, grain > 0 ? grain : 1 };
    int n_threads = workers_count(workers);
    if (n_threads == 1 || n <= loop.grain ||
        (workers->is_eager && count_pieces(&loop) < EAGER_PIECES_MIN)) {
        run_share(&loop, 0, 1);
        return;
    }
    pthread_mutex_lock(&workers->lock);
    workers->loop = loop;
    workers->loop_number++;
    workers->n_running = workers->is_eager ? 0 : n_threads - 1;
    workers->is_open = true;
    atomic_store_explicit(&workers->next_piece, 0, memory_order_relaxed);
    pthread_cond_broadcast(&workers->started);
    pthread_mutex_unlock(&workers->lock);

    run_mine(workers, &loop, 0);

    pthread_mutex_lock(&workers->lock);
    workers->is_open = false;
    while (workers->n_running > 0)
        pthread_cond_wait(&workers->done, &workers->lock);
    pthread_mutex_unlock(&workers->lock);
}

/* ---- processors ---- */

static bool read_line(const char *directory, const char *name, char *line, int size)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
        return false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool is_read = fgets(line, size, file) != NULL;
    fclose(file);
    return is_read;
}

/* Microseconds of processor time in a period of so many, as the cgroup `directory` allows; false
 * without a limit. Version 2 has one file, "QUOTA PERIOD" or "max PERIOD"; version 1 has two. */
static bool read_quota(const char *directory, long long *quota, long long *period)
{
    char line[128];
    if (read_line(directory, "cpu.max", line, sizeof(line)))
        return sscanf(line, "%lld %lld", quota, period) == 2;
    return read_line(directory, "cpu.cfs_quota_us", line, sizeof(line)) &&
           sscanf(line, "%lld", quota) == 1 &&
           read_line(directory, "cpu.cfs_period_us", line, sizeof(line)) &&
           sscanf(line, "%lld", period) == 1;
}

/* The smallest quota of the cgroup `root/path` and those above it, in whole processors. In a
 * container `path` may be that of the host, which is not mounted: then only `root` is there. */
static int processors_of_cgroup(const char *root, const char *path, int most)
{
    char directory[4096];
    size_t root_size = strlen(root);
    if (snprintf(directory, sizeof(directory), "%s%s", root, path) >= (int)sizeof(directory))
        return most;
    for (;;) {
        long long quota, period;
        if (read_quota(directory, &quota, &period) && quota > 0 && period > 0 &&
            quota / period < most)
            most = (int)(quota / period);
        char *slash = strrchr(directory + root_size, '/');
        if (slash == NULL)
            return most > 1 ? most : 1;
        *slash = '\0';
    }
}

/* Reads the cgroups of the process from `file` (/proc/self/cgroup, "ID:CONTROLLERS:PATH") and looks
 * them up under `mount` (/sys/fs/cgroup). */
static int processors_by_quota(const char *file, const char *mount, int most)
{
    FILE *in = fopen(file, "re");
    if (in == NULL)
        return most;
    char line[4096], root[4096];
    while (fgets(line, sizeof(line), in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        bool is_v2 = controllers[1] == '\0';
        bool is_cpu = strcmp(controllers + 1, "cpu") == 0 ||
                      strcmp(controllers + 1, "cpu,cpuacct") == 0 ||
                      strcmp(controllers + 1, "cpuacct,cpu") == 0;
        if (!is_v2 && !is_cpu)
            continue;
        if (snprintf(root, sizeof(root), "%s%s", mount, is_v2 ? "" : "/cpu") < (int)sizeof(root))
            most = processors_of_cgroup(root, path, most);
    }
    fclose(in);
    return most;
}

int workers_processors(void)
{
    int most = 1;
    cpu_set_t *set = CPU_ALLOC(PROCESSORS_MAX);
    size_t size = CPU_ALLOC_SIZE(PROCESSORS_MAX);
    if (set != NULL && sched_getaffinity(0, size, set) == 0)
        most = CPU_COUNT_S(size, set);
    CPU_FREE(set);
    return processors_by_quota("/proc/self/cgroup", "/sys/fs/cgroup", most);
}
