#include "deal/order.h"

#include "unit/deal/cast.h"

static struct cast c;
static struct trip t;

static int setup(void **state)
{
    (void)state;
    cast_init(&c);
    trip_init(&c, &t);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&c.arena);
    return 0;
}

static Hanse__SignedObject *raw(Hanse__OrderRequest *msg, const struct actor *who, struct hs_time when)
{
    struct hs_author by = author(who, when);
    struct hs_hdr_spec spec = {.audience = HS_VIEW(c.root.pub)};
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_ORDER_REQUEST, &msg->base, &by, &spec, &c.arena, &obj));
    return obj;
}

static enum hs_err open_raw(Hanse__OrderRequest *msg)
{
    struct hs_order order;
    return hs_order_open(&c.chain, raw(msg, &c.kim, now), &c.arena, &order);
}

static enum hs_err check_raw(Hanse__OrderRequest *msg, const struct actor *who, struct hs_time when)
{
    struct hs_order order;
    assert_ok(hs_order_open(&c.chain, raw(msg, who, when), &c.arena, &order));
    return hs_order_check(&order, &t.refs, &c.arena);
}

/* DEAL-27 */
static void order_is_the_customers(void **state)
{
    (void)state;
    assert_true(hs_key_equal(&t.order.signer.key, &c.kim.key.pub));
    assert_ok(hs_order_check(&t.order, &t.refs, &c.arena));
    assert_string_equal(t.order.msg->note, "Ring twice");
    struct hs_id id = hs_object_id(t.order_object);
    assert_true(hs_id_equal(&id, &t.order.id));
    struct hs_amount discount;
    assert_ok(hs_order_discount(&t.order, &t.coupon.coupon.id, &discount));
    assert_int_equal(discount.minor, 357);
    assert_err(hs_order_discount(&t.order, &t.order.id, &discount), HS_ERR_ORDER_INVALID);
}

/* DEAL-27: the shape of a request. */
static void order_shape_is_checked(void **state)
{
    (void)state;
    Hanse__OrderRequest msg = *t.order.msg;
    assert_ok(open_raw(&msg));
    msg.n_lines = 0;
    assert_err(open_raw(&msg), HS_ERR_ORDER_INVALID);
    msg = *t.order.msg;
    msg.expected = NULL;
    assert_err(open_raw(&msg), HS_ERR_ORDER_INVALID);
    msg = *t.order.msg;
    ProtobufCBinaryData ids[HS_ORDER_DISCOUNTS_MAX + 1] = {msg.coupon_ids[0], msg.coupon_ids[0]};
    msg.coupon_ids = ids;
    msg.n_coupon_ids = 2;
    assert_err(open_raw(&msg), HS_ERR_ORDER_INVALID);
    ids[1].len = 31;
    assert_err(open_raw(&msg), HS_ERR_ORDER_INVALID);
    msg = *t.order.msg;
    Hanse__OrderLine line = *msg.lines[0], *lines[HS_ORDER_LINES_MAX + 1];
    for (size_t i = 0; i <= HS_ORDER_LINES_MAX; i++)
        lines[i] = &line;
    msg.lines = lines;
    msg.n_lines = HS_ORDER_LINES_MAX;
    assert_ok(open_raw(&msg));
    msg.n_lines = HS_ORDER_LINES_MAX + 1;
    assert_err(open_raw(&msg), HS_ERR_ORDER_INVALID);
    msg.n_lines = 1;
    line.offer_id.len = 0;
    assert_err(open_raw(&msg), HS_ERR_ORDER_INVALID);
    msg = *t.order.msg;
    char note[HS_TEXT_MAX + 2] = {0};
    memset(note, 'n', HS_TEXT_MAX);
    msg.note = note;
    assert_ok(open_raw(&msg));
    note[HS_TEXT_MAX] = 'n';
    assert_err(open_raw(&msg), HS_ERR_ORDER_INVALID);
}

static void order_is_for_this_shop(void **state)
{
    (void)state;
    struct hs_author kim = author(&c.kim, now);
    Hanse__OrderRequest msg = *t.order.msg;
    Hanse__SignedObject *obj;
    struct hs_order order;
    struct hs_hdr_spec spec = {.audience = HS_VIEW(c.node.pub)};
    assert_ok(hs_object_make(HS_KIND_ORDER_REQUEST, &msg.base, &kim, &spec, &c.arena, &obj));
    assert_err(hs_order_open(&c.chain, obj, &c.arena, &order), HS_ERR_ORDER_INVALID);
    assert_ok(hs_object_copy(t.order_object, &c.arena, &obj));
    obj->payload.data[obj->payload.len / 2] ^= 2;
    assert_err(hs_order_open(&c.chain, obj, &c.arena, &order), HS_ERR_BAD_SIGNATURE);
}

