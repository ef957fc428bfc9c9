/* A customer moves from one home node to another: rooms, posts on their way, coupons and orders come along,
 * and nothing comes twice; also where the device dies at any step. */
#include "shop.h"

#include "identity/grant.h"
#include "sync/trade/deal.h"

#include <stdio.h>

enum { DEATHS_MAX = 80 };

/* Rosa's shop orders the rooms; Ben's home is anna's node, and a room of hers is there too; he moves to
 * ben's. */
struct scene {
    struct town *t;
    struct town_node *rosa, *anna, *cem;
    struct town_device *alice, *host, *ben;
    struct hs_id room, annas;
};

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.rosa = town_node_new(c.t, "rosa.example");
    c.anna = town_node_new(c.t, "anna.example");
    c.cem = town_node_new(c.t, "cem.example");
    c.alice = town_member_of_staff(c.rosa, "rosa", owner);
    c.host = town_member_of_staff(c.anna, "anna", owner);
    c.room = town_room(c.alice, "VIP");
    c.annas = town_room(c.host, "Anna's");
    c.ben = town_customer(c.anna, "Ben");
    town_join(c.ben, town_link(c.alice, &c.room, 5));
    town_join(c.ben, town_link(c.host, &c.annas, 5));
    return c;
}

static uint64_t post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
    return op;
}

static struct hs_key home_of(struct town_device *d)
{
    return d->sync->me.home_root;
}

/* Both rooms work in both directions, and every text is there once. */
static void all_is_well(struct scene *c, const char *room, const char *annas)
{
    char text[512];
    (void)post(c->ben, &c->room, "out");
    (void)post(c->ben, &c->annas, "out");
    town_wait(c->t, 5000);
    (void)post(c->alice, &c->room, "in");
    (void)post(c->host, &c->annas, "in");
    town_wait(c->t, 5000);
    for (int i = 0; i < 2; i++) {
        const struct hs_id *id = i == 0 ? &c->room : &c->annas;
        snprintf(text, sizeof text, "%sout\nin\n", i == 0 ? room : annas);
        assert_string_equal(town_history(c->ben, id), text);
        assert_string_equal(town_history(i == 0 ? c->alice : c->host, id), text);
    }
}

/* CLIENT-53, FED-42: a room of a third node, and one of the old home itself. */
static void test_rooms_come_along(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    (void)post(c.ben, &c.room, "before");
    town_wait(c.t, 3000);
    TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(c.cem, 0, NULL, 1), &op));
    (void)post(c.ben, &c.room, "meanwhile");
    (void)post(c.alice, &c.room, "unseen");
    town_wait(c.t, 10000);
    assert_non_null(town_done(c.ben, op));
    assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
    struct hs_key home = home_of(c.ben);
    assert_true(hs_key_equal(&home, &c.cem->root.pub));
    assert_false(c.ben->sync->me.moving);
    c.anna->down = false;
    all_is_well(&c, "before\nunseen\nmeanwhile\n", "");
    /* the old home's own room goes on, and the old home may go for the others */
    c.anna->down = true;
    (void)post(c.alice, &c.room, "without anna");
    town_wait(c.t, 5000);
    assert_non_null(strstr(town_history(c.ben, &c.room), "without anna"));
    town_free(c.t);
}

/* CLIENT-53: and back again, and a room of the new home. */
static void test_there_and_back(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct town_device *cems = town_member_of_staff(c.cem, "cem", owner);
    struct hs_id third = town_room(cems, "Cem's");
    town_join(c.ben, town_link(cems, &third, 5));
    for (int i = 0; i < 3; i++) {
        TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(i % 2 == 0 ? c.cem : c.anna, 0, NULL, 1), &op));
        town_wait(c.t, 20000);
        assert_non_null(town_done(c.ben, op));
        assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
        char text[32];
        snprintf(text, sizeof text, "hello %d", i);
        (void)post(c.ben, &third, text);
        (void)post(cems, &third, "welcome");
        town_wait(c.t, 5000);
    }
    assert_int_equal(strlen(town_history(cems, &third)), 3 * strlen("hello 0\nwelcome\n"));
    char seen[512];
    snprintf(seen, sizeof seen, "%s", town_history(cems, &third));
    assert_string_equal(town_history(c.ben, &third), seen);
    all_is_well(&c, "", "");
    town_free(c.t);
}

/* FED-42: the new home has a copy of the room already, which begins behind what Ben has read. */
static void test_a_copy_that_begins_later(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    c.anna->down = true;
    town_device_cut(c.ben);
    town_node_cut(c.anna);
    (void)post(c.alice, &c.room, "missed");
    struct town_device *dora = town_customer(c.cem, "Dora");
    town_join(dora, town_link(c.alice, &c.room, 5));
    (void)post(c.alice, &c.room, "later");
    town_wait(c.t, 3000);
    assert_string_equal(town_history(dora, &c.room), "later\n");
    TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(c.cem, 0, NULL, 1), &op));
    town_wait(c.t, 30000); /* anna's own room has to wait for her */
    assert_string_equal(town_history(c.ben, &c.room), "missed\nlater\n");
    assert_null(town_done(c.ben, op));
    c.anna->down = false;
    town_wait(c.t, 120000);
    assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
    all_is_well(&c, "missed\nlater\n", "");
    assert_string_equal(town_history(dora, &c.room), "later\nout\nin\n");
    town_free(c.t);
}

