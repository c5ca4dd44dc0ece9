/* SPDX-License-Identifier: Apache-2.0
 *
 * A SavedModel's directory, read: which file it has, its MetaGraph with the wanted tags, and the
 * check that TensorFlow's loader makes. It knows nothing of graphs and restores nothing.
 * Any thread.
 *
 *     DIR/saved_model.pb              SavedModel: MetaGraphDefs, told apart by their sets of tags
 *     DIR/variables/variables.*       tensor bundle (checkpoint_read.c); none when nothing is to be
 *                                     restored
 *     DIR/assets/                     files that the graph reads
 *     DIR/saved_model.pbtxt, .cpb     the same message as text, or in chunks: not read
 *     DIR/export.meta                 a SessionBundle, what SavedModels replaced: not read
 *
 * Source: tensorflow/cc/saved_model/{reader,loader}.cc; texts of errors are theirs.
 */
#include "model/bundle/saved_model.h"

#include <string.h>

#include "model/base/file.h"
#include "model/base/message.h"
#include "tensorflow/core/protobuf/saved_model.pb-c.h"

/* ---- which file ----------------------------------------------------------------------------- */

static Error *has_file(Arena *arena, const char *directory, const char *name, bool *ret_has)
{
    const char *path = file_join(arena, directory, name);
    if (path == NULL)
        return error_out_of_memory();
    *ret_has = file_exists(path);
    return NULL;
}

/* The error for a directory that has no saved_model.pb: what else there is, we know but do not
 * read. */
