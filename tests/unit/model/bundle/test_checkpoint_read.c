/* SPDX-License-Identifier: Apache-2.0
 *
 * CheckpointReader: bundles that TensorFlow wrote are read, of all types, in shards and slices and
 * of the other byte order; damaged, cut off and hostile ones are refused.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/buf.h"
#include "model/base/crc32c.h"
#include "model/base/message.h"
#include "model/bundle/bundle_entry.h"
#include "model/bundle/checkpoint_read.h"
#include "model/bundle/table_read.h"
#include "model/bundle/table_write.h"
#include "tests/support/check.h"
#include "tests/unit/model/bundle/plain_tensors.h"

#define CHECKPOINTS "data/bundles/checkpoints/"

static void assert_elements_equal(const Tensor *tensor, const PlainTensor *expected)
{
    assert_int_equal(tensor->dtype, expected->dtype);
    assert_true(shape_equal(&tensor->shape, &expected->shape));
    if (tensor->dtype != DT_STRING) {
        assert_memory_equal(tensor->data, expected->elements, tensor_bytes(tensor));
        return;
    }
    for (int64_t i = 0; i < tensor->n; i++)
        assert_true(
            bytes_equal(((const Bytes *)tensor->data)[i], ((const Bytes *)expected->elements)[i]));
}

static void check_all_types(const char *name)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, name), &reader));
    assert_int_equal(checkpoint_size(reader), ARRAY_SIZE(PLAIN_TENSORS));
    for (size_t i = 0; i < ARRAY_SIZE(PLAIN_TENSORS); i++) {
        const PlainTensor *expected = &PLAIN_TENSORS[i];
        assert_string_equal(checkpoint_key_at(reader, i), expected->key);
        DType dtype;
        Shape shape;
        assert_ok(checkpoint_find(reader, expected->key, &dtype, &shape));
        assert_int_equal(dtype, expected->dtype);
        assert_true(shape_equal(&shape, &expected->shape));
        Tensor tensor;
        assert_ok(checkpoint_read(reader, arena, expected->key, "", &tensor));
        assert_elements_equal(&tensor, expected);
    }
}

static void test_reads_all_types(void **state _unused_)
{
    check_all_types(CHECKPOINTS "plain");
}

static void test_reads_the_other_byte_order(void **state _unused_)
{
    check_all_types(CHECKPOINTS "big_endian");
}

static void test_reads_shards_behind_a_snappy_index(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "sharded"), &reader));
    assert_int_equal(checkpoint_size(reader), 24);
    for (int shard = 0; shard < 3; shard++)
        for (int i = 0; i < 8; i++) {
            Tensor tensor;
            const char *key = arena_printf(arena, "layer_%d/kernel_of_shard_%d", i, shard);
            assert_ok(checkpoint_read(reader, arena, key, "", &tensor));
            assert_int_equal(tensor.n, 4);
            for (int64_t k = 0; k < tensor.n; k++)
                assert_true(((const float *)tensor.data)[k] == (float)(10 * shard + i));
        }
}

static void test_reads_slices(void **state _unused_)
{
    /* `grid`, `rows` and `plain` hold 0..23 as [6,4]; rows [r0,r1) and columns [c0,c1) of it. */
    static const struct {
        const char *key;
        const char *spec;
        int r0, r1, c0, c1;
    } CASES[] = {
        { "grid", "", 0, 6, 0, 4 },
        { "rows", "", 0, 6, 0, 4 },
        { "grid", "6 4 0,2:0,3", 0, 2, 0, 3 },
        { "grid", "6 4 1,3:2,2", 1, 4, 2, 4 },
        { "rows", "6 4 0,3:1,2", 0, 3, 1, 3 },
        { "rows", "6 4 5,1:-", 5, 6, 0, 4 },
        { "rows", "6 4 -:-", 0, 6, 0, 4 },
        { "plain", "6 4 2,3:1,1", 2, 5, 1, 2 },
        { "plain", "6 4 -:3,1", 0, 6, 3, 4 },
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "partitioned"), &reader));
    assert_int_equal(checkpoint_size(reader), 5); /* slices are no keys */
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        Tensor tensor;
        assert_ok(checkpoint_read(reader, arena, CASES[i].key, CASES[i].spec, &tensor));
        Shape shape = shape_of(CASES[i].r1 - CASES[i].r0, CASES[i].c1 - CASES[i].c0);
        assert_true(shape_equal(&tensor.shape, &shape));
        const float *at = tensor.data;
        for (int r = CASES[i].r0; r < CASES[i].r1; r++)
            for (int c = CASES[i].c0; c < CASES[i].c1; c++)
                assert_true(*at++ == (float)(4 * r + c));
    }

    Tensor words, numbers;
    assert_ok(checkpoint_read(reader, arena, "words", "5 1,3", &words));
    assert_int_equal(words.n, 3);
    for (int i = 0; i < 3; i++)
        assert_true(bytes_equal(((const Bytes *)words.data)[i],
                                bytes_of_text(arena_printf(arena, "word %d", i + 1))));
    assert_ok(checkpoint_read(reader, arena, "long", "", &numbers));
    for (int i = 0; i < 300; i++)
        assert_int_equal(((const int64_t *)numbers.data)[i], i);
}

