/* SPDX-License-Identifier: Apache-2.0
 *
 * Control: If and Case run one of their plans, While a condition and a body in turns. Each inner
 * plan has a frame in the frame of the plan around it, and its slab is working memory of the step,
 * so that memory is shared as everywhere else, and a warm thread runs loops without malloc.
 *
 *     If, Case   inputs -> feeds of one frame;  its outputs -> copied to the step's outputs
 *     While      inputs -> carries -> feeds of cond and body;  body's outputs -> carries ...;
 *                carries -> copied to the step's outputs
 *
 * What a loop does not change is never copied. Strings and lists are copied as references: what
 * they refer to is in the run's arena.
 */
#include "model/plan/control.h"

#include <string.h>

/* Gives the frame a slab in the step's working memory, which is `bytes` large. */
static Error *get_slab(OpContext *context, size_t bytes, uint8_t **ret_slab)
{
    *ret_slab = NULL;
    if (bytes == 0)
        return NULL;
    *ret_slab = op_scratch(context, bytes);
    if (*ret_slab == NULL)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "no memory for a slab of %zu bytes", bytes);
    return NULL;
}

static Error *copy_output(OpContext *context, int i, const Tensor *from)
{
    Tensor *to = NULL;
    TRY(op_output(context, i, from->dtype, &from->shape, &to));
    if (from->n > 0)
        memcpy(to->data, from->data, tensor_bytes(from));
    return NULL;
}

/* ---- If, Case ------------------------------------------------------------------------------ */

static Error *choose(const StepControl *control, const Tensor *predicate, int *ret_branch)
{
    bool truth = false;
    if (control->kind == CONTROL_CASE)
        return control_case(predicate, control->n_plans, ret_branch);
    TRY(control_truth(predicate, &truth));
    *ret_branch = truth ? 0 : 1;
    return NULL;
}

static Error *run_branch(Run *run, OpContext *context)
{
    const StepControl *control = run->step->control;
    Frame *frame = NULL;
    int branch = 0;
    TRY(choose(control, op_input(context, 0), &branch));
    TRY(frame_inner(run->frame, control->first_frame + branch, control->plans[branch], &frame));
    TRY(frame_settle(frame));
    TRY(get_slab(context, frame->slab_bytes, &frame->slab));
    for (int i = 1; i < context->n_inputs; i++)
        frame->values[i - 1] = *op_input(context, i);
    TRY(run_inner(run, frame));
    for (int i = 0; i < context->n_outputs; i++)
        TRY(copy_output(context, i, run_inner_output(frame, (size_t)i)));
    run_inner_end(run, frame);
    return NULL;
}

/* ---- While --------------------------------------------------------------------------------- */

typedef struct WhileRun {
    Run *run;
    const StepControl *control;
    Frame *cond, *body;
    Loop *loop;
    uint64_t deadline_ns;
} WhileRun;

/* Condition and body take turns in one slab. */
static Error *while_begin(WhileRun *w, OpContext *context)
{
    Frame *frame = w->run->frame;
    int32_t first = w->control->first_frame;
    uint8_t *slab = NULL;
    TRY(frame_inner(frame, first + WHILE_COND, w->control->plans[WHILE_COND], &w->cond));
    TRY(frame_inner(frame, first + WHILE_BODY, w->control->plans[WHILE_BODY], &w->body));
    TRY(frame_loop(frame, w->control->loop, (size_t)context->n_inputs, &w->loop));
    TRY(frame_settle(w->cond));
    TRY(frame_settle(w->body));
    size_t bytes =
        w->cond->slab_bytes > w->body->slab_bytes ? w->cond->slab_bytes : w->body->slab_bytes;
    TRY(get_slab(context, bytes, &slab));
    w->cond->slab = slab;
    w->body->slab = slab;
    for (size_t i = 0; i < w->loop->n; i++)
        w->loop->carries[i].value = *op_input(context, (int)i);
    uint64_t deadline_ns = w->run->limit->deadline_ns;
    w->deadline_ns = deadline_ns != 0 ? deadline_ns : run_now_ns() + LOOP_MAX_NS;
    return NULL;
}

static void set_feeds(const WhileRun *w, Frame *frame)
{
    for (size_t i = 0; i < w->loop->n; i++)
        frame->values[i] = w->loop->carries[i].value;
}

static Error *run_cond(const WhileRun *w, bool *ret_truth)
{
    uint64_t now_ns = run_now_ns();
    if (now_ns >= w->deadline_ns)
        return error_new(ERROR_DEADLINE_EXCEEDED,
                         "Timed out waiting for notification: the loop had not ended when the "
                         "%s passed",
                         w->run->limit->deadline_ns != 0 ? "deadline" : "longest time for a loop");
    TRY(run_check_cancel(w->run->limit, now_ns));
    set_feeds(w, w->cond);
    TRY(run_inner(w->run, w->cond));
    TRY(control_truth(run_inner_output(w->cond, 0), ret_truth));
    run_inner_end(w->run, w->cond);
    return NULL;
}

/* Stores what the body gave as value i into the buffer that the body did not read. */
static Error *carry(const WhileRun *w, size_t i, int buffer)
{
    Carry *c = &w->loop->carries[i];
    Keep *keep = &c->buffers[buffer];
    Tensor value = *run_inner_output(w->body, i);
    size_t bytes = tensor_bytes(&value);
    if (bytes > keep->bytes)
        TRY(keep_grow(w->run->scratch, keep, bytes));
    if (bytes > 0)
        memcpy(keep->data, value.data, bytes);
    value.data = keep->data;
    c->value = value;
    return NULL;
}

static Error *run_body(const WhileRun *w, int buffer)
{
    set_feeds(w, w->body);
    TRY(run_inner(w->run, w->body));
    for (size_t i = 0; i < w->loop->n; i++)
        if (!w->control->is_invariant[i])
            TRY(carry(w, i, buffer));
    run_inner_end(w->run, w->body);
    return NULL;
}

static Error *run_while(Run *run, OpContext *context)
{
    WhileRun w = { .run = run, .control = run->step->control };
    bool goes_on = false;
    TRY(while_begin(&w, context));
    TRY(run_cond(&w, &goes_on));
    for (int buffer = 0; goes_on; buffer = !buffer) {
        TRY(run_body(&w, buffer));
        TRY(run_cond(&w, &goes_on));
    }
    for (int i = 0; i < context->n_outputs; i++) {
        if (w.control->is_invariant[i]) /* its users take the input itself: nothing reads this */
            TRY(op_output_alias(context, i, i, &op_input(context, i)->shape));
        else
            TRY(copy_output(context, i, &w.loop->carries[i].value));
    }
    return NULL;
}

Error *control_run(Run *run, OpContext *context)
{
    return run->step->control->kind == CONTROL_WHILE ? run_while(run, context)
                                                     : run_branch(run, context);
}
