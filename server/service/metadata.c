/* SPDX-License-Identifier: Apache-2.0
 *
 * GetModelMetadata. The one metadata that there is are the signatures, as the bundle has them.
 */
#include "server/service/metadata.h"

#include "server/service/reply.h"
#include "server/service/request.h"
#include "server/service/worker.h"

static Error *check_fields(const MetadataRequest *request)
{
    if (!request->spec.is_there)
        return spec_missing();
    if (request->n_fields == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "GetModelMetadataRequest must specify at least one metadata_field");
    for (size_t i = 0; i < request->n_fields; i++)
        if (!bytes_equal(request->fields[i], bytes_of_text("signature_def")))
            return error_new(ERROR_INVALID_ARGUMENT, "Metadata field %.*s is not supported",
                             SHOWN(request->fields[i]));
    return NULL;
}

static Error *metadata(Call *call, Worker *worker)
{
    _cleanup_(handle_release) Handle handle = { 0 };
    MetadataRequest request;
    TRY(request_read_metadata(call_arena(call), call_request(call), &request));
    TRY(check_fields(&request));
    TRY(spec_acquire(&request.spec, worker->reader, &handle));
    return reply_signatures(call, &request.spec, handle.version,
                            model_signature_def_map(handle.model));
}

void metadata_handle(Call *call, void *context)
{
    reply_error(call, metadata(call, context));
}
