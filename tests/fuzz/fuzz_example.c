/* SPDX-License-Identifier: Apache-2.0
 *
 * ParseExampleV2 over a batch of two strangers' Examples: the input, and its second half. Every
 * kind of feature is asked for: dense with and without a variable length, sparse and ragged.
 */
#include <stdlib.h>

#include "tests/support/op_runner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const DType dense_types[] = { DT_FLOAT, DT_INT64, DT_STRING, DT_FLOAT };
static const DType sparse_types[] = { DT_INT64, DT_FLOAT, DT_STRING };
static const DType ragged_types[] = { DT_INT64, DT_FLOAT, DT_STRING };
static const DType split_types[] = { DT_INT64, DT_INT32, DT_INT64 };
static const int64_t n_sparse = 3;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const float zero = 0;
    static const int64_t one = 1;
    const Shape scalar = shape_of(), none = shape_of(0), two = shape_of(2), three = shape_of(3),
                four = shape_of(4), single = shape_of(1), pairs = shape_of(-1, 2);
    const Shape shapes[] = { single, pairs, scalar, single };
    const Bytes serialized[] = { { data, size }, { data + size / 2, size - size / 2 } };
    const Bytes sparse_keys[] = { bytes_of_text("si"), bytes_of_text("sf"), bytes_of_text("ss") };
    const Bytes dense_keys[] = { bytes_of_text("f"), bytes_of_text("i"), bytes_of_text("s"),
                                 bytes_of_text("x") };
    const Bytes ragged_keys[] = { bytes_of_text("ri"), bytes_of_text("rf"), bytes_of_text("rs") };
    const Bytes text = bytes_of_text("default");
    const Attr items[] = {
        { .name = "num_sparse", .kind = ATTR_INT, .n = 1, .ints = &n_sparse },
        { .name = "sparse_types", .kind = ATTR_TYPES, .n = 3, .types = sparse_types },
        { .name = "ragged_value_types", .kind = ATTR_TYPES, .n = 3, .types = ragged_types },
        { .name = "ragged_split_types", .kind = ATTR_TYPES, .n = 3, .types = split_types },
        { .name = "Tdense", .kind = ATTR_TYPES, .n = 4, .types = dense_types },
        { .name = "dense_shapes", .kind = ATTR_SHAPES, .n = 4, .shapes = shapes },
    };
    const Attrs attrs = { items, ARRAY_SIZE(items) };
    const Tensor inputs[] = {
        tensor_view(DT_STRING, &two, serialized),    tensor_view(DT_STRING, &none, NULL),
        tensor_view(DT_STRING, &three, sparse_keys), tensor_view(DT_STRING, &four, dense_keys),
        tensor_view(DT_STRING, &three, ragged_keys), tensor_view(DT_FLOAT, &single, &zero),
        tensor_view(DT_INT64, &single, &one),        tensor_view(DT_STRING, &scalar, &text),
        tensor_view(DT_FLOAT, &single, &zero),
    };
    const OpRunnerOptions options = {
        .op = "ParseExampleV2", .attrs = &attrs, .inputs = inputs, .n_inputs = ARRAY_SIZE(inputs)
    };
    _cleanup_(op_runner_freep) OpRunner *runner = NULL;
    if (op_runner_new(&options, &runner) != NULL)
        abort();
    Error *error = op_runner_run(runner);
    volatile unsigned sum = error == NULL ? op_runner_sum_outputs(runner) : 0;
    (void)sum;
    error_free(error);
    return 0;
}
