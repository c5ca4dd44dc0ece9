/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelList: the models of a tensorflow.serving.ModelServerConfig, from a file or from an RPC,
 * checked and in the manager's terms.
 */
#ifndef DIGIT_SERVER_CONFIG_MODEL_LIST_H
#define DIGIT_SERVER_CONFIG_MODEL_LIST_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "server/manager/model_config.h"
#include "tensorflow_serving/config/model_server_config.pb-c.h"

typedef struct ModelList {
    ModelConfig *models; /* [n] */
    size_t n;
} ModelList;

/* Of a message, from which texts are borrowed; arrays lie in `arena`. INVALID_ARGUMENT with
 * TensorFlow Serving's texts: a platform that is not tensorflow, both or neither of platform and
 * type, a base path that is not absolute, a model twice. INVALID_ARGUMENT too for a message without
 * a model_config_list. */
Error *model_list_of_message(Arena *arena, const Tensorflow__Serving__ModelServerConfig *message,
                             ModelList *ret_list) _warn_unused_result_;

/* Of the text of a --model_config_file. Everything lies in `arena`. INVALID_ARGUMENT as
 * message_from_text and model_list_of_message. */
Error *model_list_of_text(Arena *arena, Bytes text, ModelList *ret_list) _warn_unused_result_;

#endif
