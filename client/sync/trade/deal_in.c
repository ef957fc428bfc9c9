/* Deals that come in posts, by their kind. */
#include "sync/log/hub_key.h"
#include "sync/trade/deal.h"

#include <stdio.h>

enum hs_err hs_proved_make(struct hs_step *s, const Hanse__SignedObject *object, const Hanse__Chain *chain,
                           struct hs_proved *out)
{
    HS_TRY(hs_object_pack(object, s->arena, &out->object));
    return hs_chain_pack(s, chain, &out->chain);
}

enum hs_err hs_proved_load(struct hs_step *s, const struct hs_proved *proved, Hanse__SignedObject **object,
                           Hanse__Chain **chain)
{
    HS_TRY(hs_object_unpack(proved->object, s->arena, object));
    return hs_chain_unpack(s->arena, proved->chain, chain);
}

enum hs_err hs_chain_set_add(struct hs_chain_set *set, const Hanse__Chain *chain)
{
    for (size_t i = 0; i < chain->n_objects; i++) {
        bool known = false;
        for (size_t k = 0; k < set->count; k++)
            known |= hs_object_equal(set->objects[k], chain->objects[i]);
        if (known)
            continue;
        HS_REQUIRE(set->count < HS_CHAIN_MAX, HS_ERR_BAD_CHAIN);
        set->objects[set->count++] = chain->objects[i];
    }
    return HS_OK;
}

Hanse__Chain hs_chain_set_view(struct hs_chain_set *set)
{
    Hanse__Chain chain = HANSE__CHAIN__INIT;
    chain.objects = set->objects;
    chain.n_objects = set->count;
    return chain;
}

/* ---- out of the store ---- */

static enum hs_err open_proved(struct hs_step *s, const struct hs_proved *proved, const struct hs_key *root,
                               Hanse__SignedObject **object, struct hs_chain *chain)
{
    Hanse__Chain *proof;
    HS_TRY(hs_proved_load(s, proved, object, &proof));
    return hs_chain_open(proof->objects, proof->n_objects, root, s->arena, chain);
}

enum hs_err hs_offer_load(struct hs_step *s, const struct hs_id *id, struct hs_offer *out,
                          struct hs_offer_row *row)
{
    Hanse__SignedObject *object;
    struct hs_chain chain;
    HS_REQUIRE(hs_offer_row_get(s->kv, id, s->arena, row), HS_ERR_OFFER_UNKNOWN);
    HS_TRY(open_proved(s, &row->proved, &row->root, &object, &chain));
    return hs_offer_open(&chain, object, s->arena, out);
}

enum hs_err hs_campaign_load(struct hs_step *s, const struct hs_id *id, struct hs_coupon_def *out,
                             struct hs_campaign_row *row)
{
    Hanse__SignedObject *object;
    struct hs_chain chain;
    HS_REQUIRE(hs_campaign_row_get(s->kv, id, s->arena, row), HS_ERR_COUPON_UNKNOWN);
    HS_TRY(open_proved(s, &row->proved, &row->root, &object, &chain));
    return hs_coupon_def_open(&chain, object, s->arena, out);
}

enum hs_err hs_coupon_load(struct hs_step *s, const struct hs_id *id, struct hs_order_coupon *out,
                           struct hs_coupon_row *row)
{
    struct hs_campaign_row campaign;
    Hanse__SignedObject *object;
    struct hs_chain chain;
    HS_REQUIRE(hs_coupon_row_get(s->kv, id, s->arena, row), HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_campaign_load(s, &row->campaign, &out->def, &campaign));
    HS_TRY(open_proved(s, &row->proved, &campaign.root, &object, &chain));
    return hs_coupon_open(&chain, object, &out->def, s->arena, &out->coupon);
}

/* ---- into the store ---- */

