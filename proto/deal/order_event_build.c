/* Writing the next event of an order. */
#include "deal/order_event.h"

#include "deal/rules.h"

/* What was agreed is the request's own totals, written again: the till has checked them with
 * hs_order_check(). */
static void accepted_fill(const struct hs_order *order, const struct hs_order_step *step,
                          Hanse__OrderEvent *msg)
{
    msg->totals = order->msg->expected;
    msg->n_receipts = step->receipt_count;
    msg->receipts = (Hanse__SignedObject **)(uintptr_t)step->receipts;
}

static enum hs_err step_fill(const struct hs_order *order, const struct hs_order_step *step,
                             Hanse__OrderEvent *msg)
{
    switch (step->type) {
    case HANSE__ORDER_EVENT_TYPE__ORDER_PLACED:
        HS_REQUIRE(step->cause != NULL, HS_ERR_ORDER_INVALID);
        msg->cause = step->cause;
        return HS_OK;
    case HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED:
        HS_REQUIRE(step->receipt_count == order->msg->n_coupon_ids, HS_ERR_COUPON_INVALID);
        accepted_fill(order, step, msg);
        return HS_OK;
    case HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED:
        HS_REQUIRE(step->reason_code != HS_OK, HS_ERR_ORDER_INVALID);
        /* fall through */
    case HANSE__ORDER_EVENT_TYPE__ORDER_CANCELLED:
        msg->reason_code = step->reason_code == HS_OK ? 0 : hs_err_to_wire(step->reason_code);
        msg->reason = (char *)(uintptr_t)(step->reason == NULL ? "" : step->reason);
        HS_REQUIRE(hs_rule_text(msg->reason, HS_TEXT_MAX), HS_ERR_ORDER_INVALID);
        return HS_OK;
    default:
        return HS_OK;
    }
}

enum hs_err hs_order_event_build(const struct hs_author *author, const struct hs_order_thread *thread,
                                 const struct hs_order *order, const struct hs_order_step *step,
                                 struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    enum hs_order_state next;
    HS_TRY(hs_order_next(thread->state, step->type, &next));
    bool first = step->type == HANSE__ORDER_EVENT_TYPE__ORDER_PLACED;
    HS_REQUIRE(first == (order != NULL), HS_ERR_INVALID_ARG);
    const struct hs_order *about = first ? order : &thread->order;
    Hanse__OrderEvent msg = HANSE__ORDER_EVENT__INIT;
    msg.order_id = hs_pb_data(HS_VIEW(about->id));
    msg.seq = thread->next_seq;
    msg.type = step->type;
    HS_TRY(step_fill(about, step, &msg));
    struct hs_hdr_spec spec = {.audience = HS_VIEW(about->signer.key),
                               .prev = first ? HS_VIEW(about->id) : HS_VIEW(thread->head)};
    return hs_object_make(HS_KIND_ORDER_EVENT, &msg.base, author, &spec, arena, out);
}
