/* SPDX-License-Identifier: Apache-2.0
 *
 * Chats and subscriptions over real connections: what their clients see, and that nothing is left
 * of those that have gone.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "server/grpc/server.h"
#include "tests/support/check.h"
#include "tests/unit/server/grpc/rpc.h"

#define GRACE_MS 20000
#define MAX_CALLS 20
#define MAX_STREAMS (MAX_CALLS / 2)

/* ---- methods --------------------------------------------------------------------------------- */

static atomic_int value; /* what subscriptions tell */
static atomic_int n_runs;

static void reply_text(Call *call, const char *text, size_t bytes)
{
    uint8_t *out = call_reply_begin(call, bytes);
    assert_non_null(out);
    if (bytes > 0)
        memcpy(out, text, bytes);
    call_reply_send(call);
}

/* Repeats its request behind the value. */
static void tell(Call *call, void *context)
{
    (void)context;
    Bytes request = call_request(call);
    char *text = arena_printf(call_arena(call), "%d:%.*s", atomic_load(&value), (int)request.size,
                              (const char *)request.data);
    assert_non_null(text);
    atomic_fetch_add(&n_runs, 1);
    reply_text(call, text, strlen(text));
}

static void echo(Call *call, void *context)
{
    (void)context;
    Bytes request = call_request(call);
    if (request.size == 3 && memcmp(request.data, "bad", 3) == 0)
        call_reply_error(call, error_new(ERROR_INVALID_ARGUMENT, "that is bad"));
    else
        reply_text(call, (const char *)request.data, request.size);
}

static const Method table[] = {
    { "/t.S/Subscribe", METHOD_SUBSCRIPTION, METHOD_CONTROL, tell },
    { "/t.S/Chat", METHOD_CHAT, METHOD_CONTROL, echo },
    { "/t.S/Echo", METHOD_UNARY, METHOD_CONTROL, echo },
};

/* ---- server and client ------------------------------------------------------------------------- */

typedef struct Fixture {
    Server *server;
    grpc_channel *channel;
} Fixture;

static void start(Fixture *f)
{
    static void *const contexts[] = { NULL };
    int port = rpc_free_port();
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
    atomic_store(&value, 0);
    atomic_store(&n_runs, 0);
}

static void stop(Fixture *f)
{
    assert_true(server_stop(f->server, GRACE_MS));
    server_free(f->server);
    grpc_channel_destroy(f->channel);
}

static void change(Fixture *f, int to)
{
    atomic_store(&value, to);
    server_notify(f->server);
}

/* Runs one batch of a client's stream. False when it failed. */
static bool run(Rpc *rpc, const grpc_op *ops, size_t n)
{
    int tag;
    assert_int_equal(grpc_call_start_batch(rpc->call, ops, n, &tag, NULL), GRPC_CALL_OK);
    gpr_timespec until =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(20, GPR_TIMESPAN));
    grpc_event event = grpc_completion_queue_pluck(rpc->cq, &tag, until, NULL);
    assert_int_equal(event.type, GRPC_OP_COMPLETE);
    return event.success != 0;
}

static void open_stream(Rpc *rpc, Fixture *f, const char *path)
{
    *rpc = (Rpc){ .cq = grpc_completion_queue_create_for_pluck(NULL) };
    grpc_metadata_array_init(&rpc->initial);
    grpc_metadata_array_init(&rpc->trailing);
    rpc->call = grpc_channel_create_call(f->channel, NULL, GRPC_PROPAGATE_DEFAULTS, rpc->cq,
                                         grpc_slice_from_static_string(path), NULL,
                                         gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    const grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };
    assert_true(run(rpc, &op, 1));
}

static void say(Rpc *rpc, const char *text, size_t bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(text, bytes);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };
    op.data.send_message.send_message = message;
    assert_true(run(rpc, &op, 1));
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(slice);
}

static void say_no_more(Rpc *rpc)
{
    const grpc_op op = { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };
    assert_true(run(rpc, &op, 1));
}

/* Waits for the next message. False when there is none. */
static bool receive(Rpc *rpc)
{
    grpc_op ops[2] = { { .op = GRPC_OP_RECV_MESSAGE }, { .op = GRPC_OP_RECV_INITIAL_METADATA } };
    ops[0].data.recv_message.recv_message = &rpc->reply;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &rpc->initial;
    bool is_first = !rpc->has_begun;
    rpc->has_begun = true;
    run(rpc, ops, is_first ? 2 : 1);
    return rpc->reply != NULL;
}

