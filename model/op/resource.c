/* SPDX-License-Identifier: Apache-2.0
 *
 * ResourceManager: variables and tables by container and name. Each variable's value lies in an
 * arena of its own, whose blocks are mappings when they are big, so that what a plan has packed
 * really goes back to the system. A table (lookup_table.c) looks after itself.
 *
 * Threads: the manager's lock guards the list, each variable's lock guards its value. No thread
 * holds two locks.
 */
#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"
#include "model/op/resource.h"
#include "model/op/typed.h"
#include "model/tensor/half.h"

struct Resource {
    /* immutable */
    char *container, *name; /* owned */
    DType dtype;            /* DT_RESOURCE for a table or an array */
    LookupTable *table;     /* owned; NULL: none */
    TensorArray *array;     /* lent; NULL: none */
    Resource *next;         /* same name in another container; guarded by the manager's lock */
    /* guarded by lock */
    pthread_mutex_t lock;
    Shape shape; /* that the graph declares for it; may be partial */
    bool is_initialized;
    Tensor value;
    Arena *arena; /* owned; where the value is. NULL: nowhere */
};

struct ResourceManager {
    pthread_mutex_t lock;
    Map *variables; /* name -> first Resource of that name */
};

/* ---- manager ------------------------------------------------------------------------------- */

ResourceManager *resource_manager_new(void)
{
    ResourceManager *manager = calloc(1, sizeof(*manager));
    if (manager == NULL)
        return NULL;
    manager->variables = map_new();
    if (manager->variables == NULL) {
        free(manager);
        return NULL;
    }
    pthread_mutex_init(&manager->lock, NULL);
    return manager;
}

static void resource_free(Resource *resource)
{
    arena_free(resource->arena);
    lookup_table_free(resource->table);
    pthread_mutex_destroy(&resource->lock);
    free(resource->container);
    free(resource->name);
    free(resource);
}

ResourceManager *resource_manager_free(ResourceManager *manager)
{
    if (manager == NULL)
        return NULL;
    for (size_t i = 0; i < map_size(manager->variables); i++) {
        Resource *next = NULL;
        for (Resource *r = map_value_at(manager->variables, i); r != NULL; r = next) {
            next = r->next;
            resource_free(r);
        }
    }
    map_free(manager->variables);
    pthread_mutex_destroy(&manager->lock);
    free(manager);
    return NULL;
}

static Error *resource_new(ResourceManager *manager, const char *container, const char *name,
                           DType dtype, Resource **ret)
{
    Resource *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return error_out_of_memory();
    pthread_mutex_init(&r->lock, NULL);
    r->dtype = dtype;
    r->shape.rank = SHAPE_UNKNOWN_RANK;
    r->container = strdup(container);
    r->name = strdup(name);
    if (r->container == NULL || r->name == NULL) {
        resource_free(r);
        return error_out_of_memory();
    }
    Resource *first = map_find(manager->variables, name);
    if (first != NULL) { /* the map's key is the first one's name: the chain grows behind it */
        r->next = first->next;
        first->next = r;
    } else {
        Error *error = map_set(manager->variables, r->name, r);
        if (error != NULL) {
            resource_free(r);
            return error;
        }
    }
    *ret = r;
    return NULL;
}

static Error *find_or_make(ResourceManager *manager, const char *container, const char *name,
                           DType dtype, Resource **ret)
{
    Resource *r = map_find(manager->variables, name);
    while (r != NULL && strcmp(r->container, container) != 0)
        r = r->next;
    if (r == NULL)
        return resource_new(manager, container, name, dtype, ret);
    if (r->dtype != dtype)
        return error_new(ERROR_INVALID_ARGUMENT, "variable %s is %s in one place and %s in another",
                         name, dtype_name(r->dtype), dtype_name(dtype));
    *ret = r;
    return NULL;
}

Error *resource_variable(ResourceManager *manager, const char *container, const char *name,
                         DType dtype, Resource **ret_resource)
{
    pthread_mutex_lock(&manager->lock);
    Error *error = find_or_make(manager, container, name, dtype, ret_resource);
    pthread_mutex_unlock(&manager->lock);
    return error;
}

static Error *make_table(ResourceManager *manager, const char *container, const char *name,
                         LookupTableKind kind, Resource **ret)
{
    Resource *r = NULL;
    TRY(find_or_make(manager, container, name, DT_RESOURCE, &r));
    if (r->table == NULL)
        TRY(lookup_table_new(kind, &r->table));
    LookupTableKind has = lookup_table_kind(r->table);
    if (has.key != kind.key || has.value != kind.value || has.is_mutable != kind.is_mutable)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Trying to access a table with wrong types: %s leads from %s to %s, not "
                         "from %s to %s",
                         name, dtype_name(has.key), dtype_name(has.value), dtype_name(kind.key),
                         dtype_name(kind.value));
    *ret = r;
    return NULL;
}

