/* SPDX-License-Identifier: Apache-2.0
 *
 * Store: what the plans of one version share and never change: constants, prepared kernels, and the
 * arena in which plans themselves lie.
 *
 * Signatures of a bundle are mostly views of one network. Constants of equal content are stored
 * once, and a kernel that is prepared twice from the same attributes and constants (a packed
 * filter) is one kernel. While plans are compiled the store is of one thread; after store_seal it
 * is immutable.
 */
#ifndef DIGIT_PLAN_STORE_H
#define DIGIT_PLAN_STORE_H

#include "model/graph/graph.h"

typedef struct Store Store;

typedef struct StoreConstant {
    Tensor tensor; /* data is NULL before store_materialize, and when nobody needs it */
    size_t n_uses; /* by steps that look at it and by outputs */
    /* until store_seal */
    Constant source; /* what it is made of, borrowed */
    /* private */
    Arena *arena; /* of a large one: its own, so that its memory can go alone; NULL: the store's, or
                   * the variable's */
    uint32_t hash;
    struct StoreConstant *next;
} StoreConstant;

/* NULL when memory is out. */
Store *store_new(void) _warn_unused_result_;
/* Takes NULL; returns NULL. */
Store *store_free(Store *store);

/* For what lives as long as the version. */
Arena *store_arena(Store *store);

/* The stored form of `value`, which is borrowed until store_seal. Lent. */
Error *store_constant(Store *store, const Constant *value,
                      StoreConstant **ret_constant) _warn_unused_result_;

/* One that is worth to be given back by itself. */
bool store_is_large(const StoreConstant *constant);

/* Makes its elements, if they are not there: a copy, with the scale in it; but they are borrowed
 * when they are a variable as it is. And gives them back, if there are no uses. */
Error *store_materialize(Store *store, StoreConstant *constant) _warn_unused_result_;
void store_dematerialize(StoreConstant *constant);

/* Prepares a kernel, or finds the one that was prepared alike. `prepare` is filled by the caller
 * but for arena, constants, kernel and release_input; constants[0..n_inputs) are the stored inputs,
 * materialized, NULL where an input is not constant. Sets prepare->kernel and prepare->release_input. */
Error *store_kernel(Store *store, OpPrepare *prepare,
                    StoreConstant *const *constants) _warn_unused_result_;

/* A step takes a handle that is known only when it runs: every variable must be kept. */
void store_keep_variables(Store *store);

/* All plans are there: frees the memory of constants that nobody uses any more, and of variables
 * that no plan reads or writes. */
Error *store_seal(Store *store, ResourceManager *resources) _warn_unused_result_;

/* Bytes held, without the variables'. */
size_t store_bytes(const Store *store);

static inline void store_freep(Store **store)
{
    store_free(*store);
}

#endif
