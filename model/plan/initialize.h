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
 * both with the paths of its assets. Only variables whose names are in `reached` get values from the
 * checkpoint, and those that the init op reaches, whose names are added; NULL: all of them.
 *
 * Errors: those of graph_import, restore_variables and of the kernels, prefixed by what was to be
 * run; FAILED_PRECONDITION when the bundle does not say which op. */
Error *initialize(const SavedModel *saved_model, Library *library, ResourceManager *resources,
                  Map *reached) _warn_unused_result_;

#endif
