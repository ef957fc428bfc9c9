/* Accepts connections, within the caps: both are checked before a byte is read. */
#include "net/address.h"
#include "net/state.h"

#include <stdlib.h>
#include <sys/resource.h>

static void listen_again(struct hs_net *net);

static bool is_welcome(struct hs_net *net, struct hs_conn *conn)
{
    struct sockaddr_storage peer;
    int len = sizeof peer;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&peer, &len) != 0)
        return false;
    return hs_buckets_take(net->buckets, hs_address_owner(&peer), uv_now(&net->loop));
}

static void begin(struct hs_net *net, struct hs_conn *conn)
{
    struct hs_link *link = NULL;
    struct hs_time now = {(int64_t)uv_now(&net->loop)};
    if (!is_welcome(net, conn)) {
        net->refused++;
        hs_conn_close(conn, HS_ERR_RATE_LIMITED);
        return;
    }
    enum hs_err err = hs_link_new_responder(&net->transport, &net->config.transport_pub,
                                            hs_bytes(net->descriptor, net->descriptor_len), now, &link);
    if (err != HS_OK)
        hs_conn_close(conn, err);
    else
        hs_conn_begin(conn, link);
}

static void on_turned_away(uv_handle_t *handle)
{
    free(handle);
}

/* Past the cap: taken from the kernel's queue and closed, so that the others behind it are reached. */
static void turn_away(struct hs_net *net)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);
    net->refused++;
    if (tcp == NULL || uv_tcp_init(&net->loop, tcp) != 0) {
        free(tcp);
        listen_again(net);
        return;
    }
    int rc = uv_accept((uv_stream_t *)&net->listener, (uv_stream_t *)tcp);
    uv_close((uv_handle_t *)tcp, on_turned_away);
    if (rc != 0)
        listen_again(net);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct hs_net *net = listener->data;
    if (status != 0) { /* for lack of descriptors say: libuv would ask the system again and again */
        net->deaf = net->listening;
        listen_again(net);
        return;
    }
    net->knocking = net->accepts_left == 0;
    if (net->knocking)
        return; /* libuv holds this one, and listens again when it is taken */
    net->accepts_left--;
    struct hs_conn *conn = NULL;
    if (net->accepted < net->config.limits.connections)
        conn = hs_conn_new(net, false);
    if (conn == NULL) {
        turn_away(net);
        return;
    }
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) == 0) {
        begin(net, conn);
        return;
    }
    hs_conn_close(conn, HS_ERR_IO);
    listen_again(net);
}

void hs_listen_go_on(struct hs_net *net)
{
    if (net->knocking && net->listening)
        on_connection((uv_stream_t *)&net->listener, 0);
}

static enum hs_err bind_and_listen(struct hs_net *net)
{
    HS_REQUIRE(uv_tcp_init(&net->loop, &net->listener) == 0, HS_ERR_IO);
    net->listener.data = net;
    net->listening = net->listener_open = true;
    if (uv_tcp_bind(&net->listener, (struct sockaddr *)&net->bound, 0) != 0 ||
        uv_listen((uv_stream_t *)&net->listener, HS_NET_BACKLOG, on_connection) != 0)
        return HS_ERR_IO;
    int len = sizeof net->bound;
    HS_REQUIRE(uv_tcp_getsockname(&net->listener, (struct sockaddr *)&net->bound, &len) == 0, HS_ERR_IO);
    hs_address_text((struct sockaddr *)&net->bound, net->address);
    return HS_OK;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct hs_net *net = handle->data;
    net->listener_open = false;
    if (net->stopping)
        hs_net_check_stopped(net);
    else if (!net->deaf && bind_and_listen(net) != HS_OK)
        hs_net_log(net, HS_NET_ERROR, "event=listen-failed");
}

void hs_listen_sweep(struct hs_net *net)
{
    if (!net->deaf || net->listener_open || net->stopping)
        return;
    net->deaf = false;
    if (bind_and_listen(net) != HS_OK)
        hs_net_log(net, HS_NET_ERROR, "event=listen-failed");
}

/* A connection that wasn't accepted leaves libuv's listener deaf (1.44): it is made anew, on the same port.
 */
static void listen_again(struct hs_net *net)
{
    if (!net->listening)
        return;
    hs_net_log(net, HS_NET_WARN, "event=listen-again");
    net->listening = net->knocking = false;
    uv_close((uv_handle_t *)&net->listener, on_listener_closed);
}

/* The cap is never more than the descriptors that the system gives. */
static void fit_files(struct hs_net *net)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    rlim_t usable =
        files.rlim_cur > 2 * HS_NET_SPARE_FILES ? files.rlim_cur - HS_NET_SPARE_FILES : HS_NET_SPARE_FILES;
    if (net->config.limits.connections > usable) {
        net->config.limits.connections = (unsigned)usable;
        hs_net_log(net, HS_NET_WARN, "event=few-files connections=%u", net->config.limits.connections);
    }
}

enum hs_err hs_listen_start(struct hs_net *net)
{
    HS_REQUIRE(hs_address_parse(net->config.listen, &net->bound) == HS_OK, HS_ERR_INVALID_ARG);
    fit_files(net);
    return bind_and_listen(net);
}

void hs_listen_stop(struct hs_net *net)
{
    if (!net->listening)
        return;
    net->listening = net->knocking = false;
    uv_close((uv_handle_t *)&net->listener, on_listener_closed);
}
