/* SPDX-License-Identifier: Apache-2.0
 *
 * text: the kernels that read texts of a form, on a stranger's text. The first byte chooses which
 * row of `readers`, the rest is the text.
 */
#include <stdlib.h>

#include "tests/support/op_runner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const DType csv_types[] = { DT_STRING, DT_INT32, DT_FLOAT, DT_INT64, DT_DOUBLE };
static const bool yes = true;
static const Bytes encodings[] = { { (const uint8_t *)"UTF-8", 5 },
                                   { (const uint8_t *)"UTF-16-BE", 9 },
                                   { (const uint8_t *)"UTF-16-LE", 9 },
                                   { (const uint8_t *)"UTF-32-BE", 9 } };

#define TEXT_ATTR(attr, bytes)                                                                     \
    {                                                                                              \
        .name = attr, .kind = ATTR_TEXT, .n = 1, .texts = bytes                                    \
    }
#define INPUT_ENCODING(i) TEXT_ATTR("input_encoding", &encodings[i])

static const struct {
    const char *op;
    Attr attrs[2];
    int n_attrs;
} readers[] = {
    { "DecodeCSV", { { .name = "OUT_TYPE", .kind = ATTR_TYPES, .n = 5, .types = csv_types } }, 1 },
    { "DecodeBase64", { { .name = NULL } }, 0 },
    { "EncodeBase64", { { .name = "pad", .kind = ATTR_BOOL, .n = 1, .bools = &yes } }, 1 },
    { "UnicodeTranscode", { INPUT_ENCODING(0), TEXT_ATTR("output_encoding", &encodings[1]) }, 2 },
    { "UnicodeTranscode", { INPUT_ENCODING(2), TEXT_ATTR("output_encoding", &encodings[0]) }, 2 },
    { "UnicodeTranscode", { INPUT_ENCODING(3), TEXT_ATTR("output_encoding", &encodings[3]) }, 2 },
    { "UnicodeDecodeWithOffsets", { INPUT_ENCODING(0) }, 1 },
    { "UnicodeDecode", { INPUT_ENCODING(1) }, 1 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] >= ARRAY_SIZE(readers))
        return 0;
    const Shape none = shape_of(0), one = shape_of(1);
    const Bytes text = { data + 1, size - 1 }, fallback = bytes_of_text("none");
    const int64_t zero = 0;
    const Tensor inputs[] = {
        tensor_view(DT_STRING, &one, &text), tensor_view(DT_STRING, &one, &fallback),
        tensor_view(DT_INT32, &one, &zero),  tensor_view(DT_FLOAT, &none, NULL),
        tensor_view(DT_INT64, &one, &zero),  tensor_view(DT_DOUBLE, &one, &zero),
    };
    const Attrs attrs = { readers[data[0]].attrs, (size_t)readers[data[0]].n_attrs };
    const OpRunnerOptions options = { .op = readers[data[0]].op,
                                      .attrs = &attrs,
                                      .inputs = inputs,
                                      .n_inputs = data[0] == 0 ? 6 : 1 };
    _cleanup_(op_runner_freep) OpRunner *runner = NULL;
    if (op_runner_new(&options, &runner) != NULL)
        abort();
    Error *error = op_runner_run(runner);
    volatile unsigned sum = error == NULL ? op_runner_sum_outputs(runner) : 0;
    (void)sum;
    error_free(error);
    return 0;
}
