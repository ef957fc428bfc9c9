#include "core/dispatch.h"

#include "core/internal.h"
#include "core/office/office.h"
#include "core/standing/standing.h"
#include "room/log.h"
#include "wire/unpack.h"

/* Who may send a frame. */
enum {
    FROM_STRANGER = 1, /* a session that hasn't authenticated */
    FROM_KNOWN = 2,    /* a device, with or without an account */
    FROM_ACCOUNT = 4,  /* a device with an account */
    FROM_NODE = 8,     /* another node that dialled here: this node is the hub */
    FROM_HUB = 16,     /* another node that this one dialled */
    FROM_GUEST = 32,   /* another node that dialled here, and that nobody has invited yet */
};

static const struct {
    Hanse__Frame__BodyCase body;
    unsigned from;
    bool adds_data; /* refused with STORE_FULL where the store is full */
    hs_handler *handler;
} rows[] = {
    {HANSE__FRAME__BODY_AUTHENTICATE, FROM_STRANGER | FROM_KNOWN | FROM_ACCOUNT | FROM_NODE | FROM_GUEST,
     false, hs_handle_authenticate},
    {HANSE__FRAME__BODY_PING, FROM_KNOWN | FROM_ACCOUNT | FROM_NODE | FROM_HUB | FROM_GUEST, false,
     hs_handle_ping},
    {HANSE__FRAME__BODY_SIGN_UP, FROM_KNOWN | FROM_ACCOUNT, true, hs_handle_sign_up},
    {HANSE__FRAME__BODY_GET_INVITE, FROM_KNOWN | FROM_ACCOUNT | FROM_NODE | FROM_GUEST, false,
     hs_handle_get_invite},
    {HANSE__FRAME__BODY_BIND, FROM_ACCOUNT, true, hs_handle_bind},
    {HANSE__FRAME__BODY_CREATE_ROOM, FROM_ACCOUNT, true, hs_handle_create_room},
    {HANSE__FRAME__BODY_PUT_INVITE, FROM_ACCOUNT | FROM_NODE, true, hs_handle_put_invite},
    {HANSE__FRAME__BODY_JOIN, FROM_ACCOUNT | FROM_NODE | FROM_GUEST, true, hs_handle_join},
    {HANSE__FRAME__BODY_SUBMIT_COMMIT, FROM_ACCOUNT | FROM_NODE, true, hs_handle_submit_commit},
    {HANSE__FRAME__BODY_SUBMIT_MESSAGE, FROM_ACCOUNT | FROM_NODE, true, hs_handle_submit_message},
    {HANSE__FRAME__BODY_ATTACH, FROM_ACCOUNT | FROM_NODE | FROM_GUEST, false, hs_handle_attach},
    {HANSE__FRAME__BODY_CURSORS, FROM_ACCOUNT | FROM_NODE, false, hs_handle_cursors},
    {HANSE__FRAME__BODY_OPEN_COUNTER, FROM_ACCOUNT | FROM_NODE | FROM_GUEST, true, hs_handle_open_counter},
    {HANSE__FRAME__BODY_LEDGER, FROM_ACCOUNT | FROM_NODE | FROM_GUEST, true, hs_handle_ledger},
    {HANSE__FRAME__BODY_SHOW_PROOFS, FROM_ACCOUNT | FROM_NODE | FROM_GUEST, true, hs_handle_show_proofs},
    {HANSE__FRAME__BODY_GET_GROUP_INFO, FROM_ACCOUNT | FROM_NODE, false, hs_handle_get_group_info},
    {HANSE__FRAME__BODY_PUT_CHUNK, FROM_ACCOUNT | FROM_NODE, true, hs_handle_put_chunk},
    {HANSE__FRAME__BODY_GET_CHUNK, FROM_ACCOUNT | FROM_NODE, false, hs_handle_get_chunk},
    {HANSE__FRAME__BODY_CONFIRM, FROM_ACCOUNT | FROM_NODE, false, hs_handle_confirm},
    {HANSE__FRAME__BODY_EPHEMERAL, FROM_ACCOUNT | FROM_NODE | FROM_HUB, false, hs_handle_ephemeral},
    {HANSE__FRAME__BODY_PRESENCE, FROM_NODE, false, hs_handle_presence},
    {HANSE__FRAME__BODY_FORWARD, FROM_ACCOUNT, true, hs_handle_forward},
    {HANSE__FRAME__BODY_RECORDS, FROM_HUB, true, hs_handle_records},
    {HANSE__FRAME__BODY_INBOX, FROM_HUB, true, hs_handle_inbox},
    {HANSE__FRAME__BODY_MOVE_HOME, FROM_ACCOUNT | FROM_NODE | FROM_GUEST, true, hs_handle_move_home},
    {HANSE__FRAME__BODY_SET_WAKE, FROM_ACCOUNT, true, hs_handle_set_wake},
    {HANSE__FRAME__BODY_MOVE_HUB, FROM_ACCOUNT | FROM_NODE, true, hs_handle_move_hub},
    {HANSE__FRAME__BODY_WANT_TAIL, FROM_HUB | FROM_NODE, false, hs_handle_want_tail},
    {HANSE__FRAME__BODY_WANT_COMMIT, FROM_HUB, false, hs_handle_want_commit},
    {HANSE__FRAME__BODY_TAIL, FROM_ACCOUNT | FROM_NODE | FROM_GUEST, true, hs_handle_tail},
    {HANSE__FRAME__BODY_WAY, FROM_ACCOUNT | FROM_NODE | FROM_HUB | FROM_GUEST, true, hs_handle_way},
    {HANSE__FRAME__BODY_WHERE, FROM_NODE | FROM_HUB, false, hs_handle_where},
    {HANSE__FRAME__BODY_HEADS, FROM_NODE | FROM_HUB, true, hs_handle_heads},
};

