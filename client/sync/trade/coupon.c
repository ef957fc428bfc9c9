/* Offers and coupons: made by a merchant, claimed by a customer. */
#include "base/text.h"
#include "sync/trade/deal.h"

#include <stdio.h>

enum { CAMPAIGN_DAYS = 365, CLAIM_DAYS = 1 };
#define DAY_MS INT64_C(86400000)

/* ---- offers ---- */

static bool text_fits(const char *text, size_t max)
{
    return text != NULL && text[0] != '\0' && strlen(text) <= max && hs_text_is_clean(hs_bytes_str(text));
}

static enum hs_err offer_sign(struct hs_step *s, const struct hs_self *self,
                              const struct hanse_offer_spec *spec, struct hs_chain *chain,
                              Hanse__SignedObject **out)
{
    struct hs_amount price;
    struct hs_offer check;
    Hanse__Offer offer = HANSE__OFFER__INIT;
    struct hs_author author = hs_self_author(s, self);
    HS_TRY(hs_amount(spec->currency, spec->price_minor, &price));
    HS_TRY(hs_amount_write(&price, s->arena, &offer.price));
    offer.sku = (char *)(uintptr_t)spec->sku;
    offer.title = (char *)(uintptr_t)spec->title;
    offer.price_includes_tax = true;
    offer.tax_bp = spec->tax_bp;
    HS_TRY(hs_offer_build(&offer, &author, (struct hs_time){spec->until_ms}, s->arena, out));
    return hs_offer_open(chain, *out, s->arena, &check);
}

/* One's own chain, as others will see it. */
static enum hs_err own_chain(struct hs_step *s, const struct hs_self *self, Hanse__Chain *proof,
                             struct hs_chain *chain)
{
    HS_TRY(hs_self_chain(s, self, proof));
    return hs_chain_open(proof->objects, proof->n_objects, &self->root, s->arena, chain);
}

enum hs_err hs_want_offer(struct hs_step *s, const struct hs_id *id, const struct hanse_offer_spec *spec,
                          uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    struct hs_self HS_SELF self = {0};
    Hanse__Chain proof;
    struct hs_chain chain;
    Hanse__SignedObject *object;
    HS_REQUIRE(text_fits(spec->sku, 64) && text_fits(spec->title, HS_NAME_MAX) && spec->currency != NULL,
               HS_ERR_INVALID_ARG);
    HS_REQUIRE(spec->until_ms == 0 || spec->until_ms > s->now.ms, HS_ERR_INVALID_ARG);
    HS_TRY(hs_live_member(s, id, &room));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(own_chain(s, &self, &proof, &chain));
    HS_TRY(offer_sign(s, &self, spec, &chain, &object));
    struct hs_amount price;
    char money[HS_AMOUNT_TEXT_SIZE], fallback[HS_NAME_MAX + HS_AMOUNT_TEXT_SIZE + 16];
    HS_TRY(hs_amount(spec->currency, spec->price_minor, &price));
    snprintf(fallback, sizeof fallback, "Offer: %s, %s", spec->title, hs_amount_format(&price, money));
    HS_TRY(hs_op_new(s, &op, number));
    op->room = *id;
    op->object = hs_object_id(object);
    return hs_deal_post(s, room, object, &proof, fallback, op);
}

/* ---- campaigns ---- */

static enum hs_err campaign_sign(struct hs_step *s, const struct hs_self *self, const struct hs_id *room,
                                 const struct hanse_campaign_spec *spec, const char *title,
                                 Hanse__SignedObject **out)
{
    struct hs_author author = hs_self_author(s, self);
    Hanse__CouponDef def = HANSE__COUPON_DEF__INIT;
    ProtobufCBinaryData offer;
    struct hs_amount amount;
    def.kind =
        spec->percent_bp > 0 ? HANSE__COUPON_KIND__COUPON_PERCENT : HANSE__COUPON_KIND__COUPON_FIXED_ORDER;
    def.percent_bp = spec->percent_bp;
    if (spec->percent_bp == 0) {
        HS_REQUIRE(spec->currency != NULL, HS_ERR_INVALID_ARG);
        HS_TRY(hs_amount(spec->currency, spec->amount_minor, &amount));
        HS_TRY(hs_amount_write(&amount, s->arena, &def.amount));
    }
    if (spec->offer != NULL) {
        offer = hs_pb_data(hs_bytes(spec->offer->b, sizeof spec->offer->b));
        def.offers = &offer;
        def.n_offers = 1;
    }
    def.binding = HANSE__COUPON_BINDING__BINDING_HOLDER;
    def.limit_total = spec->limit_total;
    def.limit_per_customer = 1;
    def.room = hs_pb_data(HS_VIEW(*room));
    def.title = (char *)(uintptr_t)title;
    struct hs_time until = {spec->until_ms > 0 ? spec->until_ms : s->now.ms + CAMPAIGN_DAYS * DAY_MS};
    return hs_coupon_def_build(&def, &author, until, s->arena, out);
}

