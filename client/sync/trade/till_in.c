/* What customers send to the till: orders, and their coupons shown. */
#include "deal/presentation.h"
#include "sync/trade/deal.h"

#include <stdio.h>

static bool serves(const struct hs_step *s, const struct hs_live_room *room)
{
    return room->row.kind == HS_ROOM_COUNTER && room->row.role == HS_ROOM_OWNER &&
           hs_root_is_home(s->sync, &room->row.hub_root);
}

enum hs_err hs_order_received(struct hs_step *s, struct hs_deal_in *in)
{
    struct hs_order order;
    struct hs_order_row row = {.room = in->room->row.id,
                               .root = in->room->row.hub_root,
                               .state = HANSE_ORDER_DRAFT,
                               .customer = in->message->sender,
                               .placed = in->header->hub_time.ms,
                               .seen = s->now.ms},
                        known;
    HS_TRY(hs_order_open(&in->chain, in->object, s->arena, &order));
    HS_REQUIRE(hs_key_equal(&order.signer.key, &in->message->sender.key), HS_ERR_WRONG_SENDER);
    row.id = in->message->object = order.id;
    in->message->kind = HANSE_MESSAGE_ORDER;
    if (in->message->own || !serves(s, in->room) || hs_order_row_get(s->kv, &order.id, s->arena, &known))
        return HS_OK;
    const Hanse__Totals *totals = order.msg->expected;
    row.lines = (uint32_t)order.msg->n_lines;
    row.subtotal = totals->subtotal != NULL ? totals->subtotal->minor : 0;
    row.discount = totals->discount != NULL ? totals->discount->minor : 0;
    row.total = totals->total != NULL ? totals->total->minor : 0;
    if (totals->total != NULL)
        snprintf(row.currency, sizeof row.currency, "%s", totals->total->currency);
    HS_TRY(hs_proved_make(s, in->object, &in->proof, &row.proved));
    hs_order_row_put(s->kv, &row);
    HS_TRY(hs_till_told(s, &row, "order received", HS_OK));
    return hs_till_go_on(s, &order.id, HS_OK);
}

/* Coupons are shown by whose order it is, in the room of that order, and only an answer to the till's own
 * question is kept. */
enum hs_err hs_presentation_received(struct hs_step *s, struct hs_deal_in *in)
{
    ProtobufCMessage *payload;
    struct hs_actor actor;
    struct hs_expect expect = {.kind = HS_KIND_PRESENTATION};
    struct hs_id id;
    struct hs_order_row order;
    HS_TRY(hs_chain_open_by_device(&in->chain, in->object, &expect, s->arena, &payload, &actor));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(((const Hanse__Presentation *)payload)->order_id), &id),
               HS_ERR_MALFORMED);
    in->message->kind = HANSE_MESSAGE_ORDER;
    in->message->object = id;
    if (in->message->own || !serves(s, in->room))
        return HS_OK;
    HS_REQUIRE(hs_order_row_get(s->kv, &id, s->arena, &order) && !order.own &&
                   hs_id_equal(&order.room, &in->room->row.id) &&
                   hs_key_equal(&order.customer.key, &in->message->sender.key),
               HS_ERR_ORDER_INVALID);
    if (order.done)
        return HS_OK;
    HS_TRY(hs_till_shown(s, in));
    return hs_till_go_on(s, &id, HS_OK);
}
