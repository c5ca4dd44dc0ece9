/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON strings: what is UTF-8 stays, but quotes, backslashes and control characters are escaped.
 */
#include "model/base/json_text.h"

#include <stdbool.h>

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

void json_print_text(const char *text, FILE *out)
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