/* The signer as the room shows people: with the handle that the chain holds for its key. */
static void signer_of(const struct hs_deal_in *in, const struct hs_key *key, struct hs_person *out)
{
    *out = (struct hs_person){.key = *key};
    if (hs_key_equal(key, &in->message->sender.key)) {
        *out = in->message->sender;
        return;
    }
    for (size_t i = 0; i < in->proof.n_objects; i++) {
        struct hs_handle_grant grant;
        if (hs_object_claimed_kind(in->proof.objects[i]) != HS_KIND_HANDLE_GRANT ||
            hs_handle_grant_open(in->proof.objects[i], &in->chain.root, &grant) != HS_OK ||
            !hs_key_equal(&grant.key, key) || strcmp(grant.domain, in->room->row.domain) != 0)
            continue;
        snprintf(out->handle, sizeof out->handle, "%s@%s", grant.name, grant.domain);
    }
}

static void text_copy(char *out, size_t size, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    if (len >= size)
        len = size - 1;
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
}

static enum hs_err offer_received(struct hs_step *s, struct hs_deal_in *in)
{
    struct hs_offer offer;
    struct hs_offer_row row = {.room = in->room->row.id, .root = in->room->row.hub_root}, known;
    HS_TRY(hs_offer_open(&in->chain, in->object, s->arena, &offer));
    row.id = in->message->object = offer.id;
    in->message->kind = HANSE_MESSAGE_OFFER;
    if (hs_offer_row_get(s->kv, &offer.id, s->arena, &known))
        return HS_OK;
    text_copy(row.sku, sizeof row.sku, offer.msg->sku);
    text_copy(row.title, sizeof row.title, offer.msg->title);
    text_copy(row.currency, sizeof row.currency, offer.msg->price->currency);
    row.price = offer.msg->price->minor;
    row.includes_tax = offer.msg->price_includes_tax;
    row.tax_bp = offer.msg->tax_bp;
    row.from = offer.msg->not_before_ms > 0 ? offer.msg->not_before_ms : offer.msg->hdr->created_ms;
    row.until = offer.msg->hdr->not_after_ms;
    signer_of(in, &offer.signer.key, &row.seller);
    HS_TRY(hs_proved_make(s, in->object, &in->proof, &row.proved));
    hs_offer_row_put(s->kv, &row);
    return s->kv->err;
}

static enum hs_err campaign_received(struct hs_step *s, struct hs_deal_in *in)
{
    struct hs_coupon_def def;
    struct hs_campaign_row row = {.room = in->room->row.id, .root = in->room->row.hub_root}, known;
    HS_TRY(hs_coupon_def_open(&in->chain, in->object, s->arena, &def));
    row.id = in->message->object = def.id;
    in->message->kind = HANSE_MESSAGE_COUPON;
    if (hs_campaign_row_get(s->kv, &def.id, s->arena, &known))
        return HS_OK;
    text_copy(row.title, sizeof row.title, def.msg->title);
    row.percent_bp = def.msg->percent_bp;
    row.limit_total = def.msg->limit_total;
    if (def.msg->amount != NULL) {
        text_copy(row.currency, sizeof row.currency, def.msg->amount->currency);
        row.amount = def.msg->amount->minor;
    }
    row.from = def.msg->not_before_ms > 0 ? def.msg->not_before_ms : def.msg->hdr->created_ms;
    row.until = def.msg->hdr->not_after_ms;
    signer_of(in, &def.signer.key, &row.issuer);
    HS_TRY(hs_proved_make(s, in->object, &in->proof, &row.proved));
    hs_campaign_row_put(s->kv, &row);
    return s->kv->err;
}

enum hs_err hs_coupon_keep(struct hs_step *s, const struct hs_coupon *coupon,
                           const struct hs_campaign_row *campaign, const struct hs_proved *proved,
                           uint32_t state)
{
    struct hs_coupon_row row, known;
    if (hs_coupon_row_get(s->kv, &coupon->id, s->arena, &known))
        return HS_OK;
    row = (struct hs_coupon_row){.id = coupon->id,
                                 .campaign = campaign->id,
                                 .room = campaign->room,
                                 .proved = *proved,
                                 .state = state,
                                 .unit_no = coupon->msg->unit_no,
                                 .until = coupon->msg->hdr->not_after_ms};
    memcpy(row.title, campaign->title, sizeof row.title);
    hs_coupon_row_put(s->kv, &row);
    return s->kv->err;
}

