/* Strangers take turns: what each of them costs is bounded by a turn of the loop, and by a round at the
 * commit thread, so that thousands who come at once delay those who are there by a few milliseconds. */
#include "net/state.h"

#include <sys/socket.h>

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* it is there so that the loop doesn't wait for sockets */
}

enum hs_err hs_turns_init(struct hs_net *net)
{
    TAILQ_INIT(&net->openings);
    HS_REQUIRE(uv_idle_init(&net->loop, &net->busy) == 0, HS_ERR_IO);
    return HS_OK;
}

void hs_turns_wait(struct hs_conn *conn)
{
    conn->waiting = true;
    conn->waits_since = uv_now(&conn->net->loop);
    TAILQ_INSERT_TAIL(&conn->net->openings, conn, openings_entry);
    uv_read_stop((uv_stream_t *)&conn->tcp);
}

void hs_turns_leave(struct hs_conn *conn)
{
    if (conn->waiting)
        TAILQ_REMOVE(&conn->net->openings, conn, openings_entry);
    conn->waiting = false;
}

/* One that has given up meanwhile isn't worth a handshake. */
static bool is_gone(const struct hs_conn *conn)
{
    uv_os_fd_t fd;
    char byte;
    return uv_fileno((const uv_handle_t *)&conn->tcp, &fd) != 0 ||
           recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void hs_turns_take(struct hs_net *net)
{
    unsigned left = net->config.limits.openings;
    struct hs_conn *conn;
    while ((conn = TAILQ_FIRST(&net->openings)) != NULL && left > 0) {
        hs_turns_leave(conn);
        hs_link_put_off(conn->link, (int64_t)(uv_now(&net->loop) - conn->waits_since));
        if (is_gone(conn)) {
            hs_conn_close(conn, HS_ERR_CLOSED);
            continue;
        }
        left--;
        hs_conn_take_turn(conn);
    }
    net->turns += left < net->config.limits.openings;
    net->accepts_left = HS_NET_ACCEPTS;
    hs_listen_go_on(net);
    if (conn != NULL || net->knocking)
        uv_idle_start(&net->busy, on_idle);
    else
        uv_idle_stop(&net->busy);
}

bool hs_turns_is_known(const struct hs_conn *conn)
{
    return conn->authenticated || conn->outbound;
}

bool hs_turns_may_ask(const struct hs_conn *conn)
{
    unsigned most = conn->net->config.limits.strangers, share = most / HS_NET_STRANGER_SHARE;
    return hs_turns_is_known(conn) ||
           (conn->net->strange_queued < most && conn->strange_queued < (share > 0 ? share : 1));
}

void hs_turns_asks(struct hs_conn *conn)
{
    if (hs_turns_is_known(conn))
        return;
    conn->strange_queued++;
    conn->net->strange_queued++;
}

void hs_turns_asked(struct hs_conn *conn)
{
    if (conn->strange_queued == 0)
        return;
    conn->strange_queued--;
    conn->net->strange_queued--;
}
