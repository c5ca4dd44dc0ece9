/* SPDX-License-Identifier: Apache-2.0
 *
 * A SavedModel directory, written: the MetaGraph around the builder's nodes, the checkpoint, and
 * the way by which the directory appears all at once. Any thread, one builder at a time.
 *
 *     EXPORT/.tmp-VERSION-XXXXXX/version/    while it is written; no watcher takes the name
 *     EXPORT/VERSION/                        renamed to, when all is synced
 *         saved_model.pb                     schema 1, one MetaGraph with the tag "serve"
 *         variables/variables.index, .data-00000-of-00001
 *
 * In the MetaGraph: graph_def, signature_def, saver_def, and the collections `variables` and
 * `trainable_variables` of packed VariableDefs, by which tf.saved_model.load finds the variables.
 * Source: tensorflow/python/saved_model/{builder_impl,load_v1_in_v2}.py.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/file.h"
#include "model/base/message.h"
#include "model/bundle/checkpoint_write.h"
#include "model/bundle/graph_builder.h"
#include "model/bundle/saved_model.h"
#include "tensorflow/core/framework/variable.pb-c.h"
#include "tensorflow/core/protobuf/saved_model.pb-c.h"

/* The graph uses what the last TensorFlow 1 had, and is the form that it wrote: whatever came later
 * loads it. 134 is TensorFlow 1.15's GRAPH_DEF_VERSION. */
#define TENSORFLOW_VERSION "1.15.0"
#define GRAPH_PRODUCER 134
#define GRAPH_MIN_CONSUMER 12

#define SCHEMA_VERSION 1
#define VARIABLE_DEF_MAX_BYTES ((size_t)1 << 16)

/* ---- collections ---------------------------------------------------------------------------- */

static Error *pack_variable(GraphBuilder *builder, const BuilderVariable *variable,
                            ProtobufCBinaryData *ret_packed)
{
    Tensorflow__VariableDef def = TENSORFLOW__VARIABLE_DEF__INIT;
    const char *name = variable->name;
    def.variable_name = graph_builder_printf(builder, "%s:0", name);
    def.initializer_name = graph_builder_printf(builder, "%s/Assign", name);
    def.snapshot_name = graph_builder_printf(builder, "%s/Read/ReadVariableOp:0", name);
    def.initial_value_name = graph_builder_printf(builder, "%s/Initializer/zeros:0", name);
    def.is_resource = true;
    def.trainable = variable->is_trainable;
    if (builder->error != NULL)
        return error_copy(builder->error);

    _cleanup_(buf_done) Buf packed;
    buf_init(&packed, VARIABLE_DEF_MAX_BYTES);
    TRY(message_pack(&def.base, &packed));
    uint8_t *data = arena_memdup(builder->arena, packed.data, packed.size);
    if (data == NULL)
        return error_out_of_memory();
    *ret_packed = (ProtobufCBinaryData){ packed.size, data };
    return NULL;
}

typedef struct VariableCollection {
    Tensorflow__MetaGraphDef__CollectionDefEntry entry;
    Tensorflow__CollectionDef collection;
    Tensorflow__CollectionDef__BytesList list;
} VariableCollection;

/* Initialises the caller's storage, whose messages point at one another. */
static Error *collect_variables(GraphBuilder *builder, const char *name, bool only_trainable,
                                VariableCollection *collection)
{
    tensorflow__meta_graph_def__collection_def_entry__init(&collection->entry);
    tensorflow__collection_def__init(&collection->collection);
    tensorflow__collection_def__bytes_list__init(&collection->list);
    size_t n = builder->variables.n;
    collection->list.value = graph_builder_alloc(builder, n, sizeof(*collection->list.value));
    collection->entry.key = graph_builder_printf(builder, "%s", name);
    if (builder->error != NULL)
        return error_copy(builder->error);

    for (size_t i = 0; i < n; i++) {
        const BuilderVariable *variable = builder->variables.items[i];
        if (!only_trainable || variable->is_trainable)
            TRY(pack_variable(builder, variable,
                              &collection->list.value[collection->list.n_value++]));
    }
    collection->entry.value = &collection->collection;
    collection->collection.kind_case = TENSORFLOW__COLLECTION_DEF__KIND_BYTES_LIST;
    collection->collection.bytes_list = &collection->list;
    return NULL;
}

/* ---- saved_model.pb ------------------------------------------------------------------------- */

static Error *write_message(Tensorflow__MetaGraphDef *meta_graph, const char *path)
{
    Tensorflow__SavedModel saved_model = TENSORFLOW__SAVED_MODEL__INIT;
    saved_model.saved_model_schema_version = SCHEMA_VERSION;
    saved_model.n_meta_graphs = 1;
    saved_model.meta_graphs = &meta_graph;
    _cleanup_(buf_done) Buf packed;
    buf_init(&packed, SAVED_MODEL_MAX_BYTES);
    TRY(message_pack(&saved_model.base, &packed));
    return file_write(path, packed.data, packed.size);
}

