/* SPDX-License-Identifier: Apache-2.0
 *
 * The .proto files of this folder and those that they import as a serialized
 * google.protobuf.FileDescriptorSet, each file behind its imports; made by generate.sh.
 */
#ifndef DIGIT_PROTO_DESCRIPTORS_H
#define DIGIT_PROTO_DESCRIPTORS_H

#include <stddef.h>

extern const unsigned char proto_descriptors[];
extern const size_t proto_descriptors_size;

#endif
