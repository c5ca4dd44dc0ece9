/* SPDX-License-Identifier: Apache-2.0
 *
 * Reflection. The services are those of the table of RPCs, what they consist of is in the
 * descriptors that the build makes of proto/. A question without an answer is answered with an
 * error inside the reply, and the stream goes on. A file is sent alone: clients ask for those of
 * its imports that they lack. https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
#include "server/service/reflection.h"

#include <string.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "model/base/message.h"
#include "proto/descriptors.h"
#include "server/service/descriptor.h"
#include "server/service/methods.h"
#include "server/service/reply.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;
typedef Grpc__Reflection__V1__ServiceResponse Service;

#define ASKS(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define ANSWERS(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

/* Room for each kind of answer. */
typedef struct Answer {
    Response response;
    ProtobufCBinaryData file;
    Grpc__Reflection__V1__FileDescriptorResponse files;
    Grpc__Reflection__V1__ExtensionNumberResponse extensions;
    Grpc__Reflection__V1__ListServiceResponse services;
    Grpc__Reflection__V1__ErrorResponse error;
} Answer;

static Bytes descriptors(void)
{
    return (Bytes){ proto_descriptors, proto_descriptors_size };
}

static void set_error(Answer *answer, ErrorCode code, char *text)
{
    grpc__reflection__v1__error_response__init(&answer->error);
    answer->error.error_code = (int32_t)code;
    answer->error.error_message = text;
    answer->response.message_response_case = ANSWERS(ERROR_RESPONSE);
    answer->response.error_response = &answer->error;
}

static Error *set_not_found(Answer *answer, Arena *arena, const char *what, const char *name)
{
    char *text = arena_printf(arena, "%s not found: %s", what, name);
    if (text == NULL)
        return error_out_of_memory();
    set_error(answer, ERROR_NOT_FOUND, text);
    return NULL;
}

static void set_file(Answer *answer, Bytes file)
{
    /* protobuf-c has no const; packing only reads. */
    answer->file = (ProtobufCBinaryData){ file.size, (uint8_t *)(uintptr_t)file.data };
    grpc__reflection__v1__file_descriptor_response__init(&answer->files);
    answer->files.n_file_descriptor_proto = 1;
    answer->files.file_descriptor_proto = &answer->file;
    answer->response.message_response_case = ANSWERS(FILE_DESCRIPTOR_RESPONSE);
    answer->response.file_descriptor_response = &answer->files;
}

/* "/package.Service/Method" without the method; a service's methods stand together in the table. */
static Bytes service_of(const Method *method)
{
    const char *name = method->path + 1;
    return (Bytes){ (const uint8_t *)name, (size_t)(strchr(name, '/') - name) };
}

static Error *set_services(Answer *answer, Arena *arena)
{
    grpc__reflection__v1__list_service_response__init(&answer->services);
    Service **services = arena_calloc(arena, methods_n, sizeof(Service *));
    if (services == NULL)
        return error_out_of_memory();
    size_t n = 0;
    for (size_t i = 0; i < methods_n; i++) {
        Bytes name = service_of(&methods[i]);
        if (i > 0 && bytes_equal(name, service_of(&methods[i - 1])))
            continue;
        Service *service = arena_alloc(arena, sizeof(*service));
        char *text = arena_strndup(arena, (const char *)name.data, name.size);
        if (service == NULL || text == NULL)
            return error_out_of_memory();
        grpc__reflection__v1__service_response__init(service);
        service->name = text;
        services[n++] = service;
    }
    answer->services.n_service = n;
    answer->services.service = services;
    answer->response.message_response_case = ANSWERS(LIST_SERVICES_RESPONSE);
    answer->response.list_services_response = &answer->services;
    return NULL;
}

/* None of our messages can be extended: the known ones have no extension. */
static Error *set_extensions(Answer *answer, Arena *arena, char *type)
{
    Bytes file;
    if (!descriptor_find_message(descriptors(), bytes_of_text(type), &file))
        return set_not_found(answer, arena, "Type", type);
    grpc__reflection__v1__extension_number_response__init(&answer->extensions);
    answer->extensions.base_type_name = type;
    answer->response.message_response_case = ANSWERS(ALL_EXTENSION_NUMBERS_RESPONSE);
    answer->response.all_extension_numbers_response = &answer->extensions;
    return NULL;
}

static Error *fill(Answer *answer, Arena *arena, const Request *request)
{
    static char nothing_asked[] = "message_request is not set";
    Bytes file;
    switch (request->message_request_case) {
    case ASKS(LIST_SERVICES):
        return set_services(answer, arena);
    case ASKS(FILE_BY_FILENAME):
        if (!descriptor_find_file(descriptors(), bytes_of_text(request->file_by_filename), &file))
            return set_not_found(answer, arena, "File", request->file_by_filename);
        set_file(answer, file);
        return NULL;
    case ASKS(FILE_CONTAINING_SYMBOL):
        if (!descriptor_find_symbol(descriptors(), bytes_of_text(request->file_containing_symbol),
                                    &file))
            return set_not_found(answer, arena, "Symbol", request->file_containing_symbol);
        set_file(answer, file);
        return NULL;
    case ASKS(FILE_CONTAINING_EXTENSION):
        return set_not_found(answer, arena, "Extension of",
                             request->file_containing_extension->containing_type);
    case ASKS(ALL_EXTENSION_NUMBERS_OF_TYPE):
        return set_extensions(answer, arena, request->all_extension_numbers_of_type);
    default:
        set_error(answer, ERROR_INVALID_ARGUMENT, nothing_asked);
        return NULL;
    }
}

static Error *reflect(Call *call)
{
    Arena *arena = call_arena(call);
    Bytes wire = call_request(call);
    ProtobufCMessage *message;
    TRY(message_unpack(arena, &grpc__reflection__v1__server_reflection_request__descriptor,
                       "the request", wire.data, wire.size, &message));
    Request *request = (Request *)message;
    Answer answer;
    grpc__reflection__v1__server_reflection_response__init(&answer.response);
    answer.response.valid_host = request->host;
    answer.response.original_request = request;
    TRY(fill(&answer, arena, request));
    return reply_message(call, &answer.response.base);
}

void reflection_handle(Call *call, void *context)
{
    (void)context;
    reply_error(call, reflect(call));
}
