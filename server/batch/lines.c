/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines: a list of lists. Looking for a task's line compares it with the first task of each, of
 * which there are few: one for each model and signature that is asked for just now.
 *
 * What is in one batch may differ only where padding evens it out, so no task can spoil the shapes
 * of another's. A batch takes the head of its line and stops at the first task that does not fit: by
 * rows, by the memory of the padded inputs, or because a task that is split must not be padded,
 * which would make the shapes of its parts' outputs differ.
 */
#include "server/batch/lines.h"

#include <assert.h>
#include <stdlib.h>

#include "server/batch/assembly.h"

#define FIRST_PARTS 64
#define FIRST_SHAPES 8

struct BatchLine {
    BatchLine *previous, *next; /* or the next unused one */
    BatchTask *first, *last;
    int64_t n_rows;                /* that are not in batches yet */
    uint64_t earliest_deadline_ns; /* not after any task's; UINT64_MAX: none */
};

static uint64_t deadline_of(const BatchTask *task)
{
    return task->deadline_ns != 0 ? task->deadline_ns : UINT64_MAX;
}

/* ---- the list of lines --------------------------------------------------------------------- */

static void append(BatchLines *lines, BatchLine *line)
{
    line->previous = lines->last;
    line->next = NULL;
    *(lines->last != NULL ? &lines->last->next : &lines->first) = line;
    lines->last = line;
}

static void unlink_line(BatchLines *lines, BatchLine *line)
{
    *(line->previous != NULL ? &line->previous->next : &lines->first) = line->next;
    *(line->next != NULL ? &line->next->previous : &lines->last) = line->previous;
}

/* The line that the task belongs in, a new one if need be; NULL when memory is out. */
static BatchLine *find_line(BatchLines *lines, const BatchTask *task)
{
    for (BatchLine *line = lines->first; line != NULL; line = line->next)
        if (assembly_joins(line->first, task))
            return line;
    BatchLine *line = lines->unused;
    if (line != NULL)
        lines->unused = line->next;
    else
        line = malloc(sizeof(*line));
    if (line == NULL)
        return NULL;
    *line = (BatchLine){ .earliest_deadline_ns = UINT64_MAX };
    append(lines, line);
    return line;
}

static void drop_if_empty(BatchLines *lines, BatchLine *line)
{
    if (line->first != NULL)
        return;
    unlink_line(lines, line);
    line->next = lines->unused;
    lines->unused = line;
}

/* ---- tasks --------------------------------------------------------------------------------- */

static void unlink_task(BatchLines *lines, BatchTask *task)
{
    BatchLine *line = task->line;
    *(task->previous != NULL ? &task->previous->next : &line->first) = task->next;
    *(task->next != NULL ? &task->next->previous : &line->last) = task->previous;
    line->n_rows -= task->n_rows - task->n_taken;
    lines->n_bytes -= task->n_bytes;
    task->line = NULL;
}

static bool is_full(const BatchLines *lines, const BatchLine *line, const BatchTask *task)
{
    const BatchParams *params = task->params;
    if (line->n_rows + task->n_rows > params->max_queued_batches * params->max_task_rows)
        return true;
    return lines->n_bytes > 0 &&
           (lines->n_bytes > lines->max_bytes || task->n_bytes > lines->max_bytes - lines->n_bytes);
}

static bool is_ready(const BatchLines *lines, const BatchLine *line, uint64_t now_ns)
{
    return lines->is_draining || line->n_rows >= line->first->params->max_rows ||
           line->first->due_ns <= now_ns;
}

Error *lines_push(BatchLines *lines, BatchTask *task, bool *ret_is_news)
{
    BatchLine *line = find_line(lines, task);
    if (line == NULL)
        return error_out_of_memory();
    if (is_full(lines, line, task)) {
        drop_if_empty(lines, line);
        return error_new(ERROR_UNAVAILABLE,
                         "The batch scheduling queue to which this task was submitted is full");
    }
    task->line = line;
    task->n_taken = 0;
    task->n_running = 0;
    task->error = NULL;
    task->outputs = NULL;
    task->n_outputs = 0;
    atomic_init(&task->is_unwanted, false);
    task->previous = line->last;
    task->next = NULL;
    *(line->last != NULL ? &line->last->next : &line->first) = task;
    line->last = task;
    line->n_rows += task->n_rows;
    lines->n_bytes += task->n_bytes;
    *ret_is_news = line->first == task || line->n_rows >= task->params->max_rows ||
                   task->params->timeout_ns == 0 || deadline_of(task) < line->earliest_deadline_ns;
    if (deadline_of(task) < line->earliest_deadline_ns)
        line->earliest_deadline_ns = deadline_of(task);
    return NULL;
}

void lines_remove(BatchLines *lines, BatchTask *task)
{
    BatchLine *line = task->line;
    unlink_task(lines, task);
    drop_if_empty(lines, line);
}

static BatchTask *expire(BatchLines *lines, BatchLine *line, uint64_t now_ns)
{
    uint64_t earliest = UINT64_MAX;
    for (BatchTask *task = line->first; task != NULL; task = task->next) {
        if (deadline_of(task) <= now_ns) {
            lines_remove(lines, task);
            return task;
        }
        if (deadline_of(task) < earliest)
            earliest = deadline_of(task);
    }
    line->earliest_deadline_ns = earliest;
    return NULL;
}

