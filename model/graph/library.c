/* SPDX-License-Identifier: Apache-2.0
 *
 * Library: names of nodes, arguments and functions. The main graph is indexed at once, a function
 * when it is first called: a bundle may bring hundreds that nothing reaches.
 */
#include "model/graph/library.h"

#include <string.h>

#include "model/base/map.h"

struct Body {
    const Tensorflow__FunctionDef *function;
    Map *nodes;           /* name -> NodeDef */
    Map *arguments;       /* name -> position in signature->input_arg, plus one */
    Map *outputs;         /* name -> position in signature->output_arg, plus one */
    const char **returns; /* [n_output_arg]; borrowed from function->ret */
    bool is_indexed;
};

struct Library {
    Body main;
    Body *functions;
    size_t n_functions;
    Map *functions_by_name;
};

static Error *index_nodes(Map *map, size_t n, Tensorflow__NodeDef *const *nodes)
{
    for (size_t i = 0; i < n; i++) {
        if (nodes[i]->name[0] == '\0')
            return error_new(ERROR_INVALID_ARGUMENT, "node %zu (%s) has no name", i, nodes[i]->op);
        if (map_has(map, nodes[i]->name))
            return error_new(ERROR_INVALID_ARGUMENT, "two nodes have the name '%s'",
                             nodes[i]->name);
        TRY(map_set(map, nodes[i]->name, nodes[i]));
    }
    return NULL;
}

/* Maps hold pointers: a position is kept as itself plus one, so that NULL stays "not there". */
static void *position_to_value(size_t position)
{
    return (void *)(uintptr_t)(position + 1);
}

static int find_position(const Map *map, Bytes name)
{
    return (int)(uintptr_t)map_find_n(map, (const char *)name.data, name.size) - 1;
}

static Error *index_arguments(Map *map, const char *what, size_t n,
                              Tensorflow__OpDef__ArgDef *const *arguments)
{
    for (size_t i = 0; i < n; i++) {
        const Tensorflow__OpDef__ArgDef *argument = arguments[i];
        if (argument->number_attr[0] != '\0' || argument->type_list_attr[0] != '\0')
            return error_new(ERROR_UNIMPLEMENTED, "%s '%s' is a list of tensors, not one", what,
                             argument->name);
        if (map_has(map, argument->name))
            return error_new(ERROR_INVALID_ARGUMENT, "%s '%s' is there twice", what,
                             argument->name);
        TRY(map_set(map, argument->name, position_to_value(i)));
    }
    return NULL;
}

static Error *index_returns(Body *body)
{
    const Tensorflow__FunctionDef *function = body->function;
    const Tensorflow__OpDef *signature = function->signature;
    body->returns = calloc(signature->n_output_arg + 1, sizeof *body->returns);
    if (body->returns == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < function->n_ret; i++) {
        int output = find_position(body->outputs, bytes_of_text(function->ret[i]->key));
        if (output >= 0)
            body->returns[output] = function->ret[i]->value;
    }
    for (size_t i = 0; i < signature->n_output_arg; i++)
        if (body->returns[i] == NULL)
            return error_new(ERROR_INVALID_ARGUMENT, "nothing is returned as output '%s'",
                             signature->output_arg[i]->name);
    return NULL;
}

static void body_done(Body *body)
{
    body->nodes = map_free(body->nodes);
    body->arguments = map_free(body->arguments);
    body->outputs = map_free(body->outputs);
    free(body->returns);
    body->returns = NULL;
}

static Error *index_function(Body *body)
{
    const Tensorflow__OpDef *signature = body->function->signature;
    body_done(body); /* of an attempt that failed */
    body->nodes = map_new();
    body->arguments = map_new();
    body->outputs = map_new();
    if (body->nodes == NULL || body->arguments == NULL || body->outputs == NULL)
        return error_out_of_memory();
    TRY(index_nodes(body->nodes, body->function->n_node_def, body->function->node_def));
    TRY(index_arguments(body->arguments, "argument", signature->n_input_arg, signature->input_arg));
    TRY(index_arguments(body->outputs, "output", signature->n_output_arg, signature->output_arg));
    TRY(index_returns(body));
    body->is_indexed = true;
    return NULL;
}

