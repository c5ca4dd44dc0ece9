/* SPDX-License-Identifier: Apache-2.0
 *
 * If and While: what their graphs become, what they say when something is wrong, loops that do not
 * end, memory. That the answers are TensorFlow's is tests/unit/model/test_models.c.
 */
#include <time.h>

#include "model/plan/frame.h"
#include "tests/support/check.h"
#include "tests/support/count_malloc.h"
#include "tests/support/plan_runner.h"

#define BRANCHES                                                                                   \
    "def negate(a: float) -> (b: float = n:y:0)\nn: Neg(a) T=float\nend\n"                         \
    "def twice(a: float) -> (b: float = m:z:0)\nm: AddV2(a, a) T=float\nend\n"

/* Doubles `x` n times; `w` goes through the loop unchanged. */
#define LOOP                                                                                       \
    "x: Placeholder() dtype=float\nn: Placeholder() dtype=int32\nzero: Const() dtype=int32 "       \
    "value=i(0)\n"                                                                                 \
    "loop: While(zero, n, x) T=[int32,int32,float] cond=@goes_on body=@step\n"                     \
    "def goes_on(i: int32, n: int32, x: float) -> (c: bool = l:z:0)\nl: Less(i, n) T=int32\nend\n" \
    "def step(i: int32, n: int32, x: float) -> (ii: int32 = p:z:0, nn: int32 = n, xx: float = "    \
    "d:z:0)\n"                                                                                     \
    "one: Const() dtype=int32 value=i(1)\np: AddV2(i, one:output:0) T=int32\n"                     \
    "d: AddV2(x, x) T=float\nend\n"

static Tensor vector(float *data, int64_t n)
{
    const Shape shape = shape_of(n);
    return tensor_view(DT_FLOAT, &shape, data);
}

static Tensor number(int32_t *data)
{
    const Shape shape = shape_of();
    return tensor_view(DT_INT32, &shape, data);
}

static Error *compile(const char *text, const char *feeds, const char *output)
{
    PlanRunner runner;
    Error *error = plan_runner_init(&runner, text);
    if (error == NULL)
        error = plan_runner_compile(&runner, feeds, output);
    plan_runner_done(&runner);
    return error;
}

/* ---- what becomes of them ------------------------------------------------------------------ */

static void test_constant_predicate_is_inlined(_unused_ void **state)
{
    static const struct {
        const char *predicate, *step;
    } cases[] = { { "dtype=int32 value=i(3)", "AddV2" },   { "dtype=int32 value=i(0)", "Neg" },
                  { "dtype=float value=f(0.5)", "AddV2" }, { "dtype=string value=s()", "Neg" },
                  { "dtype=string value=s(a)", "AddV2" },  { "dtype=int32 value=i[0]", "AddV2" } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[1024];
        PlanRunner runner;
        float x = 4;
        Tensor feed = vector(&x, 1), output;
        snprintf(text, sizeof text,
                 "x: Placeholder() dtype=float\np: Const() %s\n"
                 "if: If(p, x) Tcond=%.*s Tin=[float] Tout=[float] then_branch=@twice "
                 "else_branch=@negate\n" BRANCHES,
                 cases[i].predicate, (int)strcspn(cases[i].predicate + 6, " "),
                 cases[i].predicate + 6);
        assert_ok(plan_runner_init(&runner, text));
        assert_ok(plan_runner_compile(&runner, "x:0", "if:0"));
        assert_int_equal(plan_runner_count(&runner, NULL), 1);
        assert_int_equal(plan_runner_count(&runner, cases[i].step), 1);
        assert_ok(plan_runner_run(&runner, &feed, &output));
        assert_true(*(float *)output.data == (strcmp(cases[i].step, "Neg") == 0 ? -4 : 8));
        plan_runner_done(&runner);
    }
}

/* A variable that goes into a loop as a handle is read before the loop is ever run. */
static void test_loop_constants_are_folded(_unused_ void **state)
{
    static const char text[] =
        "x: Placeholder() dtype=float\nv: VarHandleOp() dtype=float shape=<2> shared_name='v'\n"
        "init: AssignVariableOp(v, two) dtype=float\ntwo: Const() dtype=float value=f[2,3]\n"
        "loop: While(x, v) T=[float,resource] cond=@less body=@step\n"
        "def less(x: float, v: resource) -> (c: bool = l:z:0)\n"
        "k: Const() dtype=float value=f(100)\nm: Const() dtype=int32 value=i[0]\n"
        "s: Max(x, m:output:0) T=float Tidx=int32\n"
        "l: Less(s:output:0, k:output:0) T=float\nend\n"
        "def step(x: float, v: resource) -> (xx: float = p:z:0, vv: resource = same:output:0)\n"
        "r: ReadVariableOp(v) dtype=float\np: Mul(x, r:value:0) T=float\n"
        "same: Identity(v) T=resource\nend\n";
    PlanRunner runner;
    float x[] = { 1, 1 };
    Tensor feed = vector(x, 2), output;
    assert_ok(plan_runner_init(&runner, text));
    assert_ok(plan_runner_target(&runner, "init"));
    assert_ok(plan_runner_compile(&runner, "x:0", "loop:0"));
    assert_int_equal(plan_runner_count(&runner, NULL), 1);
    const Plan *body = runner.plan->steps[0].control->plans[WHILE_BODY];
    assert_int_equal(body->n_steps, 1);
    assert_string_equal(body->steps[0].op->name, "Mul");
    assert_true(plan_is_pure(runner.plan));
    for (int i = 0; i < 3; i++) {
        assert_ok(plan_runner_run(&runner, &feed, &output));
        assert_true(((float *)output.data)[0] == 32 && ((float *)output.data)[1] == 243);
    }
    plan_runner_done(&runner);
}

