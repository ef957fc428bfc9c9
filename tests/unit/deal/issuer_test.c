#include "deal/issuer.h"

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

/* Opens the reply as the till does: HS_OK for a grant, else the reason of the refusal. */
static enum hs_err reason(const struct hs_issuer_answer *a)
{
    enum hs_err told;
    uint32_t retry;
    if (a->refused == HS_OK)
        return HS_OK;
    assert_ok(hs_refusal_open(&c.chain, a->reply, &a->request_id, &c.arena, &told, &retry));
    assert_int_equal(told, a->refused);
    return told;
}

static enum hs_err reserve(struct hs_unit *unit, Hanse__SignedObject *request, struct hs_time when,
                           struct hs_issuer_answer *out)
{
    struct hs_issuer by = issuer(&c, when);
    enum hs_err err = hs_issuer_reserve(&by, &c.chain, &t.coupon.def, unit, request, &c.arena, out);
    if (err == HS_OK && out->refused == HS_OK && out->answer == HS_LEDGER_NEW)
        *unit = out->next;
    return err;
}

static enum hs_err settle(struct hs_unit *unit, Hanse__SignedObject *request, bool commit,
                          struct hs_time when, struct hs_issuer_answer *out)
{
    struct hs_issuer by = issuer(&c, when);
    enum hs_err err = commit
                          ? hs_issuer_commit(&by, &c.chain, &t.coupon.coupon.id, unit, request, &c.arena, out)
                          : hs_issuer_release(&by, &c.chain, unit, request, &c.arena, out);
    if (err == HS_OK && out->refused == HS_OK && out->answer == HS_LEDGER_NEW)
        *unit = out->next;
    return err;
}

/* DEAL-15, DEAL-22, DEAL-25: reserve, commit, and every repetition. */
static void a_unit_is_redeemed_once(void **state)
{
    (void)state;
    struct hs_unit unit = {0};
    struct hs_issuer_answer a, first;
    Hanse__SignedObject *request = ask_reserve(&c, &t, present(&c, &t, &c.kim, now), 357, now), *commit,
                        *release;
    assert_ok(reserve(&unit, request, now, &first));
    assert_int_equal(reason(&first), HS_OK);
    struct hs_id reply_id = hs_object_id(first.reply);
    assert_true(hs_id_equal(&unit.reservation_id, &reply_id));
    assert_ok(reserve(&unit, request, at(1000), &a));
    assert_int_equal(a.answer, HS_LEDGER_REPLAY);
    assert_null(a.reply);
    /* the same order asked anew */
    assert_ok(reserve(&unit, ask_reserve(&c, &t, present(&c, &t, &c.kim, at(1)), 357, at(1)), at(1), &a));
    assert_int_equal(reason(&a), HS_ERR_CONFLICT);

    struct hs_reservation r;
    assert_ok(hs_reservation_open(&c.chain, first.reply, &first.request_id, &first.rid, &c.arena, &r));
    struct hs_author till = author(&c.till, at(2000));
    struct hs_amount discount = euros(357);
    assert_ok(hs_commit_build(&till, &r, &t.order.id, &discount, &c.arena, &commit));
    assert_ok(settle(&unit, commit, true, at(2000), &a));
    assert_int_equal(reason(&a), HS_OK);
    struct hs_redemption receipt;
    assert_ok(hs_redemption_open(&c.chain, a.reply, &c.arena, &receipt));
    assert_ok(hs_redemption_check(&receipt, &t.coupon.coupon.id, &c.root.pub, &t.order.id, &discount));
    assert_ok(settle(&unit, commit, true, at(9 * HOUR), &a));
    assert_int_equal(a.answer, HS_LEDGER_REPLAY);
    assert_ok(hs_release_build(&till, &r, &c.arena, &release));
    assert_ok(settle(&unit, release, false, at(3000), &a));
    assert_int_equal(reason(&a), HS_ERR_COUPON_USED);
}

/* DEAL-23: another order while it is held, and when it is used. */
static void a_held_unit_waits(void **state)
{
    (void)state;
    struct hs_unit unit = {0};
    struct hs_issuer_answer a;
    assert_ok(reserve(&unit, ask_reserve(&c, &t, present(&c, &t, &c.kim, now), 357, now), now, &a));
    struct trip other = t;
    other.order_object = sign_order(&c, &t, &c.kim, at(1));
    assert_ok(hs_order_open(&c.chain, other.order_object, &c.arena, &other.order));
    assert_ok(
        reserve(&unit, ask_reserve(&c, &other, present(&c, &other, &c.kim, at(1)), 357, at(1)), at(1), &a));
    assert_int_equal(reason(&a), HS_ERR_COUPON_HELD);
    unit.state = HS_UNIT_REDEEMED;
    assert_ok(
        reserve(&unit, ask_reserve(&c, &other, present(&c, &other, &c.kim, at(2)), 357, at(2)), at(2), &a));
    assert_int_equal(reason(&a), HS_ERR_COUPON_USED);
}

