/* Ledger: definitions of coupons, claims, reservations and redemptions. Each request that changes something
 * is one record in the definition's stream, with the reply that it got; the same request gets the same reply.
 */
#include "deal/ledger.h"
#include "core/dispatch.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/ledger.h"
#include "core/office/told.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "deal/coupon.h"
#include "deal/issuer.h"
#include "object/object.h"
#include "wire/unpack.h"

/* One request with what it takes to answer it. */
struct step {
    const Hanse__SignedObject *request;
    struct hs_chain chain;
    Hanse__SignedObject **objects; /* of the chain */
    struct hs_issuer issuer;
    struct hs_id request_id;
    struct hs_id def_id;
    struct hs_coupon_def def;
    Hanse__State__DefView *def_view;
    Hanse__SignedObject *reply;
};

/* The definition def_id. */
static enum hs_err load_def(struct hs_turn *turn, struct step *s)
{
    return hs_ledger_def(turn, &s->def_id, &s->def, &s->def_view);
}

static enum hs_err check_bringer(struct hs_turn *turn, const struct step *s, const struct hs_key *signer)
{
    return hs_ledger_check_bringer(turn, &s->def, signer);
}

/* The record of this step, with the reply for whoever asks again. */
static enum hs_err record(struct hs_turn *turn, struct step *s, Hanse__State__LedgerStep *ledger)
{
    struct hs_bytes request, reply = {0};
    HS_TRY(hs_object_pack(s->request, turn->arena, &request));
    if (s->reply != NULL)
        HS_TRY(hs_object_pack(s->reply, turn->arena, &reply));
    ledger->request_id = hs_pb_data(HS_VIEW(s->request_id));
    ledger->request = hs_pb_data(request);
    ledger->reply = hs_pb_data(reply);
    hs_ledger_record(turn, &s->def_id, ledger);
    return HS_OK;
}

static enum hs_err put_def(struct hs_turn *turn, struct step *s)
{
    HS_TRY(hs_coupon_def_open(&s->chain, s->request, turn->arena, &s->def));
    HS_TRY(check_bringer(turn, s, &s->def.signer.key));
    HS_REQUIRE(turn->now.ms < s->def.msg->hdr->not_after_ms, HS_ERR_COUPON_EXPIRED);
    return hs_ledger_def_record(turn, &s->chain, s->objects, s->request, &s->def);
}

/* Who may have one: a member of the definition's room. */
static enum hs_err check_membership(struct hs_turn *turn, const struct step *s, const struct hs_key *holder)
{
    struct hs_id room;
    struct hs_key home;
    if (s->def_view->room.len == 0)
        return HS_OK;
    HS_TAKE32(s->def_view->room, &room);
    return hs_brand_member(turn, &room, holder, &home);
}

static enum hs_err give_out(struct hs_turn *turn, struct step *s, const struct hs_coupon_claim *claim)
{
    Hanse__State__LedgerStep ledger = HANSE__STATE__LEDGER_STEP__INIT;
    struct hs_id coupon_id = hs_object_id(s->reply);
    uint8_t state[HS_UNIT_SIZE];
    struct hs_unit available = {.state = HS_UNIT_AVAILABLE};
    hs_unit_pack(&available, state);
    ledger.coupon_id = hs_pb_data(HS_VIEW(coupon_id));
    ledger.holder = hs_pb_data(HS_VIEW(claim->signer.key));
    ledger.unit = hs_pb_data(hs_bytes(state, sizeof state));
    return record(turn, s, &ledger);
}

static enum hs_err claim(struct hs_turn *turn, struct step *s)
{
    struct hs_coupon_claim claim;
    struct hs_claims claims = {0};
    enum hs_ledger_answer answer;
    uint32_t unit_no;
    HS_TRY(hs_coupon_claim_open(&s->chain, s->request, turn->now, turn->arena, &claim));
    s->def_id = claim.def_id;
    HS_TRY(load_def(turn, s));
    HS_TRY(check_bringer(turn, s, &claim.signer.key));
    HS_TRY(check_membership(turn, s, &claim.signer.key));
    Hanse__State__ClaimView *before = hs_ledger_claim_of(turn, &s->def_id, &claim.signer.key);
    claims.issued = s->def_view->issued;
    claims.has_claimed = before != NULL;
    if (before != NULL)
        HS_TAKE32(before->claim_id, &claims.claim_id);
    HS_TRY(hs_ledger_claim(&claims, &s->def, &claim, turn->now, &answer, &unit_no));
    HS_REQUIRE(answer == HS_LEDGER_NEW, HS_ERR_STORE); /* replays were answered before */
    HS_TRY(hs_coupon_build(&s->issuer.node, &s->def, unit_no, &claim.signer.key, turn->arena, &s->reply));
    return give_out(turn, s, &claim);
}

