/* SPDX-License-Identifier: Apache-2.0
 *
 * ParseExample, ParseExampleV2 and ParseSingleExample: serialized tf.Examples to dense, sparse and
 * ragged tensors. The bytes are read by example_wire.c, the outputs are written by example_columns.c; here are
 * attributes and keys. Errors have TensorFlow's words (core/kernels/example_parsing_ops.cc).
 *
 *   input              ParseExample                ParseExampleV2
 *   serialized         0  [n]                      0  [n], or a scalar: one example, no batch
 *   names              1  [n] or [0]               1  the same
 *   sparse keys        2  one scalar each          2  one vector
 *   dense keys         .  one scalar each          3  one vector
 *   ragged keys                                    4  one vector
 *   dense defaults     .  one each                 5  one each
 *
 *   outputs            sparse indices, sparse values, sparse shapes, dense values, in groups;
 *                      with V2 ragged values and ragged row splits, too
 *
 * ParseSingleExample has a scalar and the defaults as inputs, and its keys as attributes.
 *
 * A dense shape whose first dimension is unknown has a variable length: rows are padded with the
 * default. A default without elements makes the feature required.
 */
#include <string.h>

#include "model/op/example.h"
#include "model/op/kernels.h"

#define NO_KEY UINT32_MAX

/* ---- prepare ------------------------------------------------------------------------------- */

static Error *check_feature_type(DType dtype)
{
    if (dtype != DT_FLOAT && dtype != DT_INT64 && dtype != DT_STRING)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "features are float, int64 or string, but one is to be %s",
                         dtype_name(dtype));
    return NULL;
}

static Error *dense_feature(DType dtype, const Shape *shape, DenseFeature *ret)
{
    char text[SHAPE_TEXT_BYTES];
    Shape step = *shape;
    TRY(check_feature_type(dtype));
    bool is_variable = shape->rank > 0 && shape->dims[0] == -1;
    if (is_variable)
        step.dims[0] = 1;
    bool is_known = shape->rank >= 0 && shape->rank < SHAPE_MAX_RANK;
    for (int d = 0; is_known && d < step.rank; d++)
        is_known = step.dims[d] >= 0;
    if (!is_known)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "dense_shapes has %s: only the first dimension may be unknown",
                         shape_text(shape, text));
    *ret = (DenseFeature){ .dtype = dtype, .shape = *shape, .is_variable = is_variable };
    return shape_count(&step, &ret->stride);
}

static Error *check_split_type(DType dtype)
{
    if (dtype != DT_INT32 && dtype != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT, "row splits are int32 or int64, not %s",
                         dtype_name(dtype));
    return NULL;
}

static Error *read_sparse(const OpPrepare *prepare, ExampleKernel *kernel)
{
    size_t n = 0, n_keys = 0;
    int64_t n_outputs = 0;
    TRY(attrs_types(prepare->attrs, "sparse_types", &n, &kernel->sparse_types));
    TRY(attrs_int(prepare->attrs, kernel->form == FORM_V1 ? "Nsparse" : "num_sparse", &n_outputs));
    TRY(attrs_texts(prepare->attrs, "sparse_keys", &n_keys, &kernel->sparse_keys));
    if (n_outputs != (int64_t)n || (kernel->form == FORM_SINGLE && n_keys != n))
        return error_new(ERROR_INVALID_ARGUMENT, "len(sparse_keys) != len(sparse_types)");
    for (size_t i = 0; i < n; i++)
        TRY(check_feature_type(kernel->sparse_types[i]));
    kernel->n_sparse = (int)n;
    return NULL;
}

