/* SPDX-License-Identifier: Apache-2.0
 *
 * Regex: see regex.h. No other file includes pcre2.h.
 */
#include "model/op/regex.h"

#include <stdbool.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MAX_HEAP_KIB 8192 /* of backtracking points of one search */
#define MAX_NESTING 200   /* of parentheses: PCRE2 compiles them recursively */

struct Regex {
    pcre2_code *code;
    uint32_t n_groups;
};

struct RegexMatch {
    const Regex *regex;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static void *alloc(PCRE2_SIZE bytes, void *arena)
{
    return arena_alloc(arena, bytes);
}

static void forget(_unused_ void *memory, _unused_ void *arena)
{
}

static const uint8_t *data_of(Bytes bytes)
{
    return bytes.size > 0 ? bytes.data : (const uint8_t *)"";
}

Error *regex_new(Arena *arena, Bytes pattern, const Regex **ret_regex)
{
    pcre2_general_context *general = pcre2_general_context_create(alloc, forget, arena);
    pcre2_compile_context *context = general != NULL ? pcre2_compile_context_create(general) : NULL;
    Regex *regex = arena_calloc(arena, 1, sizeof(*regex));
    if (context == NULL || regex == NULL)
        return error_out_of_memory();
    pcre2_set_max_pattern_length(context, REGEX_MAX_PATTERN_BYTES);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, MAX_NESTING);
    int code = 0;
    PCRE2_SIZE at = 0;
    bool has_verb = pattern.size >= 2 && pattern.data[0] == '(' && pattern.data[1] == '*';
    if (has_verb) /* "(*...)" would change these settings; RE2 has no such thing */
        code = PCRE2_ERROR_VERB_UNKNOWN;
    else
        regex->code = pcre2_compile(data_of(pattern), pattern.size,
                                    PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                                        PCRE2_NEVER_BACKSLASH_C,
                                    &code, &at, context);
    if (regex->code == NULL) {
        PCRE2_UCHAR text[256] = "unknown error";
        pcre2_get_error_message(code, text, sizeof(text));
        return error_new(ERROR_INVALID_ARGUMENT, "Invalid pattern: %.*s, error: %s at byte %zu",
                         (int)(pattern.size < 1000 ? pattern.size : 1000), data_of(pattern),
                         (const char *)text, (size_t)at);
    }
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->n_groups);
    *ret_regex = regex;
    return NULL;
}

uint32_t regex_groups(const Regex *regex)
{
    return regex->n_groups;
}

Error *regex_match_new(const Regex *regex, Arena *arena, RegexMatch **ret_match)
{
    pcre2_general_context *general = pcre2_general_context_create(alloc, forget, arena);
    RegexMatch *match = arena_calloc(arena, 1, sizeof(*match));
    if (general == NULL || match == NULL)
        return error_out_of_memory();
    match->regex = regex;
    match->data = pcre2_match_data_create_from_pattern(regex->code, general);
    match->context = pcre2_match_context_create(general);
    if (match->data == NULL || match->context == NULL)
        return error_out_of_memory();
    pcre2_set_match_limit(match->context, REGEX_MAX_STEPS);
    pcre2_set_heap_limit(match->context, MAX_HEAP_KIB);
    *ret_match = match;
    return NULL;
}

static Error *search(RegexMatch *match, Bytes text, size_t from, uint32_t options, bool *ret_found)
{
    int n = pcre2_match(match->regex->code, data_of(text), text.size, from, options, match->data,
                        match->context);
    if (n == PCRE2_ERROR_NOMEMORY)
        return error_out_of_memory();
    if (n < 0 && n != PCRE2_ERROR_NOMATCH)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "the regular expression takes too many steps on a string of %zu bytes; "
                         "patterns without nested repetitions do not",
                         text.size);
    *ret_found = n >= 0;
    return NULL;
}

Error *regex_search(RegexMatch *match, Bytes text, size_t from, bool *ret_found)
{
    return search(match, text, from, 0, ret_found);
}

Error *regex_matches_whole(RegexMatch *match, Bytes text, bool *ret)
{
    bool found = false;
    TRY(search(match, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, &found));
    /* Around bytes that are no UTF-8, PCRE2 takes what is between them for the whole. */
    size_t begin = 0, end = 0;
    *ret = found && regex_group(match, 0, &begin, &end) && begin == 0 && end == text.size;
    return NULL;
}

bool regex_group(const RegexMatch *match, uint32_t group, size_t *ret_begin, size_t *ret_end)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match->data);
    if (group > match->regex->n_groups || ends[2 * group] == PCRE2_UNSET ||
        ends[2 * group] > ends[2 * group + 1]) /* \K in a lookahead may end before it begins */
        return false;
    *ret_begin = ends[2 * group];
    *ret_end = ends[2 * group + 1];
    return true;
}
