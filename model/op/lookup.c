/* SPDX-License-Identifier: Apache-2.0
 *
 * Lookup tables: their handles, imports, lookups, sizes and exports. The tables themselves are in
 * lookup_table.c, the reading of vocabulary files in lookup_file.c.
 */
#include "model/op/lookup.h"

#include "model/op/kernels.h"
#include "model/op/resource.h"

typedef struct TableKernel {
    const char *container, *name;
    LookupTableKind kind;
} TableKernel;

static Error *prepare_table(OpPrepare *prepare, bool is_mutable)
{
    TableKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->kind.is_mutable = is_mutable;
    TRY(attrs_type(prepare->attrs, "key_dtype", &kernel->kind.key));
    TRY(attrs_type(prepare->attrs, "value_dtype", &kernel->kind.value));
    TRY(attrs_text_or(prepare->attrs, "container", "", &kernel->container));
    TRY(attrs_text_or(prepare->attrs, "shared_name", "", &kernel->name));
    if (kernel->name[0] == '\0')
        kernel->name = prepare->node_name;
    prepare->kernel = kernel;
    return NULL;
}

Error *hash_table_prepare(OpPrepare *prepare)
{
    return prepare_table(prepare, false);
}

Error *mutable_hash_table_prepare(OpPrepare *prepare)
{
    return prepare_table(prepare, true);
}

/* HashTable, MutableHashTable and their V2: the handle. */
Error *hash_table_run(OpContext *c)
{
    const TableKernel *kernel = c->kernel;
    if (c->resources == NULL)
        return error_new(ERROR_INTERNAL, "%s runs in a plan that has no tables", c->op->name);
    Resource *resource = NULL;
    TRY(resource_make_table(c->resources, kernel->container, kernel->name, kernel->kind,
                            &resource));
    const Shape scalar = shape_of();
    Tensor *handle = NULL;
    TRY(op_output(c, 0, DT_RESOURCE, &scalar, &handle));
    *(Resource **)handle->data = resource;
    return NULL;
}

Error *lookup_get_table(const OpContext *c, LookupTable **ret_table)
{
    const Tensor *handle = op_input(c, 0);
    Resource *resource = handle->n == 1 ? *(Resource *const *)handle->data : NULL;
    LookupTable *table = resource != NULL ? resource_find_table(resource) : NULL;
    if (table == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "%s needs the handle of a table as its input 0",
                         c->op->name);
    *ret_table = table;
    return NULL;
}

Error *lookup_import_run(OpContext *c)
{
    LookupTable *table = NULL;
    TRY(lookup_get_table(c, &table));
    return lookup_table_import(table, op_input(c, 1), op_input(c, 2));
}

Error *lookup_insert_run(OpContext *c)
{
    LookupTable *table = NULL;
    TRY(lookup_get_table(c, &table));
    return lookup_table_insert(table, op_input(c, 1), op_input(c, 2));
}

Error *lookup_remove_run(OpContext *c)
{
    LookupTable *table = NULL;
    TRY(lookup_get_table(c, &table));
    return lookup_table_remove(table, op_input(c, 1));
}

Error *lookup_initialize_run(OpContext *c)
{
    char text[SHAPE_TEXT_BYTES];
    const Tensor *keys = op_input(c, 1);
    if (keys->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Keys must be a vector, but received shape %s",
                         shape_text(&keys->shape, text));
    return lookup_import_run(c);
}

Error *lookup_find_run(OpContext *c)
{
    char text[SHAPE_TEXT_BYTES];
    LookupTable *table = NULL;
    TRY(lookup_get_table(c, &table));
    const Tensor *keys = op_input(c, 1), *fallback = op_input(c, 2);
    LookupTableKind kind = lookup_table_kind(table);
    if (keys->dtype != kind.key)
        return error_new(ERROR_INVALID_ARGUMENT, "Key must be type %s but got %s",
                         dtype_name(kind.key), dtype_name(keys->dtype));
    if (fallback->dtype != kind.value)
        return error_new(ERROR_INVALID_ARGUMENT, "Default value must be type %s but got %s",
                         dtype_name(kind.value), dtype_name(fallback->dtype));
    if (fallback->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected shape [] for default value, got %s",
                         shape_text(&fallback->shape, text));
    Tensor *values = NULL;
    TRY(op_output(c, 0, kind.value, &keys->shape, &values));
    return lookup_table_find(table, keys, fallback, c->arena, values);
}

Error *lookup_size_run(OpContext *c)
{
    LookupTable *table = NULL;
    int64_t size = 0;
    TRY(lookup_get_table(c, &table));
    TRY(lookup_table_size(table, &size));
    const Shape scalar = shape_of();
    Tensor *output = NULL;
    TRY(op_output(c, 0, DT_INT64, &scalar, &output));
    *(int64_t *)output->data = size;
    return NULL;
}

Error *lookup_export_run(OpContext *c)
{
    LookupTable *table = NULL;
    TRY(lookup_get_table(c, &table));
    return lookup_table_export(table, c->arena, &c->outputs[0], &c->outputs[1]);
}
