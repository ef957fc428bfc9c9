/* A room has moved, and its brand's ledger and till have stayed: whoever is a member since has coupons and a
 * counter there all the same, and whoever is none any more has not. */
#include "hub_scene.h"
#include "shop.h"

struct trade {
    struct scene c;
    struct town_device *mira, *till;
    struct hs_id offer, campaign;
};

static struct hs_id done_id(struct town_device *d, uint64_t op)
{
    town_wait(d->town, 5000);
    return shop_done_id(d, op);
}

static void campaign(struct trade *e)
{
    struct hanse_offer_spec offer = {
        .sku = "soap", .title = "Rose soap", .currency = "EUR", .price_minor = 1290, .tax_bp = 1900};
    struct hanse_campaign_spec spec = {.percent_bp = 1000, .limit_total = 5};
    uint64_t op;
    TOWN_WANT(e->mira, hs_want_offer(&s, &e->c.room, &offer, &op));
    e->offer = done_id(e->mira, op);
    TOWN_WANT(e->mira, hs_want_campaign(&s, &e->c.room, &spec, &op));
    e->campaign = done_id(e->mira, op);
}

/* Mira sells for the brand, and its till stands there; the room is Rosa's new home's. */
static struct trade trade_new(void)
{
    struct trade e = {.c = scene_new()};
    const uint32_t seller = HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT);
    e.mira = town_member_of_staff(e.c.old, "mira", seller);
    e.till = town_member_of_staff(e.c.old, "till", HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL));
    TOWN_WANT(e.till, hs_want_till(&s, true));
    town_join(e.mira, town_link(e.c.rosa, &e.c.room, 1));
    rosa_moves(&e.c);
    grant(&e.c);
    the_room_moves(&e.c);
    return e;
}

static struct town_device *newcomer(struct trade *e, struct town_node *home, const char *name)
{
    struct town_device *d = town_customer(home, name);
    town_join(d, town_link(e->c.rosa, &e->c.room, 1));
    return d;
}

static enum hs_err claims(struct trade *e, struct town_device *d, struct hs_id *coupon)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_claim(&s, &e->campaign, &op));
    town_wait(d->town, 5000);
    assert_non_null(town_done(d, op));
    if (coupon != NULL)
        memcpy(coupon->b, town_done(d, op)->id.b, sizeof coupon->b);
    return (enum hs_err)town_done(d, op)->err;
}

/* The coupon, the counter, the order and the receipt. */
static void buys(struct trade *e, struct town_device *d)
{
    struct hs_id coupon;
    uint64_t op;
    assert_ok(claims(e, d, &coupon));
    TOWN_WANT(d, hs_want_order(&s, &e->offer, 1, &coupon, &op));
    struct hs_id order = done_id(d, op);
    assert_int_equal(shop_order_row(d, &order).state, HANSE_ORDER_ACCEPTED);
    assert_int_equal(shop_coupon_row(d, &coupon).state, HANSE_COUPON_USED);
}

static void removes(struct trade *e, struct town_device *d)
{
    struct hs_key persona;
    uint64_t op;
    assert_ok(hs_sync_persona(d->sync, &e->c.old->root.pub, &persona));
    TOWN_WANT(e->c.rosa, hs_want_removal(&s, &e->c.room, &persona, &op));
    town_wait(e->c.t, 5000);
    assert_int_equal(town_event_count(d, HANSE_EVENT_REMOVED), 1);
}

/* FED-77, FED-78: from a node that the brand's has never met, from one that it knows, from the new hub. */
static void customers_since(void **state)
{
    (void)state;
    struct trade e = trade_new();
    struct town_node *fourth = town_node_new(e.c.t, "fourth.example");
    struct town_device *eva = newcomer(&e, fourth, "Eva"), *fay = newcomer(&e, e.c.third, "Fay"),
                       *gil = newcomer(&e, e.c.new, "Gil");
    campaign(&e);
    buys(&e, eva);
    buys(&e, fay);
    buys(&e, gil);
    buys(&e, e.c.dora); /* and who was a member before */
    town_free(e.c.t);
}

/* FED-77: the ledger hears of who is gone, too. */
static void no_members_any_more(void **state)
{
    (void)state;
    struct trade e = trade_new();
    struct town_device *fay = newcomer(&e, e.c.third, "Fay");
    uint64_t op;
    campaign(&e);
    removes(&e, fay);
    removes(&e, e.c.dora);
    assert_err(claims(&e, fay, NULL), HS_ERR_NOT_MEMBER);
    assert_err(claims(&e, e.c.dora, NULL), HS_ERR_NOT_MEMBER);
    TOWN_WANT(e.c.cem, hs_want_leave(&s, &e.c.room, &op));
    town_wait(e.c.t, 5000);
    assert_err(claims(&e, e.c.cem, NULL), HS_ERR_NOT_MEMBER);
    buys(&e, e.c.ben);
    town_free(e.c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(customers_since),
                                       cmocka_unit_test(no_members_any_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
