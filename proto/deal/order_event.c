#include "deal/order_event.h"

#include "deal/order_step.h"
#include "deal/pricing.h"
#include "deal/rules.h"

static const char *const state_names[HS_ORDER_STATE_COUNT] = {
    [HS_ORDER_NONE] = "none",         [HS_ORDER_PLACED] = "placed",       [HS_ORDER_ACCEPTED] = "accepted",
    [HS_ORDER_REJECTED] = "rejected", [HS_ORDER_CANCELLED] = "cancelled", [HS_ORDER_CLOSED] = "closed",
};

const char *hs_order_state_name(enum hs_order_state state)
{
    return (unsigned)state < HS_ORDER_STATE_COUNT ? state_names[state] : state_names[HS_ORDER_NONE];
}

/* Every step there is: what isn't in the table may not happen. */
static const struct {
    enum hs_order_state from;
    Hanse__OrderEventType type;
    enum hs_order_state to;
} steps[] = {
    {HS_ORDER_NONE, HANSE__ORDER_EVENT_TYPE__ORDER_PLACED, HS_ORDER_PLACED},
    {HS_ORDER_PLACED, HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED, HS_ORDER_ACCEPTED},
    {HS_ORDER_PLACED, HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED, HS_ORDER_REJECTED},
    {HS_ORDER_PLACED, HANSE__ORDER_EVENT_TYPE__ORDER_CANCELLED, HS_ORDER_CANCELLED},
    {HS_ORDER_ACCEPTED, HANSE__ORDER_EVENT_TYPE__ORDER_CANCELLED, HS_ORDER_CANCELLED},
    {HS_ORDER_ACCEPTED, HANSE__ORDER_EVENT_TYPE__ORDER_CLOSED, HS_ORDER_CLOSED},
};

enum hs_err hs_order_next(enum hs_order_state state, Hanse__OrderEventType type, enum hs_order_state *next)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i].from != state || steps[i].type != type)
            continue;
        *next = steps[i].to;
        return HS_OK;
    }
    return HS_ERR_ORDER_STEP;
}

/* --- what each type of event must and must not hold --- */

static enum hs_err placed_apply(struct hs_order_thread *thread, struct hs_chain *chain,
                                const struct hs_order_refs *refs, const Hanse__OrderEvent *msg,
                                struct hs_arena *arena)
{
    HS_REQUIRE(msg->cause != NULL, HS_ERR_ORDER_INVALID);
    HS_TRY(hs_order_open(chain, msg->cause, arena, &thread->order));
    return hs_order_check(&thread->order, refs, arena);
}

static enum hs_err receipt_apply(struct hs_order_thread *thread, struct hs_chain *chain,
                                 const struct hs_order_refs *refs, const Hanse__OrderEvent *msg, size_t index,
                                 struct hs_arena *arena)
{
    struct hs_id coupon_id;
    struct hs_amount discount;
    struct hs_redemption *receipt = &thread->receipts[index];
    HS_REQUIRE(hs_rule_id(thread->order.msg->coupon_ids[index], &coupon_id), HS_ERR_ORDER_INVALID);
    HS_REQUIRE(hs_order_refs_coupon(refs, &coupon_id) != NULL, HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_order_discount(&thread->order, &coupon_id, &discount));
    HS_TRY(hs_redemption_open(chain, msg->receipts[index], arena, receipt));
    HS_TRY(hs_redemption_check(receipt, &coupon_id, &chain->root, &thread->order.id, &discount));
    /* The receipt comes after the order and before the event that shows it, as far as clocks agree. */
    struct hs_time issued = hs_hdr_created(receipt->msg->hdr);
    HS_TRY(hs_window_check(hs_hdr_created(thread->order.msg->hdr), (struct hs_time){0}, (struct hs_time){0},
                           issued));
    return hs_window_check(issued, (struct hs_time){0}, (struct hs_time){0}, hs_hdr_created(msg->hdr));
}

