#include "core/recovery/proof.h"

#include "base/text.h"
#include "core/dispatch.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/ledger.h"
#include "core/records/layout.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "object/object.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 4096 };

/* One frame of proofs. */
struct showing {
    const Hanse__ShowProofs *frame;
    struct hs_chain chain;
    struct hs_id def_id; /* of the definition that was loaded last */
    struct hs_coupon_def def;
    bool has_def;
    struct hs_key key; /* that was looked at last */
    enum hs_err key_err;
    bool has_key;
    uint64_t taken, against;
};

/* ---- what is taken ---- */

static enum hs_err load_def(struct hs_turn *turn, struct showing *s, const struct hs_id *id)
{
    if (s->has_def && hs_id_equal(&s->def_id, id))
        return HS_OK;
    s->has_def = false;
    HS_TRY(hs_ledger_def_kept(turn, id, &s->def));
    s->def_id = *id;
    s->has_def = true;
    return HS_OK;
}

/* Of what came along that which proves the definition is kept with it. */
static enum hs_err take_def(struct hs_turn *turn, struct showing *s, const Hanse__SignedObject *object)
{
    struct hs_coupon_def def;
    struct hs_id id = hs_object_id(object);
    if (hs_ledger_def_is_known(turn, &id))
        return HS_OK;
    hs_chain_unuse(&s->chain);
    HS_TRY(hs_coupon_def_open(&s->chain, object, turn->arena, &def));
    HS_TRY(hs_ledger_check_bringer(turn, &def, &def.signer.key));
    HS_TRY(hs_ledger_def_record(turn, &s->chain, s->frame->chain, object, &def));
    s->taken++;
    return HS_OK;
}

/* The key was in office when the backup was made, or later. What one that was replaced by then has signed is
 * in the backup; what else it signs is by whoever has stolen it, and any date may be on that. */
static enum hs_err check_key(struct hs_turn *turn, struct showing *s, const Hanse__SignedObject *object)
{
    struct hs_key key;
    struct hs_descriptor d;
    HS_REQUIRE(hs_object_claimed_signer(object, 0, &key), HS_ERR_MALFORMED);
    if (s->has_key && hs_key_equal(&s->key, &key))
        return s->key_err;
    uint64_t sequence = hs_node_key_sequence(turn, hs_turn_root(turn), &key);
    for (size_t i = 0; i < s->frame->n_chain; i++) { /* which is verified */
        enum hs_err err = hs_descriptor_claimed(s->frame->chain[i], &d);
        HS_REQUIRE(err != HS_ERR_NOMEM, err);
        if (err == HS_OK && hs_key_equal(&d.signing_key, &key) && d.sequence > sequence)
            sequence = d.sequence;
    }
    HS_TRY(turn->kv->err);
    s->key = key;
    s->key_err = sequence < hs_node_key_forgotten(turn, 0) ? HS_ERR_WRONG_SIGNER : HS_OK;
    s->has_key = true;
    return s->key_err;
}

static enum hs_err take_coupon(struct hs_turn *turn, struct showing *s, const Hanse__SignedObject *object)
{
    Hanse__State__LedgerStep step = HANSE__STATE__LEDGER_STEP__INIT;
    Hanse__State__UnitView *view;
    uint8_t state[HS_UNIT_SIZE];
    struct hs_unit unit = {.state = HS_UNIT_AVAILABLE};
    struct hs_coupon coupon;
    struct hs_id def_id, id = hs_object_id(object);
    bool known;
    HS_TRY(hs_ledger_unit(turn, &id, &unit, &known, &view));
    if (known)
        return HS_OK;
    HS_TRY(hs_coupon_claimed_def(object, &def_id));
    HS_TRY(load_def(turn, s, &def_id));
    HS_TRY(hs_coupon_open(&s->chain, object, &s->def, turn->arena, &coupon));
    HS_TRY(check_key(turn, s, object));
    hs_unit_pack(&unit, state);
    step.coupon_id = hs_pb_data(HS_VIEW(id));
    step.holder = hs_pb_data(HS_VIEW(coupon.holder));
    step.unit = hs_pb_data(hs_bytes(state, sizeof state));
    step.unit_no = coupon.msg->unit_no;
    hs_ledger_record(turn, &def_id, &step);
    s->taken++;
    return HS_OK;
}

