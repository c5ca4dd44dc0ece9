/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON strings: what is UTF-8 stays, but quotes, backslashes and control characters are escaped.
 */
#include "model/base/json_text.h"

#include "model/base/utf8.h"

/* Writes the first character of text, which is not empty, as it stands in a string. Returns the
 * bytes written, 6 at most, and moves past it. */
static size_t escape(Bytes *text, char out[8])
{
    const uint8_t *p = text->data;
    size_t n = utf8_length(p, text->size);
    size_t written = n;
    if (n == 0)
        written = (size_t)snprintf(out, 8, "\\ufffd");
    else if (*p == '"' || *p == '\\')
        written = (size_t)snprintf(out, 8, "\\%c", *p);
    else if (*p < 0x20)
        written = (size_t)snprintf(out, 8, "\\u%04x", *p);
    else
        memcpy(out, p, n);
    size_t taken = n > 0 ? n : 1;
    *text = (Bytes){ p + taken, text->size - taken };
    return written;
}

void json_print_text(const char *text, FILE *out)
{
    char escaped[8];
    fputc('"', out);
    for (Bytes rest = bytes_of_text(text); rest.size > 0;) {
        size_t n = escape(&rest, escaped);
        fwrite(escaped, 1, n, out);
    }
    fputc('"', out);
}

Error *json_append_text(Buf *buf, Bytes text)
{
    char escaped[8];
    TRY(buf_append_text(buf, "\""));
    while (text.size > 0) {
        size_t n = escape(&text, escaped);
        TRY(buf_append(buf, escaped, n));
    }
    return buf_append_text(buf, "\"");
}
