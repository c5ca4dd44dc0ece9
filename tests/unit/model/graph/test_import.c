/* SPDX-License-Identifier: Apache-2.0
 *
 * Importing graphs: what is wrong with one is told with the node's name, what is not reached is not
 * judged, and calls of functions disappear.
 */
#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

/* Everything up to a plan; the error is the caller's. */
static Error *compile(const char *text, const char *feeds, const char *outputs)
{
    PlanRunner runner;
    Error *error = plan_runner_init(&runner, text);
    if (error == NULL)
        error = plan_runner_compile(&runner, feeds, outputs);
    plan_runner_done(&runner);
    return error;
}

#define X "x: Placeholder() dtype=float\n"

static const struct {
    const char *what, *text, *feeds, *outputs;
    ErrorCode code;
    const char *error;
} wrong[] = {
    { "two nodes of one name", X "x: Placeholder() dtype=float\n", "", "x:0",
      ERROR_INVALID_ARGUMENT, "two nodes have the name 'x'" },
    { "unknown op", X "y: Frobnicate(x) T=float\n", "x:0", "y:0", ERROR_UNIMPLEMENTED,
      "signature 'test': op 'Frobnicate' of node 'y' is not supported" },
    { "op that only the compiler makes", X "y: _Silu(x) T=float\n", "x:0", "y:0",
      ERROR_UNIMPLEMENTED, "op '_Silu' of node 'y' is one that only Digit itself makes" },
    { "that in a function",
      X "y: f(x)\ndef f(a: float) -> (c: float = m:y:0)\nm: _Reshape(a) T=float\nend\n", "x:0",
      "y:0", ERROR_UNIMPLEMENTED, "op '_Reshape' of node 'y/m' is one that only Digit" },
    { "input that is not there", X "y: Neg(z) T=float\n", "x:0", "y:0", ERROR_NOT_FOUND,
      "node 'y' (Neg): there is no node 'z' in the graph" },
    { "output number too large", X "y: Neg(x:1) T=float\n", "", "y:0", ERROR_INVALID_ARGUMENT,
      "node 'x' (Placeholder) has 1 outputs, number 1 is wanted" },
    { "output number that is none", X "y: Neg(x:-1) T=float\n", "", "y:0", ERROR_INVALID_ARGUMENT,
      "'x:-1' is no name of a tensor" },
    { "output number beyond int", X "y: Neg(x:99999999999) T=float\n", "", "y:0",
      ERROR_INVALID_ARGUMENT, "is no name of a tensor" },
    { "too few inputs", X "y: AddV2(x) T=float\n", "x:0", "y:0", ERROR_INVALID_ARGUMENT,
      "node 'y' (AddV2)" },
    { "too many inputs", X "y: Neg(x, x) T=float\n", "x:0", "y:0", ERROR_INVALID_ARGUMENT,
      "node 'y' (Neg)" },
    { "input of another type", X "y: Neg(x) T=int32\n", "x:0", "y:0", ERROR_INVALID_ARGUMENT,
      "must be int32" },
    { "attribute missing", X "y: Neg(x)\n", "x:0", "y:0", ERROR_INVALID_ARGUMENT,
      "node 'y' (Neg)" },
    { "data behind control", X "y: AddV2(x, ^x, x) T=float\n", "x:0", "y:0", ERROR_INVALID_ARGUMENT,
      "input 'x' stands behind a control input" },
    { "control that is not there", X "y: Neg(x, ^z) T=float\n", "x:0", "y:0", ERROR_NOT_FOUND,
      "node 'y' (Neg): there is no node 'z'" },
    { "node that needs itself", X "y: AddV2(x, y) T=float\n", "x:0", "y:0", ERROR_INVALID_ARGUMENT,
      "the graph has a cycle: node 'y' needs 'y'" },
    { "cycle of three", X "a: AddV2(x, c) T=float\nb: Neg(a) T=float\nc: Neg(b) T=float\n", "x:0",
      "c:0", ERROR_INVALID_ARGUMENT, "the graph has a cycle" },
    { "cycle over a control", X "a: Neg(x, ^b) T=float\nb: Neg(a) T=float\n", "x:0", "b:0",
      ERROR_INVALID_ARGUMENT, "the graph has a cycle" },
    { "const without value", "c: Const() dtype=float\n", "", "c:0", ERROR_INVALID_ARGUMENT,
      "node 'c' (Const)" },
    { "const of another type", "c: Const() dtype=int32 value=f(1)\n", "", "c:0",
      ERROR_INVALID_ARGUMENT, "node 'c' (Const): 'dtype' is int32, 'value' is float" },
    { "feed that is not there", X, "z:0", "x:0", ERROR_NOT_FOUND,
      "FeedInputs: unable to find feed output z:0" },
    { "feed of an output that is not there", X, "x:1", "x:0", ERROR_NOT_FOUND,
      "FeedInputs: unable to find feed output x:1" },
    { "fed twice", X, "x:0,x", "x:0", ERROR_INVALID_ARGUMENT, "fed more than once" },
    { "output that is not there", X, "x:0", "z:0", ERROR_NOT_FOUND,
      "FetchOutputs node z:0: not found" },
    { "call of no function", X "y: PartitionedCall(x) f=@none Tin=[float] Tout=[float]\n", "x:0",
      "y:0", ERROR_NOT_FOUND, "node 'y' (PartitionedCall) calls function 'none'" },
    { "call with too few inputs", X "y: f(x)\ndef f(a: float, b: float) -> (c: float = a)\nend\n",
      "x:0", "y:0", ERROR_INVALID_ARGUMENT,
      "node 'y' calls function 'f' with 1 inputs, it takes 2" },
    { "call's output that is not there", X "y: f(x)\ndef f(a: float) -> (c: float = a)\nend\n",
      "x:0", "y:1", ERROR_INVALID_ARGUMENT, "node 'y' has 1 outputs" },
    { "function that calls itself",
      X "y: f(x)\ndef f(a: float) -> (c: float = m:c:0)\nm: f(a)\nend\n", "x:0", "y:0",
      ERROR_INVALID_ARGUMENT, "functions must not call themselves" },
    { "functions that call each other twice",
      X "y: f(x)\ndef f(a: float) -> (c: float = m:z:0)\nm: AddV2(n:c:0, o:c:0) T=float\n"
        "n: g(a)\no: g(a)\nend\ndef g(a: float) -> (c: float = m:z:0)\n"
        "m: AddV2(n:c:0, o:c:0) T=float\nn: f(a)\no: f(a)\nend\n",
      "x:0", "y:0", ERROR_INVALID_ARGUMENT, "functions must not call themselves" },
    { "call that is its own input", X "y: f(y)\ndef f(a: float) -> (c: float = a)\nend\n", "x:0",
      "y:0", ERROR_INVALID_ARGUMENT, "steps through function calls" },
    { "function that returns nothing", X "y: f(x)\ndef f(a: float) -> (c: float = )\nend\n", "x:0",
      "y:0", ERROR_NOT_FOUND, "there is no node ''" },
    { "function whose nodes have one name",
      X
      "y: f(x)\ndef f(a: float) -> (c: float = m:y:0)\nm: Neg(a) T=float\nm: Neg(a) T=float\nend\n",
      "x:0", "y:0", ERROR_INVALID_ARGUMENT, "function 'f': two nodes have the name 'm'" },
    { "unknown output of an op in a function",
      X "y: f(x)\ndef f(a: float) -> (c: float = m:nope:0)\nm: Neg(a) T=float\nend\n", "x:0", "y:0",
      ERROR_NOT_FOUND, "nope" },
    { "unknown op in a function",
      X "y: f(x)\ndef f(a: float) -> (c: float = m:y:0)\nm: Frobnicate(a) T=float\nend\n", "x:0",
      "y:0", ERROR_UNIMPLEMENTED, "op 'Frobnicate' of node 'y/m' is not supported" },
    { "two functions of one name",
      X "def f(a: float) -> (c: float = a)\nend\ndef f(a: float) -> (c: float = a)\nend\n", "x:0",
      "x:0", ERROR_INVALID_ARGUMENT, "two functions have the name 'f'" },
    { "variable without a value",
      "v: VarHandleOp() dtype=float shape=<>\nr: ReadVariableOp(v) dtype=float\n", "", "r:0",
      ERROR_FAILED_PRECONDITION, "v" },
    { "gather from no variable", X "y: ResourceGather(x, x) dtype=float Tindices=int32\n", "x:0",
      "y:0", ERROR_INVALID_ARGUMENT,
      "node 'y' (ResourceGather): its input 0 is float and must be a variable's handle" },
    { "gather from nothing", "y: ResourceGatherNd() dtype=float Tindices=int32\n", "", "y:0",
      ERROR_INVALID_ARGUMENT, "node 'y' (ResourceGatherNd)" },
    { "gather without places",
      "v: VarHandleOp() dtype=float shape=<>\ny: ResourceGather(v) dtype=float Tindices=int32\n",
      "", "y:0", ERROR_INVALID_ARGUMENT, "node 'y' (Gather)" },
};

