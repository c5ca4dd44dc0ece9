/* SPDX-License-Identifier: Apache-2.0
 *
 * Term: products of symbols, sorted so that equal ones look alike.
 */
#include "model/graph/term.h"

#include <stddef.h>
#include <string.h>

bool term_equal(const Term *a, const Term *b)
{
    return a->factor == b->factor && a->n == b->n &&
           memcmp(a->symbols, b->symbols, (size_t)a->n * sizeof a->symbols[0]) == 0;
}

bool term_multiply(const Term *a, const Term *b, Term *ret_product)
{
    Term product = { .n = 0 };
    if (__builtin_mul_overflow(a->factor, b->factor, &product.factor))
        return false;
    if (product.factor == 0 || a->n + b->n > TERM_MAX_SYMBOLS) {
        *ret_product = product;
        return product.factor == 0;
    }
    for (int i = 0, k = 0; i < a->n || k < b->n;) {
        bool is_a = k == b->n || (i < a->n && a->symbols[i] <= b->symbols[k]);
        product.symbols[product.n++] = is_a ? a->symbols[i++] : b->symbols[k++];
    }
    *ret_product = product;
    return true;
}

bool term_divide(const Term *a, const Term *b, Term *ret_quotient)
{
    if (b->n > 0 || b->factor <= 0 || a->factor % b->factor != 0)
        return false;
    *ret_quotient = *a;
    ret_quotient->factor = a->factor / b->factor;
    return true;
}
