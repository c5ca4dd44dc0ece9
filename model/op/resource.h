/* SPDX-License-Identifier: Apache-2.0
 *
 * ResourceManager: the variables (and tables) of one loaded version, by container and name.
 *
 * A resource handle in a graph is a DT_RESOURCE tensor whose element is a `Resource *`. Variables
 * are written by restore and initialisation, before anybody else can see them; graphs that write
 * while serving (a counter) do so under the resource's lock.
 */
#ifndef DIGIT_OP_RESOURCE_H
#define DIGIT_OP_RESOURCE_H

#include <pthread.h>

#include "model/base/map.h"
#include "model/op/lookup_table.h"
#include "model/op/op.h"

typedef struct Resource Resource;
typedef struct TensorArray TensorArray; /* model/op/tensor_array.c */

/* NULL when memory is out. */
ResourceManager *resource_manager_new(void) _warn_unused_result_;
/* Frees all resources too. Takes NULL; returns NULL. */
ResourceManager *resource_manager_free(ResourceManager *manager);

/* The variable of that name, made without a value when there is none. Lent. Thread-safe. */
Error *resource_variable(ResourceManager *manager, const char *container, const char *name,
                         DType dtype, Resource **ret_resource) _warn_unused_result_;

/* The resource of that name that holds a table, made empty when there is none. Lent.
 * INVALID_ARGUMENT when there is a variable or a table of other types under that name. Thread-safe. */
Error *resource_make_table(ResourceManager *manager, const char *container, const char *name,
                           LookupTableKind kind, Resource **ret_resource) _warn_unused_result_;

/* Its table; NULL when it has none. Lent. */
LookupTable *resource_find_table(const Resource *resource);

/* A resource that only one run has: it lies in that run's arena, and no manager knows it. */
Error *resource_make_array(Arena *arena, const char *name, TensorArray *array,
                           Resource **ret_resource) _warn_unused_result_;

/* Its array; NULL when it has none. Lent. */
TensorArray *resource_find_array(const Resource *resource);

const char *resource_name(const Resource *resource);
/* DT_RESOURCE for a table or an array. */
DType resource_dtype(const Resource *resource);

/* True when it has a value. Thread-safe. */
bool resource_is_initialized(Resource *resource);

/* Stores a deep copy of `value`. INVALID_ARGUMENT when the type differs, or is one of handles.
 * Thread-safe. */
Error *resource_assign(Resource *resource, const Tensor *value) _warn_unused_result_;

/* Makes `value`, which lies in `arena`, the variable's. Takes the arena, which holds nothing else.
 * INVALID_ARGUMENT when the type differs. Thread-safe. */
Error *resource_adopt(Resource *resource, Arena *arena, const Tensor *value) _warn_unused_result_;

/* What the graph says of the variable's shape, which may be partial; nothing at first. And the shape
 * of its value, or what was declared while it has none. Thread-safe. */
void resource_declare(Resource *resource, const Shape *shape);
Shape resource_shape(Resource *resource);

/* A deep copy of the value in `arena`. FAILED_PRECONDITION when it was never set. Thread-safe. */
Error *resource_read(Resource *resource, Arena *arena, Tensor *ret_value) _warn_unused_result_;

/* value += delta or value -= delta under the lock; gives a deep copy of the result in `arena`, or
 * nothing when ret_value is NULL. INVALID_ARGUMENT when type or shape differ, or the type is no
 * number; FAILED_PRECONDITION when it was never set. */
Error *resource_add(Resource *resource, const Tensor *delta, bool subtract, Arena *arena,
                    Tensor *ret_value) _warn_unused_result_;

/* Calls change(value, data) under the lock: it may write the elements of the value. Gives its error;
 * FAILED_PRECONDITION when the variable was never set. */
Error *resource_change(Resource *resource, Error *(*change)(const Tensor *value, void *data),
                       void *data) _warn_unused_result_;

/* The variable whose handle input 0 is. Lent. INVALID_ARGUMENT when there is none. */
Error *resource_of_input(const OpContext *context, Resource **ret_resource) _warn_unused_result_;

/* The value itself, without a copy: only while nobody writes (after loading, for variables that no
 * reachable op writes). FAILED_PRECONDITION when it was never set. */
Error *resource_borrow(Resource *resource, Tensor *ret_value) _warn_unused_result_;

/* Frees the value's or the table's memory: the plan has packed it, or none needs it. Later reads
 * fail. */
void resource_release(Resource *resource);

/* Releases all variables whose names are no keys of `names`: no plan needs them. While nobody else
 * uses the manager. */
void resource_manager_keep(ResourceManager *manager, const Map *names);

/* Bytes that the values hold. Thread-safe. */
size_t resource_manager_bytes(ResourceManager *manager);

#endif
