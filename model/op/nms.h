/* SPDX-License-Identifier: Apache-2.0
 *
 * Nms: the choice among overlapping boxes that nms.c and nms_combined.c share.
 */
#ifndef DIGIT_OP_NMS_H
#define DIGIT_OP_NMS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Nms {
    int64_t n;
    const float *boxes;    /* [n], box_step apart: y, x, y, x of two corners */
    const float *overlaps; /* [n, n]: used instead of boxes where it is not NULL */
    const float *scores;   /* [n], score_step apart */
    int64_t box_step, score_step;
    float threshold;       /* boxes that overlap a chosen one by more are out */
    float score_threshold; /* and those whose score is not greater */
    float sigma;           /* over 0: overlapping lowers the score instead (soft) */
} Nms;

typedef struct NmsCandidate {
    float score;
    int64_t box;
    int64_t seen; /* boxes chosen when it was last compared */
} NmsCandidate;

/* Intersection over union of two boxes; 0 for one without area. */
float nms_overlap(const float *a, const float *b);

/* Chooses at most `most` boxes, best first, into `chosen`, and says how many. `heap` is memory for n
 * candidates, `chosen` for `most`. */
int64_t nms_choose(const Nms *nms, NmsCandidate *heap, NmsCandidate *chosen, int64_t most);

/* Makes heap[0..n) a heap, best on top; takes the best one off. */
void nms_heap(NmsCandidate *heap, int64_t n);
NmsCandidate nms_pop(NmsCandidate *heap, int64_t *n);

#endif
