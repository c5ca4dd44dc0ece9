/* SPDX-License-Identifier: Apache-2.0
 *
 * GraphDefs from text: a scanner with a cursor. Only tests see this, so what is wrong ends them.
 */
#include "tests/support/graph_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tensor/dtype.h"

#define MAX_ITEMS 64 /* of any list */

typedef struct Scan {
    const char *at;
    Arena *arena;
} Scan;

typedef Tensorflow__AttrValue Value;

static void *need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static _Noreturn void bad(const Scan *scan, const char *what)
{
    fprintf(stderr, "graph text: %s expected at: %.60s\n", what, scan->at);
    abort();
}

static void blanks(Scan *scan)
{
    while (*scan->at == ' ')
        scan->at++;
}

/* Takes `text` if it comes next. */
static bool take(Scan *scan, const char *text)
{
    blanks(scan);
    if (strncmp(scan->at, text, strlen(text)) != 0)
        return false;
    scan->at += strlen(text);
    return true;
}

static void expect(Scan *scan, const char *text)
{
    if (!take(scan, text))
        bad(scan, text);
}

/* A run of characters that are none of `stops`. */
static char *word(Scan *scan, const char *stops)
{
    blanks(scan);
    size_t n = strcspn(scan->at, stops);
    char *text = need(arena_strndup(scan->arena, scan->at, n));
    scan->at += n;
    return text;
}

static void *copy(Scan *scan, const void *items, size_t n, size_t bytes)
{
    return need(arena_memdup(scan->arena, items, n * bytes));
}

/* ---- values -------------------------------------------------------------------------------- */

static void read_shape(Scan *scan, Value *value)
{
    Tensorflow__TensorShapeProto__Dim *dims[MAX_ITEMS];
    Tensorflow__TensorShapeProto *shape = need(arena_calloc(scan->arena, 1, sizeof *shape));
    tensorflow__tensor_shape_proto__init(shape);
    while (!take(scan, ">")) {
        take(scan, ",");
        const char *text = word(scan, ",>");
        Tensorflow__TensorShapeProto__Dim *dim = need(arena_calloc(scan->arena, 1, sizeof *dim));
        tensorflow__tensor_shape_proto__dim__init(dim);
        dim->size = text[0] == '?' ? -1 : strtoll(text, NULL, 10);
        dims[shape->n_dim++] = dim;
    }
    shape->dim = copy(scan, dims, shape->n_dim, sizeof dims[0]);
    value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_SHAPE;
    value->shape = shape;
}

/* The opening bracket has been taken; `kind` is f, i or s. */
static void read_tensor(Scan *scan, char kind, bool is_vector, Value *value)
{
    float floats[MAX_ITEMS];
    int32_t ints[MAX_ITEMS];
    size_t n = 0;
    Tensorflow__TensorProto *tensor = need(arena_calloc(scan->arena, 1, sizeof *tensor));
    Tensorflow__TensorShapeProto *shape = need(arena_calloc(scan->arena, 1, sizeof *shape));
    tensorflow__tensor_proto__init(tensor);
    tensorflow__tensor_shape_proto__init(shape);
    while (!take(scan, is_vector ? "]" : ")")) {
        take(scan, ",");
        char *text = word(scan, ",])");
        floats[n] = strtof(text, NULL);
        ints[n] = (int32_t)strtol(text, NULL, 10);
        if (kind == 's') {
            tensor->string_val = need(arena_calloc(scan->arena, 1, sizeof *tensor->string_val));
            tensor->string_val[0] = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
            tensor->n_string_val = 1;
        }
        n++;
    }
    if (is_vector) {
        Tensorflow__TensorShapeProto__Dim *dim = need(arena_calloc(scan->arena, 1, sizeof *dim));
        tensorflow__tensor_shape_proto__dim__init(dim);
        dim->size = (int64_t)n;
        shape->n_dim = 1;
        shape->dim = copy(scan, &dim, 1, sizeof dim);
    }
    tensor->tensor_shape = shape;
    tensor->dtype = kind == 'f'   ? TENSORFLOW__DATA_TYPE__DT_FLOAT
                    : kind == 'i' ? TENSORFLOW__DATA_TYPE__DT_INT32
                                  : TENSORFLOW__DATA_TYPE__DT_STRING;
    if (kind == 'f') {
        tensor->n_float_val = n;
        tensor->float_val = copy(scan, floats, n, sizeof floats[0]);
    } else if (kind == 'i') {
        tensor->n_int_val = n;
        tensor->int_val = copy(scan, ints, n, sizeof ints[0]);
    }
    value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_TENSOR;
    value->tensor = tensor;
}

