#include "deal/redemption.h"

#include "crypto/hash.h"
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

/* DEAL-18 */
static void rid_hashes_unit_root_order(void **state)
{
    (void)state;
    uint8_t in[96];
    memcpy(in, t.coupon.coupon.id.b, 32);
    memcpy(in + 32, c.root.pub.b, 32);
    memcpy(in + 64, t.order.id.b, 32);
    struct hs_id want = hs_hash_labelled("hanse-rid-v1", hs_bytes(in, sizeof in));
    struct hs_id rid = hs_rid(&t.coupon.coupon.id, &c.root.pub, &t.order.id);
    assert_true(hs_id_equal(&rid, &want));
}

static enum hs_err open_request(const Hanse__SignedObject *obj, struct hs_time when)
{
    struct hs_reserve_request r;
    return hs_reserve_request_open(&c.chain, obj, &t.coupon.def, when, &c.arena, &r);
}

/* DEAL-19 */
static void reserve_request_carries_its_proof(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = ask_reserve(&c, &t, present(&c, &t, &c.kim, now), 357, now);
    struct hs_reserve_request r;
    assert_ok(hs_reserve_request_open(&c.chain, obj, &t.coupon.def, now, &c.arena, &r));
    assert_int_equal(r.max_discount.minor, 357);
    assert_true(hs_key_equal(&r.presentation.signer.key, &c.kim.key.pub));
    struct hs_id def_id;
    assert_ok(hs_reserve_request_claimed_def(obj, &def_id));
    assert_true(hs_id_equal(&def_id, &t.coupon.def.id));
    /* old presentation, another holder's, none of this till's */
    assert_err(open_request(obj, at(MINUTE)), HS_ERR_EXPIRED);
    assert_err(open_request(ask_reserve(&c, &t, present(&c, &t, &c.lee, now), 357, now), now),
               HS_ERR_COUPON_WRONG_HOLDER);
    assert_err(open_request(ask_reserve(&c, &t, present(&c, &t, &c.kim, now), 0, now), now), HS_ERR_AMOUNT);
}

static Hanse__SignedObject *request_by(const struct actor *who, const struct hs_key *root,
                                       const struct hs_id *order)
{
    struct hs_author by = author(who, now);
    struct hs_reserve_draft draft = {.coupon = t.coupon_object,
                                     .presentation = present(&c, &t, &c.kim, now),
                                     .coupon_id = &t.coupon.coupon.id,
                                     .order_id = order,
                                     .root = root,
                                     .max_discount = euros(100),
                                     .min_met = true};
    Hanse__SignedObject *obj;
    assert_ok(hs_reserve_request_build(&by, &draft, &c.arena, &obj));
    return obj;
}

/* DEAL-19: another shop, another key's presentation, another order. */
static void reserve_request_is_this_shops(void **state)
{
    (void)state;
    assert_ok(open_request(request_by(&c.till, &c.root.pub, &t.order.id), now));
    assert_err(open_request(request_by(&c.till, &c.node.pub, &t.order.id), now), HS_ERR_WRONG_PEER);
    assert_err(open_request(request_by(&c.kim, &c.root.pub, &t.order.id), now), HS_ERR_WRONG_SIGNER);
    assert_err(open_request(request_by(&c.merchant, &c.root.pub, &t.order.id), now), HS_ERR_WRONG_SIGNER);
    struct hs_id other = t.order.id;
    other.b[0] ^= 1;
    assert_err(open_request(request_by(&c.till, &c.root.pub, &other), now), HS_ERR_COUPON_INVALID);

    /* a second till, rightly granted, with the presentation that was made for the first */
    struct actor second;
    cast_actor(&c, 44, &second);
    Hanse__SignedObject *objects[CHAIN_COUNT + 2];
    memcpy(objects, c.objects, sizeof c.objects);
    objects[CHAIN_COUNT] = second.certificate;
    objects[CHAIN_COUNT + 1] = cast_grant(&c, &second, HANSE__ROLE__ROLE_TILL);
    struct hs_chain chain;
    assert_ok(hs_chain_open(objects, CHAIN_COUNT + 2, &c.root.pub, &c.arena, &chain));
    struct hs_reserve_request r;
    assert_err(hs_reserve_request_open(&chain, request_by(&second, &c.root.pub, &t.order.id), &t.coupon.def,
                                       now, &c.arena, &r),
               HS_ERR_COUPON_WRONG_REDEEMER);
}

