/* An order that has gone out of a counter which is left on the device alone: whatever is heard of it later
 * settles it and its coupon. */
#include "shop.h"

#include "sync/rooms/leave_here.h"
#include "sync/trade/deal.h"

/* Ben's order with a coupon is on its way, and nobody has answered. */
struct scene {
    struct shop shop;
    uint64_t op, number; /* number: of the post in the outbox */
    struct hs_id order, counter;
};

/* The post of the order, as long as it waits or is kept; number 0: it isn't. */
static struct hs_outbox_row post_of(struct scene *c, uint32_t kind)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 22);
    struct hs_kv *kv = town_look(c->shop.ben);
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row row, last = {0};
    while (hs_outbox_row_next(kv, &cursor, &arena, &row))
        last = row.kind == kind ? row : last;
    town_looked(c->shop.ben);
    last.frame = last.content = (struct hs_bytes){0};
    return last;
}

static void scene_open(struct scene *c)
{
    struct shop *shop = &c->shop;
    uint64_t op;
    shop_open(shop, 1000);
    shop_claim(shop);
    TOWN_WANT(shop->ben, hs_want_order(&s, &shop->offer, 1, NULL, &op));
    town_wait(shop->t, 10000);
    (void)shop_done_id(shop->ben, op);
    shop->ben->loses = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    TOWN_WANT(shop->ben, hs_want_order(&s, &shop->offer, 1, &shop->coupon, &c->op));
    town_run(shop->t);
    c->order = shop_coupon_row(shop->ben, &shop->coupon).order;
    c->counter = shop_order_row(shop->ben, &c->order).room;
    c->number = post_of(c, HS_OUTBOX_POST).number;
}

/* The home answers to it. */
static void is_answered(struct scene *c, enum hs_err err, int body)
{
    struct town_device *ben = c->shop.ben;
    size_t i = 0;
    while (i < HS_REQUESTS_MAX && ben->sync->requests[i].number != c->number)
        i++;
    assert_true(i < HS_REQUESTS_MAX);
    struct hs_request request = ben->sync->requests[i];
    Hanse__Frame frame = HANSE__FRAME__INIT;
    ben->sync->requests[i] = (struct hs_request){0};
    frame.body_case = (Hanse__Frame__BodyCase)body;
    TOWN_WANT(ben, request.answer(&s, &request, err == HS_OK ? &frame : NULL, err));
}

/* The hub's refusal comes to the inbox. */
static void outcome_comes(struct scene *c, const struct hs_id *body_hash)
{
    struct town_device *ben = c->shop.ben;
    Hanse__Error error = HANSE__ERROR__INIT;
    Hanse__OutcomeItem outcome = HANSE__OUTCOME_ITEM__INIT;
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT, *items = &item;
    Hanse__Inbox inbox = HANSE__INBOX__INIT;
    error.code = (uint32_t)-HS_ERR_WRONG_EPOCH;
    outcome.room = hs_pb_data(HS_VIEW(c->counter));
    outcome.body_hash = hs_pb_data(HS_VIEW(*body_hash));
    outcome.error = &error;
    item.outcome = &outcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
    item.seq = ben->sync->me.inbox_next;
    inbox.items = &items;
    inbox.n_items = 1;
    TOWN_WANT(ben, hs_inbox_received(&s, &inbox));
}

static void leaves_here(struct scene *c, enum hs_err fate)
{
    TOWN_WANT(c->shop.ben, hs_want_leave_here(&s, &c->counter));
    assert_int_equal((int)town_done(c->shop.ben, c->op)->err, fate);
    assert_false(hs_sync_has_pending(c->shop.ben->sync));
}

static void is_open(struct scene *c)
{
    assert_int_equal(shop_order_row(c->shop.ben, &c->order).state, HANSE_ORDER_DRAFT);
    assert_int_equal(shop_coupon_row(c->shop.ben, &c->shop.coupon).state, HANSE_COUPON_ORDERED);
}

static void is_over(struct scene *c)
{
    assert_int_equal(shop_order_row(c->shop.ben, &c->order).state, HANSE_ORDER_REJECTED);
    assert_int_equal(shop_order_row(c->shop.ben, &c->order).reason, HS_ERR_NOT_MEMBER);
    assert_int_equal(shop_coupon_row(c->shop.ben, &c->shop.coupon).state, HANSE_COUPON_HELD);
    assert_int_equal(post_of(c, HS_OUTBOX_ORDER_OUT).number, 0);
}