static void read_list(Scan *scan, Value *value)
{
    Tensorflow__DataType types[MAX_ITEMS];
    ProtobufCBinaryData texts[MAX_ITEMS];
    int64_t ints[MAX_ITEMS];
    Tensorflow__AttrValue__ListValue *list = need(arena_calloc(scan->arena, 1, sizeof *list));
    tensorflow__attr_value__list_value__init(list);
    while (!take(scan, "]")) {
        take(scan, ",");
        char *text = word(scan, ",]");
        if (isdigit((unsigned char)text[0]) || text[0] == '-') {
            ints[list->n_i++] = strtoll(text, NULL, 10);
        } else if (text[0] == '\'') {
            size_t size = strlen(text) - 2;
            texts[list->n_s++] = (ProtobufCBinaryData){ size, (uint8_t *)text + 1 };
        } else {
            types[list->n_type++] = (Tensorflow__DataType)dtype_of_name(text);
        }
    }
    list->i = copy(scan, ints, list->n_i, sizeof ints[0]);
    list->s = copy(scan, texts, list->n_s, sizeof texts[0]);
    list->type = copy(scan, types, list->n_type, sizeof types[0]);
    value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_LIST;
    value->list = list;
}

static void read_word(Scan *scan, Value *value)
{
    char *text = word(scan, " \n");
    if (text[0] == '@') {
        value->func = need(arena_calloc(scan->arena, 1, sizeof *value->func));
        tensorflow__name_attr_list__init(value->func);
        value->func->name = text + 1;
        value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_FUNC;
    } else if (text[0] == '$') {
        value->placeholder = text + 1;
        value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_PLACEHOLDER;
    } else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        value->b = text[0] == 't';
        value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_B;
    } else if (dtype_of_name(text) != DT_INVALID) {
        value->type = (Tensorflow__DataType)dtype_of_name(text);
        value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_TYPE;
    } else if (strchr(text, '.') != NULL) {
        value->f = strtof(text, NULL);
        value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_F;
    } else {
        value->i = strtoll(text, NULL, 10);
        value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_I;
    }
}

static Value *read_value(Scan *scan)
{
    static const char *const tensors[] = { "f(", "f[", "i(", "i[", "s(" };
    Value *value = need(arena_calloc(scan->arena, 1, sizeof *value));
    tensorflow__attr_value__init(value);
    for (size_t i = 0; i < ARRAY_SIZE(tensors); i++) {
        if (take(scan, tensors[i])) {
            read_tensor(scan, tensors[i][0], tensors[i][1] == '[', value);
            return value;
        }
    }
    if (take(scan, "<")) {
        read_shape(scan, value);
    } else if (take(scan, "[")) {
        read_list(scan, value);
    } else if (take(scan, "'")) {
        char *text = word(scan, "'");
        expect(scan, "'");
        value->s = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
        value->value_case = TENSORFLOW__ATTR_VALUE__VALUE_S;
    } else {
        read_word(scan, value);
    }
    return value;
}

/* ---- nodes and functions ------------------------------------------------------------------- */

static Tensorflow__NodeDef *read_node(Scan *scan)
{
    char *inputs[MAX_ITEMS];
    Tensorflow__NodeDef__AttrEntry *attrs[MAX_ITEMS];
    Tensorflow__NodeDef *node = need(arena_calloc(scan->arena, 1, sizeof *node));
    tensorflow__node_def__init(node);
    node->name = word(scan, ":\n");
    expect(scan, ":");
    node->op = word(scan, "(\n");
    expect(scan, "(");
    while (!take(scan, ")")) {
        take(scan, ",");
        inputs[node->n_input++] = word(scan, ",)");
    }
    node->input = copy(scan, inputs, node->n_input, sizeof inputs[0]);
    blanks(scan);
    while (*scan->at != '\n' && *scan->at != '\0') {
        Tensorflow__NodeDef__AttrEntry *attr = need(arena_calloc(scan->arena, 1, sizeof *attr));
        tensorflow__node_def__attr_entry__init(attr);
        attr->key = word(scan, "=\n");
        expect(scan, "=");
        attr->value = read_value(scan);
        attrs[node->n_attr++] = attr;
        blanks(scan);
    }
    node->attr = copy(scan, attrs, node->n_attr, sizeof attrs[0]);
    return node;
}