static Error *add_graph(GraphBuilder *builder, Tensorflow__GraphDef *graph)
{
    size_t n = builder->nodes.n;
    graph->node = graph_builder_alloc(builder, n, sizeof(Tensorflow__NodeDef *));
    if (graph->node == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        graph->node[i] = &((GraphBuilderNode *)builder->nodes.items[i])->proto;
    graph->n_node = n;
    return NULL;
}

static Error *write_saved_model_pb(GraphBuilder *builder, const char *path)
{
    Tensorflow__MetaGraphDef__MetaInfoDef info = TENSORFLOW__META_GRAPH_DEF__META_INFO_DEF__INIT;
    char serve[] = "serve", *tags[] = { serve }, tensorflow_version[] = TENSORFLOW_VERSION;
    info.n_tags = ARRAY_SIZE(tags);
    info.tags = tags;
    info.tensorflow_version = tensorflow_version;
    info.stripped_default_attrs = true;

    Tensorflow__VersionDef versions = TENSORFLOW__VERSION_DEF__INIT;
    versions.producer = GRAPH_PRODUCER;
    versions.min_consumer = GRAPH_MIN_CONSUMER;
    Tensorflow__GraphDef graph = TENSORFLOW__GRAPH_DEF__INIT;
    graph.versions = &versions;
    TRY(add_graph(builder, &graph));

    Tensorflow__SaverDef saver = TENSORFLOW__SAVER_DEF__INIT;
    char filename[] = "save/Const:0", save[] = "save/control_dependency:0",
         restore[] = "save/restore_all";
    saver.filename_tensor_name = filename;
    saver.save_tensor_name = save;
    saver.restore_op_name = restore;
    saver.version = TENSORFLOW__SAVER_DEF__CHECKPOINT_FORMAT_VERSION__V2;

    VariableCollection all, trainable;
    TRY(collect_variables(builder, "variables", false, &all));
    TRY(collect_variables(builder, "trainable_variables", true, &trainable));
    Tensorflow__MetaGraphDef__CollectionDefEntry *collections[] = { &all.entry, &trainable.entry };

    Tensorflow__MetaGraphDef meta_graph = TENSORFLOW__META_GRAPH_DEF__INIT;
    meta_graph.meta_info_def = &info;
    meta_graph.graph_def = &graph;
    meta_graph.n_signature_def = builder->signatures.n;
    meta_graph.signature_def =
        (Tensorflow__MetaGraphDef__SignatureDefEntry **)builder->signatures.items;
    if (builder->variables.n > 0) {
        meta_graph.saver_def = &saver;
        meta_graph.n_collection_def = ARRAY_SIZE(collections);
        meta_graph.collection_def = collections;
    }
    return write_message(&meta_graph, path);
}

/* ---- directory ------------------------------------------------------------------------------ */

static Error *failed(const char *verb, const char *path)
{
    char reason[128];
    return error_new(ERROR_UNAVAILABLE, "cannot %s \"%s\": %s", verb, path,
                     strerror_r(errno, reason, sizeof(reason)));
}

static Error *write_variables(const GraphBuilder *builder, const char *directory)
{
    if (mkdir(directory, 0777) < 0)
        return failed("create", directory);
    const char *prefix = file_join(builder->arena, directory, "variables");
    if (prefix == NULL)
        return error_out_of_memory();
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = NULL;
    TRY(checkpoint_writer_new(prefix, &writer));
    for (size_t i = 0; i < builder->variables.n; i++) {
        const BuilderVariable *variable = builder->variables.items[i];
        TRY(checkpoint_write(writer, variable->name, variable->value));
    }
    TRY(checkpoint_writer_finish(writer));
    return file_sync_directory(directory);
}

static Error *write_version(GraphBuilder *builder, const char *directory)
{
    if (mkdir(directory, 0777) < 0)
        return failed("create", directory);
    const char *message = file_join(builder->arena, directory, "saved_model.pb");
    const char *variables = file_join(builder->arena, directory, "variables");
    if (message == NULL || variables == NULL)
        return error_out_of_memory();
    TRY(write_saved_model_pb(builder, message));
    if (builder->variables.n > 0)
        TRY(write_variables(builder, variables));
    return file_sync_directory(directory);
}

/* An empty directory of the same name would be replaced by the rename: nothing is lost then. */
static Error *publish(const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return NULL;
    if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
        return error_new(ERROR_ALREADY_EXISTS, "\"%s\" exists already", to);
    return failed("rename a temporary directory to", to);
}

static Error *write_and_publish(GraphBuilder *builder, const char *temporary, const char *final)
{
    const char *directory = file_join(builder->arena, temporary, "version");
    if (directory == NULL)
        return error_out_of_memory();
    TRY(write_version(builder, directory));
    return publish(directory, final);
}

Error *saved_model_write(GraphBuilder *builder, const char *export_directory, int64_t version)
{
    if (version < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "version %" PRId64 " is negative", version);
    if (builder->variables.n > 0 && !builder->has_saver) {
        saver_nodes_add(builder);
        builder->has_saver = true;
    }
    char *final = graph_builder_printf(builder, "%s/%" PRId64, export_directory, version);
    char *temporary =
        graph_builder_printf(builder, "%s/.tmp-%" PRId64 "-XXXXXX", export_directory, version);
    if (builder->error != NULL)
        return error_copy(builder->error);

    TRY(file_make_directories(export_directory));
    if (file_exists(final))
        return error_new(ERROR_ALREADY_EXISTS, "\"%s\" exists already", final);
    /* mkdtemp's directory is its owner's alone; the one that is made in it has the usual mode. */
    if (mkdtemp(temporary) == NULL)
        return failed("create", temporary);
    Error *error = write_and_publish(builder, temporary, final);
    Error *removal = file_remove_tree(temporary);
    if (error != NULL) {
        error_free(removal);
        return error;
    }
    TRY(removal);
    return file_sync_directory(export_directory);
}
