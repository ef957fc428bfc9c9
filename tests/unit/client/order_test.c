/* The customer's side when things go wrong: every order comes to an end, and gives its coupon back. */
#include "shop.h"

#include "sync/trade/deal.h"

/* Ben has a counter and a coupon, and has been cut off from his node. */
static void offline_open(struct shop *shop)
{
    uint64_t op;
    shop_open(shop, 1000);
    shop_claim(shop);
    TOWN_WANT(shop->ben, hs_want_order(&s, &shop->offer, 1, NULL, &op));
    town_run(shop->t);
    (void)shop_done_id(shop->ben, op);
    shop->rosa->down = true;
    town_device_cut(shop->ben);
}

/* Each row of the outbox but the last: dropped. The last: refused with that error, where it is one. */
static enum hs_err outbox_spoil(struct hs_step *s, enum hs_err last)
{
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row row, ahead;
    bool more = hs_outbox_row_next(s->kv, &cursor, s->arena, &row);
    while (more) {
        more = hs_outbox_row_next(s->kv, &cursor, s->arena, &ahead);
        if (more)
            hs_outbox_row_delete(s->kv, row.number);
        else if (last != HS_OK)
            return hs_outbox_refused(s, &row, last);
        row = ahead;
    }
    return HS_OK;
}

static void end_is(struct shop *shop, uint64_t op, const struct hs_id *order, enum hs_err why)
{
    const struct hanse_event *done = town_done(shop->ben, op);
    struct hs_order_row row = shop_order_row(shop->ben, order);
    assert_non_null(done);
    assert_int_equal((int)done->err, why);
    assert_int_equal(row.state, HANSE_ORDER_REJECTED);
    assert_int_equal(row.reason, why);
    assert_int_equal(shop_coupon_row(shop->ben, &shop->coupon).state, HANSE_COUPON_HELD);
}

/* CLIENT-30 */
static void test_an_order_whose_post_is_refused_ends(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    offline_open(&shop);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    struct hs_id order = shop_coupon_row(shop.ben, &shop.coupon).order;
    TOWN_WANT(shop.ben, outbox_spoil(&s, HS_ERR_TOO_LARGE));
    end_is(&shop, op, &order, HS_ERR_TOO_LARGE);
    assert_non_null(town_event(shop.ben, HANSE_EVENT_ORDER));
    shop.rosa->down = false;
    town_wait(shop.t, 60000);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    town_run(shop.t);
    (void)shop_done_id(shop.ben, op);
    town_free(shop.t);
}

/* CLIENT-85: a counter that is left here. What never left ends there; what may have left may be taken. */
static void test_an_order_ends_with_its_counter(void **state)
{
    (void)state;
    for (int gone_out = 0; gone_out < 2; gone_out++) {
        struct shop shop;
        uint64_t op;
        offline_open(&shop);
        shop.rosa->down = false;
        if (gone_out)
            town_wait(shop.t, 60000);
        shop.rosa->down = true;
        TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
        struct hs_id order = shop_coupon_row(shop.ben, &shop.coupon).order;
        struct hs_id counter = shop_order_row(shop.ben, &order).room;
        TOWN_WANT(shop.ben, hs_want_leave_here(&s, &counter));
        assert_int_equal(hs_sync_has_pending(shop.ben->sync), false);
        if (!gone_out) {
            end_is(&shop, op, &order, HS_ERR_NOT_MEMBER);
        } else {
            assert_int_equal((int)town_done(shop.ben, op)->err, HS_ERR_TIMEOUT);
            assert_int_equal(shop_order_row(shop.ben, &order).state, HANSE_ORDER_DRAFT);
            assert_int_equal(shop_coupon_row(shop.ben, &shop.coupon).state, HANSE_COUPON_ORDERED);
        }
        town_free(shop.t);
    }
}

/* DEAL-37: what the order cites never comes; the till says so, and signs it. */
static void test_an_order_that_is_turned_away_ends(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    offline_open(&shop);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    struct hs_id order = shop_coupon_row(shop.ben, &shop.coupon).order;
    TOWN_WANT(shop.ben, outbox_spoil(&s, HS_OK));
    shop.rosa->down = false;
    town_wait(shop.t, 70000);
    end_is(&shop, op, &order, HS_ERR_COUPON_UNKNOWN);
    assert_true(shop_order_row(shop.till, &order).done);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    town_run(shop.t);
    (void)shop_done_id(shop.ben, op);
    town_free(shop.t);
}

