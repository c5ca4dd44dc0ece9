/* SPDX-License-Identifier: Apache-2.0
 *
 * How libFuzzer changes a GraphDef: by what makes another graph that looks valid, instead of by
 * bytes, of which few changes leave a graph at all. Only in the libFuzzer program, not in replays.
 *
 *     rewire    an input becomes another tensor, mostly one of the type
 *     swap      an op becomes another one of the registry that takes and gives the same types
 *     copy      a node is there twice, the copy wired anew
 *     cut       an input is gone, or becomes a control edge
 *     attr      an attribute, or an element of it, becomes a value at the edge of what is allowed
 *     retype    all floats of the graph become half, bfloat16 or double
 *     cross     two graphs become one, with edges between them
 *
 * No seed of libFuzzer's gives another graph than the same seed before.
 */
#include <stdio.h>
#include <string.h>

#include "model/base/message.h"
#include "model/op/op.h"
#include "tensorflow/core/framework/graph.pb-c.h"

#define MAX_BYTES ((size_t)16 << 20)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_size, unsigned seed);

/* A set of nodes that name one another: the main graph's, or a function's. */
typedef struct Nodes {
    size_t *n;
    Tensorflow__NodeDef ***items;
    const Tensorflow__FunctionDef *function; /* NULL: the main graph */
} Nodes;

typedef struct Mutator {
    Arena *arena;
    Tensorflow__GraphDef *graph;
    uint64_t state;
} Mutator;

static const int64_t edge_ints[] = { 0,   1,     2,         3,         4,         5,
                                     7,   8,     -1,        -2,        16,        127,
                                     255, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };
static const float edge_floats[] = { 0, 1, -1, 0.5f, 2, 6, 1e-3f, 1e30f, -0.0f };
static const char *const edge_texts[] = { "SAME", "VALID", "EXPLICIT",  "NHWC",        "NCHW",   "",
                                          "a",    "same",  "ij,jk->ik", "abc,cd->abd", "REFLECT" };
static const int edge_types[] = { 1, 2, 3, 4, 6, 7, 9, 10, 14, 19, 20, 21 };

#define PICK(m, array) ((array)[draw(m, ARRAY_SIZE(array))])

/* [0,n); 0 for n = 0. The generator is that of Steele and others, "Fast Splittable Pseudorandom
 * Number Generators", 2014. */
static size_t draw(Mutator *m, size_t n)
{
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return n == 0 ? 0 : (size_t)((z ^ (z >> 31)) % n);
}

static void *need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static Nodes draw_nodes(Mutator *m)
{
    Tensorflow__GraphDef *graph = m->graph;
    size_t n = graph->library == NULL ? 0 : graph->library->n_function;
    size_t i = draw(m, 2 * n + 1);
    if (i >= n)
        return (Nodes){ &graph->n_node, &graph->node, NULL };
    Tensorflow__FunctionDef *function = graph->library->function[i];
    return (Nodes){ &function->n_node_def, &function->node_def, function };
}

/* The type attribute that says most about a node: the first there is. */
static int node_type(const Tensorflow__NodeDef *node)
{
    for (size_t i = 0; i < node->n_attr; i++)
        if (node->attr[i]->value != NULL &&
            node->attr[i]->value->value_case == TENSORFLOW__ATTR_VALUE__VALUE_TYPE)
            return (int)node->attr[i]->value->type;
    return 0;
}

/* The name of a tensor of the set, if possible of a node of `type`. */
static char *draw_tensor(Mutator *m, const Nodes *nodes, int type)
{
    const Tensorflow__NodeDef *node = NULL;
    if (nodes->function != NULL && nodes->function->signature != NULL && draw(m, 4) == 0) {
        const Tensorflow__OpDef *signature = nodes->function->signature;
        if (signature->n_input_arg > 0)
            return signature->input_arg[draw(m, signature->n_input_arg)]->name;
    }
    for (int i = 0; i < 12 && *nodes->n > 0; i++) {
        node = (*nodes->items)[draw(m, *nodes->n)];
        if (node_type(node) == type)
            break;
    }
    if (node == NULL)
        return NULL;
    const Op *op = op_find(node->op);
    int index = draw(m, 6) == 0 ? (int)draw(m, 3) : 0;
    if (nodes->function == NULL)
        return need(arena_printf(m->arena, index > 0 ? "%s:%d" : "%s", node->name, index));
    const char *output = op != NULL ? op->outputs : "output";
    return need(arena_printf(m->arena, "%s:%.*s:%d", node->name, (int)strcspn(output, ":*,"),
                             output, index));
}

