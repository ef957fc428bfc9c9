#include "net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = HS_LINK_INPUT_MAX };

struct hs_conn {
    int fd;
    bool connected, readable;
    struct hs_dial dial;
    size_t next_address;
    struct hs_time connect_until;
    struct hs_link *link;
    uint8_t buffer[READ_SIZE];
};

/* "host:port" or "[v6]:port", checked before it came here. */
static bool split(const char *address, char host[static HS_ADDRESS_MAX + 1], const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address)
        return false;
    const char *from = address;
    size_t len = (size_t)(colon - address);
    if (address[0] == '[' && len >= 2 && colon[-1] == ']') {
        from++;
        len -= 2;
    }
    if (len > HS_ADDRESS_MAX)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

static int socket_begin(const struct addrinfo *info)
{
    int one = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, info->ai_addr, info->ai_addrlen) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

static int connect_begin(const char *address)
{
    char host[HS_ADDRESS_MAX + 1];
    const char *port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
    if (!split(address, host, &port) || getaddrinfo(host, port, &hints, &list) != 0)
        return -1;
    int fd = -1;
    for (const struct addrinfo *at = list; at != NULL && fd < 0; at = at->ai_next)
        fd = socket_begin(at);
    freeaddrinfo(list);
    return fd;
}

/* The next address that a socket can be opened for. */
static enum hs_err try_next(struct hs_conn *conn, struct hs_time now)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    while (conn->fd < 0 && conn->next_address < conn->dial.address_count)
        conn->fd = connect_begin(conn->dial.addresses[conn->next_address++]);
    conn->connect_until.ms = now.ms + HS_CONN_CONNECT_MS;
    return conn->fd >= 0 ? HS_OK : HS_ERR_UNREACHABLE;
}

enum hs_err hs_conn_open(const struct hs_dial *dial, struct hs_time now, struct hs_conn **out)
{
    struct hs_conn *conn = calloc(1, sizeof *conn);
    HS_REQUIRE(conn != NULL, HS_ERR_NOMEM);
    conn->fd = -1;
    conn->dial = *dial;
    enum hs_err err = try_next(conn, now);
    if (err != HS_OK) {
        hs_conn_free(conn);
        return err;
    }
    *out = conn;
    return HS_OK;
}

void hs_conn_free(struct hs_conn *conn)
{
    if (conn == NULL)
        return;
    if (conn->fd >= 0)
        close(conn->fd);
    hs_link_free(&conn->link);
    hs_wipe(conn, sizeof *conn);
    free(conn);
}

int hs_conn_fd(const struct hs_conn *conn)
{
    return conn->fd;
}

bool hs_conn_wants_write(const struct hs_conn *conn)
{
    return !conn->connected || (conn->link != NULL && hs_link_queued(conn->link) > 0);
}

struct hs_time hs_conn_deadline(const struct hs_conn *conn)
{
    return conn->link != NULL ? hs_link_deadline(conn->link) : conn->connect_until;
}

static enum hs_err connected(struct hs_conn *conn, struct hs_time now)
{
    conn->connected = true;
    return conn->dial.knows_node ? hs_link_new_initiator(&conn->dial.own, &conn->dial.node, now, &conn->link)
                                 : hs_link_new_asker(now, &conn->link);
}

/* A socket in the making: done, failed (then the next address), or not yet. */
static enum hs_err connect_go_on(struct hs_conn *conn, struct hs_time now)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    if (getpeername(conn->fd, (struct sockaddr *)&peer, &len) == 0)
        return connected(conn, now);
    int fault = 0;
    len = sizeof fault;
    (void)getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &fault, &len);
    if (fault != 0 || now.ms >= conn->connect_until.ms)
        return try_next(conn, now);
    return HS_OK;
}

enum hs_err hs_conn_flush(struct hs_conn *conn)
{
    if (!conn->connected)
        return HS_OK;
    for (;;) {
        struct hs_bytes out = hs_link_output(conn->link);
        if (out.len == 0)
            return HS_OK;
        ssize_t n = send(conn->fd, out.data, out.len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return HS_OK;
        HS_REQUIRE(n > 0, HS_ERR_CLOSED);
        hs_link_output_done(conn->link, (size_t)n);
    }
}

static enum hs_err take_in(struct hs_conn *conn)
{
    ssize_t n = recv(conn->fd, conn->buffer, sizeof conn->buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return HS_OK;
    HS_REQUIRE(n > 0, HS_ERR_CLOSED);
    return hs_link_input(conn->link, hs_bytes(conn->buffer, (size_t)n));
}

enum hs_err hs_conn_step(struct hs_conn *conn, struct hs_time now)
{
    if (!conn->connected)
        HS_TRY(connect_go_on(conn, now));
    if (!conn->connected)
        return HS_OK;
    HS_TRY(hs_link_tick(conn->link, now));
    HS_TRY(hs_conn_flush(conn));
    return take_in(conn);
}

enum hs_err hs_conn_next(struct hs_conn *conn, struct hs_link_event *event)
{
    *event = (struct hs_link_event){.kind = HS_LINK_NONE};
    return conn->link != NULL ? hs_link_next(conn->link, event) : HS_OK;
}

enum hs_err hs_conn_start(struct hs_conn *conn, const struct hs_key *node)
{
    return hs_link_start(conn->link, &conn->dial.own, node);
}

enum hs_err hs_conn_send(struct hs_conn *conn, struct hs_bytes frame)
{
    HS_REQUIRE(conn->link != NULL, HS_ERR_CLOSED);
    return hs_link_send(conn->link, frame);
}

void hs_conn_set_authenticated(struct hs_conn *conn)
{
    hs_link_set_authenticated(conn->link);
}