/* Keeps what the issuer decided for a unit; a refusal changes nothing and isn't kept. */
static enum hs_err keep_answer(struct hs_turn *turn, struct step *s, const struct hs_id *coupon_id,
                               const struct hs_issuer_answer *answer)
{
    Hanse__State__LedgerStep ledger = HANSE__STATE__LEDGER_STEP__INIT;
    uint8_t state[HS_UNIT_SIZE];
    s->reply = answer->reply;
    HS_REQUIRE(answer->answer == HS_LEDGER_NEW, HS_ERR_STORE); /* replays were answered before */
    if (answer->refused != HS_OK)
        return HS_OK;
    hs_unit_pack(&answer->next, state);
    ledger.coupon_id = hs_pb_data(HS_VIEW(*coupon_id));
    ledger.rid = hs_pb_data(HS_VIEW(answer->rid));
    ledger.unit = hs_pb_data(hs_bytes(state, sizeof state));
    return record(turn, s, &ledger);
}

/* The same for the till that signed the request. */
static enum hs_err check_till(struct hs_turn *turn, struct step *s, enum hs_kind kind)
{
    struct hs_reserve_request request;
    struct hs_commit commit;
    struct hs_release release;
    if (turn->session->state != HS_SESSION_NODE || turn->session->standing != HS_STANDING_STRANGER)
        return HS_OK;
    HS_TRY(load_def(turn, s));
    switch (kind) {
    case HS_KIND_RESERVE_REQUEST:
        HS_TRY(hs_reserve_request_open(&s->chain, s->request, &s->def, turn->now, turn->arena, &request));
        return check_bringer(turn, s, &request.signer.key);
    case HS_KIND_COMMIT:
        HS_TRY(hs_commit_open(&s->chain, s->request, turn->now, turn->arena, &commit));
        return check_bringer(turn, s, &commit.signer.key);
    default:
        HS_TRY(hs_release_open(&s->chain, s->request, turn->now, turn->arena, &release));
        return check_bringer(turn, s, &release.signer.key);
    }
}

/* Only the fields that name things are read here; hs_issuer_reserve() opens the request for good. */
static enum hs_err reserve(struct hs_turn *turn, struct step *s)
{
    struct hs_unit unit;
    struct hs_id coupon_id;
    struct hs_issuer_answer answer;
    Hanse__State__UnitView *view;
    Hanse__ReserveRequest *claimed;
    bool known;
    HS_TRY(hs_reserve_request_claimed_def(s->request, &s->def_id));
    HS_TRY(load_def(turn, s));
    HS_TRY(HS_UNPACK(hanse__reserve_request, hs_pb_bytes(s->request->payload), HS_STRICT, turn->arena,
                     &claimed));
    HS_REQUIRE(claimed->coupon != NULL, HS_ERR_MALFORMED);
    coupon_id = hs_object_id(claimed->coupon);
    HS_TRY(check_till(turn, s, HS_KIND_RESERVE_REQUEST));
    HS_TRY(hs_ledger_unit(turn, &coupon_id, &unit, &known, &view));
    HS_TRY(hs_issuer_reserve(&s->issuer, &s->chain, &s->def, known ? &unit : NULL, s->request, turn->arena,
                             &answer));
    if (!known) {
        s->reply = answer.reply;
        return HS_OK;
    }
    return keep_answer(turn, s, &coupon_id, &answer);
}

/* Commit and Release name a rid; the rid leads to the unit. */
static enum hs_err finish(struct hs_turn *turn, struct step *s, enum hs_kind kind, struct hs_bytes rid)
{
    struct hs_unit unit;
    struct hs_id coupon_id;
    struct hs_bytes coupon;
    struct hs_issuer_answer answer;
    Hanse__State__UnitView *view;
    bool known;
    HS_REQUIRE(rid.len == HS_HASH_LEN, HS_ERR_MALFORMED);
    struct hs_kv_key key = hs_key_sub(HS_LEDGER_RID, rid, (struct hs_bytes){0});
    HS_REQUIRE(hs_kv_get(turn->kv, HS_T_LEDGER, hs_kv_key_bytes(&key), turn->arena, &coupon) &&
                   HS_FIXED(coupon, &coupon_id),
               HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_ledger_unit(turn, &coupon_id, &unit, &known, &view));
    HS_REQUIRE(known && HS_FIXED(hs_pb_bytes(view->def_id), &s->def_id), HS_ERR_COUPON_UNKNOWN);
    HS_TRY(check_till(turn, s, kind));
    HS_TRY(kind == HS_KIND_COMMIT
               ? hs_issuer_commit(&s->issuer, &s->chain, &coupon_id, &unit, s->request, turn->arena, &answer)
               : hs_issuer_release(&s->issuer, &s->chain, &unit, s->request, turn->arena, &answer));
    return keep_answer(turn, s, &coupon_id, &answer);
}

static enum hs_err commit(struct hs_turn *turn, struct step *s)
{
    Hanse__Commit *claimed;
    HS_TRY(HS_UNPACK(hanse__commit, hs_pb_bytes(s->request->payload), HS_STRICT, turn->arena, &claimed));
    return finish(turn, s, HS_KIND_COMMIT, hs_pb_bytes(claimed->rid));
}

