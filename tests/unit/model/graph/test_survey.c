/* SPDX-License-Identifier: Apache-2.0
 *
 * Survey: counts what signatures reach and nothing else, each node once but calls anew, and finds
 * all ops that are unknown, where import stops at the first.
 */
#include "model/graph/survey.h"
#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

#define X "x: Placeholder() dtype=float\n"
#define DOUBLE                                                                                     \
    "def double(a: float) -> (b: float = m:z:0) ^effect\n"                                         \
    "m: AddV2(a, a) T=float\n"                                                                     \
    "effect: Quux(a) T=float\n"                                                                    \
    "unused: Neg(a) T=float\n"                                                                     \
    "end\n"

static const struct {
    const char *what, *text, *feed, *outputs[2], *wanted; /* "Op*nodes", '!' when unknown */
} rows[] = {
    { "what is reached only",
      X "y: Neg(x) T=float\nz: Frobnicate(y) T=float\n",
      "x:0",
      { "y:0" },
      "Neg*1 " },
    { "all that are unknown",
      X "y: Foo(x) T=float\nz: Bar(y) T=float\nw: Foo(z) T=float\n",
      "x:0",
      { "w:0" },
      "Bar*1! Foo*2! " },
    { "shared by two outputs",
      X "y: Neg(x) T=float\nz: Neg(y) T=float\nw: Exp(y) T=float\n",
      "x:0",
      { "z:0", "w:0" },
      "Exp*1 Neg*2 " },
    { "not fed", X "y: Neg(x) T=float\n", NULL, { "y:0" }, "Neg*1 Placeholder*1 " },
    { "a feed in the middle",
      X "y: Foo(x) T=float\nz: Neg(y) T=float\n",
      "y:0",
      { "z:0" },
      "Neg*1 " },
    { "controls", X "y: Neg(x, ^c) T=float\nc: Foo() \n", "x:0", { "y:0" }, "Foo*1! Neg*1 " },
    { "functions, effects as well",
      X "p: PartitionedCall(x) f=@double Tin=[float] Tout=[float]\n"
        "q: PartitionedCall(p) f=@double Tin=[float] Tout=[float]\n" DOUBLE,
      "x:0",
      { "q:0" },
      "AddV2*2 Quux*2! " },
    { "a call that is only waited for",
      X "p: PartitionedCall(x) f=@double Tin=[float] Tout=[float]\n"
        "y: Neg(x, ^p) T=float\n" DOUBLE,
      "x:0",
      { "y:0" },
      "AddV2*1 Neg*1 Quux*1! " },
    { "bodies that attributes name",
      X "p: Mumble(x) then_branch=@double else_branch=@double T=float\n" DOUBLE,
      "x:0",
      { "p:0" },
      "AddV2*1 Mumble*1! Neg*1 Quux*1! " },
};

static void describe(const SurveyOp *ops, size_t n, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, size - at, "%s*%zu%s ", ops[i].name, ops[i].n_nodes,
                               ops[i].is_supported ? "" : "!");
}

static void test_counts(_unused_ void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        PlanRunner runner;
        const GraphFeed feed = { rows[i].feed, DT_FLOAT };
        const GraphRequest request = { .feeds = &feed,
                                       .n_feeds = rows[i].feed != NULL,
                                       .outputs = rows[i].outputs,
                                       .n_outputs = rows[i].outputs[1] != NULL ? 2 : 1 };
        const GraphRequest twice[] = { request, request };
        char text[256];
        assert_ok(plan_runner_init(&runner, rows[i].text));
        for (size_t n = 1; n <= 2; n++) { /* what two signatures share is counted once */
            SurveyOp *ops = NULL;
            size_t n_ops = 0;
            assert_ok(survey(runner.library, runner.arena, n, twice, &ops, &n_ops));
            describe(ops, n_ops, text, sizeof text);
            if (strcmp(text, rows[i].wanted) != 0)
                fail_msg("%s: got %s, wanted %s", rows[i].what, text, rows[i].wanted);
        }
        plan_runner_done(&runner);
    }
}

static void test_names_the_first_node(_unused_ void **state)
{
    static const char *const output = "p:0";
    const GraphRequest request = { .outputs = &output, .n_outputs = 1 };
    PlanRunner runner;
    SurveyOp *ops = NULL;
    size_t n = 0;
    assert_ok(plan_runner_init(
        &runner, X "p: PartitionedCall(x) f=@double Tin=[float] Tout=[float]\n" DOUBLE));
    assert_ok(survey(runner.library, runner.arena, 1, &request, &ops, &n));
    assert_int_equal(n, 3);
    assert_string_equal(ops[2].name, "Quux");
    assert_string_equal(ops[2].node, "p/effect");
    plan_runner_done(&runner);
}

static void test_errors(_unused_ void **state)
{
    static const struct {
        const char *text;
        ErrorCode code;
        const char *error;
    } wrong[] = {
        { "y: Neg(z) T=float\n", ERROR_NOT_FOUND, "there is no node 'z'" },
        { "z: Neg() T=float\n", ERROR_NOT_FOUND, "there is no node 'y'" },
        { "y: Mumble() then_branch=@gone\n", ERROR_NOT_FOUND, "no function 'gone'" },
    };
    static const char *const output = "y:0";
    const GraphRequest request = { .outputs = &output, .n_outputs = 1 };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        PlanRunner runner;
        SurveyOp *ops = NULL;
        size_t n = 0;
        assert_ok(plan_runner_init(&runner, wrong[i].text));
        assert_error(survey(runner.library, runner.arena, 1, &request, &ops, &n), wrong[i].code,
                     wrong[i].error);
        assert_null(ops);
        plan_runner_done(&runner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_names_the_first_node),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
