/* Coupons: the definition of a kind (by the merchant), a customer's claim, and the unit that the node gives
 * out. */
#ifndef HS_DEAL_COUPON_H
#define HS_DEAL_COUPON_H

#include "deal/amount.h"
#include "identity/chain.h"
#include "schema/deal.pb-c.h"

struct hs_coupon_def {
    struct hs_id id; /* the ledger's stream */
    const Hanse__CouponDef *msg;
    struct hs_actor signer;
};

/* A unit: its id is the unit's. */
struct hs_coupon {
    struct hs_id id;
    const Hanse__Coupon *msg;
    struct hs_key holder;
    struct hs_actor signer; /* the node */
};

struct hs_coupon_claim {
    struct hs_id id;
    const Hanse__CouponClaim *msg;
    struct hs_id def_id;
    struct hs_actor signer; /* key: the holder */
};

/* Signs the definition; its header is set here. Errors of the field rules below; NOMEM. */
enum hs_err hs_coupon_def_build(Hanse__CouponDef *def, const struct hs_author *author,
                                struct hs_time not_after, struct hs_arena *arena, Hanse__SignedObject **out);

/* A merchant's definition, as of its creation. Fields: percent 1..10000 bp, or a fixed amount above 0;
 * max_discount and min_subtotal not negative and in that currency; at most 200 offers, each once, ids of 32
 * bytes; bound to the holder; limit_per_customer 1; a title of at most 256 bytes; room empty or 32 bytes:
 * else MALFORMED, AMOUNT, CURRENCY. Errors of hs_chain_open_by_device(). */
enum hs_err hs_coupon_def_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                               struct hs_coupon_def *out);

/* One's own copy of a definition that was opened when it came: no signature is looked at, and nothing is said
 * of its signer. MALFORMED, UNEXPECTED for another kind; NOMEM. */
enum hs_err hs_coupon_def_claimed(const Hanse__SignedObject *obj, struct hs_arena *arena,
                                  struct hs_coupon_def *out);

/* COUPON_NOT_YET or COUPON_EXPIRED where a unit can't be reserved at that time. */
enum hs_err hs_coupon_def_check_time(const struct hs_coupon_def *def, struct hs_time at);

/* The holder's wish for a unit. author: a device of the persona that will hold it. not_after bounds the
 * request. */
enum hs_err hs_coupon_claim_build(const struct hs_author *author, const struct hs_key *issuer_root,
                                  const struct hs_id *def_id, struct hs_time not_after,
                                  struct hs_arena *arena, Hanse__SignedObject **out);

/* For the issuer with the chain's root. WRONG_PEER where it is meant for another, NOT_YET, EXPIRED,
 * MALFORMED, errors of hs_chain_open_by_device(). Whether that key may have one is the ledger's affair. */
enum hs_err hs_coupon_claim_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_time now,
                                 struct hs_arena *arena, struct hs_coupon_claim *out);

/* The unit_no-th unit (from 1) of the definition, for the holder. author: the node with its signing key. */
enum hs_err hs_coupon_build(const struct hs_author *author, const struct hs_coupon_def *def, uint32_t unit_no,
                            const struct hs_key *holder, struct hs_arena *arena, Hanse__SignedObject **out);

/* A unit of this definition, given out by the root's node. COUPON_INVALID for everything that isn't one:
 * altered, another definition's, another signer's, numbered past the limit; NOMEM. */
enum hs_err hs_coupon_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                           const struct hs_coupon_def *def, struct hs_arena *arena, struct hs_coupon *out);

/* The definition that a coupon says it belongs to: unchecked, to look the definition up. MALFORMED, ... */
enum hs_err hs_coupon_claimed_def(const Hanse__SignedObject *obj, struct hs_id *def_id);

#endif
