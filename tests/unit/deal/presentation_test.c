#include "deal/presentation.h"

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

static struct hs_presentation_expect expected(void)
{
    return (struct hs_presentation_expect){
        .coupon = &t.coupon.coupon, .redeemer = &c.till.key.pub, .order_id = &t.order.id};
}

static enum hs_err open_shown(const Hanse__SignedObject *obj, const struct hs_presentation_expect *expect,
                              struct hs_time when)
{
    struct hs_presentation p;
    return hs_presentation_open(&c.chain, obj, expect, when, &c.arena, &p);
}

/* DEAL-16: asked by a till, of this holder, for a minute. */
static void request_is_a_tills(void **state)
{
    (void)state;
    struct hs_author till = author(&c.till, now), merchant = author(&c.merchant, now);
    const struct hs_key *kim = &c.kim.key.pub;
    Hanse__SignedObject *obj;
    struct hs_presentation_request r;
    assert_ok(hs_presentation_request_build(&till, kim, &t.coupon.coupon.id, &t.order.id, &c.arena, &obj));
    assert_ok(hs_presentation_request_open(&c.chain, obj, kim, at(MINUTE - 1), &c.arena, &r));
    assert_true(hs_key_equal(&r.signer.key, &c.till.key.pub));
    assert_err(hs_presentation_request_open(&c.chain, obj, kim, at(MINUTE), &c.arena, &r), HS_ERR_EXPIRED);
    assert_err(hs_presentation_request_open(&c.chain, obj, &c.lee.key.pub, now, &c.arena, &r),
               HS_ERR_WRONG_PEER);
    assert_ok(
        hs_presentation_request_build(&merchant, kim, &t.coupon.coupon.id, &t.order.id, &c.arena, &obj));
    assert_err(hs_presentation_request_open(&c.chain, obj, kim, now, &c.arena, &r), HS_ERR_WRONG_SIGNER);
}

/* DEAL-17 */
static void presentation_is_the_holders(void **state)
{
    (void)state;
    struct hs_presentation_expect expect = expected();
    assert_ok(open_shown(present(&c, &t, &c.kim, now), &expect, now));
    assert_err(open_shown(present(&c, &t, &c.lee, now), &expect, now), HS_ERR_COUPON_WRONG_HOLDER);
}

/* DEAL-17: for one till, one order, one coupon, one nonce. */
static void presentation_is_for_one_use(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = present(&c, &t, &c.kim, now);
    struct hs_presentation_expect expect = expected();
    expect.redeemer = &c.merchant.key.pub;
    assert_err(open_shown(obj, &expect, now), HS_ERR_COUPON_WRONG_REDEEMER);
    expect = expected();
    struct hs_id other = t.order.id;
    other.b[31] ^= 1;
    expect.order_id = &other;
    assert_err(open_shown(obj, &expect, now), HS_ERR_COUPON_INVALID);
    expect = expected();
    struct hs_coupon coupon = t.coupon.coupon;
    coupon.id.b[0] ^= 1;
    expect.coupon = &coupon;
    assert_err(open_shown(obj, &expect, now), HS_ERR_COUPON_INVALID);
    expect = expected();
    expect.nonce = hs_bytes("another request's", 16);
    assert_err(open_shown(obj, &expect, now), HS_ERR_COUPON_INVALID);
    Hanse__SignedObject *altered;
    assert_ok(hs_object_copy(obj, &c.arena, &altered));
    altered->payload.data[100] ^= 1;
    expect = expected();
    assert_err(open_shown(altered, &expect, now), HS_ERR_BAD_SIGNATURE);
}

/* DEAL-17: the till knows its own nonce. */
static void presentation_shows_the_nonce(void **state)
{
    (void)state;
    struct hs_author till = author(&c.till, now), kim = author(&c.kim, now);
    Hanse__SignedObject *asked, *shown;
    struct hs_presentation_request request;
    assert_ok(hs_presentation_request_build(&till, &c.kim.key.pub, &t.coupon.coupon.id, &t.order.id, &c.arena,
                                            &asked));
    assert_ok(hs_presentation_request_open(&c.chain, asked, &c.kim.key.pub, now, &c.arena, &request));
    assert_ok(hs_presentation_build(&kim, &request, &c.arena, &shown));
    struct hs_presentation_expect expect = expected();
    expect.nonce = hs_pb_bytes(request.msg->hdr->nonce);
    assert_ok(open_shown(shown, &expect, now));
}

static Hanse__SignedObject *lasting(int64_t ms)
{
    Hanse__Presentation msg = HANSE__PRESENTATION__INIT;
    msg.coupon_id = hs_pb_data(HS_VIEW(t.coupon.coupon.id));
    msg.redeemer_key = hs_pb_data(HS_VIEW(c.till.key.pub));
    msg.redeemer_nonce = hs_pb_data(hs_bytes("0123456789abcdef", 16));
    msg.order_id = hs_pb_data(HS_VIEW(t.order.id));
    struct hs_author kim = author(&c.kim, now);
    Hanse__SignedObject *obj;
    struct hs_hdr_spec spec = {.not_after = ms == 0 ? (struct hs_time){0} : at(ms)};
    assert_ok(hs_object_make(HS_KIND_PRESENTATION, &msg.base, &kim, &spec, &c.arena, &obj));
    return obj;
}

/* DEAL-17: a minute, not a millisecond more; not for ever either. */
static void presentation_lasts_a_minute(void **state)
{
    (void)state;
    struct hs_presentation_expect expect = expected();
    Hanse__SignedObject *obj = lasting(HS_PRESENTATION_MS);
    assert_ok(open_shown(obj, &expect, at(HS_PRESENTATION_MS - 1)));
    assert_err(open_shown(obj, &expect, at(HS_PRESENTATION_MS)), HS_ERR_EXPIRED);
    assert_err(open_shown(obj, &expect, at(-HS_CLOCK_SKEW_MS - 1)), HS_ERR_NOT_YET);
    assert_err(open_shown(lasting(HS_PRESENTATION_MS + 1), &expect, now), HS_ERR_COUPON_INVALID);
    assert_err(open_shown(lasting(0), &expect, now), HS_ERR_COUPON_INVALID);
    assert_err(open_shown(lasting(-1), &expect, now), HS_ERR_COUPON_INVALID);
}

/* DEAL-17: shown in a QR code. */
static void presentation_fits_a_code(void **state)
{
    (void)state;
    struct hs_bytes bytes;
    assert_ok(hs_object_pack(present(&c, &t, &c.kim, now), &c.arena, &bytes));
    assert_true(bytes.len <= HS_QR_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_a_tills),          cmocka_unit_test(presentation_is_the_holders),
        cmocka_unit_test(presentation_is_for_one_use), cmocka_unit_test(presentation_shows_the_nonce),
        cmocka_unit_test(presentation_lasts_a_minute), cmocka_unit_test(presentation_fits_a_code),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
