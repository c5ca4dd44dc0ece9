/* SPDX-License-Identifier: Apache-2.0
 *
 * Report: all that digit-inspect has found, in the two forms in which it is printed.
 */
#ifndef DIGIT_INSPECT_REPORT_H
#define DIGIT_INSPECT_REPORT_H

#include <stdio.h>

#include "inspect/bundle.h"
#include "inspect/measure.h"

typedef struct Report {
    const Bundle *bundle;
    const char *load_error;     /* why Digit does not serve it; NULL: it does */
    const Signature *signature; /* that was looked at; NULL: none, as all that follows */
    const Measure *measure;     /* of what serves; its shapes are there if it was run */
    const Measure *written;     /* of the same as it was written; NULL: not asked for */
    const char *run_error;      /* why it was not run; NULL: it was */
    const Tensor *inputs;       /* of the run */
    size_t model_bytes;
    bool has_plan, has_times; /* what was asked for */
} Report;

void report_print(const Report *report, FILE *out);
void report_print_json(const Report *report, FILE *out); /* RFC 8259, one object */

#endif
