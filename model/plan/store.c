/* SPDX-License-Identifier: Apache-2.0
 *
 * Store: constants by content, kernels by what they were prepared from. Lookups happen only while a
 * version is loaded.
 */
#include "model/plan/store.h"

#include <string.h>

#include "model/base/crc32c.h"
#include "model/graph/affine.h"

#define N_BUCKETS 1024
#define BLOCK_BYTES ((size_t)64 << 10)
/* From here on a constant has an arena, and so its memory, of its own. */
#define LARGE_BYTES ((size_t)16 << 10)

/* A kernel that was prepared with constants. */
typedef struct Prepared {
    const Op *op;
    const Attrs *attrs;
    int n_inputs;
    const DType *input_dtypes;
    StoreConstant *const *constants;
    void *kernel;
    const bool *release;
    struct Prepared *next;
} Prepared;

struct Store {
    Arena *arena;
    StoreConstant *constants[N_BUCKETS];
    Prepared *prepared[N_BUCKETS];
    bool keeps_variables;
};

Store *store_new(void)
{
    Store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->arena = arena_new(BLOCK_BYTES, 0);
    return store->arena != NULL ? store : store_free(store);
}

Store *store_free(Store *store)
{
    if (store == NULL)
        return NULL;
    for (size_t i = 0; i < N_BUCKETS; i++)
        for (StoreConstant *c = store->constants[i]; c != NULL; c = c->next)
            arena_free(c->arena);
    arena_free(store->arena);
    free(store);
    return NULL;
}

Arena *store_arena(Store *store)
{
    return store->arena;
}

size_t store_bytes(const Store *store)
{
    size_t bytes = arena_held(store->arena);
    for (size_t i = 0; i < N_BUCKETS; i++)
        for (const StoreConstant *c = store->constants[i]; c != NULL; c = c->next)
            bytes += c->arena != NULL ? arena_held(c->arena) : 0;
    return bytes;
}

/* ---- constants ----------------------------------------------------------------------------- */

bool store_is_large(const StoreConstant *constant)
{
    return tensor_bytes(&constant->tensor) >= LARGE_BYTES;
}

/* A variable is one by its name, whose value may have been given back by now. */
static uint32_t hash_constant(const Constant *value)
{
    const Tensor *tensor = &value->tensor;
    if (value->resource != NULL)
        return crc32c(&value->resource, sizeof value->resource);
    if (tensor->dtype == DT_STRING || tensor->n == 0)
        return (uint32_t)tensor->n;
    return crc32c(tensor->data, tensor_bytes(tensor));
}

static bool constants_equal(const Constant *a, const Constant *b)
{
    if (a->resource != b->resource || !affine_scale_equal(a->scale, b->scale))
        return false;
    if (a->resource == NULL)
        return tensor_equal(&a->tensor, &b->tensor);
    return a->tensor.dtype == b->tensor.dtype && shape_equal(&a->tensor.shape, &b->tensor.shape);
}

/* An arena that holds nothing but the constant, where it is large. */
static Error *get_arena(Store *store, StoreConstant *constant, Arena **ret_arena)
{
    *ret_arena = store->arena;
    if (!store_is_large(constant))
        return NULL;
    constant->arena = arena_new(0, 0);
    *ret_arena = constant->arena;
    return constant->arena != NULL ? NULL : error_out_of_memory();
}

Error *store_materialize(Store *store, StoreConstant *constant)
{
    const Constant *source = &constant->source;
    const Tensor *value = &source->tensor;
    Arena *arena = NULL;
    if (constant->tensor.data != NULL)
        return NULL;
    if (source->resource != NULL && source->scale == NULL) {
        constant->tensor = *value;
        return NULL;
    }
    TRY(get_arena(store, constant, &arena));
    if (source->scale != NULL)
        return affine_weights(arena, source->scale, value, &constant->tensor);
    if (value->dtype != DT_RESOURCE)
        return tensor_copy(arena, value, &constant->tensor);
    /* Handles point to variables, which are the version's own. */
    TRY(tensor_new(arena, DT_RESOURCE, &value->shape, &constant->tensor));
    memcpy(constant->tensor.data, value->data, tensor_bytes(value));
    return NULL;
}

void store_dematerialize(StoreConstant *constant)
{
    if (constant->n_uses > 0)
        return;
    constant->arena = arena_free(constant->arena);
    constant->tensor.data = NULL;
}