static enum hs_err accepted_apply(struct hs_order_thread *thread, struct hs_chain *chain,
                                  const struct hs_order_refs *refs, const Hanse__OrderEvent *msg,
                                  struct hs_arena *arena)
{
    const Hanse__OrderRequest *order = thread->order.msg;
    HS_TRY(hs_hdr_window(order->hdr, 0, hs_hdr_created(msg->hdr)));
    HS_REQUIRE(msg->totals != NULL, HS_ERR_ORDER_TOTAL);
    HS_TRY(hs_totals_check(msg->totals, order->expected));
    HS_REQUIRE(msg->n_receipts == order->n_coupon_ids, HS_ERR_COUPON_INVALID);
    for (size_t i = 0; i < msg->n_receipts; i++)
        HS_TRY(receipt_apply(thread, chain, refs, msg, i, arena));
    thread->receipt_count = msg->n_receipts;
    thread->accepted_at = hs_hdr_created(msg->hdr);
    return HS_OK;
}

/* Fields that belong to another type are refused: nothing may hide in an event. */
static enum hs_err fields_check(const Hanse__OrderEvent *msg)
{
    bool placed = msg->type == HANSE__ORDER_EVENT_TYPE__ORDER_PLACED;
    bool accepted = msg->type == HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED;
    bool rejected = msg->type == HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED;
    bool ended = rejected || msg->type == HANSE__ORDER_EVENT_TYPE__ORDER_CANCELLED;
    HS_REQUIRE((msg->cause != NULL) == placed, HS_ERR_ORDER_INVALID);
    HS_REQUIRE(accepted || (msg->totals == NULL && msg->n_receipts == 0), HS_ERR_ORDER_INVALID);
    HS_REQUIRE(ended || (msg->reason_code == 0 && msg->reason[0] == '\0'), HS_ERR_ORDER_INVALID);
    HS_REQUIRE(!rejected || msg->reason_code != 0, HS_ERR_ORDER_INVALID);
    HS_REQUIRE(hs_rule_text(msg->reason, HS_TEXT_MAX), HS_ERR_ORDER_INVALID);
    return HS_OK;
}

/* --- the next link of the chain --- */

static enum hs_err link_check(const struct hs_order_thread *thread, const Hanse__OrderEvent *msg)
{
    const struct hs_id *prev = thread->next_seq == 0 ? &thread->order.id : &thread->head;
    HS_REQUIRE(msg->seq == thread->next_seq, HS_ERR_ORDER_STEP);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(msg->order_id), HS_VIEW(thread->order.id)), HS_ERR_ORDER_STEP);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(msg->hdr->prev), HS_VIEW(*prev)), HS_ERR_ORDER_STEP);
    HS_REQUIRE(hs_hdr_is_for(msg->hdr, &thread->order.signer.key), HS_ERR_ORDER_INVALID);
    if (thread->next_seq == 0)
        return hs_hdr_window(thread->order.msg->hdr, 0, hs_hdr_created(msg->hdr));
    return hs_window_check(thread->head_at, (struct hs_time){0}, (struct hs_time){0},
                           hs_hdr_created(msg->hdr));
}

static enum hs_err event_apply(struct hs_order_thread *thread, struct hs_chain *chain,
                               const struct hs_order_refs *refs, const Hanse__OrderEvent *msg,
                               struct hs_arena *arena)
{
    HS_TRY(hs_order_next(thread->state, msg->type, &thread->state));
    HS_TRY(fields_check(msg));
    if (msg->type == HANSE__ORDER_EVENT_TYPE__ORDER_PLACED)
        HS_TRY(placed_apply(thread, chain, refs, msg, arena));
    HS_TRY(link_check(thread, msg));
    if (msg->type == HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED)
        HS_TRY(accepted_apply(thread, chain, refs, msg, arena));
    thread->next_seq++;
    thread->head_at = hs_hdr_created(msg->hdr);
    thread->reason_code = msg->reason_code;
    thread->reason = msg->reason;
    return HS_OK;
}

enum hs_err hs_order_event_apply(struct hs_order_thread *thread, struct hs_chain *chain,
                                 const struct hs_order_refs *refs, const Hanse__SignedObject *event,
                                 struct hs_arena *arena)
{
    HS_REQUIRE(thread->next_seq < HS_ORDER_EVENTS_MAX, HS_ERR_TOO_LARGE);
    struct hs_expect expect = {.kind = HS_KIND_ORDER_EVENT, .roles = HS_ORDER_EVENT_ROLES};
    ProtobufCMessage *msg;
    struct hs_order_thread next = *thread;
    HS_TRY(hs_chain_open_by_device(chain, event, &expect, arena, &msg, &next.signer));
    HS_TRY(event_apply(&next, chain, refs, (const Hanse__OrderEvent *)msg, arena));
    next.head = hs_object_id(event);
    *thread = next;
    return HS_OK;
}
