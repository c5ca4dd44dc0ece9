/* SPDX-License-Identifier: Apache-2.0
 *
 * ConfigFile: --model_config_file, followed while the server runs. A file that cannot be read, or
 * does not hold a configuration (also because it is being written at this moment), changes nothing:
 * the last good configuration stays in effect.
 *
 * Loop's thread.
 */
#ifndef DIGIT_SERVER_CONFIG_CONFIG_FILE_H
#define DIGIT_SERVER_CONFIG_CONFIG_FILE_H

#include "server/config/model_list.h"
#include "server/loop.h"
#include "server/manager/manager.h"

typedef struct ConfigFile ConfigFile;

/* Reads the file at `path` (copied) at once. NOT_FOUND and the like when it cannot be read;
 * INVALID_ARGUMENT as model_list_of_text. The list is lent until config_file_follow. */
Error *config_file_open(Loop *loop, const char *path, ConfigFile **ret_file,
                        ModelList *ret_list) _warn_unused_result_;

/* From now on looks every `poll_seconds` (0: never by itself) whether the file has changed, and
 * gives what is new to `manager`, which must outlive it or be draining. */
void config_file_follow(ConfigFile *file, Manager *manager, double poll_seconds);

/* Looks now. */
void config_file_look(ConfigFile *file);

/* Looks no more. Then free it, once config_file_is_idle. */
void config_file_stop(ConfigFile *file);

/* False while a look or a reload is under way. */
bool config_file_is_idle(const ConfigFile *file);

/* Stopped and idle ones. Takes NULL; returns NULL. */
ConfigFile *config_file_free(ConfigFile *file);

#endif
