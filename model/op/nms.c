/* SPDX-License-Identifier: Apache-2.0
 *
 * NonMaxSuppression, V2 to V5, and NonMaxSuppressionWithOverlaps: of boxes that overlap too much,
 * only the one with the best score is chosen. V5 can lower scores instead (Bodla et al., "Soft-NMS",
 * 2017). Boxes are [n, 4]: two opposite corners, y and x of each.
 *
 * A heap of candidates, best on top; of equal scores the lower index first. A candidate is compared
 * with the boxes that were chosen since it was last looked at. half and bfloat16 run as float. Any
 * thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/nms.h"

/* ---- boxes --------------------------------------------------------------------------------- */

float nms_overlap(const float *a, const float *b)
{
    float corners[2][4]; /* low y, low x, high y, high x */
    const float *boxes[] = { a, b };
    for (int i = 0; i < 2; i++) {
        for (int d = 0; d < 2; d++) {
            corners[i][d] = fminf(boxes[i][d], boxes[i][d + 2]);
            corners[i][d + 2] = fmaxf(boxes[i][d], boxes[i][d + 2]);
        }
    }
    float area[2], joint = 1;
    for (int i = 0; i < 2; i++)
        area[i] = (corners[i][2] - corners[i][0]) * (corners[i][3] - corners[i][1]);
    if (area[0] <= 0 || area[1] <= 0)
        return 0;
    for (int d = 0; d < 2; d++)
        joint *= fmaxf(
            fminf(corners[0][d + 2], corners[1][d + 2]) - fmaxf(corners[0][d], corners[1][d]), 0);
    return joint / (area[0] + area[1] - joint);
}

static float overlap_of(const Nms *nms, int64_t a, int64_t b)
{
    if (nms->overlaps != NULL)
        return nms->overlaps[a * nms->n + b];
    return nms_overlap(nms->boxes + a * nms->box_step, nms->boxes + b * nms->box_step);
}

/* ---- heap ---------------------------------------------------------------------------------- */

static bool is_worse(const NmsCandidate *a, const NmsCandidate *b)
{
    return a->score < b->score || (a->score == b->score && a->box > b->box);
}

