/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of operations: ops.def as an array, found by name, and the reading of the `inputs` and
 * `outputs` columns. Used when a graph is compiled, never at a request.
 *
 *   column   ARG {"," ARG}
 *   ARG      NAME ":" TYPE            one
 *            NAME "*" COUNT ":" TYPE  as many as the int attribute COUNT says
 *            NAME "*" LIST            one for each element of the list(type) attribute LIST
 *   TYPE     ATTR | ATTR "?" DEFAULT | "=" NAME_OF_TYPE
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/op/kernels.h"
#include "model/op/op.h"

#define OP(name, inputs, outputs, flags, prepare, run)                                             \
    { name, inputs, outputs, flags, prepare, run },
#define OP_COMPILED(name, inputs, outputs, flags)                                                  \
    { name, inputs, outputs, (flags) | OP_STRUCTURE, NULL, NULL },
static const Op rows[] = {
#include "model/op/ops.def"
};
#undef OP
#undef OP_COMPILED

#define N_ROWS ARRAY_SIZE(rows)
#define NAME_BYTES 64 /* longest name of an attribute or type in ops.def, and its NUL */

static const Op *sorted[N_ROWS];
static pthread_once_t sorted_once = PTHREAD_ONCE_INIT;

static int compare_ops(const void *a, const void *b)
{
    return strcmp((*(const Op *const *)a)->name, (*(const Op *const *)b)->name);
}

static void sort_rows(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        sorted[i] = &rows[i];
    qsort(sorted, N_ROWS, sizeof(sorted[0]), compare_ops);
}

const Op *const *op_list(size_t *ret_n)
{
    pthread_once(&sorted_once, sort_rows);
    *ret_n = N_ROWS;
    return sorted;
}

const Op *op_find(const char *name)
{
    pthread_once(&sorted_once, sort_rows);
    const Op key = { .name = name };
    const Op *key_pointer = &key;
    const Op **found = bsearch(&key_pointer, sorted, N_ROWS, sizeof(sorted[0]), compare_ops);
    return found == NULL ? NULL : *found;
}

/* ---- columns ------------------------------------------------------------------------------- */

/* One ARG of a column. Texts are empty where the ARG has no such part. */
typedef struct Arg {
    char name[NAME_BYTES];
    char count[NAME_BYTES];
    char list[NAME_BYTES];
    char type[NAME_BYTES]; /* of the attribute; a fixed type has only `fallback` */
    DType fallback;        /* the fixed or default type; DT_INVALID when there is none */
} Arg;

/* What an ARG means for one node. */
typedef struct ArgTypes {
    int n;
    DType dtype;         /* of all n */
    const DType *dtypes; /* [n] of each, where they may differ; else NULL */
} ArgTypes;

static const char *copy_until(const char *at, const char *stops, char *ret)
{
    size_t n = strcspn(at, stops);
    assert(n < NAME_BYTES);
    memcpy(ret, at, n);
    ret[n] = '\0';
    return at + n;
}

/* Reads the ARG at `at`, which is not empty, and returns where the next one begins. */
static const char *arg_read(const char *at, Arg *ret)
{
    *ret = (Arg){ .fallback = DT_INVALID };
    at = copy_until(at, ":*,", ret->name);
    if (*at == '*') {
        at = copy_until(at + 1, ":,", ret->count);
        if (*at != ':') {
            memcpy(ret->list, ret->count, NAME_BYTES);
            ret->count[0] = '\0';
        }
    }
    if (*at == ':') {
        char fallback[NAME_BYTES] = "";
        at = copy_until(at + 1, "?=,", ret->type);
        if (*at == '?' || *at == '=') {
            at = copy_until(at + 1, ",", fallback);
            ret->fallback = dtype_of_name(fallback);
            assert(ret->fallback != DT_INVALID);
        }
    }
    return *at == ',' ? at + 1 : at;
}

