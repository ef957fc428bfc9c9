#include "sync/trade/proof_walk.h"

#include "deal/ledger.h"
#include "wire/unpack.h"

enum {
    ROW_OBJECTS = 3, /* definition, coupon, receipt */
    BATCH_BYTES = 16 << 10,
    BATCH_ROWS = 512, /* looked at for one batch: most are of this issuer, and haven't run out */
    /* A coupon that has run out can't be redeemed once more; its reservations end a little later. */
    RUN_OUT_MS = HS_DECIDE_MS + HS_SETTLE_MS + HS_CLOCK_SKEW_MS,
};

/* ---- one batch ---- */

/* node: of the chain only what names the node's keys is of use. */
static enum hs_err chain_add(struct hs_proof_walk *w, struct hs_bytes bytes, bool node)
{
    Hanse__Chain *chain, one = HANSE__CHAIN__INIT;
    HS_TRY(hs_chain_unpack(w->s->arena, bytes, &chain));
    w->b->bytes += bytes.len;
    one.n_objects = 1;
    for (size_t i = 0; i < chain->n_objects; i++) {
        if (node && hs_object_claimed_kind(chain->objects[i]) != HS_KIND_NODE_DESCRIPTOR)
            continue;
        one.objects = &chain->objects[i];
        HS_TRY(hs_chain_set_add(&w->b->chain, &one));
    }
    return HS_OK;
}

static Hanse__Proof *proof_add(struct hs_proof_walk *w, Hanse__SignedObject *object)
{
    HS_ASSERT(w->b->count < HS_PROOF_OBJECTS);
    Hanse__Proof *proof = &w->b->list[w->b->count++];
    *proof = (Hanse__Proof)HANSE__PROOF__INIT;
    proof->object = object;
    return proof;
}

static enum hs_err bytes_add(struct hs_proof_walk *w, struct hs_bytes object, struct hs_bytes chain,
                             bool node, Hanse__Proof **out)
{
    Hanse__SignedObject *unpacked;
    HS_TRY(hs_object_unpack(object, w->s->arena, &unpacked));
    HS_TRY(chain_add(w, chain, node));
    w->b->bytes += object.len;
    *out = proof_add(w, unpacked);
    return HS_OK;
}

static enum hs_err campaign_add(struct hs_proof_walk *w, const struct hs_campaign_row *campaign)
{
    Hanse__Proof *proof;
    for (size_t i = 0; i < w->b->campaign_count; i++)
        if (hs_id_equal(&w->b->campaigns[i], &campaign->id))
            return HS_OK;
    w->b->campaigns[w->b->campaign_count++] = campaign->id;
    return bytes_add(w, campaign->proved.object, campaign->proved.chain, false, &proof);
}

/* The receipts that this customer got with the order. */
static enum hs_err receipts_add(struct hs_proof_walk *w, const struct hs_id *order,
                                const struct hs_id *coupon)
{
    enum { ACCEPTED_SEQ = 1 };
    struct hs_proved proved;
    Hanse__SignedObject *object;
    Hanse__OrderEvent *event;
    if (!hs_event_row_get(w->s->kv, order, ACCEPTED_SEQ, w->s->arena, &proved))
        return w->s->kv->err;
    HS_TRY(hs_object_unpack(proved.object, w->s->arena, &object));
    HS_TRY(HS_UNPACK(hanse__order_event, hs_pb_bytes(object->payload), HS_STRICT, w->s->arena, &event));
    HS_TRY(chain_add(w, proved.chain, true));
    for (size_t i = 0; i < event->n_receipts; i++) {
        Hanse__Redemption *receipt;
        HS_TRY(HS_UNPACK(hanse__redemption, hs_pb_bytes(event->receipts[i]->payload), HS_STRICT, w->s->arena,
                         &receipt));
        if (hs_bytes_equal(hs_pb_bytes(receipt->coupon_id), HS_VIEW(*coupon))) {
            (void)proof_add(w, event->receipts[i]);
            break;
        }
    }
    return HS_OK;
}

