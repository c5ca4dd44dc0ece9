/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags: one pass over argv; each row's kind knows how to read and to print its value.
 */
#include "model/base/flags.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define HELP_COLUMN_MAX 34

/* An argument that is a flag: `--name`, `-name`, `--name=value`. */
typedef struct Argument {
    const char *name; /* without dashes */
    size_t name_size;
    const char *value; /* behind '='; NULL without one */
} Argument;

static bool split(const char *text, Argument *ret)
{
    if (text[0] != '-' || text[1] == '\0')
        return false;
    const char *name = text + (text[1] == '-' ? 2 : 1);
    size_t size = strcspn(name, "=");
    *ret = (Argument){ name, size, name[size] == '=' ? name + size + 1 : NULL };
    return true;
}

static bool is_named(const Argument *argument, const char *name)
{
    return strlen(name) == argument->name_size &&
           memcmp(argument->name, name, argument->name_size) == 0;
}

/* May be given bare, or as --noNAME. */
static bool is_boolean(const Flag *flag)
{
    return flag->kind == FLAG_BOOL || flag->kind == FLAG_IGNORED_BOOL;
}

/* The row of the argument; of `--noNAME` that of the boolean NAME, with `*ret_is_no` true. */
static const Flag *find_flag(const Flag *flags, size_t n, const Argument *argument, bool *ret_is_no)
{
    for (size_t i = 0; i < n; i++)
        if (is_named(argument, flags[i].name)) {
            *ret_is_no = false;
            return &flags[i];
        }
    if (argument->name_size <= 2 || memcmp(argument->name, "no", 2) != 0)
        return NULL;
    Argument positive = { argument->name + 2, argument->name_size - 2, argument->value };
    for (size_t i = 0; i < n; i++)
        if (is_boolean(&flags[i]) && is_named(&positive, flags[i].name)) {
            *ret_is_no = true;
            return &flags[i];
        }
    return NULL;
}

/* V. Levenshtein's distance: insertions, deletions and changes that make `b` of `a`. */
static size_t edit_distance(const char *a, size_t a_size, const char *b)
{
    size_t row[NAME_MAX_BYTES + 1], b_size = strlen(b);
    if (a_size > NAME_MAX_BYTES || b_size > NAME_MAX_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_size];
}

static Error *error_of_unknown(const Flag *flags, size_t n, const Argument *argument)
{
    const char *nearest = NULL;
    size_t least = argument->name_size / 3 + 2; /* further away it is no misspelling */
    for (size_t i = 0; i < n; i++) {
        size_t distance = edit_distance(argument->name, argument->name_size, flags[i].name);
        if (distance < least) {
            least = distance;
            nearest = flags[i].name;
        }
    }
    Error *error = error_new(ERROR_INVALID_ARGUMENT, "unknown flag --%.*s",
                             (int)argument->name_size, argument->name);
    return nearest != NULL ? error_suffix(error, "; did you mean --%s?", nearest)
                           : error_suffix(error, "; --help lists all flags");
}

static Error *set_bool(const Flag *flag, const char *text)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = { { "true", true },   { "1", true },  { "yes", true },
                  { "false", false }, { "0", false }, { "no", false } };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i].text, text) == 0) {
            *(bool *)flag->value = words[i].value;
            return NULL;
        }
    return error_new(ERROR_INVALID_ARGUMENT, "--%s: \"%s\" is neither true nor false", flag->name,
                     text);
}

static Error *check_range(const Flag *flag, double value, const char *text)
{
    if ((flag->min == 0 && flag->max == 0) || (value >= flag->min && value <= flag->max))
        return NULL;
    return error_new(ERROR_INVALID_ARGUMENT,
                     "--%s: %s is out of range; it goes from %.15g to %.15g", flag->name, text,
                     flag->min, flag->max);
}

static Error *set_int(const Flag *flag, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "--%s: \"%s\" is not a whole number", flag->name,
                         text);
    TRY(check_range(flag, (double)value, text));
    *(int64_t *)flag->value = value;
    return NULL;
}

static Error *set_double(const Flag *flag, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return error_new(ERROR_INVALID_ARGUMENT, "--%s: \"%s\" is not a number", flag->name, text);
    TRY(check_range(flag, value, text));
    *(double *)flag->value = value;
    return NULL;
}

static Error *append_file(FlagList *list, const char *text)
{
    const char **items = realloc(list->items, (list->n + 1) * sizeof(*items));
    if (items == NULL)
        return error_out_of_memory();
    items[list->n++] = text;
    list->items = items;
    return NULL;
}