static enum hs_err till_cancels(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    struct hs_self HS_SELF self = {0};
    struct hs_order_view *v = hs_arena_alloc(s->arena, sizeof *v);
    struct hs_order_step step = {.type = HANSE__ORDER_EVENT_TYPE__ORDER_CANCELLED};
    Hanse__SignedObject *event;
    Hanse__Chain own;
    HS_TRY(hs_order_view(s, id, NULL, v));
    HS_TRY(hs_live_member(s, &v->row.room, &room));
    HS_TRY(hs_self_for(s, &v->row.root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    struct hs_author author = hs_self_author(s, &self);
    HS_TRY(hs_order_event_build(&author, &v->thread, NULL, &step, s->arena, &event));
    v->row.done = true;
    HS_TRY(hs_order_step(s, v, event, &own));
    return hs_deal_post(s, room, event, &own, "Order cancelled", NULL);
}

/* CLIENT-30 */
static void test_a_cancelled_order_gives_its_coupon_back(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    shop_open(&shop, 1000);
    shop_claim(&shop);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, NULL, &op));
    town_run(shop.t);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    struct hs_id order = shop_coupon_row(shop.ben, &shop.coupon).order;
    shop.ben->die_after = 1;
    town_run(shop.t);
    TOWN_WANT(shop.till, till_cancels(&s, &order));
    town_run(shop.t);
    town_device_start(shop.ben);
    hs_sync_stay_online(shop.ben->sync, true);
    town_wait(shop.t, 1000);
    assert_int_equal(shop_order_row(shop.ben, &order).state, HANSE_ORDER_CANCELLED);
    assert_int_equal(shop_coupon_row(shop.ben, &shop.coupon).state, HANSE_COUPON_HELD);
    town_free(shop.t);
}

/* An event of an order that nobody placed, with and without a till's signature. */
static enum hs_err event_of_nothing(struct hs_step *s, const struct hs_id *id, const struct hs_id *order)
{
    struct hs_live_room *room;
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *object;
    Hanse__Chain own;
    HS_TRY(hs_live_member(s, id, &room));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    struct hs_author author = hs_self_author(s, &self);
    Hanse__OrderEvent event = HANSE__ORDER_EVENT__INIT;
    event.order_id = hs_pb_data(HS_VIEW(*order));
    event.type = HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED;
    event.reason_code = 60;
    event.reason = (char *)(uintptr_t) "";
    struct hs_hdr_spec spec = {.prev = HS_VIEW(*order)};
    HS_TRY(hs_object_make(HS_KIND_ORDER_EVENT, &event.base, &author, &spec, s->arena, &object));
    return hs_deal_post(s, room, object, &own, "Event", NULL);
}

/* Any member can post one: it is refused, and what stands behind it is read. */
static void test_an_event_of_an_unknown_order_is_refused(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    struct hs_id unknown = {{7}};
    shop_open(&shop, 1000);
    TOWN_WANT(shop.ben, event_of_nothing(&s, &shop.room, &unknown));
    TOWN_WANT(shop.ben, hs_want_text(&s, &shop.room, "behind", &op));
    town_run(shop.t);
    assert_int_equal(shop_refused_for(shop.alice, &shop.room), HS_ERR_ORDER_INVALID);
    assert_non_null(strstr(town_history(shop.alice, &shop.room), "behind\n"));
    town_free(shop.t);
}

/* DEAL-37: only a till (or merchant) of the brand turns orders away, and in the order's own room. */
static void test_nobody_else_turns_an_order_away(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    offline_open(&shop);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    struct hs_id order = shop_coupon_row(shop.ben, &shop.coupon).order;
    TOWN_WANT(shop.alice, event_of_nothing(&s, &shop.room, &order)); /* a merchant, in another room */
    TOWN_WANT(shop.ben, outbox_spoil(&s, HS_OK));
    shop.rosa->down = false;
    town_wait(shop.t, 20000);
    assert_null(town_done(shop.ben, op));
    assert_int_equal(shop_order_row(shop.ben, &order).state, HANSE_ORDER_DRAFT);
    assert_int_equal(shop_refused_for(shop.ben, &shop.room), HS_ERR_ORDER_INVALID);
    town_free(shop.t);
}

static enum hs_err refuse_and_fail(struct hs_step *s)
{
    HS_TRY(outbox_spoil(s, HS_ERR_TOO_LARGE));
    return HS_ERR_STORE;
}

