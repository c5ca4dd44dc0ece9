/* SPDX-License-Identifier: Apache-2.0
 *
 * OpCoverage: which columns of an op have a type attribute (the notation is op.h's), and which types
 * the nodes of the cases give it.
 */
#include "tests/support/op_coverage.h"

#include <string.h>

#include "model/base/message.h"
#include "tensorflow/core/framework/graph.pb-c.h"
#include "tests/support/op_case.h"

#define TYPE_BIT(dtype) (1u << (dtype))
#define MAX_TYPE_NAME 32

/* Names for sets that occur all the time; the head of the page explains them. */
static const struct {
    const char *name;
    uint32_t types;
} groups[] = {
    { "floating",
      TYPE_BIT(DT_HALF) | TYPE_BIT(DT_BFLOAT16) | TYPE_BIT(DT_FLOAT) | TYPE_BIT(DT_DOUBLE) },
    { "signed", TYPE_BIT(DT_INT8) | TYPE_BIT(DT_INT16) | TYPE_BIT(DT_INT32) | TYPE_BIT(DT_INT64) },
    { "unsigned",
      TYPE_BIT(DT_UINT8) | TYPE_BIT(DT_UINT16) | TYPE_BIT(DT_UINT32) | TYPE_BIT(DT_UINT64) },
};

/* In the order in which they are listed. */
static const DType order[] = { DT_HALF,  DT_BFLOAT16, DT_FLOAT,   DT_DOUBLE,  DT_INT8,   DT_INT16,
                               DT_INT32, DT_INT64,    DT_UINT8,   DT_UINT16,  DT_UINT32, DT_UINT64,
                               DT_BOOL,  DT_STRING,   DT_VARIANT, DT_RESOURCE };

/* ---- the columns of a row ------------------------------------------------------------------ */

/* The type part of an ARG "name:TYPE", "name*COUNT:TYPE" or "name*LIST". */
static Bytes type_of_arg(const char *arg, size_t n)
{
    const char *at = memchr(arg, ':', n);
    if (at == NULL)
        at = memchr(arg, '*', n);
    return at == NULL ? (Bytes){ 0 }
                      : (Bytes){ (const uint8_t *)at + 1, n - (size_t)(at + 1 - arg) };
}

static Error *add_set(Arena *arena, OpCoverage *coverage, Bytes type)
{
    const char *text = arena_strndup(arena, (const char *)type.data, type.size);
    if (text == NULL)
        return error_out_of_memory();
    size_t n = strcspn(text, "?");
    for (int i = 0; i < coverage->n_sets; i++)
        if (strlen(coverage->sets[i].attr) == n && strncmp(coverage->sets[i].attr, text, n) == 0)
            return NULL;
    if (coverage->n_sets == OP_COVERAGE_MAX_ATTRS)
        return error_new(ERROR_INTERNAL, "%s has more than %d type attributes", coverage->op->name,
                         OP_COVERAGE_MAX_ATTRS);
    TypeSet *set = &coverage->sets[coverage->n_sets++];
    set->attr = arena_strndup(arena, text, n);
    set->fallback = text[n] == '?' ? dtype_of_name(text + n + 1) : DT_INVALID;
    return set->attr == NULL ? error_out_of_memory() : NULL;
}

/* The next ARG's type in *ret; false at the end of the column. */
static bool next_type(const char **column, Bytes *ret)
{
    if (**column == '\0')
        return false;
    size_t n = strcspn(*column, ",");
    *ret = type_of_arg(*column, n);
    *column += n + ((*column)[n] == ',');
    return true;
}

static Error *read_columns(Arena *arena, OpCoverage *coverage)
{
    const char *columns[] = { coverage->op->inputs, coverage->op->outputs };
    Bytes type;
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        for (const char *at = columns[i]; next_type(&at, &type);)
            if (type.size > 0 && type.data[0] != '=')
                TRY(add_set(arena, coverage, type));
    return NULL;
}

Error *op_coverage_new(Arena *arena, size_t *ret_n, OpCoverage **ret)
{
    size_t n = 0;
    const Op *const *ops = op_list(&n);
    OpCoverage *all = arena_calloc(arena, n, sizeof(*all));
    if (all == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        all[i].op = ops[i];
        TRY(read_columns(arena, &all[i]));
    }
    *ret_n = n;
    *ret = all;
    return NULL;
}

OpCoverage *op_coverage_find(OpCoverage *all, size_t n, const char *op)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].op->name, op) == 0)
            return &all[i];
    return NULL;
}

/* ---- counting ------------------------------------------------------------------------------ */

static void add_types_to(TypeSet *set, const Attrs *attrs)
{
    const Attr *attr = attrs_find(attrs, set->attr);
    if (attr == NULL && set->fallback != DT_INVALID)
        set->types |= TYPE_BIT(set->fallback);
    if (attr == NULL || (attr->kind != ATTR_TYPE && attr->kind != ATTR_TYPES))
        return;
    for (size_t i = 0; i < attr->n; i++)
        set->types |= TYPE_BIT(attr->types[i]);
}

static bool file_is_last(const char *files, const char *file)
{
    size_t n = strlen(files), m = strlen(file);
    return n >= m && strcmp(files + n - m, file) == 0 && (n == m || files[n - m - 1] == ' ');
}

