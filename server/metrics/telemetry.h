/* SPDX-License-Identifier: Apache-2.0
 *
 * Telemetry: what a thread tells of the calls that it has ended: into its shard of the metrics, and
 * some of them into the access log.
 */
#ifndef DIGIT_SERVER_METRICS_TELEMETRY_H
#define DIGIT_SERVER_METRICS_TELEMETRY_H

#include "server/metrics/metrics.h"

/* One thread's. */
typedef struct Telemetry {
    Shard *shard; /* borrowed; NULL: nothing is counted */
    unsigned n_strangers;
    double sample_rate; /* of calls that the access log tells of; 0: none */
    double sample_due;  /* one is told of whenever this reaches 1 */
} Telemetry;

/* For one thread, which need not be the caller's. `metrics` may be NULL. */
Error *telemetry_init(Telemetry *telemetry, Metrics *metrics,
                      double sample_rate) _warn_unused_result_;

/* A call that has ended. Texts are borrowed; those of a stranger are cut where they are shown. */
typedef struct CallRecord {
    Bytes model;
    bool is_known;    /* the server has that model */
    bool has_version; /* and a version of it was taken */
    int64_t version;
    Bytes signature; /* one that the version has; else empty */
    const char
        *method; /* gRPC: Predict, Classify, GetModelMetadata...; REST: predict, classify... */
    const char *entrypoint; /* GRPC or REST */
    ErrorCode status;
    uint64_t latency_ns; /* from the handler's start to the end of the run */
    uint64_t runtime_ns; /* of the run; that of its batch */
    uint64_t request_bytes;
    uint64_t reply_bytes;
    uint64_t n_examples; /* of Classify, Regress and MultiInference */
    Bytes trace_id;      /* of the W3C trace context; empty: none */
    Bytes request_id;    /* x-request-id; empty: none */
} CallRecord;

/* Counts the call. The telemetry's thread. Takes no lock but for labels that are new. */
void telemetry_record(Telemetry *telemetry, const CallRecord *record);

/* CLOCK_MONOTONIC nanoseconds. */
uint64_t telemetry_now_ns(void);

#endif
