/* A session without an account: by ticket, or by the invite that is being used. */
#include "identity/ticket.h"
#include "sync/move/move.h"
#include "sync/rooms/join.h"
#include "wire/unpack.h"

enum { TICKET_PROOF_MS = 600000 /* a proof is for now */ };

static enum hs_err no_account(struct hs_step *s, enum hs_err err)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (!op->stranger)
            HS_TRY(hs_op_done(s, op, err, NULL, 0, NULL));
    }
    return HS_OK;
}

static enum hs_err sign_up_done(struct hs_step *s, enum hs_err err)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind == HS_OP_SIGN_UP)
            HS_TRY(hs_op_done(s, op, err, NULL, 0, NULL));
    }
    return HS_OK;
}

/* The account is there without it: the next session is opened by that alone. */
static enum hs_err ticket_refused(struct hs_step *s, enum hs_err err)
{
    s->sync->me.ticket = (struct hs_bytes){0};
    HS_TRY(hs_me_save(s));
    return sign_up_done(s, err);
}

static enum hs_err no_home(struct hs_step *s)
{
    struct hs_me *me = &s->sync->me;
    me->has_home = me->has_role = false;
    me->ticket = me->home_descriptor = me->grants = (struct hs_bytes){0};
    me->handle[0] = '\0';
    me->roles = 0;
    return hs_me_save(s);
}

enum hs_err hs_home_unused(struct hs_step *s)
{
    const struct hs_me *me = &s->sync->me;
    bool waits;
    if (!me->has_home || me->has_account || me->ticket.len > 0 || s->sync->ops != NULL)
        return HS_OK;
    HS_TRY(hs_joins_wait(s, &waits));
    HS_REQUIRE(!waits, HS_OK);
    if (s->sync->session > HS_SESSION_DIALLING)
        s->sync->session = HS_SESSION_STRANGER;
    s->sync->hang_up = s->sync->session != HS_SESSION_OFF;
    s->sync->failures = 0; /* of that node, and not of the next one's */
    s->sync->next_try = s->now;
    return no_home(s);
}

/* A refused ticket or invite leaves no home behind: another one may be tried. What is refused for the moment
 * only is tried again. */
static enum hs_err sign_up_refused(struct hs_step *s, enum hs_err err)
{
    struct hs_me *me = &s->sync->me;
    s->sync->session = HS_SESSION_STRANGER;
    s->sync->hang_up = true;
    if (hs_err_is_transient(err))
        return HS_OK;
    if (me->has_account && me->ticket.len > 0)
        return ticket_refused(s, err);
    if (me->moving && !me->has_account)
        return hs_move_refused(s, err);
    if (!me->has_account) {
        HS_TRY(hs_joins_refused(s, err));
        HS_TRY(no_home(s));
    }
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        HS_TRY(hs_op_done(s, op, err, NULL, 0, NULL));
    }
    return HS_OK;
}

static enum hs_err sign_up_answered(struct hs_step *s, const struct hs_request *request,
                                    const Hanse__Frame *frame, enum hs_err err)
{
    (void)request;
    if (err == HS_OK && frame->body_case != HANSE__FRAME__BODY_ACK)
        return HS_ERR_UNEXPECTED;
    if (err != HS_OK)
        return sign_up_refused(s, err);
    s->sync->me.ticket = (struct hs_bytes){0};
    HS_TRY(hs_home_confirmed(s));
    HS_TRY(sign_up_done(s, HS_OK));
    return hs_home_attach(s);
}

static enum hs_err sign_up_send(struct hs_step *s, Hanse__SignUp *sign_up)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = sign_up_answered};
    frame.body_case = HANSE__FRAME__BODY_SIGN_UP;
    frame.sign_up = sign_up;
    s->sync->session = HS_SESSION_SIGNING_UP;
    return hs_request_send(s, &frame, &request);
}

static enum hs_err sign_up_by_ticket(struct hs_step *s)
{
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) text = {0};
    struct hs_signer HS_SIGNER ticket;
    struct hs_self HS_SELF self;
    enum hs_err err = hs_ticket_text_parse(s->sync->me.ticket, s->now, s->arena, &text);
    if (err != HS_OK)
        return sign_up_refused(s, err);
    hs_identity_derive(&text.seed, &ticket);
    HS_TRY(hs_self_for(s, &text.descriptor.root, &self));
    Hanse__SignUp sign_up = HANSE__SIGN_UP__INIT;
    sign_up.ticket = (Hanse__SignedObject *)(uintptr_t)text.ticket_object;
    sign_up.grants = text.grant_objects;
    sign_up.n_grants = text.grant_count;
    struct hs_time until = {s->now.ms + TICKET_PROOF_MS};
    HS_TRY(hs_ticket_proof_build(&ticket, &text.descriptor.root, &self.persona, s->now, until, s->arena,
                                 &sign_up.ticket_proof));
    return sign_up_send(s, &sign_up);
}

/* A join at the home node itself is the ticket, too. False where there is none. */
static enum hs_err sign_up_by_join(struct hs_step *s, bool *sent)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    *sent = false;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row)) {
        if (row.counter || row.dropped || !hs_root_is_home(s->sync, &row.hub_root))
            continue;
        Hanse__JoinBody *body;
        HS_TRY(HS_UNPACK(hanse__join_body, row.body, HS_LENIENT, s->arena, &body));
        Hanse__SignUp sign_up = HANSE__SIGN_UP__INIT;
        sign_up.join_proof = body->proof;
        *sent = true;
        return sign_up_send(s, &sign_up);
    }
    return s->kv->err;
}

static enum hs_err again_answered(struct hs_step *s, const struct hs_request *request,
                                  const Hanse__Frame *frame, enum hs_err err)
{
    if (err == HS_OK)
        return sign_up_answered(s, request, frame, err);
    s->sync->session = HS_SESSION_STRANGER;
    s->sync->hang_up = true; /* it is asked again: the node may not have got back yet what it needs for it */
    return no_account(s, HS_ERR_NO_ACCOUNT);
}

/* The node has forgotten this account: it was restored from a backup. That this user is a member of rooms
 * there is enough for a new one. */
static enum hs_err sign_up_again(struct hs_step *s)
{
    Hanse__SignUp sign_up = HANSE__SIGN_UP__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = again_answered};
    frame.body_case = HANSE__FRAME__BODY_SIGN_UP;
    frame.sign_up = &sign_up;
    s->sync->session = HS_SESSION_SIGNING_UP;
    return hs_request_send(s, &frame, &request);
}

enum hs_err hs_home_sign_up(struct hs_step *s)
{
    bool sent;
    if (s->sync->me.ticket.len > 0)
        return sign_up_by_ticket(s);
    HS_TRY(sign_up_by_join(s, &sent));
    if (sent)
        return HS_OK;
    if (s->sync->me.has_account)
        return sign_up_again(s);
    s->sync->session = HS_SESSION_STRANGER;
    HS_TRY(hs_ops_resume(s, true));
    return no_account(s, HS_ERR_NO_ACCOUNT);
}