/* DEAL-24: released, or left alone, the unit is free for another order; the first one is late. */
static void an_undecided_unit_comes_back(void **state)
{
    (void)state;
    for (int released = 0; released < 2; released++) {
        struct hs_unit unit = {0};
        struct hs_issuer_answer a, first;
        Hanse__SignedObject *request = ask_reserve(&c, &t, present(&c, &t, &c.kim, now), 357, now), *obj;
        assert_ok(reserve(&unit, request, now, &first));
        struct hs_reservation r;
        assert_ok(hs_reservation_open(&c.chain, first.reply, &first.request_id, &first.rid, &c.arena, &r));
        struct hs_author till = author(&c.till, at(1000));
        struct hs_amount discount = euros(300);
        struct hs_time later = at(released ? 2000 : HS_DECIDE_MS + HS_SETTLE_MS);
        if (released) {
            assert_ok(hs_release_build(&till, &r, &c.arena, &obj));
            assert_ok(settle(&unit, obj, false, at(1000), &a));
            assert_ok(hs_released_open(&c.chain, a.reply, &r.rid, &c.arena));
            assert_ok(settle(&unit, obj, false, at(1500), &a));
            assert_int_equal(a.answer, HS_LEDGER_REPLAY);
        }
        assert_ok(hs_commit_build(&till, &r, &t.order.id, &discount, &c.arena, &obj));
        assert_ok(settle(&unit, obj, true, later, &a));
        assert_int_equal(reason(&a), HS_ERR_COUPON_LATE);
        struct trip other = t;
        other.order_object = sign_order(&c, &t, &c.kim, later);
        assert_ok(hs_order_open(&c.chain, other.order_object, &c.arena, &other.order));
        request = ask_reserve(&c, &other, present(&c, &other, &c.kim, later), 357, later);
        assert_ok(reserve(&unit, request, later, &a));
        assert_int_equal(reason(&a), HS_OK);
    }
}

/* DEAL-22: what doesn't open has no rid to refuse: an error, and nothing changes. */
static void unproved_requests_are_errors(void **state)
{
    (void)state;
    struct hs_unit unit = {0};
    struct hs_issuer_answer a;
    Hanse__SignedObject *request = ask_reserve(&c, &t, present(&c, &t, &c.lee, now), 357, now);
    assert_err(reserve(&unit, request, now, &a), HS_ERR_COUPON_WRONG_HOLDER);
    assert_null(a.reply);
    request = ask_reserve(&c, &t, present(&c, &t, &c.kim, now), 357, now);
    request->payload.data[60] ^= 1;
    assert_err(reserve(&unit, request, now, &a), HS_ERR_BAD_SIGNATURE);
    assert_int_equal(unit.state, HS_UNIT_AVAILABLE);
    struct hs_issuer by = issuer(&c, now);
    request = ask_reserve(&c, &t, present(&c, &t, &c.kim, now), 357, now);
    assert_ok(hs_issuer_reserve(&by, &c.chain, &t.coupon.def, NULL, request, &c.arena, &a));
    assert_int_equal(reason(&a), HS_ERR_COUPON_UNKNOWN);
    /* a commit whose order isn't that of its rid */
    struct hs_reservation r;
    struct hs_issuer_answer first;
    assert_ok(reserve(&unit, request, now, &first));
    assert_ok(hs_reservation_open(&c.chain, first.reply, &first.request_id, &first.rid, &c.arena, &r));
    struct hs_author till = author(&c.till, now);
    struct hs_amount discount = euros(1);
    struct hs_id other = t.order.id;
    other.b[0] ^= 1;
    assert_ok(hs_commit_build(&till, &r, &other, &discount, &c.arena, &request));
    assert_err(settle(&unit, request, true, now, &a), HS_ERR_COUPON_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unit_is_redeemed_once),
        cmocka_unit_test(a_held_unit_waits),
        cmocka_unit_test(an_undecided_unit_comes_back),
        cmocka_unit_test(unproved_requests_are_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
