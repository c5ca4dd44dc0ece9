/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip (RFC 1952): the door to zlib in the server.
 */
#ifndef DIGIT_SERVER_REST_GZIP_H
#define DIGIT_SERVER_REST_GZIP_H

#include "model/base/buf.h"
#include "model/base/bytes.h"

/* Appends what the gzip file `from` holds to `buf`, whose maximum is the limit. INVALID_ARGUMENT when
 * it is none or is cut off; RESOURCE_EXHAUSTED when it holds more. */
Error *gzip_read(Bytes from, Buf *buf) _warn_unused_result_;

/* Appends `from` as a gzip file, compressed fast rather than small. */
Error *gzip_write(Bytes from, Buf *buf) _warn_unused_result_;

#endif
