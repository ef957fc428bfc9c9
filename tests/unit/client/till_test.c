/* The till among customers that mean it harm, with lines that break and orders that run out. */
#include "shop.h"

#include "deal/presentation.h"
#include "sync/trade/deal.h"

#include <stdio.h>

enum { STEPS_MAX = 40 };

/* Ben has a counter, and a coupon. */
static void counter_open(struct shop *shop)
{
    uint64_t op;
    shop_open(shop, 1000);
    shop_claim(shop);
    TOWN_WANT(shop->ben, hs_want_order(&s, &shop->offer, 1, NULL, &op));
    town_run(shop->t);
    (void)shop_done_id(shop->ben, op);
}

static struct hs_id counter_of(struct town_device *d)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    struct hs_kv *kv = town_look(d);
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_id id = {0};
    while (hs_room_next(kv, &cursor, &arena, &row))
        if (row.kind == HS_ROOM_COUNTER)
            id = row.id;
    town_looked(d);
    return id;
}

/* An order of Ben's that ends at that time, with his coupon, as his client would place one. */
static enum hs_err short_order(struct hs_step *s, const struct shop *shop, const struct hs_id *counter,
                               struct hs_time until, struct hs_id *id)
{
    struct hs_live_room *room;
    struct hs_self HS_SELF self = {0};
    struct hs_offer offer;
    struct hs_offer_row offer_row;
    struct hs_order_coupon coupon;
    struct hs_coupon_row row;
    struct hs_campaign_row campaign;
    Hanse__SignedObject *object;
    Hanse__Chain own, *proof;
    HS_TRY(hs_live_member(s, counter, &room));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    HS_TRY(hs_offer_load(s, &shop->offer, &offer, &offer_row));
    HS_TRY(hs_coupon_load(s, &shop->coupon, &coupon, &row));
    HS_REQUIRE(hs_campaign_row_get(s->kv, &row.campaign, s->arena, &campaign), HS_ERR_NOT_FOUND);
    HS_TRY(hs_proved_load(s, &campaign.proved, &object, &proof));
    HS_TRY(hs_deal_post(s, room, object, proof, "Coupon", NULL));
    HS_TRY(hs_proved_load(s, &row.proved, &object, &proof));
    HS_TRY(hs_deal_post(s, room, object, proof, "Coupon", NULL));
    struct hs_author author = hs_self_author(s, &self);
    struct hs_order_draft_line line = {&offer, 1};
    struct hs_order_draft draft = {
        .lines = &line, .line_count = 1, .coupons = &coupon, .coupon_count = 1, .not_after = until};
    HS_TRY(hs_order_build(&author, &self.root, &draft, s->arena, &object));
    struct hs_order_row order = {.id = hs_object_id(object),
                                 .room = room->row.id,
                                 .root = room->row.hub_root,
                                 .state = HANSE_ORDER_DRAFT,
                                 .own = true};
    order.customer.key = self.persona;
    HS_TRY(hs_proved_make(s, object, &own, &order.proved));
    hs_order_row_put(s->kv, &order);
    row.state = HANSE_COUPON_ORDERED;
    row.order = *id = order.id;
    hs_coupon_row_put(s->kv, &row);
    return hs_deal_post(s, room, object, &own, "Order", NULL);
}

/* CLIENT-23: an order that ends before a coupon can be redeemed for it costs nobody the coupon. */
static void test_a_short_order_spends_no_coupon(void **state)
{
    (void)state;
    struct shop shop;
    struct hs_id id;
    uint64_t op;
    counter_open(&shop);
    struct hs_id counter = counter_of(shop.ben);
    struct hs_time until = {town_now(shop.t).ms + 90000};
    TOWN_WANT(shop.ben, short_order(&s, &shop, &counter, until, &id));
    town_run(shop.t);
    struct hs_order_row row = shop_order_row(shop.ben, &id);
    assert_int_equal(row.state, HANSE_ORDER_REJECTED);
    assert_int_equal(row.reason, HS_ERR_EXPIRED);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    town_run(shop.t);
    (void)shop_done_id(shop.ben, op);
    town_free(shop.t);
}

/* The till dies at its n-th commit of a short order, and is back when that has run out: it ends the order,
 * serves the next one, and what it had reserved is free again. */
