/* SPDX-License-Identifier: Apache-2.0
 *
 * Report: a measured plan in both forms; that the JSON is well formed.
 */
#include "inspect/input.h"
#include "inspect/report.h"
#include "tests/support/check.h"

typedef struct Fixture {
    Arena *arena;
    Model *model;
    Bundle bundle;
    Tensor *inputs;
    Measure *measure;
    Report report;
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *state = f;
    f->arena = arena_new(1 << 16, 0);
    assert_non_null(f->arena);
    const char *path = test_path(f->arena, "../models/digits/1");
    size_t number = 0, n = 0;
    assert_ok(bundle_read(f->arena, path, "serve", &f->bundle));
    assert_ok(model_load(path, NULL, &f->model));
    assert_ok(bundle_find(&f->bundle, "predict", &number));
    const InputForm form = { .batch = 2, .shape = "", .seed = 1 };
    assert_ok(input_make(f->arena, &f->bundle.signatures[number], &form, &f->inputs));
    assert_ok(measure_new(f->arena, model_signatures(f->model, &n)[number].plan, &f->measure));
    const MeasureOptions options = { f->inputs, 3, 1 };
    assert_ok(measure_run(f->measure, &options));
    f->report = (Report){ .bundle = &f->bundle,
                          .signature = &f->bundle.signatures[number],
                          .measure = f->measure,
                          .written = f->measure,
                          .inputs = f->inputs,
                          .model_bytes = 12345678,
                          .has_plan = true,
                          .has_times = true };
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;
    model_unref(f->model);
    arena_free(f->arena);
    free(f);
    return 0;
}

static char *print(const Report *report, void (*form)(const Report *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    form(report, out);
    fclose(out);
    assert_non_null(text);
    return text;
}

/* The end of the JSON value at `p`; NULL when it is none. Numbers and names are not looked at. */
static const char *skip_json(const char *p)
{
    if (*p == '"') {
        for (p++; *p != '"'; p++)
            if (*p == '\0' || (*p == '\\' && *++p == '\0'))
                return NULL;
        return p + 1;
    }
    if (*p != '{' && *p != '[')
        return *p == '-' || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z')
                   ? p + strspn(p, "-+.0123456789abcdefghijklmnopqrstuvwxyz")
                   : NULL;
    char open = *p++, end = open == '{' ? '}' : ']';
    if (*p == end)
        return p + 1;
    for (;; p++) {
        if (open == '{' && (*p != '"' || (p = skip_json(p)) == NULL || *p++ != ':'))
            return NULL;
        p = skip_json(p);
        if (p == NULL || (*p != ',' && *p != end))
            return NULL;
        if (*p == end)
            return p + 1;
    }
}

static void test_measure(void **state)
{
    const Fixture *f = *state;
    const Measure *m = f->measure;
    double sum = 0;
    uint64_t ns = 0;
    for (int32_t s = 0; s < m->plan->n_steps; s++) {
        sum += m->steps[s].flops;
        ns += m->steps[s].ns;
    }
    assert_true(sum > 0 && sum == m->flops);
    assert_true(ns > 0 && ns <= m->ns);
    assert_int_equal(m->n_runs, 3);
    for (int32_t i = 0; i < m->plan->n_slots; i++)
        assert_int_not_equal(m->shapes[i].rank, SHAPE_UNKNOWN_RANK);
    assert_true(m->scratch_bytes > 0);
}

static void test_text(void **state)
{
    const Fixture *f = *state;
    static const char *const lines[] = { "  predict (tensorflow/serving/predict)\n",
                                         "       3  Conv2D\n",
                                         "unsupported ops: 0\n",
                                         "model in memory  12.3 MB",
                                         "run with         image float [2,28,28,1]",
                                         "plan as it was written: ",
                                         "_FusedConv2D 'conv2d/Conv2D'\n",
                                         "3 runs of " };
    _cleanup_(freep) char *text = print(&f->report, report_print);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("there is no '%s' in\n%s", lines[i], text);
}

static void test_json(void **state)
{
    const Fixture *f = *state;
    Report report = f->report;
    for (int i = 0; i < 3; i++) {
        report.run_error = i == 1 ? "a \"quoted\"\n\xff reason" : NULL;
        if (i == 2)
            report = (Report){ .bundle = &f->bundle, .load_error = "op 'X' is not supported" };
        _cleanup_(freep) char *text = print(&report, report_print_json);
        const char *end = skip_json(text);
        assert_non_null(end);
        assert_string_equal(end, "\n");
        assert_non_null(strstr(text, "{\"op\":\"Conv2D\",\"nodes\":3,\"supported\":true,"));
        assert_true((strstr(text, "\"a \\\"quoted\\\"\\u000a\\ufffd reason\"") != NULL) ==
                    (i == 1));
        assert_true((strstr(text, "\"load_error\":\"op 'X'") != NULL) == (i == 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_measure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
