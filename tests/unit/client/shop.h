/* A shop in the town: for tests of deals. */
#ifndef TESTS_CLIENT_SHOP_H
#define TESTS_CLIENT_SHOP_H

#include "store/deals.h"
#include "town.h"

/* A shop with an owner, a till and a VIP room, and a customer in it. */
struct shop {
    struct town *t;
    struct town_node *rosa;
    struct town_device *alice, *till, *ben;
    struct hs_id room, offer, campaign, coupon;
};

/* percent_bp: of the shop's one coupon, which isn't claimed yet. */
void shop_open(struct shop *shop, uint32_t percent_bp);
struct hs_id shop_offer(struct shop *shop, const char *sku, int64_t price);

/* Ben gets the coupon. */
void shop_claim(struct shop *shop);

/* The id that op ended with; it must have ended well. */
struct hs_id shop_done_id(const struct town_device *d, uint64_t op);

struct hs_order_row shop_order_row(struct town_device *d, const struct hs_id *id);
struct hs_coupon_row shop_coupon_row(struct town_device *d, const struct hs_id *id);

/* Why the newest record of the room that this device refused was refused; 0: none was. */
int32_t shop_refused_for(struct town_device *d, const struct hs_id *room);

#endif