/* What this node answered to a request then: whoever makes it again gets that answer. */
static enum hs_err keep_answer(struct hs_turn *turn, struct showing *s, const Hanse__SignedObject *object,
                               const struct hs_id *coupon_id, const struct hs_id *request_id,
                               const struct hs_unit *next)
{
    Hanse__State__LedgerStep step = HANSE__STATE__LEDGER_STEP__INIT;
    Hanse__State__UnitView *view;
    struct hs_unit before;
    struct hs_bytes reply;
    struct hs_id def_id;
    uint8_t state[HS_UNIT_SIZE];
    bool known;
    HS_TRY(hs_ledger_unit(turn, coupon_id, &before, &known, &view));
    HS_REQUIRE(known && HS_FIXED(hs_pb_bytes(view->def_id), &def_id), HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_object_pack(object, turn->arena, &reply));
    hs_unit_pack(next, state);
    step.coupon_id = hs_pb_data(HS_VIEW(*coupon_id));
    step.request_id = hs_pb_data(HS_VIEW(*request_id));
    step.reply = hs_pb_data(reply);
    step.rid = hs_pb_data(HS_VIEW(next->rid));
    step.unit = hs_pb_data(hs_bytes(state, sizeof state));
    hs_ledger_record(turn, &def_id, &step);
    s->taken++;
    return HS_OK;
}

/* Later than this node itself: it was put back by some other way than restoring, and doesn't know that. */
static enum hs_err check_incarnation(struct hs_turn *turn, uint64_t incarnation)
{
    if (incarnation <= turn->core->incarnation)
        return HS_OK;
    hs_turn_log(turn, "event=incarnation-behind own=%llu shown=%llu",
                (unsigned long long)turn->core->incarnation, (unsigned long long)incarnation);
    return HS_ERR_ROLLED_BACK;
}

static enum hs_err take_reservation(struct hs_turn *turn, struct showing *s, const Hanse__Proof *proof)
{
    Hanse__Reservation *claimed;
    Hanse__State__UnitView *view;
    struct hs_id coupon_id, order_id, request_id;
    struct hs_reservation reservation;
    struct hs_ledger_result result;
    struct hs_unit unit;
    bool known;
    HS_TAKE32(proof->coupon_id, &coupon_id);
    HS_TAKE32(proof->order_id, &order_id);
    HS_TRY(
        HS_UNPACK(hanse__reservation, hs_pb_bytes(proof->object->payload), HS_STRICT, turn->arena, &claimed));
    HS_TAKE32(claimed->request_id, &request_id);
    HS_TRY(hs_ledger_unit(turn, &coupon_id, &unit, &known, &view));
    HS_REQUIRE(known, HS_ERR_COUPON_UNKNOWN);
    struct hs_id rid = hs_rid(&coupon_id, hs_turn_root(turn), &order_id);
    HS_TRY(hs_reservation_open(&s->chain, proof->object, &request_id, &rid, turn->arena, &reservation));
    HS_TRY(check_key(turn, s, proof->object));
    HS_TRY(check_incarnation(turn, reservation.incarnation));
    hs_ledger_recall_reservation(&unit, &reservation, &result);
    if (result.answer == HS_LEDGER_REPLAY)
        return HS_OK;
    return keep_answer(turn, s, proof->object, &coupon_id, &request_id, &result.next);
}

static enum hs_err take_redemption(struct hs_turn *turn, struct showing *s, const Hanse__SignedObject *object)
{
    Hanse__State__UnitView *view;
    struct hs_redemption redemption;
    struct hs_ledger_result result;
    struct hs_unit unit;
    bool known;
    HS_TRY(hs_redemption_open(&s->chain, object, turn->arena, &redemption));
    HS_TRY(check_key(turn, s, object));
    HS_TRY(check_incarnation(turn, redemption.incarnation));
    HS_TRY(hs_ledger_unit(turn, &redemption.coupon_id, &unit, &known, &view));
    HS_REQUIRE(known, HS_ERR_COUPON_UNKNOWN);
    enum hs_err err = hs_ledger_recall_redemption(&unit, &redemption, &result);
    if (err == HS_ERR_COUPON_USED) {
        s->against++;
        hs_turn_log(turn, "event=redeemed-twice coupon=%s", hs_short(HS_VIEW(redemption.coupon_id)).text);
    }
    HS_TRY(err);
    if (result.answer == HS_LEDGER_REPLAY)
        return HS_OK;
    return keep_answer(turn, s, object, &redemption.coupon_id, &redemption.commit_id, &result.next);
}

