/* SPDX-License-Identifier: Apache-2.0
 *
 * Restoring: variables that are reached get the checkpoint's tensors, others are not even looked
 * for; what does more than restore still runs; and what does not fit is said at once.
 */
#include "model/bundle/checkpoint_write.h"
#include "model/graph/fold.h"
#include "model/plan/restore.h"
#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

/* The checkpoint has `a` float [2], `b` float [3], `n` int32 [2]; there is no `gone`. */
#define HEAD                                                                                       \
    "none: Const() dtype=string value=s()\n"                                                       \
    "ka: Const() dtype=string value=s(a)\nkb: Const() dtype=string value=s(b)\n"                   \
    "kn: Const() dtype=string value=s(n)\nkg: Const() dtype=string value=s(gone)\n"                \
    "specs: Pack(none, none) N=2 T=string\n"                                                       \
    "va: VarHandleOp() dtype=float shape=<2> shared_name='va'\n"                                   \
    "vb: VarHandleOp() dtype=float shape=<?> shared_name='vb'\n"                                   \
    "vi: VarHandleOp() dtype=int32 shape=<2> shared_name='vi'\n"                                   \
    "vw: VarHandleOp() dtype=float shape=<4,?> shared_name='vw'\n"                                 \
    "vr: VariableV2() dtype=float shape=<2> shared_name='vr'\n"                                    \
    "vs: VariableV2() dtype=float shape=<5> shared_name='vs'\n"

/* r:0 and r:1 are the tensors of the keys x and y. */
#define RESTORE(x, y, dtypes)                                                                      \
    "names: Pack(" x ", " y ") N=2 T=string\n"                                                     \
    "r: RestoreV2(prefix, names, specs) dtypes=" dtypes "\n"                                       \
    "i: Identity(r:1) T=float\n"

static const struct {
    const char *graph;
    const char *reached; /* "va,vb"; NULL: all */
    const char *want;    /* "va=1,2 vb=3,4,5": those that have values */
    const char *error;
} cases[] = {
    { RESTORE("ka", "kb", "[float, float]") "s: AssignVariableOp(va, r:0) dtype=float\nt: "
                                            "AssignVariableOp(vb, i) dtype=float\n"
                                            "all: NoOp(^s, ^t)\n",
      "va,vb", "va=1,2 vb=3,4,5", NULL },
    { RESTORE("ka", "kb", "[float, float]") "s: AssignVariableOp(va, r:0) dtype=float\nt: "
                                            "AssignVariableOp(vb, i) dtype=float\n"
                                            "all: NoOp(^s, ^t)\n",
      "vb", "vb=3,4,5", NULL },
    { RESTORE(
          "ka", "kb",
          "[float, float]") "s: AssignVariableOp(va, r:0) dtype=float\nt: Assign(vr, r:0) T=float\n"
                            "all: NoOp(^s, ^t)\n",
      NULL, "va=1,2 vr=1,2", NULL },
    /* nobody reads what is missing */
    { RESTORE("ka", "kg", "[float, float]") "s: AssignVariableOp(va, r:0) dtype=float\nt: "
                                            "AssignVariableOp(vb, i) dtype=float\n"
                                            "all: NoOp(^s, ^t)\n",
      "va", "va=1,2", NULL },
    /* the sum is no plain restore: it runs, and asks for `a` alone */
    { RESTORE(
          "ka", "kg",
          "[float, float]") "d: AddV2(r:0, r:0) T=float\ns: AssignVariableOp(va, d) dtype=float\n"
                            "t: AssignVariableOp(vb, i) dtype=float\nall: NoOp(^s, ^t)\n",
      "va", "va=2,4", NULL },
    /* what Assign gives is used: both run */
    { RESTORE("ka", "kb", "[float, float]") "s: Assign(vr, r:0) T=float\nt: AssignVariableOp(vb, "
                                            "s) dtype=float\nall: NoOp(^s, ^t)\n",
      "vr,vb", "vb=1,2 vr=1,2", NULL },
    /* the declared shape is not what it gets */
    { RESTORE("ka", "kb",
              "[float, float]") "t: Assign(vs, i) T=float validate_shape=false\nall: NoOp(^t)\n",
      "vs", "vs=3,4,5", NULL },
    { RESTORE("ka", "kb", "[float, float]") "t: Assign(vs, i) T=float\nall: NoOp(^t)\n", "vs", "",
      "variable 'vs': the checkpoint's 'b' has shape [3], the graph declares [5]" },
    { RESTORE("ka", "kb",
              "[float, float]") "t: AssignVariableOp(vw, i) dtype=float\nall: NoOp(^t)\n",
      "vw", "", "variable 'vw': the checkpoint's 'b' has shape [3], the graph declares [4,?]" },
    { RESTORE("ka", "kg",
              "[float, float]") "t: AssignVariableOp(vb, i) dtype=float\nall: NoOp(^t)\n",
      "vb", "", "variable 'vb': Key gone not found in checkpoint" },
    { RESTORE("ka", "kn",
              "[float, float]") "t: AssignVariableOp(vb, i) dtype=float\nall: NoOp(^t)\n",
      "vb", "",
      "variable 'vb': tensor_name = n; expected dtype float does not equal original dtype int32" },
};

