/* SPDX-License-Identifier: Apache-2.0
 *
 * VersionLoader: how the manager gets a Model from a directory and gives it back. A table of
 * functions, so that the manager's tests need no bundles.
 */
#ifndef DIGIT_SERVER_MANAGER_LOADER_H
#define DIGIT_SERVER_MANAGER_LOADER_H

#include "model/base/error.h"
#include "model/model.h"

/* All are called on the manager's background threads, of low priority, where they may take
 * their time; at the same time for different versions. */
typedef struct VersionLoader {
    Error *(*load)(const char *directory, const ModelOptions *options, Model **ret_model);
    /* After a load that succeeded; what it says fails the load. May be NULL. */
    Error *(*warm_up)(const Model *model, const char *directory, const void *data);
    /* Before a model that was warmed up, or failed to be, is unloaded. May be NULL. */
    void (*cool_down)(const Model *model, const void *data);
    Model *(*unload)(Model *model);
    const void *data; /* for warm_up and cool_down */
} VersionLoader;

/* model_load and model_unref, with loader_warm_up_on_zeros. */
extern const VersionLoader loader_of_bundles;

/* Runs each signature that keeps no state once on zeros of its shape, unknown dimensions counted as
 * 1, and does not care for the result. */
void loader_warm_up_on_zeros(const Model *model);

#endif
