/* SPDX-License-Identifier: Apache-2.0
 *
 * Initialize: gives the variables their first values the way the bundle says.
 */
#ifndef DIGIT_PLAN_INITIALIZE_H
#define DIGIT_PLAN_INITIALIZE_H

#include "model/bundle/saved_model.h"
#include "model/graph/library.h"
#include "model/op/resource.h"

/* Runs the bundle's restore op over its checkpoint, if it has one, then its init op, if it has one;
 * both with the paths of its assets. Errors: those of compile_once and of the kernels, prefixed by
 * what was to be run; FAILED_PRECONDITION when the bundle does not say which op. */
Error *initialize(const SavedModel *saved_model, Library *library,
                  ResourceManager *resources) _warn_unused_result_;

#endif
