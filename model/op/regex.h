/* SPDX-License-Identifier: Apache-2.0
 *
 * Regex: the door to PCRE2, set up to be what TensorFlow's RE2 is: UTF-8, where bytes that are none
 * match nothing; '$' only at the very end; \d, \w and the like of ASCII.
 *
 * Known differences: \s takes a vertical tab too; beside a byte that is no UTF-8 there is no empty
 * match. RE2 has no back references and no looking around; PCRE2 takes patterns that have them, where
 * TensorFlow refuses the bundle. RE2 takes time linear in the text whatever the pattern; a match here
 * that takes more than REGEX_MAX_STEPS is RESOURCE_EXHAUSTED instead.
 *
 * All memory comes from the arenas that the caller gives: nothing is freed one by one.
 */
#ifndef DIGIT_OP_REGEX_H
#define DIGIT_OP_REGEX_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

#define REGEX_MAX_STEPS 1000000            /* of one search; some 20 ms */
#define REGEX_MAX_PATTERN_BYTES (64 << 10) /* and its form is limited to 64 KiB by PCRE2 */

typedef struct Regex Regex;
typedef struct RegexMatch RegexMatch;

/* INVALID_ARGUMENT, in TensorFlow's words, for a pattern that is none. Immutable. */
Error *regex_new(Arena *arena, Bytes pattern, const Regex **ret_regex) _warn_unused_result_;

/* The number of groups in parentheses. */
uint32_t regex_groups(const Regex *regex);

/* Room for the results of searches, for one thread. */
Error *regex_match_new(const Regex *regex, Arena *arena,
                       RegexMatch **ret_match) _warn_unused_result_;

/* The first match in text[from..). *ret_found is false when there is none. */
Error *regex_search(RegexMatch *match, Bytes text, size_t from,
                    bool *ret_found) _warn_unused_result_;

/* Whether the pattern matches all of `text`. */
Error *regex_matches_whole(RegexMatch *match, Bytes text, bool *ret) _warn_unused_result_;

/* After a match: where group `group` (0: all of it) begins and ends; false when it took no part. */
bool regex_group(const RegexMatch *match, uint32_t group, size_t *ret_begin, size_t *ret_end);

#endif
