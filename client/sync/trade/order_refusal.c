/* The answer to an order that can't even be placed, because it contradicts itself or cites what the till
 * hasn't got: a REJECTED with the number 0 and the order before it. It is no event of the order's chain
 * (which begins with PLACED), proves nothing to third parties, and ends the customer's wait. */
#include "base/text.h"
#include "deal/order_step.h"
#include "sync/trade/deal.h"

#include <stdio.h>

enum hs_err hs_order_refuse(struct hs_step *s, struct hs_live_room *room, const struct hs_order_row *row,
                            enum hs_err why)
{
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *object;
    Hanse__Chain own;
    HS_TRY(hs_self_for(s, &row->root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    struct hs_author author = hs_self_author(s, &self);
    Hanse__OrderEvent event = HANSE__ORDER_EVENT__INIT;
    event.order_id = hs_pb_data(HS_VIEW(row->id));
    event.type = HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED;
    event.reason_code = hs_err_to_wire(why);
    event.reason = (char *)(uintptr_t)hs_err_text(why);
    struct hs_hdr_spec spec = {.audience = HS_VIEW(row->customer.key), .prev = HS_VIEW(row->id)};
    HS_TRY(hs_object_make(HS_KIND_ORDER_EVENT, &event.base, &author, &spec, s->arena, &object));
    char text[320];
    snprintf(text, sizeof text, "Order %s can't be taken: %s", hs_short(HS_VIEW(row->id)).text,
             hs_err_text(why));
    return hs_deal_post(s, room, object, &own, text, NULL);
}

bool hs_order_is_refusal(const Hanse__OrderEvent *event, const struct hs_order_row *row)
{
    return row->next_seq == 0 && event->seq == 0 && event->type == HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED;
}

enum hs_err hs_order_refusal_open(struct hs_step *s, struct hs_deal_in *in, const struct hs_order_row *row,
                                  enum hs_err *why)
{
    struct hs_expect expect = {.kind = HS_KIND_ORDER_EVENT, .roles = HS_ORDER_EVENT_ROLES};
    struct hs_actor actor;
    ProtobufCMessage *payload;
    HS_TRY(hs_chain_open_by_device(&in->chain, in->object, &expect, s->arena, &payload, &actor));
    const Hanse__OrderEvent *event = (const Hanse__OrderEvent *)payload;
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(event->order_id), HS_VIEW(row->id)) &&
                   hs_bytes_equal(hs_pb_bytes(event->hdr->prev), HS_VIEW(row->id)) &&
                   hs_hdr_is_for(event->hdr, &row->customer.key) && event->reason_code != 0,
               HS_ERR_ORDER_INVALID);
    *why = hs_err_from_wire(event->reason_code);
    return HS_OK;
}