static void test_wrong(_unused_ void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error *error = compile(wrong[i].text, wrong[i].feeds, wrong[i].outputs);
        if (error == NULL || error->code != wrong[i].code ||
            strstr(error->text, wrong[i].error) == NULL)
            print_error("case: %s\n", wrong[i].what);
        assert_error(error, wrong[i].code, wrong[i].error);
    }
}

/* A graph, x = 3 fed where there is a feed, and the value of its output. */
static const struct {
    const char *what, *text, *feeds, *output;
    float value;
    int n_steps;
} right[] = {
    { "what is not reached is not judged",
      X "y: Neg(x) T=float\nbad: Frobnicate(nowhere)\nloop: Neg(loop) T=float\n", "x:0", "y:0", -3,
      1 },
    { "an inner tensor is fed", "p: Frobnicate()\nx: Identity(p) T=float\ny: Neg(x) T=float\n",
      "x:0", "y:0", -3, 1 },
    { "a feed cuts a cycle", X "a: Neg(b) T=float\nb: Neg(a) T=float\n", "a:0", "b:0", -3, 1 },
    { "the output is the feed", X, "x:0", "x:0", 3, 0 },
    { "the output is constant", "c: Const() dtype=float value=f(7)\nd: Neg(c) T=float\n", "", "d:0",
      -7, 0 },
    { "identities and idle controls are gone",
      X "c: Const() dtype=float value=f(7)\nn: NoOp(^x, ^c)\ni: Identity(x, ^n) T=float\n"
        "j: StopGradient(i) T=float\ny: Neg(j, ^c) T=float\n",
      "x:0", "y:0", -3, 1 },
    { "default of a placeholder",
      "c: Const() dtype=float value=f(7)\n"
      "p: PlaceholderWithDefault(c) dtype=float shape=<>\ny: Neg(p) T=float\n",
      "", "y:0", -7, 0 },
    { "that placeholder fed",
      "c: Const() dtype=float value=f(7)\n"
      "p: PlaceholderWithDefault(c) dtype=float shape=<>\ny: Neg(p) T=float\n",
      "p", "y:0", -3, 1 },
    { "direct call", X "y: f(x)\ndef f(a: float) -> (c: float = m:y:0)\nm: Neg(a) T=float\nend\n",
      "x:0", "y:0", -3, 1 },
    { "calls in calls, by attribute",
      X "y: PartitionedCall(x) f=@f Tin=[float] Tout=[float]\n"
        "def f(a: float) -> (c: float = m:output:0)\n"
        "n: Neg(a) T=float\nm: StatefulPartitionedCall(n:y:0) f=@g Tin=[float] Tout=[float]\nend\n"
        "def g(a: float) -> (c: float = m:z:0)\nm: Mul(a, a) T=float\nend\n",
      "x:0", "y:0", 9, 2 },
    { "second output, one that is an argument",
      X "y: f(x)\ndef f(a: float) -> (b: float = m:y, c: float = a)\nm: Neg(a) T=float\nend\n",
      "x:0", "y:1", 3, 0 },
    { "one function called twice",
      X "y: f(x)\nz: f(y)\ndef f(a: float) -> (b: float = m:z:0)\nm: AddV2(a, a) T=float\nend\n",
      "x:0", "z:0", 12, 2 },
    { "attributes that the call gives",
      X "y: f(x) type=float\ndef f(a: float) -> (b: float = m:y:0)\nm: Neg(a) T=$type\nend\n",
      "x:0", "y:0", -3, 1 },
    { "output of a call is fed",
      X
      "y: f(x)\nz: Neg(y) T=float\ndef f(a: float) -> (c: float = m:y:0)\nm: Frobnicate(a)\nend\n",
      "y:0", "z:0", -3, 1 },
};