static Tensorflow__OpDef__ArgDef *read_argument(Scan *scan, const char *stops)
{
    Tensorflow__OpDef__ArgDef *argument = need(arena_calloc(scan->arena, 1, sizeof *argument));
    tensorflow__op_def__arg_def__init(argument);
    argument->name = word(scan, ":");
    expect(scan, ":");
    argument->type = (Tensorflow__DataType)dtype_of_name(word(scan, stops));
    return argument;
}

static void read_signature(Scan *scan, Tensorflow__FunctionDef *function)
{
    Tensorflow__OpDef__ArgDef *in[MAX_ITEMS], *out[MAX_ITEMS];
    Tensorflow__FunctionDef__RetEntry *returns[MAX_ITEMS];
    Tensorflow__FunctionDef__ControlRetEntry *controls[MAX_ITEMS];
    Tensorflow__OpDef *signature = need(arena_calloc(scan->arena, 1, sizeof *signature));
    tensorflow__op_def__init(signature);
    signature->name = word(scan, "(");
    for (expect(scan, "("); !take(scan, ")");) {
        take(scan, ",");
        in[signature->n_input_arg++] = read_argument(scan, ",)");
    }
    expect(scan, "->");
    for (expect(scan, "("); !take(scan, ")");) {
        take(scan, ",");
        Tensorflow__FunctionDef__RetEntry *entry =
            need(arena_calloc(scan->arena, 1, sizeof *entry));
        tensorflow__function_def__ret_entry__init(entry);
        out[signature->n_output_arg] = read_argument(scan, " =");
        expect(scan, "=");
        entry->key = out[signature->n_output_arg++]->name;
        entry->value = word(scan, ",)");
        returns[function->n_ret++] = entry;
    }
    while (take(scan, "^")) {
        Tensorflow__FunctionDef__ControlRetEntry *entry =
            need(arena_calloc(scan->arena, 1, sizeof *entry));
        tensorflow__function_def__control_ret_entry__init(entry);
        entry->key = entry->value = word(scan, " \n");
        controls[function->n_control_ret++] = entry;
    }
    signature->input_arg = copy(scan, in, signature->n_input_arg, sizeof in[0]);
    signature->output_arg = copy(scan, out, signature->n_output_arg, sizeof out[0]);
    function->ret = copy(scan, returns, function->n_ret, sizeof returns[0]);
    function->control_ret = copy(scan, controls, function->n_control_ret, sizeof controls[0]);
    function->signature = signature;
}

static void skip_lines(Scan *scan)
{
    while (*scan->at == '\n' || *scan->at == ' ')
        scan->at++;
}

static Tensorflow__FunctionDef *read_function(Scan *scan)
{
    Tensorflow__NodeDef *nodes[MAX_ITEMS];
    Tensorflow__FunctionDef *function = need(arena_calloc(scan->arena, 1, sizeof *function));
    tensorflow__function_def__init(function);
    read_signature(scan, function);
    for (skip_lines(scan); !take(scan, "end"); skip_lines(scan))
        nodes[function->n_node_def++] = read_node(scan);
    function->node_def = copy(scan, nodes, function->n_node_def, sizeof nodes[0]);
    return function;
}

Tensorflow__GraphDef *graph_from_text(Arena *arena, const char *text)
{
    Scan scan = { text, arena };
    Tensorflow__NodeDef *nodes[MAX_ITEMS];
    Tensorflow__FunctionDef *functions[MAX_ITEMS];
    Tensorflow__GraphDef *graph = need(arena_calloc(arena, 1, sizeof *graph));
    Tensorflow__FunctionDefLibrary *library = need(arena_calloc(arena, 1, sizeof *library));
    tensorflow__graph_def__init(graph);
    tensorflow__function_def_library__init(library);
    for (skip_lines(&scan); *scan.at != '\0'; skip_lines(&scan)) {
        if (take(&scan, "def "))
            functions[library->n_function++] = read_function(&scan);
        else
            nodes[graph->n_node++] = read_node(&scan);
    }
    graph->node = copy(&scan, nodes, graph->n_node, sizeof nodes[0]);
    library->function = copy(&scan, functions, library->n_function, sizeof functions[0]);
    graph->library = library;
    return graph;
}