/* A customer shows the till a unit before the order that cites it. */
static enum hs_err coupon_received(struct hs_step *s, struct hs_deal_in *in)
{
    struct hs_id def_id;
    struct hs_coupon_def def;
    struct hs_campaign_row campaign;
    struct hs_coupon coupon;
    struct hs_proved proved;
    HS_TRY(hs_coupon_claimed_def(in->object, &def_id));
    HS_TRY(hs_campaign_load(s, &def_id, &def, &campaign));
    HS_TRY(hs_coupon_open(&in->chain, in->object, &def, s->arena, &coupon));
    in->message->object = def_id;
    in->message->kind = HANSE_MESSAGE_COUPON;
    HS_TRY(hs_proved_make(s, in->object, &in->proof, &proved));
    return hs_coupon_keep(s, &coupon, &campaign, &proved, 0);
}

static enum hs_err by_kind(struct hs_step *s, struct hs_deal_in *in)
{
    switch (hs_object_claimed_kind(in->object)) {
    case HS_KIND_OFFER:
        return offer_received(s, in);
    case HS_KIND_COUPON_DEF:
        return campaign_received(s, in);
    case HS_KIND_COUPON:
        return coupon_received(s, in);
    case HS_KIND_ORDER_REQUEST:
        return hs_order_received(s, in);
    case HS_KIND_ORDER_EVENT:
        return hs_order_event_received(s, in);
    case HS_KIND_PRESENTATION_REQUEST:
        return hs_question_received(s, in);
    case HS_KIND_PRESENTATION:
        return hs_presentation_received(s, in);
    default:
        return HS_OK; /* shown by its fallback */
    }
}

enum hs_err hs_deal_received(struct hs_step *s, struct hs_live_room *room, const struct hs_mls_member *sender,
                             const struct hs_record_header *header, const struct hs_content *content,
                             struct hs_message_row *message)
{
    struct hs_deal_in in = {.room = room,
                            .header = header,
                            .sender = sender,
                            .object = content->deal,
                            .proof = HANSE__CHAIN__INIT,
                            .message = message};
    in.proof.objects = (Hanse__SignedObject **)(uintptr_t)content->chain;
    in.proof.n_objects = content->chain_count;
    HS_TRY(hs_chain_open(in.proof.objects, in.proof.n_objects, &room->row.hub_root, s->arena, &in.chain));
    return by_kind(s, &in);
}

/* ---- out into a room, and to the ledger ---- */

enum hs_err hs_deal_post(struct hs_step *s, struct hs_live_room *room, const Hanse__SignedObject *object,
                         const Hanse__Chain *chain, const char *fallback, struct hs_op *op)
{
    struct hs_content content =
        hs_content_deal(object, chain->objects, chain->n_objects, hs_bytes_str(fallback), s->now);
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    HS_TRY(hs_content_build(&content, &w));
    return hs_post_content(s, room, hs_writer_bytes(&w), op);
}

enum hs_err hs_ledger_send(struct hs_step *s, const struct hs_key *root, struct hs_bytes descriptor,
                           Hanse__SignedObject *object, const Hanse__Chain *chain,
                           const struct hs_request *request)
{
    Hanse__Ledger ledger = HANSE__LEDGER__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    ledger.request = object;
    ledger.chain = chain->objects;
    ledger.n_chain = chain->n_objects;
    frame.body_case = HANSE__FRAME__BODY_LEDGER;
    frame.ledger = &ledger;
    return hs_request_send_to(s, root, descriptor, &frame, request);
}

enum hs_err hs_brand_descriptor(struct hs_step *s, const struct hs_key *root, struct hs_bytes *out)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    *out = (struct hs_bytes){0};
    if (hs_root_is_home(s->sync, root))
        return HS_OK;
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) /* one that is at another hub now knows that hub's */
        if (hs_key_equal(&row.hub_root, root) && hs_key_equal(hs_row_hub(&row), root) &&
            row.descriptor.len > 0) {
            *out = row.descriptor;
            return HS_OK;
        }
    HS_TRY(s->kv->err);
    enum hs_err err = hs_hub_key_newest(s, root, out);
    return err == HS_ERR_NOT_FOUND ? HS_ERR_UNREACHABLE : err;
}