BatchTask *lines_expire(BatchLines *lines, uint64_t now_ns)
{
    for (BatchLine *line = lines->first; line != NULL; line = line->next) {
        if (line->earliest_deadline_ns > now_ns)
            continue;
        BatchTask *task = expire(lines, line, now_ns);
        if (task != NULL)
            return task;
    }
    return NULL;
}

BatchLine *lines_ready(BatchLines *lines, uint64_t now_ns, uint64_t *ret_wake_ns)
{
    *ret_wake_ns = UINT64_MAX;
    for (BatchLine *line = lines->first; line != NULL; line = line->next) {
        if (is_ready(lines, line, now_ns))
            return line;
        if (line->first->due_ns < *ret_wake_ns)
            *ret_wake_ns = line->first->due_ns;
        if (line->earliest_deadline_ns < *ret_wake_ns)
            *ret_wake_ns = line->earliest_deadline_ns;
    }
    return NULL;
}

/* ---- batches ------------------------------------------------------------------------------- */

/* Makes room for one more part. False when memory is out. */
static bool reserve_part(Batch *batch)
{
    if (batch->n_parts < batch->capacity)
        return true;
    BatchPart *parts = realloc(batch->parts, 2 * batch->capacity * sizeof(*parts));
    if (parts == NULL)
        return false;
    batch->parts = parts;
    batch->capacity *= 2;
    return true;
}

/* Makes room for the shapes of n inputs. False when memory is out: nothing is joined then. */
static bool reserve_shapes(Batch *batch, size_t n)
{
    if (n <= batch->n_shapes)
        return true;
    Shape *shapes = realloc(batch->shapes, 2 * n * sizeof(*shapes));
    if (shapes == NULL)
        return false;
    batch->shapes = shapes;
    batch->n_shapes = n;
    return true;
}

/* Whether `n_rows` of a task may follow what is in the batch, whose shapes are grown then. */
static bool may_follow(const BatchLines *lines, Batch *batch, const BatchTask *task, int64_t n_rows)
{
    const BatchTask *first = batch->parts[0].task;
    bool fits = assembly_fits(first, task);
    if ((!fits || batch->is_padded) && (batch->has_a_part || n_rows < task->n_rows))
        return false;
    Shape *grown = batch->shapes + task->n_inputs;
    memcpy(grown, batch->shapes, task->n_inputs * sizeof(*grown));
    assembly_grow(task, grown);
    int64_t rows = batch_params_round_up(task->params, batch->n_rows + n_rows);
    if (assembly_bytes(task, grown, rows) > lines->max_bytes)
        return false;
    memcpy(batch->shapes, grown, task->n_inputs * sizeof(*grown));
    batch->is_padded |= !fits;
    return true;
}

/* How many rows of the task the batch takes; false: none, the batch is complete. */
static bool choose_rows(const BatchLines *lines, Batch *batch, const BatchTask *task,
                        int64_t *ret_n_rows)
{
    const BatchParams *params = task->params;
    int64_t room = params->max_rows - batch->n_rows, left = task->n_rows - task->n_taken;
    if (batch->n_parts == (size_t)params->max_rows || (room == 0 && left > 0))
        return false;
    if (left > room && task->n_rows <= params->max_rows)
        return false;
    *ret_n_rows = left < room ? left : room;
    if (batch->n_parts == 0) {
        bool has_shapes = reserve_shapes(batch, task->n_inputs);
        if (has_shapes) {
            memset(batch->shapes, 0, task->n_inputs * sizeof(Shape));
            assembly_grow(task, batch->shapes);
        }
        return true;
    }
    return batch->n_shapes >= task->n_inputs && reserve_part(batch) &&
           may_follow(lines, batch, task, *ret_n_rows);
}

void lines_take(BatchLines *lines, BatchLine *line, Batch *batch)
{
    int64_t n_rows;
    batch->n_parts = 0;
    batch->n_rows = 0;
    batch->is_padded = false;
    batch->has_a_part = false;
    while (line->first != NULL && choose_rows(lines, batch, line->first, &n_rows)) {
        BatchTask *task = line->first;
        batch->parts[batch->n_parts++] = (BatchPart){ task, task->n_taken, n_rows };
        batch->n_rows += n_rows;
        batch->has_a_part |= n_rows < task->n_rows;
        if (task->n_taken + n_rows == task->n_rows)
            unlink_task(lines, task);
        if (task->line != NULL)
            line->n_rows -= n_rows;
        task->n_taken += n_rows;
        task->n_running++;
    }
    assert(batch->n_parts > 0);
    unlink_line(lines, line);
    append(lines, line);
    drop_if_empty(lines, line);
}

Error *batch_init(Batch *batch)
{
    *batch = (Batch){ .parts = malloc(FIRST_PARTS * sizeof(BatchPart)),
                      .capacity = FIRST_PARTS,
                      .shapes = malloc(2 * FIRST_SHAPES * sizeof(Shape)),
                      .n_shapes = FIRST_SHAPES };
    return batch->parts != NULL && batch->shapes != NULL ? NULL : error_out_of_memory();
}

void batch_done(Batch *batch)
{
    free(batch->parts);
    free(batch->shapes);
}

void lines_done(BatchLines *lines)
{
    assert(lines->first == NULL);
    while (lines->unused != NULL) {
        BatchLine *line = lines->unused;
        lines->unused = line->next;
        free(line);
    }
}
