/* SPDX-License-Identifier: Apache-2.0
 *
 * Trace: version "-" trace-id "-" parent-id "-" flags, all in lower-case hexadecimal digits:
 *
 *     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *
 * A later version may have more behind another dash, and is read as far as this one goes.
 */
#include "server/grpc/trace.h"

#define VERSION_DIGITS 2
#define TRACE_ID_DIGITS 32
#define PARENT_ID_DIGITS 16
#define FLAGS_DIGITS 2
#define FLAG_SAMPLED 1

/* The value of a digit, or -1. */
static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes `n` digits off the front of `*rest`, and the dash behind them if there is to be one. */
static bool take(Bytes *rest, size_t n, bool has_dash, Bytes *ret_digits)
{
    if (rest->size < n + has_dash || (has_dash && rest->data[n] != '-'))
        return false;
    for (size_t i = 0; i < n; i++)
        if (digit(rest->data[i]) < 0)
            return false;
    *ret_digits = (Bytes){ rest->data, n };
    *rest = (Bytes){ rest->data + n + has_dash, rest->size - n - has_dash };
    return true;
}

static bool is_zero(Bytes digits)
{
    for (size_t i = 0; i < digits.size; i++)
        if (digits.data[i] != '0')
            return false;
    return true;
}

bool trace_parse(Bytes text, Trace *ret_trace)
{
    Bytes version, trace_id, parent_id, flags;
    if (!take(&text, VERSION_DIGITS, true, &version) ||
        !take(&text, TRACE_ID_DIGITS, true, &trace_id) ||
        !take(&text, PARENT_ID_DIGITS, true, &parent_id) ||
        !take(&text, FLAGS_DIGITS, false, &flags))
        return false;
    if (bytes_equal(version, bytes_of_text("ff")) || is_zero(trace_id) || is_zero(parent_id))
        return false;
    if (text.size > 0 && (is_zero(version) || text.data[0] != '-'))
        return false;
    *ret_trace = (Trace){ .is_sampled = (digit(flags.data[1]) & FLAG_SAMPLED) != 0 };
    memcpy(ret_trace->trace_id, trace_id.data, trace_id.size);
    memcpy(ret_trace->parent_id, parent_id.data, parent_id.size);
    return true;
}
