/* SPDX-License-Identifier: Apache-2.0
 *
 * Running plans: that memory which is shared and placed anew gives the answers that it gives when
 * nothing is shared; that a warm run allocates nothing; limits, deadlines, dead plans.
 */
#include "model/plan/frame.h"
#include "tests/support/check.h"
#include "tests/support/count_malloc.h"
#include "tests/support/plan_runner.h"

#define N_NODES 40
#define N_OUTPUTS 4
#define MAX_ELEMENTS 4096

/* ---- random graphs ------------------------------------------------------------------------- */

/* What node i computes: kinds 0 Neg, 1 AddV2, 2 Sub, 3 Reshape (an alias), 4 Relu. */
typedef struct RandomNode {
    int kind, a, b;
} RandomNode;

/* Node 0 is fed. Writes the graph's text and the outputs' names. */
static void make_random(RandomNode *nodes, char *text, size_t text_bytes, char *outputs,
                        size_t outputs_bytes, int *output_nodes)
{
    static const char *const formats[] = {
        "n%d: Neg(n%d) T=float\n", "n%d: AddV2(n%d, n%d) T=float\n", "n%d: Sub(n%d, n%d) T=float\n",
        "n%d: Reshape(n%d, flat) T=float Tshape=int32\n", "n%d: Relu(n%d) T=float\n"
    };
    size_t at = (size_t)snprintf(text, text_bytes,
                                 "flat: Const() dtype=int32 value=i[-1]\n"
                                 "n0: Placeholder() dtype=float\n");
    for (int i = 1; i < N_NODES; i++) {
        int reach = i < 6 ? i : 6; /* mostly chains, so that much is dead soon */
        nodes[i] = (RandomNode){ rand() % 5, i - 1 - rand() % reach, i - 1 - rand() % reach };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        at += (size_t)snprintf(text + at, text_bytes - at, formats[nodes[i].kind], i, nodes[i].a,
                               nodes[i].b);
#pragma GCC diagnostic pop
    }
    outputs[0] = '\0';
    for (int i = 0; i < N_OUTPUTS; i++) {
        output_nodes[i] = i == 0 ? N_NODES - 1 : rand() % N_NODES;
        size_t end = strlen(outputs);
        snprintf(outputs + end, outputs_bytes - end, "%sn%d:0", i > 0 ? "," : "", output_nodes[i]);
    }
}

static void compute_random(const RandomNode *nodes, const float *x, int n,
                           float (*values)[MAX_ELEMENTS])
{
    memcpy(values[0], x, (size_t)n * sizeof(float));
    for (int i = 1; i < N_NODES; i++) {
        for (int k = 0; k < n; k++) {
            float a = values[nodes[i].a][k], b = values[nodes[i].b][k];
            values[i][k] = nodes[i].kind == 0   ? -a
                           : nodes[i].kind == 1 ? a + b
                           : nodes[i].kind == 2 ? a - b
                           : nodes[i].kind == 3 ? a
                                                : (a > 0 ? a : 0);
        }
    }
}

static void test_random_graphs(_unused_ void **state)
{
    static const int sizes[] = { 3, 3, 700, 700, 64, 1, 0, 4096, 2, 4096 };
    static float values[N_NODES][MAX_ELEMENTS], x[MAX_ELEMENTS];
    srand(7);
    for (int round = 0; round < 60; round++) {
        RandomNode nodes[N_NODES];
        char text[8192], outputs[64];
        int output_nodes[N_OUTPUTS];
        PlanRunner runner;
        make_random(nodes, text, sizeof text, outputs, sizeof outputs, output_nodes);
        assert_ok(plan_runner_init(&runner, text));
        assert_ok(plan_runner_compile(&runner, "n0:0", outputs));
        for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
            const Shape shape = shape_of(sizes[s]);
            const Tensor feed = tensor_view(DT_FLOAT, &shape, x);
            Tensor got[N_OUTPUTS];
            for (int k = 0; k < sizes[s]; k++)
                x[k] = (float)(rand() % 100 - 50);
            compute_random(nodes, x, sizes[s], values);
            assert_ok(plan_runner_run(&runner, &feed, got));
            for (int i = 0; i < N_OUTPUTS; i++) {
                assert_int_equal(got[i].n, sizes[s]);
                assert_int_equal((uintptr_t)got[i].data % sizeof(float), 0);
                for (int k = 0; k < sizes[s]; k++)
                    if (((float *)got[i].data)[k] != values[output_nodes[i]][k])
                        fail_msg("round %d, size %d: n%d[%d] differs in\n%s", round, sizes[s],
                                 output_nodes[i], k, text);
            }
        }
        plan_runner_done(&runner);
    }
}