static void forget_reply(Rpc *rpc)
{
    grpc_byte_buffer_destroy(rpc->reply);
    rpc->reply = NULL;
}

/* The next message is `text`, or there is none for NULL. */
static void expect(Rpc *rpc, const char *text)
{
    assert_int_equal(receive(rpc), text != NULL);
    if (text != NULL) {
        rpc_assert_reply(rpc, text, strlen(text));
        forget_reply(rpc);
    }
}

/* Reads what is left, which the status stands behind. */
static grpc_status_code end(Rpc *rpc)
{
    while (receive(rpc))
        forget_reply(rpc);
    grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };
    op.data.recv_status_on_client.trailing_metadata = &rpc->trailing;
    op.data.recv_status_on_client.status = &rpc->status;
    op.data.recv_status_on_client.status_details = &rpc->details;
    run(rpc, &op, 1);
    grpc_status_code status = rpc->status;
    rpc_done(rpc);
    return status;
}

static void subscribe(Rpc *rpc, Fixture *f, const char *text)
{
    open_stream(rpc, f, "/t.S/Subscribe");
    say(rpc, text, strlen(text));
    say_no_more(rpc);
}

static void cancel(Rpc *rpc)
{
    grpc_call_cancel(rpc->call, NULL);
    assert_int_equal(end(rpc), GRPC_STATUS_CANCELLED);
}

/* ---- subscriptions --------------------------------------------------------------------------- */

static void test_each_change_is_sent(void **state)
{
    (void)state;
    Fixture f;
    Rpc a, b;
    start(&f);
    subscribe(&a, &f, "a");
    subscribe(&b, &f, "b");
    expect(&a, "0:a");
    expect(&b, "0:b");
    char text[16];
    for (int i = 1; i < 100; i++) {
        change(&f, i);
        snprintf(text, sizeof(text), "%d:a", i);
        expect(&a, text);
        text[strlen(text) - 1] = 'b';
        expect(&b, text);
    }
    cancel(&a);
    change(&f, 100);
    expect(&b, "100:b");
    cancel(&b);
    stop(&f);
}

static void test_what_is_the_same_is_not_sent(void **state)
{
    (void)state;
    Fixture f;
    Rpc a;
    start(&f);
    subscribe(&a, &f, "a");
    expect(&a, "0:a");
    for (int i = 2; i < 20; i++) {
        server_notify(f.server);
        while (atomic_load(&n_runs) < i)
            usleep(100);
    }
    change(&f, 1);
    expect(&a, "1:a");
    cancel(&a);
    stop(&f);
}

/* Changes come from another thread while clients come and go. */
static void *changes_main(void *argument)
{
    Fixture *f = argument;
    for (int i = 1; i <= 2000; i++) {
        change(f, i);
        if (i % 16 == 0)
            usleep(500);
    }
    return NULL;
}

static void test_clients_that_go_leave_nothing(void **state)
{
    (void)state;
    Fixture f;
    Rpc last;
    pthread_t thread;
    start(&f);
    subscribe(&last, &f, "last");
    assert_int_equal(pthread_create(&thread, NULL, changes_main, &f), 0);
    /* Many more than may be open at a time. */
    for (int i = 0; i < 20 * MAX_STREAMS; i++) {
        Rpc rpc;
        subscribe(&rpc, &f, "x");
        if (i % 3 == 0)
            cancel(&rpc);
        else if (i % 3 == 1) {
            assert_true(receive(&rpc));
            forget_reply(&rpc);
            cancel(&rpc);
        } else {
            grpc_call_cancel_with_status(rpc.call, GRPC_STATUS_ABORTED, "gone", NULL);
            assert_int_equal(end(&rpc), GRPC_STATUS_ABORTED);
        }
    }
    pthread_join(thread, NULL);
    Rpc rpc;
    rpc_start(&rpc, f.channel, "/t.S/Echo", "e", 1, 20000);
    assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    cancel(&last);
    stop(&f); /* finds no call left, or the test's sanitizer does */
}

