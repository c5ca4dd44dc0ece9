/* SPDX-License-Identifier: Apache-2.0
 *
 * | 00-7f | c2-df 80-bf | e0-ef 80-bf 80-bf | f0-f4 80-bf 80-bf 80-bf |
 *
 * without overlong forms, surrogates and what lies above U+10FFFF.
 */
#include "model/base/utf8.h"

#include <stdbool.h>

size_t utf8_length(const uint8_t *p, size_t max)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n > max)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool is_surrogate = p[0] == 0xed && p[1] >= 0xa0;
    bool is_too_big = p[0] == 0xf4 && p[1] >= 0x90;
    return is_overlong || is_surrogate || is_too_big ? 0 : n;
}