static Error *index_library(Library *library, const Tensorflow__FunctionDefLibrary *functions)
{
    if (functions == NULL || functions->n_function == 0)
        return NULL;
    library->functions = calloc(functions->n_function, sizeof(Body));
    if (library->functions == NULL)
        return error_out_of_memory();
    library->n_functions = functions->n_function;
    for (size_t i = 0; i < functions->n_function; i++) {
        const Tensorflow__FunctionDef *function = functions->function[i];
        if (function->signature == NULL || function->signature->name[0] == '\0')
            return error_new(ERROR_INVALID_ARGUMENT, "function %zu has no name", i);
        const char *name = function->signature->name;
        if (map_has(library->functions_by_name, name))
            return error_new(ERROR_INVALID_ARGUMENT, "two functions have the name '%s'", name);
        library->functions[i].function = function;
        TRY(map_set(library->functions_by_name, name, &library->functions[i]));
    }
    return NULL;
}

Error *library_new(const Tensorflow__GraphDef *graph_def, Library **ret_library)
{
    _cleanup_(library_freep) Library *library = calloc(1, sizeof *library);
    if (library == NULL)
        return error_out_of_memory();
    library->main.nodes = map_new();
    library->functions_by_name = map_new();
    if (library->main.nodes == NULL || library->functions_by_name == NULL)
        return error_out_of_memory();
    library->main.is_indexed = true;
    if (graph_def != NULL) {
        TRY(index_nodes(library->main.nodes, graph_def->n_node, graph_def->node));
        TRY(index_library(library, graph_def->library));
    }
    *ret_library = TAKE(library);
    return NULL;
}

Library *library_free(Library *library)
{
    if (library == NULL)
        return NULL;
    for (size_t i = 0; i < library->n_functions; i++)
        body_done(&library->functions[i]);
    free(library->functions);
    map_free(library->functions_by_name);
    body_done(&library->main);
    free(library);
    return NULL;
}

Body *library_main(Library *library)
{
    return &library->main;
}

Error *library_function(Library *library, const char *name, Body **ret_body)
{
    Body *body = map_find(library->functions_by_name, name);
    if (body != NULL && !body->is_indexed)
        TRY(error_prefix(index_function(body), "function '%s'", name));
    *ret_body = body;
    return NULL;
}

Error *library_callee(Library *library, const Tensorflow__NodeDef *node, Body **ret_body)
{
    if (strcmp(node->op, "PartitionedCall") != 0 &&
        strcmp(node->op, "StatefulPartitionedCall") != 0)
        return library_function(library, node->op, ret_body);
    const Tensorflow__AttrValue *f = node_def_attr(node, "f");
    if (f == NULL || f->value_case != TENSORFLOW__ATTR_VALUE__VALUE_FUNC)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "node '%s' (%s) has no attribute 'f' that names a function", node->name,
                         node->op);
    Body *body = NULL;
    TRY(library_function(library, f->func->name, &body));
    if (body == NULL)
        return error_new(ERROR_NOT_FOUND,
                         "node '%s' (%s) calls function '%s', which the bundle does not have",
                         node->name, node->op, f->func->name);
    *ret_body = body;
    return NULL;
}

const Tensorflow__NodeDef *body_find(const Body *body, Bytes name)
{
    return map_find_n(body->nodes, (const char *)name.data, name.size);
}

const Tensorflow__FunctionDef *body_function(const Body *body)
{
    return body->function;
}

int body_argument(const Body *body, Bytes name)
{
    return body->function == NULL ? -1 : find_position(body->arguments, name);
}

int body_output(const Body *body, Bytes name)
{
    return body->function == NULL ? -1 : find_position(body->outputs, name);
}

const char *body_return(const Body *body, int i)
{
    return body->returns[i];
}

const Tensorflow__AttrValue *node_def_attr(const Tensorflow__NodeDef *node, const char *name)
{
    for (size_t i = 0; i < node->n_attr; i++)
        if (strcmp(node->attr[i]->key, name) == 0)
            return node->attr[i]->value;
    return NULL;
}
