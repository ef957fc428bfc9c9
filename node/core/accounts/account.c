/* Accounts: signing up with a ticket or an invite, and binding the personas that other brands know. */
#include "core/accounts/account.h"

#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/layout.h"
#include "core/records/table.h"
#include "core/recovery/absent.h"
#include "core/rooms/room.h"
#include "identity/bind.h"
#include "identity/grant.h"
#include "identity/ticket.h"
#include "room/join.h"

/* An owner may act as a till too, but is asked only where the brand has no till of its own. */
static void put_till(struct hs_turn *turn, const Hanse__State__SignedUp *s)
{
    uint32_t owner = hs_role_set(HANSE__ROLE__ROLE_OWNER);
    uint8_t rank = (s->roles & owner) == owner ? 1 : 0;
    struct hs_kv_key till = hs_key_sub(HS_MISC_TILL, hs_bytes(&rank, 1), hs_pb_bytes(s->account));
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&till), hs_pb_bytes(s->device));
}

static uint32_t bound_of(struct hs_turn *turn, ProtobufCBinaryData id)
{
    struct hs_key account;
    const Hanse__State__AccountView *view =
        HS_FIXED(hs_pb_bytes(id), &account) ? hs_account_view(turn, &account) : NULL;
    return view != NULL ? view->bound : 0;
}

void hs_signed_up_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *record)
{
    (void)at;
    const Hanse__State__SignedUp *s = record->signed_up;
    Hanse__State__AccountView account = HANSE__STATE__ACCOUNT_VIEW__INIT;
    Hanse__State__PersonaView persona = HANSE__STATE__PERSONA_VIEW__INIT;
    struct hs_kv_key key = hs_key1(hs_pb_bytes(s->account));
    account.account = s->account;
    account.device = persona.device = s->device;
    account.roles = s->roles;
    account.since_ms = s->since_ms;
    account.bound = bound_of(turn, s->account);
    persona.account = s->account;
    hs_view_put(turn, HS_T_ACCOUNT, &key, &account.base);
    hs_view_put(turn, HS_T_PERSONA, &key, &persona.base);
    struct hs_key member;
    if (HS_FIXED(hs_pb_bytes(s->account), &member))
        hs_absent_came(turn, &member);
    struct hs_key invite;
    struct hs_id room;
    if (HS_FIXED(hs_pb_bytes(s->invite), &invite) &&
        (HS_FIXED(hs_pb_bytes(s->invite_room), &room) || hs_invite_room(turn, &invite, &room)))
        hs_invite_signed_up(turn, &room, &invite);
    if (s->ticket.len > 0) {
        struct hs_kv_key ticket = hs_key_sub(HS_MISC_TICKET, hs_pb_bytes(s->ticket), (struct hs_bytes){0});
        hs_number_put(turn, HS_T_MISC, &ticket, hs_number_get(turn, HS_T_MISC, &ticket, NULL) + 1);
    }
    if ((s->roles & hs_role_set(HANSE__ROLE__ROLE_TILL)) != 0)
        put_till(turn, s);
}

