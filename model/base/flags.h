/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags: a table of a program's options; parses argv and prints the help from the same rows.
 *
 * Forms: `--name=value`, `--name value`, for booleans also bare `--name` and `--noname`. A single
 * dash works too. `--help` and `-h` are the table's own. An argument that is no flag is collected
 * where the table has a row for it (FLAG_FILES), else an error. A misspelt name is an error that
 * suggests the nearest flag.
 */
#ifndef DIGIT_BASE_FLAGS_H
#define DIGIT_BASE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/error.h"

typedef enum FlagKind {
    FLAG_BOOL,         /* bool; true/false, 1/0, yes/no */
    FLAG_INT,          /* int64_t, with min and max */
    FLAG_DOUBLE,       /* double, with min and max */
    FLAG_TEXT,         /* const char *, borrowed from argv */
    FLAG_FILES,        /* FlagList: this flag's value and every value that follows up to the next
                     * flag (`--image 1.png 2.png`), repeated flags append; arguments that belong
                     * to no flag go there too */
    FLAG_IGNORED,      /* takes a value, which is not looked at; bool: the flag was given */
    FLAG_IGNORED_BOOL, /* the same for a flag that may be bare, or --noname */
} FlagKind;

typedef struct FlagList {
    const char **items; /* owned by the list; the texts are borrowed from argv */
    size_t n;
} FlagList;

typedef struct Flag {
    const char *name; /* without dashes */
    FlagKind kind;
    void *value;            /* where the default is and the value goes, as `kind` says */
    const char *value_name; /* for the help: "PORT", "DIR"; NULL for a default by kind */
    const char *help;       /* one sentence */
    double min, max;        /* FLAG_INT and FLAG_DOUBLE; both 0: no limits */
} Flag;

/* Parses argv[1..argc). INVALID_ARGUMENT names the flag, what was given and what would be right.
 * `*ret_help` becomes true when --help or -h was given: print flags_help and exit 0. */
Error *flags_parse(const Flag *flags, size_t n_flags, int argc, char **argv,
                   bool *ret_help) _warn_unused_result_;

/* Prints `usage` (one or more lines) and one line a flag: name, default, help. */
void flags_help(const Flag *flags, size_t n_flags, const char *usage, FILE *out);

/* Frees the list's items. */
void flag_list_done(FlagList *list);

#endif
