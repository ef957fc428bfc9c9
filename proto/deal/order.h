/* Orders: a customer's signed request that cites offers and coupons and says what it should cost. The order's
 * id is the request's object id, so the same order can't be placed twice. */
#ifndef HS_DEAL_ORDER_H
#define HS_DEAL_ORDER_H

#include "deal/coupon.h"
#include "deal/offer.h"

/* A request made while an offer was live is still taken this long after the offer's end: a phone may have
 * been offline. It bounds what a back-dated request can win. */
enum { HS_ORDER_GRACE_MS = 10 * 60 * 1000 };

struct hs_order {
    struct hs_id id;
    const Hanse__OrderRequest *msg;
    struct hs_actor signer; /* key: the customer */
};

/* A unit with its definition. */
struct hs_order_coupon {
    struct hs_coupon coupon;
    struct hs_coupon_def def;
};

/* Everything that an order may cite. */
struct hs_order_refs {
    const struct hs_offer *offers;
    size_t offer_count;
    const struct hs_order_coupon *coupons;
    size_t coupon_count;
};

struct hs_order_draft_line {
    const struct hs_offer *offer;
    uint64_t quantity;
};

struct hs_order_draft {
    const struct hs_order_draft_line *lines;
    size_t line_count;
    const struct hs_order_coupon *coupons; /* each is used */
    size_t coupon_count;
    const char *note;         /* NULL = none */
    struct hs_time not_after; /* 0 = no end */
};

/* What it would cost, in the arena: errors of hs_price(). */
enum hs_err hs_order_draft_price(const struct hs_order_draft *draft, struct hs_arena *arena,
                                 Hanse__Totals **out);

/* Prices and signs. author: a device of the customer. Errors of hs_price(), INVALID_ARG, NOMEM. */
enum hs_err hs_order_build(const struct hs_author *author, const struct hs_key *merchant_root,
                           const struct hs_order_draft *draft, struct hs_arena *arena,
                           Hanse__SignedObject **out);

/* A customer's request to the chain's root. ORDER_INVALID where it is meant for another, has no or too many
 * lines or coupons, an id of another length, a coupon twice, no totals, or a note past 2 KiB. Errors of
 * hs_chain_open_by_device(). */
enum hs_err hs_order_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                          struct hs_order *out);

/* As of the request's creation: OFFER_UNKNOWN where a cited offer isn't among refs, OFFER_EXPIRED where it
 * wasn't live; COUPON_UNKNOWN, COUPON_WRONG_HOLDER, COUPON_NOT_YET, COUPON_EXPIRED; errors of hs_price();
 * ORDER_TOTAL where the expected totals aren't exactly those. */
enum hs_err hs_order_check(const struct hs_order *order, const struct hs_order_refs *refs,
                           struct hs_arena *arena);

/* The till's further question when the order comes in: NOT_YET or EXPIRED by its header's window,
 * OFFER_EXPIRED where an offer has ended more than HS_ORDER_GRACE_MS ago. */
enum hs_err hs_order_check_now(const struct hs_order *order, const struct hs_order_refs *refs,
                               struct hs_time now);

/* The discount that the order's totals give for a coupon. ORDER_INVALID where they have none. */
enum hs_err hs_order_discount(const struct hs_order *order, const struct hs_id *coupon_id,
                              struct hs_amount *out);

/* The coupon of that id, NULL where refs have none. Borrowed. */
const struct hs_order_coupon *hs_order_refs_coupon(const struct hs_order_refs *refs, const struct hs_id *id);

#endif
