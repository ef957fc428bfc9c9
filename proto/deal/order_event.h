/* What became of an order: a hash-linked chain of events, signed by the merchant's side as the single
 * sequencer. Two events with one order and number convict their signer. */
#ifndef HS_DEAL_ORDER_EVENT_H
#define HS_DEAL_ORDER_EVENT_H

#include "deal/order.h"
#include "deal/redemption.h"

enum hs_order_state {
    HS_ORDER_NONE = 0,
    HS_ORDER_PLACED,
    HS_ORDER_ACCEPTED,
    HS_ORDER_REJECTED,
    HS_ORDER_CANCELLED,
    HS_ORDER_CLOSED,
    HS_ORDER_STATE_COUNT
};

/* "placed", "accepted", ...: static, for people. */
const char *hs_order_state_name(enum hs_order_state state);

/* The state after an event of this type; ORDER_STEP where it may not happen in this state. */
enum hs_err hs_order_next(enum hs_order_state state, Hanse__OrderEventType type, enum hs_order_state *next);

/* One order as far as its events have been seen. Start with (struct hs_order_thread){0}; msg pointers live in
 * the arena that is passed to each call. */
struct hs_order_thread {
    enum hs_order_state state;
    struct hs_order order; /* from PLACED on */
    uint32_t next_seq;
    struct hs_id head; /* the newest event */
    struct hs_time head_at;
    struct hs_time accepted_at; /* 0 = not accepted */
    struct hs_redemption receipts[HS_ORDER_DISCOUNTS_MAX];
    size_t receipt_count;
    struct hs_actor signer; /* of the newest event */
    uint32_t reason_code;   /* of REJECTED or CANCELLED */
    const char *reason;
};

/* The fields of an event that its type asks for; the others stay zero. */
struct hs_order_step {
    Hanse__OrderEventType type;
    Hanse__SignedObject *cause;           /* PLACED: the request */
    Hanse__SignedObject *const *receipts; /* ACCEPTED: a Redemption for each coupon, in their order */
    size_t receipt_count;
    enum hs_err reason_code; /* REJECTED: why; CANCELLED: HS_OK or why */
    const char *reason;      /* REJECTED, CANCELLED: NULL = none */
};

/* The next event of the thread, signed by the till (or merchant, or owner). For PLACED the thread is empty
 * and order is the request's opening; later it is NULL. Doesn't advance the thread: apply the event for that.
 * ORDER_STEP, ORDER_INVALID, NOMEM. */
enum hs_err hs_order_event_build(const struct hs_author *author, const struct hs_order_thread *thread,
                                 const struct hs_order *order, const struct hs_order_step *step,
                                 struct hs_arena *arena, Hanse__SignedObject **out);

/* Verifies the next event and advances the thread: signature and role (till, merchant or owner at its
 * creation), order id, number, prev, times in order; PLACED: the request in it, whole (hs_order_open(),
 * hs_order_check()); ACCEPTED: totals equal to the request's and a receipt of the root's node for each
 * coupon; REJECTED: a reason. EXPIRED where the request had run out when it was placed or accepted.
 * ORDER_STEP for a number, link or type out of place, ORDER_INVALID for fields that its type doesn't allow,
 * ORDER_TOTAL, COUPON_INVALID, COUPON_AMOUNT, errors of the parts. The thread is as before after an error. */
enum hs_err hs_order_event_apply(struct hs_order_thread *thread, struct hs_chain *chain,
                                 const struct hs_order_refs *refs, const Hanse__SignedObject *event,
                                 struct hs_arena *arena);

#endif
