/* SPDX-License-Identifier: Apache-2.0
 *
 * Op: one row of the table of operations, and what a kernel sees when it is prepared and run.
 *
 * The table is ops.def. A row says the op's name, its outputs, its flags, and two functions:
 *
 *   prepare  once, when a plan is compiled: reads and checks the attributes, looks at the input
 *            types and at inputs whose values are constant, packs weights, and leaves what run
 *            needs in a struct of its own (OpPrepare.kernel). May be NULL.
 *   run      each time: checks the shapes of its inputs, asks for the memory of its outputs, and
 *            computes. Must not keep anything between calls (but for the counters of random.c,
 *            which are atomic), nor call malloc: many threads run the same kernel at once. Shapes and values of inputs come from strangers: every access
 *            that they decide is checked, and the error uses TensorFlow's words where it has some.
 *
 * A kernel computes its outputs' shapes itself; there is no second place that knows them. The
 * host (plan/run.c; tests/support/op_runner.c) owns all memory.
 *
 * Reference variables of TF1: the output of VariableV2 is a handle, a DT_RESOURCE scalar as that of
 * VarHandleOp ("ref:=resource" in the table). A row marked OP_REF_INPUT (Assign, AssignAdd,
 * IsVariableInitialized...) gets that handle as its input 0; before all others the compiler puts a
 * ReadVariableOp, so no other kernel knows references. What Assign and its like give as output_ref
 * is the value that was stored.
 */
#ifndef DIGIT_OP_OP_H
#define DIGIT_OP_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/workers.h"
#include "model/op/attrs.h"
#include "model/tensor/tensor.h"

typedef struct OpContext OpContext;
typedef struct OpPrepare OpPrepare;
typedef struct ResourceManager ResourceManager; /* model/op/resource.h */

typedef enum OpFlags {
    OP_PURE = 0,           /* same inputs, same outputs: may be folded, shared, dropped */
    OP_STATEFUL = 1 << 0,  /* reads or writes variables, tables, files, random state: not folded */
    OP_WRITES = 1 << 1,    /* changes a variable or table: a target even without outputs used */
    OP_STRUCTURE = 1 << 2, /* handled by the compiler (Placeholder, Const, calls): no kernel */
    OP_REF_INPUT = 1 << 3, /* input 0 is a reference to a variable: gets the handle, see above */
    /* How much of a node the row's own functions are spared (adapter.c): */
    OP_WIDENED = 1 << 4,       /* they see float in place of half and bfloat16 */
    OP_CHANNELS_LAST = 1 << 5, /* a convolution: they see images and volumes with the channels last,
                                * also of a data_format that puts them first */
    OP_ADAPTED = OP_WIDENED | OP_CHANNELS_LAST,
} OpFlags;

#define OP_MAX_ARGS 65536 /* inputs or outputs of one node */

typedef struct Op {
    const char *name;
    /* Inputs and outputs, in the order and with the names of TensorFlow's OpDef, comma-separated:
     * NAME:TYPE or NAME*COUNT:TYPE. TYPE is the name of a type attribute ("T"), the same with the
     * type that it has when the node does not say ("out_type?int32"), or '=' and a type ("=int32").
     * COUNT is the name of an int attribute; `NAME*LIST` without a type takes one for each element
     * of the list(type) attribute LIST. "" for none. Examples:
     *   "output:T"   "values:T,indices:=int32"   "output*num_split:T"   "dense_values*Tdense"
     * The compiler checks a node's inputs against the row before prepare, and the host refuses an
     * output of another type than the row says, so kernels rely on both. */
    const char *inputs;
    const char *outputs;
    unsigned flags;
    Error *(*prepare)(OpPrepare *prepare);
    Error *(*run)(OpContext *context);
} Op;

/* What prepare sees. Everything but `kernel` and `release_input` is input. */
struct OpPrepare {
    const Op *op;
    const char *node_name; /* names a resource that has no name of its own; errors need
                                     * not say it: the compiler adds it to each */
    const Attrs *attrs;
    int n_inputs;
    const DType *input_dtypes;      /* [n_inputs] */
    const Tensor *const *constants; /* [n_inputs]: the value where it is known, else NULL. Lives
                                     * as long as the plan unless released */
    int n_outputs;
    Arena *arena;        /* lives as long as the plan */
    Workers *workers;    /* for heavy packing; may be NULL */
    void *kernel;        /* out: what run finds in OpContext.kernel; in `arena` */
    bool *release_input; /* out [n_inputs], false at first: this constant was packed and
                                     * run will not look at it (it may be NULL): its memory may go */
};

