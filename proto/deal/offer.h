/* Offers: what a brand sells, at which price, until when. */
#ifndef HS_DEAL_OFFER_H
#define HS_DEAL_OFFER_H

#include "identity/chain.h"
#include "schema/deal.pb-c.h"

struct hs_offer {
    struct hs_id id;
    const Hanse__Offer *msg; /* in the arena that it was opened with */
    struct hs_actor signer;
};

/* Signs the offer; its header is set here, the other fields by the caller. author: a device of a key with the
 * role merchant. Errors of hs_offer_open()'s field rules; NOMEM. */
enum hs_err hs_offer_build(Hanse__Offer *offer, const struct hs_author *author, struct hs_time not_after,
                           struct hs_arena *arena, Hanse__SignedObject **out);

/* A merchant's offer, as of its creation. Fields: a title of 1 to 256 bytes, sku, gtin, lang and category of
 * at most 64, price in one currency and not negative (AMOUNT, CURRENCY), tax at most 10000 bp, min_quantity
 * at most max_quantity: else MALFORMED. Errors of hs_chain_open_by_device(). */
enum hs_err hs_offer_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                          struct hs_offer *out);

/* OFFER_EXPIRED where the offer isn't live at that time (before its window too). */
enum hs_err hs_offer_check_live(const struct hs_offer *offer, struct hs_time at);

#endif