/* FED-43: posts that wait at the old home for a hub that is away come out once, through the new one. */
static void test_posts_on_their_way(void **state)
{
    (void)state;
    for (int hub_back_first = 0; hub_back_first < 2; hub_back_first++) {
        struct scene c = scene_new();
        uint64_t op;
        c.rosa->down = true;
        town_device_cut(c.alice);
        town_node_cut(c.rosa);
        for (int i = 0; i < 3; i++)
            (void)post(c.ben, &c.room, i == 0 ? "one" : i == 1 ? "two" : "three");
        town_wait(c.t, 3000); /* queued at anna's */
        if (hub_back_first)
            c.rosa->down = false;
        TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(c.cem, 0, NULL, 1), &op));
        town_wait(c.t, 3000);
        c.rosa->down = false;
        town_wait(c.t, 120000);
        assert_non_null(town_done(c.ben, op));
        assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
        all_is_well(&c, "one\ntwo\nthree\n", "");
        assert_int_equal(hs_sync_has_pending(c.ben->sync), false);
        town_free(c.t);
    }
}

/* CLIENT-54: where the new node refuses the account, everything is as before. */
static void test_a_ticket_that_is_used_up(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    const char *ticket = town_ticket(c.cem, 0, NULL, 1);
    struct town_device *dora = town_device_new(c.t);
    TOWN_WANT(dora, hs_want_identity(&s, "Dora"));
    TOWN_WANT(dora, hs_want_sign_up(&s, ticket, &op));
    town_wait(c.t, 1000);
    TOWN_WANT(c.ben, hs_want_move_home(&s, ticket, &op));
    town_wait(c.t, 10000);
    assert_int_equal(town_done(c.ben, op)->err, HANSE_ERR_TICKET_USED);
    struct hs_key home = home_of(c.ben);
    assert_true(hs_key_equal(&home, &c.anna->root.pub));
    all_is_well(&c, "", "");
    /* what can't be is told at once */
    TOWN_WANT_ERR(c.ben, hs_want_move_home(&s, town_ticket(c.anna, 0, NULL, 1), &op), HS_ERR_INVALID_ARG);
    TOWN_WANT_ERR(c.ben, hs_want_move_home(&s, "hanse:t/junk", &op), HS_ERR_TICKET_INVALID);
    TOWN_WANT_ERR(c.alice, hs_want_move_home(&s, town_ticket(c.cem, owner, NULL, 1), &op),
                  HS_ERR_TICKET_INVALID); /* that is for another key */
    c.cem->down = true;
    TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(c.cem, 0, NULL, 1), &op));
    uint64_t first = op;
    TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(c.rosa, 0, NULL, 1), &op)); /* rather there */
    town_wait(c.t, 60000);
    assert_int_equal(town_done(c.ben, first)->err, HANSE_ERR_CONFLICT);
    assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
    home = home_of(c.ben);
    assert_true(hs_key_equal(&home, &c.rosa->root.pub));
    town_free(c.t);
}

/* Ben dies at his n-th commit of the move. True where it had that many. */
static bool death_story(size_t n, bool before)
{
    struct scene c = scene_new();
    uint64_t op;
    (void)post(c.ben, &c.room, "one");
    TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(c.cem, 0, NULL, 1), &op));
    (void)post(c.ben, &c.room, "two");
    c.ben->die_after = n;
    c.ben->die_before_commit = before;
    town_wait(c.t, 10000);
    bool died = c.ben->dead;
    c.ben->die_after = 0;
    if (died) {
        town_device_start(c.ben);
        hs_sync_stay_online(c.ben->sync, true);
    }
    town_wait(c.t, 10000);
    assert_false(c.ben->sync->me.moving);
    all_is_well(&c, "one\ntwo\n", "");
    town_free(c.t);
    return died;
}

static void test_through_deaths(void **state)
{
    (void)state;
    size_t n = 1;
    for (bool died = true; died; n += n < 12 ? 1 : 3) {
        died = death_story(n, true);
        died |= death_story(n, false);
        assert_true(n < DEATHS_MAX);
    }
    printf("deaths up to %zu\n", n);
    assert_true(n > 8);
}

/* CLIENT-53: claimed at the old home's brand, redeemed and ordered through the new home. */
static void test_coupons_come_along(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    shop_open(&shop, 1000);
    struct town_node *cem = town_node_new(shop.t, "cem.example");
    shop_claim(&shop);
    TOWN_WANT(shop.ben, hs_want_move_home(&s, town_ticket(cem, 0, NULL, 1), &op));
    town_wait(shop.t, 10000);
    (void)shop_done_id(shop.ben, op);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    town_wait(shop.t, 10000);
    struct hs_id order = shop_done_id(shop.ben, op);
    struct hs_order_row row = shop_order_row(shop.ben, &order);
    assert_int_equal(row.state, HANSE_ORDER_ACCEPTED);
    assert_int_equal(row.receipts, 1);
    assert_int_equal(row.total, 1161);
    assert_int_equal(shop_coupon_row(shop.ben, &shop.coupon).state, HANSE_COUPON_USED);
    /* and a counter that was open before moves like any room */
    TOWN_WANT(shop.ben, hs_want_move_home(&s, town_ticket(shop.rosa, 0, NULL, 1), &op));
    town_wait(shop.t, 10000);
    (void)shop_done_id(shop.ben, op);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 2, NULL, &op));
    town_wait(shop.t, 10000);
    order = shop_done_id(shop.ben, op);
    assert_int_equal(shop_order_row(shop.ben, &order).state, HANSE_ORDER_ACCEPTED);
    town_free(shop.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rooms_come_along),         cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_posts_on_their_way),       cmocka_unit_test(test_a_copy_that_begins_later),
        cmocka_unit_test(test_a_ticket_that_is_used_up), cmocka_unit_test(test_through_deaths),
        cmocka_unit_test(test_coupons_come_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
