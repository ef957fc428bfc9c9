/* The session with the home node: who am I, have I an account, from where do I read. */
#include "crypto/hash.h"
#include "identity/auth.h"
#include "sync/move/move.h"

bool hs_home_is_online(const struct hs_sync *sync)
{
    return sync->session == HS_SESSION_ONLINE;
}

bool hs_sync_is_authenticated(const struct hs_sync *sync)
{
    return sync->session > HS_SESSION_AUTHENTICATING;
}

bool hs_sync_hangs_up(const struct hs_sync *sync)
{
    return sync->hang_up;
}

bool hs_sync_is_fault(enum hs_err err)
{
    return (int)err <= -100 && (int)err > -200;
}

bool hs_sync_is_own_trouble(enum hs_err err)
{
    return err == HS_ERR_NOMEM || err == HS_ERR_STORE || err == HS_ERR_STORE_FULL || err == HS_ERR_IO ||
           err == HS_ERR_SEAL;
}

enum hs_err hs_sync_blame(enum hs_err err)
{
    return err == HS_OK || hs_sync_is_own_trouble(err) || hs_sync_is_fault(err) ? err : HS_ERR_MALFORMED;
}

/* ---- dialling ---- */

static bool wants_session(const struct hs_sync *sync)
{
    return sync->me.has_home && (sync->stay_online || sync->ops != NULL);
}

static enum hs_err dial_home(struct hs_step *s, struct hs_dial *out)
{
    const struct hs_me *me = &s->sync->me;
    struct hs_self HS_SELF self;
    HS_TRY(hs_self_for(s, &me->home_root, &self));
    *out = (struct hs_dial){.root = me->home_root, .own = self.device.transport};
    if (me->home_descriptor.len == 0) {
        memcpy(out->addresses[0], me->home_address, sizeof me->home_address);
        out->address_count = 1;
        return HS_OK;
    }
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    HS_TRY(hs_object_unpack(me->home_descriptor, s->arena, &object));
    HS_TRY(hs_descriptor_open(object, &me->home_root, &d));
    memcpy(out->addresses, d.addresses, sizeof out->addresses);
    out->address_count = d.address_count;
    out->node = d.transport_key;
    /* A node may have got new keys: after a failure every other attempt asks for its descriptor first. */
    out->knows_node = s->sync->failures % 2 == 0;
    return HS_OK;
}

bool hs_sync_dial(struct hs_step *s, struct hs_dial *out)
{
    struct hs_sync *sync = s->sync;
    if (sync->session != HS_SESSION_OFF || !wants_session(sync) || s->now.ms < sync->next_try.ms)
        return false;
    if (dial_home(s, out) != HS_OK)
        return false;
    sync->session = HS_SESSION_DIALLING;
    return true;
}

/* Keys that the root has replaced are somebody else's by now, or of a node that was put back. */
static enum hs_err check_newer(struct hs_step *s, const struct hs_descriptor *d)
{
    Hanse__SignedObject *object;
    struct hs_descriptor known;
    if (s->sync->me.home_descriptor.len == 0)
        return HS_OK;
    HS_TRY(hs_object_unpack(s->sync->me.home_descriptor, s->arena, &object));
    HS_TRY(hs_descriptor_claimed(object, &known));
    bool same = hs_key_equal(&known.signing_key, &d->signing_key) &&
                hs_key_equal(&known.transport_key, &d->transport_key);
    return same || d->sequence > known.sequence ? HS_OK : HS_ERR_REPLAY;
}

enum hs_err hs_sync_descriptor(struct hs_step *s, struct hs_bytes bytes, struct hs_key *transport)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    HS_TRY(hs_object_unpack(bytes, s->arena, &object));
    HS_TRY(hs_descriptor_verify(object, &s->sync->me.home_root, s->now, &d));
    HS_TRY(check_newer(s, &d));
    *transport = d.transport_key;
    s->sync->me.home_descriptor = bytes;
    return hs_me_save(s);
}

/* ---- opening ---- */

static enum hs_err go_offline(struct hs_step *s, enum hs_err why)
{
    struct hs_sync *sync = s->sync;
    bool was_up = sync->session > HS_SESSION_DIALLING;
    sync->session = HS_SESSION_OFF;
    sync->caught_up = sync->hang_up = false;
    sync->failures = was_up && why == HS_ERR_CLOSED ? 1 : sync->failures + 1;
    int64_t wait = HS_RETRY_FIRST_MS;
    for (unsigned i = 1; i < sync->failures && wait < HS_RETRY_MAX_MS; i++)
        wait *= 2;
    if (wait > HS_RETRY_MAX_MS || why == HS_ERR_DEVICE_TWICE) /* the two shall not take turns all the time */
        wait = HS_RETRY_MAX_MS;
    sync->next_try.ms = s->now.ms + wait / 2 + (int64_t)randombytes_uniform((uint32_t)(wait / 2 + 1));
    hs_requests_drop(sync);
    for (struct hs_live_room *room = sync->rooms; room != NULL; room = room->next)
        room->move_told = false;
    hs_ops_idle(sync);
    hs_out_drop_frames(sync);
    struct hanse_event event = {.kind = HANSE_EVENT_OFFLINE, .err = (enum hanse_err)why};
    return hs_out_event(s, &event, NULL);
}