static void test_refuses_wrong_slice_specs(void **state _unused_)
{
    static const char *const SPECS[] = {
        "6",
        "6 4",
        "6 4 ",
        "6 4 -",
        "6 4 -:-:-",
        "6 4 -:-x",
        "4 6 -:-",
        "6 5 -:-",
        "6 4 0,0:-",
        "6 4 0,7:-",
        "6 4 6,1:-",
        "6 4 -1,2:-",
        "6 4 0;2:-",
        "6 4 0,2,-",
        "6 4 0,:-",
        " 6 4 -:-",
        "x",
        "6 4 5,2:-",
        "6 4 0,99999999999999999999:-",
        "6 4 9223372036854775807,1:-",
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "partitioned"), &reader));
    for (size_t i = 0; i < ARRAY_SIZE(SPECS); i++) {
        Tensor tensor;
        assert_error(checkpoint_read(reader, arena, "rows", SPECS[i], &tensor),
                     ERROR_INVALID_ARGUMENT, "slice spec");
    }
}

static void test_names_the_missing_key(void **state _unused_)
{
    static const char *const KEYS[] = { "", "floa", "float_", "FLOAT" };
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(test_path(arena, CHECKPOINTS "plain"), &reader));
    for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
        const char *text = arena_printf(arena, "Key %s not found in checkpoint", KEYS[i]);
        DType dtype;
        Shape shape;
        Tensor tensor;
        assert_error(checkpoint_find(reader, KEYS[i], &dtype, &shape), ERROR_NOT_FOUND, text);
        assert_error(checkpoint_read(reader, arena, KEYS[i], "", &tensor), ERROR_NOT_FOUND, text);
    }
}

/* ---- a bundle made here, in a directory of its own ------------------------------------------- */

typedef struct Bundle {
    Arena *arena;
    char directory[TEST_DIRECTORY_BYTES];
    const char *prefix;
    Buf index;
    TableWriter table;
} Bundle;

static void bundle_make(Bundle *bundle)
{
    bundle->arena = arena_new(1 << 16, 0);
    test_directory_make(bundle->directory);
    bundle->prefix = arena_printf(bundle->arena, "%s/v/variables", bundle->directory);
    assert_ok(file_make_directories(arena_printf(bundle->arena, "%s/v", bundle->directory)));
    buf_init(&bundle->index, 1 << 20);
    table_writer_init(&bundle->table, &bundle->index);
}

static void bundle_done(Bundle *bundle)
{
    table_writer_done(&bundle->table);
    buf_done(&bundle->index);
    test_directory_remove(bundle->directory);
    arena_free(bundle->arena);
}

static void bundle_add(Bundle *bundle, Bytes key, const ProtobufCMessage *message)
{
    _cleanup_(buf_done) Buf value;
    buf_init(&value, 1 << 16);
    assert_ok(message_pack(message, &value));
    assert_ok(table_write(&bundle->table, key, (Bytes){ value.data, value.size }));
}

static void bundle_add_header(Bundle *bundle, int n_shards)
{
    BundleHeader header = TENSORFLOW__BUNDLE_HEADER_PROTO__INIT;
    header.num_shards = n_shards;
    bundle_add(bundle, bytes_of_text(""), &header.base);
}

static void bundle_write_index(Bundle *bundle)
{
    assert_ok(table_writer_finish(&bundle->table));
    assert_ok(file_write(arena_printf(bundle->arena, "%s.index", bundle->prefix),
                         bundle->index.data, bundle->index.size));
}

static const char *bundle_write_data(Bundle *bundle, const void *data, size_t bytes)
{
    const char *path = arena_printf(bundle->arena, "%s.data-00000-of-00001", bundle->prefix);
    assert_ok(file_write(path, data, bytes));
    return path;
}