static enum hs_err open_raw(const Hanse__ReserveRequest *msg)
{
    Hanse__ReserveRequest copy = *msg;
    struct hs_author till = author(&c.till, now);
    struct hs_hdr_spec spec = {.audience = HS_VIEW(c.root.pub)};
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_RESERVE_REQUEST, &copy.base, &till, &spec, &c.arena, &obj));
    return open_request(obj, now);
}

/* DEAL-19: each field, as a hostile till might fill it. */
static void reserve_request_fields_are_checked(void **state)
{
    (void)state;
    struct hs_reserve_request r;
    assert_ok(hs_reserve_request_open(&c.chain, request_by(&c.till, &c.root.pub, &t.order.id), &t.coupon.def,
                                      now, &c.arena, &r));
    Hanse__ReserveRequest msg = *r.msg;
    assert_ok(open_raw(&msg));
    msg.rid = hs_pb_data(HS_VIEW(t.order.id));
    assert_err(open_raw(&msg), HS_ERR_COUPON_INVALID);
    msg.rid.len = 31;
    assert_err(open_raw(&msg), HS_ERR_COUPON_INVALID);
    msg = *r.msg;
    msg.mode = HANSE__RESERVE_MODE__RESERVE_NONE;
    assert_err(open_raw(&msg), HS_ERR_COUPON_INVALID);
    msg = *r.msg;
    msg.coupon = NULL;
    assert_err(open_raw(&msg), HS_ERR_COUPON_INVALID);
    msg = *r.msg;
    msg.presentation = NULL;
    assert_err(open_raw(&msg), HS_ERR_COUPON_INVALID);
    msg = *r.msg;
    msg.max_discount = NULL;
    assert_err(open_raw(&msg), HS_ERR_AMOUNT);
    struct hs_id def_id;
    assert_err(hs_reserve_request_claimed_def(t.coupon_object, &def_id), HS_ERR_UNEXPECTED);
}

static struct hs_reservation reserved(int64_t minor)
{
    Hanse__SignedObject *obj = ask_reserve(&c, &t, present(&c, &t, &c.kim, now), minor, now), *reply;
    struct hs_reserve_request request;
    assert_ok(hs_reserve_request_open(&c.chain, obj, &t.coupon.def, now, &c.arena, &request));
    struct hs_author node = node_author(&c, now);
    assert_ok(hs_reservation_build(&node, &request, at(HS_DECIDE_MS), at(HS_DECIDE_MS + HS_SETTLE_MS), 7,
                                   &c.arena, &reply));
    struct hs_reservation r;
    struct hs_id other = request.id;
    other.b[0] ^= 1;
    assert_err(hs_reservation_open(&c.chain, reply, &other, &request.rid, &c.arena, &r),
               HS_ERR_COUPON_INVALID);
    assert_err(hs_reservation_open(&c.chain, reply, &request.id, &other, &c.arena, &r),
               HS_ERR_COUPON_INVALID);
    assert_ok(hs_reservation_open(&c.chain, reply, &request.id, &request.rid, &c.arena, &r));
    assert_int_equal(r.incarnation, 7);
    struct hs_author till = author(&c.till, now);
    Hanse__SignedObject *forged;
    assert_ok(hs_reservation_build(&till, &request, at(1), at(2), 7, &c.arena, &forged));
    assert_err(hs_reservation_open(&c.chain, forged, &request.id, &request.rid, &c.arena, &r),
               HS_ERR_BAD_CHAIN);
    assert_ok(hs_reservation_open(&c.chain, reply, &request.id, &request.rid, &c.arena, &r));
    return r;
}

/* DEAL-20: the till decides before decide_by less the skew. */
static void till_decides_in_time(void **state)
{
    (void)state;
    struct hs_reservation r = reserved(357);
    const int64_t last = HS_DECIDE_MS - HS_CLOCK_SKEW_MS - 1;
    assert_ok(hs_reservation_check_decide(&r, at(last)));
    assert_err(hs_reservation_check_decide(&r, at(last + 1)), HS_ERR_COUPON_LATE);
    struct hs_author till = author(&c.till, at(last));
    struct hs_amount discount = euros(357), more = euros(358), usd = {.currency = "USD", .minor = 1};
    struct hs_amount nothing = euros(0);
    Hanse__SignedObject *obj;
    assert_ok(hs_commit_build(&till, &r, &t.order.id, &discount, &c.arena, &obj));
    struct hs_commit commit;
    assert_ok(hs_commit_open(&c.chain, obj, at(last), &c.arena, &commit));
    assert_int_equal(commit.discount.minor, 357);
    assert_err(hs_commit_build(&till, &r, &t.order.id, &more, &c.arena, &obj), HS_ERR_COUPON_AMOUNT);
    assert_err(hs_commit_build(&till, &r, &t.order.id, &nothing, &c.arena, &obj), HS_ERR_COUPON_AMOUNT);
    assert_err(hs_commit_build(&till, &r, &t.order.id, &usd, &c.arena, &obj), HS_ERR_CURRENCY);
    till.now = at(last + 1);
    assert_err(hs_commit_build(&till, &r, &t.order.id, &discount, &c.arena, &obj), HS_ERR_COUPON_LATE);
}

