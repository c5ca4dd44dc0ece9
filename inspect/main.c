/* SPDX-License-Identifier: Apache-2.0
 *
 * digit-inspect: reads a bundle, loads it as the server would, runs it when it can, prints what it
 * found. Exit status: 0; 1 when Digit could not serve the bundle or not do what was asked, which is
 * one line on standard error; 2 when the command line is wrong.
 */
#include <string.h>

#include "inspect/bundle.h"
#include "inspect/input.h"
#include "inspect/measure.h"
#include "inspect/options.h"
#include "inspect/report.h"

static const char *copy_text(Arena *arena, const Error *error)
{
    const char *text = arena_strdup(arena, error->text);
    return text != NULL ? text : "out of memory";
}

/* The models whose plans the report shows. */
typedef struct Loaded {
    Model *model, *written;
} Loaded;

static Error *load(const Bundle *bundle, const Options *options, bool as_written, Model **ret)
{
    const ModelOptions model_options = { .tags = &options->tag,
                                         .n_tags = 1,
                                         .as_written = as_written };
    return model_load(bundle->directory, &model_options, ret);
}

/* A plan that is run if there is input for it. */
static Error *measure(Arena *arena, const Model *model, size_t number,
                      const MeasureOptions *options, Measure **ret)
{
    size_t n = 0;
    TRY(measure_new(arena, model_signatures(model, &n)[number].plan, ret));
    return options->inputs != NULL ? measure_run(*ret, options) : NULL;
}

/* Fills in what concerns one signature. Whether it can be run matters only if that was asked for. */
static Error *look_at_signature(Arena *arena, const Options *options, Loaded *loaded,
                                Report *report)
{
    size_t number = 0;
    Tensor *inputs = NULL;
    Measure *served = NULL, *written = NULL;
    TRY(bundle_find(report->bundle, options->signature, &number));
    report->signature = &report->bundle->signatures[number];
    const InputForm form = { options->batch, options->shape, options->seed };
    Error *error = input_make(arena, report->signature, &form, &inputs);
    MeasureOptions run = { inputs, options->is_run ? options->repeat : 0, options->threads };
    if (error == NULL)
        error = measure(arena, loaded->model, number, &run, &served);
    if (error != NULL && (options->is_run || options->shape[0] != '\0'))
        return error;
    if (error != NULL) {
        report->run_error = copy_text(arena, error);
        error_free(error);
        run.inputs = NULL;
        TRY(measure(arena, loaded->model, number, &run, &served));
    }
    if (options->is_plan) {
        TRY(load(report->bundle, options, true, &loaded->written));
        run.repeat = 0;
        TRY(measure(arena, loaded->written, number, &run, &written));
    }
    report->measure = served;
    report->written = written;
    report->inputs = inputs;
    report->model_bytes = model_memory_bytes(loaded->model);
    report->has_plan = options->is_plan;
    report->has_times = options->is_run;
    return NULL;
}

/* *ret_error is why the report is not all that was asked for; then, too, it is printed. */
static Error *inspect(Arena *arena, const Options *options, Loaded *loaded, Error **ret_error)
{
    Bundle bundle;
    TRY(bundle_read(arena, options->bundles.items[0], options->tag, &bundle));
    Report report = { .bundle = &bundle };
    Error *error = load(&bundle, options, false, &loaded->model);
    if (error != NULL)
        report.load_error = copy_text(arena, error);
    else if (bundle.n_signatures > 0 || options->signature[0] != '\0')
        error = look_at_signature(arena, options, loaded, &report);
    *ret_error = error;
    if (options->is_json)
        report_print_json(&report, stdout);
    else
        report_print(&report, stdout);
    return NULL;
}

/* One line, whatever TensorFlow's texts have in them. */
static int complain(Error *error, int status)
{
    fputs("digit-inspect: ", stderr);
    for (const char *c = error->text; *c != '\0'; c++)
        fputc(*c == '\n' || *c == '\t' ? ' ' : *c, stderr);
    fputc('\n', stderr);
    error_free(error);
    return status;
}

static int run(const Options *options)
{
    Loaded loaded = { 0 };
    Error *error = NULL, *incomplete = NULL;
    Arena *arena = arena_new((size_t)1 << 20, 0);
    error = arena != NULL ? inspect(arena, options, &loaded, &incomplete) : error_out_of_memory();
    int status = error != NULL ? complain(error, 1) : 0;
    if (incomplete != NULL)
        status = complain(incomplete, 1);
    model_unref(loaded.model);
    model_unref(loaded.written);
    arena_free(arena);
    return status;
}

int main(int argc, char **argv)
{
    Options options;
    Error *error = options_parse(argc, argv, &options);
    if (error != NULL)
        return complain(error, 2);
    int status = 0;
    if (options.is_help)
        options_help(stdout);
    else if (options.is_version)
        printf("digit-inspect %s\n", DIGIT_VERSION);
    else
        status = run(&options);
    options_done(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("digit-inspect: standard output");
        status = 1;
    }
    return status;
}