/* By a ticket: of this root, not used up, used by this persona. */
static enum hs_err by_ticket(struct hs_turn *turn, const Hanse__SignUp *s, Hanse__State__SignedUp *record)
{
    struct hs_ticket ticket;
    HS_REQUIRE(s->ticket_proof != NULL, HS_ERR_MALFORMED);
    HS_TRY(hs_ticket_verify(s->ticket, hs_turn_root(turn), turn->now, &ticket));
    HS_TRY(hs_ticket_proof_verify(s->ticket_proof, &ticket, &turn->session->persona, turn->now));
    struct hs_kv_key key = hs_key_sub(HS_MISC_TICKET, HS_VIEW(ticket.key), (struct hs_bytes){0});
    HS_REQUIRE(hs_number_get(turn, HS_T_MISC, &key, NULL) < ticket.max_uses, HS_ERR_TICKET_USED);
    struct hs_bytes kept = hs_arena_copy(turn->arena, HS_VIEW(ticket.key));
    record->ticket = hs_pb_data(kept);
    return kept.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

/* By an invite to a room of this node: the link is the ticket, also where sign-up is closed, for as many
 * accounts as it has uses. */
static enum hs_err by_invite(struct hs_turn *turn, const Hanse__SignUp *s, Hanse__State__SignedUp *record)
{
    struct hs_join_proof proof;
    Hanse__State__InviteView *invite;
    HS_TRY(hs_join_proof_verify(s->join_proof, &proof));
    HS_REQUIRE(hs_key_equal(&proof.persona, &turn->session->persona), HS_ERR_INVITE_REPLAYED);
    HS_TRY(hs_invite_is_open(turn, &proof.invite_key, &proof.room, &invite));
    HS_REQUIRE(invite->used < invite->max_uses && invite->signed_up < invite->max_uses,
               HS_ERR_INVITE_USED_UP);
    struct hs_bytes kept = hs_arena_copy(turn->arena, HS_VIEW(proof.invite_key));
    record->invite = hs_pb_data(kept);
    record->invite_room = invite->room;
    return kept.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

/* By what the readers of a restored node's rooms have brought back: the persona is a member, and had an
 * account for it. */
static enum hs_err by_membership(struct hs_turn *turn)
{
    HS_REQUIRE(hs_restored_since(turn) > 0, HS_ERR_MALFORMED);
    return hs_absent_is(turn, &turn->session->persona) ? HS_OK : HS_ERR_NO_ACCOUNT;
}

/* The roles that this root grants to the session's persona. */
static enum hs_err granted_roles(struct hs_turn *turn, const Hanse__SignUp *s, uint32_t *roles)
{
    *roles = 0;
    HS_REQUIRE(s->n_grants <= HS_TICKET_GRANTS, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < s->n_grants; i++) {
        struct hs_grant grant;
        if (hs_object_claimed_kind(s->grants[i]) == HS_KIND_HANDLE_GRANT)
            continue; /* shown to others, no right */
        HS_TRY(hs_grant_verify(s->grants[i], hs_turn_root(turn), turn->now, &grant));
        HS_REQUIRE(hs_key_equal(&grant.key, &turn->session->persona), HS_ERR_BAD_CHAIN);
        *roles |= hs_role_set(grant.role);
    }
    return HS_OK;
}

/* What becomes of the account: a new one, or the roles of the known one and more. */
static enum hs_err sign_up(struct hs_turn *turn, const Hanse__SignUp *s, uint32_t roles,
                           Hanse__State__SignedUp *record, bool *changes)
{
    Hanse__State__AccountView *known = hs_account_view(turn, &turn->session->persona);
    record->account = hs_pb_data(HS_VIEW(turn->session->persona));
    record->device = hs_pb_data(HS_VIEW(turn->session->subscriber));
    record->roles = roles | (known != NULL ? known->roles : 0);
    record->since_ms = known != NULL ? known->since_ms : turn->now.ms;
    *changes = known == NULL || record->roles != known->roles;
    if (known != NULL) /* one device a user for now */
        return hs_bytes_equal(hs_pb_bytes(known->device), hs_pb_bytes(record->device)) ? HS_OK
                                                                                       : HS_ERR_DENIED;
    return s->ticket != NULL       ? by_ticket(turn, s, record)
           : s->join_proof != NULL ? by_invite(turn, s, record)
                                   : by_membership(turn);
}

enum hs_err hs_handle_sign_up(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                              uint64_t *detail)
{
    (void)detail;
    Hanse__State__SignedUp signed_up = HANSE__STATE__SIGNED_UP__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    uint32_t roles = 0;
    bool changes;
    HS_TRY(granted_roles(turn, request->sign_up, &roles));
    HS_TRY(sign_up(turn, request->sign_up, roles, &signed_up, &changes));
    hs_reply_ack(turn, reply);
    turn->session->account = true;
    if (!changes)
        return HS_OK; /* the same sign-up again */
    record.signed_up = &signed_up;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_SIGNED_UP;
    hs_stream_record(turn, signed_up.ticket.len > 0 ? HS_STREAM_TICKET : HS_STREAM_ACCOUNT,
                     hs_pb_bytes(signed_up.ticket.len > 0 ? signed_up.ticket : signed_up.account), &record);
    return HS_OK;
}

void hs_bound_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                    const Hanse__State__StreamRecord *record)
{
    (void)at;
    const Hanse__State__Bound *b = record->bound;
    Hanse__State__PersonaView view = HANSE__STATE__PERSONA_VIEW__INIT;
    struct hs_kv_key key = hs_key1(hs_pb_bytes(b->persona));
    view.account = b->account;
    view.device = b->device;
    view.brand = b->brand;
    hs_view_put(turn, HS_T_PERSONA, &key, &view.base);
    struct hs_key member, owner;
    Hanse__State__AccountView *account =
        HS_FIXED(hs_pb_bytes(b->account), &owner) ? hs_account_view(turn, &owner) : NULL;
    if (account != NULL) {
        key = hs_key1(hs_pb_bytes(b->account));
        account->bound++;
        hs_view_put(turn, HS_T_ACCOUNT, &key, &account->base);
    }
    if (HS_FIXED(hs_pb_bytes(b->persona), &member))
        hs_absent_came(turn, &member);
}

enum hs_err hs_handle_bind(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                           uint64_t *detail)
{
    (void)detail;
    struct hs_bind bind;
    struct hs_certificate certificate;
    Hanse__State__Bound bound = HANSE__STATE__BOUND__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    HS_REQUIRE(request->bind->bind != NULL && request->bind->certificate != NULL, HS_ERR_MALFORMED);
    HS_TRY(
        hs_bind_verify(request->bind->bind, &turn->session->persona, hs_turn_root(turn), turn->now, &bind));
    HS_TRY(hs_certificate_verify(request->bind->certificate, turn->now, &certificate));
    HS_REQUIRE(hs_key_equal(&certificate.persona, &bind.persona), HS_ERR_WRONG_SIGNER);
    Hanse__State__PersonaView *known = hs_persona_view(turn, &bind.persona);
    hs_reply_ack(turn, reply);
    if (known != NULL) {
        bool same = hs_bytes_equal(hs_pb_bytes(known->account), HS_VIEW(turn->session->persona)) &&
                    hs_bytes_equal(hs_pb_bytes(known->device), HS_VIEW(certificate.signature_key));
        return same ? HS_OK : HS_ERR_CONFLICT;
    }
    HS_REQUIRE(bound_of(turn, hs_pb_data(HS_VIEW(turn->session->persona))) < HS_BOUND_MAX, HS_ERR_QUOTA);
    bound.account = hs_pb_data(HS_VIEW(turn->session->persona));
    bound.persona = hs_pb_data(HS_VIEW(bind.persona));
    bound.device = hs_pb_data(HS_VIEW(certificate.signature_key));
    bound.brand = hs_pb_data(HS_VIEW(bind.brand_root));
    record.bound = &bound;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_BOUND;
    hs_stream_record(turn, HS_STREAM_ACCOUNT, HS_VIEW(turn->session->persona), &record);
    return HS_OK;
}

bool hs_session_acts_for(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona)
{
    if (turn->session->state == HS_SESSION_DEVICE) {
        Hanse__State__PersonaView *view = hs_persona_view(turn, persona);
        return view != NULL && hs_bytes_equal(hs_pb_bytes(view->account), HS_VIEW(turn->session->persona));
    }
    Hanse__State__MemberView *member = room != NULL ? hs_member_view(turn, room, persona) : NULL;
    return member != NULL &&
           hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(turn->session->subscriber));
}

bool hs_persona_subscriber(struct hs_turn *turn, const struct hs_key *persona, struct hs_key *subscriber)
{
    Hanse__State__PersonaView *view = hs_persona_view(turn, persona);
    struct hs_key account;
    if (view == NULL || !HS_FIXED(hs_pb_bytes(view->account), &account))
        return false;
    Hanse__State__AccountView *owner = hs_account_view(turn, &account);
    return owner != NULL && HS_FIXED(hs_pb_bytes(owner->device), subscriber);
}

bool hs_persona_is_for(struct hs_turn *turn, const struct hs_key *persona, const struct hs_key *brand)
{
    Hanse__State__PersonaView *view = hs_persona_view(turn, persona);
    if (view == NULL)
        return false;
    return view->brand.len > 0 ? hs_bytes_equal(hs_pb_bytes(view->brand), HS_VIEW(*brand))
                               : hs_bytes_equal(hs_pb_bytes(view->account), HS_VIEW(*persona));
}
