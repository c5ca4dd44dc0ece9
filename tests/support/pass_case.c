/* SPDX-License-Identifier: Apache-2.0
 *
 * PassCase: inputs are a wave, so that neighbours differ and both signs occur.
 */
#include "tests/support/pass_case.h"

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

#define N_RUNS 3

static const PassCases *all;

static Error *run_plain(PlanRunner *runner, const PassCase *c, const Tensor *x, Tensor *ret)
{
    char output[32] = { 0 };
    const char *name = output;
    const GraphFeed feeds[] = { { c->feed, DT_FLOAT } };
    const GraphRequest request = { .feeds = feeds, .n_feeds = 1, .outputs = &name, .n_outputs = 1 };
    const Compiler compiler = { .library = runner->library,
                                .resources = runner->resources,
                                .store = runner->store,
                                .arena = runner->arena };
    Tensor first;
    Graph graph;
    memcpy(output, c->outputs, strcspn(c->outputs, ","));
    TRY(graph_import(compiler.library, compiler.arena, &request, &graph));
    TRY(compile_once(&compiler, &graph, &runner->plan));
    TRY(plan_runner_run(runner, x, &first));
    return tensor_copy(runner->arena, &first, ret);
}

/* Some text of a kernel, without the name of the node. */
static void assert_same_error(const PassCase *c, Error *got, Error *wanted)
{
    if (got == NULL)
        fail_msg("%s: no error, expected '%s'", c->what, wanted->text);
    if (strncmp(got->text, wanted->text, strcspn(wanted->text, "\n")) != 0)
        fail_msg("%s: '%s', expected '%s'", c->what, got->text, wanted->text);
    error_free(got);
    error_free(wanted);
}

static void assert_close(const PassCase *c, const Tensor *got, const Tensor *wanted)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (!shape_equal(&got->shape, &wanted->shape))
        fail_msg("%s: shape %s, expected %s", c->what, shape_text(&got->shape, text[0]),
                 shape_text(&wanted->shape, text[1]));
    if (wanted->dtype != DT_FLOAT) {
        assert_true(tensor_equal(got, wanted));
        return;
    }
    for (int64_t k = 0; k < wanted->n; k++) {
        float a = ((float *)got->data)[k], b = ((float *)wanted->data)[k];
        if (a != b && !(fabsf(a - b) <= 1e-5F * (1 + fabsf(b))))
            fail_msg("%s: [%lld] is %g, expected %g", c->what, (long long)k, (double)a, (double)b);
    }
}

static Shape parse_shape(const char *text)
{
    Shape shape = { .rank = 0 };
    for (char *end = NULL; shape.rank < SHAPE_MAX_RANK; text = end + 1) {
        shape.dims[shape.rank++] = strtoll(text, &end, 10);
        if (*end == '\0')
            break;
    }
    return shape;
}

static void run_case(const PassCase *c)
{
    PlanRunner plain, passed;
    Tensor x, wanted, got[2];
    const Shape shape = parse_shape(c->x != NULL ? c->x : all->x);
    assert_ok(plan_runner_init(&passed, c->text));
    assert_ok(plan_runner_init(&plain, c->text));
    assert_ok(tensor_new(plain.arena, DT_FLOAT, &shape, &x));
    for (int64_t k = 0; k < x.n; k++)
        ((float *)x.data)[k] = sinf((float)k * 1.7F);
    assert_ok(plan_runner_compile(&passed, c->feed, c->outputs));
    assert_int_equal(plan_runner_count(&passed, c->op), c->n_op);
    assert_int_equal(plan_runner_count(&passed, NULL), c->n_steps);
    Error *error = run_plain(&plain, c, &x, &wanted);
    if (error != NULL) {
        assert_same_error(c, plan_runner_run(&passed, &x, got), error);
    } else {
        for (int i = 0; i < N_RUNS; i++)
            assert_ok(plan_runner_run(&passed, &x, got));
        assert_close(c, &got[0], &wanted);
    }
    plan_runner_done(&plain);
    plan_runner_done(&passed);
}

static void test_case(void **state)
{
    run_case(*state);
}

int pass_cases_run(const PassCases *cases)
{
    struct CMUnitTest *tests = calloc(cases->n, sizeof *tests);
    if (tests == NULL)
        return 1;
    all = cases;
    for (size_t i = 0; i < cases->n; i++)
        tests[i] = (struct CMUnitTest){ .name = cases->cases[i].what,
                                        .test_func = test_case,
                                        .initial_state = (void *)(uintptr_t)&cases->cases[i] };
    int result = _cmocka_run_group_tests("passes", tests, cases->n, NULL, NULL);
    free(tests);
    return result;
}