static void write_checkpoint(const char *prefix)
{
    static float a[] = { 1, 2 }, b[] = { 3, 4, 5 };
    static int32_t n[] = { 6, 7 };
    const Shape two = shape_of(2), three = shape_of(3);
    const Tensor tensors[] = { tensor_view(DT_FLOAT, &two, a), tensor_view(DT_FLOAT, &three, b),
                               tensor_view(DT_INT32, &two, n) };
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    assert_ok(checkpoint_writer_new(prefix, &writer));
    assert_ok(checkpoint_write(writer, "a", &tensors[0]));
    assert_ok(checkpoint_write(writer, "b", &tensors[1]));
    assert_ok(checkpoint_write(writer, "n", &tensors[2]));
    assert_ok(checkpoint_writer_finish(writer));
}

/* The float variables that have values, as `want` has them. */
static const char *describe(PlanRunner *runner)
{
    static const char *const names[] = { "va", "vb", "vw", "vr", "vs" };
    char *text = arena_strdup(runner->arena, "");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        Resource *variable = NULL;
        Tensor value;
        assert_ok(resource_variable(runner->resources, "", names[i], DT_FLOAT, &variable));
        if (!resource_is_initialized(variable))
            continue;
        assert_ok(resource_borrow(variable, &value));
        text = arena_printf(runner->arena, "%s%s%s=", text, text[0] != '\0' ? " " : "", names[i]);
        for (int64_t k = 0; k < value.n; k++)
            text = arena_printf(runner->arena, "%s%s%g", text, k > 0 ? "," : "",
                                (double)((float *)value.data)[k]);
    }
    return text;
}

static Error *restore(PlanRunner *runner, const Map *reached)
{
    static const char *const target = "all";
    const GraphRequest request = { .targets = &target, .n_targets = 1 };
    const Compiler compiler = { .library = runner->library,
                                .resources = runner->resources,
                                .store = runner->store,
                                .arena = runner->arena };
    Graph graph;
    TRY(graph_import(runner->library, runner->arena, &request, &graph));
    TRY(fold_constants(&graph, runner->resources));
    TRY(restore_variables(&graph, reached));
    TRY(compile_once(&compiler, &graph, &runner->plan));
    return plan_runner_run(runner, NULL, NULL);
}

static Map *split(PlanRunner *runner, const char *names)
{
    Map *map = names != NULL ? map_new() : NULL;
    for (; map != NULL && *names != '\0'; names += strcspn(names, ","), names += *names == ',')
        assert_ok(map_set(map, arena_strndup(runner->arena, names, strcspn(names, ",")), runner));
    return map;
}

static void test_restore(void **state)
{
    char directory[TEST_DIRECTORY_BYTES], prefix[TEST_DIRECTORY_BYTES + 8], text[8192];
    (void)state;
    test_directory_make(directory);
    snprintf(prefix, sizeof prefix, "%s/ckpt", directory);
    write_checkpoint(prefix);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PlanRunner runner;
        snprintf(text, sizeof text, "%sprefix: Const() dtype=string value=s(%s)\n%s", HEAD, prefix,
                 cases[i].graph);
        assert_ok(plan_runner_init(&runner, text));
        _cleanup_(map_freep) Map *reached = split(&runner, cases[i].reached);
        if (cases[i].error == NULL)
            assert_ok(restore(&runner, reached));
        else
            assert_error(restore(&runner, reached),
                         strstr(cases[i].error, "not found") != NULL ? ERROR_NOT_FOUND
                                                                     : ERROR_INVALID_ARGUMENT,
                         cases[i].error);
        assert_string_equal(describe(&runner), cases[i].want);
        plan_runner_done(&runner);
    }
    test_directory_remove(directory);
}

/* A checkpoint of which nothing is wanted must be whole all the same. */
static void test_missing(void **state)
{
    PlanRunner runner;
    (void)state;
    assert_ok(plan_runner_init(
        &runner, HEAD "prefix: Const() dtype=string value=s(/nowhere/ckpt)\n" RESTORE(
                     "ka", "kb", "[float, float]") "t: AssignVariableOp(vb, i) dtype=float\n"
                                                   "all: NoOp(^t)\n"));
    _cleanup_(map_freep) Map *nothing = map_new();
    assert_error(restore(&runner, nothing), ERROR_NOT_FOUND, "/nowhere/ckpt.index");
    plan_runner_done(&runner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
