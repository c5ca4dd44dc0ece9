/* SPDX-License-Identifier: Apache-2.0
 *
 * Term: a size that is known, or known in terms of others: 6 * s1 * s4. A symbol stands for a
 * dimension of some tensor of a run, whatever it will be: 0 or more.
 */
#ifndef DIGIT_GRAPH_TERM_H
#define DIGIT_GRAPH_TERM_H

#include <stdbool.h>
#include <stdint.h>

#define TERM_MAX_SYMBOLS 6

typedef struct Term {
    int64_t factor;
    int32_t n;                         /* 0: the factor is all of it */
    int32_t symbols[TERM_MAX_SYMBOLS]; /* [n], rising */
} Term;

static inline Term term_of(int64_t number)
{
    return (Term){ .factor = number };
}

static inline Term term_of_symbol(int32_t symbol)
{
    return (Term){ .factor = 1, .n = 1, .symbols = { symbol } };
}

/* Equal in every run. Terms that are not may still have the same value in some. */
bool term_equal(const Term *a, const Term *b);

/* True when the term is the number, whatever the symbols are. */
static inline bool term_is(const Term *term, int64_t number)
{
    return term->n == 0 && term->factor == number;
}

/* False when the product has too many symbols or its factor overflows. */
bool term_multiply(const Term *a, const Term *b, Term *ret_product);

/* a / b, where that holds for all values of the symbols that are left and b can not be 0: b is a
 * number. False otherwise. */
bool term_divide(const Term *a, const Term *b, Term *ret_quotient);

#endif