static void rewire(Mutator *m, const Nodes *nodes, Tensorflow__NodeDef *node)
{
    char *name = draw_tensor(m, nodes, node_type(node));
    if (node->n_input > 0 && name != NULL)
        node->input[draw(m, node->n_input)] = name;
}

/* Whether two columns of rows are the same but for the names of arguments. */
static bool columns_fit(const char *a, const char *b)
{
    for (;;) {
        a += strcspn(a, ":*,");
        b += strcspn(b, ":*,");
        size_t n = strcspn(a, ",");
        if (n != strcspn(b, ",") || memcmp(a, b, n) != 0)
            return false;
        a += n;
        b += n;
        if (*a == '\0' || *b == '\0')
            return *a == *b;
        a++;
        b++;
    }
}

static void swap(Mutator *m, _unused_ const Nodes *nodes, Tensorflow__NodeDef *node)
{
    size_t n = 0;
    const Op *const *ops = op_list(&n);
    const Op *op = op_find(node->op);
    size_t start = draw(m, n);
    for (size_t i = 0; op != NULL && i < n; i++) {
        const Op *other = ops[(start + i) % n];
        if (columns_fit(op->inputs, other->inputs) && columns_fit(op->outputs, other->outputs)) {
            node->op = need(arena_strdup(m->arena, other->name));
            return;
        }
    }
}

static void append(Mutator *m, const Nodes *nodes, Tensorflow__NodeDef *node)
{
    Tensorflow__NodeDef **items = need(arena_calloc(m->arena, *nodes->n + 1, sizeof *items));
    /* The last node is what the target wants. */
    bool is_wanted = draw(m, 2) == 0 || *nodes->n == 0;
    size_t at = is_wanted ? *nodes->n : draw(m, *nodes->n);
    memcpy(items, *nodes->items, at * sizeof *items);
    items[at] = node;
    if (at < *nodes->n)
        memcpy(&items[at + 1], *nodes->items + at, (*nodes->n - at) * sizeof *items);
    *nodes->items = items;
    *nodes->n += 1;
}

static void copy(Mutator *m, const Nodes *nodes, Tensorflow__NodeDef *node)
{
    Tensorflow__NodeDef *other = need(arena_memdup(m->arena, node, sizeof *node));
    other->name = need(arena_printf(m->arena, "n%zu", draw(m, 1 << 20)));
    other->input = need(arena_calloc(m->arena, node->n_input + 1, sizeof *other->input));
    if (node->n_input > 0)
        memcpy(other->input, node->input, node->n_input * sizeof *other->input);
    rewire(m, nodes, other);
    append(m, nodes, other);
}

static void cut(Mutator *m, _unused_ const Nodes *nodes, Tensorflow__NodeDef *node)
{
    if (node->n_input == 0)
        return;
    size_t last = node->n_input - 1;
    if (draw(m, 2) == 0)
        node->n_input = last;
    else if (node->input[last][0] != '^')
        node->input[last] = need(arena_printf(
            m->arena, "^%.*s", (int)strcspn(node->input[last], ":"), node->input[last]));
}

/* ---- attributes ---------------------------------------------------------------------------- */

static void change_shape(Mutator *m, Tensorflow__TensorShapeProto *shape)
{
    if (shape == NULL || shape->n_dim == 0)
        return;
    size_t i = draw(m, shape->n_dim);
    if (draw(m, 6) == 0)
        shape->n_dim--;
    else
        shape->dim[i]->size = draw(m, 12) == 0 ? PICK(m, edge_ints) : (int64_t)draw(m, 5) - 1;
}

/* The shape, or one element. */
static void change_tensor(Mutator *m, Tensorflow__TensorProto *tensor)
{
    if (tensor == NULL || draw(m, 3) == 0) {
        change_shape(m, tensor != NULL ? tensor->tensor_shape : NULL);
        return;
    }
    int64_t value = draw(m, 3) == 0 ? PICK(m, edge_ints) : (int64_t)draw(m, 9) - 3;
    if (tensor->n_int_val > 0)
        tensor->int_val[draw(m, tensor->n_int_val)] = (int32_t)value;
    if (tensor->n_int64_val > 0)
        tensor->int64_val[draw(m, tensor->n_int64_val)] = value;
    if (tensor->n_float_val > 0)
        tensor->float_val[draw(m, tensor->n_float_val)] = PICK(m, edge_floats);
    if (tensor->n_bool_val > 0)
        tensor->bool_val[draw(m, tensor->n_bool_val)] ^= 1;
    if (tensor->n_string_val > 0) {
        const char *text = PICK(m, edge_texts);
        tensor->string_val[draw(m, tensor->n_string_val)] =
            (ProtobufCBinaryData){ strlen(text), need(arena_strdup(m->arena, text)) };
    }
    if (tensor->tensor_content.len >= 4 && tensor->dtype == TENSORFLOW__DATA_TYPE__DT_INT32) {
        int32_t element = (int32_t)value;
        memcpy(tensor->tensor_content.data + 4 * draw(m, tensor->tensor_content.len / 4), &element,
               4);
    } else if (tensor->tensor_content.len > 0) {
        tensor->tensor_content.data[draw(m, tensor->tensor_content.len)] = (uint8_t)value;
    }
}

