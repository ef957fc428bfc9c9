/* A customer claims a coupon, and shows it with an order, while his device is under faults: he gets one unit,
 * it is redeemed once, and there is one order. DEAL-9, CLIENT-6 */
#include "sweep_town.h"

#include "shop.h"

static struct shop shop;

static struct town_device *found_claimer(void)
{
    shop_open(&shop, 1000);
    return shop.ben;
}

static enum hs_err want_coupon(struct hs_step *s, uint64_t *op)
{
    return hs_want_claim(s, &shop.campaign, op);
}

static size_t coupons(struct hs_id *last)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_coupon_row row;
    struct hs_kv *kv = town_look(shop.ben);
    size_t count = 0;
    for (; hs_coupon_row_next(kv, &cursor, &arena, &row); count++)
        *last = row.id;
    town_looked(shop.ben);
    return count;
}

static bool is_claimed(void)
{
    return coupons(&shop.coupon) > 0;
}

static void check_claimed(void)
{
    FAULT_CHECK(coupons(&shop.coupon) == 1, "he has %zu coupons", coupons(&shop.coupon));
    FAULT_CHECK(shop_coupon_row(shop.ben, &shop.coupon).state == HANSE_COUPON_HELD, "it isn't his");
    town_talk(shop.ben, shop.alice, &shop.room);
}

static const struct town_story claiming = {
    .found = found_claimer, .want = want_coupon, .is_done = is_claimed, .check = check_claimed};
TOWN_SCENE(claim, claiming);

/* ---- and shows it ---- */

static struct town_device *found_buyer(void)
{
    shop_open(&shop, 1000);
    shop_claim(&shop);
    return shop.ben;
}

static void till_opens(void)
{
    TOWN_WANT(shop.till, hs_want_till(&s, true));
}

static enum hs_err want_order(struct hs_step *s, uint64_t *op)
{
    return hs_want_order(s, &shop.offer, 1, &shop.coupon, op);
}

/* Orders that ended well. */
static size_t orders(struct town_device *d, struct hs_order_row *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_order_row row;
    struct hs_kv *kv = town_look(d);
    size_t count = 0;
    while (hs_order_row_next(kv, &cursor, &arena, &row))
        if (row.state == HANSE_ORDER_ACCEPTED) {
            *out = row;
            count++;
        }
    town_looked(d);
    return count;
}

static bool is_bought(void)
{
    struct hs_order_row row;
    return orders(shop.ben, &row) > 0;
}

static void check_bought(void)
{
    struct hs_order_row row;
    FAULT_CHECK(orders(shop.ben, &row) == 1, "he has %zu orders", orders(shop.ben, &row));
    FAULT_CHECK(row.receipts == 1 && row.total == 1161, "%u receipts, %lld to pay", (unsigned)row.receipts,
                (long long)row.total);
    FAULT_CHECK(shop_coupon_row(shop.ben, &shop.coupon).state == HANSE_COUPON_USED, "his coupon isn't used");
    town_talk(shop.ben, shop.alice, &shop.room);
}

static const struct town_story buying = {.found = found_buyer,
                                         .begin = till_opens,
                                         .want = want_order,
                                         .is_done = is_bought,
                                         .check = check_bought};
TOWN_SCENE(order, buying);
