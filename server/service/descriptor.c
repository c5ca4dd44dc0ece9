/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors. What encloses what, with the field numbers of google/protobuf/descriptor.proto; the
 * name of each is its field 1:
 *
 * | FileDescriptorProto    | 2 package, 4 message, 5 enum, 6 service, 7 extension        |
 * | DescriptorProto        | 2 field, 3 message, 4 enum, 6 extension, 8 oneof            |
 * | EnumDescriptorProto    | 2 value, whose name stands beside that of its enum          |
 * | ServiceDescriptorProto | 2 method                                                    |
 *
 * A search walks all files. They are few, and who asks is a person or a tool that starts.
 */
#include "server/service/descriptor.h"

#include "model/base/error.h"
#include "server/service/wire.h"

typedef enum Kind {
    KIND_NONE,
    KIND_LEAF,
    KIND_FILE,
    KIND_MESSAGE,
    KIND_ENUM,
    KIND_SERVICE,
} Kind;

#define N_FIELDS 9

static const Kind enclosed[][N_FIELDS] = {
    [KIND_FILE] = { [4] = KIND_MESSAGE, [5] = KIND_ENUM, [6] = KIND_SERVICE, [7] = KIND_LEAF },
    [KIND_MESSAGE] = { [2] = KIND_LEAF,
                       [3] = KIND_MESSAGE,
                       [4] = KIND_ENUM,
                       [6] = KIND_LEAF,
                       [8] = KIND_LEAF },
    [KIND_ENUM] = { [2] = KIND_LEAF },
    [KIND_SERVICE] = { [2] = KIND_LEAF },
};

/* The field `number` of a descriptor, which has it once; empty when it has none. */
static Bytes text_field(Bytes descriptor, unsigned number)
{
    WireField field;
    while (descriptor.size > 0 && wire_read(&descriptor, &field))
        if (wire_is(&field, number, WIRE_BYTES))
            return field.bytes;
    return (Bytes){ NULL, 0 };
}

/* Takes `name` and a dot off the front of `*path`; `path` becomes empty when it is all there is. */
static bool take_name(Bytes *path, Bytes name)
{
    if (path->size < name.size || memcmp(path->data, name.data, name.size) != 0)
        return false;
    /* What stands behind is a dot and something more. */
    if (path->size > name.size && (path->data[name.size] != '.' || path->size == name.size + 1))
        return false;
    size_t n = path->size > name.size ? name.size + 1 : name.size;
    *path = (Bytes){ path->data + n, path->size - n };
    return true;
}

/* Whether `scope`, a descriptor of `kind`, encloses what `path` (not empty) names, and of which
 * kind that is. Goes as deep as messages of our own .proto files are nested. */
static Kind find(Bytes scope, Kind kind, Bytes path)
{
    WireField field;
    while (scope.size > 0 && wire_read(&scope, &field)) {
        if (field.type != WIRE_BYTES || field.number >= N_FIELDS)
            continue;
        Kind inner = enclosed[kind][field.number];
        Bytes rest = path;
        if (inner == KIND_NONE)
            continue;
        if (inner == KIND_ENUM && find(field.bytes, KIND_ENUM, path) != KIND_NONE)
            return KIND_LEAF;
        if (!take_name(&rest, text_field(field.bytes, 1)))
            continue;
        Kind found = rest.size == 0 ? inner : KIND_NONE;
        if (rest.size > 0 && (inner == KIND_MESSAGE || inner == KIND_SERVICE))
            found = find(field.bytes, inner, rest);
        if (found != KIND_NONE)
            return found;
    }
    return KIND_NONE;
}

static Kind find_symbol(Bytes set, Bytes symbol, Bytes *ret_file)
{
    WireField file;
    while (set.size > 0 && wire_read(&set, &file)) {
        Bytes path = symbol;
        Bytes package = text_field(file.bytes, 2);
        if (package.size > 0 && !take_name(&path, package))
            continue;
        Kind kind = path.size > 0 ? find(file.bytes, KIND_FILE, path) : KIND_NONE;
        if (kind != KIND_NONE) {
            *ret_file = file.bytes;
            return kind;
        }
    }
    return KIND_NONE;
}

bool descriptor_find_symbol(Bytes set, Bytes symbol, Bytes *ret_file)
{
    return find_symbol(set, symbol, ret_file) != KIND_NONE;
}

bool descriptor_find_message(Bytes set, Bytes symbol, Bytes *ret_file)
{
    return find_symbol(set, symbol, ret_file) == KIND_MESSAGE;
}

bool descriptor_find_file(Bytes set, Bytes name, Bytes *ret_file)
{
    WireField file;
    while (set.size > 0 && wire_read(&set, &file)) {
        if (bytes_equal(text_field(file.bytes, 1), name)) {
            *ret_file = file.bytes;
            return true;
        }
    }
    return false;
}
