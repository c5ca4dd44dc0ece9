/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels against real TensorFlow: every case of data/op_cases_*.bin, or of the files that are named
 * as arguments, is run with and without constant inputs and reused memory, and must give what
 * TensorFlow gave (support/op_case.h). Cases in a graph are run as the compiler makes it and as it
 * was written.
 *
 * Integers, strings and errors' codes must be the same. A floating element x is right when it is
 * the wanted y, both are NaN, or |x - y| <= R * |y| + R * S, where S is the largest finite |y| of
 * the tensor (what cancellation in sums and products leaves) but at most 1, and R is 1e-5 for
 * float, 1e-10 for double, 2^-9 for half, 2^-6 for bfloat16: two steps of the type's last bit and
 * more.
 */
#include <math.h>

#include "model/tensor/half.h"
#include "tests/support/check.h"
#include "tests/support/op_case.h"
#include "tests/support/op_runner.h"
#include "tests/support/plan_runner.h"

/* ---- comparing ----------------------------------------------------------------------------- */

static double element(const Tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_FLOAT:
        return (double)((const float *)t->data)[i];
    case DT_DOUBLE:
        return ((const double *)t->data)[i];
    case DT_HALF:
        return (double)half_to_float(((const uint16_t *)t->data)[i]);
    default:
        return (double)bfloat16_to_float(((const uint16_t *)t->data)[i]);
    }
}

static double relative_error(DType dtype)
{
    switch (dtype) {
    case DT_FLOAT:
        return 1e-5;
    case DT_DOUBLE:
        return 1e-10;
    case DT_HALF:
        return 0x1p-9;
    default:
        return 0x1p-6;
    }
}

/* The first element of `got` that is wrong; -1 when there is none. */
static int64_t first_wrong_float(const Tensor *got, const Tensor *want)
{
    double largest = 0, r = relative_error(want->dtype);
    for (int64_t i = 0; i < want->n; i++) {
        double y = fabs(element(want, i));
        if (isfinite(y) && y > largest)
            largest = y;
    }
    for (int64_t i = 0; i < want->n; i++) {
        double x = element(got, i), y = element(want, i);
        bool same = x == y || (isnan(x) && isnan(y));
        if (!same && !(fabs(x - y) <= r * fabs(y) + r * fmin(largest, 1)))
            return i;
    }
    return -1;
}

static int64_t first_wrong(const Tensor *got, const Tensor *want)
{
    if (dtype_is_floating(want->dtype))
        return first_wrong_float(got, want);
    size_t size = dtype_size(want->dtype);
    for (int64_t i = 0; i < want->n; i++) {
        if (want->dtype == DT_STRING) {
            if (!bytes_equal(((const Bytes *)got->data)[i], ((const Bytes *)want->data)[i]))
                return i;
        } else if (memcmp((const char *)got->data + (size_t)i * size,
                          (const char *)want->data + (size_t)i * size, size) != 0) {
            return i;
        }
    }
    return -1;
}

static void print_element(const char *name, const Tensor *t, int64_t i)
{
    if (dtype_is_floating(t->dtype)) {
        print_error("  %s %.9g\n", name, element(t, i));
    } else if (t->dtype == DT_STRING) {
        Bytes text = ((const Bytes *)t->data)[i];
        print_error("  %s '%.*s'\n", name, (int)text.size, (const char *)text.data);
    } else {
        int64_t v = 0;
        memcpy(&v, (const char *)t->data + (size_t)i * dtype_size(t->dtype), dtype_size(t->dtype));
        print_error("  %s %lld\n", name, (long long)v);
    }
}

static void print_case(const OpCase *op_case, int number, const OpRunnerOptions *options)
{
    char text[SHAPE_TEXT_BYTES];
    print_error("%s, case %d%s%s:", op_case->op, number,
                options->constant_inputs ? ", constant inputs" : "",
                options->reuse ? ", memory reused" : "");
    for (uint32_t i = 0; i < op_case->n_inputs; i++)
        print_error(" %s%s", dtype_name(op_case->inputs[i].dtype),
                    shape_text(&op_case->inputs[i].shape, text));
    print_error("\n");
}

static bool output_is_right(const Tensor *got, const Tensor *want, uint32_t i)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (got->dtype != want->dtype || !shape_equal(&got->shape, &want->shape)) {
        print_error("  output %u is %s%s, want %s%s\n", i, dtype_name(got->dtype),
                    shape_text(&got->shape, text[0]), dtype_name(want->dtype),
                    shape_text(&want->shape, text[1]));
        return false;
    }
    int64_t wrong = first_wrong(got, want);
    if (wrong >= 0) {
        print_error("  output %u, element %lld:\n", i, (long long)wrong);
        print_element("got ", got, wrong);
        print_element("want", want, wrong);
    }
    return wrong < 0;
}

/* ---- running ------------------------------------------------------------------------------- */

/* Behind the text of an error there may be the node, which the fixture leaves out. */
static bool text_is_right(const char *got, Bytes want)
{
    static const char node[] = "\n\t [[{{node ";
    return strncmp(got, (const char *)want.data, want.size) == 0 &&
           (got[want.size] == '\0' || strncmp(got + want.size, node, sizeof(node) - 1) == 0);
}

/* An empty text in the fixture: TensorFlow's is not its kernel's, and only the code counts. */
static bool error_is_right(const Error *error, const OpCase *op_case)
{
    size_t n = op_case->text.size;
    if (error != NULL && error->code == (ErrorCode)op_case->code &&
        (n == 0 || text_is_right(error->text, op_case->text)))
        return true;
    print_error("  got error %d '%s'\n  want     %u '%.*s'\n", error == NULL ? 0 : (int)error->code,
                error == NULL ? "" : error->text, op_case->code, (int)n,
                (const char *)op_case->text.data);
    return false;
}

