/* SPDX-License-Identifier: Apache-2.0
 *
 * OpCase: reading the fixtures that data/op_cases.py writes. All numbers are little-endian; BYTES is
 * a uint32 length and as many bytes:
 *
 *   BYTES NodeDef | uint32 n | n times BYTES TensorProto | uint32 code | BYTES text |
 *   uint32 n | n times BYTES TensorProto
 */
#include "tests/support/op_case.h"

#include <glob.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/message.h"
#include "model/tensor/tensor_proto.h"
#include "tensorflow/core/framework/node_def.pb-c.h"

#define MAX_FILE_BYTES ((size_t)1 << 28)

static Error *read_u32(Bytes *from, uint32_t *ret)
{
    if (from->size < sizeof(*ret))
        return error_new(ERROR_DATA_LOSS, "the file ends within a case");
    *ret = load_le32(from->data);
    *from = (Bytes){ from->data + sizeof(*ret), from->size - sizeof(*ret) };
    return NULL;
}

static Error *read_bytes(Bytes *from, Bytes *ret)
{
    uint32_t size = 0;
    TRY(read_u32(from, &size));
    if (size > from->size)
        return error_new(ERROR_DATA_LOSS, "the file ends within a case");
    *ret = (Bytes){ from->data, size };
    *from = (Bytes){ from->data + size, from->size - size };
    return NULL;
}

static Error *read_message(Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes *from,
                           ProtobufCMessage **ret)
{
    Bytes bytes = { 0 };
    TRY(read_bytes(from, &bytes));
    return message_unpack(arena, descriptor, "case", bytes.data, bytes.size, ret);
}

static Error *read_tensors(Arena *arena, Bytes *from, uint32_t *ret_n, Tensor *tensors)
{
    TRY(read_u32(from, ret_n));
    if (*ret_n > OP_CASE_MAX_TENSORS)
        return error_new(ERROR_DATA_LOSS, "a case has %u tensors; at most %d are read", *ret_n,
                         OP_CASE_MAX_TENSORS);
    for (uint32_t i = 0; i < *ret_n; i++) {
        ProtobufCMessage *proto = NULL;
        TRY(read_message(arena, &tensorflow__tensor_proto__descriptor, from, &proto));
        TRY(tensor_from_proto(arena, (const Tensorflow__TensorProto *)proto, &tensors[i]));
    }
    return NULL;
}

Error *op_case_read(Arena *arena, Bytes *from, OpCase *ret)
{
    ProtobufCMessage *message = NULL;
    TRY(read_message(arena, &tensorflow__node_def__descriptor, from, &message));
    const Tensorflow__NodeDef *node = (const Tensorflow__NodeDef *)message;
    ret->op = node->op;
    TRY(attrs_from_proto(arena, node->n_attr, node->attr, &ret->attrs));
    TRY(read_tensors(arena, from, &ret->n_inputs, ret->inputs));
    TRY(read_u32(from, &ret->code));
    TRY(read_bytes(from, &ret->text));
    return read_tensors(arena, from, &ret->n_outputs, ret->outputs);
}

Error *op_case_graph(const OpCase *op_case, GraphCase *ret)
{
    const Attrs *attrs = &op_case->attrs;
    const Attr *graph = attrs_find(attrs, "graph");
    if (graph == NULL || graph->kind != ATTR_TEXT)
        return error_new(ERROR_DATA_LOSS, "a case in a graph has no graph");
    ret->graph_def = graph->texts[0];
    TRY(attrs_text(attrs, "init", &ret->init));
    TRY(attrs_text(attrs, "feeds", &ret->feeds));
    TRY(attrs_text(attrs, "outputs", &ret->outputs));
    return attrs_texts(attrs, "ops", &ret->n_ops, &ret->ops);
}

Error *op_case_open(Arena *arena, const char *path, Bytes *ret)
{
    uint8_t *data = NULL;
    size_t size = 0;
    TRY(file_read(arena, path, MAX_FILE_BYTES, &data, &size));
    *ret = (Bytes){ data, size };
    return NULL;
}

Error *op_case_files(Arena *arena, const char *tests, const char **ret_paths, size_t *ret_n)
{
    const char *pattern = arena_printf(arena, "%s/data/op_cases_*.bin", tests);
    glob_t found = { 0 };
    if (pattern == NULL)
        return error_out_of_memory();
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc > OP_CASE_MAX_FILES) {
        globfree(&found);
        return error_new(ERROR_NOT_FOUND, "there are no files %s, or more than %d", pattern,
                         OP_CASE_MAX_FILES);
    }
    *ret_n = found.gl_pathc;
    bool is_full = false;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        ret_paths[i] = arena_strdup(arena, found.gl_pathv[i]);
        is_full |= ret_paths[i] == NULL;
    }
    globfree(&found);
    return is_full ? error_out_of_memory() : NULL;
}

char *op_case_file_name(Arena *arena, const char *path)
{
    static const char prefix[] = "op_cases_", suffix[] = ".bin";
    const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
    size_t n = strlen(name);
    if (strncmp(name, prefix, sizeof(prefix) - 1) == 0) {
        name += sizeof(prefix) - 1;
        n -= sizeof(prefix) - 1;
    }
    if (n >= sizeof(suffix) - 1 && strcmp(name + n - (sizeof(suffix) - 1), suffix) == 0)
        n -= sizeof(suffix) - 1;
    return arena_strndup(arena, name, n);
}