static void sift_down(NmsCandidate *heap, int64_t n, int64_t at)
{
    const NmsCandidate moving = heap[at];
    for (int64_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && is_worse(&heap[child], &heap[child + 1]))
            child++;
        if (!is_worse(&moving, &heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

NmsCandidate nms_pop(NmsCandidate *heap, int64_t *n)
{
    const NmsCandidate best = heap[0];
    heap[0] = heap[--*n];
    if (*n > 0)
        sift_down(heap, *n, 0);
    return best;
}

void nms_heap(NmsCandidate *heap, int64_t n)
{
    for (int64_t i = n / 2 - 1; i >= 0; i--)
        sift_down(heap, n, i);
}

static int64_t fill_heap(const Nms *nms, NmsCandidate *heap)
{
    int64_t n = 0;
    for (int64_t i = 0; i < nms->n; i++) {
        float score = nms->scores[i * nms->score_step];
        if (score > nms->score_threshold)
            heap[n++] = (NmsCandidate){ score, i, 0 };
    }
    nms_heap(heap, n);
    return n;
}

/* Lowers the candidate's score by what it overlaps the boxes chosen since it was last seen, latest
 * first. False: it overlaps one too much, and is out. */
static bool lower_score(const Nms *nms, NmsCandidate *candidate, const NmsCandidate *chosen,
                        int64_t n_chosen)
{
    for (int64_t k = n_chosen - 1; k >= candidate->seen; k--) {
        float overlap = overlap_of(nms, candidate->box, chosen[k].box);
        if (nms->sigma > 0)
            candidate->score *= expf(-0.5F / nms->sigma * overlap * overlap);
        else if (overlap > nms->threshold)
            return false;
        if (candidate->score <= nms->score_threshold)
            break;
    }
    candidate->seen = n_chosen;
    return true;
}

int64_t nms_choose(const Nms *nms, NmsCandidate *heap, NmsCandidate *chosen, int64_t most)
{
    int64_t n = fill_heap(nms, heap), n_chosen = 0;
    while (n > 0 && n_chosen < most) {
        NmsCandidate best = nms_pop(heap, &n);
        float score = best.score;
        if (!lower_score(nms, &best, chosen, n_chosen))
            continue;
        if (best.score == score) {
            chosen[n_chosen++] = best;
        } else if (best.score > nms->score_threshold) { /* back, with its lower score */
            int64_t at = n++;
            for (; at > 0 && is_worse(&heap[(at - 1) / 2], &best); at = (at - 1) / 2)
                heap[at] = heap[(at - 1) / 2];
            heap[at] = best;
        }
    }
    return n_chosen;
}

/* ---- ops ----------------------------------------------------------------------------------- */

typedef struct NmsKernel {
    int version; /* 1 to 5; 0 with overlaps */
    float threshold;
    bool pads;
} NmsKernel;

Error *nms_prepare(OpPrepare *prepare)
{
    NmsKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    const char *name = prepare->op->name;
    if (kernel == NULL)
        return error_out_of_memory();
    for (int i = 0; i < prepare->n_inputs; i++) {
        DType dtype = prepare->input_dtypes[i];
        if (i != 2 && dtype != DT_FLOAT && !dtype_is_short_float(dtype))
            return op_unsupported_type(prepare, dtype);
    }
    const char *last = name + strlen(name) - 1;
    kernel->version = strstr(name, "Overlaps") != NULL ? 0
                      : *last >= '2' && *last <= '5'   ? *last - '0'
                                                       : 1;
    TRY(attrs_bool_or(prepare->attrs, "pad_to_max_output_size", false, &kernel->pads));
    TRY(attrs_float_or(prepare->attrs, "iou_threshold", 0.5F, &kernel->threshold));
    if (kernel->version == 1 && !(kernel->threshold >= 0 && kernel->threshold <= 1))
        return error_new(ERROR_INVALID_ARGUMENT, "iou_threshold must be in [0, 1], not %g",
                         (double)kernel->threshold);
    prepare->kernel = kernel;
    return NULL;
}

static Error *read_scalar(OpContext *c, int input, const char *name, float *ret)
{
    const float *value = NULL;
    char text[SHAPE_TEXT_BYTES];
    if (op_input(c, input)->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must be 0-D, got shape %s", name,
                         shape_text(&op_input(c, input)->shape, text));
    TRY(shorts_as_floats(c, op_input(c, input), &value));
    *ret = *value;
    return NULL;
}

static Error *check_boxes(const OpContext *c, bool has_overlaps, int64_t *ret_most)
{
    const Shape *boxes = &op_input(c, 0)->shape, *scores = &op_input(c, 1)->shape;
    char text[SHAPE_TEXT_BYTES];
    if (op_input(c, 2)->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "max_output_size must be 0-D, got shape %s",
                         shape_text(&op_input(c, 2)->shape, text));
    *ret_most = tensor_index_at(op_input(c, 2), 0);
    if (*ret_most < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "output size must be non-negative");
    if (boxes->rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must be 2-D%s",
                         has_overlaps ? "overlaps" : "boxes", shape_text(boxes, text));
    if (boxes->dims[1] != (has_overlaps ? boxes->dims[0] : 4))
        return error_new(ERROR_INVALID_ARGUMENT,
                         has_overlaps ? "overlaps must be square" : "boxes must have 4 columns");
    if (scores->rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "scores must be 1-D%s", shape_text(scores, text));
    if (scores->dims[0] != boxes->dims[0])
        return error_new(ERROR_INVALID_ARGUMENT, "scores has incompatible shape");
    return NULL;
}

/* Thresholds and all else that the version's inputs say. */
static Error *read_nms(OpContext *c, Nms *nms)
{
    const NmsKernel *kernel = c->kernel;
    *nms = (Nms){ .threshold = kernel->threshold,
                  .score_threshold = -INFINITY,
                  .n = op_input(c, 1)->n,
                  .box_step = 4,
                  .score_step = 1 };
    if (c->n_inputs > 3)
        TRY(read_scalar(c, 3, "iou_threshold", &nms->threshold));
    if (kernel->version != 0 && !(nms->threshold >= 0 && nms->threshold <= 1))
        return error_new(ERROR_INVALID_ARGUMENT, "iou_threshold must be in [0, 1]");
    if (c->n_inputs > 4)
        TRY(read_scalar(c, 4, "score_threshold", &nms->score_threshold));
    if (c->n_inputs > 5)
        TRY(read_scalar(c, 5, "soft_nms_sigma", &nms->sigma));
    if (!(nms->sigma >= 0))
        return error_new(ERROR_INVALID_ARGUMENT, "soft_nms_sigma_val must be non-negative");
    TRY(shorts_as_floats(c, op_input(c, 0), kernel->version == 0 ? &nms->overlaps : &nms->boxes));
    return shorts_as_floats(c, op_input(c, 1), &nms->scores);
}

static Error *output_scores(OpContext *c, const NmsCandidate *chosen, int64_t n, int64_t n_out)
{
    Tensor *y = NULL;
    float *wide = op_scratch(c, (size_t)n_out * sizeof(*wide));
    DType dtype = op_input(c, 1)->dtype;
    if (wide == NULL)
        return error_out_of_memory();
    TRY(op_output(c, 1, dtype, &shape_of(n_out), &y));
    for (int64_t i = 0; i < n_out; i++)
        wide[i] = i < n ? chosen[i].score : 0;
    if (dtype == DT_FLOAT && n_out > 0)
        memcpy(y->data, wide, tensor_bytes(y));
    else
        shorts_narrow(dtype, n_out, wide, y->data);
    return NULL;
}

Error *nms_run(OpContext *c)
{
    const NmsKernel *kernel = c->kernel;
    int64_t most = 0;
    Nms nms;
    TRY(check_boxes(c, kernel->version == 0, &most));
    TRY(read_nms(c, &nms));
    NmsCandidate *heap = op_scratch(c, (size_t)nms.n * 2 * sizeof(*heap));
    if (heap == NULL)
        return error_out_of_memory();
    NmsCandidate *chosen = heap + nms.n;
    int64_t n = nms_choose(&nms, heap, chosen, most < nms.n ? most : nms.n);
    int64_t n_out = kernel->pads ? most : n;
    Tensor *y = NULL, *count = NULL;
    TRY(op_output(c, 0, DT_INT32, &shape_of(n_out), &y));
    for (int64_t i = 0; i < n_out; i++)
        ((int32_t *)y->data)[i] = i < n ? (int32_t)chosen[i].box : 0;
    if (kernel->version == 5)
        TRY(output_scores(c, chosen, n, n_out));
    if (c->n_outputs > 1) {
        TRY(op_output(c, c->n_outputs - 1, DT_INT32, &shape_of(), &count));
        *(int32_t *)count->data = (int32_t)n;
    }
    return NULL;
}
