/* The holder shows a coupon to a till: for one order, one till, one minute. */
#ifndef HS_DEAL_PRESENTATION_H
#define HS_DEAL_PRESENTATION_H

#include "deal/coupon.h"

/* A presentation that is seen by somebody else can be used by nobody else, and soon by nobody at all. */
enum { HS_PRESENTATION_MS = 60000 };

struct hs_presentation_request {
    struct hs_id id, coupon_id, order_id;
    const Hanse__PresentationRequest *msg; /* its header's nonce is to be shown back */
    struct hs_actor signer;                /* key: the till's */
};

struct hs_presentation {
    struct hs_id id, coupon_id, order_id;
    struct hs_key redeemer;
    const Hanse__Presentation *msg;
    struct hs_actor signer; /* key: the holder */
};

/* author: a device of the till's key. It asks for HS_PRESENTATION_MS. */
enum hs_err hs_presentation_request_build(const struct hs_author *author, const struct hs_key *holder,
                                          const struct hs_id *coupon_id, const struct hs_id *order_id,
                                          struct hs_arena *arena, Hanse__SignedObject **out);

/* The customer's side: a till of the chain's root asks this holder. WRONG_PEER where it asks another,
 * NOT_YET, EXPIRED, MALFORMED, errors of hs_chain_open_by_device(). */
enum hs_err hs_presentation_request_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                         const struct hs_key *holder, struct hs_time now,
                                         struct hs_arena *arena, struct hs_presentation_request *out);

/* author: a device of the holder. Valid for HS_PRESENTATION_MS from author->now. */
enum hs_err hs_presentation_build(const struct hs_author *author,
                                  const struct hs_presentation_request *request, struct hs_arena *arena,
                                  Hanse__SignedObject **out);

/* What a presentation must be for. */
struct hs_presentation_expect {
    const struct hs_coupon *coupon;
    const struct hs_key *redeemer; /* the till's key */
    const struct hs_id *order_id;
    struct hs_bytes nonce; /* the till's own; empty where the checker (the issuer) can't know it */
};

/* COUPON_WRONG_HOLDER where another than the coupon's holder signed it, COUPON_WRONG_REDEEMER for another
 * till, COUPON_INVALID for another coupon, order or nonce, or a validity of more than HS_PRESENTATION_MS;
 * NOT_YET, EXPIRED; errors of hs_chain_open_by_device(). chain: has the holder's device. */
enum hs_err hs_presentation_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                 const struct hs_presentation_expect *expect, struct hs_time now,
                                 struct hs_arena *arena, struct hs_presentation *out);

#endif
