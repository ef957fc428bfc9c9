/* What is due to many sessions at once is sealed and written by several threads, each session by one of them;
 * the loop's own, which owns them all, waits meanwhile. They do no more than that: whatever else comes of it,
 * a full socket or a connection that is gone, the loop's thread sees to afterwards.
 *
 * While the disk is still writing the loop's thread seals already what it comes to. Such a connection is
 * held: not a byte of it leaves before the round is through. */
#include "base/prefetch.h"
#include "net/crew.h"
#include "net/state.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { PIECE = 8 /* shares, after which it is looked whether the round is through */ };
enum { AHEAD = 2 /* sessions: a write takes as long as what the one after the next needs takes to come */ };

/* What one session is due. */
struct share {
    uint64_t session;
    struct hs_conn *conn;
    size_t from, to; /* of what is due */
    size_t sent, written;
    enum hs_err err;
    bool sealed;
};

struct hs_fanout {
    struct hs_crew *crew;
    const struct hs_effect *effects; /* of this round */
    struct share *shares;
    size_t len, size;
    const struct hs_effects *ahead; /* the shares are of its beginning, before they may leave; or NULL */
    size_t ahead_to;                /* where they end */
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

static void queue(const struct hs_fanout *f, struct share *share)
{
    for (size_t at = share->from; at < share->to && share->err == HS_OK; at++) {
        share->err = hs_link_send(share->conn->link, f->effects[at].bytes);
        share->sent += share->err == HS_OK ? f->effects[at].bytes.len : 0;
    }
}

/* On any thread. */
static void carry_out(void *arg, size_t i)
{
    struct hs_fanout *f = arg;
    struct share *share = &f->shares[i];
    if (i + AHEAD < f->len)
        expect(f->shares[i + AHEAD].conn);
    if (!share->sealed)
        queue(f, share);
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
    f->shares[f->len++] = (struct share){.session = conn->session, .conn = conn, .from = from, .to = to};
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
static size_t gather(struct hs_net *net, const struct hs_effects *due, size_t from, struct hs_fanout *f)
{
    f->effects = due->list;
    f->len = 0;
    while (from < due->len) {
        bool frames;
        size_t to = end_of(due, from, &frames);
        struct hs_conn *conn = frames ? hs_conn_find(net, due->list[from].session) : NULL;
        if (!frames || (conn != NULL && conn->lent))
            break;
        if (conn != NULL && conn->state == CONN_OPEN && !add(f, conn, from, to))
            break;
        from = to;
    }
    for (size_t i = 0; i < f->len; i++)
        f->shares[i].conn->lent = false;
    return from;
}

/* Those that the round answers, too, get that first. */
static void mark_answered(struct hs_net *net, const struct hs_syncing *syncing, bool answered)
{
    for (size_t i = 0; i < syncing->len; i++) {
        struct hs_conn *conn = hs_conn_find(net, syncing->effects[i].session);
        if (conn != NULL)
            conn->answered = answered;
    }
}

/* Seals what a session is due, where nothing else is before it. */
static size_t seal(const struct hs_fanout *f, struct share *share)
{
    struct hs_conn *conn = share->conn;
    if (conn->answered || conn->writing || hs_link_queued(conn->link) > 0)
        return 0;
    queue(f, share);
    share->sealed = conn->held = true;
    return hs_link_output(conn->link).len;
}

void hs_fanout_prepare(struct hs_net *net, const struct hs_syncing *syncing)
{
    struct hs_fanout *f = net->fanout;
    size_t bytes = 0;
    if (f->ahead == &syncing->round->due)
        return;
    f->ahead_to = gather(net, &syncing->round->due, 0, f);
    f->ahead = f->len >= HS_NET_FANOUT_MIN ? &syncing->round->due : NULL;
    if (f->ahead == NULL)
        return;
    mark_answered(net, syncing, true);
    for (size_t i = 0; i < f->len && bytes < HS_NET_AHEAD_BYTES; i++) {
        if (i % PIECE == 0) {
            (void)sched_yield(); /* on one core the commit thread would wait for this one */
            if (hs_round_is_through(syncing->round))
                break;
        }
        if (i + AHEAD < f->len)
            expect(f->shares[i + AHEAD].conn);
        bytes += seal(f, &f->shares[i]);
        net->sealed_ahead += f->shares[i].sealed;
    }
    mark_answered(net, syncing, false);
}

/* Those of the shares that are still there, and may be written now. */
static void let_go(struct hs_net *net, struct hs_fanout *f)
{
    size_t len = 0;
    for (size_t i = 0; i < f->len; i++) {
        struct hs_conn *conn = hs_conn_find(net, f->shares[i].session);
        if (conn == NULL)
            continue;
        conn->held = false;
        if (conn->state == CONN_OPEN)
            f->shares[len++] = f->shares[i];
    }
    f->len = len;
}

size_t hs_fanout_carry_out(struct hs_net *net, const struct hs_effects *due, size_t from)
{
    struct hs_fanout *f = net->fanout;
    bool prepared = f->ahead == due;
    size_t to = f->ahead_to;
    f->ahead = NULL;
    if (prepared)
        let_go(net, f);
    else if (due->len - from < HS_NET_FANOUT_MIN)
        return from;
    else
        to = gather(net, due, from, f);
    if (!prepared && f->len < HS_NET_FANOUT_MIN)
        return from;
    hs_crew_run(f->crew, carry_out, f, f->len);
    for (size_t i = 0; i < f->len; i++)
        settle(net, &f->shares[i]);
    return to;
}

void hs_fanout_withdraw(struct hs_net *net, const struct hs_effects *due, enum hs_err why)
{
    net->fanout->ahead = NULL;
    hs_net_log(net, HS_NET_WARN, "event=withdrawn frames=%zu error=%s", due->len, hs_err_name(why));
    for (size_t i = 0; i < due->len; i++) {
        struct hs_conn *conn = hs_conn_find(net, due->list[i].session);
        if (conn != NULL && conn->held)
            hs_conn_close(conn, why);
        else if (conn != NULL)
            hs_conn_linger(conn); /* with its answers */
    }
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
