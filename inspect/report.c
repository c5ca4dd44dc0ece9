/* SPDX-License-Identifier: Apache-2.0
 *
 * Report for people: a paragraph each for signatures, ops, memory, plans and times.
 */
#include "inspect/report.h"

#include <inttypes.h>
#include <string.h>

#define SIZE_TEXT_BYTES 32

/* "1.5 MB": three digits or so. */
static const char *size_text(double bytes, char text[SIZE_TEXT_BYTES])
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
        bytes /= 1000;
        unit++;
    }
    snprintf(text, SIZE_TEXT_BYTES, "%.*f %s", unit == 0 || bytes >= 100 ? 0 : 1, bytes,
             units[unit]);
    return text;
}

/* ---- bundle -------------------------------------------------------------------------------- */

static void print_tensors(const char *what, const SignatureTensor *tensors, size_t n, FILE *out)
{
    char shape[SHAPE_TEXT_BYTES];
    for (size_t i = 0; i < n; i++)
        fprintf(out, "    %-6s %-20s %-9s %-20s %s%s\n", what, tensors[i].alias,
                dtype_name(tensors[i].dtype), shape_text(&tensors[i].shape, shape),
                tensors[i].tensor_name, tensors[i].default_value != NULL ? " (has a default)" : "");
}

static void print_signatures(const Bundle *bundle, FILE *out)
{
    fprintf(out, "%s\n\nsignatures: %zu\n", bundle->directory, bundle->n_signatures);
    for (size_t i = 0; i < bundle->n_signatures; i++) {
        const Signature *signature = &bundle->signatures[i];
        fprintf(out, "  %s (%s)\n", signature->name,
                signature->method_name[0] != '\0' ? signature->method_name : "no method");
        print_tensors("input", signature->inputs, signature->n_inputs, out);
        print_tensors("output", signature->outputs, signature->n_outputs, out);
    }
}

static void print_ops(const Bundle *bundle, FILE *out)
{
    size_t n_nodes = 0;
    for (size_t i = 0; i < bundle->n_ops; i++)
        n_nodes += bundle->ops[i].n_nodes;
    fprintf(out, "\nops that they reach: %zu, in %zu nodes\n", bundle->n_ops, n_nodes);
    for (size_t i = 0; i < bundle->n_ops; i++)
        fprintf(out, "  %6zu  %s\n", bundle->ops[i].n_nodes, bundle->ops[i].name);
    fprintf(out, "\nunsupported ops: %zu\n", bundle->n_unsupported);
    for (size_t i = 0; i < bundle->n_ops; i++)
        if (!bundle->ops[i].is_supported)
            fprintf(out, "  %6zu  %s, first at node '%s'\n", bundle->ops[i].n_nodes,
                    bundle->ops[i].name, bundle->ops[i].node);
}

/* ---- plans --------------------------------------------------------------------------------- */

/* One operand: "float [1,28,28,1]", a constant with its size. */
static void print_value(const Measure *measure, int32_t value, FILE *out)
{
    const Plan *plan = measure->plan;
    char shape[SHAPE_TEXT_BYTES], size[SIZE_TEXT_BYTES];
    if (value < 0) {
        const Tensor *constant = &plan->constants[~value]->tensor;
        fprintf(out, "const %s%s %s", dtype_name(constant->dtype),
                shape_text(&constant->shape, shape),
                size_text((double)tensor_bytes(constant), size));
        return;
    }
    int32_t made = plan->made[value];
    DType dtype = made < 0
                      ? plan->feed_dtypes[value]
                      : plan->steps[made].output_dtypes[value - plan->steps[made].first_output];
    fprintf(out, "%%%d %s", value, dtype_name(dtype));
    if (measure->shapes[value].rank != SHAPE_UNKNOWN_RANK)
        fputs(shape_text(&measure->shapes[value], shape), out);
}