static void change_list(Mutator *m, Tensorflow__AttrValue__ListValue *list)
{
    if (list->n_i > 0 && draw(m, 8) == 0)
        list->n_i--;
    if (list->n_i > 0)
        list->i[draw(m, list->n_i)] = PICK(m, edge_ints);
    if (list->n_type > 0)
        list->type[draw(m, list->n_type)] = (Tensorflow__DataType)PICK(m, edge_types);
    if (list->n_shape > 0)
        change_shape(m, list->shape[draw(m, list->n_shape)]);
    if (list->n_b > 0)
        list->b[draw(m, list->n_b)] ^= 1;
}

static void change_function(Mutator *m, Tensorflow__NameAttrList *value)
{
    const Tensorflow__FunctionDefLibrary *library = m->graph->library;
    if (library == NULL || library->n_function == 0)
        return;
    const Tensorflow__FunctionDef *function = library->function[draw(m, library->n_function)];
    if (function->signature != NULL)
        value->name = function->signature->name;
}

static void change_text(Mutator *m, ProtobufCBinaryData *text)
{
    const char *other = PICK(m, edge_texts);
    *text = (ProtobufCBinaryData){ strlen(other), need(arena_strdup(m->arena, other)) };
}

static void change_attr(Mutator *m, _unused_ const Nodes *nodes, Tensorflow__NodeDef *node)
{
    Tensorflow__AttrValue *value =
        node->n_attr > 0 ? node->attr[draw(m, node->n_attr)]->value : NULL;
    if (value == NULL)
        return;
    switch (value->value_case) {
    case TENSORFLOW__ATTR_VALUE__VALUE_S:
        change_text(m, &value->s);
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_I:
        value->i = PICK(m, edge_ints);
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_F:
        value->f = PICK(m, edge_floats);
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_B:
        value->b = !value->b;
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_TYPE:
        value->type = (Tensorflow__DataType)PICK(m, edge_types);
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_SHAPE:
        change_shape(m, value->shape);
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_TENSOR:
        change_tensor(m, value->tensor);
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_FUNC:
        change_function(m, value->func);
        break;
    case TENSORFLOW__ATTR_VALUE__VALUE_LIST:
        change_list(m, value->list);
        break;
    default:
        break;
    }
}

/* A constant of another type is one value everywhere: 1 of that type. */
static void retype_tensor(Mutator *m, Tensorflow__TensorProto *tensor, Tensorflow__DataType type)
{
    if (tensor == NULL)
        return;
    tensor->dtype = type;
    tensor->tensor_content.len = tensor->n_float_val = 0;
    if (type == TENSORFLOW__DATA_TYPE__DT_DOUBLE) {
        tensor->double_val = need(arena_calloc(m->arena, 1, sizeof(double)));
        tensor->double_val[0] = 1;
        tensor->n_double_val = 1;
    } else {
        tensor->half_val = need(arena_calloc(m->arena, 1, sizeof(int32_t)));
        tensor->half_val[0] = type == TENSORFLOW__DATA_TYPE__DT_HALF ? 0x3c00 : 0x3f80;
        tensor->n_half_val = 1;
    }
}

static void retype(Mutator *m, const Nodes *nodes, _unused_ Tensorflow__NodeDef *unused)
{
    static const Tensorflow__DataType types[] = { TENSORFLOW__DATA_TYPE__DT_DOUBLE,
                                                  TENSORFLOW__DATA_TYPE__DT_HALF,
                                                  TENSORFLOW__DATA_TYPE__DT_BFLOAT16 };
    Tensorflow__DataType type = PICK(m, types);
    for (size_t i = 0; i < *nodes->n; i++) {
        const Tensorflow__NodeDef *node = (*nodes->items)[i];
        for (size_t k = 0; k < node->n_attr; k++) {
            Tensorflow__AttrValue *value = node->attr[k]->value;
            if (value == NULL)
                continue;
            if (value->value_case == TENSORFLOW__ATTR_VALUE__VALUE_TYPE &&
                value->type == TENSORFLOW__DATA_TYPE__DT_FLOAT)
                value->type = type;
            if (value->value_case == TENSORFLOW__ATTR_VALUE__VALUE_TENSOR &&
                value->tensor->dtype == TENSORFLOW__DATA_TYPE__DT_FLOAT)
                retype_tensor(m, value->tensor, type);
        }
    }
}

