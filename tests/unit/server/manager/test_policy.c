/* SPDX-License-Identifier: Apache-2.0
 *
 * Which versions should serve, and which step comes next. Versions are written as characters: see
 * state_of_letter. The expected steps are those of TensorFlow Serving's two policies.
 */
#include "server/manager/policy.h"

#include "model/base/cleanup.h"
#include "tests/support/check.h"

typedef struct AspireCase {
    const char *name;
    VersionPolicy policy;
    int64_t on_disk[6];
    size_t n;
    const char *expected; /* '1' where the version should serve */
} AspireCase;

static const int64_t three_and_nine[] = { 9, 3 };

static const AspireCase aspire_cases[] = {
    { "nothing on disk", { 0 }, { 0 }, 0, "" },
    { "default is the latest", { 0 }, { 1, 2, 7 }, 3, "001" },
    { "latest 0 counts as 1", { .choice = VERSIONS_LATEST, .n_latest = 0 }, { 1, 2 }, 2, "01" },
    { "latest 2", { .choice = VERSIONS_LATEST, .n_latest = 2 }, { 1, 2, 7 }, 3, "011" },
    { "latest 5 of 2", { .choice = VERSIONS_LATEST, .n_latest = 5 }, { 1, 2 }, 2, "11" },
    { "latest of all", { .n_latest = UINT32_MAX }, { 1, 2 }, 2, "11" },
    { "negative numbers are low", { 0 }, { -5, 0 }, 2, "01" },
    { "all", { .choice = VERSIONS_ALL }, { 1, 2, 3 }, 3, "111" },
    { "specific", { VERSIONS_SPECIFIC, 0, three_and_nine, 2 }, { 2, 3, 4, 9 }, 4, "0101" },
    { "specific, one missing", { VERSIONS_SPECIFIC, 0, three_and_nine, 2 }, { 3, 4 }, 2, "10" },
    { "specific, none listed", { VERSIONS_SPECIFIC, 0, NULL, 0 }, { 3, 4 }, 2, "00" },
};

static void test_aspire(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(aspire_cases); i++) {
        const AspireCase *c = &aspire_cases[i];
        bool aspired[6] = { false };
        char got[7] = "";
        policy_aspire(&c->policy, c->on_disk, c->n, aspired);
        for (size_t k = 0; k < c->n; k++)
            got[k] = aspired[k] ? '1' : '0';
        if (strcmp(got, c->expected) != 0)
            fail_msg("%s: got %s, expected %s", c->name, got, c->expected);
    }
}

/* Upper case: aspired. N new, L loading, R ready, U unloading, F failed. */
static SnapshotState state_of_letter(char letter)
{
    switch (letter | 0x20) {
    case 'n':
        return SNAPSHOT_NEW;
    case 'l':
        return SNAPSHOT_LOADING;
    case 'r':
        return SNAPSHOT_READY;
    case 'u':
        return SNAPSHOT_UNLOADING;
    default:
        return SNAPSHOT_FAILED;
    }
}

typedef struct NextCase {
    const char *versions; /* of versions 1, 2, 3...: a letter each */
    const char *keep;     /* with TRANSITION_KEEP_AVAILABLE: "", "load 2", "unload 1" */
    const char *save;     /* with TRANSITION_SAVE_RESOURCES */
} NextCase;

static const NextCase next_cases[] = {
    { "", "", "" },
    { "N", "load 1", "load 1" },
    { "L", "", "" },
    { "R", "", "" },
    { "F", "", "" },
    { "n", "", "" },
    { "NN", "load 2", "load 2" },
    { "NL", "", "" },
    { "NR", "load 1", "load 1" },
    { "NF", "load 1", "load 1" },
    /* a new version comes */
    { "rN", "load 2", "unload 1" },
    { "uN", "load 2", "" },
    { "rL", "", "unload 1" },
    { "rR", "unload 1", "unload 1" },
    { "uR", "", "" },
    /* it will not load */
    { "rF", "", "unload 1" },
    { "rFN", "load 3", "unload 1" },
    /* back to an older one */
    { "Nr", "load 1", "unload 2" },
    { "Rr", "unload 2", "unload 2" },
    /* nothing is wanted any more */
    { "r", "unload 1", "unload 1" },
    { "rr", "unload 1", "unload 1" },
    { "ur", "unload 2", "unload 2" },
    { "l", "", "" },
    { "lr", "unload 2", "unload 2" },
    { "f", "", "" },
    /* of several unwanted ones all but the last may go at once */
    { "rrN", "unload 1", "unload 1" },
    { "urN", "load 3", "unload 2" },
    { "rrL", "unload 1", "unload 1" },
    /* one load at a time */
    { "lN", "", "" },
    { "rLN", "", "unload 1" },
    { "rRN", "unload 1", "unload 1" },
};

static void check_next(const NextCase *c, TransitionRule rule, const char *expected)
{
    VersionSnapshot versions[8];
    size_t n = strlen(c->versions);
    for (size_t i = 0; i < n; i++)
        versions[i] = (VersionSnapshot){ .version = (int64_t)i + 1,
                                         .state = state_of_letter(c->versions[i]),
                                         .is_aspired = c->versions[i] < 'a' };
    Action action = policy_next(rule, versions, n);
    char got[32] = "";
    if (action.kind != ACTION_NONE)
        snprintf(got, sizeof(got), "%s %d", action.kind == ACTION_LOAD ? "load" : "unload",
                 (int)action.version);
    if (strcmp(got, expected) != 0)
        fail_msg("\"%s\", rule %d: got \"%s\", expected \"%s\"", c->versions, (int)rule, got,
                 expected);
}

static void test_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(next_cases); i++) {
        check_next(&next_cases[i], TRANSITION_KEEP_AVAILABLE, next_cases[i].keep);
        check_next(&next_cases[i], TRANSITION_SAVE_RESOURCES, next_cases[i].save);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aspire),
        cmocka_unit_test(test_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