/* CLIENT-88: by the answer to the request, or through the inbox when the home has kept it. */
static void is_refused_later(void **state)
{
    (void)state;
    for (int queued = 0; queued < 2; queued++) {
        struct scene c;
        scene_open(&c);
        struct hs_id hash = post_of(&c, HS_OUTBOX_POST).body_hash;
        if (queued)
            is_answered(&c, HS_OK, HANSE__FRAME__BODY_QUEUED);
        leaves_here(&c, HS_ERR_TIMEOUT);
        is_open(&c);
        if (queued)
            outcome_comes(&c, &hash);
        else
            is_answered(&c, HS_ERR_NOT_MEMBER, 0);
        is_over(&c);
        assert_non_null(town_event(c.shop.ben, HANSE_EVENT_ORDER));
        town_free(c.shop.t);
    }
}

/* CLIENT-88: it is never sent again, over a restart and with another order made meanwhile; and the answer
 * that the home gave before counts then. */
static void is_refused_after_a_restart(void **state)
{
    (void)state;
    struct scene c;
    scene_open(&c);
    struct hs_id hash = post_of(&c, HS_OUTBOX_POST).body_hash;
    leaves_here(&c, HS_ERR_TIMEOUT);
    TOWN_WANT(c.shop.ben, hs_parting_over(&s, &c.counter));
    assert_int_equal(post_of(&c, HS_OUTBOX_ORDER_OUT).number, c.number);
    town_device_kill(c.shop.ben);
    town_device_start(c.shop.ben);
    hs_sync_stay_online(c.shop.ben->sync, true);
    c.shop.ben->loses = 0;
    town_wait(c.shop.t, 60000);
    assert_false(hs_sync_has_pending(c.shop.ben->sync));
    assert_int_equal(post_of(&c, HS_OUTBOX_ORDER_OUT).number, c.number);
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        assert_int_equal(c.shop.ben->sync->requests[i].number, 0);
    is_open(&c);
    outcome_comes(&c, &hash);
    is_over(&c);
    town_free(c.shop.t);
}

/* CLIENT-88: the hub has it, so the till has: it stays as it is. */
static void is_taken_later(void **state)
{
    (void)state;
    struct scene c;
    scene_open(&c);
    leaves_here(&c, HS_ERR_TIMEOUT);
    is_answered(&c, HS_OK, HANSE__FRAME__BODY_ACCEPTED);
    is_open(&c);
    assert_int_equal(post_of(&c, HS_OUTBOX_ORDER_OUT).number, 0);
    town_free(c.shop.t);
}

/* CLIENT-85: a home that was busy has taken nothing: by the only request, before and after it is left here.
 */
static void the_home_is_busy(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct scene c;
        scene_open(&c);
        if (!after)
            is_answered(&c, HS_ERR_BUSY, 0);
        leaves_here(&c, after ? HS_ERR_TIMEOUT : HS_ERR_NOT_MEMBER);
        if (after)
            is_answered(&c, HS_ERR_RATE_LIMITED, 0);
        is_over(&c);
        town_free(c.shop.t);
    }
}

/* CLIENT-85: but what was sent before that, and never answered, it may have. */
static void the_home_is_busy_when_it_is_sent_again(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct scene c;
        scene_open(&c);
        town_device_cut(c.shop.ben);
        town_wait(c.shop.t, 10000);
        if (!after)
            is_answered(&c, HS_ERR_BUSY, 0);
        leaves_here(&c, HS_ERR_TIMEOUT);
        if (after)
            is_answered(&c, HS_ERR_BUSY, 0);
        is_open(&c);
        town_free(c.shop.t);
    }
}

/* CLIENT-88: so many are kept, and the oldest makes place. */
static void of_many_the_newest_are_kept(void **state)
{
    (void)state;
    for (uint64_t more = 0; more < 2; more++) {
        struct scene c;
        scene_open(&c);
        uint64_t first = c.number + 1000;
        for (uint64_t i = 0; i < HS_ORDERS_OUT_MAX - 1 + more; i++) {
            struct hs_outbox_row old = {.number = first + i, .kind = HS_OUTBOX_ORDER_OUT, .room = c.counter};
            old.body_hash.b[0] = (uint8_t)i;
            old.body_hash.b[1] = 1;
            TOWN_WANT(c.shop.ben, (hs_outbox_row_put(s.kv, &old), s.kv->err));
        }
        leaves_here(&c, HS_ERR_TIMEOUT);
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct hs_outbox_row row;
        struct hs_kv *kv = town_look(c.shop.ben);
        assert_int_equal(hs_outbox_row_get(kv, first, &arena, &row), more == 0);
        assert_true(hs_outbox_row_get(kv, first + 1, &arena, &row));
        assert_true(hs_outbox_row_get(kv, c.number, &arena, &row));
        town_looked(c.shop.ben);
        town_free(c.shop.t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_refused_later),
        cmocka_unit_test(is_refused_after_a_restart),
        cmocka_unit_test(is_taken_later),
        cmocka_unit_test(the_home_is_busy),
        cmocka_unit_test(the_home_is_busy_when_it_is_sent_again),
        cmocka_unit_test(of_many_the_newest_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
