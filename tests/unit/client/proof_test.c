/* An issuer that comes back from a backup is shown what it has signed, by its tills and customers. */
#include "proof_scene.h"

#include "wire/unpack.h"

/* A shop in which Ben has ordered before, so that the backup knows their counter. */
static void open_with_counter(struct shop *shop)
{
    uint64_t op;
    shop_open(shop, 1000);
    TOWN_WANT(shop->ben, hs_want_order(&s, &shop->offer, 1, NULL, &op));
    town_wait(shop->t, 5000);
    (void)shop_done_id(shop->ben, op);
}

static struct hs_id order_with_coupon(struct shop *shop)
{
    uint64_t op;
    TOWN_WANT(shop->ben, hs_want_order(&s, &shop->offer, 2, &shop->coupon, &op));
    town_wait(shop->t, 5000);
    struct hs_id id = shop_done_id(shop->ben, op);
    assert_int_equal(shop_order_row(shop->ben, &id).state, HANSE_ORDER_ACCEPTED);
    return id;
}

static enum hanse_err order_err(struct shop *shop)
{
    uint64_t op;
    TOWN_WANT(shop->ben, hs_want_order(&s, &shop->offer, 1, &shop->coupon, &op));
    town_wait(shop->t, 20000);
    assert_non_null(town_done(shop->ben, op));
    return town_done(shop->ben, op)->err;
}

/* NODE-88, NODE-98, CLIENT-83: coupon and redemption are behind the backup, and neither is forgotten. */
static void test_a_redeemed_coupon_stays_redeemed(void **state)
{
    (void)state;
    struct shop shop;
    open_with_counter(&shop);
    struct hs_kv *backup = town_node_copy(shop.rosa);
    shop_claim(&shop);
    (void)order_with_coupon(&shop);
    town_node_restore(shop.rosa, backup);
    town_wait(shop.t, 90000);
    assert_true(ledger_is_frozen(shop.rosa));
    struct hs_proofs proofs = proofs_at(shop.rosa);
    assert_int_equal(proofs.taken, 2);
    assert_int_equal(proofs.tills, 1);
    assert_int_equal(proofs.tills_done, 1);
    assert_int_equal(shown_row(shop.till, &shop.rosa->root.pub).shown, 2);
    assert_int_equal(shown_row(shop.ben, &shop.rosa->root.pub).shown, 2);
    town_node_resume(shop.rosa);
    assert_int_equal(order_err(&shop), HANSE_ERR_COUPON_USED);
    town_join(shop.till, town_link(shop.alice, &shop.room, 5)); /* the only one of that kind was Ben's */
    uint64_t op;
    TOWN_WANT(shop.till, hs_want_claim(&s, &shop.campaign, &op));
    town_wait(shop.t, 5000);
    assert_int_equal(town_done(shop.till, op)->err, HANSE_ERR_COUPON_EXHAUSTED);
    town_free(shop.t);
}

/* CLIENT-83: the till is lost; the customer has the receipt, too. */
static void test_the_customers_receipt_counts(void **state)
{
    (void)state;
    struct shop shop;
    open_with_counter(&shop);
    struct hs_kv *backup = town_node_copy(shop.rosa);
    shop_claim(&shop);
    (void)order_with_coupon(&shop);
    town_device_kill(shop.till);
    town_node_restore(shop.rosa, backup);
    town_wait(shop.t, 90000);
    struct hs_proofs proofs = proofs_at(shop.rosa);
    assert_int_equal(proofs.taken, 2);
    assert_int_equal(proofs.from, 1);
    assert_int_equal(proofs.tills_done, 0);
    town_node_resume(shop.rosa);
    town_device_start(shop.till);
    hs_sync_stay_online(shop.till->sync, true);
    TOWN_WANT(shop.till, hs_want_till(&s, true));
    town_wait(shop.t, 5000);
    assert_int_equal(proofs_at(shop.rosa).tills_done, 1); /* and had nothing new */
    assert_int_equal(proofs_at(shop.rosa).taken, 2);
    assert_int_equal(order_err(&shop), HANSE_ERR_COUPON_USED);
    town_free(shop.t);
}

/* The till has a reservation, and no receipt yet. */
static bool holds_reservation(struct town_device *till)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_redeem_row row;
    struct hs_id order;
    struct hs_kv *kv = town_look(till);
    bool found = false;
    while (!found && hs_redeem_row_next(kv, &cursor, &arena, &order, &row))
        found = row.reservation.len > 0 && row.redemption.len == 0;
    town_looked(till);
    return found;
}

/* The till dies at its n-th commit of Ben's order; where it holds a reservation then, its node comes back
 * from before that, and the till with what it holds. */
static bool reservation_story(size_t n)
{
    struct shop shop;
    uint64_t op;
    open_with_counter(&shop);
    shop_claim(&shop);
    struct hs_kv *backup = town_node_copy(shop.rosa);
    shop.till->die_after = n;
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 2, &shop.coupon, &op));
    town_run(shop.t);
    assert_true(shop.till->dead); /* behind the last of its commits it has the receipt */
    town_device_start(shop.till);
    bool held = holds_reservation(shop.till);
    if (held) {
        town_node_restore(shop.rosa, backup);
        hs_sync_stay_online(shop.till->sync, true);
        town_wait(shop.t, 30000);
        assert_true(ledger_is_frozen(shop.rosa));
        struct hs_proofs proofs = proofs_at(shop.rosa);
        assert_int_equal(proofs.taken, 1);
        assert_int_equal(proofs.tills_done, 1);
        town_node_resume(shop.rosa);
        TOWN_WANT(shop.till, hs_want_till(&s, true));
        town_wait(shop.t, 60000);
        struct hs_id id = shop_done_id(shop.ben, op);
        assert_int_equal(shop_order_row(shop.ben, &id).state, HANSE_ORDER_ACCEPTED);
        assert_int_equal(order_err(&shop), HANSE_ERR_COUPON_USED);
    } else {
        hs_kv_memory_free(backup);
    }
    town_free(shop.t);
    return held;
}