/* ---- memory -------------------------------------------------------------------------------- */

#define CHAIN                                                                                      \
    "x: Placeholder() dtype=float\na: Relu(x) T=float\nb: AddV2(a, a) T=float\n"                   \
    "c: Mul(b, a) T=float\nd: Softmax(c) T=float\ne: Neg(d) T=float\n"

static Tensor vector(float *data, int64_t n)
{
    const Shape shape = shape_of(1, n);
    return tensor_view(DT_FLOAT, &shape, data);
}

static void test_warm_runs_allocate_nothing(_unused_ void **state)
{
    static float x[1000];
    PlanRunner runner;
    Tensor output;
    assert_ok(plan_runner_init(&runner, CHAIN));
    assert_ok(plan_runner_compile(&runner, "x:0", "e:0"));
    Tensor large = vector(x, 1000), small = vector(x, 10);
    assert_ok(plan_runner_run(&runner, &large, &output)); /* learns */
    assert_ok(plan_runner_run(&runner, &large, &output)); /* places */
    long before = count_malloc();
    for (int i = 0; i < 5; i++) {
        assert_ok(plan_runner_run(&runner, &large, &output));
        assert_ok(plan_runner_run(&runner, &small, &output));
    }
    assert_int_equal(count_malloc(), before);
    plan_runner_done(&runner);
}

/* Five values of 400 KB, at most three needed at once. */
static void test_slab_is_as_large_as_needed(_unused_ void **state)
{
    static float x[100000];
    PlanRunner runner;
    Tensor output;
    assert_ok(plan_runner_init(&runner, CHAIN));
    assert_ok(plan_runner_compile(&runner, "x:0", "e:0"));
    Tensor feed = vector(x, 100000);
    for (int i = 0; i < 3; i++)
        assert_ok(plan_runner_run(&runner, &feed, &output));
    assert_true(scratch_bytes(runner.scratch) >= 400000);
    assert_true(scratch_bytes(runner.scratch) <= 3 * 400000 + 4096);
    plan_runner_done(&runner);
}

static void test_trim_forgets_dead_plans(_unused_ void **state)
{
    static float x[100000];
    PlanRunner runner;
    Tensor output;
    assert_ok(plan_runner_init(&runner, CHAIN));
    assert_ok(plan_runner_compile(&runner, "x:0", "e:0"));
    Tensor feed = vector(x, 100000);
    for (int i = 0; i < 2; i++)
        assert_ok(plan_runner_run(&runner, &feed, &output));
    scratch_trim(runner.scratch);
    assert_true(scratch_bytes(runner.scratch) > 0); /* the plan is there */
    plan_retire(runner.plan);
    runner.plan = NULL;
    scratch_trim(runner.scratch);
    assert_int_equal(scratch_bytes(runner.scratch), 0);
    assert_null(runner.scratch->frames);
    /* and a plan that comes at the same address is another one */
    assert_ok(plan_runner_compile(&runner, "x:0", "b:0"));
    assert_ok(plan_runner_run(&runner, &feed, &output));
    plan_runner_done(&runner);
}

