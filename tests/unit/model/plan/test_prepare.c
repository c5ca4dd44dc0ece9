/* SPDX-License-Identifier: Apache-2.0
 *
 * What a version holds once its kernels are prepared: a variable that all of its readers have packed
 * is gone, one that somebody still looks at is not; and packed it is once, whoever reads it.
 */
#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

#define SIDE 512
#define WEIGHT_BYTES (SIDE * SIDE * sizeof(float))

/* w [SIDE,SIDE] is full of 0.5, x is [1,SIDE], of ones. */
#define GRAPH                                                                                      \
    "x: Placeholder() dtype=float\nv: VarHandleOp() dtype=float shared_name='w'\n"                 \
    "shape: Const() dtype=int32 value=i[512,512]\nhalf: Const() dtype=float value=f(0.5)\n"        \
    "full: Fill(shape, half) T=float\ninit: AssignVariableOp(v, full) dtype=float\n"               \
    "w: ReadVariableOp(v) dtype=float\nw2: ReadVariableOp(v) dtype=float\n"                        \
    "two: Const() dtype=float value=f(2)\n"                                                        \
    "y: MatMul(x, w) T=float\nr: Relu(y) T=float\n"                                                \
    "z: MatMul(x, w2) T=float\ns: Relu(z) T=float\nt: Neg(s) T=float\n"                            \
    "m: MatMul(x, w2) T=float\nscaled: Mul(m, two) T=float\n"                                      \
    "turned: MatMul(x, w) T=float transpose_b=true\n"                                              \
    "product: Mul(w, x) T=float\n"                                                                 \
    "is: VarIsInitializedOp(v)\nadd: AssignAddVariableOp(v, full) dtype=float\n"                   \
    "sum: Identity(y, ^add) T=float\n"

static const struct {
    const char *outputs;
    float first; /* element of the first output; 0: not compared */
    bool stays;
    int n_packed; /* copies, in kernels or as constants of their own */
} cases[] = {
    { "r:0", SIDE / 2, false, 1 },
    { "r:0,t:0", SIDE / 2, false, 1 },      /* one kernel for both */
    { "scaled:0", SIDE, false, 1 },         /* only with the scale in it */
    { "r:0,scaled:0", SIDE / 2, false, 2 }, /* with and without */
    { "turned:0,r:0", SIDE / 2, false, 2 }, /* packed both ways */
    { "r:0,w:0", SIDE / 2, true, 1 },       /* also an output */
    { "r:0,product:0", SIDE / 2, true, 1 }, /* also an operand */
    { "is:0,r:0", 0, true, 1 },             /* also asked about */
    { "sum:0", 0, true, 1 },                /* written: read by each run; what is added is held */
};

static void run_case(size_t i)
{
    static float ones[SIDE];
    PlanRunner runner;
    Tensor outputs[2];
    const Shape shape = shape_of(1, SIDE);
    const Tensor x = tensor_view(DT_FLOAT, &shape, ones);
    for (size_t k = 0; k < SIDE; k++)
        ones[k] = 1;
    assert_ok(plan_runner_init(&runner, GRAPH));
    assert_ok(plan_runner_target(&runner, "init"));
    plan_retire(runner.plan);
    runner.plan = NULL;
    assert_ok(plan_runner_compile(&runner, "x:0", cases[i].outputs));
    size_t held = resource_manager_bytes(runner.resources), packed = store_bytes(runner.store);
    if (cases[i].stays)
        assert_in_range(held, WEIGHT_BYTES, WEIGHT_BYTES + 8192);
    else
        assert_int_equal(held, 0);
    size_t wanted = (size_t)cases[i].n_packed * WEIGHT_BYTES;
    assert_in_range(packed, wanted, wanted + WEIGHT_BYTES / 2);
    assert_ok(plan_runner_run(&runner, &x, outputs));
    if (cases[i].first != 0)
        assert_true(((float *)outputs[0].data)[0] == cases[i].first);
    plan_runner_done(&runner);
}

static void test_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        run_case(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
