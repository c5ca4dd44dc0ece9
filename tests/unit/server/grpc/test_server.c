/* SPDX-License-Identifier: Apache-2.0
 *
 * The transport under a table of methods of its own, over real connections.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "server/grpc/server.h"
#include "tests/support/check.h"
#include "tests/unit/server/grpc/rpc.h"

#define GRACE_MS 20000

/* ---- methods --------------------------------------------------------------------------------- */

static sem_t entered, leave; /* of Block: posted by it, waited for by it */
static atomic_int n_echoed;
static atomic_ullong seen_deadline_ns;

static void reply_bytes(Call *call, Bytes bytes)
{
    uint8_t *out = call_reply_begin(call, bytes.size);
    assert_non_null(out);
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    call_reply_send(call);
}

static void echo(Call *call, void *context)
{
    assert_non_null(context);
    atomic_fetch_add(&n_echoed, 1);
    atomic_store(&seen_deadline_ns, call_deadline_ns(call));
    reply_bytes(call, call_request(call));
}

static void refuse(Call *call, void *context)
{
    (void)context;
    Bytes text = call_request(call);
    call_reply_error(call, error_new(ERROR_FAILED_PRECONDITION, "%.*s", (int)text.size,
                                     (const char *)text.data));
}

static void block(Call *call, void *context)
{
    (void)context;
    sem_post(&entered);
    sem_wait(&leave);
    reply_bytes(call, call_request(call));
}

/* Uses the arena, and replies with its size. */
static void use_arena(Call *call, void *context)
{
    (void)context;
    char *text = arena_printf(call_arena(call), "%zu", arena_used(call_arena(call)));
    assert_non_null(text);
    reply_bytes(call, bytes_of_text(text));
}

static const Method table[] = {
    { "/t.T/Echo", METHOD_UNARY, METHOD_COMPUTE, echo },
    { "/t.T/Fail", METHOD_UNARY, METHOD_COMPUTE, refuse },
    { "/t.T/Block", METHOD_UNARY, METHOD_COMPUTE, block },
    { "/t.T/Arena", METHOD_UNARY, METHOD_COMPUTE, use_arena },
    { "/t.C/Echo", METHOD_UNARY, METHOD_CONTROL, echo },
};

/* ---- a server for a test --------------------------------------------------------------------- */

typedef struct Fixture {
    Server *server;
    grpc_channel *channel;
    int port;
} Fixture;

static ServerOptions options_for(int port, int n_threads, unsigned max_calls)
{
    static int context;
    static void *const contexts[] = { &context, &context, &context, &context };
    return (ServerOptions){
        .listen = { .port = port },
        .methods = table,
        .n_methods = ARRAY_SIZE(table),
        .n_threads = n_threads,
        .contexts = contexts,
        .control_context = &context,
        .max_calls_per_thread = max_calls,
        .max_call_bytes = 1 << 20,
        .max_receive_bytes = 4 << 20,
    };
}

static void start(Fixture *f, int n_threads, unsigned max_calls)
{
    f->port = rpc_free_port();
    ServerOptions options = options_for(f->port, n_threads, max_calls);
    assert_ok(server_start(&options, &f->server));
    f->channel = rpc_channel(f->port);
    sem_init(&entered, 0, 0);
    sem_init(&leave, 0, 0);
    atomic_store(&n_echoed, 0);
}

static void stop(Fixture *f)
{
    grpc_channel_destroy(f->channel);
    assert_true(server_stop(f->server, GRACE_MS));
    server_free(f->server);
}