static void test_right(_unused_ void **state)
{
    float x = 3;
    const Shape scalar = shape_of();
    const Tensor feed = tensor_view(DT_FLOAT, &scalar, &x);
    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        PlanRunner runner;
        Tensor output = { 0 };
        Error *error = plan_runner_init(&runner, right[i].text);
        if (error == NULL)
            error = plan_runner_compile(&runner, right[i].feeds, right[i].output);
        if (error == NULL)
            error = plan_runner_run(&runner, &feed, &output);
        if (error != NULL || *(float *)output.data != right[i].value ||
            plan_runner_count(&runner, NULL) != right[i].n_steps)
            print_error("case: %s\n", right[i].what);
        assert_ok(error);
        assert_true(*(float *)output.data == right[i].value);
        assert_int_equal(plan_runner_count(&runner, NULL), right[i].n_steps);
        plan_runner_done(&runner);
    }
}

/* A chain as long as one likes: neither import nor order nor execution may recurse over it. */
static void test_deep(_unused_ void **state)
{
    enum { DEPTH = 200000 };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 20, 0);
    Tensorflow__GraphDef graph = TENSORFLOW__GRAPH_DEF__INIT;
    Tensorflow__AttrValue type = TENSORFLOW__ATTR_VALUE__INIT;
    Tensorflow__NodeDef__AttrEntry t = TENSORFLOW__NODE_DEF__ATTR_ENTRY__INIT, *attrs = &t;
    Tensorflow__NodeDef *nodes = arena_calloc(arena, DEPTH, sizeof *nodes);
    Tensorflow__NodeDef **pointers = arena_calloc(arena, DEPTH, sizeof *pointers);
    char **inputs = arena_calloc(arena, DEPTH, sizeof *inputs);
    char placeholder[] = "Placeholder", neg[] = "Neg", t_name[] = "T", dtype_name_[] = "dtype";
    Tensorflow__NodeDef__AttrEntry d = TENSORFLOW__NODE_DEF__ATTR_ENTRY__INIT, *d_attrs = &d;
    type.value_case = TENSORFLOW__ATTR_VALUE__VALUE_TYPE;
    type.type = TENSORFLOW__DATA_TYPE__DT_FLOAT;
    t.key = t_name;
    d.key = dtype_name_;
    t.value = d.value = &type;
    for (int i = 0; i < DEPTH; i++) {
        tensorflow__node_def__init(&nodes[i]);
        nodes[i].name = arena_printf(arena, "n%d", i);
        nodes[i].op = i == 0 ? placeholder : neg;
        nodes[i].n_attr = 1;
        nodes[i].attr = i == 0 ? &d_attrs : &attrs;
        inputs[i] = i == 0 ? NULL : nodes[i - 1].name;
        nodes[i].n_input = i > 0;
        nodes[i].input = &inputs[i];
        pointers[i] = &nodes[i];
    }
    graph.n_node = DEPTH;
    graph.node = pointers;

    PlanRunner runner;
    float x = 3;
    const Shape scalar = shape_of();
    const Tensor feed = tensor_view(DT_FLOAT, &scalar, &x);
    Tensor output;
    assert_ok(plan_runner_init(&runner, ""));
    library_free(runner.library);
    assert_ok(library_new(&graph, &runner.library));
    assert_ok(plan_runner_compile(&runner, "n0:0", nodes[DEPTH - 1].name));
    assert_ok(plan_runner_run(&runner, &feed, &output));
    assert_true(*(float *)output.data == -3);
    plan_runner_done(&runner);
}