static enum hs_err release(struct hs_turn *turn, struct step *s)
{
    Hanse__Release *claimed;
    HS_TRY(HS_UNPACK(hanse__release, hs_pb_bytes(s->request->payload), HS_STRICT, turn->arena, &claimed));
    return finish(turn, s, HS_KIND_RELEASE, hs_pb_bytes(claimed->rid));
}

static enum hs_err decide(struct hs_turn *turn, struct step *s)
{
    switch (hs_object_claimed_kind(s->request)) {
    case HS_KIND_COUPON_DEF:
        return put_def(turn, s);
    case HS_KIND_COUPON_CLAIM:
        return claim(turn, s);
    case HS_KIND_RESERVE_REQUEST:
        return reserve(turn, s);
    case HS_KIND_COMMIT:
        return commit(turn, s);
    case HS_KIND_RELEASE:
        return release(turn, s);
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

/* What was answered to these bytes before. A reply says nothing to whom it isn't meant for that the request
 * doesn't: both are known to whoever holds the signed request. */
static bool replay(struct hs_turn *turn, struct step *s)
{
    struct hs_bytes stored;
    struct hs_kv_key key = hs_key_sub(HS_LEDGER_REPLY, HS_VIEW(s->request_id), (struct hs_bytes){0});
    if (!hs_kv_get(turn->kv, HS_T_LEDGER, hs_kv_key_bytes(&key), turn->arena, &stored))
        return false;
    return stored.len == 0 || hs_object_unpack(stored, turn->arena, &s->reply) == HS_OK;
}

/* The descriptor of this node that proves what it signed with the key of that time; NULL where it didn't. */
static Hanse__SignedObject *proof(struct hs_turn *turn, const Hanse__SignedObject *object)
{
    ProtobufCMessage *payload;
    struct hs_key signer;
    if (object == NULL || !hs_object_claimed_signer(object, 0, &signer) ||
        hs_object_open(object, hs_object_claimed_kind(object), &signer, 1, turn->arena, &payload) != HS_OK)
        return NULL;
    return hs_node_key_own_at(turn, &signer, hs_hdr_created(hs_hdr_of(payload)));
}

/* The coupon that a till asks for; NULL in other requests. */
static const Hanse__SignedObject *coupon_of(struct hs_turn *turn, const Hanse__SignedObject *request)
{
    Hanse__ReserveRequest *claimed;
    if (hs_object_claimed_kind(request) != HS_KIND_RESERVE_REQUEST ||
        HS_UNPACK(hanse__reserve_request, hs_pb_bytes(request->payload), HS_STRICT, turn->arena, &claimed) !=
            HS_OK)
        return NULL;
    return claimed->coupon;
}

/* What came with the request, and what this node knows by itself: which key it signed the coupon with. */
static enum hs_err open_chain(struct hs_turn *turn, const Hanse__Ledger *ledger, struct step *s)
{
    size_t n = ledger->n_chain;
    Hanse__SignedObject *own = proof(turn, coupon_of(turn, ledger->request));
    Hanse__SignedObject **objects = hs_arena_alloc(turn->arena, (n + 1) * sizeof(Hanse__SignedObject *));
    HS_REQUIRE(objects != NULL, HS_ERR_NOMEM);
    if (n > 0)
        memcpy(objects, ledger->chain, n * sizeof *objects);
    for (size_t i = 0; own != NULL && i < ledger->n_chain; i++)
        own = hs_object_equal(objects[i], own) ? NULL : own;
    if (own != NULL && n < HS_CHAIN_MAX)
        objects[n++] = own;
    s->objects = objects;
    return hs_chain_open(objects, n, hs_turn_root(turn), turn->arena, &s->chain);
}

enum hs_err hs_handle_ledger(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                             uint64_t *detail)
{
    (void)detail;
    const Hanse__Ledger *ledger = request->ledger;
    struct step s = {.request = ledger->request};
    HS_REQUIRE(ledger->request != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(!hs_recover_ledger_is_frozen(turn), HS_ERR_RECOVERING);
    s.request_id = hs_object_id(ledger->request);
    s.issuer.node =
        (struct hs_author){.signer = &turn->core->signer, .issuer = turn->core->signer.pub, .now = turn->now};
    s.issuer.incarnation = turn->core->incarnation;
    bool again = replay(turn, &s);
    if (!again) {
        HS_TRY(open_chain(turn, ledger, &s));
        HS_TRY(decide(turn, &s));
    }
    Hanse__LedgerReply *answer = HS_NEW(turn, Hanse__LedgerReply, hanse__ledger_reply);
    Hanse__SignedObject **chain = hs_arena_alloc(turn->arena, sizeof(Hanse__SignedObject *));
    HS_REQUIRE(answer != NULL && chain != NULL, HS_ERR_NOMEM);
    Hanse__SignedObject *then = again ? proof(turn, s.reply) : NULL;
    chain[0] = then != NULL ? then : turn->core->descriptor_object;
    answer->reply = s.reply;
    answer->chain = chain;
    answer->n_chain = 1;
    reply->ledger_reply = answer;
    reply->body_case = HANSE__FRAME__BODY_LEDGER_REPLY;
    return HS_OK;
}
