/* SPDX-License-Identifier: Apache-2.0
 *
 * Trace: which distributed trace a request belongs to, as W3C Trace Context says it in the header
 * `traceparent`. https://www.w3.org/TR/trace-context/
 */
#ifndef DIGIT_SERVER_GRPC_TRACE_H
#define DIGIT_SERVER_GRPC_TRACE_H

#include <stdbool.h>

#include "model/base/bytes.h"

typedef struct Trace {
    char trace_id[33];  /* 32 lower-case hexadecimal digits */
    char parent_id[17]; /* 16, of the caller's span */
    bool is_sampled;    /* the caller records it */
} Trace;

/* Reads a `traceparent`. False when it is none, or one that is to be ignored, as the specification
 * demands: another length, upper case, ids of zeros, version ff. */
bool trace_parse(Bytes text, Trace *ret_trace);

#endif
