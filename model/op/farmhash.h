/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes of byte strings whose values are part of TensorFlow's contract: a model was trained with
 * the buckets that they give.
 */
#ifndef DIGIT_OP_FARMHASH_H
#define DIGIT_OP_FARMHASH_H

#include "model/base/bytes.h"

/* FarmHash's Fingerprint64 (github.com/google/farmhash, farmhashna::Hash64). */
uint64_t farmhash_fingerprint64(Bytes bytes);

/* SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) with the key
 * key[0], key[1] as little-endian words. */
uint64_t siphash(const uint64_t key[2], Bytes bytes);

/* TensorFlow's Hash64 (core/lib/hash/hash.cc): MurmurHash64A with the seed 0xDECAFCAFFE. */
uint64_t murmurhash64(Bytes bytes);

#endif
