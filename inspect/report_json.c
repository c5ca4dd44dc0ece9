/* SPDX-License-Identifier: Apache-2.0
 *
 * Report for machines. RFC 8259; names in a bundle are protobuf strings, but what in them is no UTF-8
 * becomes U+FFFD all the same. A shape of unknown rank is null, an open dimension -1.
 */
#include <inttypes.h>

#include "inspect/report.h"
#include "model/base/json_text.h"

static void print_shape(const Shape *shape, FILE *out)
{
    if (shape->rank == SHAPE_UNKNOWN_RANK) {
        fputs("null", out);
        return;
    }
    fputc('[', out);
    for (int i = 0; i < shape->rank; i++)
        fprintf(out, "%s%" PRId64, i > 0 ? "," : "", shape->dims[i]);
    fputc(']', out);
}

static void print_text(const char *key, const char *text, FILE *out)
{
    fprintf(out, "\"%s\":", key);
    json_print_text(text, out);
}

static void print_tensors(const char *key, const SignatureTensor *tensors, size_t n, FILE *out)
{
    fprintf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? ",{" : "{", out);
        print_text("name", tensors[i].alias, out);
        fprintf(out, ",\"dtype\":\"%s\",\"shape\":", dtype_name(tensors[i].dtype));
        print_shape(&tensors[i].shape, out);
        fputc(',', out);
        print_text("tensor", tensors[i].tensor_name, out);
        fprintf(out, ",\"has_default\":%s}", tensors[i].default_value != NULL ? "true" : "false");
    }
    fputc(']', out);
}

static void print_bundle(const Bundle *bundle, FILE *out)
{
    print_text("directory", bundle->directory, out);
    fputs(",\"signatures\":[", out);
    for (size_t i = 0; i < bundle->n_signatures; i++) {
        const Signature *signature = &bundle->signatures[i];
        fputs(i > 0 ? ",{" : "{", out);
        print_text("name", signature->name, out);
        fputc(',', out);
        print_text("method", signature->method_name, out);
        print_tensors("inputs", signature->inputs, signature->n_inputs, out);
        print_tensors("outputs", signature->outputs, signature->n_outputs, out);
        fputc('}', out);
    }
    fputs("],\"ops\":[", out);
    for (size_t i = 0; i < bundle->n_ops; i++) {
        fputs(i > 0 ? ",{" : "{", out);
        print_text("op", bundle->ops[i].name, out);
        fprintf(out, ",\"nodes\":%zu,\"supported\":%s,", bundle->ops[i].n_nodes,
                bundle->ops[i].is_supported ? "true" : "false");
        print_text("first", bundle->ops[i].node, out);
        fputc('}', out);
    }
    fputc(']', out);
}

static void print_value(const Measure *measure, int32_t value, FILE *out)
{
    const Plan *plan = measure->plan;
    const Tensor *constant = value < 0 ? &plan->constants[~value]->tensor : NULL;
    int32_t made = value < 0 ? -1 : plan->made[value];
    DType dtype = constant != NULL ? constant->dtype
                  : made < 0
                      ? plan->feed_dtypes[value]
                      : plan->steps[made].output_dtypes[value - plan->steps[made].first_output];
    fputc('{', out);
    if (constant != NULL)
        fprintf(out, "\"constant_bytes\":%zu", tensor_bytes(constant));
    else
        fprintf(out, "\"value\":%d", value);
    fprintf(out, ",\"dtype\":\"%s\",\"shape\":", dtype_name(dtype));
    print_shape(constant != NULL ? &constant->shape : &measure->shapes[value], out);
    fputc('}', out);
}

static void print_step(const Measure *measure, int32_t number, bool has_times, FILE *out)
{
    const Step *step = &measure->plan->steps[number];
    fputc('{', out);
    print_text("op", step->op->name, out);
    fputc(',', out);
    print_text("node", step->node_name, out);
    fputs(",\"inputs\":[", out);
    for (int i = 0; i < step->n_inputs; i++) {
        fputs(i > 0 ? "," : "", out);
        print_value(measure, step->inputs[i], out);
    }
    fputs("],\"outputs\":[", out);
    for (int i = 0; i < step->n_outputs; i++) {
        fputs(i > 0 ? "," : "", out);
        print_value(measure, step->first_output + i, out);
    }
    fprintf(out, "],\"flops\":%.0f", measure->steps[number].flops);
    if (has_times)
        fprintf(out, ",\"ns\":%.1f", (double)measure->steps[number].ns / (double)measure->n_runs);
    fputc('}', out);
}

static void print_plan(const char *key, const Measure *measure, bool has_times, FILE *out)
{
    fprintf(out, ",\"%s\":[", key);
    for (int32_t s = 0; s < measure->plan->n_steps; s++) {
        fputs(s > 0 ? "," : "", out);
        print_step(measure, s, has_times, out);
    }
    fputc(']', out);
}

static void print_measure(const Report *report, FILE *out)
{
    const Measure *measure = report->measure;
    fputc(',', out);
    print_text("signature", report->signature->name, out);
    fprintf(out, ",\"model_bytes\":%zu", report->model_bytes);
    if (report->run_error != NULL) {
        fputc(',', out);
        print_text("run_error", report->run_error, out);
    } else {
        fprintf(out, ",\"constant_bytes\":%zu,\"scratch_bytes\":%zu,\"flops\":%.0f",
                measure->weight_bytes, measure->scratch_bytes, measure->flops);
    }
    if (report->has_times)
        fprintf(out, ",\"runs\":%" PRId64 ",\"ns\":%.1f", measure->n_runs,
                (double)measure->ns / (double)measure->n_runs);
    if (report->written != NULL)
        print_plan("written", report->written, false, out);
    if (report->has_plan || report->has_times)
        print_plan("plan", measure, report->has_times, out);
}

void report_print_json(const Report *report, FILE *out)
{
    fputc('{', out);
    print_bundle(report->bundle, out);
    if (report->load_error != NULL) {
        fputc(',', out);
        print_text("load_error", report->load_error, out);
    }
    if (report->measure != NULL)
        print_measure(report, out);
    fputs("}\n", out);
}