static enum hs_err registered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                              enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    struct hs_live_room *room;
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *object;
    Hanse__Chain proof;
    (void)frame;
    if (op == NULL)
        return HS_OK;
    if (hs_err_is_transient(err)) {
        op->busy = false;
        hs_home_try_again(s);
        return HS_OK;
    }
    if (err == HS_OK)
        err = hs_live_member(s, &op->room, &room);
    if (err != HS_OK)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_self_chain(s, &self, &proof));
    HS_TRY(hs_object_unpack(hs_bytes(op->bytes, op->bytes_len), s->arena, &object));
    err = hs_deal_post(s, room, object, &proof, op->text, op);
    return err == HS_OK || hs_sync_is_own_trouble(err) ? err : hs_op_done(s, op, err, NULL, 0, NULL);
}

static enum hs_err register_campaign(struct hs_step *s, struct hs_op *op)
{
    struct hs_self HS_SELF self = {0};
    struct hs_request request = {.answer = registered, .op = op->number};
    Hanse__SignedObject *object;
    Hanse__Chain proof;
    HS_TRY(hs_self_for(s, &s->sync->me.home_root, &self));
    HS_TRY(hs_self_chain(s, &self, &proof));
    HS_TRY(hs_object_unpack(hs_bytes(op->bytes, op->bytes_len), s->arena, &object));
    op->busy = true;
    return hs_ledger_send(s, &s->sync->me.home_root, (struct hs_bytes){0}, object, &proof, &request);
}

/* "10 % off", "12.5 % off", "5.00 EUR off" */
static enum hs_err campaign_title(const struct hanse_campaign_spec *spec, char *out, size_t size)
{
    struct hs_amount amount;
    char money[HS_AMOUNT_TEXT_SIZE];
    HS_REQUIRE(spec->percent_bp <= 10000, HS_ERR_INVALID_ARG);
    if (spec->title != NULL) {
        HS_REQUIRE(text_fits(spec->title, HS_NAME_MAX), HS_ERR_INVALID_ARG);
        snprintf(out, size, "%s", spec->title);
    } else if (spec->percent_bp % 100 != 0) {
        snprintf(out, size, "%u.%02u %% off", spec->percent_bp / 100, spec->percent_bp % 100);
    } else if (spec->percent_bp > 0) {
        snprintf(out, size, "%u %% off", spec->percent_bp / 100);
    } else {
        HS_REQUIRE(spec->currency != NULL, HS_ERR_INVALID_ARG);
        HS_TRY(hs_amount(spec->currency, spec->amount_minor, &amount));
        snprintf(out, size, "%s off", hs_amount_format(&amount, money));
    }
    return HS_OK;
}

enum hs_err hs_want_campaign(struct hs_step *s, const struct hs_id *id,
                             const struct hanse_campaign_spec *spec, uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    struct hs_self HS_SELF self = {0};
    struct hs_chain chain;
    struct hs_coupon_def check;
    Hanse__Chain proof;
    Hanse__SignedObject *object;
    struct hs_bytes bytes;
    char title[HS_TITLE_SIZE], fallback[HS_TITLE_SIZE + 16];
    HS_TRY(campaign_title(spec, title, sizeof title));
    HS_REQUIRE(spec->until_ms == 0 || spec->until_ms > s->now.ms, HS_ERR_INVALID_ARG);
    HS_TRY(hs_live_member(s, id, &room));
    HS_REQUIRE(hs_root_is_home(s->sync, &room->row.hub_root), HS_ERR_WRONG_SIGNER);
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(own_chain(s, &self, &proof, &chain));
    HS_TRY(campaign_sign(s, &self, id, spec, title, &object));
    HS_TRY(hs_coupon_def_open(&chain, object, s->arena, &check));
    HS_TRY(hs_object_pack(object, s->arena, &bytes));
    HS_TRY(hs_op_new(s, &op, number));
    op->room = *id;
    op->object = check.id;
    op->resume = register_campaign;
    snprintf(fallback, sizeof fallback, "Coupon: %s", title);
    HS_TRY(hs_op_take_text(op, fallback));
    HS_TRY(hs_op_take_bytes(op, bytes));
    return hs_op_begin(s, op);
}

/* ---- claims ---- */

