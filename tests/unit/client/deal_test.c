/* From an offer to a receipt: coupons issued and claimed, orders placed and answered, a file that anybody can
 * check. */
#include "shop.h"

#include "deal/export.h"

static void test_a_guest_sees_what_is_offered(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_offer_row offer;
    struct hs_campaign_row campaign;
    struct hs_kv *kv = town_look(shop.ben);
    assert_true(hs_offer_row_get(kv, &shop.offer, &arena, &offer));
    assert_true(hs_campaign_row_get(kv, &shop.campaign, &arena, &campaign));
    town_looked(shop.ben);
    assert_string_equal(offer.title, "Rose soap");
    assert_string_equal(offer.seller.handle, "rosa@rosa.example");
    assert_int_equal(offer.price, 1290);
    assert_string_equal(campaign.title, "10 % off");
    town_free(shop.t);
}

/* CLIENT-19 */
static void test_only_a_merchant_sells(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    struct hanse_offer_spec spec = {.sku = "x", .title = "Fake", .currency = "EUR", .price_minor = 1};
    struct hanse_campaign_spec campaign = {.percent_bp = 5000};
    uint64_t op;
    TOWN_WANT_ERR(shop.ben, hs_want_offer(&s, &shop.room, &spec, &op), HS_ERR_WRONG_SIGNER);
    TOWN_WANT_ERR(shop.ben, hs_want_campaign(&s, &shop.room, &campaign, &op), HS_ERR_WRONG_SIGNER);
    TOWN_WANT_ERR(shop.ben, hs_want_till(&s, true), HS_ERR_WRONG_SIGNER);
    town_free(shop.t);
}

/* A caller that names no sku, title or currency is told so. */
static void test_an_offer_lacks_something(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    const struct hanse_offer_spec whole = {.sku = "x", .title = "Soap", .currency = "EUR", .price_minor = 1};
    struct hanse_offer_spec no_sku = whole, no_title = whole, no_currency = whole;
    uint64_t op;
    no_sku.sku = no_title.title = no_currency.currency = NULL;
    TOWN_WANT_ERR(shop.alice, hs_want_offer(&s, &shop.room, &no_sku, &op), HS_ERR_INVALID_ARG);
    TOWN_WANT_ERR(shop.alice, hs_want_offer(&s, &shop.room, &no_title, &op), HS_ERR_INVALID_ARG);
    TOWN_WANT_ERR(shop.alice, hs_want_offer(&s, &shop.room, &no_currency, &op), HS_ERR_INVALID_ARG);
    TOWN_WANT(shop.alice, hs_want_offer(&s, &shop.room, &whole, &op));
    town_free(shop.t);
}

static void test_the_last_coupon_goes_once(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    struct town_device *cleo = town_guest(shop.t, "Cleo", town_link(shop.alice, &shop.room, 1));
    uint64_t op;
    shop_claim(&shop);
    TOWN_WANT(shop.ben, hs_want_claim(&s, &shop.campaign, &op));
    struct hs_id again = shop_done_id(shop.ben, op);
    assert_true(hs_id_equal(&again, &shop.coupon));
    /* Cleo came later and has not seen the campaign; it is posted to those who are there. */
    TOWN_WANT_ERR(cleo, hs_want_claim(&s, &shop.campaign, &op), HS_ERR_COUPON_UNKNOWN);
    town_free(shop.t);
}

/* CLIENT-21, CLIENT-23 */
static void test_an_order_with_a_coupon(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    shop_claim(&shop);
    uint64_t op;
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 2, &shop.coupon, &op));
    town_run(shop.t);
    struct hs_id id = shop_done_id(shop.ben, op);
    struct hs_order_row theirs = shop_order_row(shop.till, &id), ours = shop_order_row(shop.ben, &id);
    assert_int_equal(ours.state, HANSE_ORDER_ACCEPTED);
    assert_int_equal(theirs.state, HANSE_ORDER_ACCEPTED);
    assert_int_equal(ours.subtotal, 2580);
    assert_int_equal(ours.discount, 258);
    assert_int_equal(ours.total, 2322);
    assert_int_equal(ours.receipts, 1);
    assert_int_equal(shop_coupon_row(shop.ben, &shop.coupon).state, HANSE_COUPON_USED);
    /* the ledger refuses it the second time, whatever this device believes */
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    town_run(shop.t);
    assert_int_equal(town_done(shop.ben, op)->err, HANSE_ERR_COUPON_USED);
    struct hs_id second;
    memcpy(second.b, town_done(shop.ben, op)->id.b, sizeof second.b);
    assert_int_equal(shop_order_row(shop.till, &second).state, HANSE_ORDER_REJECTED);
    assert_int_equal(shop_order_row(shop.ben, &second).reason, HS_ERR_COUPON_USED);
    struct hs_coupon_row spent = shop_coupon_row(shop.ben, &shop.coupon);
    assert_int_equal(spent.state, HANSE_COUPON_USED);
    assert_true(hs_id_equal(&spent.order, &id));
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, NULL, &op));
    town_run(shop.t);
    id = shop_done_id(shop.ben, op);
    assert_int_equal(shop_order_row(shop.ben, &id).total, 1290);
    town_free(shop.t);
}