static Error *bundle_open(Bundle *bundle)
{
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    return checkpoint_open(bundle->prefix, &reader);
}

/* A bundle of the scalars a and b, four bytes each. */
static const float AB[] = { 1.5f, -2.0f };

static void bundle_make_ab(Bundle *bundle)
{
    bundle_make(bundle);
    bundle_add_header(bundle, 1);
    for (int i = 0; i < 2; i++) {
        BundleEntry entry = TENSORFLOW__BUNDLE_ENTRY_PROTO__INIT;
        entry.dtype = TENSORFLOW__DATA_TYPE__DT_FLOAT;
        entry.offset = 4 * i;
        entry.size = 4;
        entry.crc32c = crc32c_mask(crc32c(&AB[i], 4));
        bundle_add(bundle, bytes_of_text(i == 0 ? "a" : "b"), &entry.base);
    }
    bundle_write_index(bundle);
}

static void test_refuses_missing_and_short_files(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    assert_error(bundle_open(&bundle), ERROR_NOT_FOUND, "variables.data-00000-of-00001");
    for (size_t n = 0; n < sizeof(AB); n++) {
        bundle_write_data(&bundle, AB, n);
        assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, "too few");
    }
    const char *data = bundle_write_data(&bundle, AB, sizeof(AB));
    assert_ok(bundle_open(&bundle));

    assert_int_equal(unlink(data), 0);
    assert_int_equal(mkdir(data, 0777), 0);
    assert_error(bundle_open(&bundle), ERROR_FAILED_PRECONDITION, "not a regular file");
    assert_int_equal(rmdir(data), 0);
    assert_int_equal(mkfifo(data, 0666), 0);
    assert_error(bundle_open(&bundle), ERROR_FAILED_PRECONDITION, "not a regular file");
    assert_int_equal(unlink(arena_printf(bundle.arena, "%s.index", bundle.prefix)), 0);
    assert_error(bundle_open(&bundle), ERROR_NOT_FOUND, "variables.index");
    bundle_done(&bundle);
}

static void test_checks_the_crc(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    for (size_t i = 0; i < sizeof(AB); i++) {
        uint8_t damaged[sizeof(AB)];
        memcpy(damaged, AB, sizeof(AB));
        damaged[i] ^= 0x10;
        bundle_write_data(&bundle, damaged, sizeof(damaged));
        _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
        assert_ok(checkpoint_open(bundle.prefix, &reader));
        Tensor tensor;
        assert_error(checkpoint_read(reader, bundle.arena, i < 4 ? "a" : "b", "", &tensor),
                     ERROR_DATA_LOSS, "Checksum does not match");
        assert_ok(checkpoint_read(reader, bundle.arena, i < 4 ? "b" : "a", "", &tensor));
    }
    bundle_done(&bundle);
}

static void test_reads_what_was_opened(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    const char *data = bundle_write_data(&bundle, AB, sizeof(AB));
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(bundle.prefix, &reader));
    Tensor tensor;

    /* Another file under the name is not looked at; the same file, cut off, is an error. */
    assert_int_equal(rename(data, arena_printf(bundle.arena, "%s/moved", bundle.directory)), 0);
    bundle_write_data(&bundle, "", 0);
    assert_ok(checkpoint_read(reader, bundle.arena, "b", "", &tensor));
    assert_true(*(const float *)tensor.data == AB[1]);
    assert_int_equal(truncate(arena_printf(bundle.arena, "%s/moved", bundle.directory), 6), 0);
    assert_error(checkpoint_read(reader, bundle.arena, "b", "", &tensor), ERROR_DATA_LOSS, "");
    bundle_done(&bundle);
}

