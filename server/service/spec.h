/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelSpec: which model, version and signature a request asks for; from its bytes to a Handle.
 */
#ifndef DIGIT_SERVER_SERVICE_SPEC_H
#define DIGIT_SERVER_SERVICE_SPEC_H

#include <stdbool.h>

#include "model/base/bytes.h"
#include "model/base/error.h"
#include "server/manager/handle.h"

/* A text of a client in an error's: `%.*s` takes SHOWN(bytes). Cut, since replies cut it anyway. */
#define SHOWN_MAX 2048
#define SHOWN(bytes)                                                                               \
    (int)((bytes).size < SHOWN_MAX ? (bytes).size : SHOWN_MAX), (const char *)(bytes).data

/* tensorflow.serving.ModelSpec; texts are borrowed from the request. */
typedef struct ModelSpec {
    bool is_there; /* the request has a ModelSpec */
    Bytes name;
    bool has_version; /* 0 is a version like any other */
    int64_t version;
    bool has_label; /* excludes has_version */
    Bytes label;
    Bytes signature_name; /* "" stands for serving_default */
} ModelSpec;

/* Merges the serialized ModelSpec `wire` into `*spec`, which the caller zeroed, as protobuf merges
 * a field that is there twice. False when it is none. */
bool spec_read(Bytes wire, ModelSpec *spec) _warn_unused_result_;

/* What the spec's version asks for: NULL for the latest. Borrowed from `spec`. */
const int64_t *spec_version(const ModelSpec *spec);

/* The signature that is asked for, by its full name. */
Bytes spec_signature_name(const ModelSpec *spec);

/* The loan of the version that the spec asks for. INVALID_ARGUMENT when there is no spec or no name;
 * else as handle_acquire and handle_acquire_labelled. The reader's thread. */
Error *spec_acquire(const ModelSpec *spec, Reader *reader, Handle *ret_handle) _warn_unused_result_;

/* INVALID_ARGUMENT `Missing ModelSpec`. */
Error *spec_missing(void) _warn_unused_result_;

#endif