static bool outputs_are_right(const OpCase *op_case, const Tensor *outputs, int n)
{
    bool right = n == (int)op_case->n_outputs;
    for (uint32_t i = 0; right && i < op_case->n_outputs; i++)
        right = output_is_right(&outputs[i], &op_case->outputs[i], i);
    return right;
}

static bool run_node(const OpCase *op_case, const OpRunnerOptions *options)
{
    _cleanup_(op_runner_freep) OpRunner *runner = NULL;
    _cleanup_(error_freep) Error *error = op_runner_new(options, &runner);
    if (error == NULL)
        error = op_runner_run(runner);
    if (error != NULL || op_case->code != 0)
        return error_is_right(error, op_case);
    int n = 0;
    const Tensor *outputs = op_runner_outputs(runner, &n);
    return outputs_are_right(op_case, outputs, n);
}

static Error *try_graph(PlanRunner *runner, const OpCase *op_case, const GraphCase *graph,
                        bool as_written, Tensor *outputs)
{
    TRY(plan_runner_init_bytes(runner, graph->graph_def));
    runner->as_written = as_written;
    if (graph->init[0] != '\0')
        TRY(plan_runner_target(runner, graph->init));
    TRY(plan_runner_compile(runner, graph->feeds, graph->outputs));
    return plan_runner_run(runner, op_case->inputs, outputs);
}

/* Runs a case in a graph as the compiler makes it, or as it was written. */
static bool run_graph(const OpCase *op_case, bool as_written)
{
    static Tensor outputs[OP_CASE_MAX_TENSORS];
    GraphCase graph;
    PlanRunner runner;
    assert_ok(op_case_graph(op_case, &graph));
    _cleanup_(error_freep) Error *error = try_graph(&runner, op_case, &graph, as_written, outputs);
    bool right = error != NULL || op_case->code != 0
                     ? error_is_right(error, op_case)
                     : outputs_are_right(op_case, outputs, runner.plan->n_outputs);
    plan_runner_done(&runner);
    return right;
}

static bool run_graph_both_ways(const OpCase *op_case, int number)
{
    for (int as_written = 0; as_written < 2; as_written++) {
        if (!run_graph(op_case, as_written)) {
            const Attr *ops = attrs_find(&op_case->attrs, "ops");
            print_error("graph of %s, case %d%s\n", (const char *)ops->texts[0].data, number,
                        as_written ? ", as written" : "");
            return false;
        }
    }
    return true;
}

/* `number` is the case's in its fixture, from 0. */
static bool run_all_ways(const OpCase *op_case, int number)
{
    if (strcmp(op_case->op, OP_CASE_GRAPH) == 0)
        return run_graph_both_ways(op_case, number);
    for (int way = 0; way < 3; way++) {
        OpRunnerOptions options = {
            .op = op_case->op,
            .attrs = &op_case->attrs,
            .inputs = op_case->inputs,
            .n_inputs = (int)op_case->n_inputs,
            .constant_inputs = way == 1,
            .reuse = way == 2,
        };
        if (!run_node(op_case, &options)) {
            print_case(op_case, number, &options);
            return false;
        }
    }
    return true;
}

static void test_cases(void **state)
{
    const char *path = *state;
    _cleanup_(arena_freep) Arena *file_arena = arena_new(4096, 0);
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    assert_true(file_arena != NULL && arena != NULL);
    Bytes left = { 0 };
    assert_ok(op_case_open(file_arena, path, &left));
    int n = 0, n_wrong = 0;
    static OpCase op_case;
    for (; left.size > 0; n++) {
        assert_ok(op_case_read(arena, &left, &op_case));
        n_wrong += !run_all_ways(&op_case, n);
        arena_reset(arena, 1 << 20);
    }
    print_message("%s: %d cases, %d wrong\n", path, n, n_wrong);
    assert_true(n > 0);
    assert_int_equal(n_wrong, 0);
}

/* The fixtures that the arguments name, or all of tests/data. */
static Error *find_fixtures(Arena *arena, int argc, char **argv, const char **paths, size_t *ret_n)
{
    const char *tests = getenv("DIGIT_TESTS");
    if (argc == 1)
        return op_case_files(arena, tests != NULL ? tests : "tests", paths, ret_n);
    for (*ret_n = 0; *ret_n + 1 < (size_t)argc && *ret_n < OP_CASE_MAX_FILES; (*ret_n)++)
        paths[*ret_n] = argv[*ret_n + 1];
    return NULL;
}

int main(int argc, char **argv)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    static const char *paths[OP_CASE_MAX_FILES];
    static struct CMUnitTest tests[OP_CASE_MAX_FILES];
    size_t n = 0;
    _cleanup_(error_freep) Error *error =
        arena != NULL ? find_fixtures(arena, argc, argv, paths, &n) : error_out_of_memory();
    if (error != NULL) {
        fprintf(stderr, "%s\n", error->text);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = op_case_file_name(arena, paths[i]);
        tests[i] = (struct CMUnitTest){ .name = name != NULL ? name : paths[i],
                                        .test_func = test_cases,
                                        .initial_state = (void *)(uintptr_t)paths[i] };
    }
    return _cmocka_run_group_tests("test_ops", tests, n, NULL, NULL);
}