static void test_keeps_to_the_bundle(void **state _unused_)
{
    Bundle bundle;
    bundle_make_ab(&bundle);
    Arena *arena = bundle.arena;
    const char *data = arena_printf(arena, "%s.data-00000-of-00001", bundle.prefix);
    const char *outside = arena_printf(arena, "%s/outside", bundle.directory);
    assert_ok(file_write(outside, AB, sizeof(AB)));

    static const char *const LEADING_OUT[] = { "../outside", "/etc/hostname", "../v/../outside" };
    for (size_t i = 0; i < ARRAY_SIZE(LEADING_OUT); i++) {
        assert_int_equal(symlink(LEADING_OUT[i], data), 0);
        assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, "outside the bundle's directory");
        assert_int_equal(unlink(data), 0);
    }
    /* A directory beside it whose name begins alike is outside too. */
    assert_int_equal(mkdir(arena_printf(arena, "%s/v2", bundle.directory), 0777), 0);
    assert_ok(file_write(arena_printf(arena, "%s/v2/data", bundle.directory), AB, sizeof(AB)));
    assert_int_equal(symlink("../v2/data", data), 0);
    assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, "outside the bundle's directory");
    assert_int_equal(unlink(data), 0);

    /* Links inside, as a volume of Kubernetes has them: data -> ..data/data, ..data -> ..2026. */
    assert_int_equal(mkdir(arena_printf(arena, "%s/v/..2026", bundle.directory), 0777), 0);
    assert_ok(
        file_write(arena_printf(arena, "%s/v/..2026/data", bundle.directory), AB, sizeof(AB)));
    assert_int_equal(symlink("..2026", arena_printf(arena, "%s/v/..data", bundle.directory)), 0);
    assert_int_equal(symlink("..data/data", data), 0);
    assert_ok(bundle_open(&bundle));

    /* Links above. */
    const char *link = arena_printf(arena, "%s/link", bundle.directory);
    assert_int_equal(symlink("v", link), 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(arena_printf(arena, "%s/variables", link), &reader));

    /* A link that leads nowhere. */
    assert_int_equal(unlink(data), 0);
    assert_int_equal(symlink("nowhere", data), 0);
    assert_error(bundle_open(&bundle), ERROR_NOT_FOUND, "data-00000-of-00001");
    bundle_done(&bundle);
}

/* ---- entries that lie ------------------------------------------------------------------------ */

