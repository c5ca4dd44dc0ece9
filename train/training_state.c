/* SPDX-License-Identifier: Apache-2.0
 *
 * The training state through model/bundle's checkpoint reader and writer. The `checkpoint` text
 * file is CheckpointState of tensorflow/python/training/checkpoint_state.proto in text form; it is
 * replaced last, so a run that dies while it writes leaves the older checkpoint in force.
 */
#include "train/training_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/file.h"
#include "model/bundle/checkpoint_read.h"
#include "model/bundle/checkpoint_write.h"
#include "train/floats.h"

#define PREFIX "model.ckpt-"
#define PATH_FIELD "model_checkpoint_path: \""
#define STATE_MAX_BYTES 65536 /* of the text file, which has two lines */
#define SLOT_M "/Adam"
#define SLOT_V "/Adam_1"

Error *training_state_init(TrainingState *state, Parameters *parameters, Arena *arena)
{
    float *m = floats_new(arena, parameters->n_trainable, 1);
    float *v = floats_new(arena, parameters->n_trainable, 1);
    if (m == NULL || v == NULL)
        return error_out_of_memory();
    *state = (TrainingState){ .parameters = parameters, .m = m, .v = v };
    return NULL;
}

/* ---- writing ------------------------------------------------------------------------------- */

static Error *write_floats(CheckpointWriter *writer, const Parameter *item, const char *slot,
                           const float *data)
{
    char key[PARAMETER_NAME_BYTES + sizeof(SLOT_V)];
    snprintf(key, sizeof(key), "%s%s", item->name, slot);
    Tensor tensor = tensor_view(DT_FLOAT, &item->shape, data);
    return checkpoint_write(writer, key, &tensor);
}

static Error *write_tensors(const TrainingState *state, const char *prefix)
{
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    TRY(checkpoint_writer_new(prefix, &writer));
    for (size_t i = 0; i < state->parameters->n; i++) {
        const Parameter *item = &state->parameters->items[i];
        TRY(write_floats(writer, item, "", item->value));
        if (!item->trainable)
            continue;
        TRY(write_floats(writer, item, SLOT_M, state->m + item->offset));
        TRY(write_floats(writer, item, SLOT_V, state->v + item->offset));
    }
    int64_t step = state->step;
    Shape scalar = shape_of();
    Tensor global_step = tensor_view(DT_INT64, &scalar, &step);
    TRY(checkpoint_write(writer, "global_step", &global_step));
    return checkpoint_writer_finish(writer);
}

/* The name of the newest checkpoint, "model.ckpt-468"; NULL when there is none. */
static Error *newest(Arena *arena, const char *model_dir, const char **ret_name)
{
    char *path = file_join(arena, model_dir, "checkpoint");
    if (path == NULL)
        return error_out_of_memory();
    if (!file_exists(path)) {
        *ret_name = NULL;
        return NULL;
    }
    uint8_t *data;
    size_t size;
    TRY(file_read(arena, path, STATE_MAX_BYTES, &data, &size));
    const char *begin = strstr((const char *)data, PATH_FIELD);
    const char *end = begin == NULL ? NULL : strchr(begin + strlen(PATH_FIELD), '"');
    if (end == NULL)
        return error_new(ERROR_DATA_LOSS, "%s: there is no line model_checkpoint_path: \"NAME\"",
                         path);
    begin += strlen(PATH_FIELD);
    char *name = arena_strndup(arena, begin, (size_t)(end - begin));
    if (name == NULL)
        return error_out_of_memory();
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strchr(name, '/') != NULL)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s: the newest checkpoint is \"%s\"; it should be \"" PREFIX
                         "STEP\" beside this file",
                         path, name);
    *ret_name = name;
    return NULL;
}

static Error *remove_checkpoint(Arena *arena, const char *model_dir, const char *name)
{
    const char *index = arena_printf(arena, "%s/%s.index", model_dir, name);
    const char *data = arena_printf(arena, "%s/%s.data-00000-of-00001", model_dir, name);
    if (index == NULL || data == NULL)
        return error_out_of_memory();
    TRY(file_remove_tree(index));
    return file_remove_tree(data);
}

