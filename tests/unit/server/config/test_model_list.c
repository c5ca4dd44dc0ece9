/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelServerConfigs as they are written, and what is wrong with some.
 */
#include "server/config/model_list.h"

#include "tests/support/check.h"

static Error *read_list(Arena *arena, const char *text, ModelList *ret_list)
{
    return model_list_of_text(arena, bytes_of_text(text), ret_list);
}

static void test_models(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    ModelList list;
    assert_ok(
        read_list(arena,
                  "model_config_list: {\n"
                  "  config: { name: 'a', base_path: '/m/a', model_platform: 'tensorflow' },\n"
                  "  config: { name: 'b' base_path: '/m/b' model_type: TENSORFLOW\n"
                  "    model_version_policy { latest { num_versions: 2 } }\n"
                  "    version_labels { key: 'stable' value: 1 }\n"
                  "    version_labels { key: 'canary' value: 2 } }\n"
                  "  config { name: 'c' base_path: '/m/c' model_platform: 'tensorflow'\n"
                  "    model_version_policy { all {} }\n"
                  "    logging_config { log_collector_config { type: 't'\n"
                  "      filename_prefix: '/x' } sampling_config { sampling_rate: 0.25 } } }\n"
                  "  config { name: 'd' base_path: '/m/d' model_platform: 'tensorflow'\n"
                  "    model_version_policy { specific { versions: 7 versions: -1 } } }\n"
                  "}\n",
                  &list));
    assert_int_equal(list.n, 4);
    const ModelConfig *model = list.models;
    assert_string_equal(model->name, "a");
    assert_string_equal(model->base_path, "/m/a");
    assert_int_equal(model->policy.choice, VERSIONS_LATEST);
    assert_int_equal(model->policy.n_latest, 0);
    assert_int_equal(model->n_labels, 0);
    assert_null(model->request_log.type);
    model++;
    assert_int_equal(model->policy.choice, VERSIONS_LATEST);
    assert_int_equal(model->policy.n_latest, 2);
    assert_int_equal(model->n_labels, 2);
    assert_int_equal(model_config_find_label(model, "canary")->version, 2);
    assert_null(model_config_find_label(model, "can"));
    model++;
    assert_int_equal(model->policy.choice, VERSIONS_ALL);
    assert_string_equal(model->request_log.type, "t");
    assert_string_equal(model->request_log.filename_prefix, "/x");
    assert_true(model->request_log.sampling_rate == 0.25);
    model++;
    assert_int_equal(model->policy.choice, VERSIONS_SPECIFIC);
    assert_int_equal(model->policy.n_versions, 2);
    assert_int_equal(model->policy.versions[1], -1);

    assert_ok(read_list(arena, "model_config_list {}", &list));
    assert_int_equal(list.n, 0);
}

#define ONE(rest) "model_config_list { config { name: 'm' " rest " } }"

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "improperly formatted file",
          "Error parsing text-format tensorflow.serving.ModelServerConfig: 1:1: " },
        { "", "the configuration has no model_config_list" },
        { "custom_model_config {}", "the configuration has no model_config_list" },
        { ONE("base_path: 'm' model_platform: 'tensorflow'"),
          "Expected model m to have an absolute path or URI; got base_path()=m" },
        { ONE("model_platform: 'tensorflow'"),
          "Expected model m to have an absolute path or URI; got base_path()=" },
        { ONE("base_path: '/m'"),
          "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
          "ModelServerConfig::model_platform, model name is m" },
        { ONE("base_path: '/m' model_platform: 'tensorflow' model_type: TENSORFLOW"),
          "Illegal setting both ModelServerConfig::model_type (deprecated) and "
          "ModelServerConfig::model_platform, model name is m" },
        { ONE("base_path: '/m' model_type: OTHER"),
          "ModelServerConfig::model_type choice 2 not supported." },
        { ONE("base_path: '/m' model_platform: 'torch'"),
          "Model m requests unsupported platform torch" },
        { ONE("base_path: '/m' model_platform: 'tensorflow' logging_config { "
              "log_collector_config {} sampling_config { sampling_rate: nan } }"),
          "model m: sampling_rate is nan; must be a number from 0 to 1" },
        { "model_config_list { config { name: 'm' base_path: '/m' model_platform: 'tensorflow' } "
          "config { name: 'm' base_path: '/n' model_platform: 'tensorflow' } }",
          "Illegal to list model m multiple times in config list" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
        ModelList list;
        assert_error(read_list(arena, cases[i].text, &list), ERROR_INVALID_ARGUMENT,
                     cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
