/* An order as one file that a third party can check. */
#include "deal/export.h"
#include "sync/trade/deal.h"

/* Everything of the order, as objects in lists of the export. */
static enum hs_err collect(struct hs_step *s, const struct hs_order_view *v, struct hs_export_parts *parts,
                           struct hs_chain_set *chain)
{
    size_t lines = v->order.msg->n_lines, coupons = v->order.msg->n_coupon_ids;
    Hanse__SignedObject **offers = hs_arena_alloc(s->arena, (lines + 1) * sizeof *offers);
    Hanse__SignedObject **units = hs_arena_alloc(s->arena, (coupons + 1) * sizeof *units);
    Hanse__SignedObject **defs = hs_arena_alloc(s->arena, (coupons + 1) * sizeof *defs);
    Hanse__SignedObject **events = hs_arena_alloc(s->arena, (v->row.next_seq + 1) * sizeof *events);
    HS_REQUIRE(offers != NULL && units != NULL && defs != NULL && events != NULL, HS_ERR_NOMEM);
    Hanse__Chain *proof;
    for (size_t i = 0; i < lines; i++) {
        struct hs_offer_row row;
        HS_REQUIRE(hs_offer_row_get(s->kv, &v->refs.offers[i].id, s->arena, &row), HS_ERR_OFFER_UNKNOWN);
        HS_TRY(hs_proved_load(s, &row.proved, &offers[i], &proof));
        HS_TRY(hs_chain_set_add(chain, proof));
    }
    for (size_t i = 0; i < coupons; i++) {
        struct hs_coupon_row row;
        struct hs_campaign_row campaign;
        HS_REQUIRE(hs_coupon_row_get(s->kv, &v->refs.coupons[i].coupon.id, s->arena, &row),
                   HS_ERR_COUPON_UNKNOWN);
        HS_REQUIRE(hs_campaign_row_get(s->kv, &row.campaign, s->arena, &campaign), HS_ERR_COUPON_UNKNOWN);
        HS_TRY(hs_proved_load(s, &row.proved, &units[i], &proof));
        HS_TRY(hs_chain_set_add(chain, proof));
        HS_TRY(hs_proved_load(s, &campaign.proved, &defs[i], &proof));
        HS_TRY(hs_chain_set_add(chain, proof));
    }
    for (uint32_t i = 0; i < v->row.next_seq; i++) {
        struct hs_proved event;
        HS_REQUIRE(hs_event_row_get(s->kv, &v->row.id, i, s->arena, &event), HS_ERR_STORE);
        HS_TRY(hs_object_unpack(event.object, s->arena, &events[i]));
    }
    *parts = (struct hs_export_parts){.offers = offers,
                                      .coupon_defs = defs,
                                      .coupons = units,
                                      .events = events,
                                      .offer_count = lines,
                                      .coupon_def_count = coupons,
                                      .coupon_count = coupons,
                                      .event_count = v->row.next_seq};
    return HS_OK;
}

enum hs_err hs_sync_export(struct hs_step *s, const struct hs_id *id, struct hs_arena *arena,
                           struct hs_bytes *out)
{
    struct hs_order_view *v = hs_arena_alloc(s->arena, sizeof *v);
    struct hs_self HS_SELF self = {0};
    struct hs_export_parts parts;
    Hanse__Chain own;
    HS_REQUIRE(v != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_order_view(s, id, NULL, v));
    HS_REQUIRE(v->thread.state > HS_ORDER_PLACED, HS_ERR_ORDER_STEP);
    HS_TRY(hs_self_for(s, &v->row.root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    HS_TRY(hs_chain_set_add(&v->proof, &own));
    HS_TRY(collect(s, v, &parts, &v->proof));
    parts.chain = v->proof.objects;
    parts.chain_count = v->proof.count;
    struct hs_author author = hs_self_author(s, &self);
    return hs_export_build(&author, &v->row.root, &parts, arena, out);
}