/* ---- memory -------------------------------------------------------------------------------- */

static void test_warm_loops_allocate_nothing(_unused_ void **state)
{
    static float x[1000];
    PlanRunner runner;
    int32_t n = 10;
    Tensor feeds[2] = { vector(x, 1000), number(&n) }, output;
    for (int i = 0; i < 1000; i++)
        x[i] = (float)i;
    assert_ok(plan_runner_init(&runner, LOOP));
    assert_ok(plan_runner_compile(&runner, "x:0,n:0", "loop:2"));
    for (int i = 0; i < 4; i++) /* learns, places the body, places the step */
        assert_ok(plan_runner_run(&runner, feeds, &output));
    long before = count_malloc();
    for (n = 0; n < 12; n++) {
        assert_ok(plan_runner_run(&runner, feeds, &output));
        for (int i = 0; i < 1000; i++)
            assert_true(((float *)output.data)[i] == (float)i * (float)(1 << n));
    }
    assert_int_equal(count_malloc(), before);
    assert_true(scratch_bytes(runner.scratch) < (size_t)5 * sizeof x);
    plan_runner_done(&runner);
}

static void test_limit(_unused_ void **state)
{
    static const char growing[] =
        "x: Placeholder() dtype=float\nloop: While(x) T=[float] cond=@yes body=@grow\n"
        "def yes(x: float) -> (c: float = t:output:0)\nt: Const() dtype=float value=f(1)\nend\n"
        "def grow(x: float) -> (y: float = g:output:0)\na: Const() dtype=int32 value=i(0)\n"
        "g: ConcatV2(x, x, a:output:0) N=2 T=float Tidx=int32\nend\n";
    PlanRunner runner;
    float x[4] = { 0 };
    Tensor feed = vector(x, 4), output;
    assert_ok(plan_runner_init(&runner, growing));
    assert_ok(plan_runner_compile(&runner, "x:0", "loop:0"));
    runner.scratch->max_bytes = (size_t)1 << 20;
    for (int i = 0; i < 3; i++)
        assert_error(plan_runner_run(&runner, &feed, &output), ERROR_RESOURCE_EXHAUSTED,
                     "the limit of 1048576 bytes");
    scratch_trim(runner.scratch);
    assert_true(scratch_bytes(runner.scratch) <= (size_t)1 << 20);
    plan_runner_done(&runner);
}

/* ---- errors -------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The body has no step at all. */
static void test_deadline(_unused_ void **state)
{
    static const char text[] =
        "x: Placeholder() dtype=float\nloop: While(x) T=[float] cond=@yes body=@same\n"
        "out: Neg(loop) T=float\n"
        "def yes(x: float) -> (c: float = t:output:0)\nt: Const() dtype=float value=f(1)\nend\n"
        "def same(x: float) -> (y: float = z:output:0)\nz: Const() dtype=float value=f(2)\nend\n";
    PlanRunner runner;
    float x = 0;
    Tensor feed = vector(&x, 1), output;
    assert_ok(plan_runner_init(&runner, text));
    assert_ok(plan_runner_compile(&runner, "x:0", "out:0"));
    PlanRun run = { .plan = runner.plan,
                    .feeds = &feed,
                    .deadline_ns = now_ns() + 20 * 1000000u,
                    .scratch = runner.scratch,
                    .arena = runner.run_arena };
    assert_error(plan_run(&run, &output), ERROR_DEADLINE_EXCEEDED,
                 "the loop had not ended when the deadline passed\n\t [[{{node loop}}]]");
    plan_runner_done(&runner);
}

static bool count_down(void *data)
{
    return --*(int *)data == 0;
}

/* A loop without a deadline ends when nobody waits for it, also when it is within another. */
static void test_cancel(_unused_ void **state)
{
    static const char text[] =
        "x: Placeholder() dtype=float\nloop: While(x) T=[float] cond=@yes body=@inner\n"
        "def yes(x: float) -> (y: float = t:output:0)\nt: Const() dtype=float value=f(1)\nend\n"
        "def inner(x: float) -> (y: float = w:output:0)\n"
        "w: While(x) T=[float] cond=@yes body=@step\nend\n"
        "def step(x: float) -> (y: float = n:y:0)\nn: Neg(x) T=float\nend\n";
    PlanRunner runner;
    int questions = 3;
    const RunCancel cancel = { count_down, &questions };
    float x = 1;
    Tensor feed = vector(&x, 1), output;
    assert_ok(plan_runner_init(&runner, text));
    assert_ok(plan_runner_compile(&runner, "x:0", "loop:0"));
    PlanRun run = { .plan = runner.plan,
                    .feeds = &feed,
                    .cancel = &cancel,
                    .scratch = runner.scratch,
                    .arena = runner.run_arena };
    uint64_t start = now_ns();
    assert_error(plan_run(&run, &output), ERROR_CANCELLED, "nobody waits for the answer any more");
    assert_int_equal(questions, 0);
    assert_true(now_ns() - start >= (uint64_t)3 * RUN_ASK_NS);
    plan_runner_done(&runner);
}

