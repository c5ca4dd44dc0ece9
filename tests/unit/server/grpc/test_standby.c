/* SPDX-License-Identifier: Apache-2.0
 *
 * While all threads compute, the control queue answers. The server is in a process of its own: a
 * client in the same process would read the network for it.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/grpc/server.h"
#include "tests/support/check.h"
#include "tests/unit/server/grpc/rpc.h"

#define N_CALLS 20

static int entered[2], leave[2]; /* pipes: of the server, to the server */
static int port[2];              /* pipe: the port once it is open */

static void reply_empty(Call *call)
{
    assert_non_null(call_reply_begin(call, 0));
    call_reply_send(call);
}

static void block(Call *call, void *context)
{
    (void)context;
    char c = 'x';
    if (write(entered[1], &c, 1) != 1 || read(leave[0], &c, 1) != 1)
        _exit(EXIT_FAILURE);
    reply_empty(call);
}

static void answer(Call *call, void *context)
{
    (void)context;
    reply_empty(call);
}

/* Serves on any free port until it is killed. */
static void serve(void)
{
    static const Method methods[] = {
        { "/t.T/Block", METHOD_UNARY, METHOD_COMPUTE, block },
        { "/t.C/Answer", METHOD_UNARY, METHOD_CONTROL, answer },
    };
    static void *const contexts[] = { NULL, NULL };
    for (int p = 20000 + getpid() % 10000; p < 65536; p++) {
        Server *server;
        Error *error = server_start(&(ServerOptions){ .listen = { .port = p },
                                                      .methods = methods,
                                                      .n_methods = ARRAY_SIZE(methods),
                                                      .n_threads = ARRAY_SIZE(contexts),
                                                      .contexts = contexts,
                                                      .max_calls_per_thread = 100,
                                                      .max_call_bytes = 4096,
                                                      .max_receive_bytes = 4096 },
                                    &server);
        if (error == NULL) {
            if (write(port[1], &p, sizeof(p)) == sizeof(p))
                for (;;)
                    pause();
            break;
        }
        error_free(error);
    }
    _exit(EXIT_FAILURE);
}

static void test_control_answers_while_all_compute(void **state)
{
    (void)state;
    assert_int_equal(pipe(entered) | pipe(leave) | pipe(port), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* else it outlives a test that fails */
        serve();
    }
    int p;
    char c = 'x';
    assert_int_equal(read(port[0], &p, sizeof(p)), sizeof(p));
    grpc_init();
    grpc_channel *channel = rpc_channel(p);
    Rpc blocked[2], rpc;
    /* Connects: on a channel that is not, a call is sent only once somebody waits for it. */
    rpc_start(&rpc, channel, "/t.C/Answer", "c", 1, 10000);
    assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
    rpc_done(&rpc);
    for (int i = 0; i < 2; i++)
        rpc_start(&blocked[i], channel, "/t.T/Block", "b", 1, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(read(entered[0], &c, 1), 1);
    for (int i = 0; i < N_CALLS; i++) {
        rpc_start(&rpc, channel, "/t.C/Answer", "c", 1, 10000);
        assert_int_equal(rpc_wait(&rpc), GRPC_STATUS_OK);
        rpc_done(&rpc);
    }
    assert_int_equal(write(leave[1], "xx", 2), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rpc_wait(&blocked[i]), GRPC_STATUS_OK);
        rpc_done(&blocked[i]);
    }
    grpc_channel_destroy(channel);
    grpc_shutdown_blocking();
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_answers_while_all_compute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