static Error *arg_types(const Arg *arg, const Attrs *attrs, ArgTypes *ret)
{
    *ret = (ArgTypes){ .n = 1, .dtype = arg->fallback };
    if (arg->list[0] != '\0') {
        size_t n = 0;
        TRY(attrs_types(attrs, arg->list, &n, &ret->dtypes));
        if (n > OP_MAX_ARGS)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "attribute %s has %zu elements, more than the limit of %d", arg->list,
                             n, OP_MAX_ARGS);
        ret->n = (int)n;
        return NULL;
    }
    if (arg->count[0] != '\0') {
        int64_t n = 0;
        TRY(attrs_int(attrs, arg->count, &n));
        if (n < 0 || n > OP_MAX_ARGS)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "attribute %s is %lld, which is not between 0 and %d", arg->count,
                             (long long)n, OP_MAX_ARGS);
        ret->n = (int)n;
    }
    if (arg->type[0] != '\0' && arg->fallback != DT_INVALID)
        return attrs_type_or(attrs, arg->type, arg->fallback, &ret->dtype);
    if (arg->type[0] != '\0')
        return attrs_type(attrs, arg->type, &ret->dtype);
    return NULL;
}

static Error *column_types(const char *column, const Attrs *attrs, Arena *arena, int *ret_n,
                           const DType **ret_dtypes)
{
    Arg arg;
    ArgTypes types;
    int n = 0;
    for (const char *at = column; *at != '\0';) {
        at = arg_read(at, &arg);
        TRY(arg_types(&arg, attrs, &types));
        if (types.n > OP_MAX_ARGS - n)
            return error_new(ERROR_INVALID_ARGUMENT, "more than %d inputs or outputs", OP_MAX_ARGS);
        n += types.n;
    }
    DType *dtypes = arena_calloc(arena, (size_t)n, sizeof(*dtypes));
    if (dtypes == NULL)
        return error_out_of_memory();
    int k = 0;
    for (const char *at = column; *at != '\0';) {
        at = arg_read(at, &arg);
        TRY(arg_types(&arg, attrs, &types));
        for (int i = 0; i < types.n; i++)
            dtypes[k++] = types.dtypes != NULL ? types.dtypes[i] : types.dtype;
    }
    *ret_n = n;
    *ret_dtypes = dtypes;
    return NULL;
}

Error *op_input_types(const Op *op, const Attrs *attrs, Arena *arena, int *ret_n,
                      const DType **ret_dtypes)
{
    return column_types(op->inputs, attrs, arena, ret_n, ret_dtypes);
}

Error *op_check_inputs(const Op *op, const Attrs *attrs, Arena *arena, int n, const DType *dtypes)
{
    int n_wanted = 0;
    const DType *wanted = NULL;
    TRY(op_input_types(op, attrs, arena, &n_wanted, &wanted));
    if (n != n_wanted)
        return error_new(ERROR_INVALID_ARGUMENT, "%s has %d inputs, but must have %d", op->name, n,
                         n_wanted);
    for (int i = 0; i < n; i++) {
        if (dtypes[i] != wanted[i])
            return error_new(ERROR_INVALID_ARGUMENT, "input %d of %s is %s, but must be %s", i,
                             op->name, dtype_name(dtypes[i]), dtype_name(wanted[i]));
    }
    return NULL;
}

Error *op_output_types(const Op *op, const Attrs *attrs, Arena *arena, int *ret_n,
                       const DType **ret_dtypes)
{
    return column_types(op->outputs, attrs, arena, ret_n, ret_dtypes);
}

Error *op_output_range(const Op *op, const Attrs *attrs, const char *name, int *ret_first,
                       int *ret_n)
{
    Arg arg;
    ArgTypes types;
    int first = 0;
    for (const char *at = op->outputs; *at != '\0';) {
        at = arg_read(at, &arg);
        TRY(arg_types(&arg, attrs, &types));
        if (strcmp(arg.name, name) == 0) {
            *ret_first = first;
            *ret_n = types.n;
            return NULL;
        }
        first += types.n;
    }
    return error_new(ERROR_NOT_FOUND, "%s has no output named %s", op->name, name);
}