/* DEAL-20: commits and releases are a till's. */
static void settling_is_a_tills(void **state)
{
    (void)state;
    struct hs_reservation r = reserved(357);
    struct hs_author kim = author(&c.kim, now), till = author(&c.till, now);
    struct hs_amount discount = euros(1);
    Hanse__SignedObject *obj;
    struct hs_commit commit;
    struct hs_release release;
    assert_ok(hs_commit_build(&kim, &r, &t.order.id, &discount, &c.arena, &obj));
    assert_err(hs_commit_open(&c.chain, obj, now, &c.arena, &commit), HS_ERR_WRONG_SIGNER);
    assert_ok(hs_release_build(&kim, &r, &c.arena, &obj));
    assert_err(hs_release_open(&c.chain, obj, now, &c.arena, &release), HS_ERR_WRONG_SIGNER);
    assert_ok(hs_release_build(&till, &r, &c.arena, &obj));
    assert_ok(hs_release_open(&c.chain, obj, now, &c.arena, &release));
    assert_true(hs_id_equal(&release.reservation_id, &r.id));
}

/* DEAL-21: a receipt is for one unit, one order, one amount. */
static void receipt_is_exact(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = redeem(&c, &t, now);
    struct hs_redemption r;
    assert_ok(hs_redemption_open(&c.chain, obj, &c.arena, &r));
    struct hs_amount discount, less;
    assert_ok(hs_order_discount(&t.order, &t.coupon.coupon.id, &discount));
    less = euros(discount.minor - 1);
    struct hs_id other = t.order.id;
    other.b[5] ^= 1;
    const struct hs_id *unit = &t.coupon.coupon.id;
    assert_ok(hs_redemption_check(&r, unit, &c.root.pub, &t.order.id, &discount));
    assert_err(hs_redemption_check(&r, unit, &c.root.pub, &other, &discount), HS_ERR_COUPON_INVALID);
    assert_err(hs_redemption_check(&r, &other, &c.root.pub, &t.order.id, &discount), HS_ERR_COUPON_INVALID);
    assert_err(hs_redemption_check(&r, unit, &c.node.pub, &t.order.id, &discount), HS_ERR_COUPON_INVALID);
    assert_err(hs_redemption_check(&r, unit, &c.root.pub, &t.order.id, &less), HS_ERR_COUPON_AMOUNT);
    obj->payload.data[70] ^= 1;
    assert_err(hs_redemption_open(&c.chain, obj, &c.arena, &r), HS_ERR_BAD_SIGNATURE);
}

/* DEAL-22 */
static void refusals_name_their_request(void **state)
{
    (void)state;
    struct hs_author node = node_author(&c, now);
    struct hs_id request = {{1}}, rid = {{2}}, other = {{3}};
    Hanse__SignedObject *obj;
    enum hs_err reason;
    uint32_t retry;
    assert_ok(hs_refusal_build(&node, &request, &rid, HS_ERR_COUPON_HELD, 900, &c.arena, &obj));
    assert_ok(hs_refusal_open(&c.chain, obj, &request, &c.arena, &reason, &retry));
    assert_int_equal(reason, HS_ERR_COUPON_HELD);
    assert_int_equal(retry, 900);
    assert_err(hs_refusal_open(&c.chain, obj, &other, &c.arena, &reason, &retry), HS_ERR_COUPON_INVALID);
    assert_err(hs_refusal_build(&node, &request, &rid, HS_OK, 0, &c.arena, &obj), HS_ERR_INVALID_ARG);
    assert_ok(hs_released_build(&node, &rid, &c.arena, &obj));
    assert_ok(hs_released_open(&c.chain, obj, &rid, &c.arena));
    assert_err(hs_released_open(&c.chain, obj, &other, &c.arena), HS_ERR_COUPON_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rid_hashes_unit_root_order),
        cmocka_unit_test(reserve_request_carries_its_proof),
        cmocka_unit_test(reserve_request_is_this_shops),
        cmocka_unit_test(reserve_request_fields_are_checked),
        cmocka_unit_test(till_decides_in_time),
        cmocka_unit_test(settling_is_a_tills),
        cmocka_unit_test(receipt_is_exact),
        cmocka_unit_test(refusals_name_their_request),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
