/* SPDX-License-Identifier: Apache-2.0
 *
 * Library: a GraphDef as it was written, with its nodes and functions found by name.
 *
 * A Body is a set of names that nodes may use among themselves: the main graph, or one function.
 * Borrows the GraphDef; lies in the arena that it was made in. One thread.
 */
#ifndef DIGIT_GRAPH_LIBRARY_H
#define DIGIT_GRAPH_LIBRARY_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"
#include "tensorflow/core/framework/graph.pb-c.h"

typedef struct Library Library;
typedef struct Body Body;

/* Indexes `graph_def`, which may be NULL (an empty graph). INVALID_ARGUMENT for a name that two
 * nodes or two functions have, or that is empty. */
Error *library_new(const Tensorflow__GraphDef *graph_def,
                   Library **ret_library) _warn_unused_result_;
/* Takes NULL; returns NULL. */
Library *library_free(Library *library);

Body *library_main(Library *library);

/* The function of that name, indexed when it is first asked for; *ret is NULL when there is none.
 * INVALID_ARGUMENT when two of its nodes or arguments have one name. */
Error *library_function(Library *library, const char *name, Body **ret_body) _warn_unused_result_;

/* The function that `node` calls (PartitionedCall and its like by their attribute `f`; a node whose
 * op is a function's name), or NULL. NOT_FOUND when the function that it names is not there. */
Error *library_callee(Library *library, const Tensorflow__NodeDef *node,
                      Body **ret_body) _warn_unused_result_;

/* The node of that name, or NULL. */
const Tensorflow__NodeDef *body_find(const Body *body, Bytes name);

/* NULL for the main graph. */
const Tensorflow__FunctionDef *body_function(const Body *body);

/* Position of the function's argument or output `name`, or -1. */
int body_argument(const Body *body, Bytes name);
int body_output(const Body *body, Bytes name);

/* What output i of the function is: "node:arg:index", or an argument's name. */
const char *body_return(const Body *body, int i);

/* A node's attribute, or NULL. */
const Tensorflow__AttrValue *node_def_attr(const Tensorflow__NodeDef *node, const char *name);

static inline void library_freep(Library **library)
{
    library_free(*library);
}

#endif
