/* Deals as this device keeps them: from a post into the store, and out of the store to be used. */
#ifndef HS_SYNC_DEAL_H
#define HS_SYNC_DEAL_H

#include "deal/coupon.h"
#include "deal/offer.h"
#include "deal/order.h"
#include "deal/order_event.h"
#include "room/content.h"
#include "room/log.h"
#include "sync/state.h"

/* A deal that came in a post. */
struct hs_deal_in {
    struct hs_live_room *room;
    const struct hs_record_header *header;
    const struct hs_mls_member *sender;
    const Hanse__SignedObject *object;
    struct hs_chain chain; /* opened under the room's brand */
    Hanse__Chain proof;    /* the same, as it came */
    struct hs_message_row *message;
};

/* object and chain as bytes for a row. */
enum hs_err hs_proved_make(struct hs_step *s, const Hanse__SignedObject *object, const Hanse__Chain *chain,
                           struct hs_proved *out);
enum hs_err hs_proved_load(struct hs_step *s, const struct hs_proved *proved, Hanse__SignedObject **object,
                           Hanse__Chain **chain);

/* Chains put together, each object once. */
struct hs_chain_set {
    Hanse__SignedObject *objects[HS_CHAIN_MAX];
    size_t count;
};

/* BAD_CHAIN where they are more than a chain may hold. */
enum hs_err hs_chain_set_add(struct hs_chain_set *set, const Hanse__Chain *chain);
Hanse__Chain hs_chain_set_view(struct hs_chain_set *set);

/* Out of the store, opened. OFFER_UNKNOWN, COUPON_UNKNOWN. */
enum hs_err hs_offer_load(struct hs_step *s, const struct hs_id *id, struct hs_offer *out,
                          struct hs_offer_row *row);
enum hs_err hs_campaign_load(struct hs_step *s, const struct hs_id *id, struct hs_coupon_def *out,
                             struct hs_campaign_row *row);
enum hs_err hs_coupon_load(struct hs_step *s, const struct hs_id *id, struct hs_order_coupon *out,
                           struct hs_coupon_row *row);

/* Keeps a unit that was opened. state: enum hanse_coupon_state, 0 for somebody else's. */
enum hs_err hs_coupon_keep(struct hs_step *s, const struct hs_coupon *coupon,
                           const struct hs_campaign_row *campaign, const struct hs_proved *proved,
                           uint32_t state);

/* Posts an object with its proof; op may be NULL. */
enum hs_err hs_deal_post(struct hs_step *s, struct hs_live_room *room, const Hanse__SignedObject *object,
                         const Hanse__Chain *chain, const char *fallback, struct hs_op *op);

/* Ledger: one step with the issuer's node. */
enum hs_err hs_ledger_send(struct hs_step *s, const struct hs_key *root, struct hs_bytes descriptor,
                           Hanse__SignedObject *object, const Hanse__Chain *chain,
                           const struct hs_request *request);

/* Where the brand's node is, as a room of it knows; empty for the home node. */
enum hs_err hs_brand_descriptor(struct hs_step *s, const struct hs_key *root, struct hs_bytes *out);

/* ---- order.c: an order with everything that it cites ---- */

struct hs_order_view {
    struct hs_order_row row;
    struct hs_order order;
    struct hs_order_refs refs;
    struct hs_chain chain;         /* of everything that the order's events need */
    struct hs_chain_set proof;     /* the same, as objects */
    struct hs_order_thread thread; /* as far as its events are stored */
    Hanse__SignedObject *request;
};

/* more: a chain that isn't stored yet, or NULL. OFFER_UNKNOWN or COUPON_UNKNOWN where something that it cites
 * isn't here; NOT_FOUND. */
enum hs_err hs_order_view(struct hs_step *s, const struct hs_id *id, const Hanse__Chain *more,
                          struct hs_order_view *out);

/* Applies the next event and keeps it; row and state follow. */
enum hs_err hs_order_step(struct hs_step *s, struct hs_order_view *v, Hanse__SignedObject *event,
                          const Hanse__Chain *chain);

/* Keeps an event that the thread has taken. */
enum hs_err hs_order_keep(struct hs_step *s, struct hs_order_view *v, Hanse__SignedObject *event,
                          const Hanse__Chain *chain);

enum hs_err hs_order_event_received(struct hs_step *s, struct hs_deal_in *in);
enum hs_err hs_question_received(struct hs_step *s, struct hs_deal_in *in);

/* ---- order_refusal.c: the answer to an order that can't even be placed ---- */

/* Till: signs that the order is refused, and why, and posts it. */
enum hs_err hs_order_refuse(struct hs_step *s, struct hs_live_room *room, const struct hs_order_row *row,
                            enum hs_err why);

/* Customer: true where the event is such a refusal of an order without events. */
bool hs_order_is_refusal(const Hanse__OrderEvent *event, const struct hs_order_row *row);

/* Customer: checks it. WRONG_SIGNER where no till or merchant of the brand signed it, ORDER_INVALID where it
 * is about another order or for somebody else or gives no reason; errors of hs_chain_open_by_device(). */
enum hs_err hs_order_refusal_open(struct hs_step *s, struct hs_deal_in *in, const struct hs_order_row *row,
                                  enum hs_err *why);

/* ---- till.c, till_in.c ---- */

/* Tells the till's user what became of an order. */
enum hs_err hs_till_told(struct hs_step *s, const struct hs_order_row *row, const char *what,
                         enum hs_err err);

enum hs_err hs_order_received(struct hs_step *s, struct hs_deal_in *in);
enum hs_err hs_presentation_received(struct hs_step *s, struct hs_deal_in *in);

/* ---- till_redeem.c ---- */

/* Takes the order's coupon one step further. done: it is redeemed, its receipt is in the row; a fault is the
 * reason to reject the order. */
enum hs_err hs_till_redeem(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
                           struct hs_redeem_row *row, bool *done);

/* The holder shows the coupon: checked against the question, then kept. No question was asked, or it was
 * answered before: nothing happens. */
enum hs_err hs_till_shown(struct hs_step *s, struct hs_deal_in *in);

/* Gives a reservation back that wasn't committed to. Once and without waiting for an answer: the issuer gives
 * it up by itself in the end. */
enum hs_err hs_till_release(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v);

/* A redemption took a step: the order may go on. reject: HS_OK, or why it must be refused. What is wrong with
 * the order ends the order, and isn't an error here. */
enum hs_err hs_till_go_on(struct hs_step *s, const struct hs_id *order, enum hs_err reject);

#endif
