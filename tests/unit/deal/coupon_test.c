#include "deal/coupon.h"

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

static Hanse__SignedObject *raw_def(Hanse__CouponDef *msg, const struct actor *who)
{
    struct hs_author by = author(who, now);
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_COUPON_DEF, &msg->base, &by,
                             &(struct hs_hdr_spec){.not_after = at(HOUR)}, &c.arena, &obj));
    return obj;
}

static enum hs_err open_def(const Hanse__SignedObject *obj)
{
    struct hs_coupon_def def;
    return hs_coupon_def_open(&c.chain, obj, &c.arena, &def);
}

static enum hs_err fields(Hanse__CouponDef *msg)
{
    struct hs_author by = author(&c.merchant, now);
    Hanse__SignedObject *obj;
    enum hs_err built = hs_coupon_def_build(msg, &by, at(HOUR), &c.arena, &obj);
    enum hs_err opened = open_def(raw_def(msg, &c.merchant));
    assert_int_equal(built, opened);
    return opened;
}

/* DEAL-7 */
static void definition_is_a_merchants(void **state)
{
    (void)state;
    Hanse__CouponDef msg = def_draft(&c);
    assert_ok(open_def(raw_def(&msg, &c.merchant)));
    assert_err(open_def(raw_def(&msg, &c.till)), HS_ERR_WRONG_SIGNER);
    assert_err(open_def(raw_def(&msg, &c.kim)), HS_ERR_WRONG_SIGNER);
    const struct hs_coupon_def *def = &t.coupon.def;
    assert_err(hs_coupon_def_check_time(def, at(-HOUR - 1)), HS_ERR_COUPON_NOT_YET);
    assert_ok(hs_coupon_def_check_time(def, at(-HOUR)));
    assert_ok(hs_coupon_def_check_time(def, at(HOUR - 1)));
    assert_err(hs_coupon_def_check_time(def, at(HOUR)), HS_ERR_COUPON_EXPIRED);
}

/* DEAL-7: what a definition may say. */
static void definition_fields_are_checked(void **state)
{
    (void)state;
    const Hanse__CouponDef good = def_draft(&c);
    Hanse__CouponDef msg = good;
    assert_ok(fields(&msg));
    msg.percent_bp = 10000;
    assert_ok(fields(&msg));
    msg.percent_bp = 10001;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg.percent_bp = 0;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.amount = eur(&c, 1);
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg.kind = HANSE__COUPON_KIND__COUPON_FIXED_ORDER;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg.percent_bp = 0;
    assert_ok(fields(&msg));
    msg.amount->minor = 0;
    assert_err(fields(&msg), HS_ERR_AMOUNT);
    msg.amount->minor = 1;
    msg.amount->currency = (char *)(uintptr_t) "USD";
    assert_err(fields(&msg), HS_ERR_CURRENCY);
    msg = good;
    msg.min_subtotal = eur(&c, -1);
    assert_err(fields(&msg), HS_ERR_AMOUNT);
    msg.min_subtotal = eur(&c, 1);
    msg.min_subtotal->currency = (char *)(uintptr_t) "USD";
    assert_err(fields(&msg), HS_ERR_CURRENCY);
    msg = good;
    msg.kind = HANSE__COUPON_KIND__COUPON_NONE;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.binding = HANSE__COUPON_BINDING__BINDING_NONE;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.limit_per_customer = 2;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.room = hs_pb_data(hs_bytes("r", 1));
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    ProtobufCBinaryData scope[2] = {hs_pb_data(HS_VIEW(t.offers[0].id)), hs_pb_data(HS_VIEW(t.offers[1].id))};
    msg = good;
    msg.offers = scope;
    msg.n_offers = 2;
    assert_ok(fields(&msg));
    scope[1] = scope[0];
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    scope[1].len = 31;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
}

