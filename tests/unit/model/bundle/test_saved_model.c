/* SPDX-License-Identifier: Apache-2.0
 *
 * saved_model_read: the MetaGraph with the wanted tags from SavedModels of TensorFlow's; the texts
 * of TensorFlow's loader for what is not there; damaged files are an error or a SavedModel.
 */
#include <fcntl.h>
#include <unistd.h>

#include "model/base/buf.h"
#include "model/base/bytes.h"
#include "model/base/message.h"
#include "model/bundle/saved_model.h"
#include "tensorflow/core/protobuf/saved_model.pb-c.h"
#include "tests/support/check.h"

static int setup(void **state)
{
    char *directory = malloc(TEST_DIRECTORY_BYTES);
    test_directory_make(directory);
    *state = directory;
    return 0;
}

static int teardown(void **state)
{
    test_directory_remove(*state);
    free(*state);
    return 0;
}

static const char *const SERVE[] = { "serve" };

/* ---- TensorFlow's ---------------------------------------------------------------------------- */

static void test_picks_the_meta_graph_by_its_tags(void **state _unused_)
{
    static const struct {
        const char *tags[3];
        size_t n_tags;
        const char *input; /* NULL: there is none */
        const char *text;
    } CASES[] = {
        { { "serve" }, 1, "x_serve:0", NULL },
        { { "serve", "serve" }, 2, "x_serve:0", NULL },
        { { "train" }, 1, "x_train:0", NULL },
        { { "serve", "gpu" }, 2, "x_serve_gpu:0", NULL },
        { { "gpu", "serve" }, 2, "x_serve_gpu:0", NULL },
        { { "gpu" },
          1,
          NULL,
          "matching supplied tags: { gpu }. To inspect available tag-sets in "
          "the SavedModel, please use the SavedModel CLI: `saved_model_cli`" },
        { { "serve", "train" }, 2, NULL, "matching supplied tags: { serve train }." },
        { { "serve", "gpu", "tpu" }, 3, NULL, "tags: { serve gpu tpu }." },
        { { NULL }, 0, NULL, "matching supplied tags: { }." },
    };
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        const char *directory = test_path(arena, "data/bundles/meta_graphs");
        SavedModel model;
        Error *error = saved_model_read(arena, directory, CASES[i].tags, CASES[i].n_tags, &model);
        if (CASES[i].input == NULL) {
            assert_error(error, ERROR_NOT_FOUND, CASES[i].text);
            continue;
        }
        assert_ok(error);
        assert_string_equal(model.directory, directory);
        assert_string_equal(model.variables_prefix,
                            file_join(arena, directory, "variables/variables"));
        assert_string_equal(model.assets_directory, file_join(arena, directory, "assets"));
        const Tensorflow__SignatureDef *signature = model.meta_graph->signature_def[0]->value;
        assert_string_equal(signature->inputs[0]->value->name, CASES[i].input);
    }
}

static void test_reads_a_bundle_without_variables(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    SavedModel model;
    assert_ok(
        saved_model_read(arena, test_path(arena, "data/bundles/no_variables"), SERVE, 1, &model));
    assert_null(model.variables_prefix);
    assert_true(model.meta_graph->graph_def->n_node > 0);
}

/* Whether the file, which somebody damaged, is refused; what is read has a graph. */
static bool is_refused(const char *directory)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 1 << 24);
    SavedModel model;
    _cleanup_(error_freep) Error *error = saved_model_read(arena, directory, SERVE, 1, &model);
    if (error == NULL)
        assert_non_null(model.meta_graph->graph_def);
    return error != NULL;
}

/* Every bit of a small file flipped, and every length of it. */
static void test_survives_damage(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    const char *path = file_join(arena, *state, "saved_model.pb");
    size_t size;
    uint8_t *data = test_read(arena, "data/bundles/no_variables/saved_model.pb", &size);
    assert_ok(file_write(path, data, size));
    assert_false(is_refused(*state));

    _cleanup_(file_closep) int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    size_t n_refused = 0;
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            uint8_t damaged = data[i] ^ (uint8_t)(1 << bit);
            assert_int_equal(pwrite(fd, &damaged, 1, (off_t)i), 1);
            n_refused += is_refused(*state);
        }
        assert_int_equal(pwrite(fd, &data[i], 1, (off_t)i), 1);
    }
    assert_true(n_refused > size / 2); /* texts may change and still be texts */
    for (size_t n = size; n-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)n), 0);
        assert_true(is_refused(*state));
    }
}

