/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule of each label, taken anew whenever versions come or go:
 *
 *     wanted AVAILABLE               -> wanted
 *     else what it stood for is      -> that
 *     else                           -> wanted, which requests then do not find
 */
#include "server/manager/label.h"

#include <string.h>

static const Label *find(const LabelSet *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->labels[i].name, name) == 0)
            return &set->labels[i];
    return NULL;
}

Error *label_set_make(Arena *arena, const ModelConfig *config, const LabelSet *before,
                      LabelSet *ret_set)
{
    LabelSet set = { .labels = arena_calloc(arena, config->n_labels, sizeof(Label)) };
    if (set.labels == NULL)
        return error_out_of_memory();
    for (; set.n < config->n_labels; set.n++) {
        const VersionLabel *label = &config->labels[set.n];
        const Label *old = find(before, label->name);
        set.labels[set.n] =
            (Label){ label->name, label->version, old != NULL ? old->number : label->version };
    }
    *ret_set = set;
    return NULL;
}

static bool is_available(const VersionSet *versions, int64_t number)
{
    const Version *version = version_set_find(versions, number);
    return version != NULL && version->state == VERSION_AVAILABLE;
}

void label_set_settle(LabelSet *set, const VersionSet *versions)
{
    for (size_t i = 0; i < set->n; i++) {
        Label *label = &set->labels[i];
        if (is_available(versions, label->wanted) || !is_available(versions, label->number))
            label->number = label->wanted;
    }
}