static void test_refuses_wrong_headers(void **state _unused_)
{
    static const struct {
        int n_shards, endianness, min_consumer;
        ErrorCode code;
        const char *text;
    } CASES[] = {
        { 0, 0, 0, ERROR_DATA_LOSS, "claims 0 shards" },
        { -1, 0, 0, ERROR_DATA_LOSS, "claims -1 shards" },
        { 100000, 0, 0, ERROR_DATA_LOSS, "claims 100000 shards" },
        { 1, 2, 0, ERROR_DATA_LOSS, "byte order 2" },
        { 1, 0, 2, ERROR_INVALID_ARGUMENT, "of version 2" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        Bundle bundle;
        bundle_make(&bundle);
        Tensorflow__VersionDef version = TENSORFLOW__VERSION_DEF__INIT;
        version.min_consumer = CASES[i].min_consumer;
        BundleHeader header = TENSORFLOW__BUNDLE_HEADER_PROTO__INIT;
        header.num_shards = CASES[i].n_shards;
        header.endianness = (Tensorflow__BundleHeaderProto__Endianness)CASES[i].endianness;
        header.version = &version;
        bundle_add(&bundle, bytes_of_text(""), &header.base);
        bundle_write_index(&bundle);
        assert_error(bundle_open(&bundle), CASES[i].code, CASES[i].text);
        bundle_done(&bundle);
    }
}

static void test_refuses_indexes_without_header_or_messages(void **state _unused_)
{
    static const struct {
        const char *key;
        Bytes value;
        const char *text;
    } CASES[] = {
        { "a", TEXT(""), "no header entry" },
        { "", TEXT("\x08"), "bundle header" },
        { "", TEXT("\x0a\x7f"), "bundle header" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        Bundle bundle;
        bundle_make(&bundle);
        assert_ok(table_write(&bundle.table, bytes_of_text(CASES[i].key), CASES[i].value));
        bundle_write_index(&bundle);
        assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, CASES[i].text);
        bundle_done(&bundle);
    }
    Bundle bundle;
    bundle_make(&bundle);
    bundle_add_header(&bundle, 1);
    assert_ok(table_write(&bundle.table, (Bytes)TEXT("a\0b"), (Bytes)TEXT("")));
    bundle_write_index(&bundle);
    assert_error(bundle_open(&bundle), ERROR_DATA_LOSS, "behind a NUL");
    bundle_done(&bundle);
}

/* An entry for eight bytes of data: found out when the bundle is opened, or else when it is read.
 */
static const struct EntryCase {
    int dtype, shard;
    int64_t offset, size;
    int rank;
    int64_t dims[9];
    ErrorCode code;
    const char *text;
    bool opens;
} ENTRY_CASES[] = {
    { 1, 1, 0, 8, 1, { 2 }, ERROR_DATA_LOSS, "in shard 1 of 1", false },
    { 1, -1, 0, 8, 1, { 2 }, ERROR_DATA_LOSS, "in shard -1 of 1", false },
    { 1, 0, -1, 8, 1, { 2 }, ERROR_DATA_LOSS, "too few", false },
    { 1, 0, 1, 8, 1, { 2 }, ERROR_DATA_LOSS, "too few", false },
    { 1, 0, 0, -8, 1, { 2 }, ERROR_DATA_LOSS, "too few", false },
    { 1, 0, INT64_MAX, INT64_MAX, 1, { 2 }, ERROR_DATA_LOSS, "too few", false },
    { 1, 0, 0, 8, 1, { 3 }, ERROR_DATA_LOSS, "stored size 8; expected size 12", true },
    { 1, 0, 0, 4, 1, { 2 }, ERROR_DATA_LOSS, "stored size 4; expected size 8", true },
    { 1, 0, 0, 8, 1, { -1 }, ERROR_DATA_LOSS, "key k", true },
    { 1, 0, 0, 8, 2, { 1ll << 40, 1ll << 40 }, ERROR_DATA_LOSS, "key k", true },
    { 1, 0, 0, 8, 9, { 1, 1, 1, 1, 1, 1, 1, 1, 2 }, ERROR_DATA_LOSS, "key k", true },
    { 1, 0, 0, 8, 1, { 1ll << 40 }, ERROR_DATA_LOSS, "expected size 4398046511104", true },
    { 7, 0, 0, 8, 1, { 1ll << 40 }, ERROR_DATA_LOSS, "expected size 1099511627776", true },
    { 7, 0, 0, 8, 1, { 2 }, ERROR_DATA_LOSS, "key k", true },
    { 0, 0, 0, 8, 1, { 2 }, ERROR_UNIMPLEMENTED, "number 0", true },
    { 20, 0, 0, 8, 1, { 1 }, ERROR_UNIMPLEMENTED, "of type resource", true },
    { 21, 0, 0, 8, 1, { 1 }, ERROR_UNIMPLEMENTED, "of type variant", true },
    { 24, 0, 0, 8, 1, { 8 }, ERROR_UNIMPLEMENTED, "number 24", true },
};

static void check_entry(const struct EntryCase *c)
{
    Bundle bundle;
    bundle_make(&bundle);
    bundle_add_header(&bundle, 1);
    Tensorflow__TensorShapeProto__Dim dims[9], *dim_pointers[9];
    for (int d = 0; d < 9; d++) {
        tensorflow__tensor_shape_proto__dim__init(&dims[d]);
        dims[d].size = c->dims[d];
        dim_pointers[d] = &dims[d];
    }
    Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
    shape.n_dim = (size_t)c->rank;
    shape.dim = dim_pointers;
    BundleEntry entry = TENSORFLOW__BUNDLE_ENTRY_PROTO__INIT;
    entry.dtype = (Tensorflow__DataType)c->dtype;
    entry.shape = &shape;
    entry.shard_id = c->shard;
    entry.offset = c->offset;
    entry.size = c->size;
    bundle_add(&bundle, bytes_of_text("k"), &entry.base);
    bundle_write_index(&bundle);
    bundle_write_data(&bundle, "\1\0abcdef", 8);

    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    if (c->opens) {
        Tensor tensor;
        assert_ok(checkpoint_open(bundle.prefix, &reader));
        assert_error(checkpoint_read(reader, bundle.arena, "k", "", &tensor), c->code, c->text);
    } else {
        assert_error(checkpoint_open(bundle.prefix, &reader), c->code, c->text);
    }
    bundle_done(&bundle);
}

static void test_refuses_wrong_entries(void **state _unused_)
{
    for (size_t i = 0; i < ARRAY_SIZE(ENTRY_CASES); i++)
        check_entry(&ENTRY_CASES[i]);
}

/* ---- slices that lie ------------------------------------------------------------------------- */

/* Two slices of a vector of four floats: [start, start + length) of each; a claimed type and size
 * of the second. The good one is first. */
static const struct SliceCase {
    int64_t start[2], length[2];
    int64_t stored_dim;
    int stored_dtype;
    const char *text;
} SLICE_CASES[] = {
    { { 0, 2 }, { 2, 2 }, 2, 1, NULL },
    { { 0, 2 }, { 2, 1 }, 1, 1, "hold 3 of the 4 elements" },
    { { 0, 1 }, { 2, 2 }, 2, 1, "overlap" },
    { { 0, 3 }, { 2, 2 }, 2, 1, "does not lie in dimension 0" },
    { { 0, INT64_MAX }, { 2, 2 }, 2, 1, "does not lie in dimension 0" },
    { { 0, -2 }, { 2, 2 }, 2, 1, "does not lie in dimension 0" },
    { { 0, 2 }, { 2, 2 }, 3, 1, "another type or shape" },
    { { 0, 2 }, { 2, 2 }, 2, 3, "another type or shape" },
    { { 0, 2 }, { 2, 2 }, -1, 1, "is not in the index" },
};

static void add_vector(Bundle *bundle, Bytes key, int dtype, int64_t dim, size_t n_slices,
                       Tensorflow__TensorSliceProto **slices)
{
    Tensorflow__TensorShapeProto__Dim dims = TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT;
    Tensorflow__TensorShapeProto__Dim *dim_pointers[] = { &dims };
    dims.size = dim;
    Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
    shape.n_dim = 1;
    shape.dim = dim_pointers;
    static const float ZEROS[4];
    BundleEntry entry = TENSORFLOW__BUNDLE_ENTRY_PROTO__INIT;
    entry.dtype = (Tensorflow__DataType)dtype;
    entry.shape = &shape;
    entry.size = 4 * dim;
    entry.crc32c = crc32c_mask(crc32c(ZEROS, (size_t)entry.size));
    entry.n_slices = n_slices;
    entry.slices = slices;
    bundle_add(bundle, key, &entry.base);
}

static void check_slices(const struct SliceCase *c)
{
    Bundle bundle;
    bundle_make(&bundle);
    bundle_add_header(&bundle, 1);
    Tensorflow__TensorSliceProto slices[2], *slice_pointers[2];
    Tensorflow__TensorSliceProto__Extent extents[2], *extent_pointers[2];
    for (int i = 0; i < 2; i++) {
        tensorflow__tensor_slice_proto__init(&slices[i]);
        tensorflow__tensor_slice_proto__extent__init(&extents[i]);
        extents[i].start = c->start[i];
        extents[i].has_length_case = TENSORFLOW__TENSOR_SLICE_PROTO__EXTENT__HAS_LENGTH_LENGTH;
        extents[i].length = c->length[i];
        extent_pointers[i] = &extents[i];
        slices[i].n_extent = 1;
        slices[i].extent = &extent_pointers[i];
        slice_pointers[i] = &slices[i];
        /* Small numbers: one byte each, 0x80 xor the number. */
        uint8_t key[] = { 0,
                          'v',
                          0,
                          1,
                          1,
                          1,
                          (uint8_t)(0x80 ^ (int)(c->start[i] & 0x3f)),
                          (uint8_t)(0x80 ^ (int)c->length[i]) };
        if (i == 0)
            add_vector(&bundle, (Bytes){ key, sizeof(key) }, 1, c->length[0], 0, NULL);
        else if (c->stored_dim >= 0)
            add_vector(&bundle, (Bytes){ key, sizeof(key) }, c->stored_dtype, c->stored_dim, 0,
                       NULL);
    }
    add_vector(&bundle, bytes_of_text("v"), 1, 4, 2, slice_pointers);
    bundle_write_index(&bundle);
    bundle_write_data(&bundle, (const float[4]){ 0 }, 4 * sizeof(float));

    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    assert_ok(checkpoint_open(bundle.prefix, &reader));
    Tensor tensor;
    Error *error = checkpoint_read(reader, bundle.arena, "v", "", &tensor);
    if (c->text == NULL)
        assert_ok(error);
    else
        assert_error(error, ERROR_DATA_LOSS, c->text);
    bundle_done(&bundle);
}

static void test_refuses_wrong_slices(void **state _unused_)
{
    for (size_t i = 0; i < ARRAY_SIZE(SLICE_CASES); i++)
        check_slices(&SLICE_CASES[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_all_types),
        cmocka_unit_test(test_reads_the_other_byte_order),
        cmocka_unit_test(test_reads_shards_behind_a_snappy_index),
        cmocka_unit_test(test_reads_slices),
        cmocka_unit_test(test_refuses_wrong_slice_specs),
        cmocka_unit_test(test_names_the_missing_key),
        cmocka_unit_test(test_refuses_missing_and_short_files),
        cmocka_unit_test(test_checks_the_crc),
        cmocka_unit_test(test_reads_what_was_opened),
        cmocka_unit_test(test_keeps_to_the_bundle),
        cmocka_unit_test(test_refuses_wrong_headers),
        cmocka_unit_test(test_refuses_indexes_without_header_or_messages),
        cmocka_unit_test(test_refuses_wrong_entries),
        cmocka_unit_test(test_refuses_wrong_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