/* A row and a column make a matrix: 64 GB of it, and then 4 MB where 3 are allowed. */
static void test_limit(_unused_ void **state)
{
    static float x[1 << 17];
    PlanRunner runner;
    Tensor output;
    assert_ok(plan_runner_init(&runner, "a: Placeholder() dtype=float\n"
                                        "b: Placeholder() dtype=float\n"
                                        "c: AddV2(a, b) T=float\nd: Neg(c) T=float\n"));
    assert_ok(plan_runner_compile(&runner, "a:0,b:0", "d:0"));
    const Shape row = shape_of(1, 1 << 17), column = shape_of(1 << 17, 1);
    Tensor feeds[] = { tensor_view(DT_FLOAT, &row, x), tensor_view(DT_FLOAT, &column, x) };
    assert_error(plan_runner_run(&runner, feeds, &output), ERROR_RESOURCE_EXHAUSTED,
                 "working memory\n\t [[{{node c}}]]");
    const Shape short_row = shape_of(1, 1 << 10), short_column = shape_of(1 << 10, 1);
    feeds[0] = tensor_view(DT_FLOAT, &short_row, x);
    feeds[1] = tensor_view(DT_FLOAT, &short_column, x);
    runner.scratch->max_bytes = (size_t)3 << 20;
    assert_error(plan_runner_run(&runner, feeds, &output), ERROR_RESOURCE_EXHAUSTED,
                 "the limit of 3145728 bytes");
    feeds[0] = vector(x, 3);
    feeds[1] = vector(x, 3);
    for (int i = 0; i < 3; i++) { /* nothing is broken by that */
        assert_ok(plan_runner_run(&runner, feeds, &output));
        assert_int_equal(output.n, 3);
    }
    plan_runner_done(&runner);
}

/* ---- errors -------------------------------------------------------------------------------- */

static void test_deadline(_unused_ void **state)
{
    float x[4] = { 0 };
    PlanRunner runner;
    Tensor output;
    assert_ok(plan_runner_init(&runner, CHAIN));
    assert_ok(plan_runner_compile(&runner, "x:0", "e:0"));
    Tensor feed = vector(x, 4);
    PlanRun run = { .plan = runner.plan,
                    .feeds = &feed,
                    .deadline_ns = 1,
                    .scratch = runner.scratch,
                    .arena = runner.run_arena };
    assert_error(plan_run(&run, &output), ERROR_DEADLINE_EXCEEDED,
                 "the deadline passed before node 'a' could run");
    run.deadline_ns = UINT64_MAX;
    assert_ok(plan_run(&run, &output));
    plan_runner_done(&runner);
}

static void test_errors_name_the_node(_unused_ void **state)
{
    float x[5] = { 0 };
    PlanRunner runner;
    Tensor outputs[1];
    assert_ok(plan_runner_init(&runner, "x: Placeholder() dtype=float\n"
                                        "y: Placeholder() dtype=float shape=<?,2>\n"
                                        "z: AddV2(x, y) T=float\n"
                                        "call: f(x, y)\n"
                                        "def f(a: float, b: float) -> (c: float = m:z:0)\n"
                                        "m: Mul(a, b) T=float\nend\n"));
    assert_ok(plan_runner_compile(&runner, "x:0,y:0", "call:0"));
    const Shape two = shape_of(2), three = shape_of(3);
    const Tensor feeds[] = { tensor_view(DT_FLOAT, &two, x), tensor_view(DT_FLOAT, &three, x) };
    assert_error(plan_runner_run(&runner, feeds, outputs), ERROR_INVALID_ARGUMENT,
                 "Incompatible shapes: [2] vs. [3]\n\t [[{{node call/m}}]]");
    assert_ok(plan_runner_compile(&runner, "x:0", "z:0"));
    assert_error(plan_runner_run(&runner, feeds, outputs), ERROR_INVALID_ARGUMENT,
                 "You must feed a value for placeholder tensor 'y' with dtype float and shape "
                 "[?,2]\n\t [[{{node y}}]]");
    plan_runner_done(&runner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_warm_runs_allocate_nothing),
        cmocka_unit_test(test_slab_is_as_large_as_needed),
        cmocka_unit_test(test_trim_forgets_dead_plans),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_errors_name_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