/* DEAL-28: offers that are there and live when the order is made. */
static void offers_must_be_live(void **state)
{
    (void)state;
    Hanse__OrderRequest msg = *t.order.msg;
    assert_ok(check_raw(&msg, &c.kim, at(HOUR - 1)));
    assert_err(check_raw(&msg, &c.kim, at(HOUR)), HS_ERR_OFFER_EXPIRED);
    struct hs_order_refs none = t.refs;
    none.offer_count = 1;
    assert_err(hs_order_check(&t.order, &none, &c.arena), HS_ERR_OFFER_UNKNOWN);
    assert_err(hs_order_check_now(&t.order, &none, now), HS_ERR_OFFER_UNKNOWN);
    /* made in time, arriving later: ten minutes and no more */
    assert_ok(hs_order_check_now(&t.order, &t.refs, at(HOUR + HS_ORDER_GRACE_MS - 1)));
    assert_err(hs_order_check_now(&t.order, &t.refs, at(HOUR + HS_ORDER_GRACE_MS)), HS_ERR_OFFER_EXPIRED);
    assert_err(hs_order_check_now(&t.order, &t.refs, at(-HS_CLOCK_SKEW_MS - 1)), HS_ERR_NOT_YET);
}

/* DEAL-29: coupons that are there, of this customer, in their window. */
static void coupons_must_be_the_customers(void **state)
{
    (void)state;
    Hanse__OrderRequest msg = *t.order.msg;
    assert_err(check_raw(&msg, &c.lee, now), HS_ERR_COUPON_WRONG_HOLDER);
    struct hs_order_refs none = t.refs;
    none.coupon_count = 0;
    assert_err(hs_order_check(&t.order, &none, &c.arena), HS_ERR_COUPON_UNKNOWN);
    /* a definition that ends, or begins, where the offers don't */
    struct hs_order_coupon coupon = t.coupon;
    Hanse__CouponDef def = *coupon.def.msg;
    Hanse__Hdr hdr = *def.hdr;
    def.hdr = &hdr;
    coupon.def.msg = &def;
    none.coupons = &coupon;
    none.coupon_count = 1;
    hdr.not_after_ms = now.ms;
    assert_err(hs_order_check(&t.order, &none, &c.arena), HS_ERR_COUPON_EXPIRED);
    hdr.not_after_ms = now.ms + 1;
    assert_ok(hs_order_check(&t.order, &none, &c.arena));
    def.not_before_ms = now.ms + 1;
    assert_err(hs_order_check(&t.order, &none, &c.arena), HS_ERR_COUPON_NOT_YET);
}

/* DEAL-30: the totals are those of the one pricing function, in every field. */
static void totals_must_match(void **state)
{
    (void)state;
    Hanse__OrderRequest msg = *t.order.msg;
    Hanse__Amount *fields[] = {msg.expected->total,
                               msg.expected->due,
                               msg.expected->subtotal,
                               msg.expected->discount,
                               msg.expected->lines[1]->tax,
                               msg.expected->taxes[0]->taxable,
                               msg.expected->discounts[0]->amount};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        fields[i]->minor--;
        assert_err(check_raw(&msg, &c.kim, now), HS_ERR_ORDER_TOTAL);
        fields[i]->minor++;
    }
    assert_ok(check_raw(&msg, &c.kim, now));
    msg.n_coupon_ids = 0;
    assert_err(check_raw(&msg, &c.kim, now), HS_ERR_ORDER_TOTAL);
    msg = *t.order.msg;
    msg.lines[0]->quantity++;
    assert_err(check_raw(&msg, &c.kim, now), HS_ERR_ORDER_TOTAL);
    msg.lines[0]->quantity = 0;
    assert_err(check_raw(&msg, &c.kim, now), HS_ERR_ORDER_INVALID);
    msg.lines[0]->quantity = 2;
    assert_ok(check_raw(&msg, &c.kim, now));
}

static void building_prices_the_order(void **state)
{
    (void)state;
    struct hs_order_draft_line line = {&t.offers[0], 1};
    struct hs_order_draft draft = {.lines = &line, .line_count = 1, .coupons = &t.coupon, .coupon_count = 1};
    struct hs_author kim = author(&c.kim, now);
    Hanse__SignedObject *obj;
    Hanse__Totals *totals;
    /* 12.90 is less than the coupon's 20.00 */
    assert_err(hs_order_build(&kim, &c.root.pub, &draft, &c.arena, &obj), HS_ERR_COUPON_MIN_NOT_MET);
    assert_null(obj);
    draft.coupon_count = 0;
    assert_ok(hs_order_draft_price(&draft, &c.arena, &totals));
    assert_int_equal(totals->total->minor, 1290);
    struct hs_order_coupon two[2] = {t.coupon, t.coupon};
    line.quantity = 2;
    draft.coupons = two;
    draft.coupon_count = 2;
    assert_err(hs_order_build(&kim, &c.root.pub, &draft, &c.arena, &obj), HS_ERR_COUPON_NOT_COMBINABLE);
    draft.coupon_count = HS_ORDER_DISCOUNTS_MAX + 1;
    assert_err(hs_order_build(&kim, &c.root.pub, &draft, &c.arena, &obj), HS_ERR_ORDER_INVALID);
    draft.coupon_count = 0;
    draft.line_count = 0;
    assert_err(hs_order_build(&kim, &c.root.pub, &draft, &c.arena, &obj), HS_ERR_ORDER_INVALID);
    draft.line_count = HS_ORDER_LINES_MAX + 1;
    assert_err(hs_order_build(&kim, &c.root.pub, &draft, &c.arena, &obj), HS_ERR_ORDER_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_the_customers),        cmocka_unit_test(order_shape_is_checked),
        cmocka_unit_test(order_is_for_this_shop),        cmocka_unit_test(offers_must_be_live),
        cmocka_unit_test(coupons_must_be_the_customers), cmocka_unit_test(totals_must_match),
        cmocka_unit_test(building_prices_the_order),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
