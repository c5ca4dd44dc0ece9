/* SPDX-License-Identifier: Apache-2.0
 *
 * TF1's control flow: what it turns into, and what is said of graphs that are not as tf.cond and
 * tf.while_loop build them. That the answers are TensorFlow's is data/op_cases_flow.py.
 */
#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

#define X "x: Placeholder() dtype=float\np: Placeholder() dtype=bool\n"
#define SWITCH "s: Switch(x, p) T=float\n"
#define LOOP                                                                                       \
    X "n: Const() dtype=float value=f(100)\nen: Enter(x) T=float frame_name='f'\n"                 \
      "wn: Enter(n) T=float frame_name='f' is_constant=true\nm: Merge(en, next) N=2 T=float\n"     \
      "less: Less(m, wn) T=float\ncond: LoopCond(less)\ns: Switch(m, cond) T=float\n"              \
      "d: AddV2(s:1, s:1) T=float\nnext: NextIteration(d) T=float\n"

static float x;
static uint8_t p;

static const Tensor *feeds(float value, bool predicate)
{
    static Tensor tensors[2];
    const Shape scalar = shape_of();
    x = value;
    p = predicate;
    tensors[0] = tensor_view(DT_FLOAT, &scalar, &x);
    tensors[1] = tensor_view(DT_BOOL, &scalar, &p);
    return tensors;
}

static float run(PlanRunner *runner, float value, bool predicate)
{
    Tensor output;
    assert_ok(plan_runner_run(runner, feeds(value, predicate), &output));
    return *(const float *)output.data;
}

/* ---- what they become ---------------------------------------------------------------------- */

/* Two Merges of one predicate share an If; what is the same on both sides stays outside of it. */
static void test_merges_share_an_if(_unused_ void **state)
{
    static const char text[] =
        X "e: Exp(x) T=float\n" SWITCH "same: Identity(p) T=bool\nt: Switch(e, same) T=float\n"
          "a: Neg(s:1) T=float\nb: AddV2(t, s) T=float\nm: Merge(b, a) N=2 T=float\n"
          "c: AddV2(t:1, a) T=float\nk: Merge(c, t) N=2 T=float\nout: Sub(m, k) T=float\n";
    PlanRunner runner;
    assert_ok(plan_runner_init(&runner, text));
    assert_ok(plan_runner_compile(&runner, "x:0,p:0", "out:0"));
    assert_int_equal(plan_runner_count(&runner, "If"), 1);
    assert_int_equal(plan_runner_count(&runner, "Exp"), 1);
    assert_int_equal(plan_runner_count(&runner, NULL), 3);
    assert_true(run(&runner, 0, true) == -1);
    assert_true(run(&runner, 0, false) == 0);
    plan_runner_done(&runner);
}

/* The other of the two is not run: it would fail. */
static void test_dead_side_does_not_run(_unused_ void **state)
{
    static const char text[] =
        X SWITCH "bad: Const() dtype=int32 value=i[7]\nr: Reshape(s:1, bad) T=float Tshape=int32\n"
                 "m: Merge(s, r) N=2 T=float\n";
    PlanRunner runner;
    Tensor output;
    assert_ok(plan_runner_init(&runner, text));
    assert_ok(plan_runner_compile(&runner, "x:0,p:0", "m:0"));
    assert_true(run(&runner, 3, false) == 3);
    assert_error(plan_runner_run(&runner, feeds(3, true), &output), ERROR_INVALID_ARGUMENT,
                 "{{node r}}");
    plan_runner_done(&runner);
}

static void test_frame_becomes_a_while(_unused_ void **state)
{
    PlanRunner runner;
    assert_ok(plan_runner_init(&runner, LOOP "out: Exit(s) T=float\n"));
    assert_ok(plan_runner_compile(&runner, "x:0,p:0", "out:0"));
    assert_int_equal(plan_runner_count(&runner, NULL), 1);
    assert_int_equal(plan_runner_count(&runner, "While"), 1);
    assert_true(run(&runner, 3, true) == 192);
    assert_true(run(&runner, 100, true) == 100);
    plan_runner_done(&runner);
}