static enum hs_err take(struct hs_turn *turn, struct showing *s, const Hanse__Proof *proof)
{
    switch (hs_object_claimed_kind(proof->object)) {
    case HS_KIND_COUPON_DEF:
        return take_def(turn, s, proof->object);
    case HS_KIND_COUPON:
        return take_coupon(turn, s, proof->object);
    case HS_KIND_RESERVATION:
        return take_reservation(turn, s, proof);
    case HS_KIND_REDEMPTION:
        return take_redemption(turn, s, proof->object);
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

/* ---- who has shown what ---- */

struct shown {
    uint64_t incarnation, taken, against, last;
};

static bool shown_parse(struct hs_bytes value, struct shown *out)
{
    uint64_t *field[] = {&out->incarnation, &out->taken, &out->against, &out->last};
    for (size_t i = 0; i < 4; i++)
        *field[i] = value.len == 32 ? hs_kv_u64(hs_bytes(value.data, 8 * (i + 1))) : 0;
    return value.len == 32;
}

/* What it has shown since the last restoring. */
static struct shown shown_by(struct hs_turn *turn, struct hs_bytes subscriber)
{
    struct hs_kv_key key = hs_register_key(HS_REGISTER_SHOWN, subscriber, (struct hs_bytes){0});
    struct hs_bytes value;
    struct shown shown = {0};
    if (!hs_register_get(turn, &key, &value) || !shown_parse(value, &shown) ||
        shown.incarnation != hs_restored_since(turn))
        return (struct shown){.incarnation = hs_restored_since(turn)};
    return shown;
}

/* Of strangers nothing is remembered but what they have brought. */
static void note(struct hs_turn *turn, const struct showing *s)
{
    const struct hs_session *session = turn->session;
    struct hs_bytes subscriber = HS_VIEW(session->subscriber);
    struct hs_kv_key key = hs_register_key(HS_REGISTER_SHOWN, subscriber, (struct hs_bytes){0}), value = {0};
    bool stranger = session->state == HS_SESSION_NODE && session->standing == HS_STANDING_STRANGER;
    bool last = s->frame->last && session->state == HS_SESSION_DEVICE;
    uint64_t against = stranger ? 0 : s->against;
    struct shown before = shown_by(turn, subscriber);
    if (s->taken + against == 0 && (!last || before.last != 0))
        return;
    hs_kv_key_add_u64(&value, before.incarnation);
    hs_kv_key_add_u64(&value, before.taken + s->taken);
    hs_kv_key_add_u64(&value, before.against + against);
    hs_kv_key_add_u64(&value, last ? 1 : before.last);
    hs_register_put(turn, &key, hs_kv_key_bytes(&value));
}

static void count_tills(struct hs_turn *turn, struct hs_proofs *out)
{
    struct hs_kv_key from = {0};
    uint8_t rank = 0; /* those of 1 are owners, who are tills only where there is no other */
    struct hs_kv_key prefix = hs_key_sub(HS_MISC_TILL, hs_bytes(&rank, 1), (struct hs_bytes){0});
    from = prefix;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        struct hs_bytes key, device;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_MISC, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(&from), &scratch, &key,
                        &device))
            return;
        from = hs_kv_after(key);
        out->tills++;
        out->tills_done += shown_by(&own, device).last != 0 ? 1 : 0;
    }
}

void hs_proofs_count(struct hs_turn *turn, struct hs_proofs *out)
{
    struct hs_kv_key from = {0};
    struct hs_bytes none = {0};
    struct hs_kv_key prefix = hs_register_key(HS_REGISTER_SHOWN, none, none);
    *out = (struct hs_proofs){0};
    from = prefix;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_bytes key, value;
        struct shown shown;
        if (!hs_kv_next(turn->kv, HS_T_REGISTER, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(&from), &scratch,
                        &key, &value))
            break;
        from = hs_kv_after(key);
        if (!shown_parse(value, &shown) || shown.incarnation != hs_restored_since(turn))
            continue;
        out->from += shown.taken + shown.against > 0 ? 1 : 0;
        out->taken += shown.taken;
        out->against += shown.against;
    }
    count_tills(turn, out);
}

/* A proof that can't be taken is left out: whoever shows it can do nothing about that. */
enum hs_err hs_handle_show_proofs(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                  uint64_t *detail)
{
    (void)detail;
    struct showing s = {.frame = request->show_proofs};
    HS_REQUIRE(s.frame->n_proofs <= HS_PROOFS_MAX, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < s.frame->n_proofs; i++)
        HS_REQUIRE(s.frame->proofs[i]->object != NULL, HS_ERR_MALFORMED);
    if (hs_restored_since(turn) > 0) { /* else it has forgotten nothing */
        HS_TRY(hs_chain_open(s.frame->chain, s.frame->n_chain, hs_turn_root(turn), turn->arena, &s.chain));
        for (size_t i = 0; i < s.frame->n_proofs; i++) {
            enum hs_err err = take(turn, &s, s.frame->proofs[i]);
            HS_REQUIRE(err != HS_ERR_NOMEM && err != HS_ERR_STORE, err);
        }
        note(turn, &s);
    }
    reply->proofs_shown = HS_NEW(turn, Hanse__ProofsShown, hanse__proofs_shown);
    HS_REQUIRE(reply->proofs_shown != NULL, HS_ERR_NOMEM);
    reply->proofs_shown->incarnation = turn->core->incarnation;
    reply->proofs_shown->taken = (uint32_t)s.taken;
    reply->body_case = HANSE__FRAME__BODY_PROOFS_SHOWN;
    return HS_OK;
}
