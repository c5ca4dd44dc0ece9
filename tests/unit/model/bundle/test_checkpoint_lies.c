/* SPDX-License-Identifier: Apache-2.0
 *
 * CheckpointReader and indexes that lie: headers, entries and slices that no writer makes.
 */
#include "tests/unit/model/bundle/made_bundle.h"
#include "tests/unit/model/bundle/plain_tensors.h"

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
        cmocka_unit_test(test_refuses_wrong_headers),
        cmocka_unit_test(test_refuses_indexes_without_header_or_messages),
        cmocka_unit_test(test_refuses_wrong_entries),
        cmocka_unit_test(test_refuses_wrong_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