static Error *set_value(const Flag *flag, const char *text)
{
    switch (flag->kind) {
    case FLAG_BOOL:
        return set_bool(flag, text);
    case FLAG_INT:
        return set_int(flag, text);
    case FLAG_DOUBLE:
        return set_double(flag, text);
    case FLAG_TEXT:
        *(const char **)flag->value = text;
        return NULL;
    case FLAG_FILES:
        return append_file(flag->value, text);
    case FLAG_IGNORED:
    case FLAG_IGNORED_BOOL:
        *(bool *)flag->value = true;
        return NULL;
    }
    return NULL;
}

/* Sets the flag at argv[*i] and moves `*i` to the last argument that belongs to it. */
static Error *parse_flag(const Flag *flags, size_t n_flags, const Argument *argument, char **argv,
                         int argc, int *i)
{
    bool is_no;
    const Flag *flag = find_flag(flags, n_flags, argument, &is_no);
    if (flag == NULL)
        return error_of_unknown(flags, n_flags, argument);
    if (is_no && argument->value != NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "--no%s takes no value", flag->name);
    if (flag->kind == FLAG_BOOL && argument->value == NULL) {
        *(bool *)flag->value = !is_no;
        return NULL;
    }
    if (flag->kind == FLAG_IGNORED_BOOL && argument->value == NULL)
        return set_value(flag, "");
    if (argument->value != NULL)
        return set_value(flag, argument->value);
    if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "--%s needs a value: --%s=%s", flag->name,
                         flag->name, flag->value_name != NULL ? flag->value_name : "VALUE");
    return set_value(flag, argv[++*i]);
}

Error *flags_parse(const Flag *flags, size_t n_flags, int argc, char **argv, bool *ret_help)
{
    const Flag *files = NULL;
    for (size_t i = 0; i < n_flags; i++)
        if (flags[i].kind == FLAG_FILES)
            files = &flags[i];

    bool is_help = false, is_rest = false; /* behind "--" nothing is a flag */
    for (int i = 1; i < argc; i++) {
        Argument argument;
        if (!is_rest && strcmp(argv[i], "--") == 0)
            is_rest = true;
        else if (is_rest || !split(argv[i], &argument)) {
            if (files == NULL)
                return error_new(ERROR_INVALID_ARGUMENT,
                                 "\"%s\" is not a flag; --help lists all flags", argv[i]);
            TRY(append_file(files->value, argv[i]));
        } else if (is_named(&argument, "help") || is_named(&argument, "h"))
            is_help = true;
        else
            TRY(parse_flag(flags, n_flags, &argument, argv, argc, &i));
    }
    *ret_help = is_help;
    return NULL;
}

static void print_default(const Flag *flag, FILE *out)
{
    const char *text = flag->kind == FLAG_TEXT ? *(const char **)flag->value : NULL;
    if (flag->kind == FLAG_BOOL)
        fprintf(out, " (default: %s)", *(const bool *)flag->value ? "true" : "false");
    else if (flag->kind == FLAG_INT)
        fprintf(out, " (default: %" PRId64 ")", *(const int64_t *)flag->value);
    else if (flag->kind == FLAG_DOUBLE)
        fprintf(out, " (default: %g)", *(const double *)flag->value);
    else if (text != NULL && text[0] != '\0')
        fprintf(out, " (default: %s)", text);
}

void flags_help(const Flag *flags, size_t n_flags, const char *usage, FILE *out)
{
    static const char *const value_names[] = {
        [FLAG_BOOL] = "BOOL",         [FLAG_INT] = "N",         [FLAG_DOUBLE] = "NUMBER",
        [FLAG_TEXT] = "TEXT",         [FLAG_FILES] = "FILE...", [FLAG_IGNORED] = "VALUE",
        [FLAG_IGNORED_BOOL] = "BOOL",
    };
    fprintf(out, "%s\n\n", usage);
    for (size_t i = 0; i < n_flags; i++) {
        const Flag *flag = &flags[i];
        const char *value = flag->value_name != NULL ? flag->value_name : value_names[flag->kind];
        /* A boolean without a name for its value is shown bare, as it is mostly given. */
        bool is_bare = is_boolean(flag) && flag->value_name == NULL;
        int width = fprintf(out, "  --%s%s%s", flag->name,
                            is_bare                    ? ""
                            : flag->kind == FLAG_FILES ? " "
                                                       : "=",
                            is_bare ? "" : value);
        fprintf(out, "%*s%s", width < HELP_COLUMN_MAX ? HELP_COLUMN_MAX - width : 2, "",
                flag->help);
        print_default(flag, out);
        fputc('\n', out);
    }
}

void flag_list_done(FlagList *list)
{
    free(list->items);
    *list = (FlagList){ 0 };
}
