/* SPDX-License-Identifier: Apache-2.0
 *
 * Print: a picture's result for people, or as JSON.
 */
#ifndef DIGIT_CLIENT_PRINT_H
#define DIGIT_CLIENT_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/error.h"

typedef struct Result {
    const char *file;   /* borrowed */
    const Error *error; /* borrowed; NULL: there is a digit */
    int64_t digit;
    size_t n_classes;
    const float *probabilities; /* [n_classes], borrowed; NULL: not known */
} Result;

typedef struct PrintForm {
    bool is_json;
    bool is_verbose;
    bool is_alone; /* one picture: its name is not printed */
} PrintForm;

/* Prints a digit: "4", or "FILE: 4"; the probabilities below it, if verbose. As JSON one object on
 * a line: {"image":FILE,"digit":4,"probabilities":[...]} or {"image":FILE,"error":TEXT}. A result
 * with an error prints nothing but JSON. */
void print_result(const Result *result, const PrintForm *form, FILE *out);

#endif