Error *resource_make_table(ResourceManager *manager, const char *container, const char *name,
                           LookupTableKind kind, Resource **ret_resource)
{
    pthread_mutex_lock(&manager->lock);
    Error *error = make_table(manager, container, name, kind, ret_resource);
    pthread_mutex_unlock(&manager->lock);
    return error;
}

LookupTable *resource_find_table(const Resource *resource)
{
    return resource->table;
}

Error *resource_make_array(Arena *arena, const char *name, TensorArray *array,
                           Resource **ret_resource)
{
    Resource *resource = arena_calloc(arena, 1, sizeof *resource);
    if (resource == NULL)
        return error_out_of_memory();
    pthread_mutex_init(&resource->lock, NULL);
    resource->dtype = DT_RESOURCE;
    resource->container = arena_printf(arena, "%s", "");
    resource->name = arena_printf(arena, "%s", name);
    resource->array = array;
    if (resource->container == NULL || resource->name == NULL)
        return error_out_of_memory();
    *ret_resource = resource;
    return NULL;
}

TensorArray *resource_find_array(const Resource *resource)
{
    return resource->array;
}

/* ---- variables ----------------------------------------------------------------------------- */

const char *resource_name(const Resource *resource)
{
    return resource->name;
}

DType resource_dtype(const Resource *resource)
{
    return resource->dtype;
}

bool resource_is_initialized(Resource *resource)
{
    pthread_mutex_lock(&resource->lock);
    bool is_initialized = resource->is_initialized;
    pthread_mutex_unlock(&resource->lock);
    return is_initialized;
}

static Error *check_initialized(const Resource *resource)
{
    if (!resource->is_initialized)
        return error_new(
            ERROR_FAILED_PRECONDITION,
            "Attempting to use uninitialized value %s: the variable was never assigned",
            resource->name);
    return NULL;
}

static Error *check_value(const Resource *resource, const Tensor *value)
{
    if (value->dtype != resource->dtype)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Trying to assign variable with wrong dtype. Expected %s got %s",
                         dtype_name(resource->dtype), dtype_name(value->dtype));
    if (value->dtype == DT_RESOURCE || value->dtype == DT_VARIANT)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s cannot hold a %s, which is gone at the end of the run", resource->name,
                         dtype_name(value->dtype));
    return NULL;
}

static void adopt(Resource *resource, Arena *arena, const Tensor *value)
{
    arena_free(resource->arena);
    resource->arena = arena;
    resource->value = *value;
    resource->is_initialized = true;
}

static Error *assign(Resource *resource, const Tensor *value)
{
    TRY(check_value(resource, value));
    size_t bytes = tensor_bytes(value);
    if (resource->is_initialized && dtype_is_plain(value->dtype) &&
        bytes == tensor_bytes(&resource->value)) {
        void *data = resource->value.data;
        if (bytes > 0)
            memcpy(data, value->data, bytes);
        resource->value = *value;
        resource->value.data = data;
        return NULL;
    }
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    Tensor copy;
    if (arena == NULL)
        return error_out_of_memory();
    TRY(tensor_copy(arena, value, &copy));
    adopt(resource, TAKE(arena), &copy);
    return NULL;
}

Error *resource_assign(Resource *resource, const Tensor *value)
{
    pthread_mutex_lock(&resource->lock);
    Error *error = assign(resource, value);
    pthread_mutex_unlock(&resource->lock);
    return error;
}

Error *resource_adopt(Resource *resource, Arena *arena, const Tensor *value)
{
    Error *error = check_value(resource, value);
    if (error != NULL) {
        arena_free(arena);
        return error;
    }
    pthread_mutex_lock(&resource->lock);
    adopt(resource, arena, value);
    pthread_mutex_unlock(&resource->lock);
    return NULL;
}

void resource_declare(Resource *resource, const Shape *shape)
{
    pthread_mutex_lock(&resource->lock);
    resource->shape = *shape;
    pthread_mutex_unlock(&resource->lock);
}

Shape resource_shape(Resource *resource)
{
    pthread_mutex_lock(&resource->lock);
    Shape shape = resource->is_initialized ? resource->value.shape : resource->shape;
    pthread_mutex_unlock(&resource->lock);
    return shape;
}

static Error *read_copy(Resource *resource, Arena *arena, Tensor *ret_value)
{
    TRY(check_initialized(resource));
    return tensor_copy(arena, &resource->value, ret_value);
}

Error *resource_read(Resource *resource, Arena *arena, Tensor *ret_value)
{
    pthread_mutex_lock(&resource->lock);
    Error *error = read_copy(resource, arena, ret_value);
    pthread_mutex_unlock(&resource->lock);
    return error;
}

