/* SPDX-License-Identifier: Apache-2.0
 *
 * Print. JSON is RFC 8259; a file name is bytes, so what in it is no UTF-8 becomes U+FFFD.
 */
#include "client/print.h"

#include <inttypes.h>
#include <math.h>

#include "model/base/json_text.h"

static void print_json(const Result *result, FILE *out)
{
    fputs("{\"image\":", out);
    json_print_text(result->file, out);
    if (result->error != NULL) {
        fputs(",\"error\":", out);
        json_print_text(result->error->text, out);
    } else {
        fprintf(out, ",\"digit\":%" PRId64, result->digit);
    }
    if (result->error == NULL && result->probabilities != NULL) {
        fputs(",\"probabilities\":[", out);
        for (size_t i = 0; i < result->n_classes; i++) {
            const char *comma = i > 0 ? "," : "";
            double p = result->probabilities[i];
            if (isfinite(p))
                fprintf(out, "%s%.9g", comma, p);
            else
                fprintf(out, "%snull", comma);
        }
        fputc(']', out);
    }
    fputs("}\n", out);
}

void print_result(const Result *result, const PrintForm *form, FILE *out)
{
    if (form->is_json) {
        print_json(result, out);
        return;
    }
    if (result->error != NULL)
        return;
    if (form->is_alone)
        fprintf(out, "%" PRId64 "\n", result->digit);
    else
        fprintf(out, "%s: %" PRId64 "\n", result->file, result->digit);
    if (form->is_verbose && result->probabilities != NULL)
        for (size_t i = 0; i < result->n_classes; i++)
            fprintf(out, "  %zu  %8.4f %%\n", i, 100 * (double)result->probabilities[i]);
}