/* What a function must do happens whenever it is called, in order, whatever is fetched. */
static void test_effects(_unused_ void **state)
{
    PlanRunner runner;
    Tensor output;
    assert_ok(plan_runner_init(&runner, "v: VarHandleOp() dtype=float shape=<>\n"
                                        "zero: Const() dtype=float value=f(0)\n"
                                        "init: AssignVariableOp(v, zero) dtype=float\n"
                                        "call: f(v)\n"
                                        "read: ReadVariableOp(v, ^call) dtype=float\n"
                                        "only: f(v)\n"
                                        "after: f(v, ^only)\n"
                                        "def f(h: resource) -> (c: float = one:output:0) ^add\n"
                                        "one: Const() dtype=float value=f(1)\n"
                                        "add: AssignAddVariableOp(h, one:output:0) dtype=float\n"
                                        "end\n"));
    assert_ok(plan_runner_target(&runner, "init"));
    assert_ok(plan_runner_compile(&runner, "", "read:0"));
    for (int i = 1; i <= 3; i++) {
        assert_ok(plan_runner_run(&runner, NULL, &output));
        assert_true(*(float *)output.data == (float)i);
    }
    assert_int_equal(plan_runner_count(&runner, "AssignAddVariableOp"), 1);
    assert_ok(plan_runner_compile(&runner, "", "after:0"));
    assert_int_equal(plan_runner_count(&runner, "AssignAddVariableOp"), 2);
    plan_runner_done(&runner);
}

/* An Assert has no output that anybody could use, and runs all the same. */
static void test_assert(_unused_ void **state)
{
    PlanRunner runner;
    float x = 3;
    bool is_good = true;
    Tensor output;
    const Shape scalar = shape_of();
    const Tensor feeds[] = { tensor_view(DT_FLOAT, &scalar, &x),
                             tensor_view(DT_BOOL, &scalar, &is_good) };
    assert_ok(plan_runner_init(&runner, X "good: Placeholder() dtype=bool\n"
                                          "y: f(x, good)\n"
                                          "def f(a: float, g: bool) -> (b: float = m:y:0) ^check\n"
                                          "m: Neg(a) T=float\n"
                                          "check: Assert(g, a) T=[float]\nend\n"));
    assert_ok(plan_runner_compile(&runner, "x:0,good:0", "y:0"));
    assert_ok(plan_runner_run(&runner, feeds, &output));
    assert_true(*(float *)output.data == -3);
    is_good = false;
    assert_error(plan_runner_run(&runner, feeds, &output), ERROR_INVALID_ARGUMENT,
                 "[[{{node y/check}}]]");
    plan_runner_done(&runner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong),   cmocka_unit_test(test_right),  cmocka_unit_test(test_deep),
        cmocka_unit_test(test_effects), cmocka_unit_test(test_assert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
