/* SPDX-License-Identifier: Apache-2.0
 *
 * A TensorProto from the wire and from the unpacked message. When both readers take the bytes they
 * must mean the same tensor, and what is written must be read back as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "model/base/message.h"
#include "model/tensor/tensor_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The wire form that is written for a tensor: equal for equal tensors. */
static Error *write(Arena *arena, const Tensor *tensor, bool as_content, Bytes *ret_wire)
{
    size_t size = tensor_wire_size(tensor, as_content);
    uint8_t *out = arena_alloc(arena, size);
    if (out == NULL)
        return error_out_of_memory();
    if (tensor_to_wire(tensor, as_content, out) != out + size)
        abort();
    *ret_wire = (Bytes){ out, size };
    return NULL;
}

static Error *expect(Arena *arena, const Tensor *tensor, Bytes wanted)
{
    Bytes written = { 0 };
    TRY(write(arena, tensor, false, &written));
    if (!bytes_equal(written, wanted))
        abort();
    return NULL;
}

static Error *read_both(Arena *arena, Bytes wire)
{
    Tensor tensor, again;
    ProtobufCMessage *message;
    Bytes typed = { 0 }, content = { 0 };
    TRY(tensor_from_wire(arena, wire, &tensor));
    TRY(write(arena, &tensor, false, &typed));
    TRY(write(arena, &tensor, true, &content));
    TRY(tensor_from_wire(arena, content, &again));
    TRY(expect(arena, &again, typed));
    TRY(message_unpack(arena, &tensorflow__tensor_proto__descriptor, "fuzz", wire.data, wire.size,
                       &message));
    TRY(tensor_from_proto(arena, (Tensorflow__TensorProto *)message, &again));
    return expect(arena, &again, typed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 64 << 20);
    error_free(read_both(arena, (Bytes){ data, size }));
    return 0;
}
