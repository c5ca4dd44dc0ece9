/* SPDX-License-Identifier: Apache-2.0
 *
 * Message: checks the bytes first, then lets protobuf-c unpack them into the arena.
 *
 * protobuf-c 1.4 leaves to its caller what is checked here, without recursion:
 *   - nesting, which it follows on the stack however deep it goes;
 *   - lengths near 2^32, which wrap in its 32-bit sums;
 *   - a message field that is there twice. It merges repeated fields rightly, but not a proto3
 *     scalar, and for a oneof that is unset in both it reads in front of the descriptor's table.
 *     So a second one is refused unless its type has repeated fields only; of those a message may
 *     have a few (tf.Example bytes are joined so), not many: each merge copies all before it;
 *   - strings with a NUL inside, whose rest C would not see. They are refused.
 */
#include "model/base/message.h"

#include <assert.h>
#include <string.h>

#include "model/base/wire.h"

#define MERGES_MAX 16
#define BYTES_MAX INT32_MAX /* protocol buffers' own limit on a message */

/* A message that is being walked. */
typedef struct Frame {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *end;
    uint64_t seen; /* bit i: field i, a singular message, was there */
    unsigned n_merges;
} Frame;

/* True when protobuf-c merges two messages of this type as the specification says. */
static bool merges_rightly(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return false;
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].label != PROTOBUF_C_LABEL_REPEATED)
            return false;
    return true;
}

static Error *check_repetition(Frame *frame, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return NULL;
    assert(frame->type->n_fields <= 64); /* our own .proto files */
    uint64_t bit = UINT64_C(1) << (field - frame->type->fields);
    bool is_again = (frame->seen & bit) != 0;
    frame->seen |= bit;
    if (is_again && (!merges_rightly(field) || ++frame->n_merges > MERGES_MAX))
        return error_new(ERROR_INVALID_ARGUMENT, "the field %s of a %s is given more than once",
                         field->name, frame->type->name);
    return NULL;
}

static Error *check_wire(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t bytes)
{
    Frame stack[MESSAGE_MAX_DEPTH + 1];
    size_t depth = 0;
    stack[0] = (Frame){ .type = type, .end = bytes_past(data, bytes) };
    const uint8_t *at = data;
    for (;;) {
        Frame *frame = &stack[depth];
        if (at == frame->end) {
            if (depth == 0)
                return NULL;
            depth--;
            continue;
        }
        WireField wire;
        if (!wire_next(&at, frame->end, &wire))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "cut off or corrupt at byte %zu of %zu, in a %s", (size_t)(at - data),
                             bytes, frame->type->name);
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(frame->type, wire.number);
        if (field == NULL || wire.type != WIRE_BYTES)
            continue;
        if (field->type == PROTOBUF_C_TYPE_STRING && wire.bytes.size > 0 &&
            memchr(wire.bytes.data, '\0', wire.bytes.size) != NULL)
            return error_new(ERROR_INVALID_ARGUMENT, "the field %s of a %s holds a NUL character",
                             field->name, frame->type->name);
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        TRY(check_repetition(frame, field));
        if (depth == MESSAGE_MAX_DEPTH)
            return error_new(ERROR_RESOURCE_EXHAUSTED, "messages are nested deeper than %d",
                             MESSAGE_MAX_DEPTH);
        stack[++depth] = (Frame){ .type = field->descriptor, .end = at };
        at = wire.bytes.data;
    }
}

/* What the allocator of message_unpack keeps. */
typedef struct Memory {
    Arena *arena;
    bool is_full;
} Memory;

static void *memory_alloc(void *memory, size_t bytes)
{
    void *p = arena_alloc(((Memory *)memory)->arena, bytes);
    ((Memory *)memory)->is_full |= p == NULL;
    return p;
}

static void *arena_alloc_for(void *arena, size_t bytes)
{
    return arena_alloc(arena, bytes);
}

static void free_nothing(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

void message_allocator_init(ProtobufCAllocator *allocator, Arena *arena)
{
    *allocator = (ProtobufCAllocator){ arena_alloc_for, free_nothing, arena };
}

Error *message_unpack(Arena *arena, const ProtobufCMessageDescriptor *descriptor, const char *what,
                      const uint8_t *data, size_t bytes, ProtobufCMessage **ret_message)
{
    if (bytes > BYTES_MAX)
        return error_new(ERROR_INVALID_ARGUMENT, "%s: %zu bytes; a message has at most %d", what,
                         bytes, BYTES_MAX);
    TRY(error_prefix(check_wire(descriptor, data, bytes), "%s", what));

    Memory memory = { .arena = arena };
    ProtobufCAllocator allocator = { memory_alloc, free_nothing, &memory };
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, bytes, data);
    if (message == NULL && memory.is_full)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "%s: no memory to unpack the %zu bytes of a %s; %zu are in use", what,
                         bytes, descriptor->name, arena_held(arena));
    if (message == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "%s: not a %s: a field has the wrong type", what,
                         descriptor->name);
    *ret_message = message;
    return NULL;
}

Error *message_pack(const ProtobufCMessage *message, Buf *buf)
{
    size_t bytes = protobuf_c_message_get_packed_size(message);
    TRY(buf_reserve(buf, bytes));
    if (bytes > 0)
        buf->size += protobuf_c_message_pack(message, buf->data + buf->size);
    return NULL;
}