static void print_plan(const char *title, const Measure *measure, FILE *out)
{
    const Plan *plan = measure->plan;
    fprintf(out, "\n%s: %d steps\n", title, plan->n_steps);
    for (size_t i = 0; i < plan->n_feeds; i++) {
        fputs("        fed ", out);
        print_value(measure, (int32_t)i, out);
        fputc('\n', out);
    }
    for (int32_t s = 0; s < plan->n_steps; s++) {
        const Step *step = &plan->steps[s];
        fprintf(out, "  %4d  %s '%s'\n        (", s, step->op->name, step->node_name);
        for (int i = 0; i < step->n_inputs; i++) {
            fputs(i > 0 ? ", " : "", out);
            print_value(measure, step->inputs[i], out);
        }
        fputs(") -> ", out);
        for (int i = 0; i < step->n_outputs; i++) {
            fputs(i > 0 ? ", " : "", out);
            print_value(measure, step->first_output + i, out);
        }
        fputc('\n', out);
    }
}

/* ---- memory and times ---------------------------------------------------------------------- */

static void print_memory(const Report *report, FILE *out)
{
    const Measure *measure = report->measure;
    char text[SIZE_TEXT_BYTES], shape[SHAPE_TEXT_BYTES];
    fprintf(out, "\nsignature %s: %d steps\n", report->signature->name, measure->plan->n_steps);
    fprintf(out, "  model in memory  %s: weights, packed weights, plans of all signatures\n",
            size_text((double)report->model_bytes, text));
    if (report->run_error != NULL) {
        fprintf(out, "  not run: %s\n", report->run_error);
        return;
    }
    fprintf(out, "  of that          %s are constants of this plan that are not packed\n",
            size_text((double)measure->weight_bytes, text));
    for (size_t i = 0; i < report->signature->n_inputs; i++)
        fprintf(out, "  run with         %s %s %s\n", report->signature->inputs[i].alias,
                dtype_name(report->inputs[i].dtype), shape_text(&report->inputs[i].shape, shape));
    fprintf(out, "  scratch          %s a thread\n",
            size_text((double)measure->scratch_bytes, text));
    fprintf(out, "  arithmetic       %.4g MFLOP in convolutions and matrix products\n",
            measure->flops / 1e6);
}

static void print_times(const Measure *measure, FILE *out)
{
    const Plan *plan = measure->plan;
    double runs = (double)measure->n_runs, total = 0;
    for (int32_t s = 0; s < plan->n_steps; s++)
        total += (double)measure->steps[s].ns;
    fprintf(out, "\n%" PRId64 " runs of %.1f us, %.1f us of them in steps", measure->n_runs,
            (double)measure->ns / runs / 1e3, total / runs / 1e3);
    if (measure->flops > 0 && measure->ns > 0)
        fprintf(out, ", %.1f GFLOP/s", measure->flops * runs / (double)measure->ns);
    fprintf(out, "\n  %4s  %10s %7s %8s  %s\n", "step", "us", "share", "GFLOP/s", "op and node");
    for (int32_t s = 0; s < plan->n_steps; s++) {
        const StepMeasure *step = &measure->steps[s];
        double ns = (double)step->ns;
        char rate[SIZE_TEXT_BYTES] = "";
        if (step->flops > 0 && ns > 0)
            snprintf(rate, sizeof rate, "%.1f", step->flops * runs / ns);
        fprintf(out, "  %4d  %10.2f %6.1f%% %8s  %s '%s'\n", s, ns / runs / 1e3,
                total > 0 ? 100 * ns / total : 0, rate, plan->steps[s].op->name,
                plan->steps[s].node_name);
    }
}

void report_print(const Report *report, FILE *out)
{
    print_signatures(report->bundle, out);
    print_ops(report->bundle, out);
    if (report->load_error != NULL)
        fprintf(out, "\nDigit cannot serve it: %s\n", report->load_error);
    if (report->measure == NULL)
        return;
    print_memory(report, out);
    if (report->written != NULL)
        print_plan("plan as it was written", report->written, out);
    if (report->has_plan)
        print_plan("plan as it runs", report->measure, out);
    if (report->has_times)
        print_times(report->measure, out);
}