/* ---- directories ----------------------------------------------------------------------------- */

static void test_says_what_is_not_there(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    SavedModel model;
    const char *text = arena_printf(arena,
                                    "Specified file path does not appear to contain a SavedModel "
                                    "bundle (should have a file called `saved_model.pb`)\n"
                                    "Specified file path: %s",
                                    (const char *)*state);
    assert_error(saved_model_read(arena, *state, SERVE, 1, &model), ERROR_NOT_FOUND, text);
    assert_error(saved_model_read(arena, file_join(arena, *state, "no"), SERVE, 1, &model),
                 ERROR_NOT_FOUND, "/no");

    static const struct {
        const char *name;
        const char *text;
    } OTHERS[] = {
        { "saved_model.cpb", "in chunks" },
        { "saved_model.pbtxt", "as text" },
        { "export.meta", "Session Bundle is deprecated and removed." },
    };
    for (size_t i = 0; i < ARRAY_SIZE(OTHERS); i++) {
        assert_ok(file_write(file_join(arena, *state, OTHERS[i].name), "", 0));
        assert_error(saved_model_read(arena, *state, SERVE, 1, &model), ERROR_UNIMPLEMENTED,
                     OTHERS[i].text);
    }
    /* saved_model.pb goes before them all, whatever it is. */
    assert_ok(file_make_directories(file_join(arena, *state, "saved_model.pb")));
    assert_error(saved_model_read(arena, *state, SERVE, 1, &model), ERROR_FAILED_PRECONDITION,
                 "not a regular file");
}

/* ---- messages made here ---------------------------------------------------------------------- */

/* Writes a SavedModel of one MetaGraph with this graph, which may be NULL, and reads it. */
static Error *read_graph(const char *directory, Tensorflow__GraphDef *graph)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    char serve[] = "serve", *tags[] = { serve };
    Tensorflow__MetaGraphDef__MetaInfoDef info = TENSORFLOW__META_GRAPH_DEF__META_INFO_DEF__INIT;
    info.n_tags = 1;
    info.tags = tags;
    Tensorflow__MetaGraphDef meta_graph = TENSORFLOW__META_GRAPH_DEF__INIT;
    meta_graph.meta_info_def = &info;
    meta_graph.graph_def = graph;
    Tensorflow__MetaGraphDef *meta_graphs[] = { &meta_graph };
    Tensorflow__SavedModel saved_model = TENSORFLOW__SAVED_MODEL__INIT;
    saved_model.n_meta_graphs = 1;
    saved_model.meta_graphs = meta_graphs;
    _cleanup_(buf_done) Buf packed;
    buf_init(&packed, 1 << 20);
    assert_ok(message_pack(&saved_model.base, &packed));
    assert_ok(file_write(file_join(arena, directory, "saved_model.pb"), packed.data, packed.size));
    SavedModel model;
    return saved_model_read(arena, directory, SERVE, 1, &model);
}