/* What counting has at hand. */
typedef struct Counter {
    Arena *arena;      /* of the coverage */
    Arena *case_arena; /* of one case */
    OpCoverage *all;
    size_t n;
    const char *path, *file; /* its name */
} Counter;

static Error *count_case(const Counter *c, const char *op, OpCoverage **ret)
{
    OpCoverage *coverage = op_coverage_find(c->all, c->n, op);
    if (coverage == NULL)
        return error_new(ERROR_NOT_FOUND, "%s has a case of %s, which is no op of Digit", c->path,
                         op);
    coverage->n_cases++;
    if (coverage->files == NULL)
        coverage->files = arena_strdup(c->arena, c->file);
    else if (!file_is_last(coverage->files, c->file))
        coverage->files = arena_printf(c->arena, "%s, %s", coverage->files, c->file);
    *ret = coverage;
    return coverage->files == NULL ? error_out_of_memory() : NULL;
}

static void add_types(OpCoverage *coverage, const Attrs *attrs)
{
    for (int i = 0; i < coverage->n_sets; i++)
        add_types_to(&coverage->sets[i], attrs);
}

/* Adds the types of all nodes of the coverage's op among `nodes`. */
static Error *add_nodes(const Counter *c, OpCoverage *coverage, Tensorflow__NodeDef *const *nodes,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Attrs attrs;
        if (strcmp(nodes[i]->op, coverage->op->name) != 0)
            continue;
        TRY(attrs_from_proto(c->case_arena, nodes[i]->n_attr, nodes[i]->attr, &attrs));
        add_types(coverage, &attrs);
    }
    return NULL;
}

static Error *count_graph(const Counter *c, const OpCase *op_case)
{
    GraphCase graph;
    ProtobufCMessage *message = NULL;
    TRY(op_case_graph(op_case, &graph));
    TRY(message_unpack(c->case_arena, &tensorflow__graph_def__descriptor, "graph",
                       graph.graph_def.data, graph.graph_def.size, &message));
    const Tensorflow__GraphDef *graph_def = (const Tensorflow__GraphDef *)message;
    const Tensorflow__FunctionDefLibrary *library = graph_def->library;
    for (size_t i = 0; i < graph.n_ops; i++) {
        OpCoverage *coverage = NULL;
        TRY(count_case(c, (const char *)graph.ops[i].data, &coverage));
        if (op_case->code != 0)
            continue;
        TRY(add_nodes(c, coverage, graph_def->node, graph_def->n_node));
        for (size_t k = 0; library != NULL && k < library->n_function; k++)
            TRY(add_nodes(c, coverage, library->function[k]->node_def,
                          library->function[k]->n_node_def));
    }
    return NULL;
}

static Error *count_node(const Counter *c, const OpCase *op_case)
{
    OpCoverage *coverage = NULL;
    TRY(count_case(c, op_case->op, &coverage));
    if (op_case->code == 0)
        add_types(coverage, &op_case->attrs);
    return NULL;
}

Error *op_coverage_count(Arena *arena, const char *path, OpCoverage *all, size_t n)
{
    _cleanup_(arena_freep) Arena *case_arena = arena_new(4096, 0);
    const Counter c = { arena, case_arena, all, n, path, op_case_file_name(arena, path) };
    static OpCase op_case;
    Bytes left = { 0 };
    if (case_arena == NULL || c.file == NULL)
        return error_out_of_memory();
    TRY(op_case_open(arena, path, &left));
    while (left.size > 0) {
        TRY(op_case_read(case_arena, &left, &op_case));
        if (strcmp(op_case.op, OP_CASE_GRAPH) == 0)
            TRY(count_graph(&c, &op_case));
        else
            TRY(count_node(&c, &op_case));
        arena_reset(case_arena, 1 << 20);
    }
    return NULL;
}

/* ---- text ---------------------------------------------------------------------------------- */

static Error *append_types(uint32_t types, Buf *text)
{
    const char *comma = "";
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if ((types & groups[i].types) != groups[i].types)
            continue;
        TRY(buf_printf(text, "%s%s", comma, groups[i].name));
        types &= ~groups[i].types;
        comma = ", ";
    }
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        if ((types & TYPE_BIT(order[i])) == 0)
            continue;
        TRY(buf_printf(text, "%s%s", comma, dtype_name(order[i])));
        comma = ", ";
    }
    return NULL;
}

/* The bits of the types that a row fixes by '='. */
static uint32_t fixed_types(const Op *op)
{
    const char *columns[] = { op->inputs, op->outputs };
    char name[MAX_TYPE_NAME];
    uint32_t types = 0;
    Bytes type;
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        for (const char *at = columns[i]; next_type(&at, &type);)
            if (type.size > 1 && type.data[0] == '=' && type.size <= sizeof(name)) {
                memcpy(name, type.data + 1, type.size - 1);
                name[type.size - 1] = '\0';
                types |= TYPE_BIT(dtype_of_name(name));
            }
    return types;
}

Error *op_coverage_types(const OpCoverage *coverage, Buf *text)
{
    if (coverage->n_sets == 0)
        return append_types(fixed_types(coverage->op), text);
    for (int i = 0; i < coverage->n_sets; i++) {
        const TypeSet *set = &coverage->sets[i];
        TRY(buf_printf(text, "%s%s: ", i > 0 ? "; " : "", set->attr));
        TRY(append_types(set->types, text));
    }
    return NULL;
}
