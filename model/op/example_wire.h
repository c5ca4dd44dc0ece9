/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire form of tensorflow.Example, read in place: examples arrive with each request, and the
 * general parser would build a tree of each first.
 *
 *   Example       1: Features
 *   Features      1: map entry {1: key, 2: Feature}, any number, in any order
 *   Feature       one of 1: BytesList, 2: FloatList, 3: Int64List; or empty
 *   BytesList     1: bytes, repeated
 *   FloatList     1: float, repeated, packed or not
 *   Int64List     1: varint, repeated, packed or not
 *
 * As TensorFlow's own fast parser (core/util/example_proto_fast_parsing.cc), it wants entries to be
 * exactly a key and a value, skips unknown fields of Example only, and takes the first list of a
 * Feature.
 */
#ifndef DIGIT_OP_EXAMPLE_WIRE_H
#define DIGIT_OP_EXAMPLE_WIRE_H

#include "model/base/bytes.h"
#include "model/tensor/dtype.h"

typedef struct ExampleReader {
    Bytes example;  /* what is left */
    Bytes features; /* what is left of the current Features */
} ExampleReader;

typedef enum ExampleStatus {
    EXAMPLE_ENTRY, /* an entry was read */
    EXAMPLE_END,
    EXAMPLE_BAD, /* no Example */
} ExampleStatus;

static inline ExampleReader example_reader(Bytes serialized)
{
    return (ExampleReader){ .example = serialized };
}

/* The next entry; key and feature are views of the serialized bytes. */
ExampleStatus example_next(ExampleReader *reader, Bytes *ret_key, Bytes *ret_feature);

/* The list in a Feature. */
typedef struct FeatureList {
    DType dtype;  /* DT_STRING, DT_FLOAT, DT_INT64; DT_INVALID: no list is set */
    Bytes fields; /* its fields on the wire */
    int64_t n;    /* elements */
} FeatureList;

/* False when the bytes are no Feature. */
bool feature_open(Bytes feature, FeatureList *ret_list);

/* Writes the n elements: Bytes (views of the serialized bytes), float or int64_t. */
void feature_copy(const FeatureList *list, void *out);

#endif