Error *store_constant(Store *store, const Constant *value, StoreConstant **ret_constant)
{
    uint32_t hash = hash_constant(value);
    StoreConstant **bucket = &store->constants[hash % N_BUCKETS];
    for (StoreConstant *c = *bucket; c != NULL; c = c->next) {
        if (c->hash == hash && constants_equal(&c->source, value)) {
            *ret_constant = c;
            return NULL;
        }
    }
    StoreConstant *constant = arena_calloc(store->arena, 1, sizeof *constant);
    if (constant == NULL)
        return error_out_of_memory();
    constant->hash = hash;
    constant->source = *value;
    constant->tensor = value->tensor;
    constant->tensor.data = NULL;
    constant->next = *bucket;
    *bucket = constant; /* from here on store_free frees its arena */
    *ret_constant = constant;
    return NULL;
}

void store_keep_variables(Store *store)
{
    store->keeps_variables = true;
}

/* Adds the names of the variables that `constant` is, or is a handle of. */
static Error *collect_variables(const StoreConstant *constant, Map *names)
{
    if (constant->n_uses == 0)
        return NULL;
    const Constant *source = &constant->source;
    if (source->resource != NULL && source->scale == NULL)
        TRY(map_set(names, resource_name(source->resource), source->resource));
    if (constant->tensor.dtype != DT_RESOURCE)
        return NULL;
    for (int64_t i = 0; i < constant->tensor.n; i++) {
        Resource *variable = ((Resource **)constant->tensor.data)[i];
        if (variable != NULL)
            TRY(map_set(names, resource_name(variable), variable));
    }
    return NULL;
}

Error *store_seal(Store *store, ResourceManager *resources)
{
    _cleanup_(map_freep) Map *names = map_new();
    if (names == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < N_BUCKETS; i++) {
        for (StoreConstant *c = store->constants[i]; c != NULL; c = c->next) {
            TRY(collect_variables(c, names));
            store_dematerialize(c);
            c->source = (Constant){ 0 };
        }
    }
    if (!store->keeps_variables)
        resource_manager_keep(resources, names);
    return NULL;
}

/* ---- kernels ------------------------------------------------------------------------------- */

static bool is_prepared_alike(const Prepared *known, const OpPrepare *prepare,
                              StoreConstant *const *constants)
{
    size_t n = (size_t)prepare->n_inputs;
    return known->op == prepare->op && known->n_inputs == prepare->n_inputs &&
           memcmp(known->constants, constants, n * sizeof(constants[0])) == 0 &&
           memcmp(known->input_dtypes, prepare->input_dtypes, n * sizeof(DType)) == 0 &&
           attrs_equal(known->attrs, prepare->attrs);
}

/* Kernels of pure ops with constants can be shared, and are worth it: others are small. */
static bool is_shareable(const OpPrepare *prepare, StoreConstant *const *constants,
                         size_t *ret_bucket)
{
    size_t hash = (size_t)prepare->n_inputs;
    bool any = false;
    for (int i = 0; i < prepare->n_inputs; i++) {
        any |= constants[i] != NULL;
        hash = hash * 31 + (constants[i] != NULL ? constants[i]->hash : 0);
    }
    *ret_bucket = hash % N_BUCKETS;
    return any && (prepare->op->flags & (OP_STATEFUL | OP_WRITES)) == 0;
}

static Error *prepare_new(Store *store, OpPrepare *prepare, StoreConstant *const *constants)
{
    size_t n = (size_t)prepare->n_inputs;
    const Tensor **tensors = arena_calloc(store->arena, n, sizeof *tensors);
    prepare->release_input = arena_calloc(store->arena, n, sizeof(bool));
    if (tensors == NULL || prepare->release_input == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        tensors[i] = constants[i] != NULL ? &constants[i]->tensor : NULL;
    prepare->constants = tensors;
    prepare->arena = store->arena;
    prepare->kernel = NULL;
    return op_prepare(prepare);
}

Error *store_kernel(Store *store, OpPrepare *prepare, StoreConstant *const *constants)
{
    size_t bucket = 0;
    if (!is_shareable(prepare, constants, &bucket))
        return prepare_new(store, prepare, constants);
    for (Prepared *known = store->prepared[bucket]; known != NULL; known = known->next) {
        if (is_prepared_alike(known, prepare, constants)) {
            prepare->kernel = known->kernel;
            prepare->release_input = (bool *)known->release;
            return NULL;
        }
    }
    TRY(prepare_new(store, prepare, constants));
    Prepared *prepared = arena_calloc(store->arena, 1, sizeof *prepared);
    if (prepared == NULL)
        return error_out_of_memory();
    *prepared = (Prepared){ .op = prepare->op,
                            .attrs = prepare->attrs,
                            .n_inputs = prepare->n_inputs,
                            .input_dtypes = prepare->input_dtypes,
                            .constants = constants,
                            .kernel = prepare->kernel,
                            .release = prepare->release_input,
                            .next = store->prepared[bucket] };
    store->prepared[bucket] = prepared;
    return NULL;
}
