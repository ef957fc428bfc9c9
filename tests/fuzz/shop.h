/* One shopping trip with the cast: offers, a coupon, an order that uses it, its redemption and its export. */
#ifndef TESTS_FUZZ_SHOP_H
#define TESTS_FUZZ_SHOP_H

#include "deal/export.h"
#include "deal/issuer.h"

enum { SHOP_CHAIN = 5, SHOP_LINES_MAX = 200 };

struct shop {
    struct hs_arena *arena;
    Hanse__SignedObject *proofs[SHOP_CHAIN]; /* descriptor, grants, certificates */
    struct hs_chain chain;
    size_t lines;
    Hanse__SignedObject *offer_objects[SHOP_LINES_MAX];
    struct hs_offer offers[SHOP_LINES_MAX];
    Hanse__SignedObject *def, *claim, *coupon, *order;
    struct hs_order_coupon unit; /* the coupon, opened */
    struct hs_order_refs refs;
    struct hs_order opened; /* the order */
    Hanse__SignedObject *asked, *presentation, *reserve, *reserve_other, *reservation, *commit, *release,
        *redemption;
    struct hs_unit available, held, redeemed; /* the unit on its way */
    Hanse__SignedObject *placed, *accepted;
    struct hs_bytes export_bytes;
};

/* Everything in the arena, of at least 32 MiB; lines is 1 to SHOP_LINES_MAX. */
void shop_make(struct shop *s, size_t lines, struct hs_arena *arena);

/* The issuer's node at the present. */
struct hs_issuer shop_issuer(void);

#endif