static void test_too_many_are_refused(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpcs[MAX_STREAMS], rpc;
    start(&f);
    for (size_t i = 0; i < MAX_STREAMS; i++) {
        subscribe(&rpcs[i], &f, "a");
        expect(&rpcs[i], "0:a");
    }
    subscribe(&rpc, &f, "a");
    assert_int_equal(end(&rpc), GRPC_STATUS_RESOURCE_EXHAUSTED);
    /* There is room for other calls. */
    rpc_start(&rpc, f.channel, "/t.S/Echo", "e", 1, 20000);
    assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    for (size_t i = 0; i < MAX_STREAMS; i++)
        cancel(&rpcs[i]);
    stop(&f);
}

static void test_bad_requests(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    start(&f);
    char *big = calloc(1, 5000);
    open_stream(&rpc, &f, "/t.S/Subscribe");
    say(&rpc, big, 5000);
    say_no_more(&rpc);
    assert_int_equal(end(&rpc), GRPC_STATUS_INVALID_ARGUMENT);
    free(big);
    open_stream(&rpc, &f, "/t.S/Subscribe");
    say_no_more(&rpc);
    assert_int_equal(end(&rpc), GRPC_STATUS_INVALID_ARGUMENT);
    stop(&f);
}

/* The last change is still told. */
static void test_stop_ends_streams(void **state)
{
    (void)state;
    Fixture f;
    Rpc subscriber, chatter;
    start(&f);
    subscribe(&subscriber, &f, "a");
    expect(&subscriber, "0:a");
    open_stream(&chatter, &f, "/t.S/Chat");
    say(&chatter, "hello", 5);
    expect(&chatter, "hello");
    change(&f, 7);
    assert_true(server_stop(f.server, GRACE_MS));
    expect(&subscriber, "7:a");
    expect(&subscriber, NULL);
    assert_int_equal(end(&subscriber), GRPC_STATUS_UNAVAILABLE);
    assert_int_equal(end(&chatter), GRPC_STATUS_UNAVAILABLE);
    server_free(f.server);
    grpc_channel_destroy(f.channel);
}

/* ---- chats ----------------------------------------------------------------------------------- */

static void test_a_chat(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    start(&f);
    open_stream(&rpc, &f, "/t.S/Chat");
    char text[16];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "%d", i);
        say(&rpc, text, strlen(text));
        expect(&rpc, text);
    }
    say(&rpc, "", 0);
    expect(&rpc, "");
    say_no_more(&rpc);
    expect(&rpc, NULL);
    assert_int_equal(end(&rpc), GRPC_STATUS_OK);
    stop(&f);
}

/* All is said before anything is read. */
static void test_a_chat_in_one_go(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    start(&f);
    open_stream(&rpc, &f, "/t.S/Chat");
    for (int i = 0; i < 20; i++)
        say(&rpc, i % 2 == 0 ? "even" : "odd", i % 2 == 0 ? 4 : 3);
    say_no_more(&rpc);
    for (int i = 0; i < 20; i++)
        expect(&rpc, i % 2 == 0 ? "even" : "odd");
    expect(&rpc, NULL);
    assert_int_equal(end(&rpc), GRPC_STATUS_OK);
    stop(&f);
}

static void test_chats_that_end_otherwise(void **state)
{
    (void)state;
    Fixture f;
    Rpc rpc;
    start(&f);
    open_stream(&rpc, &f, "/t.S/Chat"); /* with nothing to say */
    say_no_more(&rpc);
    assert_int_equal(end(&rpc), GRPC_STATUS_OK);
    open_stream(&rpc, &f, "/t.S/Chat"); /* with an error */
    say(&rpc, "good", 4);
    expect(&rpc, "good");
    say(&rpc, "bad", 3);
    expect(&rpc, NULL);
    assert_int_equal(end(&rpc), GRPC_STATUS_INVALID_ARGUMENT);
    open_stream(&rpc, &f, "/t.S/Chat"); /* by its client's going */
    say(&rpc, "good", 4);
    expect(&rpc, "good");
    cancel(&rpc);
    open_stream(&rpc, &f, "/t.S/Chat");
    say(&rpc, "good", 4);
    cancel(&rpc);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_change_is_sent),
        cmocka_unit_test(test_what_is_the_same_is_not_sent),
        cmocka_unit_test(test_clients_that_go_leave_nothing),
        cmocka_unit_test(test_too_many_are_refused),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_stop_ends_streams),
        cmocka_unit_test(test_a_chat),
        cmocka_unit_test(test_a_chat_in_one_go),
        cmocka_unit_test(test_chats_that_end_otherwise),
    };
    return cmocka_run_group_tests(tests, keep_grpc, drop_grpc);
}