static void test_checks_constants(void **state)
{
    enum { NO_VALUE, NOT_A_TENSOR, SCALAR, NEGATIVE, UNKNOWN };
    static const struct {
        const char *op;
        int value;
        const char *text;
    } CASES[] = {
        { "Const", NO_VALUE,
          "Saved model contains node \"n\" which is a constant tensor but no value has been "
          "provided" },
        { "Const", NOT_A_TENSOR, "node \"n\" which is a constant tensor but no value" },
        { "Const", SCALAR, NULL },
        { "Const", NEGATIVE,
          "Saved model contains node \"n\" (op \"Const\") which initializes from a tensor with -1 "
          "elements" },
        { "Const", UNKNOWN, "which initializes from a tensor with -1 elements" },
        { "Other", NO_VALUE, NULL },
        { "Other", NEGATIVE, "(op \"Other\") which initializes from a tensor with -1 elements" },
    };
    for (size_t i = 0; i < 2 * ARRAY_SIZE(CASES); i++) {
        bool is_in_function = i % 2 == 1;
        int value = CASES[i / 2].value;
        Tensorflow__TensorShapeProto__Dim dim = TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT;
        dim.size = -2;
        Tensorflow__TensorShapeProto__Dim *dims[] = { &dim };
        Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
        shape.n_dim = value == NEGATIVE;
        shape.dim = dims;
        shape.unknown_rank = value == UNKNOWN;
        Tensorflow__TensorProto tensor = TENSORFLOW__TENSOR_PROTO__INIT;
        tensor.tensor_shape = &shape;
        Tensorflow__AttrValue attr = TENSORFLOW__ATTR_VALUE__INIT;
        attr.value_case = value == NOT_A_TENSOR ? TENSORFLOW__ATTR_VALUE__VALUE_I
                                                : TENSORFLOW__ATTR_VALUE__VALUE_TENSOR;
        if (value == NOT_A_TENSOR)
            attr.i = 1;
        else
            attr.tensor = &tensor;
        char key[] = "value", name[] = "n";
        Tensorflow__NodeDef__AttrEntry entry = TENSORFLOW__NODE_DEF__ATTR_ENTRY__INIT;
        entry.key = key;
        entry.value = &attr;
        Tensorflow__NodeDef__AttrEntry *attrs[] = { &entry };
        Tensorflow__NodeDef node = TENSORFLOW__NODE_DEF__INIT;
        node.name = name;
        node.op = strdup(CASES[i / 2].op);
        node.n_attr = value != NO_VALUE;
        node.attr = attrs;
        Tensorflow__NodeDef *nodes[] = { &node };

        Tensorflow__FunctionDef function = TENSORFLOW__FUNCTION_DEF__INIT;
        function.n_node_def = 1;
        function.node_def = nodes;
        Tensorflow__FunctionDef *functions[] = { &function };
        Tensorflow__FunctionDefLibrary library = TENSORFLOW__FUNCTION_DEF_LIBRARY__INIT;
        library.n_function = is_in_function;
        library.function = functions;
        Tensorflow__GraphDef graph = TENSORFLOW__GRAPH_DEF__INIT;
        graph.library = &library;
        graph.n_node = !is_in_function;
        graph.node = nodes;

        Error *error = read_graph(*state, &graph);
        free(node.op);
        if (CASES[i / 2].text == NULL)
            assert_ok(error);
        else
            assert_error(error, ERROR_FAILED_PRECONDITION, CASES[i / 2].text);
    }
}

static void test_refuses_a_meta_graph_without_graph(void **state)
{
    assert_error(read_graph(*state, NULL), ERROR_INVALID_ARGUMENT, "no graph_def");
}

/* Puts what `inner` holds into a field of type message. */
static void wrap(Buf *inner, uint8_t field)
{
    Buf outer;
    buf_init(&outer, inner->max_bytes);
    uint8_t head[1 + VARINT_MAX_BYTES] = { (uint8_t)(field << 3 | 2) };
    assert_ok(buf_append(&outer, head, 1 + varint_write(head + 1, inner->size)));
    assert_ok(buf_append(&outer, inner->data, inner->size));
    buf_done(inner);
    *inner = outer;
}

static void test_refuses_deep_nesting(void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    _cleanup_(buf_done) Buf message;
    buf_init(&message, 1 << 24);
    for (int i = 0; i < 20000; i++) {
        wrap(&message, 2);  /* of an entry of NameAttrList.attr: value, an AttrValue */
        wrap(&message, 2);  /* of NameAttrList: attr */
        wrap(&message, 10); /* of AttrValue: func */
    }
    static const uint8_t PATH[] = { 2, 5, 1, 2, 2 }; /* entry, node.attr, graph.node, ..., graphs */
    for (size_t i = 0; i < sizeof(PATH); i++)
        wrap(&message, PATH[i]);
    assert_ok(file_write(file_join(arena, *state, "saved_model.pb"), message.data, message.size));
    SavedModel model;
    assert_error(saved_model_read(arena, *state, SERVE, 1, &model), ERROR_RESOURCE_EXHAUSTED,
                 "saved_model.pb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picks_the_meta_graph_by_its_tags),
        cmocka_unit_test(test_reads_a_bundle_without_variables),
        cmocka_unit_test_setup_teardown(test_survives_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_says_what_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_checks_constants, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_a_meta_graph_without_graph, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_deep_nesting, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