/* Two calls of a function have two loops, though their frames have one name. */
static void test_calls_have_their_own_frames(_unused_ void **state)
{
    static const char text[] =
        X "a: PartitionedCall(x) f=@f Tin=[float] Tout=[float]\n"
          "b: PartitionedCall(a) f=@f Tin=[float] Tout=[float]\n"
          "c: PartitionedCall(x) f=@f Tin=[float] Tout=[float]\nout: Sub(b, c) T=float\n"
          "def f(x: float) -> (y: float = out:output:0)\n"
          "n: Const() dtype=float value=f(100)\nen: Enter(x) T=float frame_name='f'\n"
          "wn: Enter(n:output:0) T=float frame_name='f' is_constant=true\n"
          "m: Merge(en:output:0, next:output:0) N=2 T=float\n"
          "less: Less(m:output:0, wn:output:0) T=float\ncond: LoopCond(less:z:0)\n"
          "s: Switch(m:output:0, cond:output:0) T=float\n"
          "d: AddV2(s:output_true:0, s:output_true:0) T=float\nnext: NextIteration(d:z:0) T=float\n"
          "out: Exit(s:output_false:0) T=float\nend\n";
    PlanRunner runner;
    assert_ok(plan_runner_init(&runner, text));
    assert_ok(plan_runner_compile(&runner, "x:0,p:0", "out:0"));
    assert_int_equal(plan_runner_count(&runner, "While"), 3);
    assert_true(run(&runner, 3, true) == 0);
    plan_runner_done(&runner);
}

/* ---- errors -------------------------------------------------------------------------------- */

static void test_malformed(_unused_ void **state)
{
    static const struct {
        const char *text, *output, *error;
    } cases[] = {
        { X SWITCH "out: Neg(s:1) T=float\n", "out:0",
          "node 's' (Switch): what it gives is not there in every run" },
        { X SWITCH "m: Merge(s, x) N=2 T=float\n", "m:0",
          "node 'm' (Merge): its inputs must be the two sides of one predicate" },
        { X SWITCH "m: Merge(s, s) N=2 T=float\n", "m:0",
          "node 'm' (Merge): its inputs must be the two sides of one predicate" },
        { X SWITCH "m: Merge(s, s:1, x) N=3 T=float\n", "m:0",
          "node 'm' (Merge): its inputs must be the two sides of one predicate" },
        { X SWITCH "both: AddV2(s, s:1) T=float\nt: Switch(x, p) T=float\n"
                   "m: Merge(both, t:1) N=2 T=float\n",
          "m:0", "both of its outputs are needed at once" },
        { X "s: Switch(x, x) T=float\nm: Merge(s, s:1) N=2 T=float\n", "m:0",
          "node 's' (Switch): input 1 is float, but must be bool" },
        { X "s: Switch(x) T=float\nm: Merge(s, s:1) N=2 T=float\n", "m:0",
          "node 's' (Switch): it has 1 inputs, but must have 2" },
        { X "out: Exit(x) T=float\n", "out:0", "node 'out' (Exit): what it gives is not there" },
        { X "next: NextIteration(x) T=float\n", "next:0", "node 'next' (NextIteration): what it" },
        { X "en: Enter(x) T=float frame_name='f'\nout: Exit(en) T=float\n", "out:0",
          "node 'out' (Exit): its frame has no LoopCond" },
        { LOOP "out: Exit(m) T=float\n", "out:0",
          "node 'out' (Exit): its input must be output 0 of a Switch of the loop" },
        { LOOP "out: Exit(s:1) T=float\n", "out:0",
          "node 'out' (Exit): its input must be output 0 of a Switch of the loop" },
        { LOOP "out: Neg(s) T=float\n", "out:0",
          "node 'out' (Neg): it is in a loop and no Exit leads" },
        { LOOP "more: LoopCond(less)\nt: Switch(m, more) T=float\na: AddV2(s, t) T=float\n"
               "out: Exit(a) T=float\n",
          "out:0", "(LoopCond) is not the only one of its frame" },
        { LOOP "other: Enter(x) T=float frame_name='g'\na: AddV2(s, other) T=float\n"
               "out: Exit(a) T=float\n",
          "out:0", "hangs together with" },
        { X "a: AddV2(x, b) T=float\nb: Neg(a) T=float\n" SWITCH
            "m: Merge(s, s:1) N=2 T=float\nout: AddV2(m, a) T=float\n",
          "out:0", "the graph has a cycle" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PlanRunner runner;
        assert_ok(plan_runner_init(&runner, cases[i].text));
        assert_error(plan_runner_compile(&runner, "x:0,p:0", cases[i].output),
                     ERROR_INVALID_ARGUMENT, cases[i].error);
        plan_runner_done(&runner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges_share_an_if),
        cmocka_unit_test(test_dead_side_does_not_run),
        cmocka_unit_test(test_frame_becomes_a_while),
        cmocka_unit_test(test_calls_have_their_own_frames),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
