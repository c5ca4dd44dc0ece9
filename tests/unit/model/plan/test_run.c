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

typedef struct RandomGraph {
    RandomNode nodes[N_NODES]; /* the first two are fed */
    int outputs[N_OUTPUTS];    /* nodes */
    char text[8192];
    char output_names[64];
} RandomGraph;

typedef struct Values {
    int n; /* 0, 1 (for all elements, as broadcasting has it), or as many as all others */
    float of[MAX_ELEMENTS];
} Values;

static void make_random(RandomGraph *g)
{
    static const char *const formats[] = {
        "n%d: Neg(n%d) T=float\n", "n%d: AddV2(n%d, n%d) T=float\n", "n%d: Sub(n%d, n%d) T=float\n",
        "n%d: Reshape(n%d, flat) T=float Tshape=int32\n", "n%d: Relu(n%d) T=float\n"
    };
    size_t at = (size_t)snprintf(g->text, sizeof g->text,
                                 "flat: Const() dtype=int32 value=i[-1]\n"
                                 "n0: Placeholder() dtype=float\n"
                                 "n1: Placeholder() dtype=float\n");
    for (int i = 2; i < N_NODES; i++) {
        int reach = i < 6 ? i : 6; /* mostly chains, so that much is dead soon */
        RandomNode *node = &g->nodes[i];
        *node = (RandomNode){ rand() % 5, i - 1 - rand() % reach, i - 1 - rand() % reach };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        at += (size_t)snprintf(g->text + at, sizeof g->text - at, formats[node->kind], i, node->a,
                               node->b);
#pragma GCC diagnostic pop
    }
    g->output_names[0] = '\0';
    for (int i = 0; i < N_OUTPUTS; i++) {
        size_t end = strlen(g->output_names);
        g->outputs[i] = i == 0 ? N_NODES - 1 : rand() % N_NODES;
        snprintf(g->output_names + end, sizeof g->output_names - end, "%sn%d:0", i > 0 ? "," : "",
                 g->outputs[i]);
    }
}

static void compute_random(const RandomNode *nodes, Values *values)
{
    for (int i = 2; i < N_NODES; i++) {
        int kind = nodes[i].kind;
        const Values *a = &values[nodes[i].a], *b = &values[nodes[i].b];
        bool has_two = kind == 1 || kind == 2;
        values[i].n = has_two && a->n == 1 ? b->n : a->n;
        for (int k = 0; k < values[i].n; k++) {
            float x = a->of[a->n == 1 ? 0 : k], y = has_two ? b->of[b->n == 1 ? 0 : k] : 0;
            values[i].of[k] = kind == 0   ? -x
                              : kind == 1 ? x + y
                              : kind == 2 ? x - y
                              : kind == 3 ? x
                                          : (x > 0 ? x : 0);
        }
    }
}

static void run_random(const RandomGraph *g, PlanRunner *runner, int n0, int n1)
{
    static Values values[N_NODES];
    Tensor feeds[2], got[N_OUTPUTS];
    values[0].n = n0;
    values[1].n = n1;
    for (int i = 0; i < 2; i++) {
        const Shape shape = shape_of(values[i].n);
        for (int k = 0; k < values[i].n; k++)
            values[i].of[k] = (float)(rand() % 100 - 50);
        feeds[i] = tensor_view(DT_FLOAT, &shape, values[i].of);
    }
    compute_random(g->nodes, values);
    assert_ok(plan_runner_run(runner, feeds, got));
    for (int i = 0; i < N_OUTPUTS; i++) {
        const Values *wanted = &values[g->outputs[i]];
        assert_int_equal(got[i].n, wanted->n);
        for (int k = 0; k < wanted->n; k++)
            if (((float *)got[i].data)[k] != wanted->of[k])
                fail_msg("sizes %d and %d: n%d[%d] differs in\n%s", n0, n1, g->outputs[i], k,
                         g->text);
    }
}

/* The sizes grow and shrink, and which inputs are broadcast changes, and with that whose memory an
 * output may take over. */
static void test_random_graphs(_unused_ void **state)
{
    static const int sizes[][2] = { { 3, 3 },   { 3, 3 },   { 700, 700 },   { 700, 1 },
                                    { 1, 700 }, { 700, 1 }, { 64, 64 },     { 1, 64 },
                                    { 1, 1 },   { 0, 0 },   { 0, 1 },       { 1, 700 },
                                    { 1, 700 }, { 700, 1 }, { 4096, 4096 }, { 2, 2 },
                                    { 4096, 1 } };
    srand(7);
    for (int round = 0; round < 60; round++) {
        RandomGraph g = { .text = "" };
        PlanRunner runner;
        make_random(&g);
        assert_ok(plan_runner_init(&runner, g.text));
        assert_ok(plan_runner_compile(&runner, "n0:0,n1:0", g.output_names));
        for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
            run_random(&g, &runner, sizes[s][0], sizes[s][1]);
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