/* Signed types are added as unsigned: overflow wraps, as in TensorFlow, without undefined
 * behaviour. */
#define ADD_INT(dt, type, suffix)                                                                  \
    case dt:                                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                          \
            uint64_t a = (uint64_t)((type *)to)[i], b = (uint64_t)((const type *)delta->data)[i];  \
            ((type *)to)[i] = (type)(subtract ? a - b : a + b);                                    \
        }                                                                                          \
        return NULL;
#define ADD_FLOAT(dt, type, suffix)                                                                \
    case dt:                                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                          \
            type b = ((const type *)delta->data)[i];                                               \
            ((type *)to)[i] += subtract ? -b : b;                                                  \
        }                                                                                          \
        return NULL;
#define ADD_SHORT(dt, widen, narrow)                                                               \
    case dt:                                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                          \
            float b = widen(((const uint16_t *)delta->data)[i]);                                   \
            uint16_t *a = &((uint16_t *)to)[i];                                                    \
            *a = narrow(widen(*a) + (subtract ? -b : b));                                          \
        }                                                                                          \
        return NULL;

static Error *add_elements(void *to, const Tensor *delta, bool subtract)
{
    int64_t n = delta->n;
    switch (delta->dtype) {
        FOR_EACH_INT(ADD_INT)
        FOR_EACH_FLOAT(ADD_FLOAT)
        ADD_SHORT(DT_HALF, half_to_float, float_to_half)
        ADD_SHORT(DT_BFLOAT16, bfloat16_to_float, float_to_bfloat16)
    default:
        return error_new(ERROR_INVALID_ARGUMENT, "cannot add to a variable of type %s",
                         dtype_name(delta->dtype));
    }
}

static Error *add(Resource *resource, const Tensor *delta, bool subtract)
{
    char have[SHAPE_TEXT_BYTES], given[SHAPE_TEXT_BYTES];
    TRY(check_initialized(resource));
    if (delta->dtype != resource->dtype)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Trying to update variable with wrong dtype. Expected %s got %s",
                         dtype_name(resource->dtype), dtype_name(delta->dtype));
    if (!shape_equal(&delta->shape, &resource->value.shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Cannot update variable with shape %s using a Tensor with shape %s, "
                         "shapes must be equal.",
                         shape_text(&resource->value.shape, have),
                         shape_text(&delta->shape, given));
    return add_elements(resource->value.data, delta, subtract);
}

Error *resource_add(Resource *resource, const Tensor *delta, bool subtract, Arena *arena,
                    Tensor *ret_value)
{
    pthread_mutex_lock(&resource->lock);
    Error *error = add(resource, delta, subtract);
    if (error == NULL && ret_value != NULL)
        error = read_copy(resource, arena, ret_value);
    pthread_mutex_unlock(&resource->lock);
    return error;
}

Error *resource_change(Resource *resource, Error *(*change)(const Tensor *value, void *data),
                       void *data)
{
    pthread_mutex_lock(&resource->lock);
    Error *error = check_initialized(resource);
    if (error == NULL)
        error = change(&resource->value, data);
    pthread_mutex_unlock(&resource->lock);
    return error;
}

Error *resource_of_input(const OpContext *context, Resource **ret_resource)
{
    const Tensor *handle = op_input(context, 0);
    Resource *resource = handle->n == 1 ? *(Resource *const *)handle->data : NULL;
    if (resource == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "%s needs the handle of one variable as its input",
                         context->op->name);
    *ret_resource = resource;
    return NULL;
}

Error *resource_borrow(Resource *resource, Tensor *ret_value)
{
    TRY(check_initialized(resource));
    *ret_value = resource->value;
    return NULL;
}

void resource_release(Resource *resource)
{
    resource->arena = arena_free(resource->arena);
    resource->table = lookup_table_free(resource->table);
    resource->is_initialized = false;
    resource->value = (Tensor){ .dtype = resource->dtype };
}

void resource_manager_keep(ResourceManager *manager, const Map *names)
{
    for (size_t i = 0; i < map_size(manager->variables); i++) {
        if (map_has(names, map_key_at(manager->variables, i)))
            continue;
        for (Resource *r = map_value_at(manager->variables, i); r != NULL; r = r->next)
            resource_release(r);
    }
}

size_t resource_manager_bytes(ResourceManager *manager)
{
    size_t bytes = 0;
    pthread_mutex_lock(&manager->lock);
    for (size_t i = 0; i < map_size(manager->variables); i++)
        for (const Resource *r = map_value_at(manager->variables, i); r != NULL; r = r->next)
            bytes += (r->arena != NULL ? arena_held(r->arena) : 0) +
                     (r->table != NULL ? lookup_table_bytes(r->table) : 0);
    pthread_mutex_unlock(&manager->lock);
    return bytes;
}
