/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors: finds files in a serialized FileDescriptorSet, along the wire. Nothing is copied.
 */
#ifndef DIGIT_SERVER_SERVICE_DESCRIPTOR_H
#define DIGIT_SERVER_SERVICE_DESCRIPTOR_H

#include <stdbool.h>

#include "model/base/bytes.h"

/* The FileDescriptorProto of the file `name`. False when the set has none. */
bool descriptor_find_file(Bytes set, Bytes name, Bytes *ret_file);

/* The FileDescriptorProto that defines `symbol`, a full name without a leading dot: of a message,
 * field, oneof, enum, enum value, service, method or extension. False when none does. */
bool descriptor_find_symbol(Bytes set, Bytes symbol, Bytes *ret_file);

/* The same for messages alone. */
bool descriptor_find_message(Bytes set, Bytes symbol, Bytes *ret_file);

#endif
