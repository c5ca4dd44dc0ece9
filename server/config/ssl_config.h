/* SPDX-License-Identifier: Apache-2.0
 *
 * SslConfig: --ssl_config_file, a text tensorflow.serving.SSLConfig whose values are PEM texts.
 */
#ifndef DIGIT_SERVER_CONFIG_SSL_CONFIG_H
#define DIGIT_SERVER_CONFIG_SSL_CONFIG_H

#include "model/base/arena.h"
#include "model/base/error.h"
#include "tensorflow_serving/config/ssl_config.pb-c.h"

/* Reads the file; the message lies in `arena`. NOT_FOUND and the like when it cannot be read;
 * INVALID_ARGUMENT when it is no such text, or key and certificate are not both there. No error
 * quotes what the file holds. */
Error *ssl_config_read(Arena *arena, const char *path,
                       Tensorflow__Serving__SSLConfig **ret_config) _warn_unused_result_;

#endif
