/* A device dies at every commit of a story, right before it and right behind it, before anything was sent or
 * shown. Started again, it goes on from what it stored: everything comes through, once, and nothing is lost.
 * (CLIENT-6) */
#include "town.h"

#include "identity/grant.h"
#include "store/deals.h"

#include <stdio.h>

enum { DEATHS_MAX = 60 };

/* Up again, and for good. */
static void again(struct town_device *d)
{
    d->die_after = 0;
    if (!d->dead)
        return;
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

/* Ben posts twice and hears once; he dies at his n-th commit. True where the story had that many. */
static bool posts_story(size_t n, bool before)
{
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    uint64_t op;
    town_wait(t, 2000);
    TOWN_WANT(ben, hs_want_text(&s, &room, "one", &op));
    TOWN_WANT(ben, hs_want_text(&s, &room, "two", &op));
    ben->die_after = n;
    ben->die_before_commit = before;
    TOWN_WANT(alice, hs_want_text(&s, &room, "three", &op));
    town_wait(t, 2000);
    bool died = ben->dead;
    again(ben);
    town_wait(t, 3000);
    char seen[256];
    snprintf(seen, sizeof seen, "%s", town_history(alice, &room));
    assert_int_equal(strlen(seen), strlen("one\ntwo\nthree\n"));
    assert_non_null(strstr(seen, "one\n"));
    assert_non_null(strstr(seen, "two\n"));
    assert_non_null(strstr(seen, "three\n"));
    assert_string_equal(town_history(ben, &room), seen);
    town_free(t);
    return died;
}

static void test_posts_through_deaths(void **state)
{
    (void)state;
    size_t n = 1;
    for (bool died = true; died; n++) {
        died = posts_story(n, true);
        died |= posts_story(n, false);
        assert_true(n < DEATHS_MAX);
    }
    printf("%zu deaths, before and behind\n", n - 2);
    assert_true(n > 3);
}

/* A guest joins; either of the two dies at its n-th commit. */
static bool join_story(bool guest_dies, size_t n, bool before)
{
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    struct town_device *ben = town_device_new(t);
    uint64_t op;
    TOWN_WANT(ben, hs_want_identity(&s, "Ben"));
    TOWN_WANT(ben, hs_want_join(&s, link, &op));
    hs_sync_stay_online(ben->sync, true);
    struct town_device *victim = guest_dies ? ben : alice;
    victim->die_after = n;
    victim->die_before_commit = before;
    town_wait(t, 2000);
    bool died = victim->dead;
    again(victim);
    town_wait(t, 2000);
    if (town_event(ben, HANSE_EVENT_JOINED) == NULL) {
        TOWN_WANT(ben,
                  hs_want_join(&s, link, &op)); /* the link is the user's: a first step is repeated by hand */
        town_wait(t, 3000);
    }
    TOWN_WANT(ben, hs_want_text(&s, &room, "in", &op));
    town_wait(t, 2000);
    assert_int_equal(town_done(ben, op)->err, HANSE_OK);
    assert_string_equal(town_history(alice, &room), "in\n");
    town_free(t);
    return died;
}

static void test_joins_through_deaths(void **state)
{
    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        size_t n = 1;
        for (bool died = true; died; n++) {
            died = join_story(guest != 0, n, true);
            died |= join_story(guest != 0, n, false);
            assert_true(n < DEATHS_MAX);
        }
        printf("%s: %zu deaths\n", guest != 0 ? "guest" : "moderator", n - 2);
        assert_true(n > 3);
    }
}

/* An order with a coupon; the till dies at its n-th commit. The coupon is redeemed once, or not at all. */
static bool order_story(size_t n, bool before)
{
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    uint32_t merchant = HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT) | HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF);
    struct town_device *alice = town_member_of_staff(rosa, "rosa", merchant);
    struct town_device *till = town_member_of_staff(rosa, "till", HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL));
    struct hs_id room = town_room(alice, "VIP"), offer, campaign, coupon, order;
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    struct hanse_offer_spec offer_spec = {
        .sku = "soap", .title = "Soap", .currency = "EUR", .price_minor = 1000, .tax_bp = 1900};
    struct hanse_campaign_spec campaign_spec = {.percent_bp = 1000};
    uint64_t op;
    TOWN_WANT(alice, hs_want_offer(&s, &room, &offer_spec, &op));
    town_run(t);
    memcpy(offer.b, town_done(alice, op)->id.b, sizeof offer.b);
    TOWN_WANT(alice, hs_want_campaign(&s, &room, &campaign_spec, &op));
    town_run(t);
    memcpy(campaign.b, town_done(alice, op)->id.b, sizeof campaign.b);
    TOWN_WANT(ben, hs_want_claim(&s, &campaign, &op));
    town_run(t);
    memcpy(coupon.b, town_done(ben, op)->id.b, sizeof coupon.b);
    TOWN_WANT(till, hs_want_till(&s, true));
    till->die_after = n;
    till->die_before_commit = before;
    TOWN_WANT(ben, hs_want_order(&s, &offer, 1, &coupon, &op));
    town_wait(t, 2000);
    bool died = till->dead;
    again(till);
    if (died)
        TOWN_WANT(till, hs_want_till(&s, true));
    town_wait(t, 5000);
    const struct hanse_event *done = town_done(ben, op);
    assert_non_null(done);
    assert_int_equal(done->err, HANSE_OK);
    memcpy(order.b, done->id.b, sizeof order.b);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_order_row row;
    assert_true(hs_order_row_get(town_look(ben), &order, &arena, &row));
    town_looked(ben);
    assert_int_equal(row.state, HANSE_ORDER_ACCEPTED);
    assert_int_equal(row.receipts, 1);
    assert_int_equal(row.total, 900);
    town_free(t);
    return died;
}

static void test_orders_through_deaths_of_the_till(void **state)
{
    (void)state;
    size_t n = 1;
    for (bool died = true; died; n++) {
        died = order_story(n, true);
        died |= order_story(n, false);
        assert_true(n < DEATHS_MAX);
    }
    printf("%zu deaths of the till\n", n - 2);
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_through_deaths),
        cmocka_unit_test(test_joins_through_deaths),
        cmocka_unit_test(test_orders_through_deaths_of_the_till),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