/* The unit is a good one and one's own. */
static enum hs_err unit_received(struct hs_step *s, struct hs_op *op, const Hanse__LedgerReply *reply,
                                 struct hs_id *id)
{
    struct hs_coupon_def def;
    struct hs_campaign_row campaign;
    struct hs_coupon coupon;
    struct hs_claim_row claim;
    struct hs_chain chain;
    struct hs_proved proved;
    struct hs_key persona;
    Hanse__Chain proof = HANSE__CHAIN__INIT;
    HS_REQUIRE(reply->reply != NULL, HS_ERR_MALFORMED);
    HS_TRY(hs_campaign_load(s, &op->object, &def, &campaign));
    HS_TRY(hs_chain_open(reply->chain, reply->n_chain, &campaign.root, s->arena, &chain));
    HS_TRY(hs_coupon_open(&chain, reply->reply, &def, s->arena, &coupon));
    HS_TRY(hs_sync_persona(s->sync, &campaign.root, &persona));
    HS_REQUIRE(hs_key_equal(&coupon.holder, &persona), HS_ERR_COUPON_WRONG_HOLDER);
    proof.objects = reply->chain;
    proof.n_objects = reply->n_chain;
    HS_TRY(hs_proved_make(s, reply->reply, &proof, &proved));
    HS_TRY(hs_coupon_keep(s, &coupon, &campaign, &proved, HANSE_COUPON_HELD));
    HS_REQUIRE(hs_claim_row_get(s->kv, &op->object, s->arena, &claim), HS_ERR_STORE);
    claim.done = true;
    claim.coupon = *id = coupon.id;
    hs_claim_row_put(s->kv, &op->object, &claim);
    return s->kv->err;
}

static enum hs_err claimed(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                           enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    struct hs_id coupon = {0};
    if (op == NULL)
        return HS_OK; /* the same bytes will be asked again, and answered again */
    if (hs_err_is_transient(err)) {
        struct hs_campaign_row campaign;
        op->busy = false;
        hs_home_try_again(s);
        if (err != HS_ERR_RECOVERING || !hs_campaign_row_get(s->kv, &op->object, s->arena, &campaign))
            return s->kv->err;
        return hs_proofs_recovering(s, &campaign.root);
    }
    if (err == HS_OK) {
        err = frame->body_case == HANSE__FRAME__BODY_LEDGER_REPLY
                  ? unit_received(s, op, frame->ledger_reply, &coupon)
                  : HS_ERR_UNEXPECTED;
        HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    } else if (err == HS_ERR_EXPIRED) {
        hs_claim_row_delete(s->kv, &op->object); /* the request was too old; a new one may be made */
    }
    /* Whatever the issuer's node said: that is the end of this claim, and not of the session at home. */
    return hs_op_done(s, op, err, &coupon, 0, NULL);
}

static enum hs_err claim_ask(struct hs_step *s, struct hs_op *op)
{
    struct hs_claim_row claim;
    struct hs_campaign_row campaign;
    struct hs_self HS_SELF self = {0};
    struct hs_request request = {.answer = claimed, .op = op->number};
    struct hs_bytes descriptor;
    Hanse__SignedObject *object;
    Hanse__Chain proof;
    HS_REQUIRE(hs_claim_row_get(s->kv, &op->object, s->arena, &claim), HS_ERR_STORE);
    HS_REQUIRE(hs_campaign_row_get(s->kv, &op->object, s->arena, &campaign), HS_ERR_STORE);
    HS_TRY(hs_brand_descriptor(s, &campaign.root, &descriptor));
    HS_TRY(hs_self_for(s, &campaign.root, &self));
    HS_TRY(hs_self_chain(s, &self, &proof));
    HS_TRY(hs_object_unpack(claim.request, s->arena, &object));
    op->busy = true;
    return hs_ledger_send(s, &campaign.root, descriptor, object, &proof, &request);
}

/* A claim that can't be sent (the room that told where the issuer is was left) ends. */
static enum hs_err claim_send(struct hs_step *s, struct hs_op *op)
{
    enum hs_err err = claim_ask(s, op);
    return err == HS_OK || hs_sync_is_own_trouble(err) ? err : hs_op_done(s, op, err, NULL, 0, NULL);
}

enum hs_err hs_want_claim(struct hs_step *s, const struct hs_id *id, uint64_t *number)
{
    struct hs_op *op;
    struct hs_campaign_row campaign;
    struct hs_claim_row claim = {0};
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *object;
    HS_REQUIRE(hs_campaign_row_get(s->kv, id, s->arena, &campaign), HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_op_new(s, &op, number));
    op->object = *id;
    op->room = campaign.room;
    bool known = hs_claim_row_get(s->kv, id, s->arena, &claim);
    if (known && claim.done)
        return hs_op_done(s, op, HS_OK, &claim.coupon, 0, NULL);
    if (!known) {
        HS_TRY(hs_self_for(s, &campaign.root, &self));
        struct hs_author author = hs_self_author(s, &self);
        struct hs_time until = {s->now.ms + CLAIM_DAYS * DAY_MS};
        HS_TRY(hs_coupon_claim_build(&author, &campaign.root, id, until, s->arena, &object));
        HS_TRY(hs_object_pack(object, s->arena, &claim.request));
        hs_claim_row_put(s->kv, id, &claim);
    }
    op->resume = claim_send;
    return hs_op_begin(s, op);
}