/* CLIENT-24 */
static void test_an_exported_order_stands_on_its_own(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    shop_claim(&shop);
    uint64_t op;
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 2, &shop.coupon, &op));
    town_run(shop.t);
    struct hs_id id = shop_done_id(shop.ben, op);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    struct hs_bytes file;
    struct hs_export_report report;
    TOWN_WANT(shop.ben, hs_sync_export(&s, &id, &arena, &file));
    assert_ok(hs_export_verify(file, &shop.rosa->root.pub, &arena, &report));
    assert_int_equal(report.total.minor, 2322);
    assert_string_equal(report.domain, "rosa.example");
    uint8_t *bytes = (uint8_t *)(uintptr_t)file.data;
    for (size_t i = 0; i < file.len; i += 97) {
        bytes[i] ^= 1;
        assert_int_not_equal(hs_export_verify(file, &shop.rosa->root.pub, &arena, &report), HS_OK);
        bytes[i] ^= 1;
    }
    town_free(shop.t);
}

static void test_a_till_that_was_away_answers_later(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    town_device_kill(shop.till);
    uint64_t op;
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, NULL, &op));
    town_wait(shop.t, 2000);
    assert_null(town_done(shop.ben, op));
    town_device_start(shop.till);
    hs_sync_stay_online(shop.till->sync, true);
    TOWN_WANT(shop.till, hs_want_till(&s, true));
    town_wait(shop.t, 2000);
    struct hs_id id = shop_done_id(shop.ben, op);
    assert_int_equal(shop_order_row(shop.ben, &id).state, HANSE_ORDER_ACCEPTED);
    town_free(shop.t);
}

static void test_an_expired_offer_is_not_sold(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    struct hanse_offer_spec spec = {.sku = "flash",
                                    .title = "Flash",
                                    .currency = "EUR",
                                    .price_minor = 100,
                                    .until_ms = town_now(shop.t).ms + 60000};
    uint64_t op;
    TOWN_WANT(shop.alice, hs_want_offer(&s, &shop.room, &spec, &op));
    town_run(shop.t);
    struct hs_id offer = shop_done_id(shop.alice, op);
    town_wait(shop.t, 61000);
    TOWN_WANT_ERR(shop.ben, hs_want_order(&s, &offer, 1, NULL, &op), HS_ERR_OFFER_EXPIRED);
    town_free(shop.t);
}

/* CLIENT-23: the customer leaves right after ordering: the till gives up, and the coupon is free again. */
static void test_a_coupon_that_is_not_shown_stays_unspent(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    shop_claim(&shop);
    uint64_t op;
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, NULL, &op)); /* opens the counter */
    town_run(shop.t);
    (void)shop_done_id(shop.ben, op);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    shop.ben->die_after = 1;
    town_run(shop.t);
    town_wait(shop.t, 130000);
    town_device_start(shop.ben);
    hs_sync_stay_online(shop.ben->sync, true);
    town_wait(shop.t, 2000);
    struct hs_coupon_row row = shop_coupon_row(shop.ben, &shop.coupon);
    assert_int_equal(row.state, HANSE_COUPON_HELD);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 1, &shop.coupon, &op));
    town_run(shop.t);
    (void)shop_done_id(shop.ben, op);
    town_free(shop.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_guest_sees_what_is_offered),
        cmocka_unit_test(test_only_a_merchant_sells),
        cmocka_unit_test(test_an_offer_lacks_something),
        cmocka_unit_test(test_the_last_coupon_goes_once),
        cmocka_unit_test(test_an_order_with_a_coupon),
        cmocka_unit_test(test_an_exported_order_stands_on_its_own),
        cmocka_unit_test(test_a_till_that_was_away_answers_later),
        cmocka_unit_test(test_an_expired_offer_is_not_sold),
        cmocka_unit_test(test_a_coupon_that_is_not_shown_stays_unspent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
