/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables: handles, reads and writes, of TF2 (resources) and of TF1 (references; op.h says how
 * those reach kernels). The values themselves are in resource.c. The compiler replaces reads of
 * variables that nothing writes by constants, so what runs here is loading, and graphs with state.
 */
#include "model/op/kernels.h"
#include "model/op/resource.h"

typedef struct VariableKernel {
    const char *container;
    const char *name;
    DType dtype;
    Shape shape; /* declared; may be partial */
} VariableKernel;

typedef struct AssignKernel {
    bool validates; /* the shape may not change, nor be another than was declared */
} AssignKernel;

Error *variable_prepare(OpPrepare *prepare)
{
    VariableKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "dtype", &kernel->dtype));
    if (!dtype_is_plain(kernel->dtype) && kernel->dtype != DT_STRING)
        return error_new(ERROR_INVALID_ARGUMENT, "a variable cannot hold %s values",
                         dtype_name(kernel->dtype));
    kernel->shape.rank = SHAPE_UNKNOWN_RANK;
    if (attrs_find(prepare->attrs, "shape") != NULL)
        TRY(attrs_shape(prepare->attrs, "shape", &kernel->shape));
    TRY(attrs_text_or(prepare->attrs, "container", "", &kernel->container));
    TRY(attrs_text_or(prepare->attrs, "shared_name", "", &kernel->name));
    if (kernel->name[0] == '\0')
        kernel->name = prepare->node_name;
    prepare->kernel = kernel;
    return NULL;
}

/* VarHandleOp, VariableV2, Variable: the handle. */
Error *variable_run(OpContext *c)
{
    const VariableKernel *kernel = c->kernel;
    if (c->resources == NULL)
        return error_new(ERROR_INTERNAL, "%s runs in a plan that has no variables", c->op->name);
    Resource *resource = NULL;
    TRY(resource_variable(c->resources, kernel->container, kernel->name, kernel->dtype, &resource));
    resource_declare(resource, &kernel->shape);
    const Shape scalar = shape_of();
    Tensor *handle = NULL;
    TRY(op_output(c, 0, DT_RESOURCE, &scalar, &handle));
    *(Resource **)handle->data = resource;
    return NULL;
}

Error *read_variable_prepare(OpPrepare *prepare)
{
    DType *dtype = arena_calloc(prepare->arena, 1, sizeof(*dtype));
    if (dtype == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "dtype", dtype));
    prepare->kernel = dtype;
    return NULL;
}

Error *read_variable_run(OpContext *c)
{
    DType wanted = *(const DType *)c->kernel;
    Resource *variable = NULL;
    TRY(resource_of_input(c, &variable));
    if (resource_dtype(variable) != wanted)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Trying to read variable with wrong dtype. Expected %s got %s",
                         dtype_name(wanted), dtype_name(resource_dtype(variable)));
    return resource_read(variable, c->arena, &c->outputs[0]);
}

/* Whether a variable has a value: VarIsInitializedOp, IsVariableInitialized. */
Error *variable_is_initialized_run(OpContext *c)
{
    Resource *variable = NULL;
    TRY(resource_of_input(c, &variable));
    const Shape scalar = shape_of();
    Tensor *output = NULL;
    TRY(op_output(c, 0, DT_BOOL, &scalar, &output));
    *(bool *)output->data = resource_is_initialized(variable);
    return NULL;
}

static Error *prepare_assign(OpPrepare *prepare, bool validates)
{
    AssignKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "validate_shape", validates, &kernel->validates));
    prepare->kernel = kernel;
    return NULL;
}

Error *assign_variable_prepare(OpPrepare *prepare)
{
    return prepare_assign(prepare, false);
}

Error *assign_prepare(OpPrepare *prepare)
{
    return prepare_assign(prepare, true);
}

/* Each form of Assign has words of its own for a shape that does not fit. */
static Error *check_shape(const OpContext *c, Resource *variable)
{
    const AssignKernel *kernel = c->kernel;
    const Shape has = resource_shape(variable), *given = &op_input(c, 1)->shape;
    char has_text[SHAPE_TEXT_BYTES], given_text[SHAPE_TEXT_BYTES];
    if (!kernel->validates || shape_allows(&has, given))
        return NULL;
    bool is_reference = (c->op->flags & OP_REF_INPUT) != 0;
    return error_new(ERROR_INVALID_ARGUMENT,
                     is_reference ? "Assign requires shapes of both tensors to match. lhs shape= "
                                    "%s rhs shape= %s"
                                  : "Trying to assign to variable with tensor with wrong shape. "
                                    "Expected %s got %s",
                     shape_text(&has, has_text), shape_text(given, given_text));
}

Error *assign_variable_run(OpContext *c)
{
    Resource *variable = NULL;
    TRY(resource_of_input(c, &variable));
    TRY(check_shape(c, variable));
    return resource_assign(variable, op_input(c, 1));
}

Error *assign_add_variable_run(OpContext *c)
{
    Resource *variable = NULL;
    TRY(resource_of_input(c, &variable));
    return resource_add(variable, op_input(c, 1), false, c->arena, NULL);
}

Error *assign_sub_variable_run(OpContext *c)
{
    Resource *variable = NULL;
    TRY(resource_of_input(c, &variable));
    return resource_add(variable, op_input(c, 1), true, c->arena, NULL);
}

/* The forms of TF1 give what was stored as their output. */
Error *assign_run(OpContext *c)
{
    TRY(assign_variable_run(c));
    return op_output_alias(c, 0, 1, &op_input(c, 1)->shape);
}

Error *assign_add_run(OpContext *c)
{
    Resource *variable = NULL;
    TRY(resource_of_input(c, &variable));
    return resource_add(variable, op_input(c, 1), false, c->arena, &c->outputs[0]);
}

Error *assign_sub_run(OpContext *c)
{
    Resource *variable = NULL;
    TRY(resource_of_input(c, &variable));
    return resource_add(variable, op_input(c, 1), true, c->arena, &c->outputs[0]);
}