static grpc_status_code call_once(Fixture *f, const char *path, const void *data, size_t bytes,
                                  Rpc *rpc)
{
    rpc_start(rpc, f->channel, path, data, bytes, 20000);
    return rpc_wait(rpc);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_echoes_bytes(void **state)
{
    (void)state;
    Fixture f;
    start(&f, 2, 100);
    /* Nothing; what fits in one frame; what comes in many pieces. */
    size_t sizes[] = { 0, 1, 24, 3250, 16384, 1 << 20 };
    uint8_t *data = malloc(1 << 20);
    for (size_t i = 0; i < 1 << 20; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        const char *const paths[] = { "/t.T/Echo", "/t.C/Echo" };
        for (size_t j = 0; j < ARRAY_SIZE(paths); j++) {
            Rpc rpc;
            assert_int_equal(call_once(&f, paths[j], data, sizes[i], &rpc), GRPC_STATUS_OK);
            rpc_assert_reply(&rpc, data, sizes[i]);
            rpc_done(&rpc);
        }
    }
    free(data);
    stop(&f);
}

static void test_errors(void **state)
{
    (void)state;
    Fixture f;
    start(&f, 1, 100);
    Rpc rpc;
    assert_int_equal(call_once(&f, "/t.T/Fail", "no: \"\xe4\"", 8, &rpc),
                     GRPC_STATUS_FAILED_PRECONDITION);
    assert_true(rpc_details_are(&rpc, "no: \"\xe4\""));
    assert_null(rpc.reply);
    rpc_done(&rpc);
    assert_int_equal(call_once(&f, "/t.T/None", "", 0, &rpc), GRPC_STATUS_UNIMPLEMENTED);
    assert_true(rpc_details_are(&rpc, "unknown method /t.T/None"));
    rpc_done(&rpc);
    uint8_t *big = calloc(1, (4 << 20) + 1);
    assert_int_equal(call_once(&f, "/t.T/Echo", big, (4 << 20) + 1, &rpc),
                     GRPC_STATUS_RESOURCE_EXHAUSTED);
    rpc_done(&rpc);
    free(big);
    /* None of them has harmed the server. */
    assert_int_equal(call_once(&f, "/t.T/Echo", "a", 1, &rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    stop(&f);
}

static void test_arena_is_reset(void **state)
{
    (void)state;
    Fixture f;
    start(&f, 1, 100);
    for (int i = 0; i < 10; i++) {
        Rpc rpc;
        assert_int_equal(call_once(&f, "/t.T/Arena", "", 0, &rpc), GRPC_STATUS_OK);
        rpc_assert_reply(&rpc, "0", 1);
        rpc_done(&rpc);
    }
    stop(&f);
}

static void test_deadline_reaches_the_handler(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    start(&f, 1, 100);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    rpc_start(&rpc, f.channel, "/t.T/Echo", "a", 1, 50000);
    assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    uint64_t left_ns = atomic_load(&seen_deadline_ns) - now_ns;
    assert_in_range(left_ns, 40000000000u, 51000000000u);
    rpc_start(&rpc, f.channel, "/t.T/Echo", "a", 1, 0);
    assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    assert_int_equal(atomic_load(&seen_deadline_ns), 0);
    stop(&f);
}

/* While the one computing thread is busy: the control thread answers; calls that wait and lose
 * their deadline or are cancelled never run. */
static void test_a_busy_thread(void **state)
{
    (void)state;
    enum { N = 200 };
    static Rpc waiting[N];
    Fixture f;
    Rpc blocked, rpc;
    start(&f, 1, 1000);
    rpc_start(&blocked, f.channel, "/t.T/Block", "b", 1, 0);
    sem_wait(&entered);
    assert_int_equal(call_once(&f, "/t.C/Echo", "c", 1, &rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    int before = atomic_load(&n_echoed);
    for (int i = 0; i < N; i++)
        rpc_start(&waiting[i], f.channel, "/t.T/Echo", "w", 1, i % 2 == 0 ? 50 : 0);
    for (int i = 0; i < N; i += 2)
        assert_int_equal(rpc_wait(&waiting[i]), GRPC_STATUS_DEADLINE_EXCEEDED);
    /* The server counts from when it read a request, which is later while its thread is busy. */
    nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
    sem_post(&leave);
    assert_int_equal(rpc_wait(&blocked), GRPC_STATUS_OK);
    for (int i = 1; i < N; i += 2)
        assert_int_equal(rpc_wait(&waiting[i]), GRPC_STATUS_OK);
    assert_int_equal(atomic_load(&n_echoed) - before, N / 2);
    for (int i = 0; i < N; i++)
        rpc_done(&waiting[i]);
    rpc_done(&blocked);
    stop(&f);
}

/* Calls that are in the waiting list already when their client cancels them do not run. */
static void test_cancelled_calls_do_not_run(void **state)
{
    (void)state;
    enum { N = 100, UNWATCHED = 16 };
    static Rpc waiting[N];
    Fixture f;
    Rpc first, second;
    start(&f, 1, 1000);
    rpc_start(&first, f.channel, "/t.T/Block", "1", 1, 0);
    sem_wait(&entered);
    rpc_start(&second, f.channel, "/t.T/Block", "2", 1, 0);
    for (int i = 0; i < N; i++)
        rpc_start(&waiting[i], f.channel, "/t.T/Echo", "w", 1, 0);
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    /* Now the thread takes all that has arrived into its list, and runs the second one. */
    sem_post(&leave);
    sem_wait(&entered);
    for (int i = 0; i < N; i++)
        grpc_call_cancel(waiting[i].call, NULL);
    /* The one that was armed already may have run before. */
    for (int i = 0; i < N; i++)
        assert_true(rpc_wait(&waiting[i]) == GRPC_STATUS_CANCELLED || i == 0);
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    sem_post(&leave);
    assert_int_equal(rpc_wait(&first), GRPC_STATUS_OK);
    assert_int_equal(rpc_wait(&second), GRPC_STATUS_OK);
    for (int i = 0; i < N; i++)
        rpc_done(&waiting[i]);
    rpc_done(&first);
    rpc_done(&second);
    stop(&f);
    assert_in_range(atomic_load(&n_echoed), 0, UNWATCHED);
}

static void test_overload_is_refused(void **state)
{
    (void)state;
    enum { N = 200, MAX = 20 };
    static Rpc rpcs[N];
    Fixture f;
    Rpc first;
    start(&f, 1, MAX);
    rpc_start(&first, f.channel, "/t.T/Block", "b", 1, 0);
    sem_wait(&entered);
    for (int i = 0; i < N; i++)
        rpc_start(&rpcs[i], f.channel, "/t.T/Echo", "w", 1, 0);
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    sem_post(&leave);
    assert_int_equal(rpc_wait(&first), GRPC_STATUS_OK);
    int n_ok = 0, n_refused = 0;
    for (int i = 0; i < N; i++) {
        grpc_status_code status = rpc_wait(&rpcs[i]);
        n_ok += status == GRPC_STATUS_OK;
        n_refused += status == GRPC_STATUS_RESOURCE_EXHAUSTED;
        rpc_done(&rpcs[i]);
    }
    assert_int_equal(n_ok + n_refused, N);
    assert_in_range(n_ok, MAX - 1, N - 50);
    Rpc rpc;
    assert_int_equal(call_once(&f, "/t.T/Echo", "a", 1, &rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    rpc_done(&first);
    stop(&f);
}

static void test_many_calls_at_a_time(void **state)
{
    (void)state;
    enum { N = 2000 };
    static Rpc rpcs[N];
    Fixture f;
    start(&f, 2, 4096);
    for (uint32_t i = 0; i < N; i++)
        rpc_start(&rpcs[i], f.channel, "/t.T/Echo", &i, sizeof(i), 0);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(rpc_wait(&rpcs[i]), GRPC_STATUS_OK);
        rpc_assert_reply(&rpcs[i], &i, sizeof(i));
        rpc_done(&rpcs[i]);
    }
    assert_int_equal(atomic_load(&n_echoed), N);
    stop(&f);
}

/* ---- start and stop -------------------------------------------------------------------------- */

static void test_port_that_is_taken(void **state)
{
    (void)state;
    Fixture f;
    start(&f, 1, 100);
    Server *second = NULL;
    ServerOptions options = options_for(f.port, 1, 100);
    assert_error(server_start(&options, &second), ERROR_UNAVAILABLE, "Address already in use");
    assert_null(second);
    stop(&f);
}

typedef struct Stopper {
    Server *server;
    int64_t grace_ms;
    bool result;
} Stopper;

static void *stopper_main(void *argument)
{
    Stopper *s = argument;
    s->result = server_stop(s->server, s->grace_ms);
    return NULL;
}

/* Those that run and those that wait when the stop begins are answered. */
static void test_stop_lets_calls_finish(void **state)
{
    (void)state;
    enum { N = 300 };
    static Rpc rpcs[N];
    Fixture f;
    Rpc blocked;
    start(&f, 1, 1000);
    rpc_start(&blocked, f.channel, "/t.T/Block", "b", 1, 0);
    sem_wait(&entered);
    for (int i = 0; i < N; i++)
        rpc_start(&rpcs[i], f.channel, "/t.T/Echo", "w", 1, 0);
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    Stopper stopper = { f.server, GRACE_MS, false };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stopper_main, &stopper), 0);
    nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    sem_post(&leave);
    assert_int_equal(rpc_wait(&blocked), GRPC_STATUS_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(rpc_wait(&rpcs[i]), GRPC_STATUS_OK);
        rpc_done(&rpcs[i]);
    }
    pthread_join(thread, NULL);
    assert_true(stopper.result);
    /* Nobody answers any more. */
    Rpc rpc;
    rpc_start(&rpc, f.channel, "/t.T/Echo", "a", 1, 5000);
    assert_int_not_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    rpc_done(&blocked);
    grpc_channel_destroy(f.channel);
    server_free(f.server);
}

/* When the grace is over the client is told at once; the server ends when the handler does. */
static void test_stop_cancels_after_the_grace(void **state)
{
    (void)state;
    Fixture f;
    Rpc blocked, waiting;
    start(&f, 1, 1000);
    rpc_start(&blocked, f.channel, "/t.T/Block", "b", 1, 0);
    sem_wait(&entered);
    rpc_start(&waiting, f.channel, "/t.T/Echo", "w", 1, 0);
    Stopper stopper = { f.server, 100, false };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stopper_main, &stopper), 0);
    assert_int_not_equal(rpc_wait(&blocked), GRPC_STATUS_OK);
    assert_int_not_equal(rpc_wait(&waiting), GRPC_STATUS_OK);
    sem_post(&leave);
    pthread_join(thread, NULL);
    assert_true(stopper.result);
    assert_int_equal(atomic_load(&n_echoed), 0);
    rpc_done(&blocked);
    rpc_done(&waiting);
    grpc_channel_destroy(f.channel);
    server_free(f.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echoes_bytes),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_arena_is_reset),
        cmocka_unit_test(test_deadline_reaches_the_handler),
        cmocka_unit_test(test_a_busy_thread),
        cmocka_unit_test(test_cancelled_calls_do_not_run),
        cmocka_unit_test(test_overload_is_refused),
        cmocka_unit_test(test_many_calls_at_a_time),
        cmocka_unit_test(test_port_that_is_taken),
        cmocka_unit_test(test_stop_lets_calls_finish),
        cmocka_unit_test(test_stop_cancels_after_the_grace),
    };
    return cmocka_run_group_tests(tests, keep_grpc, drop_grpc);
}
