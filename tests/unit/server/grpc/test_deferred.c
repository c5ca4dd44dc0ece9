/* SPDX-License-Identifier: Apache-2.0
 *
 * Deferred calls: their handlers return, and other threads end them.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "server/grpc/server.h"
#include "tests/support/check.h"
#include "tests/unit/server/grpc/rpc.h"

#define GRACE_MS 20000
#define MAX_CALLS 1000

/* ---- methods --------------------------------------------------------------------------------- */

/* Calls that wait for somebody to end them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Call *deferred[MAX_CALLS];
static size_t n_deferred;
static sem_t has_deferred;

static void defer(Call *call, void *context)
{
    (void)context;
    call_defer(call);
    pthread_mutex_lock(&lock);
    deferred[n_deferred++] = call;
    pthread_mutex_unlock(&lock);
    sem_post(&has_deferred);
}

static Call *take(void)
{
    sem_wait(&has_deferred);
    pthread_mutex_lock(&lock);
    Call *call = deferred[--n_deferred];
    pthread_mutex_unlock(&lock);
    return call;
}

/* Repeats the request, which the call still has. */
static void finish(Call *call)
{
    Bytes request = call_request(call);
    char *copy = arena_strndup(call_arena(call), (const char *)request.data, request.size);
    uint8_t *out = call_reply_begin(call, request.size);
    assert_non_null(copy);
    assert_non_null(out);
    memcpy(out, copy, request.size);
    call_reply_send(call);
}

static void echo(Call *call, void *context)
{
    (void)context;
    finish(call);
}

static const Method table[] = {
    { "/t.D/Defer", METHOD_UNARY, METHOD_COMPUTE, defer },
    { "/t.D/Echo", METHOD_UNARY, METHOD_COMPUTE, echo },
};

typedef struct Fixture {
    Server *server;
    grpc_channel *channel;
} Fixture;

static void start(Fixture *f)
{
    static void *const contexts[] = { NULL };
    int port = rpc_free_port();
    n_deferred = 0;
    sem_init(&has_deferred, 0, 0);
    assert_ok(server_start(&(ServerOptions){ .listen = { .port = port },
                                             .methods = table,
                                             .n_methods = ARRAY_SIZE(table),
                                             .n_threads = 1,
                                             .contexts = contexts,
                                             .max_calls_per_thread = MAX_CALLS,
                                             .max_call_bytes = 1 << 20,
                                             .max_receive_bytes = 4 << 20 },
                           &f->server));
    f->channel = rpc_channel(port);
}

static void done(Fixture *f)
{
    server_free(f->server);
    grpc_channel_destroy(f->channel);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_others_are_served_meanwhile(void **state)
{
    (void)state;
    Fixture f;
    Rpc waiting, rpc;
    start(&f);
    rpc_start(&waiting, f.channel, "/t.D/Defer", "later", 5, 0);
    Call *call = take();
    for (int i = 0; i < 100; i++) {
        rpc_start(&rpc, f.channel, "/t.D/Echo", "now", 3, 20000);
        assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
        rpc_done(&rpc);
    }
    assert_false(call_is_cancelled(call));
    finish(call);
    assert_int_equal(rpc_wait(&waiting), GRPC_STATUS_OK);
    rpc_assert_reply(&waiting, "later", 5);
    rpc_done(&waiting);
    assert_true(server_stop(f.server, GRACE_MS));
    done(&f);
}

static void test_an_error(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    start(&f);
    rpc_start(&rpc, f.channel, "/t.D/Defer", "x", 1, 0);
    call_reply_error(take(), error_new(ERROR_ABORTED, "not today"));
    assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_ABORTED);
    assert_true(rpc_details_are(&rpc, "not today"));
    rpc_done(&rpc);
    assert_true(server_stop(f.server, GRACE_MS));
    done(&f);
}

static void wait_until_cancelled(Call *call)
{
    for (int i = 0; !call_is_cancelled(call); i++) {
        assert_true(i < 20000);
        usleep(1000);
    }
}

static void test_cancelling_is_told(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpcs[2];
    start(&f);
    rpc_start(&rpcs[0], f.channel, "/t.D/Defer", "x", 1, 0);
    Call *call = take();
    grpc_call_cancel(rpcs[0].call, NULL);
    assert_int_equal(rpc_wait(&rpcs[0]), GRPC_STATUS_CANCELLED);
    wait_until_cancelled(call);
    finish(call); /* all the same */
    rpc_start(&rpcs[1], f.channel, "/t.D/Defer", "x", 1, 50);
    call = take();
    assert_int_equal(rpc_wait(&rpcs[1]), GRPC_STATUS_DEADLINE_EXCEEDED);
    wait_until_cancelled(call);
    call_reply_error(call, error_new(ERROR_CANCELLED, "nobody waits"));
    for (int i = 0; i < 2; i++)
        rpc_done(&rpcs[i]);
    assert_true(server_stop(f.server, GRACE_MS));
    done(&f);
}

static void *ender_main(void *argument)
{
    size_t n = *(const size_t *)argument;
    for (size_t i = 0; i < n; i++)
        finish(take());
    return NULL;
}

/* Two threads end them, in another order than they came, while more arrive. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 900 };
    static Rpc rpcs[N];
    size_t half = N / 2;
    pthread_t enders[2];
    Fixture f;
    start(&f);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&enders[i], NULL, ender_main, &half), 0);
    for (uint32_t i = 0; i < N; i++)
        rpc_start(&rpcs[i], f.channel, "/t.D/Defer", &i, sizeof(i), 0);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(rpc_wait(&rpcs[i]), GRPC_STATUS_OK);
        rpc_assert_reply(&rpcs[i], &i, sizeof(i));
        rpc_done(&rpcs[i]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(enders[i], NULL);
    assert_true(server_stop(f.server, GRACE_MS));
    done(&f);
}

static void *late_main(void *argument)
{
    Call *call = argument;
    wait_until_cancelled(call);
    call_reply_error(call, error_new(ERROR_CANCELLED, "nobody waits"));
    return NULL;
}

/* A stop waits for it; when the grace is over it is told, and ends. */
static void test_stop(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    pthread_t thread;
    start(&f);
    rpc_start(&rpc, f.channel, "/t.D/Defer", "x", 1, 0);
    assert_int_equal(pthread_create(&thread, NULL, late_main, take()), 0);
    assert_true(server_stop(f.server, 100));
    pthread_join(thread, NULL);
    assert_int_not_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_others_are_served_meanwhile),
        cmocka_unit_test(test_an_error),
        cmocka_unit_test(test_cancelling_is_told),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, keep_grpc, drop_grpc);
}