/* DEAL-8 */
static void claim_is_for_this_issuer(void **state)
{
    (void)state;
    struct hs_author kim = author(&c.kim, now);
    Hanse__SignedObject *obj;
    struct hs_coupon_claim claim;
    assert_ok(hs_coupon_claim_build(&kim, &c.root.pub, &t.coupon.def.id, at(MINUTE), &c.arena, &obj));
    assert_ok(hs_coupon_claim_open(&c.chain, obj, now, &c.arena, &claim));
    assert_true(hs_key_equal(&claim.signer.key, &c.kim.key.pub));
    assert_true(hs_id_equal(&claim.def_id, &t.coupon.def.id));
    assert_err(hs_coupon_claim_open(&c.chain, obj, at(MINUTE), &c.arena, &claim), HS_ERR_EXPIRED);
    assert_err(hs_coupon_claim_open(&c.chain, obj, at(-HOUR / 2), &c.arena, &claim), HS_ERR_NOT_YET);
    assert_ok(hs_coupon_claim_build(&kim, &c.node.pub, &t.coupon.def.id, at(MINUTE), &c.arena, &obj));
    assert_err(hs_coupon_claim_open(&c.chain, obj, now, &c.arena, &claim), HS_ERR_WRONG_PEER);
    kim.issuer = c.lee.key.pub;
    assert_ok(hs_coupon_claim_build(&kim, &c.root.pub, &t.coupon.def.id, at(MINUTE), &c.arena, &obj));
    assert_err(hs_coupon_claim_open(&c.chain, obj, now, &c.arena, &claim), HS_ERR_WRONG_SIGNER);
}

static enum hs_err open_coupon(const Hanse__SignedObject *obj)
{
    struct hs_coupon coupon;
    return hs_coupon_open(&c.chain, obj, &t.coupon.def, &c.arena, &coupon);
}

/* DEAL-9: a unit is of this definition, by the node, within the limit; all else is invalid. */
static void unit_is_the_nodes(void **state)
{
    (void)state;
    assert_ok(open_coupon(sign_coupon(&c, &t.coupon.def, 2, &c.lee)));
    assert_err(open_coupon(sign_coupon(&c, &t.coupon.def, 3, &c.lee)), HS_ERR_COUPON_INVALID);
    struct hs_id def_id;
    assert_ok(hs_coupon_claimed_def(t.coupon_object, &def_id));
    assert_true(hs_id_equal(&def_id, &t.coupon.def.id));
    assert_err(hs_coupon_claimed_def(t.def_object, &def_id), HS_ERR_UNEXPECTED);
    assert_err(hs_coupon_claimed_def(NULL, &def_id), HS_ERR_UNEXPECTED);

    struct hs_coupon_def other = t.coupon.def;
    other.id.b[0] ^= 1;
    assert_err(open_coupon(sign_coupon(&c, &other, 1, &c.kim)), HS_ERR_COUPON_INVALID);
    struct hs_author by = author(&c.merchant, now), node = node_author(&c, now);
    Hanse__SignedObject *obj;
    assert_ok(hs_coupon_build(&by, &t.coupon.def, 1, &c.kim.key.pub, &c.arena, &obj));
    assert_err(open_coupon(obj), HS_ERR_COUPON_INVALID);
    assert_err(hs_coupon_build(&node, &t.coupon.def, 0, &c.kim.key.pub, &c.arena, &obj), HS_ERR_INVALID_ARG);
    assert_ok(hs_object_copy(t.coupon_object, &c.arena, &obj));
    obj->payload.data[20] ^= 1;
    assert_err(open_coupon(obj), HS_ERR_COUPON_INVALID);

    Hanse__Coupon longer = HANSE__COUPON__INIT;
    longer.def_id = hs_pb_data(HS_VIEW(t.coupon.def.id));
    longer.unit_no = 1;
    longer.holder_key = hs_pb_data(HS_VIEW(c.kim.key.pub));
    assert_ok(hs_object_make(HS_KIND_COUPON, &longer.base, &node,
                             &(struct hs_hdr_spec){.not_after = at(2 * HOUR)}, &c.arena, &obj));
    assert_err(open_coupon(obj), HS_ERR_COUPON_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition_is_a_merchants),
        cmocka_unit_test(definition_fields_are_checked),
        cmocka_unit_test(claim_is_for_this_issuer),
        cmocka_unit_test(unit_is_the_nodes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