static Error *no_saved_model(Arena *arena, const char *directory)
{
    static const struct {
        const char *name;
        const char *text;
    } OTHERS[] = {
        { "export.meta", "Session Bundle is deprecated and removed." },
        { "saved_model.pbtxt", "saved_model.pbtxt (a SavedModel as text) is not supported, save it "
                               "as saved_model.pb" },
        { "saved_model.cpb",
          "saved_model.cpb (a SavedModel in chunks) is not supported, save it as "
          "saved_model.pb" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(OTHERS); i++) {
        bool has;
        TRY(has_file(arena, directory, OTHERS[i].name, &has));
        if (has)
            return error_new(ERROR_UNIMPLEMENTED, "%s", OTHERS[i].text);
    }
    return error_new(ERROR_NOT_FOUND,
                     "Specified file path does not appear to contain a SavedModel bundle (should "
                     "have a file called `saved_model.pb`)\nSpecified file path: %s",
                     directory);
}

static Error *read_message(Arena *arena, const char *directory,
                           const Tensorflow__SavedModel **ret_message)
{
    bool has;
    TRY(has_file(arena, directory, "saved_model.pb", &has));
    if (!has)
        return no_saved_model(arena, directory);
    const char *path = file_join(arena, directory, "saved_model.pb");
    if (path == NULL)
        return error_out_of_memory();

    uint8_t *data;
    size_t size;
    TRY(file_read(arena, path, SAVED_MODEL_MAX_BYTES, &data, &size));
    ProtobufCMessage *message;
    TRY(message_unpack(arena, &tensorflow__saved_model__descriptor, path, data, size, &message));
    *ret_message = (const Tensorflow__SavedModel *)message;
    return NULL;
}

/* ---- which MetaGraph ------------------------------------------------------------------------ */

static bool has_tag(const char *const *tags, size_t n_tags, const char *tag)
{
    for (size_t i = 0; i < n_tags; i++)
        if (strcmp(tags[i], tag) == 0)
            return true;
    return false;
}

/* Equal as sets: neither order nor repetition counts. */
static bool tags_equal(const Tensorflow__MetaGraphDef *meta_graph, const char *const *tags,
                       size_t n_tags)
{
    const Tensorflow__MetaGraphDef__MetaInfoDef *info = meta_graph->meta_info_def;
    const char *const *own = info != NULL ? (const char *const *)info->tags : NULL;
    size_t n_own = info != NULL ? info->n_tags : 0;
    for (size_t i = 0; i < n_own; i++)
        if (!has_tag(tags, n_tags, own[i]))
            return false;
    for (size_t i = 0; i < n_tags; i++)
        if (!has_tag(own, n_own, tags[i]))
            return false;
    return true;
}

static Error *no_meta_graph(const char *const *tags, size_t n_tags)
{
    _cleanup_(buf_done) Buf text;
    buf_init(&text, 4096); /* of tags that the caller asked for */
    for (size_t i = 0; i < n_tags; i++)
        TRY(buf_printf(&text, "%s ", tags[i]));
    return error_new(ERROR_NOT_FOUND,
                     "Could not find meta graph def matching supplied tags: { %.*s}. To inspect "
                     "available tag-sets in the SavedModel, please use the SavedModel CLI: "
                     "`saved_model_cli`",
                     (int)text.size, (const char *)text.data);
}

static Error *find_meta_graph(const Tensorflow__SavedModel *saved_model, const char *const *tags,
                              size_t n_tags, const Tensorflow__MetaGraphDef **ret_meta_graph)
{
    for (size_t i = 0; i < saved_model->n_meta_graphs; i++) {
        if (tags_equal(saved_model->meta_graphs[i], tags, n_tags)) {
            *ret_meta_graph = saved_model->meta_graphs[i];
            return NULL;
        }
    }
    return no_meta_graph(tags, n_tags);
}

/* ---- check ---------------------------------------------------------------------------------- */

static bool has_negative_count(const Tensorflow__TensorShapeProto *shape)
{
    if (shape == NULL)
        return false;
    bool is_negative = shape->unknown_rank;
    for (size_t d = 0; d < shape->n_dim; d++)
        is_negative = is_negative || shape->dim[d]->size < 0;
    return is_negative;
}

/* Const is the one op whose value nobody can supply later. */
static Error *check_node(const Tensorflow__NodeDef *node)
{
    const Tensorflow__TensorProto *tensor = NULL;
    for (size_t i = 0; i < node->n_attr; i++) {
        const Tensorflow__AttrValue *value = node->attr[i]->value;
        if (strcmp(node->attr[i]->key, "value") == 0 && value != NULL &&
            value->value_case == TENSORFLOW__ATTR_VALUE__VALUE_TENSOR)
            tensor = value->tensor;
    }
    if (tensor == NULL && strcmp(node->op, "Const") == 0)
        return error_new(ERROR_FAILED_PRECONDITION,
                         "Saved model contains node \"%s\" which is a constant tensor but no value "
                         "has been provided",
                         node->name);
    if (tensor != NULL && has_negative_count(tensor->tensor_shape))
        return error_new(ERROR_FAILED_PRECONDITION,
                         "Saved model contains node \"%s\" (op \"%s\") which initializes from a "
                         "tensor with -1 elements",
                         node->name, node->op);
    return NULL;
}

static Error *check_graph(const Tensorflow__GraphDef *graph)
{
    if (graph == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "MetaGraph holds no graph_def");
    for (size_t i = 0; i < graph->n_node; i++)
        TRY(check_node(graph->node[i]));
    size_t n_functions = graph->library != NULL ? graph->library->n_function : 0;
    for (size_t f = 0; f < n_functions; f++) {
        const Tensorflow__FunctionDef *function = graph->library->function[f];
        for (size_t i = 0; i < function->n_node_def; i++)
            TRY(check_node(function->node_def[i]));
    }
    return NULL;
}

/* ---- public --------------------------------------------------------------------------------- */

Error *saved_model_read(Arena *arena, const char *directory, const char *const *tags, size_t n_tags,
                        SavedModel *ret_saved_model)
{
    const Tensorflow__SavedModel *message;
    TRY(read_message(arena, directory, &message));

    SavedModel saved_model = {
        .directory = arena_strdup(arena, directory),
        .variables_prefix = file_join(arena, directory, "variables/variables"),
        .assets_directory = file_join(arena, directory, "assets"),
    };
    if (saved_model.directory == NULL || saved_model.variables_prefix == NULL ||
        saved_model.assets_directory == NULL)
        return error_out_of_memory();
    TRY(find_meta_graph(message, tags, n_tags, &saved_model.meta_graph));
    TRY(check_graph(saved_model.meta_graph->graph_def));

    bool has_variables;
    TRY(has_file(arena, directory, "variables/variables.index", &has_variables));
    if (!has_variables)
        saved_model.variables_prefix = NULL;
    *ret_saved_model = saved_model;
    return NULL;
}
