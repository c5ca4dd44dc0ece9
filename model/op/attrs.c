/* SPDX-License-Identifier: Apache-2.0
 *
 * Attrs: AttrValue messages as plain arrays, and the getters that kernels use when they are
 * prepared. Load time only.
 */
#include <string.h>

#include "model/op/attrs.h"
#include "model/tensor/tensor_proto.h"

/* ---- from protobuf ------------------------------------------------------------------------- */

/* `n` bytes with a NUL behind them, in `arena`. */
static Error *text_copy(Arena *arena, const uint8_t *data, size_t n, Bytes *ret)
{
    char *copy = arena_strndup(arena, n > 0 ? (const char *)data : "", n);
    if (copy == NULL)
        return error_out_of_memory();
    *ret = (Bytes){ (const uint8_t *)copy, n };
    return NULL;
}

static Error *texts_copy(Arena *arena, size_t n, const ProtobufCBinaryData *values, Attr *ret)
{
    Bytes *texts = arena_calloc(arena, n, sizeof(*texts));
    if (texts == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        TRY(text_copy(arena, values[i].data, values[i].len, &texts[i]));
    ret->n = n;
    ret->texts = texts;
    return NULL;
}

static Error *functions_copy(Arena *arena, size_t n, Tensorflow__NameAttrList *const *values,
                             Attr *ret)
{
    Bytes *texts = arena_calloc(arena, n, sizeof(*texts));
    if (texts == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        const char *name = values[i]->name;
        TRY(text_copy(arena, (const uint8_t *)name, strlen(name), &texts[i]));
    }
    ret->n = n;
    ret->texts = texts;
    return NULL;
}

static Error *bools_copy(Arena *arena, size_t n, const protobuf_c_boolean *values, Attr *ret)
{
    bool *bools = arena_calloc(arena, n, sizeof(*bools));
    if (bools == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        bools[i] = values[i] != 0;
    ret->n = n;
    ret->bools = bools;
    return NULL;
}

static Error *types_copy(Arena *arena, size_t n, const Tensorflow__DataType *values, Attr *ret)
{
    DType *types = arena_calloc(arena, n, sizeof(*types));
    if (types == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        types[i] = dtype_of_number((int)values[i]);
    ret->n = n;
    ret->types = types;
    return NULL;
}

static Error *shapes_copy(Arena *arena, size_t n, Tensorflow__TensorShapeProto *const *values,
                          Attr *ret)
{
    Shape *shapes = arena_calloc(arena, n, sizeof(*shapes));
    if (shapes == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        TRY(shape_from_proto(values[i], &shapes[i]));
    ret->n = n;
    ret->shapes = shapes;
    return NULL;
}

static Error *tensors_copy(Arena *arena, size_t n, Tensorflow__TensorProto *const *values,
                           Attr *ret)
{
    Tensor *tensors = arena_calloc(arena, n, sizeof(*tensors));
    if (tensors == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        TRY(tensor_from_proto(arena, values[i], &tensors[i]));
    ret->n = n;
    ret->tensors = tensors;
    return NULL;
}

static Error *list_copy(Arena *arena, const Tensorflow__AttrValue__ListValue *list, Attr *ret)
{
    if (list->n_s > 0) {
        ret->kind = ATTR_TEXTS;
        return texts_copy(arena, list->n_s, list->s, ret);
    }
    if (list->n_i > 0) {
        ret->kind = ATTR_INTS;
        ret->n = list->n_i;
        ret->ints = list->i;
        return NULL;
    }
    if (list->n_f > 0) {
        ret->kind = ATTR_FLOATS;
        ret->n = list->n_f;
        ret->floats = list->f;
        return NULL;
    }
    if (list->n_b > 0) {
        ret->kind = ATTR_BOOLS;
        return bools_copy(arena, list->n_b, list->b, ret);
    }
    if (list->n_type > 0) {
        ret->kind = ATTR_TYPES;
        return types_copy(arena, list->n_type, list->type, ret);
    }
    if (list->n_shape > 0) {
        ret->kind = ATTR_SHAPES;
        return shapes_copy(arena, list->n_shape, list->shape, ret);
    }
    if (list->n_tensor > 0) {
        ret->kind = ATTR_TENSORS;
        return tensors_copy(arena, list->n_tensor, list->tensor, ret);
    }
    if (list->n_func > 0) {
        ret->kind = ATTR_FUNCTIONS;
        return functions_copy(arena, list->n_func, list->func, ret);
    }
    ret->kind = ATTR_EMPTY_LIST;
    ret->n = 0;
    return NULL;
}

static Error *value_copy(Arena *arena, const Tensorflow__AttrValue *value, Attr *ret)
{
    ret->n = 1;
    switch (value->value_case) {
    case TENSORFLOW__ATTR_VALUE__VALUE_S:
        ret->kind = ATTR_TEXT;
        return texts_copy(arena, 1, &value->s, ret);
    case TENSORFLOW__ATTR_VALUE__VALUE_I:
        ret->kind = ATTR_INT;
        ret->ints = &value->i;
        return NULL;
    case TENSORFLOW__ATTR_VALUE__VALUE_F:
        ret->kind = ATTR_FLOAT;
        ret->floats = &value->f;
        return NULL;
    case TENSORFLOW__ATTR_VALUE__VALUE_B:
        ret->kind = ATTR_BOOL;
        return bools_copy(arena, 1, &value->b, ret);
    case TENSORFLOW__ATTR_VALUE__VALUE_TYPE:
        ret->kind = ATTR_TYPE;
        return types_copy(arena, 1, &value->type, ret);
    case TENSORFLOW__ATTR_VALUE__VALUE_SHAPE:
        ret->kind = ATTR_SHAPE;
        return shapes_copy(arena, 1, &value->shape, ret);
    case TENSORFLOW__ATTR_VALUE__VALUE_TENSOR:
        ret->kind = ATTR_TENSOR;
        return tensors_copy(arena, 1, &value->tensor, ret);
    case TENSORFLOW__ATTR_VALUE__VALUE_FUNC:
        ret->kind = ATTR_FUNCTION;
        return functions_copy(arena, 1, &value->func, ret);
    case TENSORFLOW__ATTR_VALUE__VALUE_LIST:
        return list_copy(arena, value->list, ret);
    default:
        return error_new(ERROR_INVALID_ARGUMENT, "has no value");
    }
}

Error *attrs_from_proto(Arena *arena, size_t n, Tensorflow__NodeDef__AttrEntry *const *entries,
                        Attrs *ret_attrs)
{
    Attr *items = arena_calloc(arena, n, sizeof(*items));
    if (items == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        items[i].name = entries[i]->key;
        if (entries[i]->value == NULL)
            return error_new(ERROR_INVALID_ARGUMENT, "attribute %s: has no value", items[i].name);
        Error *error = value_copy(arena, entries[i]->value, &items[i]);
        if (error != NULL)
            return error_prefix(error, "attribute %s", items[i].name);
    }
    *ret_attrs = (Attrs){ items, n };
    return NULL;
}

/* ---- getters ------------------------------------------------------------------------------- */

const Attr *attrs_find(const Attrs *attrs, const char *name)
{
    for (size_t i = 0; i < attrs->n; i++) {
        if (strcmp(attrs->items[i].name, name) == 0)
            return &attrs->items[i];
    }
    return NULL;
}

static const char *kind_name(AttrKind kind)
{
    static const char *const names[] = {
        [ATTR_TEXT] = "a string",
        [ATTR_INT] = "an int",
        [ATTR_FLOAT] = "a float",
        [ATTR_BOOL] = "a bool",
        [ATTR_TYPE] = "a type",
        [ATTR_SHAPE] = "a shape",
        [ATTR_TENSOR] = "a tensor",
        [ATTR_FUNCTION] = "a function",
        [ATTR_TEXTS] = "a list(string)",
        [ATTR_INTS] = "a list(int)",
        [ATTR_FLOATS] = "a list(float)",
        [ATTR_BOOLS] = "a list(bool)",
        [ATTR_TYPES] = "a list(type)",
        [ATTR_SHAPES] = "a list(shape)",
        [ATTR_TENSORS] = "a list(tensor)",
        [ATTR_FUNCTIONS] = "a list(func)",
        [ATTR_EMPTY_LIST] = "an empty list",
    };
    return names[kind];
}

/* The attribute, which is of `kind`; *ret is NULL when it is missing. */
static Error *find_kind(const Attrs *attrs, const char *name, AttrKind kind, const Attr **ret)
{
    const Attr *attr = attrs_find(attrs, name);
    if (attr != NULL && attr->kind != kind)
        return error_new(ERROR_INVALID_ARGUMENT, "attribute %s is %s, but must be %s", name,
                         kind_name(attr->kind), kind_name(kind));
    *ret = attr;
    return NULL;
}

static Error *get_kind(const Attrs *attrs, const char *name, AttrKind kind, const Attr **ret)
{
    const Attr *attr = NULL;
    TRY(find_kind(attrs, name, kind, &attr));
    if (attr == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "attribute %s is missing, but must be %s", name,
                         kind_name(kind));
    *ret = attr;
    return NULL;
}

/* The attribute, which is a list of `kind`; *ret is NULL when it is missing or empty. */
static Error *find_list(const Attrs *attrs, const char *name, AttrKind kind, const Attr **ret)
{
    const Attr *attr = attrs_find(attrs, name);
    if (attr != NULL && attr->kind == ATTR_EMPTY_LIST)
        attr = NULL;
    else
        TRY(find_kind(attrs, name, kind, &attr));
    *ret = attr;
    return NULL;
}

Error *attrs_int(const Attrs *attrs, const char *name, int64_t *ret)
{
    const Attr *attr = NULL;
    TRY(get_kind(attrs, name, ATTR_INT, &attr));
    *ret = attr->ints[0];
    return NULL;
}

Error *attrs_int_or(const Attrs *attrs, const char *name, int64_t fallback, int64_t *ret)
{
    const Attr *attr = NULL;
    TRY(find_kind(attrs, name, ATTR_INT, &attr));
    *ret = attr == NULL ? fallback : attr->ints[0];
    return NULL;
}

Error *attrs_float_or(const Attrs *attrs, const char *name, float fallback, float *ret)
{
    const Attr *attr = NULL;
    TRY(find_kind(attrs, name, ATTR_FLOAT, &attr));
    *ret = attr == NULL ? fallback : attr->floats[0];
    return NULL;
}

Error *attrs_bool_or(const Attrs *attrs, const char *name, bool fallback, bool *ret)
{
    const Attr *attr = NULL;
    TRY(find_kind(attrs, name, ATTR_BOOL, &attr));
    *ret = attr == NULL ? fallback : attr->bools[0];
    return NULL;
}

static Error *check_type(const char *name, DType dtype)
{
    if (dtype == DT_INVALID)
        return error_new(ERROR_INVALID_ARGUMENT, "attribute %s is a type that Digit does not know",
                         name);
    return NULL;
}

Error *attrs_type(const Attrs *attrs, const char *name, DType *ret)
{
    const Attr *attr = NULL;
    TRY(get_kind(attrs, name, ATTR_TYPE, &attr));
    TRY(check_type(name, attr->types[0]));
    *ret = attr->types[0];
    return NULL;
}

Error *attrs_type_or(const Attrs *attrs, const char *name, DType fallback, DType *ret)
{
    if (attrs_find(attrs, name) != NULL)
        return attrs_type(attrs, name, ret);
    *ret = fallback;
    return NULL;
}

Error *attrs_text(const Attrs *attrs, const char *name, const char **ret)
{
    const Attr *attr = NULL;
    TRY(get_kind(attrs, name, ATTR_TEXT, &attr));
    *ret = (const char *)attr->texts[0].data;
    return NULL;
}

Error *attrs_text_or(const Attrs *attrs, const char *name, const char *fallback, const char **ret)
{
    if (attrs_find(attrs, name) != NULL)
        return attrs_text(attrs, name, ret);
    *ret = fallback;
    return NULL;
}

Error *attrs_shape(const Attrs *attrs, const char *name, Shape *ret)
{
    const Attr *attr = NULL;
    TRY(get_kind(attrs, name, ATTR_SHAPE, &attr));
    *ret = attr->shapes[0];
    return NULL;
}

Error *attrs_tensor(const Attrs *attrs, const char *name, const Tensor **ret)
{
    const Attr *attr = NULL;
    TRY(get_kind(attrs, name, ATTR_TENSOR, &attr));
    *ret = attr->tensors;
    return NULL;
}

Error *attrs_function(const Attrs *attrs, const char *name, const char **ret)
{
    const Attr *attr = NULL;
    TRY(get_kind(attrs, name, ATTR_FUNCTION, &attr));
    *ret = (const char *)attr->texts[0].data;
    return NULL;
}

Error *attrs_ints(const Attrs *attrs, const char *name, size_t *ret_n, const int64_t **ret)
{
    const Attr *attr = NULL;
    TRY(find_list(attrs, name, ATTR_INTS, &attr));
    *ret_n = attr == NULL ? 0 : attr->n;
    *ret = attr == NULL ? NULL : attr->ints;
    return NULL;
}

Error *attrs_types(const Attrs *attrs, const char *name, size_t *ret_n, const DType **ret)
{
    const Attr *attr = NULL;
    TRY(find_list(attrs, name, ATTR_TYPES, &attr));
    for (size_t i = 0; attr != NULL && i < attr->n; i++)
        TRY(check_type(name, attr->types[i]));
    *ret_n = attr == NULL ? 0 : attr->n;
    *ret = attr == NULL ? NULL : attr->types;
    return NULL;
}

Error *attrs_shapes(const Attrs *attrs, const char *name, size_t *ret_n, const Shape **ret)
{
    const Attr *attr = NULL;
    TRY(find_list(attrs, name, ATTR_SHAPES, &attr));
    *ret_n = attr == NULL ? 0 : attr->n;
    *ret = attr == NULL ? NULL : attr->shapes;
    return NULL;
}

Error *attrs_texts(const Attrs *attrs, const char *name, size_t *ret_n, const Bytes **ret)
{
    const Attr *attr = NULL;
    TRY(find_list(attrs, name, ATTR_TEXTS, &attr));
    *ret_n = attr == NULL ? 0 : attr->n;
    *ret = attr == NULL ? NULL : attr->texts;
    return NULL;
}