static void test_wrong_graphs(_unused_ void **state)
{
#define X "x: Placeholder() dtype=float\n"
#define IF X "if: If(x, x) Tcond=float Tin=[float] Tout=[float] "
    static const struct {
        const char *text, *output;
        ErrorCode code;
        const char *error;
    } cases[] = {
        { IF "then_branch=@twice else_branch=@gone\n" BRANCHES, "if:0", ERROR_NOT_FOUND,
          "node 'if' (If): it runs function 'gone', which the bundle does not have" },
        { IF "then_branch=@twice\n" BRANCHES, "if:0", ERROR_INVALID_ARGUMENT,
          "no attribute 'else_branch' that names a function" },
        { IF "then_branch=@twice else_branch=@other\n" BRANCHES
             "def other(a: float) -> (b: int32 = s:output:0)\ns: Size(a) T=float\nend\n",
          "if:0", ERROR_INVALID_ARGUMENT,
          "function 'other' gives int32 as its output 0, which must be float" },
        { IF "then_branch=@twice else_branch=@other\n" BRANCHES
             "def other(a: int32) -> (b: int32 = a)\nend\n",
          "if:0", ERROR_INVALID_ARGUMENT, "gives function 'other' float as its input 0" },
        { IF "then_branch=@twice else_branch=@other\n" BRANCHES
             "def other(a: float, b: float) -> (c: float = a)\nend\n",
          "if:0", ERROR_INVALID_ARGUMENT, "gives function 'other' 1 inputs, which takes 2" },
        { IF "then_branch=@twice else_branch=@other\n" BRANCHES
             "def other(a: float) -> (b: float = o:y:0)\no: Frobnicate(a)\nend\n",
          "if:0", ERROR_UNIMPLEMENTED, "op 'Frobnicate' of node 'if/other/o' is not supported" },
        { IF "then_branch=@twice else_branch=@again\n" BRANCHES
             "def again(a: float) -> (b: float = o:output:0)\n"
             "o: If(a, a) Tcond=float Tin=[float] Tout=[float] then_branch=@twice "
             "else_branch=@again\nend\n",
          "if:0", ERROR_INVALID_ARGUMENT, "functions must not call themselves" },
        { IF "then_branch=@twice else_branch=@again\n" BRANCHES
             "def again(a: float) -> (b: float = c:output:0)\n"
             "c: PartitionedCall(a) f=@middle Tin=[float] Tout=[float]\nend\n"
             "def middle(a: float) -> (b: float = o:output:0)\n"
             "o: StatelessIf(a, a) Tcond=float Tin=[float] Tout=[float] then_branch=@twice "
             "else_branch=@again\nend\n",
          "if:0", ERROR_INVALID_ARGUMENT, "functions must not call themselves" },
        { X "loop: While(x) T=[float] cond=@two body=@twice\n" BRANCHES
            "def two(a: float) -> (b: float = a, c: float = a)\nend\n",
          "loop:0", ERROR_INVALID_ARGUMENT, "function 'two' gives 2 outputs, but must give 1" },
        { X "case: Case(x, x) Tin=[float] Tout=[float]\n", "case:0", ERROR_INVALID_ARGUMENT,
          "no attribute 'branches' that names 1 to 1024 functions" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_error(compile(cases[i].text, "x:0", cases[i].output), cases[i].code, cases[i].error);
}

static void test_errors_name_the_nodes(_unused_ void **state)
{
    PlanRunner runner;
    float x[] = { 1, 2, 3 };
    Tensor feed = vector(x, 3), output;
    assert_ok(plan_runner_init(
        &runner, "x: Placeholder() dtype=float\n"
                 "if: If(x, x) Tcond=float Tin=[float] Tout=[float] then_branch=@bad "
                 "else_branch=@negate\n" BRANCHES "def bad(a: float) -> (b: float = s:z:0)\n"
                 "two: Const() dtype=float value=f[1,2]\ns: AddV2(a, two:output:0) T=float\n"
                 "end\n"));
    assert_ok(plan_runner_compile(&runner, "x:0", "if:0"));
    for (int i = 0; i < 2; i++)
        assert_error(plan_runner_run(&runner, &feed, &output), ERROR_INVALID_ARGUMENT,
                     "\n\t [[{{node if/bad/s}}]]\n\t [[{{node if}}]]");
    plan_runner_done(&runner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant_predicate_is_inlined),
        cmocka_unit_test(test_loop_constants_are_folded),
        cmocka_unit_test(test_warm_loops_allocate_nothing),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_wrong_graphs),
        cmocka_unit_test(test_errors_name_the_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
