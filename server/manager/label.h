/* SPDX-License-Identifier: Apache-2.0
 *
 * LabelSet: which version each label of a model stands for at the moment. A label whose new version
 * is not up yet stays with the old one, so that moving a label fails no call.
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_LABEL_H
#define DIGIT_SERVER_MANAGER_LABEL_H

#include "server/manager/model_config.h"
#include "server/manager/version_set.h"

typedef struct Label {
    const char *name; /* borrowed from the configuration */
    int64_t wanted;   /* the version it was assigned to */
    int64_t number;   /* the version it stands for */
} Label;

typedef struct LabelSet {
    Label *labels; /* [n] in the arena of the configuration */
    size_t n;
} LabelSet;

/* The labels of `config`; each stands for what the one of the same name in `before` stood for, a new
 * one for its version. */
Error *label_set_make(Arena *arena, const ModelConfig *config, const LabelSet *before,
                      LabelSet *ret_set) _warn_unused_result_;

/* Moves the labels whose versions are AVAILABLE now, or that stand for nothing that is. */
void label_set_settle(LabelSet *set, const VersionSet *versions);

#endif