static unsigned from_of(const struct hs_session *session)
{
    switch (session->state) {
    case HS_SESSION_NEW:
        return FROM_STRANGER;
    case HS_SESSION_DEVICE:
        return session->account ? FROM_ACCOUNT : FROM_KNOWN;
    case HS_SESSION_NODE:
        if (session->outbound)
            return FROM_HUB;
        return session->standing == HS_STANDING_STRANGER ? FROM_GUEST : FROM_NODE;
    }
    return 0;
}

void hs_reply_ack(struct hs_turn *turn, Hanse__Frame *reply)
{
    reply->ack = HS_NEW(turn, Hanse__Ack, hanse__ack);
    reply->body_case = HANSE__FRAME__BODY_ACK;
}

enum hs_err hs_handle_ping(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                           uint64_t *detail)
{
    (void)request;
    (void)detail;
    hs_reply_ack(turn, reply);
    return HS_OK;
}

/* fault: the frame itself has no place here, whatever its content. */
static enum hs_err run(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                       uint64_t *detail, size_t len, bool *fault)
{
    unsigned from = from_of(turn->session);
    HS_REQUIRE(from != FROM_HUB || hs_standing_spend_hub(turn, HS_FLOW_HUB_BYTES, len), HS_ERR_RATE_LIMITED);
    HS_REQUIRE(from == FROM_HUB || hs_standing_spend(turn, len), HS_ERR_RATE_LIMITED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].body != request->body_case)
            continue;
        HS_REQUIRE(from != FROM_KNOWN || (rows[i].from & (FROM_KNOWN | FROM_ACCOUNT)) != FROM_ACCOUNT,
                   HS_ERR_NO_ACCOUNT);
        /* Of which nodes a room on its way here is known isn't known yet: what waits for it must not be lost.
         */
        HS_REQUIRE(from != FROM_GUEST || (rows[i].from & (FROM_GUEST | FROM_NODE)) != FROM_NODE,
                   hs_office_is_any_coming(turn) ? HS_ERR_RECOVERING : HS_ERR_DENIED);
        *fault = (rows[i].from & from) == 0;
        HS_REQUIRE(!*fault, HS_ERR_UNEXPECTED);
        HS_REQUIRE(!(rows[i].adds_data && turn->full), HS_ERR_STORE_FULL);
        return rows[i].handler(turn, request, reply, detail);
    }
    return HS_ERR_UNSUPPORTED;
}

/* What is only true for the moment, and of this node rather than of the post. */
static bool is_pause(enum hs_err err)
{
    return err == HS_ERR_RATE_LIMITED || err == HS_ERR_BUSY || err == HS_ERR_STORE_FULL;
}