/* CLIENT-83, DEAL-40: a reservation that is behind the backup is the till's to show, and still good. */
static void test_the_tills_reservation_counts(void **state)
{
    (void)state;
    size_t n = 1;
    while (!reservation_story(n))
        n++;
}

/* A node that was never restored is shown nothing; one that was, once. */
static size_t shown_frames, shown_proofs;
static struct town_device *cut_device;
static size_t cut_after;

static bool count_shown(struct town_device *d, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 22);
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    if (frame->body_case != HANSE__FRAME__BODY_SHOW_PROOFS)
        return true;
    shown_frames++;
    shown_proofs += frame->show_proofs->n_proofs;
    return d != cut_device || shown_frames != cut_after;
}

static void count_from_now(struct shop *shop)
{
    shown_frames = shown_proofs = 0;
    cut_device = NULL;
    shop->till->outgoing = shop->ben->outgoing = shop->alice->outgoing = count_shown;
}

static void test_it_is_shown_once(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    count_from_now(&shop);
    struct hs_kv *backup = town_node_copy(shop.rosa);
    shop_claim(&shop);
    (void)order_with_coupon(&shop);
    town_device_cut(shop.till);
    town_device_cut(shop.ben);
    town_wait(shop.t, 60000);
    assert_int_equal(shown_frames, 0);
    town_node_restore(shop.rosa, backup);
    town_wait(shop.t, 60000);
    assert_int_equal(shown_frames, 2); /* the merchant has nothing to show */
    town_device_cut(shop.till);
    town_device_cut(shop.ben);
    town_wait(shop.t, 60000);
    assert_int_equal(shown_frames, 2);
    town_free(shop.t);
}

/* CLIENT-83: in batches, and from where it stood when the session broke. */
static void test_many_are_shown_in_batches(void **state)
{
    (void)state;
    enum { MANY = 100 };
    struct shop shop;
    shop_open(&shop, 1000);
    struct hs_kv *backup = town_node_copy(shop.rosa);
    shop_claim(&shop);
    struct hs_coupon_row row = shop_coupon_row(shop.ben, &shop.coupon);
    {
        struct hs_step s;
        struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
        assert_ok(town_open(shop.ben, &s, &arena));
        assert_true(hs_coupon_row_get(s.kv, &shop.coupon, &arena, &row));
        for (unsigned i = 1; i < MANY; i++) {
            row.id.b[0] = (uint8_t)(row.id.b[0] + 1);
            row.id.b[1] = (uint8_t)i;
            hs_coupon_row_put(s.kv, &row);
        }
        assert_ok(town_close(shop.ben, &s, HS_OK));
    }
    count_from_now(&shop);
    cut_device = shop.ben;
    cut_after = 2; /* the second one is lost, and with it the session */
    shop.till->outgoing = shop.alice->outgoing = NULL;
    town_node_restore(shop.rosa, backup);
    town_wait(shop.t, 5000);
    assert_int_equal(shown_frames, 2);
    town_device_kill(shop.ben);
    town_device_start(shop.ben);
    shop.ben->outgoing = count_shown;
    hs_sync_stay_online(shop.ben->sync, true);
    town_wait(shop.t, 60000);
    /* 29 coupons and the definition fit */
    assert_true(shown_frames >= 5 && shown_frames <= 6);
    assert_true(shown_proofs > MANY && shown_proofs < MANY + 40);
    assert_int_equal(proofs_at(shop.rosa).taken, 1);
    assert_int_equal(shown_row(shop.ben, &shop.rosa->root.pub).shown, 2);
    town_free(shop.t);
}

/* DEAL-42: a node that was put back without knowing it is trusted with no coupon. */
static void test_a_node_that_was_rolled_back(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    shop_claim(&shop);
    struct hs_kv *first = town_node_copy(shop.rosa);
    town_node_restore(shop.rosa, first);
    town_wait(shop.t, 90000);
    assert_int_equal(shown_row(shop.till, &shop.rosa->root.pub).seen, 2);
    struct hs_kv *second = town_node_copy(shop.rosa);
    shop.rosa->incarnation = 0;
    town_node_restore(shop.rosa, second);
    town_node_resume(shop.rosa);
    town_wait(shop.t, 90000);
    assert_int_equal(order_err(&shop), HANSE_ERR_ROLLED_BACK);
    town_free(shop.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_redeemed_coupon_stays_redeemed),
        cmocka_unit_test(test_the_customers_receipt_counts),
        cmocka_unit_test(test_the_tills_reservation_counts),
        cmocka_unit_test(test_it_is_shown_once),
        cmocka_unit_test(test_many_are_shown_in_batches),
        cmocka_unit_test(test_a_node_that_was_rolled_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