Error *training_state_save(const TrainingState *state, const char *model_dir)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    if (arena == NULL)
        return error_out_of_memory();
    TRY(file_make_directories(model_dir));
    const char *old;
    TRY(newest(arena, model_dir, &old));
    const char *name = arena_printf(arena, PREFIX "%ld", state->step);
    if (name == NULL)
        return error_out_of_memory();
    const char *prefix = file_join(arena, model_dir, name);
    const char *list = file_join(arena, model_dir, "checkpoint");
    const char *text = arena_printf(arena,
                                    "model_checkpoint_path: \"%s\"\n"
                                    "all_model_checkpoint_paths: \"%s\"\n",
                                    name, name);
    if (prefix == NULL || list == NULL || text == NULL)
        return error_out_of_memory();
    TRY(write_tensors(state, prefix));
    TRY(file_write(list, text, strlen(text)));
    return old != NULL && strcmp(old, name) != 0 ? remove_checkpoint(arena, model_dir, old) : NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

static Error *read_tensor(CheckpointReader *reader, Arena *arena, const char *key, DType dtype,
                          const Shape *shape, Tensor *ret_tensor)
{
    DType dtype_there;
    Shape shape_there;
    Error *error = checkpoint_find(reader, key, &dtype_there, &shape_there);
    if (error != NULL)
        return error_suffix(error, ": it is of another network");
    char there[SHAPE_TEXT_BYTES], here[SHAPE_TEXT_BYTES];
    if (dtype_there != dtype || !shape_equal(&shape_there, shape))
        return error_new(ERROR_FAILED_PRECONDITION,
                         "the checkpoint is of another network: %s is %s %s there and %s %s here; "
                         "give its --hidden_layers and --dense_units, or another --model_dir",
                         key, dtype_name(dtype_there), shape_text(&shape_there, there),
                         dtype_name(dtype), shape_text(shape, here));
    return checkpoint_read(reader, arena, key, "", ret_tensor);
}

static Error *read_floats(CheckpointReader *reader, Arena *arena, const Parameter *item,
                          const char *slot, float *data)
{
    char key[PARAMETER_NAME_BYTES + sizeof(SLOT_V)];
    snprintf(key, sizeof(key), "%s%s", item->name, slot);
    Tensor tensor;
    TRY(read_tensor(reader, arena, key, DT_FLOAT, &item->shape, &tensor));
    memcpy(data, tensor.data, item->n * sizeof(float));
    return NULL;
}

static Error *read_tensors(TrainingState *state, Arena *arena, const char *prefix)
{
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    TRY(checkpoint_open(prefix, &reader));
    for (size_t i = 0; i < state->parameters->n; i++) {
        const Parameter *item = &state->parameters->items[i];
        TRY(read_floats(reader, arena, item, "", item->value));
        if (!item->trainable)
            continue;
        TRY(read_floats(reader, arena, item, SLOT_M, state->m + item->offset));
        TRY(read_floats(reader, arena, item, SLOT_V, state->v + item->offset));
    }
    Tensor step;
    Shape scalar = shape_of();
    TRY(read_tensor(reader, arena, "global_step", DT_INT64, &scalar, &step));
    int64_t value = tensor_index_at(&step, 0);
    if (value < 0 || value > INT32_MAX)
        return error_new(ERROR_DATA_LOSS, "global_step is %" PRId64 ", which is no step", value);
    state->step = (long)value;
    return NULL;
}

Error *training_state_restore(TrainingState *state, const char *model_dir)
{
    _cleanup_(arena_freep) Arena *arena = arena_new((size_t)1 << 20, 0);
    if (arena == NULL)
        return error_out_of_memory();
    const char *name;
    TRY(newest(arena, model_dir, &name));
    if (name == NULL)
        return NULL;
    const char *prefix = file_join(arena, model_dir, name);
    if (prefix == NULL)
        return error_out_of_memory();
    return error_prefix(read_tensors(state, arena, prefix), "%s", prefix);
}