/* What the host does for a kernel. */
typedef struct OpHost {
    Error *(*output)(OpContext *context, int i, int reuse_input, DType dtype, const Shape *shape,
                     Tensor **ret_tensor);
    Error *(*alias)(OpContext *context, int i, int input, const Shape *shape);
    void *(*scratch)(OpContext *context, size_t bytes);
} OpHost;

/* What run sees: one execution of one node. Kernels use the functions below. */
struct OpContext {
    const Op *op;
    const char *node_name;
    const void *kernel; /* what prepare left */
    int n_inputs, n_outputs;
    const Tensor *const *inputs; /* [n_inputs] */
    Tensor *outputs;             /* [n_outputs]; set through op_output and op_output_alias */
    Workers *workers;            /* may be NULL: run inline */
    ResourceManager *resources;  /* variables and tables; NULL in stateless plans */
    Arena *arena;                /* for bytes of strings and other things that must live until
                                     * the outputs of the whole run have been used. A kernel whose
                                     * output is there already may set outputs[i] itself */
    const OpHost *host;
    void *host_data;
};

static inline const Tensor *op_input(const OpContext *c, int i)
{
    return c->inputs[i];
}

/* Memory for output i: uninitialised (strings: empty), aligned to ARENA_ALIGNMENT. `*ret_tensor`
 * is &c->outputs[i]. INVALID_ARGUMENT for a bad shape, RESOURCE_EXHAUSTED when memory is out. */
static inline _warn_unused_result_ Error *op_output(OpContext *c, int i, DType dtype,
                                                    const Shape *shape, Tensor **ret_tensor)
{
    return c->host->output(c, i, -1, dtype, shape, ret_tensor);
}

/* The same, but the host may give the memory of input `reuse_input` when nothing else needs it any
 * more and the sizes agree: for kernels that read element k of that input no later than they write
 * element k of the output. */
static inline _warn_unused_result_ Error *op_output_reuse(OpContext *c, int i, int reuse_input,
                                                          DType dtype, const Shape *shape,
                                                          Tensor **ret_tensor)
{
    return c->host->output(c, i, reuse_input, dtype, shape, ret_tensor);
}

/* Output i is input `input` under another shape of the same number of elements: nothing is
 * copied (Identity, Reshape, ExpandDims...). */
static inline _warn_unused_result_ Error *op_output_alias(OpContext *c, int i, int input,
                                                          const Shape *shape)
{
    return c->host->alias(c, i, input, shape);
}

/* Working memory until run returns, aligned to ARENA_ALIGNMENT; NULL when memory is out. */
static inline _warn_unused_result_ void *op_scratch(OpContext *c, size_t bytes)
{
    return c->host->scratch(c, bytes);
}

/* ---- host ---------------------------------------------------------------------------------- */

/* What hosts call for a row's `prepare` (which may be NULL) and `run`: through the adapter, where the
 * row's flags say so. Errors and threads are the row's. */
Error *op_prepare(OpPrepare *prepare) _warn_unused_result_;
Error *op_run(OpContext *context) _warn_unused_result_;

/* ---- registry ------------------------------------------------------------------------------ */

/* The row of `name`; NULL when Digit has no such op. */
const Op *op_find(const char *name);

/* All rows, sorted by name. */
const Op *const *op_list(size_t *ret_n);

/* The number of inputs that a node must have and the type of each, from the row's `inputs` and the
 * node's attributes. *ret_dtypes is in `arena`. INVALID_ARGUMENT names the attribute that is
 * wrong. An input that may be a reference (OP_REF_INPUT) is a DT_RESOURCE here. */
Error *op_input_types(const Op *op, const Attrs *attrs, Arena *arena, int *ret_n,
                      const DType **ret_dtypes) _warn_unused_result_;

/* INVALID_ARGUMENT when dtypes[0..n) are not what op_input_types says. */
Error *op_check_inputs(const Op *op, const Attrs *attrs, Arena *arena, int n,
                       const DType *dtypes) _warn_unused_result_;

/* The number of outputs of a node and the type of each, from the row's `outputs` and the node's
 * attributes. *ret_dtypes is in `arena`. INVALID_ARGUMENT names the attribute that is wrong. */
Error *op_output_types(const Op *op, const Attrs *attrs, Arena *arena, int *ret_n,
                       const DType **ret_dtypes) _warn_unused_result_;

/* The number of the first output that the argument `name` of the row stands for, and how many it
 * stands for: function bodies name outputs "node:arg:index". NOT_FOUND when there is none. */
Error *op_output_range(const Op *op, const Attrs *attrs, const char *name, int *ret_first,
                       int *ret_n) _warn_unused_result_;

#endif
