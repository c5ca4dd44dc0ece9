/* SPDX-License-Identifier: Apache-2.0
 *
 * A fixture for tests that want memory and nothing else: the state is an Arena.
 */
#ifndef DIGIT_TESTS_SUPPORT_ARENA_FIXTURE_H
#define DIGIT_TESTS_SUPPORT_ARENA_FIXTURE_H

#include "tests/support/check.h"

static inline int make_arena(void **state)
{
    *state = arena_new(4096, 64 << 20);
    return *state != NULL ? 0 : -1;
}

static inline int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

#endif
