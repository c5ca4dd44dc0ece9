/* SPDX-License-Identifier: Apache-2.0
 *
 * Listen: adds ports to gRPC core's server. gRPC core says only that it could not: what the reason
 * may be is asked of the system here.
 */
#include "server/grpc/listen.h"

#include <errno.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/base/log.h"

/* Why the address cannot be listened on; 0 when it can. */
static int try_address(const struct sockaddr *address, socklen_t bytes)
{
    int on = 1, e = 0;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, address, bytes) != 0 || listen(fd, 1) != 0)
        e = errno;
    if (fd >= 0)
        close(fd);
    return e;
}

static Error *port_error(int port, bool has_tls)
{
    const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    int e = try_address((const struct sockaddr *)&any, sizeof(any));
    if (e == 0 && has_tls)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "cannot listen on port %d: server_key and server_cert, or custom_ca, of "
                         "the TLS configuration are no PEM texts that belong together",
                         port);
    return error_new(ERROR_UNAVAILABLE, "cannot listen on port %d: %s", port,
                     e != 0 ? strerror(e) : "it was in use a moment ago");
}

static Error *socket_error(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t size = strlen(path);
    if (size >= sizeof(address.sun_path))
        return error_new(
            ERROR_UNAVAILABLE,
            "cannot listen on socket %s: the path has %zu bytes, the system allows %zu", path, size,
            sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, size);
    int e = try_address((const struct sockaddr *)&address, sizeof(address));
    if (e == 0)
        unlink(path); /* ours: there was none before */
    return error_new(ERROR_UNAVAILABLE, "cannot listen on socket %s: %s", path,
                     e != 0 ? strerror(e) : "gRPC refuses it");
}

static grpc_server_credentials *make_credentials(const ListenTls *tls)
{
    if (tls == NULL)
        return grpc_insecure_server_credentials_create();
    grpc_ssl_pem_key_cert_pair pair = { tls->key, tls->certificate };
    return grpc_ssl_server_credentials_create_ex(
        tls->client_roots, &pair, 1,
        tls->verify_client ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                           : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        NULL);
}

/* With a port the socket is an extra, which must not end the server. */
static Error *add_socket(grpc_server *grpc, const ListenOptions *options,
                         grpc_server_credentials *credentials)
{
    char address[sizeof("unix:") + sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    int n = snprintf(address, sizeof(address), "unix:%s", options->socket_path);
    if (n < (int)sizeof(address) && grpc_server_add_http2_port(grpc, address, credentials) > 0)
        return NULL;
    Error *error = socket_error(options->socket_path);
    if (options->port == 0)
        return error;
    log_error_free(LOG_WARNING, "server", error, "serving on port %d alone", options->port);
    return NULL;
}

static Error *add_all(grpc_server *grpc, const ListenOptions *options,
                      grpc_server_credentials *credentials)
{
    /* The wildcard of IPv6 takes IPv4 too; where there is no IPv6, gRPC core takes IPv4 alone. */
    char address[32];
    snprintf(address, sizeof(address), "[::]:%d", options->port);
    if (options->port != 0 &&
        grpc_server_add_http2_port(grpc, address, credentials) != options->port)
        return port_error(options->port, options->tls != NULL);
    /* The port first: a server that is started twice by mistake must not take the other's socket. */
    if (options->socket_path != NULL && options->socket_path[0] != '\0')
        TRY(add_socket(grpc, options, credentials));
    return NULL;
}

Error *listen_add(grpc_server *grpc, const ListenOptions *options)
{
    grpc_server_credentials *credentials = make_credentials(options->tls);
    if (credentials == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "the TLS configuration cannot be used");
    Error *error = add_all(grpc, options, credentials);
    grpc_server_credentials_release(credentials);
    return error;
}
