/* SPDX-License-Identifier: Apache-2.0
 *
 * CombinedNonMaxSuppression: for each image of a batch, the boxes of each class that do not overlap
 * too much, and of those of all classes the best. Boxes are [batch, n, classes or 1, 4], scores
 * [batch, n, classes]. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/kernels.h"
#include "model/op/nms.h"

typedef struct CombinedKernel {
    bool pads_per_class, clips;
} CombinedKernel;

/* Sizes and inputs of a run. */
typedef struct Combined {
    const CombinedKernel *kernel;
    int64_t batch, n, box_classes, classes;
    int64_t per_class; /* the most boxes of one class */
    int64_t total;     /* boxes of an image in the outputs */
    float threshold, score_threshold;
    NmsCandidate *heap, *chosen; /* [n], [per_class] */
    NmsCandidate *all;           /* [classes * per_class]; their box is class * n + box */
} Combined;

Error *combined_nms_prepare(OpPrepare *prepare)
{
    CombinedKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "pad_per_class", false, &kernel->pads_per_class));
    TRY(attrs_bool_or(prepare->attrs, "clip_boxes", true, &kernel->clips));
    prepare->kernel = kernel;
    return NULL;
}

static Error *check_shapes(const Shape *boxes, const Shape *scores)
{
    char text[SHAPE_TEXT_BYTES];
    if (boxes->rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "boxes must be 4-D%s", shape_text(boxes, text));
    if (scores->rank != 3)
        return error_new(ERROR_INVALID_ARGUMENT, "scores must be 3-D%s", shape_text(scores, text));
    if (boxes->dims[0] != scores->dims[0] || boxes->dims[1] != scores->dims[1])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "boxes and scores must have the same batch size and number of boxes");
    if (boxes->dims[2] != 1 && boxes->dims[2] != scores->dims[2])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "third dimension of boxes must be either 1 or num classes");
    if (boxes->dims[3] != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "boxes must have 4 columns");
    return NULL;
}

static Error *read_scalars(const OpContext *c, Combined *r)
{
    static const char *const names[] = { "max_size_per_class", "max_total_size", "iou_threshold",
                                         "score_threshold" };
    char text[SHAPE_TEXT_BYTES];
    for (int i = 0; i < 4; i++) {
        if (op_input(c, 2 + i)->shape.rank != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be 0-D, got shape %s", names[i],
                             shape_text(&op_input(c, 2 + i)->shape, text));
    }
    r->per_class = tensor_index_at(op_input(c, 2), 0);
    r->total = tensor_index_at(op_input(c, 3), 0);
    r->threshold = *(const float *)op_input(c, 4)->data;
    r->score_threshold = *(const float *)op_input(c, 5)->data;
    if (r->per_class <= 0)
        return error_new(ERROR_INVALID_ARGUMENT, "max_size_per_class must be positive");
    if (r->total <= 0)
        return error_new(ERROR_INVALID_ARGUMENT, "max_total_size must be > 0");
    if (!(r->threshold >= 0 && r->threshold <= 1))
        return error_new(ERROR_INVALID_ARGUMENT, "iou_threshold must be in [0, 1]");
    return NULL;
}

static Error *init_combined(OpContext *c, Combined *r)
{
    const Shape *boxes = &op_input(c, 0)->shape, *scores = &op_input(c, 1)->shape;
    TRY(check_shapes(boxes, scores));
    *r = (Combined){ .kernel = c->kernel,
                     .batch = boxes->dims[0],
                     .n = boxes->dims[1],
                     .box_classes = boxes->dims[2],
                     .classes = scores->dims[2] };
    TRY(read_scalars(c, r));
    /* Both factors are int32. */
    if (r->kernel->pads_per_class && r->per_class * r->classes < r->total)
        r->total = r->per_class * r->classes;
    if (r->per_class > r->n)
        r->per_class = r->n;
    size_t n =
        (size_t)(r->n + r->per_class + r->classes * r->per_class); /* <= 3 times the scores */
    r->heap = op_scratch(c, n * sizeof(*r->heap));
    if (r->heap == NULL)
        return error_out_of_memory();
    r->chosen = r->heap + r->n;
    r->all = r->chosen + r->per_class;
    return NULL;
}

static float clipped(float v)
{
    return fmaxf(fminf(v, 1), 0);
}

/* The boxes of one image into row `image` of the outputs, the rest of which is zeros. */
static int32_t choose_image(OpContext *c, const Combined *r, int64_t image)
{
    const float *boxes = (const float *)op_input(c, 0)->data + image * r->n * r->box_classes * 4;
    const float *scores = (const float *)op_input(c, 1)->data + image * r->n * r->classes;
    int64_t n_all = 0, n = 0;
    for (int64_t k = 0; k < r->classes; k++) {
        const Nms nms = { .n = r->n,
                          .boxes = boxes + (r->box_classes > 1 ? k * 4 : 0),
                          .scores = scores + k,
                          .box_step = r->box_classes * 4,
                          .score_step = r->classes,
                          .threshold = r->threshold,
                          .score_threshold = r->score_threshold };
        int64_t n_chosen = nms_choose(&nms, r->heap, r->chosen, r->per_class);
        for (int64_t i = 0; i < n_chosen; i++)
            r->all[n_all++] = (NmsCandidate){ r->chosen[i].score, k * r->n + r->chosen[i].box, 0 };
    }
    nms_heap(r->all, n_all);
    for (; n < r->total && n_all > 0; n++) {
        NmsCandidate best = nms_pop(r->all, &n_all);
        int64_t k = best.box / r->n, at = image * r->total + n;
        const float *box =
            boxes + (best.box % r->n * r->box_classes + (r->box_classes > 1 ? k : 0)) * 4;
        for (int d = 0; d < 4; d++)
            ((float *)c->outputs[0].data)[at * 4 + d] = r->kernel->clips ? clipped(box[d]) : box[d];
        ((float *)c->outputs[1].data)[at] = best.score;
        ((float *)c->outputs[2].data)[at] = (float)k;
    }
    return (int32_t)n;
}

Error *combined_nms_run(OpContext *c)
{
    Combined r;
    Tensor *y = NULL;
    TRY(init_combined(c, &r));
    const Shape shapes[] = { shape_of(r.batch, r.total, 4), shape_of(r.batch, r.total),
                             shape_of(r.batch, r.total) };
    for (int i = 0; i < 3; i++) {
        TRY(op_output(c, i, DT_FLOAT, &shapes[i], &y));
        if (y->n > 0)
            memset(y->data, 0, tensor_bytes(y));
    }
    TRY(op_output(c, 3, DT_INT32, &shape_of(r.batch), &y));
    for (int64_t image = 0; image < r.batch; image++)
        ((int32_t *)y->data)[image] = r.n > 0 ? choose_image(c, &r, image) : 0;
    return NULL;
}
