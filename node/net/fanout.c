/* What is due to many sessions at once is sealed and written by several threads, each session by one of them;
 * the loop's own, which owns them all, waits meanwhile. They do no more than that: whatever else comes of it,
 * a full socket or a connection that is gone, the loop's thread sees to afterwards. */
#include "base/prefetch.h"
#include "net/crew.h"
#include "net/state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { AHEAD = 2 /* sessions: a write takes as long as what the one after the next needs takes to come */ };

/* What one session is due. */
struct share {
    struct hs_conn *conn;
    size_t from, to; /* effects */
    size_t sent, written;
    enum hs_err err;
};

struct hs_fanout {
    struct hs_crew *crew;
    const struct hs_effect *effects; /* of this round */
    struct share *shares;
    size_t len, size;
};

static void write_share(struct share *share)
{
    struct hs_conn *conn = share->conn;
    uv_os_fd_t fd;
    struct hs_bytes out = hs_link_output(conn->link);
    if (out.len == 0)
        share->err = HS_ERR_NOMEM; /* it couldn't be sealed */
    if (out.len == 0 || uv_fileno((const uv_handle_t *)&conn->tcp, &fd) != 0)
        return;
    ssize_t done = send(fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done <= 0)
        return; /* libuv will see the same */
    hs_link_output_done(conn->link, (size_t)done);
    share->written = (size_t)done;
}

/* All that a session has lies where it was when it came: with hundreds of them none is in the cache, and
 * waiting for that takes as long as the sealing. */
static void expect(const struct hs_conn *conn)
{
    hs_prefetch(&conn->tcp, sizeof conn->tcp);
    hs_link_expect(conn->link);
}

/* On any thread. */
static void carry_out(void *arg, size_t i)
{
    struct hs_fanout *f = arg;
    struct share *share = &f->shares[i];
    if (i + AHEAD < f->len)
        expect(f->shares[i + AHEAD].conn);
    for (size_t at = share->from; at < share->to && share->err == HS_OK; at++) {
        share->err = hs_link_send(share->conn->link, f->effects[at].bytes);
        share->sent += share->err == HS_OK ? f->effects[at].bytes.len : 0;
    }
    if (share->err == HS_OK && !share->conn->writing)
        write_share(share);
}

static void settle(struct hs_net *net, const struct share *share)
{
    struct hs_conn *conn = share->conn;
    if (share->written > 0) {
        net->bytes_out += share->written;
        conn->progress = uv_now(&net->loop);
    }
    if (hs_conn_sent(conn, share->sent, share->err))
        hs_conn_flush(conn);
}

static bool add(struct hs_fanout *f, struct hs_conn *conn, size_t from, size_t to)
{
    if (f->len == f->size) {
        size_t size = f->size > 0 ? 2 * f->size : 256;
        struct share *grown = realloc(f->shares, size * sizeof *grown);
        if (grown == NULL)
            return false;
        f->shares = grown;
        f->size = size;
    }
    f->shares[f->len++] = (struct share){.conn = conn, .from = from, .to = to};
    conn->lent = true;
    return true;
}

/* The effects from there on that belong together, and whether they can be lent: frames only. */
static size_t end_of(const struct hs_effects *effects, size_t from, bool *frames)
{
    size_t to = from;
    *frames = true;
    for (; to < effects->len && effects->list[to].session == effects->list[from].session; to++)
        *frames = *frames && effects->list[to].kind == HS_EFFECT_SEND;
    return to;
}

/* One share for each session, as far as they go: a session that comes again waits until the first is done. */
static size_t gather(struct hs_net *net, const struct hs_effects *effects, size_t from, struct hs_fanout *f)
{
    while (from < effects->len) {
        bool frames;
        size_t to = end_of(effects, from, &frames);
        struct hs_conn *conn = frames ? hs_conn_find(net, effects->list[from].session) : NULL;
        if (!frames || (conn != NULL && conn->lent))
            break;
        if (conn != NULL && conn->state == CONN_OPEN && !add(f, conn, from, to))
            break;
        from = to;
    }
    return from;
}

size_t hs_fanout_carry_out(struct hs_net *net, const struct hs_effects *effects, size_t from)
{
    struct hs_fanout *f = net->fanout;
    if (effects->len - from < HS_NET_FANOUT_MIN)
        return from;
    f->effects = effects->list;
    f->len = 0;
    size_t to = gather(net, effects, from, f);
    for (size_t i = 0; i < f->len; i++)
        f->shares[i].conn->lent = false;
    if (f->len < HS_NET_FANOUT_MIN)
        return from;
    hs_crew_run(f->crew, carry_out, f, f->len);
    for (size_t i = 0; i < f->len; i++)
        settle(net, &f->shares[i]);
    return to;
}

enum hs_err hs_fanout_new(unsigned helpers, struct hs_fanout **out)
{
    unsigned cores = uv_available_parallelism();
    struct hs_fanout *f = calloc(1, sizeof *f);
    HS_REQUIRE(f != NULL, HS_ERR_NOMEM);
    enum hs_err err = hs_crew_new(helpers < cores ? helpers : cores - 1, &f->crew);
    if (err != HS_OK)
        free(f);
    else
        *out = f;
    return err;
}

void hs_fanout_free(struct hs_fanout *f)
{
    if (f == NULL)
        return;
    hs_crew_free(f->crew);
    free(f->shares);
    free(f);
}