static bool has_run_out(const struct hs_proof_walk *w, const struct hs_coupon_row *row)
{
    return row->until + RUN_OUT_MS <= w->s->now.ms;
}

static enum hs_err coupon_add(struct hs_proof_walk *w, const struct hs_coupon_row *row)
{
    struct hs_campaign_row campaign;
    Hanse__Proof *proof;
    if (has_run_out(w, row) || !hs_campaign_row_get(w->s->kv, &row->campaign, w->s->arena, &campaign) ||
        !hs_key_equal(&campaign.root, w->root))
        return w->s->kv->err;
    HS_TRY(campaign_add(w, &campaign));
    HS_TRY(bytes_add(w, row->proved.object, row->proved.chain, true, &proof));
    return row->state == HANSE_COUPON_USED ? receipts_add(w, &row->order, &row->id) : HS_OK;
}

/* What this till was given for an order: a receipt; or a reservation, as long as it may still use it. */
static enum hs_err step_add(struct hs_proof_walk *w, const struct hs_id *id, const struct hs_redeem_row *row)
{
    struct hs_order_row order;
    struct hs_coupon_row coupon;
    Hanse__Proof *proof;
    if (!hs_order_row_get(w->s->kv, id, w->s->arena, &order) || !hs_key_equal(&order.root, w->root) ||
        !hs_coupon_row_get(w->s->kv, &row->coupon, w->s->arena, &coupon) || has_run_out(w, &coupon))
        return w->s->kv->err;
    if (row->redemption.len > 0)
        return bytes_add(w, row->redemption, row->node_chain, true, &proof);
    if (row->reservation.len == 0 || order.done)
        return HS_OK;
    HS_TRY(bytes_add(w, row->reservation, row->node_chain, true, &proof));
    struct hs_bytes ids = hs_arena_copy(w->s->arena, HS_VIEW(row->coupon)),
                    which = hs_arena_copy(w->s->arena, HS_VIEW(*id));
    HS_REQUIRE(ids.data != NULL && which.data != NULL, HS_ERR_NOMEM);
    proof->coupon_id = hs_pb_data(ids);
    proof->order_id = hs_pb_data(which);
    return HS_OK;
}

/* ---- the walk ---- */

/* The next row of the phase, added; false where there is none. */
static bool row_next(struct hs_proof_walk *w, struct hs_kv_key *cursor, enum hs_err *err)
{
    struct hs_coupon_row coupon;
    struct hs_redeem_row step;
    struct hs_id id;
    if (w->phase == HS_PROOF_COUPONS && hs_coupon_row_next(w->s->kv, cursor, w->s->arena, &coupon)) {
        *err = coupon_add(w, &coupon);
        return true;
    }
    if (w->phase == HS_PROOF_STEPS && hs_redeem_row_next(w->s->kv, cursor, w->s->arena, &id, &step)) {
        *err = step_add(w, &id, &step);
        return true;
    }
    return false;
}

enum hs_err hs_proof_gather(struct hs_proof_walk *w)
{
    while (w->phase != HS_PROOF_DONE && w->rows < BATCH_ROWS &&
           w->b->count + ROW_OBJECTS <= HS_PROOF_OBJECTS && w->b->bytes < BATCH_BYTES) {
        struct hs_proof_batch before = *w->b;
        struct hs_kv_key cursor = w->from;
        enum hs_err err = HS_OK;
        bool found = row_next(w, &cursor, &err);
        HS_TRY(w->s->kv->err);
        HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
        if (!found) {
            w->phase++;
            w->from = (struct hs_kv_key){0};
            continue;
        }
        if (err != HS_OK)
            *w->b = before;
        if (err == HS_ERR_BAD_CHAIN && before.count > 0)
            return HS_OK; /* begins the next batch */
        w->from = cursor;
        w->rows++;
    }
    return HS_OK;
}