enum hs_err hs_sync_closed(struct hs_step *s, enum hs_err why)
{
    return s->sync->session != HS_SESSION_OFF ? go_offline(s, why) : HS_OK;
}

static enum hs_err authenticated(struct hs_step *s, const struct hs_request *request,
                                 const Hanse__Frame *frame, enum hs_err err)
{
    (void)request;
    HS_TRY(err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_AUTHENTICATED, HS_ERR_UNEXPECTED);
    HS_TRY(hs_proofs_seen(s, &s->sync->me.home_root, frame->authenticated->incarnation));
    if (!frame->authenticated->has_account)
        return hs_home_sign_up(s);
    if (!s->sync->me.has_account)
        HS_TRY(hs_home_confirmed(s));
    if (s->sync->me.ticket.len > 0)
        return hs_home_sign_up(s); /* the ticket may bring roles to an account that is there */
    return hs_home_attach(s);
}

enum hs_err hs_sync_opened(struct hs_step *s, const uint8_t *hash)
{
    struct hs_self HS_SELF self;
    struct hs_sig sig;
    HS_TRY(hs_self_for(s, &s->sync->me.home_root, &self));
    hs_auth_sign(&self.device.signature, hs_bytes(hash, 64), &sig);
    Hanse__Authenticate authenticate = HANSE__AUTHENTICATE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = authenticated};
    authenticate.certificate = self.certificate;
    authenticate.signature = hs_pb_data(HS_VIEW(sig));
    frame.body_case = HANSE__FRAME__BODY_AUTHENTICATE;
    frame.authenticate = &authenticate;
    s->sync->session = HS_SESSION_AUTHENTICATING;
    s->sync->heard = s->now;
    s->sync->asked = (struct hs_time){0};
    s->sync->traffic = 0;
    return hs_request_send(s, &frame, &request);
}

enum hs_err hs_home_traffic(struct hs_step *s)
{
    s->sync->traffic++;
    return HS_OK;
}

/* ---- time ---- */

struct hs_time hs_home_deadline(const struct hs_sync *sync)
{
    if (sync->session == HS_SESSION_OFF)
        return wants_session(sync) ? sync->next_try : HS_NEVER;
    if (sync->session == HS_SESSION_DIALLING)
        return HS_NEVER;
    struct hs_time first = hs_requests_deadline(sync);
    if (sync->session == HS_SESSION_ONLINE && sync->again_due.ms < first.ms)
        first = sync->again_due;
    if (sync->session == HS_SESSION_ONLINE && sync->joins_due.ms < first.ms)
        first = sync->joins_due;
    if (sync->session == HS_SESSION_ONLINE && sync->proofs_due.ms < first.ms)
        first = sync->proofs_due;
    if (sync->session == HS_SESSION_ONLINE && sync->heard.ms + HS_PING_MS < first.ms)
        first.ms = sync->heard.ms + HS_PING_MS;
    return first;
}

enum hs_err hs_home_tick(struct hs_step *s)
{
    struct hs_sync *sync = s->sync;
    if (sync->session <= HS_SESSION_DIALLING)
        return HS_OK;
    HS_REQUIRE(s->now.ms < hs_requests_deadline(sync).ms, HS_ERR_TIMEOUT);
    if (sync->session != HS_SESSION_ONLINE)
        return HS_OK;
    if (s->now.ms >= sync->again_due.ms)
        HS_TRY(hs_home_resume(s));
    else if (s->now.ms >= sync->joins_due.ms)
        HS_TRY(hs_joins_ask_again(s, false));
    if (s->now.ms >= sync->proofs_due.ms)
        HS_TRY(hs_proofs_resume(s));
    if (s->now.ms < sync->heard.ms + HS_PING_MS)
        return HS_OK;
    sync->heard = s->now;
    return hs_home_ping(s);
}

/* ---- what the user wants ---- */

static enum hs_err user_ping_answered(struct hs_step *s, const struct hs_request *request,
                                      const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    (void)frame;
    return hs_op_done(s, op, err, NULL, (uint64_t)(s->now.ms - request->sent.ms), NULL);
}

static enum hs_err user_ping(struct hs_step *s, struct hs_op *op)
{
    Hanse__Ping body = HANSE__PING__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = user_ping_answered, .op = op->number};
    frame.body_case = HANSE__FRAME__BODY_PING;
    frame.ping = &body;
    op->busy = true;
    return hs_request_send(s, &frame, &request);
}

enum hs_err hs_want_ping(struct hs_step *s, uint64_t *number)
{
    struct hs_op *op;
    HS_REQUIRE(s->sync->me.has_home, HS_ERR_INVALID_STATE);
    HS_TRY(hs_op_new(s, &op, number));
    op->resume = user_ping;
    op->stranger = true;
    return hs_op_begin(s, op);
}