/* ---- libFuzzer's doors --------------------------------------------------------------------- */

static bool mutator_init(Mutator *m, const uint8_t *data, size_t size, unsigned seed)
{
    ProtobufCMessage *message = NULL;
    *m = (Mutator){ .arena = need(arena_new(1 << 14, MAX_BYTES)), .state = seed };
    Error *error =
        message_unpack(m->arena, &tensorflow__graph_def__descriptor, "seed", data, size, &message);
    m->graph = (Tensorflow__GraphDef *)message;
    bool is_graph = error == NULL && m->graph->n_node > 0;
    error_free(error);
    return is_graph;
}

/* 0 when the graph has become too large. */
static size_t mutator_done(Mutator *m, uint8_t *out, size_t max_size, bool is_graph)
{
    size_t size = 0;
    if (is_graph) {
        size = protobuf_c_message_get_packed_size(&m->graph->base);
        size = size > max_size ? 0 : protobuf_c_message_pack(&m->graph->base, out);
    }
    arena_free(m->arena);
    return size;
}

/* Those that leave more graphs valid are there more than once. */
static void (*const changes[])(Mutator *m, const Nodes *nodes, Tensorflow__NodeDef *node) = {
    cut,    retype, swap,   swap,        swap,        copy,        copy,
    rewire, rewire, rewire, change_attr, change_attr, change_attr, change_attr,
};

static void mutate(Mutator *m)
{
    Nodes nodes = draw_nodes(m);
    if (*nodes.n == 0)
        return;
    PICK(m, changes)(m, &nodes, (*nodes.items)[draw(m, *nodes.n)]);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    Mutator m;
    bool is_graph = mutator_init(&m, data, size, seed) && draw(&m, 32) != 0;
    for (size_t n = 1 + draw(&m, 4); is_graph && n > 0; n--)
        mutate(&m);
    size_t changed = mutator_done(&m, data, max_size, is_graph);
    return changed > 0 ? changed : LLVMFuzzerMutate(data, size, max_size);
}

/* Puts the nodes of `other` before those of the graph, under names that begin with `prefix`. */
static void join(Mutator *m, const Tensorflow__GraphDef *other, const char *prefix)
{
    Tensorflow__GraphDef *graph = m->graph;
    size_t n = graph->n_node + other->n_node;
    Tensorflow__NodeDef **nodes = need(arena_calloc(m->arena, n, sizeof *nodes));
    memcpy(nodes, other->node, other->n_node * sizeof *nodes);
    memcpy(nodes + other->n_node, graph->node, graph->n_node * sizeof *nodes);
    for (size_t i = 0; i < other->n_node; i++) {
        Tensorflow__NodeDef *node = nodes[i];
        node->name = need(arena_printf(m->arena, "%s%s", prefix, node->name));
        for (size_t k = 0; k < node->n_input; k++) {
            const char *input = node->input[k], *caret = input[0] == '^' ? "^" : "";
            node->input[k] =
                need(arena_printf(m->arena, "%s%s%s", caret, prefix, input + strlen(caret)));
        }
    }
    graph->node = nodes;
    graph->n_node = n;
    if (graph->library == NULL)
        graph->library = other->library;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_size, unsigned seed)
{
    Mutator m, other;
    bool is_graph = mutator_init(&m, data1, size1, seed);
    is_graph = mutator_init(&other, data2, size2, seed) && is_graph;
    if (is_graph) {
        char prefix[16];
        snprintf(prefix, sizeof prefix, "p%zu_", draw(&m, 10000));
        join(&m, other.graph, prefix);
        const Nodes nodes = { &m.graph->n_node, &m.graph->node, NULL };
        for (size_t i = 1 + draw(&m, 3); i > 0; i--)
            rewire(&m, &nodes, m.graph->node[draw(&m, m.graph->n_node)]);
    }
    size_t size = mutator_done(&m, out, max_size, is_graph);
    arena_free(other.arena);
    return size;
}