/* A step that is taken back takes the end of an operation back, too. */
static void test_an_aborted_step_keeps_its_operations(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    offline_open(&shop);
    TOWN_WANT(shop.ben, hs_want_text(&s, &shop.room, "hello", &op));
    TOWN_WANT_ERR(shop.ben, refuse_and_fail(&s), HS_ERR_STORE);
    assert_null(town_done(shop.ben, op));
    shop.rosa->down = false;
    town_wait(shop.t, 60000);
    assert_non_null(town_done(shop.ben, op));
    assert_int_equal(town_done(shop.ben, op)->err, HANSE_OK);
    town_free(shop.t);
}

static enum hs_err strange_answer(struct hs_step *s, uint64_t op, const Hanse__Frame *frame, enum hs_err err)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        struct hs_request request = s->sync->requests[i];
        if (request.id == 0 || request.op != op)
            continue;
        s->sync->requests[i] = (struct hs_request){0};
        return request.answer(s, &request, frame, err);
    }
    return HS_ERR_NOT_FOUND;
}

/* The issuer's node may say what it likes: the claim ends with an error, and the session at home goes on. */
static void test_a_claim_ends_with_whatever_the_issuer_says(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Ack ack = HANSE__ACK__INIT;
    Hanse__LedgerReply reply = HANSE__LEDGER_REPLY__INIT;
    shop_open(&shop, 1000);
    const enum hs_err errs[] = {HS_ERR_NOT_FOUND, HS_ERR_UNEXPECTED, HS_ERR_DENIED};
    for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
        TOWN_WANT(shop.ben, hs_want_claim(&s, &shop.campaign, &op));
        TOWN_WANT(shop.ben, strange_answer(&s, op, NULL, errs[i]));
        assert_int_equal((int)town_done(shop.ben, op)->err, errs[i]);
    }
    frame.body_case = HANSE__FRAME__BODY_ACK;
    frame.ack = &ack;
    TOWN_WANT(shop.ben, hs_want_claim(&s, &shop.campaign, &op));
    TOWN_WANT(shop.ben, strange_answer(&s, op, &frame, HS_OK));
    assert_int_equal((int)town_done(shop.ben, op)->err, HS_ERR_UNEXPECTED);
    frame.body_case = HANSE__FRAME__BODY_LEDGER_REPLY;
    frame.ledger_reply = &reply;
    TOWN_WANT(shop.ben, hs_want_claim(&s, &shop.campaign, &op));
    TOWN_WANT(shop.ben, strange_answer(&s, op, &frame, HS_OK));
    assert_int_equal((int)town_done(shop.ben, op)->err, HS_ERR_MALFORMED);
    assert_true(hs_home_is_online(shop.ben->sync));
    town_free(shop.t);
}

static struct hs_bytes claim_bytes(const struct shop *shop, struct hs_arena *arena)
{
    struct hs_claim_row row;
    assert_true(hs_claim_row_get(town_look(shop->ben), &shop->campaign, arena, &row));
    struct hs_bytes bytes = hs_arena_copy(arena, row.request);
    town_looked(shop->ben);
    return bytes;
}

/* CLIENT-20: asked, and dead before the answer: the same bytes are asked again, and the one unit is theirs.
 */
static void test_a_claim_is_asked_again_with_its_bytes(void **state)
{
    (void)state;
    struct shop shop;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t op;
    shop_open(&shop, 1000);
    TOWN_WANT(shop.ben, hs_want_claim(&s, &shop.campaign, &op));
    struct hs_bytes first = claim_bytes(&shop, &arena);
    shop.ben->die_after = 1;
    shop.ben->die_before_commit = true; /* the answer is there, and lost */
    town_run(shop.t);
    assert_true(shop.ben->dead);
    town_device_start(shop.ben);
    hs_sync_stay_online(shop.ben->sync, true);
    town_wait(shop.t, 1000);
    shop_claim(&shop);
    struct hs_bytes second = claim_bytes(&shop, &arena);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    assert_int_equal(shop_coupon_row(shop.ben, &shop.coupon).state, HANSE_COUPON_HELD);
    town_free(shop.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_order_whose_post_is_refused_ends),
        cmocka_unit_test(test_an_order_that_is_turned_away_ends),
        cmocka_unit_test(test_an_order_ends_with_its_counter),
        cmocka_unit_test(test_a_cancelled_order_gives_its_coupon_back),
        cmocka_unit_test(test_an_event_of_an_unknown_order_is_refused),
        cmocka_unit_test(test_nobody_else_turns_an_order_away),
        cmocka_unit_test(test_an_aborted_step_keeps_its_operations),
        cmocka_unit_test(test_a_claim_ends_with_whatever_the_issuer_says),
        cmocka_unit_test(test_a_claim_is_asked_again_with_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
