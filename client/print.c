/* SPDX-License-Identifier: Apache-2.0
 *
 * Print. JSON is RFC 8259; a file name is bytes, so what in it is no UTF-8 becomes U+FFFD.
 */
#include "client/print.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The length of the UTF-8 character at `p`, 0 when there is none (RFC 3629). */
static int utf8_length(const unsigned char *p)
{
    int n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
    if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
        return 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool is_surrogate = p[0] == 0xed && p[1] >= 0xa0;
    bool is_too_big = p[0] == 0xf4 && p[1] >= 0x90;
    return is_overlong || is_surrogate || is_too_big ? 0 : n;
}

static void print_json_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        int n = utf8_length(p);
        if (n == 0)
            fputs("\\ufffd", out);
        else if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < 0x20)
            fprintf(out, "\\u%04x", *p);
        else
            fwrite(p, 1, (size_t)n, out);
        p += n > 0 ? n : 1;
    }
    fputc('"', out);
}

static void print_json(const Result *result, FILE *out)
{
    fputs("{\"image\":", out);
    print_json_text(result->file, out);
    if (result->error != NULL) {
        fputs(",\"error\":", out);
        print_json_text(result->error->text, out);
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
