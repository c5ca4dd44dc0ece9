/* SPDX-License-Identifier: Apache-2.0
 *
 * Flops counted by hand, seen through the watch of a run, which sees each step once.
 */
#include "model/plan/flops.h"
#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

#define X "x: Placeholder() dtype=float\nw: Placeholder() dtype=float\n"
#define CONV_ATTRS " T=float strides=[1,1,1,1] dilations=[1,1,1,1] data_format='NHWC' "

static const struct {
    const char *what, *text;
    Shape x, w;
    double flops;
} rows[] = {
    { "valid",
      X "y: Conv2D(x, w)" CONV_ATTRS "padding='VALID'\n",
      { 4, { 2, 4, 4, 3 } },
      { 4, { 3, 3, 3, 5 } },
      2.0 * 2 * (2 * 2) * 9 * 3 * 5 },
    /* Along an axis of 4 the three taps lie inside 2, 3, 3, 2 times. */
    { "same: products in the image only",
      X "y: Conv2D(x, w)" CONV_ATTRS "padding='SAME'\n",
      { 4, { 1, 4, 4, 1 } },
      { 4, { 3, 3, 1, 1 } },
      2.0 * 10 * 10 },
    { "depthwise",
      X "y: DepthwiseConv2dNative(x, w)" CONV_ATTRS "padding='VALID'\n",
      { 4, { 1, 3, 3, 4 } },
      { 4, { 3, 3, 4, 2 } },
      2.0 * 9 * 4 * 2 },
    { "depthwise, fused",
      X "k: DepthwiseConv2dNative(x, w)" CONV_ATTRS "padding='VALID'\ny: Relu(k) T=float\n",
      { 4, { 1, 3, 3, 4 } },
      { 4, { 3, 3, 4, 2 } },
      2.0 * 9 * 4 * 2 },
    { "matrix",
      X "y: MatMul(x, w) T=float transpose_a=false transpose_b=false\n",
      { 2, { 3, 7 } },
      { 2, { 7, 5 } },
      2.0 * 3 * 7 * 5 },
    { "matrix, transposed",
      X "y: MatMul(x, w) T=float transpose_a=true transpose_b=true\n",
      { 2, { 7, 3 } },
      { 2, { 5, 7 } },
      2.0 * 3 * 7 * 5 },
    { "batches",
      X "y: BatchMatMulV2(x, w) T=float adj_x=false adj_y=false\n",
      { 3, { 4, 3, 7 } },
      { 3, { 1, 7, 5 } },
      2.0 * 4 * 3 * 7 * 5 },
    { "nothing to multiply",
      X "y: MatMul(x, w) T=float transpose_a=false transpose_b=false\n",
      { 2, { 0, 7 } },
      { 2, { 7, 5 } },
      0 },
    { "no products", X "y: AddV2(x, w) T=float\n", { 1, { 3 } }, { 1, { 3 } }, 0 },
};

typedef struct Seen {
    const Plan *plan;
    int n_steps;
    double flops;
} Seen;

static void see(void *data, int32_t number, const OpContext *context, _unused_ uint64_t ns)
{
    Seen *seen = data;
    assert_int_equal(number, seen->n_steps++);
    assert_ptr_equal(context->op, seen->plan->steps[number].op);
    seen->flops += step_flops(&seen->plan->steps[number], context->inputs, context->outputs);
}

static void test_flops(_unused_ void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        PlanRunner runner;
        Tensor feeds[2], output;
        assert_ok(plan_runner_init(&runner, rows[i].text));
        assert_ok(plan_runner_compile(&runner, "x:0,w:0", "y:0"));
        assert_ok(tensor_new(runner.arena, DT_FLOAT, &rows[i].x, &feeds[0]));
        assert_ok(tensor_new(runner.arena, DT_FLOAT, &rows[i].w, &feeds[1]));
        for (int k = 0; k < 2; k++)
            if (feeds[k].n > 0)
                memset(feeds[k].data, 0, tensor_bytes(&feeds[k]));
        Seen seen = { .plan = runner.plan };
        const PlanWatch watch = { see, &seen };
        const PlanRun run = { .plan = runner.plan,
                              .feeds = feeds,
                              .watch = &watch,
                              .scratch = runner.scratch,
                              .arena = runner.run_arena };
        assert_ok(plan_run(&run, &output));
        assert_int_equal(seen.n_steps, runner.plan->n_steps);
        if (seen.flops != rows[i].flops)
            fail_msg("%s: %g, wanted %g", rows[i].what, seen.flops, rows[i].flops);
        plan_runner_done(&runner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_flops) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
