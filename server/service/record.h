/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a TFRecord file, uncompressed.
 *
 * | uint64 length | uint32 masked crc32c of the length | bytes | uint32 masked crc32c of the bytes |
 *
 * all little-endian. https://www.tensorflow.org/tutorials/load_data/tfrecord
 */
#ifndef DIGIT_SERVER_SERVICE_RECORD_H
#define DIGIT_SERVER_SERVICE_RECORD_H

#include "model/base/bytes.h"
#include "model/base/error.h"

/* Gives the first record of `*rest`, which is not empty, and moves `*rest` past it. The record is
 * borrowed. DATA_LOSS when it is cut off or its sums do not fit. */
Error *record_next(Bytes *rest, Bytes *ret_record) _warn_unused_result_;

#endif
