/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON values, appended to a Buf. RESOURCE_EXHAUSTED when it is full. The layout (brackets, commas)
 * is the caller's.
 */
#ifndef DIGIT_SERVER_REST_JSON_WRITE_H
#define DIGIT_SERVER_REST_JSON_WRITE_H

#include <stdint.h>

#include "model/base/buf.h"
#include "model/base/bytes.h"

/* The shortest of %.6g and %.9g (double: %.17g) that reads back as the same number, with a point or
 * an exponent in it, so that a float stays a float. NaN, Infinity and -Infinity stand without
 * quotation marks, as TensorFlow Serving prints them. */
Error *json_write_float(Buf *buf, float value) _warn_unused_result_;
Error *json_write_double(Buf *buf, double value) _warn_unused_result_;

Error *json_write_int(Buf *buf, int64_t value) _warn_unused_result_;
Error *json_write_uint(Buf *buf, uint64_t value) _warn_unused_result_;

/* In quotation marks, escaped; bytes over 0x7f as they are. */
Error *json_write_string(Buf *buf, Bytes string) _warn_unused_result_;

/* In quotation marks, as base64 with padding (RFC 4648, section 4). */
Error *json_write_base64(Buf *buf, Bytes bytes) _warn_unused_result_;

#endif
