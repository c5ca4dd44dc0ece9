/* SPDX-License-Identifier: Apache-2.0
 *
 * A tensor bundle: two bytes, little-endian, are the size of the index, whose checksums are set
 * right; the index; the rest is the first shard, of one or of two. All tensors are read, and the
 * first half of each.
 */
#include "model/bundle/checkpoint_read.h"
#include "tests/fuzz/fuzz_directory.h"
#include "tests/fuzz/mend_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Error *read_half(CheckpointReader *reader, Arena *arena, const char *key)
{
    DType dtype;
    Shape shape;
    TRY(checkpoint_find(reader, key, &dtype, &shape));
    char spec[512] = "";
    for (int d = 0; d < shape.rank; d++)
        snprintf(spec + strlen(spec), sizeof(spec) - strlen(spec), "%lld ",
                 (long long)shape.dims[d]);
    for (int d = 0; d < shape.rank; d++)
        snprintf(spec + strlen(spec), sizeof(spec) - strlen(spec), "%s0,%lld", d > 0 ? ":" : "",
                 (long long)(shape.dims[d] + 1) / 2);
    Tensor tensor;
    return checkpoint_read(reader, arena, key, spec, &tensor);
}

static Error *read_bundle(const char *prefix)
{
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    TRY(checkpoint_open(prefix, &reader));
    for (size_t i = 0; i < checkpoint_size(reader); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 256 << 20);
        Tensor tensor;
        error_free(checkpoint_read(reader, arena, checkpoint_key_at(reader, i), "", &tensor));
        error_free(read_half(reader, arena, checkpoint_key_at(reader, i)));
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t n_index = (size_t)data[0] | (size_t)data[1] << 8;
    data += 2;
    size -= 2;
    n_index = n_index < size ? n_index : size;
    _cleanup_(freep) uint8_t *index = malloc(n_index + 1);
    if (index == NULL)
        return 0;
    memcpy(index, data, n_index);
    mend_table(index, n_index);
    fuzz_directory_write("b.index", index, n_index);
    fuzz_directory_write("b.data-00000-of-00001", data + n_index, size - n_index);
    fuzz_directory_write("b.data-00000-of-00002", data + n_index, size - n_index);
    fuzz_directory_write("b.data-00001-of-00002", data, size);

    char prefix[sizeof(fuzz_directory) + 2];
    snprintf(prefix, sizeof(prefix), "%s/b", fuzz_directory);
    error_free(read_bundle(prefix));
    return 0;
}
