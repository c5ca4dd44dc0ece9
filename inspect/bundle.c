/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundle: what model_load reads, up to where it would compile.
 */
#include "inspect/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "model/base/buf.h"
#include "model/base/file.h"
#include "model/bundle/saved_model.h"
#include "model/signature.h"

#define NAMES_MAX_BYTES ((size_t)16 << 10)

static void closedirp(DIR **directory)
{
    if (*directory != NULL)
        closedir(*directory);
}

/* The number that all of `name` is; -1 when it is none. */
static int64_t version_number(const char *name)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(name, &end, 10);
    return end == name || *end != '\0' || errno != 0 || number < 0 ? -1 : number;
}

static bool is_version(Arena *arena, const char *directory)
{
    const char *pb = file_join(arena, directory, "saved_model.pb");
    const char *text = file_join(arena, directory, "saved_model.pbtxt");
    return pb == NULL || text == NULL || file_exists(pb) || file_exists(text);
}

static Error *find_version(Arena *arena, const char *path, const char **ret_directory)
{
    _cleanup_(closedirp) DIR *listing = NULL;
    const char *best = NULL;
    *ret_directory = path;
    if (is_version(arena, path) || (listing = opendir(path)) == NULL)
        return NULL; /* saved_model_read knows what to say of a path that is none */
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (version_number(entry->d_name) <= (best != NULL ? version_number(best) : -1))
            continue;
        best = arena_strdup(arena, entry->d_name);
        if (best == NULL)
            return error_out_of_memory();
    }
    if (best != NULL)
        *ret_directory = file_join(arena, path, best);
    return *ret_directory != NULL ? NULL : error_out_of_memory();
}

static Error *survey_signatures(Library *library, Arena *arena, Bundle *bundle)
{
    GraphRequest *requests = arena_calloc(arena, bundle->n_signatures, sizeof *requests);
    SurveyOp *ops = NULL;
    if (requests == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < bundle->n_signatures; i++) {
        CompileRequest request;
        TRY(signature_request(arena, &bundle->signatures[i], &request));
        requests[i] = request.graph;
    }
    TRY(survey(library, arena, bundle->n_signatures, requests, &ops, &bundle->n_ops));
    bundle->ops = ops;
    for (size_t i = 0; i < bundle->n_ops; i++)
        bundle->n_unsupported += !ops[i].is_supported;
    return NULL;
}

Error *bundle_read(Arena *arena, const char *path, const char *tag, Bundle *ret_bundle)
{
    Bundle bundle = { .directory = path };
    SavedModel saved_model;
    Signature *signatures = NULL;
    _cleanup_(library_freep) Library *library = NULL;
    TRY(find_version(arena, path, &bundle.directory));
    TRY(saved_model_read(arena, bundle.directory, &tag, 1, &saved_model));
    TRY(signatures_read(arena, saved_model.meta_graph, &signatures, &bundle.n_signatures));
    TRY(library_new(saved_model.meta_graph->graph_def, &library));
    bundle.signatures = signatures;
    TRY(survey_signatures(library, arena, &bundle));
    *ret_bundle = bundle;
    return NULL;
}

static Error *no_such_signature(const Bundle *bundle, const char *name)
{
    Buf names;
    Error *error = NULL;
    buf_init(&names, NAMES_MAX_BYTES);
    for (size_t i = 0; i < bundle->n_signatures && error == NULL; i++)
        error = buf_printf(&names, "%s%s", i > 0 ? ", " : "", bundle->signatures[i].name);
    if (error == NULL)
        error = error_new(ERROR_NOT_FOUND, "there is no signature '%s'; the bundle has %.*s", name,
                          (int)names.size, names.size > 0 ? (const char *)names.data : "");
    buf_done(&names);
    return error;
}

Error *bundle_find(const Bundle *bundle, const char *name, size_t *ret_number)
{
    const char *wanted = name[0] != '\0' ? name : "serving_default";
    for (size_t i = 0; i < bundle->n_signatures; i++) {
        if (strcmp(bundle->signatures[i].name, wanted) == 0) {
            *ret_number = i;
            return NULL;
        }
    }
    if (name[0] != '\0' || bundle->n_signatures == 0)
        return no_such_signature(bundle, wanted);
    *ret_number = 0;
    return NULL;
}
