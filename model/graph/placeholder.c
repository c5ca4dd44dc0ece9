/* SPDX-License-Identifier: Apache-2.0
 *
 * Placeholder: the kernel that only fails, with TensorFlow's text.
 */
#include "model/graph/placeholder.h"

#include <string.h>

typedef struct PlaceholderKernel {
    DType dtype;
    Shape shape;
} PlaceholderKernel;

static Error *placeholder_prepare(OpPrepare *prepare)
{
    PlaceholderKernel *kernel = arena_calloc(prepare->arena, 1, sizeof *kernel);
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "dtype", &kernel->dtype));
    kernel->shape.rank = SHAPE_UNKNOWN_RANK;
    if (attrs_find(prepare->attrs, "shape") != NULL)
        TRY(attrs_shape(prepare->attrs, "shape", &kernel->shape));
    prepare->kernel = kernel;
    return NULL;
}

static Error *placeholder_run(OpContext *c)
{
    const PlaceholderKernel *kernel = c->kernel;
    char text[SHAPE_TEXT_BYTES];
    return error_new(ERROR_INVALID_ARGUMENT,
                     "You must feed a value for placeholder tensor '%s' with dtype %s and shape %s",
                     c->node_name, dtype_name(kernel->dtype), shape_text(&kernel->shape, text));
}

bool placeholder_is(const Op *op)
{
    return strcmp(op->name, "Placeholder") == 0 || strcmp(op->name, "PlaceholderV2") == 0;
}

const Op *placeholder_op(void)
{
    static const Op op = { .name = "Placeholder",
                           .inputs = "",
                           .outputs = "output:dtype",
                           .flags = OP_STATEFUL,
                           .prepare = placeholder_prepare,
                           .run = placeholder_run };
    return &op;
}
