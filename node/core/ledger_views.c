/* What LedgerSteps make of the ledger's views. */
#include "core/ledger.h"

#include "core/office/told.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "deal/coupon.h"
#include "object/object.h"
#include "wire/unpack.h"

static ProtobufCMessage *ledger_get(struct hs_turn *turn, enum hs_sub_table sub, struct hs_bytes a,
                                    struct hs_bytes b, const ProtobufCMessageDescriptor *type)
{
    struct hs_kv_key key = hs_key_sub(sub, a, b);
    return hs_view_get(turn, HS_T_LEDGER, &key, type);
}

static void ledger_put(struct hs_turn *turn, enum hs_sub_table sub, struct hs_bytes a, struct hs_bytes b,
                       const ProtobufCMessage *view)
{
    struct hs_kv_key key = hs_key_sub(sub, a, b);
    hs_view_put(turn, HS_T_LEDGER, &key, view);
}

static Hanse__State__DefView *def_view(struct hs_turn *turn, const struct hs_id *def_id)
{
    return (Hanse__State__DefView *)ledger_get(turn, HS_LEDGER_DEF, HS_VIEW(*def_id), (struct hs_bytes){0},
                                               &hanse__state__def_view__descriptor);
}

bool hs_ledger_def_is_known(struct hs_turn *turn, const struct hs_id *def_id)
{
    struct hs_kv_key key = hs_key_sub(HS_LEDGER_DEF, HS_VIEW(*def_id), (struct hs_bytes){0});
    return hs_kv_has(turn->kv, HS_T_LEDGER, hs_kv_key_bytes(&key));
}

enum hs_err hs_ledger_def_kept(struct hs_turn *turn, const struct hs_id *def_id, struct hs_coupon_def *def)
{
    Hanse__SignedObject *object;
    const Hanse__State__DefView *view = def_view(turn, def_id);
    HS_REQUIRE(view != NULL, HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_object_unpack(hs_pb_bytes(view->object), turn->arena, &object));
    return hs_coupon_def_claimed(object, turn->arena, def);
}

enum hs_err hs_ledger_def(struct hs_turn *turn, const struct hs_id *def_id, struct hs_coupon_def *def,
                          Hanse__State__DefView **view)
{
    Hanse__SignedObject *object;
    struct hs_chain chain;
    Hanse__Chain *stored = NULL;
    *view = def_view(turn, def_id);
    HS_REQUIRE(*view != NULL, HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_object_unpack(hs_pb_bytes((*view)->object), turn->arena, &object));
    HS_TRY(HS_UNPACK(hanse__chain, hs_pb_bytes((*view)->chain), HS_LENIENT, turn->arena, &stored));
    HS_TRY(hs_chain_open(stored->objects, stored->n_objects, hs_turn_root(turn), turn->arena, &chain));
    return hs_coupon_def_open(&chain, object, turn->arena, def);
}

enum hs_err hs_ledger_unit(struct hs_turn *turn, const struct hs_id *coupon, struct hs_unit *unit,
                           bool *known, Hanse__State__UnitView **view)
{
    *view = (Hanse__State__UnitView *)ledger_get(turn, HS_LEDGER_UNIT, HS_VIEW(*coupon), (struct hs_bytes){0},
                                                 &hanse__state__unit_view__descriptor);
    *known = *view != NULL;
    return *known ? hs_unit_unpack(hs_pb_bytes((*view)->state), unit) : HS_OK;
}

Hanse__State__ClaimView *hs_ledger_claim_of(struct hs_turn *turn, const struct hs_id *def_id,
                                            const struct hs_key *holder)
{
    return (Hanse__State__ClaimView *)ledger_get(turn, HS_LEDGER_CLAIM, HS_VIEW(*def_id), HS_VIEW(*holder),
                                                 &hanse__state__claim_view__descriptor);
}

enum hs_err hs_ledger_check_bringer(struct hs_turn *turn, const struct hs_coupon_def *def,
                                    const struct hs_key *signer)
{
    struct hs_id room;
    struct hs_key home;
    if (turn->session->state != HS_SESSION_NODE || turn->session->standing != HS_STANDING_STRANGER)
        return HS_OK;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(def->msg->room), &room), HS_ERR_DENIED);
    enum hs_err err = hs_brand_member(turn, &room, signer, &home);
    return err == HS_ERR_NOT_MEMBER ? HS_ERR_DENIED : err;
}

/* A definition enters the ledger. */
static void apply_def(struct hs_turn *turn, const Hanse__State__LedgerStep *l)
{
    Hanse__State__DefView view = HANSE__STATE__DEF_VIEW__INIT;
    view.object = l->request;
    view.chain = l->chain;
    view.room = l->room;
    ledger_put(turn, HS_LEDGER_DEF, hs_pb_bytes(l->def_id), (struct hs_bytes){0}, &view.base);
}

/* A coupon came back after a restoring: its number says how many there were at least, and those of them that
 * haven't come back are counted beside, so that each counts once. */
