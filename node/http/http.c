#include "http/http.h"

#include "net/address.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Places beyond what is served: the library stops accepting at its own limit, and would then never ask. */
enum { SPARE_CONNECTIONS = 8, BACKLOG = 64 };

/* Who is connected. Touched by the server's thread alone. */
struct caller {
    int fd; /* -1: a free place */
    int64_t since;
};

struct hs_http {
    struct MHD_Daemon *daemon;
    struct hs_http_page pages[HS_HTTP_PAGES];
    size_t page_count;
    struct caller callers[HS_HTTP_CONNECTIONS];
    size_t caller_count;
    char address[64];
};

/* Nothing here is meant for frames, scripts or caches; whoever serves a page with a style names it there. */
static const char *const headers[][2] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
                                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"Connection", "close"},
};

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connection_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info != NULL ? info->connect_fd : -1;
}

/* Before a connection is taken: those that have had their time make place. */
static enum MHD_Result on_accept(void *arg, const struct sockaddr *address, socklen_t len)
{
    struct hs_http *http = arg;
    (void)address, (void)len;
    if (http->caller_count < HS_HTTP_CONNECTIONS)
        return MHD_YES;
    int64_t now = monotonic_ms();
    for (size_t i = 0; i < HS_HTTP_CONNECTIONS; i++)
        if (http->callers[i].fd >= 0 && now - http->callers[i].since >= HS_HTTP_LIFE_MS)
            shutdown(http->callers[i].fd, SHUT_RDWR);
    return MHD_NO;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_arg,
                          enum MHD_ConnectionNotificationCode code)
{
    struct hs_http *http = arg;
    struct caller *caller = *socket_arg;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (caller != NULL) {
            caller->fd = -1;
            http->caller_count--;
        }
        return;
    }
    for (size_t i = 0; i < HS_HTTP_CONNECTIONS && *socket_arg == NULL; i++) {
        if (http->callers[i].fd >= 0)
            continue;
        http->callers[i] = (struct caller){.fd = connection_fd(connection), .since = monotonic_ms()};
        http->caller_count++;
        *socket_arg = &http->callers[i];
    }
}

static unsigned status_of(enum hs_err err)
{
    if (err == HS_OK)
        return MHD_HTTP_OK;
    if (err == HS_ERR_NOT_FOUND)
        return MHD_HTTP_NOT_FOUND;
    return hs_err_is_transient(err) ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

/* Takes the body. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              struct hs_writer *body)
{
    size_t len = 0;
    uint8_t *bytes = hs_writer_steal(body, &len);
    struct MHD_Response *response =
        bytes != NULL ? MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE)
                      : MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        free(bytes);
        return MHD_NO;
    }
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        (void)MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (type != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static const struct hs_http_page *find_page(const struct hs_http *http, const char *path)
{
    for (size_t i = 0; i < http->page_count; i++)
        if (strcmp(http->pages[i].path, path) == 0)
            return &http->pages[i];
    return NULL;
}

/* Called when the headers are there; the answer is given before any body is read, which then isn't. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload, size_t *len,
                                  void **request_arg)
{
    struct hs_http *http = arg;
    struct hs_writer HS_WRITER body = hs_writer(HS_HTTP_BODY_MAX);
    (void)version, (void)upload, (void)len, (void)request_arg;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, NULL, &body);
    const struct hs_http_page *page = find_page(http, path);
    if (page == NULL)
        return answer(connection, MHD_HTTP_NOT_FOUND, NULL, &body);
    enum hs_err err = page->render(page->arg, &body);
    if (err == HS_OK)
        err = body.err;
    if (err != HS_OK)
        hs_writer_free(&body);
    return answer(connection, status_of(err), err == HS_OK ? page->type : NULL, &body);
}

/* The library would bind too, but says neither why not nor, for IPv6, whether IPv4 comes along. */
static enum hs_err open_socket(const char *listen_at, char address[static 64], int *out)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    const int on = 1;
    HS_REQUIRE(hs_address_parse(listen_at, &bound) == HS_OK, HS_ERR_INVALID_ARG);
    int fd = socket(bound.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    HS_REQUIRE(fd >= 0, HS_ERR_IO);
    socklen_t size = bound.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&bound, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &len) != 0) {
        close(fd);
        return HS_ERR_IO;
    }
    hs_address_text((struct sockaddr *)&bound, address);
    *out = fd;
    return HS_OK;
}

static struct MHD_Daemon *start_daemon(struct hs_http *http, int fd)
{
    return MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, on_accept, http, on_request,
                            http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)(HS_HTTP_CONNECTIONS + SPARE_CONNECTIONS),
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HS_HTTP_IDLE_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HS_HTTP_MEMORY,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

/* A library that can't start has closed the socket, or hasn't, and its number may be another file's by now.
 */
static void close_if_open(int fd, const struct stat *socket)
{
    struct stat info;
    if (fstat(fd, &info) == 0 && info.st_dev == socket->st_dev && info.st_ino == socket->st_ino)
        close(fd);
}

enum hs_err hs_http_start(const char *listen_at, const struct hs_http_page *pages, size_t count,
                          struct hs_http **out)
{
    HS_REQUIRE(count <= HS_HTTP_PAGES, HS_ERR_INVALID_ARG);
    struct hs_http *http = calloc(1, sizeof *http);
    HS_REQUIRE(http != NULL, HS_ERR_NOMEM);
    int fd = -1;
    enum hs_err err = open_socket(listen_at, http->address, &fd);
    if (err == HS_OK) {
        if (count > 0)
            memcpy(http->pages, pages, count * sizeof *pages);
        http->page_count = count;
        for (size_t i = 0; i < HS_HTTP_CONNECTIONS; i++)
            http->callers[i].fd = -1;
        struct stat socket;
        HS_ASSERT(fstat(fd, &socket) == 0);
        http->daemon = start_daemon(http, fd);
        err = http->daemon != NULL ? HS_OK : HS_ERR_NOMEM;
        if (err != HS_OK)
            close_if_open(fd, &socket);
    }
    if (err != HS_OK) {
        free(http);
        return err;
    }
    *out = http;
    return HS_OK;
}

const char *hs_http_address(const struct hs_http *http)
{
    return http->address;
}

void hs_http_stop(struct hs_http *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon);
    free(http);
}
