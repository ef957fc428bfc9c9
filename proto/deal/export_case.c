#include "deal/export_case.h"

#include "deal/rules.h"

void hs_export_case_note(struct hs_export_case *c, const char *part, const struct hs_actor *actor)
{
    for (size_t i = 0; i < c->signer_count; i++)
        if (strcmp(c->signers[i].part, part) == 0 && hs_key_equal(&c->signers[i].actor.key, &actor->key) &&
            c->signers[i].actor.role == actor->role)
            return;
    if (c->signer_count < HS_EXPORT_SIGNERS_MAX)
        c->signers[c->signer_count++] = (struct hs_export_signer){.part = part, .actor = *actor};
}

static enum hs_err offers_open(struct hs_export_case *c, const struct hs_export_parts *parts,
                               struct hs_arena *arena)
{
    struct hs_offer *offers = hs_arena_alloc(arena, (parts->offer_count + 1) * sizeof *offers);
    HS_REQUIRE(offers != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < parts->offer_count; i++) {
        HS_TRY(hs_offer_open(&c->chain, parts->offers[i], arena, &offers[i]));
        hs_export_case_note(c, "offer", &offers[i].signer);
    }
    c->refs.offers = offers;
    c->refs.offer_count = parts->offer_count;
    return HS_OK;
}

static enum hs_err defs_open(struct hs_export_case *c, const struct hs_export_parts *parts,
                             struct hs_arena *arena)
{
    c->defs = hs_arena_alloc(arena, (parts->coupon_def_count + 1) * sizeof *c->defs);
    HS_REQUIRE(c->defs != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < parts->coupon_def_count; i++) {
        HS_TRY(hs_coupon_def_open(&c->chain, parts->coupon_defs[i], arena, &c->defs[i]));
        hs_export_case_note(c, "coupon definition", &c->defs[i].signer);
    }
    return HS_OK;
}

static const struct hs_coupon_def *def_find(const struct hs_export_case *c, size_t count,
                                            const struct hs_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (hs_id_equal(&c->defs[i].id, id))
            return &c->defs[i];
    return NULL;
}

static enum hs_err coupons_open(struct hs_export_case *c, const struct hs_export_parts *parts,
                                struct hs_arena *arena)
{
    struct hs_order_coupon *coupons = hs_arena_alloc(arena, (parts->coupon_count + 1) * sizeof *coupons);
    HS_REQUIRE(coupons != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < parts->coupon_count; i++) {
        struct hs_id def_id;
        HS_TRY(hs_coupon_claimed_def(parts->coupons[i], &def_id));
        const struct hs_coupon_def *def = def_find(c, parts->coupon_def_count, &def_id);
        HS_REQUIRE(def != NULL, HS_ERR_COUPON_UNKNOWN);
        HS_TRY(hs_coupon_open(&c->chain, parts->coupons[i], def, arena, &coupons[i].coupon));
        coupons[i].def = *def;
        hs_export_case_note(c, "coupon", &coupons[i].coupon.signer);
    }
    c->refs.coupons = coupons;
    c->refs.coupon_count = parts->coupon_count;
    return HS_OK;
}

static enum hs_err events_apply(struct hs_export_case *c, const struct hs_export_parts *parts,
                                struct hs_arena *arena)
{
    for (size_t i = 0; i < parts->event_count; i++) {
        HS_TRY(hs_order_event_apply(&c->thread, &c->chain, &c->refs, parts->events[i], arena));
        if (i == 0)
            hs_export_case_note(c, "order", &c->thread.order.signer);
        hs_export_case_note(c, "event", &c->thread.signer);
    }
    for (size_t i = 0; i < c->thread.receipt_count; i++)
        hs_export_case_note(c, "receipt", &c->thread.receipts[i].signer);
    return HS_OK;
}

struct hs_export_parts hs_export_parts_of(const Hanse__OrderExport *msg)
{
    return (struct hs_export_parts){
        .offers = msg->offers,
        .offer_count = msg->n_offers,
        .coupon_defs = msg->coupon_defs,
        .coupon_def_count = msg->n_coupon_defs,
        .coupons = msg->coupons,
        .coupon_count = msg->n_coupons,
        .events = msg->events,
        .event_count = msg->n_events,
        .chain = msg->chain,
        .chain_count = msg->n_chain,
    };
}

enum hs_err hs_export_case_open(const struct hs_export_parts *parts, const struct hs_key *pinned,
                                struct hs_arena *arena, struct hs_export_case *out)
{
    HS_REQUIRE(parts->event_count > 0, HS_ERR_ORDER_INVALID);
    struct hs_export_case *c = hs_arena_alloc(arena, sizeof *c);
    HS_REQUIRE(c != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_chain_open(parts->chain, parts->chain_count, pinned, arena, &c->chain));
    HS_TRY(offers_open(c, parts, arena));
    HS_TRY(defs_open(c, parts, arena));
    HS_TRY(coupons_open(c, parts, arena));
    HS_TRY(events_apply(c, parts, arena));
    *out = *c;
    return HS_OK;
}

/* --- what the order cites --- */

bool hs_export_case_cites_offer(const struct hs_export_case *c, const struct hs_id *id)
{
    const Hanse__OrderRequest *order = c->thread.order.msg;
    for (size_t i = 0; i < order->n_lines; i++)
        if (hs_bytes_equal(hs_pb_bytes(order->lines[i]->offer_id), HS_VIEW(*id)))
            return true;
    return false;
}

bool hs_export_case_cites_coupon(const struct hs_export_case *c, const struct hs_id *id)
{
    const Hanse__OrderRequest *order = c->thread.order.msg;
    for (size_t i = 0; i < order->n_coupon_ids; i++)
        if (hs_bytes_equal(hs_pb_bytes(order->coupon_ids[i]), HS_VIEW(*id)))
            return true;
    return false;
}

bool hs_export_case_cites_def(const struct hs_export_case *c, const struct hs_id *id)
{
    for (size_t i = 0; i < c->refs.coupon_count; i++)
        if (hs_id_equal(&c->refs.coupons[i].def.id, id) &&
            hs_export_case_cites_coupon(c, &c->refs.coupons[i].coupon.id))
            return true;
    return false;
}
