/* SPDX-License-Identifier: Apache-2.0
 *
 * regex: whatever pattern and text are, matches lie inside of the text. The first byte is the
 * pattern's length.
 */
#include <stdlib.h>

#include "model/op/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Error *search_all(Arena *arena, Bytes pattern, Bytes text)
{
    const Regex *regex = NULL;
    RegexMatch *match = NULL;
    bool found = true;
    TRY(regex_new(arena, pattern, &regex));
    TRY(regex_match_new(regex, arena, &match));
    TRY(regex_matches_whole(match, text, &found));
    for (size_t from = 0; from <= text.size; from++) {
        size_t begin = 0, end = 0;
        TRY(regex_search(match, text, from, &found));
        for (uint32_t group = 0; found && group <= regex_groups(regex); group++) {
            if (regex_group(match, group, &begin, &end) && (begin > end || end > text.size))
                abort();
        }
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] >= size || size > 200)
        return 0;
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, (size_t)64 << 20);
    if (arena == NULL)
        return 0;
    size_t n = data[0];
    error_free(search_all(arena, (Bytes){ data + 1, n }, (Bytes){ data + 1 + n, size - 1 - n }));
    return 0;
}