static void count_shown(Hanse__State__DefView *def, uint32_t unit_no)
{
    if (unit_no > def->issued) {
        def->missing += unit_no - def->issued - 1;
        def->issued = unit_no;
    } else if (def->missing > 0) {
        def->missing--;
    } else if (def->issued < UINT32_MAX) {
        def->issued++;
    }
}

/* A coupon was given out, just now or (unit_no) before the node was restored. */
static void apply_claim(struct hs_turn *turn, const Hanse__State__LedgerStep *l)
{
    Hanse__State__UnitView unit = HANSE__STATE__UNIT_VIEW__INIT;
    Hanse__State__ClaimView claim = HANSE__STATE__CLAIM_VIEW__INIT;
    struct hs_bytes def_id = hs_pb_bytes(l->def_id), holder = hs_pb_bytes(l->holder), none = {0};
    struct hs_kv_key claim_key = hs_key_sub(HS_LEDGER_CLAIM, def_id, holder);
    Hanse__State__DefView *def = (Hanse__State__DefView *)ledger_get(turn, HS_LEDGER_DEF, def_id, none,
                                                                     &hanse__state__def_view__descriptor);
    unit.def_id = l->def_id;
    unit.holder = l->holder;
    unit.state = l->unit;
    ledger_put(turn, HS_LEDGER_UNIT, hs_pb_bytes(l->coupon_id), none, &unit.base);
    if (l->unit_no == 0 || !hs_kv_has(turn->kv, HS_T_LEDGER, hs_kv_key_bytes(&claim_key))) {
        claim.claim_id = l->unit_no == 0 ? l->request_id : l->coupon_id; /* no claim has a coupon's id */
        ledger_put(turn, HS_LEDGER_CLAIM, def_id, holder, &claim.base);
    }
    if (def == NULL)
        return;
    if (l->unit_no == 0)
        def->issued++;
    else
        count_shown(def, l->unit_no);
    ledger_put(turn, HS_LEDGER_DEF, def_id, none, &def->base);
}

/* A unit was reserved, redeemed or released. */
static void apply_unit(struct hs_turn *turn, const Hanse__State__LedgerStep *l)
{
    struct hs_bytes coupon = hs_pb_bytes(l->coupon_id), none = {0};
    Hanse__State__UnitView *unit = (Hanse__State__UnitView *)ledger_get(turn, HS_LEDGER_UNIT, coupon, none,
                                                                        &hanse__state__unit_view__descriptor);
    struct hs_kv_key rid = hs_key_sub(HS_LEDGER_RID, hs_pb_bytes(l->rid), none);
    if (unit == NULL)
        return;
    unit->state = l->unit;
    ledger_put(turn, HS_LEDGER_UNIT, coupon, none, &unit->base);
    hs_kv_put(turn->kv, HS_T_LEDGER, hs_kv_key_bytes(&rid), coupon);
}

void hs_ledger_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                     const Hanse__State__StreamRecord *record)
{
    (void)at;
    const Hanse__State__LedgerStep *l = record->ledger;
    struct hs_kv_key key = hs_key_sub(HS_LEDGER_REPLY, hs_pb_bytes(l->request_id), (struct hs_bytes){0});
    if (l->request_id.len > 0)
        hs_kv_put(turn->kv, HS_T_LEDGER, hs_kv_key_bytes(&key), hs_pb_bytes(l->reply));
    if (l->rid.len > 0)
        apply_unit(turn, l);
    else if (l->coupon_id.len > 0)
        apply_claim(turn, l);
    else
        apply_def(turn, l);
}

void hs_ledger_record(struct hs_turn *turn, const struct hs_id *def_id, Hanse__State__LedgerStep *step)
{
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    step->def_id = hs_pb_data(HS_VIEW(*def_id));
    record.ledger = step;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_LEDGER;
    hs_stream_record(turn, HS_STREAM_LEDGER, HS_VIEW(*def_id), &record);
}

enum hs_err hs_ledger_def_record(struct hs_turn *turn, const struct hs_chain *chain,
                                 Hanse__SignedObject *const *objects, const Hanse__SignedObject *object,
                                 const struct hs_coupon_def *def)
{
    Hanse__State__LedgerStep step = HANSE__STATE__LEDGER_STEP__INIT;
    Hanse__Chain proof = HANSE__CHAIN__INIT;
    struct hs_bytes request;
    HS_TRY(hs_object_pack(object, turn->arena, &request));
    proof.objects = hs_arena_alloc(turn->arena, HS_CHAIN_MAX * sizeof(Hanse__SignedObject *));
    HS_REQUIRE(proof.objects != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < chain->count; i++)
        if (hs_chain_is_used(chain, i))
            proof.objects[proof.n_objects++] = objects[i];
    step.request_id = hs_pb_data(HS_VIEW(def->id));
    step.request = hs_pb_data(request);
    step.chain = hs_pb_data(hs_turn_pack(turn, &proof.base));
    step.room = def->msg->room;
    hs_ledger_record(turn, &def->id, &step);
    return HS_OK;
}