static Error *read_dense(const OpPrepare *prepare, ExampleKernel *kernel)
{
    size_t n = 0, n_shapes = 0, n_keys = 0;
    const DType *types = NULL;
    const Shape *shapes = NULL;
    TRY(attrs_types(prepare->attrs, "Tdense", &n, &types));
    TRY(attrs_shapes(prepare->attrs, "dense_shapes", &n_shapes, &shapes));
    TRY(attrs_texts(prepare->attrs, "dense_keys", &n_keys, &kernel->dense_keys));
    if (n_shapes != n || (kernel->form == FORM_SINGLE && n_keys != n))
        return error_new(ERROR_INVALID_ARGUMENT, "len(dense_keys) != len(%s)",
                         n_shapes != n ? "dense_shapes" : "dense_types");
    DenseFeature *dense = arena_calloc(prepare->arena, n, sizeof(*dense));
    if (dense == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        TRY(dense_feature(types[i], &shapes[i], &dense[i]));
    kernel->n_dense = (int)n;
    kernel->dense = dense;
    kernel->first_default = prepare->n_inputs - (int)n;
    return NULL;
}

static Error *read_ragged(const OpPrepare *prepare, ExampleKernel *kernel)
{
    size_t n = 0, n_splits = 0;
    TRY(attrs_types(prepare->attrs, "ragged_value_types", &n, &kernel->ragged_types));
    TRY(attrs_types(prepare->attrs, "ragged_split_types", &n_splits, &kernel->ragged_splits));
    if (n != n_splits)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "len(ragged_value_types) != len(ragged_split_types)");
    for (size_t i = 0; i < n; i++) {
        TRY(check_feature_type(kernel->ragged_types[i]));
        TRY(check_split_type(kernel->ragged_splits[i]));
    }
    kernel->n_ragged = (int)n;
    return NULL;
}

Error *parse_example_prepare(OpPrepare *prepare)
{
    ExampleKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    if (strcmp(prepare->op->name, "ParseExampleV2") == 0)
        kernel->form = FORM_V2;
    if (strcmp(prepare->op->name, "ParseSingleExample") == 0)
        kernel->form = FORM_SINGLE;
    TRY(read_sparse(prepare, kernel));
    TRY(read_dense(prepare, kernel));
    if (kernel->form == FORM_V2)
        TRY(read_ragged(prepare, kernel));
    prepare->kernel = kernel;
    return NULL;
}

/* ---- keys ---------------------------------------------------------------------------------- */

static uint32_t hash_bytes(Bytes bytes)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < bytes.size; i++)
        h = (h ^ bytes.data[i]) * 16777619u;
    return h;
}

/* The slot where `key` is, or the empty one where it would be. */
static uint32_t *find_slot(const Parse *parse, Bytes key)
{
    uint32_t i = hash_bytes(key) & (parse->n_slots - 1);
    while (parse->slots[i] != NO_KEY && !bytes_equal(parse->keys[parse->slots[i]], key))
        i = (i + 1) & (parse->n_slots - 1);
    return &parse->slots[i];
}

static Error *check_key_counts(const OpContext *c, const ExampleKernel *kernel)
{
    int n_sparse = kernel->n_sparse, n_dense = kernel->n_dense;
    if (kernel->form == FORM_SINGLE)
        return NULL;
    if (kernel->form == FORM_V2) {
        if (op_input(c, 2)->n != n_sparse)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected len(sparse_keys) == len(sparse_types) but got: %lld vs. %d",
                             (long long)op_input(c, 2)->n, n_sparse);
        if (op_input(c, 3)->n != n_dense)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected len(dense_keys) == len(dense_types) but got: %lld vs. %d",
                             (long long)op_input(c, 3)->n, n_dense);
        if (op_input(c, 4)->n != kernel->n_ragged)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected len(ragged_keys) == len(ragged_value_types) but got: %lld "
                             "vs. %d",
                             (long long)op_input(c, 4)->n, kernel->n_ragged);
        return NULL;
    }
    if (c->n_inputs != 2 + n_sparse + 2 * n_dense)
        return error_new(ERROR_INVALID_ARGUMENT, "len(dense_keys) != len(dense_types)");
    for (int i = 2; i < kernel->first_default; i++) {
        if (op_input(c, i)->n != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "Expected keys to be scalars");
    }
    return NULL;
}

static Bytes key_at(const Parse *parse, int i)
{
    const OpContext *c = parse->context;
    const ExampleKernel *kernel = parse->kernel;
    int n_sparse = kernel->n_sparse, n_dense = kernel->n_dense;
    bool is_sparse = i < n_sparse;
    if (kernel->form == FORM_V1)
        return *(const Bytes *)op_input(c, 2 + i)->data;
    if (kernel->form == FORM_SINGLE)
        return is_sparse ? kernel->sparse_keys[i] : kernel->dense_keys[i - n_sparse];
    if (is_sparse)
        return ((const Bytes *)op_input(c, 2)->data)[i];
    if (i < n_sparse + n_dense)
        return ((const Bytes *)op_input(c, 3)->data)[i - n_sparse];
    return ((const Bytes *)op_input(c, 4)->data)[i - n_sparse - n_dense];
}