static bool late_story(size_t n, bool before)
{
    struct shop shop;
    struct hs_id id;
    uint64_t op;
    counter_open(&shop);
    struct hs_id counter = counter_of(shop.ben);
    struct hs_time until = {town_now(shop.t).ms + 125000};
    shop.till->die_after = n;
    shop.till->die_before_commit = before;
    TOWN_WANT(shop.ben, short_order(&s, &shop, &counter, until, &id));
    town_run(shop.t);
    bool died = shop.till->dead;
    shop.till->die_after = 0;
    if (died) {
        town_wait(shop.t, 126000);
        town_device_start(shop.till);
        hs_sync_stay_online(shop.till->sync, true);
        TOWN_WANT(shop.till, hs_want_till(&s, true));
    }
    town_wait(shop.t, 3000);
    struct hs_order_row row = shop_order_row(shop.ben, &id);
    assert_true(row.state == HANSE_ORDER_REJECTED || row.state == HANSE_ORDER_ACCEPTED);
    assert_true(shop_order_row(shop.till, &id).done);
    if (row.state == HANSE_ORDER_REJECTED) {
        TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
        town_wait(shop.t, 1000);
        const struct hanse_event *done = town_done(shop.ben, op);
        assert_non_null(done);
        assert_true((int)done->err == HS_OK || (int)done->err == HS_ERR_COUPON_USED);
    }
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, NULL, &op));
    town_wait(shop.t, 1000);
    (void)shop_done_id(shop.ben, op);
    assert_int_equal(town_event_count(shop.till, HANSE_EVENT_OFFLINE), 0);
    town_free(shop.t);
    return died;
}

static void test_an_order_that_ran_out_meanwhile_stops_nothing(void **state)
{
    (void)state;
    size_t n = 1;
    for (bool died = true; died && n < STEPS_MAX; n++) {
        died = late_story(n, true);
        died |= late_story(n, false);
    }
    printf("%zu deaths of the till, before and behind\n", n - 2);
    assert_true(n > 5 && n < STEPS_MAX);
}

/* The session breaks behind the n-th commit: what was on its way to the ledger is sent in the next session.
 */
static bool cut_story(size_t n)
{
    struct shop shop;
    uint64_t op;
    counter_open(&shop);
    shop.till->cut_after = n;
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    town_run(shop.t);
    bool was_cut = shop.till->cut_after == 0;
    town_wait(shop.t, 5000);
    struct hs_id id = shop_done_id(shop.ben, op);
    assert_int_equal(shop_order_row(shop.ben, &id).receipts, 1);
    town_free(shop.t);
    return was_cut;
}

static void test_orders_go_on_in_the_next_session(void **state)
{
    (void)state;
    size_t n = 1;
    while (n < STEPS_MAX && cut_story(n))
        n++;
    printf("%zu cuts\n", n - 1);
    assert_true(n > 5 && n < STEPS_MAX);
}

static enum hs_err tick_that_fails(struct hs_step *s)
{
    HS_TRY(hs_till_tick(s));
    return HS_ERR_STORE;
}

/* A look that came to nothing is due again, though not at once. */
static void test_a_look_that_fails_is_repeated(void **state)
{
    (void)state;
    struct shop shop;
    counter_open(&shop);
    shop.till->sync->till_due = town_now(shop.t);
    TOWN_WANT_ERR(shop.till, tick_that_fails(&s), HS_ERR_STORE);
    assert_true(shop.till->sync->till);
    assert_int_equal(shop.till->sync->till_due.ms, town_now(shop.t).ms + HS_AGAIN_MS);
    town_wait(shop.t, HS_AGAIN_MS + 100);
    assert_int_equal(shop.till->sync->till_due.ms, INT64_MAX);
    town_free(shop.t);
}

/* What Cleo shows in her counter is for Ben's order. */
static enum hs_err show_for(struct hs_step *s, const struct shop *shop, const struct hs_id *counter,
                            const struct hs_id *order)
{
    struct hs_live_room *room;
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *object;
    Hanse__Chain own;
    uint8_t nonce[16] = {0};
    HS_TRY(hs_live_member(s, counter, &room));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    struct hs_author author = hs_self_author(s, &self);
    Hanse__Presentation shown = HANSE__PRESENTATION__INIT;
    shown.coupon_id = hs_pb_data(HS_VIEW(shop->coupon));
    shown.order_id = hs_pb_data(HS_VIEW(*order));
    shown.redeemer_key = hs_pb_data(HS_VIEW(self.persona));
    shown.redeemer_nonce = hs_pb_data(hs_bytes(nonce, sizeof nonce));
    struct hs_hdr_spec spec = {.not_after = {s->now.ms + HS_PRESENTATION_MS}};
    HS_TRY(hs_object_make(HS_KIND_PRESENTATION, &shown.base, &author, &spec, s->arena, &object));
    return hs_deal_post(s, room, object, &own, "Here", NULL);
}

