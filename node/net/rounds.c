/* What the commit thread has finished: frames that are through, and the effects, which are safe to show now.
 */
#include "net/state.h"

static void input_done(struct hs_net *net, const struct hs_round_input *done)
{
    bool asked = done->input.kind == HS_INPUT_ADMIN;
    struct hs_conn *conn = asked ? NULL : hs_conn_find(net, done->input.session);
    if (done->dropped)
        net->dropped++;
    if (done->dropped && asked && net->config.admin != NULL)
        net->config.admin(net->config.admin_arg, done->input.session, HS_ERR_BUSY, (struct hs_bytes){0});
    if (conn == NULL)
        return;
    if (done->input.kind == HS_INPUT_FRAME) {
        hs_turns_asked(conn);
        conn->frames_queued--;
        conn->bytes_queued -= done->input.bytes.len;
    }
    if (done->dropped)
        hs_conn_close(conn, HS_ERR_STORE_FULL);
}

static void carry_out(struct hs_net *net, const struct hs_effect *effect)
{
    struct hs_conn *conn =
        effect->session != 0 && effect->kind != HS_EFFECT_ADMIN ? hs_conn_find(net, effect->session) : NULL;
    switch (effect->kind) {
    case HS_EFFECT_SEND:
        if (conn != NULL)
            hs_conn_send(conn, effect->bytes);
        return;
    case HS_EFFECT_AUTHENTICATED:
        if (conn != NULL && conn->state == CONN_OPEN) {
            conn->authenticated = true;
            hs_link_set_authenticated(conn->link);
        }
        return;
    case HS_EFFECT_CLOSE:
        if (conn != NULL)
            hs_conn_linger(conn);
        return;
    case HS_EFFECT_DIAL:
        hs_dial_start(net, effect);
        return;
    case HS_EFFECT_ADMIN:
        if (net->config.admin != NULL)
            net->config.admin(net->config.admin_arg, effect->session, effect->err, effect->bytes);
        return;
    case HS_EFFECT_WAKE:
        if (net->config.wake != NULL)
            net->config.wake(net->config.wake_arg, &effect->root, effect->text);
        return;
    case HS_EFFECT_DISCOVER:
        if (net->config.discover != NULL)
            net->config.discover(net->config.discover_arg, &effect->root, effect->text);
        return;
    case HS_EFFECT_BLOB_WRITE:
    case HS_EFFECT_BLOB_READ:
    case HS_EFFECT_BLOB_DELETE:
        hs_blobs_carry_out(net, effect);
        return;
    case HS_EFFECT_LOG:
        hs_net_log(net, HS_NET_INFO, "%s", effect->text);
        return;
    }
}

/* What is due to a session stands together in a round: it is sealed and written before the next session's is
 * touched, so that one piece of memory serves them all. */
static void carry_out_due(struct hs_net *net, const struct hs_effects *due, size_t from)
{
    for (size_t i = from; i < due->len; i++) {
        uint64_t session = due->list[i].session;
        carry_out(net, &due->list[i]);
        if (i + 1 < due->len && due->list[i + 1].session == session)
            continue;
        struct hs_conn *conn = session != 0 ? hs_conn_find(net, session) : NULL;
        if (conn != NULL && conn->due)
            hs_conn_flush(conn);
    }
}

/* Answers wait for what else their session gets. */
static void carry_out_all(struct hs_net *net, const struct hs_round *round)
{
    size_t at = 0, from;
    for (size_t i = 0; i < round->effects.len; i++)
        carry_out(net, &round->effects.list[i]);
    if (round->withdrawn != HS_OK) {
        hs_fanout_withdraw(net, &round->due, round->withdrawn);
        return;
    }
    do {
        from = at;
        at = hs_fanout_carry_out(net, &round->due, from);
    } while (at > from);
    carry_out_due(net, &round->due, at);
}

static void resume_stalled(struct hs_net *net, struct hs_conns *list)
{
    struct hs_conn *last = TAILQ_LAST(list, hs_conns), *conn = TAILQ_FIRST(list);
    /* Up to the one that was last: those that stall again go behind it. */
    while (conn != NULL && hs_commit_has_room(net->commit) &&
           (list != &net->strangers || net->strange_queued < net->config.limits.strangers)) {
        struct hs_conn *next = conn == last ? NULL : TAILQ_NEXT(conn, stalled_entry);
        hs_conn_resume(conn);
        conn = next;
    }
}

static void take_all(struct hs_net *net)
{
    struct hs_round *round;
    while ((round = hs_commit_take(net->commit)) != NULL) {
        for (size_t i = 0; i < round->len; i++)
            input_done(net, &round->inputs[i]);
        carry_out_all(net, round);
        hs_commit_give_back(net->commit, round);
    }
}

void hs_rounds_take(struct hs_net *net)
{
    struct hs_syncing syncing;
    take_all(net);
    if (hs_commit_syncing(net->commit, &syncing)) {
        hs_fanout_prepare(net, &syncing);
        take_all(net);
    }
    resume_stalled(net, &net->stalled);
    resume_stalled(net, &net->strangers);
}