static Error *read_keys(Parse *parse)
{
    OpContext *c = parse->context;
    const ExampleKernel *kernel = parse->kernel;
    TRY(check_key_counts(c, kernel));
    parse->n_keys = (uint32_t)(kernel->n_sparse + kernel->n_dense + kernel->n_ragged);
    parse->n_slots = 4;
    while (parse->n_slots < 2 * parse->n_keys)
        parse->n_slots *= 2;
    Bytes *keys = op_scratch(c, parse->n_keys * sizeof(*keys));
    parse->slots = op_scratch(c, parse->n_slots * sizeof(*parse->slots));
    if (keys == NULL || parse->slots == NULL)
        return error_out_of_memory();
    parse->keys = keys;
    memset(parse->slots, 0xff, parse->n_slots * sizeof(*parse->slots));
    for (uint32_t k = 0; k < parse->n_keys; k++) {
        keys[k] = key_at(parse, (int)k);
        uint32_t *slot = find_slot(parse, keys[k]);
        if (*slot != NO_KEY)
            return error_new(ERROR_INVALID_ARGUMENT, "the key %.*s is there twice",
                             (int)keys[k].size, (const char *)keys[k].data);
        *slot = k;
    }
    return NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Finds the lists of example i; of keys that are there twice, the later one counts. */
static Error *read_example(Parse *parse, int64_t i, Bytes serialized)
{
    ExampleReader reader = example_reader(serialized);
    Bytes key, feature;
    char place[EXAMPLE_PLACE_BYTES];
    ExampleStatus status;
    while ((status = example_next(&reader, &key, &feature)) == EXAMPLE_ENTRY) {
        uint32_t k = *find_slot(parse, key);
        if (k != NO_KEY && !feature_open(feature, list_at(parse, i, k)))
            return error_new(ERROR_INVALID_ARGUMENT, "%sCan't parse serialized Example.",
                             example_place(parse, i, k, place));
    }
    if (status == EXAMPLE_BAD)
        return error_new(ERROR_INVALID_ARGUMENT, "Could not parse example input, value: '%.*s'",
                         (int)serialized.size, (const char *)serialized.data);
    return NULL;
}

static Error *read_examples(Parse *parse)
{
    OpContext *c = parse->context;
    const Tensor *serialized = op_input(c, 0);
    bool may_be_single = parse->kernel->form != FORM_V1;
    const Tensor *names = parse->kernel->form == FORM_SINGLE ? NULL : op_input(c, 1);
    char text[SHAPE_TEXT_BYTES], names_text[SHAPE_TEXT_BYTES];
    parse->is_single = may_be_single && serialized->shape.rank == 0;
    if ((serialized->shape.rank != 1 || names == NULL) && !parse->is_single)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected serialized to be a %s, got shape: %s",
                         names == NULL   ? "scalar"
                         : may_be_single ? "scalar or vector"
                                         : "vector",
                         shape_text(&serialized->shape, text));
    if (names != NULL && names->n != 0 && !shape_equal(&names->shape, &serialized->shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected names have the same shape as serialized: name.shape=%s, "
                         "serialized.shape=%s",
                         shape_text(&names->shape, names_text),
                         shape_text(&serialized->shape, text));
    parse->n = serialized->n;
    size_t bytes = 0;
    if (!checked_mul((size_t)parse->n, parse->n_keys * sizeof(FeatureList), &bytes))
        return error_out_of_memory();
    parse->lists = op_scratch(c, bytes);
    if (parse->lists == NULL)
        return error_out_of_memory();
    memset(parse->lists, 0, bytes); /* DT_INVALID everywhere */
    for (int64_t i = 0; i < parse->n; i++)
        TRY(read_example(parse, i, ((const Bytes *)serialized->data)[i]));
    return NULL;
}

Error *parse_example_run(OpContext *c)
{
    Parse parse = { .context = c, .kernel = c->kernel };
    TRY(read_keys(&parse));
    TRY(read_examples(&parse));
    for (int d = 0; d < parse.kernel->n_dense; d++)
        TRY(example_write_dense(&parse, d));
    for (int s = 0; s < parse.kernel->n_sparse; s++)
        TRY(example_write_sparse(&parse, s));
    for (int r = 0; r < parse.kernel->n_ragged; r++)
        TRY(example_write_ragged(&parse, r));
    return NULL;
}
