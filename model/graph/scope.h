/* SPDX-License-Identifier: Apache-2.0
 *
 * Scope: one instance of a Body while a graph is imported: the main graph, or one call of a
 * function. Calls are inlined by name alone: an edge into a call continues at what the function
 * returns, an edge from an argument continues at what the call was given, so that what importing
 * sees is only nodes with kernels.
 *
 *     main graph       "node", "node:k"                      output 0, output k
 *     function         "argument", "node:arg:i", "node:arg"  i-th of what the op calls `arg`
 *     both             "^node"                               control: after that node
 *
 * Lies in the arena of the graph. One thread.
 */
#ifndef DIGIT_GRAPH_SCOPE_H
#define DIGIT_GRAPH_SCOPE_H

#include "model/graph/graph.h"
#include "model/graph/library.h"

#define SCOPE_MAX_DEPTH 64 /* calls within calls: more is a function that calls itself */

typedef struct Scope Scope;

/* A node of a scope. */
typedef struct Site {
    const Tensorflow__NodeDef *def;
    Scope *scope;           /* where it is */
    Scope *callee;          /* of a call: the function's scope; NULL for all others */
    Node *node;             /* what import made of it; NULL: not reached yet */
    struct SiteFeed *feeds; /* which of its outputs are fed; main graph only */
    int n_data;             /* data inputs, which come before its controls */
} Site;

typedef struct SiteFeed {
    int output;
    Node *node;
    struct SiteFeed *next;
} SiteFeed;

/* An attribute that the call gives to the function. */
typedef struct ScopeAttr {
    const char *name;
    Tensorflow__AttrValue *value;
} ScopeAttr;

struct Scope {
    Body *body;
    Site *call;         /* NULL: the main graph, or a function that is a graph of its own */
    const Scope *outer; /* where the node is that runs that function */
    Node **arguments;   /* that function's: feeds of its graph */
    const char *prefix; /* of its nodes' names: "" or "call/" */
    int depth;
    const ScopeAttr *attrs;
    size_t n_attrs;
    struct Map *sites;  /* name -> Site; see ScopeTree */
    Node *entry;        /* runs before all its nodes; NULL: nothing has to */
    Node *exit;         /* runs after what the function must run; NULL: not asked for yet */
    bool has_entry_set; /* `entry` is known */
    bool is_entered;    /* an edge went into the call */
    Scope *next;        /* all scopes of the tree */
    Scope *next_entered;
};

/* All scopes of one import. Initialise to { library, arena }; scope_tree_done frees the maps. */
typedef struct ScopeTree {
    Library *library;
    Arena *arena;
    Scope *all;
    Scope *entered; /* those that were first entered since the user last emptied this list */
    size_t n_scopes;
    size_t n_hops; /* steps of all resolutions: a limit for graphs made to be slow */
} ScopeTree;

void scope_tree_done(ScopeTree *tree);

/* The scope of the main graph. */
Error *scope_main(ScopeTree *tree, Scope **ret_scope) _warn_unused_result_;

/* The scope of a function that `site`, of another tree, runs as a graph of its own (a branch, a
 * loop's body): its attribute `f`. arguments[] are the graph's feeds. INVALID_ARGUMENT when the
 * function runs itself in that way. */
Error *scope_function(ScopeTree *tree, const Site *site, const Tensorflow__NameAttrList *f,
                      Node **arguments, Scope **ret_scope) _warn_unused_result_;

/* The site of the node `name`; NOT_FOUND when there is none. A call makes the callee's scope:
 * INVALID_ARGUMENT past SCOPE_MAX_DEPTH or when its inputs are not the function's arguments. */
Error *scope_site(ScopeTree *tree, Scope *scope, Bytes name, Site **ret_site) _warn_unused_result_;

/* Where an edge ends: output `index` of `site`, or of the values that its op calls `arg`; or a
 * feed. */
typedef struct Place {
    Site *site;
    Bytes arg; /* function bodies only; size 0: `index` counts all outputs */
    int index;
    Node *feed; /* not NULL: this, and nothing else is set */
} Place;

/* Follows the data input `text` of a node of `scope` through calls to where it ends. */
Error *scope_resolve(ScopeTree *tree, Scope *scope, const char *text,
                     Place *ret_place) _warn_unused_result_;

/* The attributes of a node of `scope`, with the function's own put in for placeholders. */
Error *scope_attrs(ScopeTree *tree, const Site *site, Attrs *ret_attrs) _warn_unused_result_;

/* The type of output `index` of a node, which is not made for that: DT_INVALID when its op is not
 * known. NOT_FOUND when it has no such output. */
Error *scope_output_dtype(ScopeTree *tree, const Site *site, int index,
                          DType *ret_dtype) _warn_unused_result_;

/* Splits "node:k" of the main graph; INVALID_ARGUMENT for a number that is none. */
Error *split_tensor_name(const char *text, Bytes *ret_node, int *ret_index) _warn_unused_result_;

#endif