/* Ben's order waits for Ben's coupon; others, and false answers of his own, change nothing. */
static void test_only_the_holder_answers_the_till(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op, cleos;
    shop_open(&shop, 1000);
    struct town_device *cleo = town_guest(shop.t, "Cleo", town_link(shop.alice, &shop.room, 1));
    struct hs_id soap = shop_offer(&shop, "soap2", 100);
    TOWN_WANT(cleo, hs_want_order(&s, &soap, 1, NULL, &cleos));
    town_run(shop.t);
    (void)shop_done_id(cleo, cleos);
    struct hs_id hers = counter_of(cleo);
    shop_claim(&shop);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, NULL, &op));
    town_run(shop.t);
    struct hs_id his = counter_of(shop.ben);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    struct hs_id order = shop_coupon_row(shop.ben, &shop.coupon).order;
    shop.ben->die_after = 1;
    town_run(shop.t);
    assert_true(shop.ben->dead);
    TOWN_WANT(cleo, show_for(&s, &shop, &hers, &order));
    town_run(shop.t);
    assert_int_equal(shop_refused_for(shop.till, &hers), HS_ERR_ORDER_INVALID);
    assert_int_equal(shop_order_row(shop.till, &order).state, HANSE_ORDER_PLACED);
    town_device_start(shop.ben);
    hs_sync_stay_online(shop.ben->sync, true);
    TOWN_WANT(shop.ben, show_for(&s, &shop, &his, &order)); /* names another till, and another nonce */
    town_run(shop.t);
    assert_int_equal(shop_refused_for(shop.till, &his), HS_ERR_COUPON_WRONG_REDEEMER);
    assert_int_equal(shop_order_row(shop.ben, &order).state, HANSE_ORDER_ACCEPTED);
    town_free(shop.t);
}

/* A till that asks Ben for a coupon, whatever order it names. */
static enum hs_err ask_for(struct hs_step *s, const struct shop *shop, const struct hs_id *counter,
                           const struct hs_id *order, const struct hs_key *holder)
{
    struct hs_live_room *room;
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *question;
    Hanse__Chain own;
    HS_TRY(hs_live_member(s, counter, &room));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    struct hs_author author = hs_self_author(s, &self);
    HS_TRY(hs_presentation_request_build(&author, holder, &shop->coupon, order, s->arena, &question));
    return hs_deal_post(s, room, question, &own, "Your coupon, please", NULL);
}

/* CLIENT-22: not for an order that cites no coupon, and for no order that isn't one's own. */
static void test_a_till_that_asks_too_much_is_shown_nothing(void **state)
{
    (void)state;
    struct shop shop;
    struct hs_key ben;
    uint64_t op;
    counter_open(&shop);
    struct hs_id counter = counter_of(shop.ben), strange = {{7}};
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 2, NULL, &op));
    town_run(shop.t);
    struct hs_id plain = shop_done_id(shop.ben, op);
    assert_ok(hs_sync_persona(shop.ben->sync, &shop.rosa->root.pub, &ben));
    TOWN_WANT(shop.till, ask_for(&s, &shop, &counter, &plain, &ben));
    town_run(shop.t);
    int32_t why = shop_refused_for(shop.ben, &counter);
    assert_true(why == HS_ERR_COUPON_UNKNOWN || why == HS_ERR_ORDER_INVALID);
    TOWN_WANT(shop.till, ask_for(&s, &shop, &counter, &strange, &ben));
    town_run(shop.t);
    assert_int_equal(shop_refused_for(shop.ben, &counter), HS_ERR_ORDER_INVALID);
    assert_int_equal(shop_coupon_row(shop.ben, &shop.coupon).state, HANSE_COUPON_HELD);
    town_free(shop.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_short_order_spends_no_coupon),
        cmocka_unit_test(test_an_order_that_ran_out_meanwhile_stops_nothing),
        cmocka_unit_test(test_orders_go_on_in_the_next_session),
        cmocka_unit_test(test_a_look_that_fails_is_repeated),
        cmocka_unit_test(test_only_the_holder_answers_the_till),
        cmocka_unit_test(test_a_till_that_asks_too_much_is_shown_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
