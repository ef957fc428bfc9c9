/* An order out of the store, with all that it cites and its events so far. */
#include "sync/trade/deal.h"

static enum hs_err load_offers(struct hs_step *s, struct hs_order_view *v)
{
    const Hanse__OrderRequest *msg = v->order.msg;
    struct hs_offer *offers = hs_arena_alloc(s->arena, (msg->n_lines + 1) * sizeof *offers);
    HS_REQUIRE(offers != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < msg->n_lines; i++) {
        struct hs_id id;
        struct hs_offer_row row;
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->lines[i]->offer_id), &id), HS_ERR_ORDER_INVALID);
        HS_TRY(hs_offer_load(s, &id, &offers[i], &row));
    }
    v->refs.offers = offers;
    v->refs.offer_count = msg->n_lines;
    return HS_OK;
}

static enum hs_err load_coupons(struct hs_step *s, struct hs_order_view *v)
{
    const Hanse__OrderRequest *msg = v->order.msg;
    struct hs_order_coupon *coupons = hs_arena_alloc(s->arena, (msg->n_coupon_ids + 1) * sizeof *coupons);
    HS_REQUIRE(coupons != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < msg->n_coupon_ids; i++) {
        struct hs_id id;
        struct hs_coupon_row row;
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->coupon_ids[i]), &id), HS_ERR_ORDER_INVALID);
        HS_TRY(hs_coupon_load(s, &id, &coupons[i], &row));
    }
    v->refs.coupons = coupons;
    v->refs.coupon_count = msg->n_coupon_ids;
    return HS_OK;
}

static enum hs_err load_chain(struct hs_step *s, struct hs_order_view *v, const Hanse__Chain *more)
{
    Hanse__Chain *chain;
    struct hs_proved event;
    HS_TRY(hs_proved_load(s, &v->row.proved, &v->request, &chain));
    HS_TRY(hs_chain_set_add(&v->proof, chain));
    for (uint32_t seq = 0; seq < v->row.next_seq; seq++) {
        HS_REQUIRE(hs_event_row_get(s->kv, &v->row.id, seq, s->arena, &event), HS_ERR_STORE);
        HS_TRY(hs_chain_unpack(s->arena, event.chain, &chain));
        HS_TRY(hs_chain_set_add(&v->proof, chain));
    }
    if (more != NULL)
        HS_TRY(hs_chain_set_add(&v->proof, more));
    return hs_chain_open(v->proof.objects, v->proof.count, &v->row.root, s->arena, &v->chain);
}

enum hs_err hs_order_view(struct hs_step *s, const struct hs_id *id, const Hanse__Chain *more,
                          struct hs_order_view *v)
{
    struct hs_proved event;
    Hanse__SignedObject *object;
    *v = (struct hs_order_view){0};
    HS_REQUIRE(hs_order_row_get(s->kv, id, s->arena, &v->row), HS_ERR_NOT_FOUND);
    HS_TRY(load_chain(s, v, more));
    HS_TRY(hs_order_open(&v->chain, v->request, s->arena, &v->order));
    HS_TRY(load_offers(s, v));
    HS_TRY(load_coupons(s, v));
    for (uint32_t seq = 0; seq < v->row.next_seq; seq++) {
        HS_REQUIRE(hs_event_row_get(s->kv, id, seq, s->arena, &event), HS_ERR_STORE);
        HS_TRY(hs_object_unpack(event.object, s->arena, &object));
        HS_TRY(hs_order_event_apply(&v->thread, &v->chain, &v->refs, object, s->arena));
    }
    return HS_OK;
}

static enum hanse_order_state public_state(enum hs_order_state state)
{
    switch (state) {
    case HS_ORDER_PLACED:
        return HANSE_ORDER_PLACED;
    case HS_ORDER_ACCEPTED:
        return HANSE_ORDER_ACCEPTED;
    case HS_ORDER_REJECTED:
        return HANSE_ORDER_REJECTED;
    case HS_ORDER_CANCELLED:
        return HANSE_ORDER_CANCELLED;
    case HS_ORDER_CLOSED:
        return HANSE_ORDER_CLOSED;
    default:
        return HANSE_ORDER_DRAFT;
    }
}

enum hs_err hs_order_keep(struct hs_step *s, struct hs_order_view *v, Hanse__SignedObject *event,
                          const Hanse__Chain *chain)
{
    struct hs_proved proved;
    HS_TRY(hs_proved_make(s, event, chain, &proved));
    hs_event_row_put(s->kv, &v->row.id, v->row.next_seq, &proved);
    v->row.next_seq++;
    v->row.state = public_state(v->thread.state);
    v->row.receipts = (uint32_t)v->thread.receipt_count;
    v->row.reason = v->thread.state == HS_ORDER_REJECTED ? hs_err_from_wire(v->thread.reason_code) : HS_OK;
    hs_order_row_put(s->kv, &v->row);
    return s->kv->err;
}

enum hs_err hs_order_step(struct hs_step *s, struct hs_order_view *v, Hanse__SignedObject *event,
                          const Hanse__Chain *chain)
{
    HS_TRY(hs_order_event_apply(&v->thread, &v->chain, &v->refs, event, s->arena));
    return hs_order_keep(s, v, event, chain);
}
