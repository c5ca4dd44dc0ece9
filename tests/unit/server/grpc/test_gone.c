/* SPDX-License-Identifier: Apache-2.0
 *
 * Deferred calls that are told when their clients have gone: answered by another thread, left first,
 * or both at once.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "server/grpc/server.h"
#include "tests/support/check.h"
#include "tests/unit/server/grpc/rpc.h"

#define GRACE_MS 20000
#define N_CALLS 200

/* ---- a method that another thread answers ------------------------------------------------------ */

typedef struct Later {
    Call *call;
    Bytes request;
    struct Later *next;
    bool is_ended; /* or going to be, by who has set it; under the lock */
} Later;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static Later *first; /* newest first */
static int n_later;
static bool is_held, is_over;
static atomic_int n_gone;

static Error *answer(Call *call, Bytes request)
{
    if (request.size == 3)
        return error_new(ERROR_INVALID_ARGUMENT, "that is bad");
    uint8_t *out = call_reply_begin(call, request.size);
    if (out == NULL)
        return error_out_of_memory();
    memcpy(out, request.data, request.size);
    call_reply_send(call);
    return NULL;
}

static void end(Later *later)
{
    Call *call = later->call;
    Error *error = answer(call, later->request);
    if (error != NULL)
        call_reply_error(call, error);
}

/* Leaves the list, in which the other thread has not looked yet, and ends. */
static void gone(void *data)
{
    Later *later = data;
    atomic_fetch_add(&n_gone, 1);
    pthread_mutex_lock(&lock);
    bool is_mine = !later->is_ended;
    if (is_mine) {
        Later **link = &first;
        while (*link != later)
            link = &(*link)->next;
        *link = later->next;
        later->is_ended = true;
    }
    pthread_mutex_unlock(&lock);
    if (is_mine)
        call_reply_error(later->call, error_new(ERROR_CANCELLED, "gone"));
}

static void later_handle(Call *call, void *context)
{
    (void)context;
    Later *later = arena_calloc(call_arena(call), 1, sizeof(*later));
    assert_non_null(later);
    *later = (Later){ .call = call, .request = call_request(call) };
    call_defer(call);
    call_on_gone(call, gone, later);
    pthread_mutex_lock(&lock);
    later->next = first;
    first = later;
    n_later++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *ender_main(void *data)
{
    (void)data;
    pthread_mutex_lock(&lock);
    while (!is_over || first != NULL) {
        if (first == NULL || is_held) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        Later *later = first;
        first = later->next;
        later->is_ended = true;
        pthread_mutex_unlock(&lock);
        end(later);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static const Method table[] = { { "/t.S/Later", METHOD_UNARY, METHOD_COMPUTE, later_handle } };

/* ---- fixture ----------------------------------------------------------------------------------- */

typedef struct Fixture {
    Server *server;
    grpc_channel *channel;
    pthread_t ender;
} Fixture;

static void hold(bool held)
{
    pthread_mutex_lock(&lock);
    is_held = held;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for_later(int n)
{
    pthread_mutex_lock(&lock);
    while (n_later < n)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void start(Fixture *f)
{
    static void *const contexts[] = { NULL, NULL };
    int port = rpc_free_port();
    n_later = 0;
    is_over = is_held = false;
    atomic_store(&n_gone, 0);
    assert_ok(server_start(&(ServerOptions){ .listen = { .port = port },
                                             .methods = table,
                                             .n_methods = ARRAY_SIZE(table),
                                             .n_threads = 2,
                                             .contexts = contexts,
                                             .max_calls_per_thread = N_CALLS,
                                             .max_call_bytes = 1 << 20,
                                             .max_receive_bytes = 4 << 20 },
                           &f->server));
    f->channel = rpc_channel(port);
    assert_int_equal(pthread_create(&f->ender, NULL, ender_main, NULL), 0);
}

static void stop(Fixture *f, int64_t grace_ms)
{
    assert_true(server_stop(f->server, grace_ms));
    pthread_mutex_lock(&lock);
    is_over = true;
    is_held = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(f->ender, NULL);
    server_free(f->server);
    grpc_channel_destroy(f->channel);
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void test_ended_by_another_thread(void **state)
{
    (void)state;
    Fixture f;
    start(&f);
    static Rpc rpcs[N_CALLS];
    static const char *const requests[] = { "four", "bad", "a longer one" };
    for (int i = 0; i < N_CALLS; i++)
        rpc_start(&rpcs[i], f.channel, "/t.S/Later", requests[i % 3], strlen(requests[i % 3]), 0);
    for (int i = 0; i < N_CALLS; i++) {
        bool is_bad = i % 3 == 1;
        assert_int_equal(rpc_wait(&rpcs[i]),
                         is_bad ? GRPC_STATUS_INVALID_ARGUMENT : GRPC_STATUS_OK);
        if (is_bad)
            assert_true(rpc_details_are(&rpcs[i], "that is bad"));
        else
            rpc_assert_reply(&rpcs[i], requests[i % 3], strlen(requests[i % 3]));
        rpc_done(&rpcs[i]);
    }
    assert_int_equal(atomic_load(&n_gone), 0);
    stop(&f, GRACE_MS);
}

static void test_client_goes(void **state)
{
    (void)state;
    Fixture f;
    Rpc cancelled, late, kept;
    start(&f);
    hold(true);
    rpc_start(&cancelled, f.channel, "/t.S/Later", "four", 4, 0);
    rpc_start(&kept, f.channel, "/t.S/Later", "kept", 4, 0);
    rpc_start(&late, f.channel, "/t.S/Later", "late", 4, 300);
    wait_for_later(3);
    grpc_call_cancel(cancelled.call, NULL);
    assert_int_equal(rpc_wait(&cancelled), GRPC_STATUS_CANCELLED);
    assert_int_equal(rpc_wait(&late), GRPC_STATUS_DEADLINE_EXCEEDED);
    while (atomic_load(&n_gone) < 2) /* the server hears of it a moment later */
        usleep(1000);
    hold(false);
    assert_int_equal(rpc_wait(&kept), GRPC_STATUS_OK);
    rpc_done(&cancelled);
    rpc_done(&kept);
    rpc_done(&late);
    stop(&f, GRACE_MS);
    assert_int_equal(atomic_load(&n_gone), 2);
}

/* Clients that go just when they are answered. */
static void test_both_at_once(void **state)
{
    (void)state;
    Fixture f;
    start(&f);
    for (int i = 0; i < N_CALLS; i++) {
        Rpc rpc;
        rpc_start(&rpc, f.channel, "/t.S/Later", "four", 4, 0);
        wait_for_later(i + 1);
        grpc_call_cancel(rpc.call, NULL);
        grpc_status_code status = rpc_wait(&rpc);
        assert_true(status == GRPC_STATUS_OK || status == GRPC_STATUS_CANCELLED);
        rpc_done(&rpc);
    }
    stop(&f, GRACE_MS);
}

static void test_stop(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    start(&f);
    hold(true);
    rpc_start(&rpc, f.channel, "/t.S/Later", "four", 4, 0);
    wait_for_later(1);
    stop(&f, 50); /* the client never goes by itself, nor does the other thread answer */
    assert_int_equal(atomic_load(&n_gone), 1);
    assert_int_not_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ended_by_another_thread),
        cmocka_unit_test(test_client_goes),
        cmocka_unit_test(test_both_at_once),
        cmocka_unit_test(test_stop),
    };
    grpc_init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    grpc_shutdown_blocking();
    return failed;
}