/* Posts come through in the order in which a session sends them: behind one that was refused for the moment
 * the others wait, until that one is said again, or its sender has had the time to. */
static enum hs_err run_in_order(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                uint64_t *detail, size_t len, bool *fault)
{
    struct hs_session *session = turn->session;
    if (request->body_case != HANSE__FRAME__BODY_SUBMIT_MESSAGE)
        return run(turn, request, reply, detail, len, fault);
    struct hs_bytes body = hs_pb_bytes(request->submit_message->message);
    if (turn->now.ms < session->held_post.until.ms) {
        HS_REQUIRE(body.len == session->held_post.len, session->held_post.err);
        struct hs_id hash = hs_record_body_hash(body);
        HS_REQUIRE(hs_id_equal(&hash, &session->held_post.body), session->held_post.err);
    }
    enum hs_err err = run(turn, request, reply, detail, len, fault);
    session->held_post.until.ms = 0;
    if (is_pause(err)) {
        session->held_post.body = hs_record_body_hash(body);
        session->held_post.len = body.len;
        session->held_post.err = err;
        session->held_post.until.ms = turn->now.ms + HS_HELD_POST_MS;
    }
    return err;
}

/* Errors that mean that the other side doesn't speak the protocol: it is told, and the session ends. What a
 * node forwards is its users': one of them must not be able to end the session of all. */
static bool ends_session(const struct hs_session *session, enum hs_err err, bool fault)
{
    bool garbage = err == HS_ERR_MALFORMED || err == HS_ERR_UNEXPECTED;
    return fault || session->state == HS_SESSION_NEW || (session->state == HS_SESSION_DEVICE && garbage);
}

/* What a hub sends is taken or the session is begun anew from what this node holds: nothing is passed over.
 */
static void refuse_hub(struct hs_turn *turn, enum hs_err err)
{
    hs_turn_log(turn, "event=hub-refused error=%s", hs_err_name(err));
    hs_turn_close(turn, turn->session, err);
}

static void refuse(struct hs_turn *turn, uint64_t id, enum hs_err err, uint64_t detail, bool fault)
{
    turn->core->stats.refused++;
    turn->core->stats.refused_by[-err < HS_STATS_ERRORS ? -err : 0]++;
    if (turn->session->outbound) {
        refuse_hub(turn, err);
        return;
    }
    hs_turn_send_error(turn, turn->session, id, err, detail);
    if (ends_session(turn->session, err, fault)) {
        hs_turn_log(turn, "event=closed session=%llu error=%s", (unsigned long long)turn->session->id,
                    hs_err_name(err));
        hs_turn_close(turn, turn->session, err);
    }
}

/* Memory that ran out is this machine's trouble and nobody's fault: the turn is void, and is carried out
 * again or dropped by its owner. */
static bool is_shortage(struct hs_turn *turn, enum hs_err err)
{
    if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
    return err == HS_ERR_NOMEM;
}

void hs_dispatch(struct hs_turn *turn, struct hs_bytes bytes)
{
    Hanse__Frame *request = NULL;
    Hanse__Frame reply = HANSE__FRAME__INIT;
    uint64_t detail = 0;
    bool fault = false;
    if (turn->session->closed) {
        (void)hs_effect_add(turn->effects, HS_EFFECT_CLOSE, turn->session->id);
        return;
    }
    turn->core->stats.requests++;
    enum hs_err err = HS_UNPACK(hanse__frame, bytes, HS_LENIENT, turn->arena, &request);
    if (is_shortage(turn, err))
        return;
    if (err != HS_OK) {
        refuse(turn, 0, err, 0, true);
        return;
    }
    if (turn->session->outbound &&
        (hs_peer_answered(turn, request) || request->body_case == HANSE__FRAME__BODY__NOT_SET))
        return; /* an answer; or a notification that a later version has added */
    err = run_in_order(turn, request, &reply, &detail, bytes.len, &fault);
    if (is_shortage(turn, err) || turn->kv->err != HS_OK)
        return; /* the whole transaction will be aborted */
    reply.id = request->id;
    if (err != HS_OK)
        refuse(turn, request->id, err, detail, fault);
    else if (reply.body_case != HANSE__FRAME__BODY__NOT_SET)
        hs_turn_send(turn, turn->session, &reply);
}
