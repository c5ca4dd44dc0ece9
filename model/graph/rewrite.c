/* SPDX-License-Identifier: Apache-2.0
 *
 * Rewrite: all that is made lies in the graph's arena; what was there is left as it is, because
 * other nodes may share it.
 */
#include "model/graph/rewrite.h"

#include <string.h>

const Tensor *rewrite_constant_input(const Node *node, int i)
{
    const Constant *constant = endpoint_constant(node->inputs[i]);
    return constant != NULL ? &constant->tensor : NULL;
}

bool endpoints_equal(Endpoint a, Endpoint b)
{
    return a.node == b.node && a.index == b.index;
}

Error *rewrite_constant(Graph *graph, const char *name, const Tensor *value, Endpoint *ret)
{
    Node *node = NULL;
    TRY(graph_add(graph, name, NULL, NULL, 0, 0, &node));
    DType *dtype = arena_memdup(graph->arena, &value->dtype, sizeof(DType));
    node->values = arena_calloc(graph->arena, 1, sizeof *node->values);
    if (dtype == NULL || node->values == NULL)
        return error_out_of_memory();
    node->n_outputs = 1;
    node->output_dtypes = dtype;
    node->values[0].tensor = *value;
    *ret = (Endpoint){ node, 0 };
    return NULL;
}

Error *rewrite_attrs(Arena *arena, const Attrs *base, size_t n, const Attr *changes,
                     const Attrs **ret_attrs)
{
    Attrs *attrs = arena_calloc(arena, 1, sizeof *attrs);
    Attr *items = arena_calloc(arena, base->n + n, sizeof *items);
    if (attrs == NULL || items == NULL)
        return error_out_of_memory();
    attrs->items = items;
    for (size_t i = 0; i < base->n; i++)
        items[attrs->n++] = base->items[i];
    for (size_t k = 0; k < n; k++) {
        size_t i = 0;
        while (i < attrs->n && strcmp(items[i].name, changes[k].name) != 0)
            i++;
        items[i] = changes[k];
        attrs->n += i == attrs->n;
    }
    *ret_attrs = attrs;
    return NULL;
}

Error *rewrite_text(Arena *arena, const char *name, const char *text, Attr *ret_attr)
{
    Bytes *value = arena_calloc(arena, 1, sizeof *value);
    if (value == NULL)
        return error_out_of_memory();
    *value = bytes_of_text(text);
    *ret_attr = (Attr){ .name = name, .kind = ATTR_TEXT, .n = 1, .texts = value };
    return NULL;
}

Error *rewrite_ints(Arena *arena, const char *name, size_t n, const int64_t *ints, Attr *ret_attr)
{
    const int64_t *copy = arena_memdup(arena, ints, n * sizeof *ints);
    *ret_attr = (Attr){ .name = name, .kind = ATTR_INTS, .n = n, .ints = copy };
    return copy != NULL ? NULL : error_out_of_memory();
}

Error *rewrite_float(Arena *arena, const char *name, float value, Attr *ret_attr)
{
    const float *copy = arena_memdup(arena, &value, sizeof value);
    *ret_attr = (Attr){ .name = name, .kind = ATTR_FLOAT, .n = 1, .floats = copy };
    return copy != NULL ? NULL : error_out_of_memory();
}

Error *rewrite_int(Arena *arena, const char *name, int64_t value, Attr *ret_attr)
{
    const int64_t *copy = arena_memdup(arena, &value, sizeof value);
    *ret_attr = (Attr){ .name = name, .kind = ATTR_INT, .n = 1, .ints = copy };
    return copy != NULL ? NULL : error_out_of_memory();
}

Error *rewrite_node(Graph *graph, Node *node, const Op *op, int n, const Endpoint *inputs)
{
    node->inputs = arena_memdup(graph->arena, inputs, (size_t)n * sizeof *inputs);
    if (node->inputs == NULL)
        return error_out_of_memory();
    node->n_inputs = n;
    node->n_outputs = 1;
    node->op = op;
    return NULL;
}
