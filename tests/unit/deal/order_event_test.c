#include "deal/order_event.h"

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

static enum hs_err apply(struct hs_order_thread *thread, const Hanse__SignedObject *obj)
{
    struct hs_order_thread before = *thread;
    enum hs_err err = hs_order_event_apply(thread, &c.chain, &t.refs, obj, &c.arena);
    if (err != HS_OK)
        assert_memory_equal(thread, &before, sizeof before);
    return err;
}

static struct hs_order_step placed_step(void)
{
    return (struct hs_order_step){.type = HANSE__ORDER_EVENT_TYPE__ORDER_PLACED, .cause = t.order_object};
}

static struct hs_order_thread placed(void)
{
    struct hs_order_thread thread = {0};
    assert_ok(apply(&thread, event(&c, &thread, &t.order, placed_step(), now)));
    return thread;
}

static struct hs_order_thread accepted(Hanse__SignedObject **receipt)
{
    struct hs_order_thread thread = placed();
    *receipt = redeem(&c, &t, now);
    struct hs_order_step step = {
        .type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED, .receipts = receipt, .receipt_count = 1};
    assert_ok(apply(&thread, event(&c, &thread, NULL, step, at(1000))));
    return thread;
}

/* DEAL-31 */
static void order_runs_to_its_end(void **state)
{
    (void)state;
    Hanse__SignedObject *receipt;
    struct hs_order_thread thread = accepted(&receipt);
    assert_int_equal(thread.state, HS_ORDER_ACCEPTED);
    assert_int_equal(thread.accepted_at.ms, at(1000).ms);
    assert_int_equal(thread.receipt_count, 1);
    assert_int_equal(thread.receipts[0].discount.minor, 357);
    assert_int_equal(thread.signer.role, HANSE__ROLE__ROLE_TILL);
    struct hs_order_step step = {.type = HANSE__ORDER_EVENT_TYPE__ORDER_CLOSED};
    assert_ok(apply(&thread, event(&c, &thread, NULL, step, at(2000))));
    assert_int_equal(thread.state, HS_ORDER_CLOSED);
    assert_int_equal(thread.next_seq, 3);
    assert_string_equal(hs_order_state_name(thread.state), "closed");
}

/* DEAL-31: every state with every type of event. */
static void every_step_is_in_the_table(void **state)
{
    (void)state;
    static const enum hs_order_state want[HS_ORDER_STATE_COUNT][6] = {
        [HS_ORDER_NONE] = {[1] = HS_ORDER_PLACED},
        [HS_ORDER_PLACED] = {[2] = HS_ORDER_ACCEPTED, [3] = HS_ORDER_REJECTED, [4] = HS_ORDER_CANCELLED},
        [HS_ORDER_ACCEPTED] = {[4] = HS_ORDER_CANCELLED, [5] = HS_ORDER_CLOSED},
    };
    for (unsigned from = 0; from < HS_ORDER_STATE_COUNT; from++) {
        for (unsigned type = 0; type < 7; type++) {
            enum hs_order_state expected = type < 6 ? want[from][type] : HS_ORDER_NONE, next = HS_ORDER_NONE;
            enum hs_err err = hs_order_next((enum hs_order_state)from, (Hanse__OrderEventType)type, &next);
            assert_err(err, expected == HS_ORDER_NONE ? HS_ERR_ORDER_STEP : HS_OK);
            assert_int_equal(next, expected);
        }
    }
}

/* DEAL-31: the same through signed events: out of place, every type is refused in every state. */
static void events_follow_the_table(void **state)
{
    (void)state;
    Hanse__SignedObject *receipt;
    struct hs_order_thread threads[3] = {{0}, placed(), accepted(&receipt)};
    for (unsigned type = 1; type <= 5; type++) {
        for (size_t i = 0; i < 3; i++) {
            struct hs_order_thread thread = threads[i];
            enum hs_order_state next;
            bool allowed = hs_order_next(thread.state, (Hanse__OrderEventType)type, &next) == HS_OK;
            struct hs_order_step step = {.type = (Hanse__OrderEventType)type};
            if (type == 1)
                step.cause = t.order_object;
            if (type == 2) {
                step.receipts = &receipt;
                step.receipt_count = 1;
            }
            if (type == 3)
                step.reason_code = HS_ERR_OFFER_EXPIRED;
            struct hs_author till = author(&c.till, at(3000));
            Hanse__SignedObject *obj;
            enum hs_err err =
                hs_order_event_build(&till, &thread, type == 1 ? &t.order : NULL, &step, &c.arena, &obj);
            assert_err(err, allowed ? HS_OK : HS_ERR_ORDER_STEP);
            if (allowed)
                assert_ok(apply(&thread, obj));
        }
    }
}

/* An event with any fields, as a hostile merchant might sign it. */
struct forged {
    const struct actor *by;
    const struct hs_id *order_id, *prev;
    const struct hs_key *audience;
    uint32_t seq;
    Hanse__OrderEvent msg;
    struct hs_time when;
};

static Hanse__SignedObject *forge(const struct forged *f)
{
    Hanse__OrderEvent msg = f->msg;
    msg.order_id = hs_pb_data(HS_VIEW(*f->order_id));
    msg.seq = f->seq;
    struct hs_author by = author(f->by, f->when);
    struct hs_hdr_spec spec = {.audience = HS_VIEW(*f->audience), .prev = HS_VIEW(*f->prev)};
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_ORDER_EVENT, &msg.base, &by, &spec, &c.arena, &obj));
    return obj;
}

static struct forged rejection(const struct hs_order_thread *thread)
{
    struct forged f = {.by = &c.till,
                       .order_id = &thread->order.id,
                       .prev = &thread->head,
                       .audience = &c.kim.key.pub,
                       .seq = thread->next_seq,
                       .when = at(1000),
                       .msg = HANSE__ORDER_EVENT__INIT};
    f.msg.type = HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED;
    f.msg.reason_code = hs_err_to_wire(HS_ERR_OFFER_EXPIRED);
    return f;
}

static enum hs_err after_placed(const struct forged *f)
{
    struct hs_order_thread thread = placed();
    struct forged mine = *f;
    if (mine.prev == NULL)
        mine.prev = &thread.head;
    return apply(&thread, forge(&mine));
}

/* DEAL-32: number, link, order, signer, times. */
static void links_are_checked(void **state)
{
    (void)state;
    struct hs_order_thread thread = placed();
    struct forged good = rejection(&thread), f = good;
    good.prev = f.prev = NULL; /* each placed() makes its own head */
    assert_ok(after_placed(&f));
    f.seq = 2;
    assert_err(after_placed(&f), HS_ERR_ORDER_STEP);
    f.seq = 0;
    assert_err(after_placed(&f), HS_ERR_ORDER_STEP);
    f = good;
    f.prev = &t.order.id;
    assert_err(after_placed(&f), HS_ERR_ORDER_STEP);
    f = good;
    f.order_id = &t.coupon.coupon.id;
    assert_err(after_placed(&f), HS_ERR_ORDER_STEP);
    f = good;
    f.audience = &c.lee.key.pub;
    assert_err(after_placed(&f), HS_ERR_ORDER_INVALID);
    f = good;
    f.when = at(-HS_CLOCK_SKEW_MS - 1);
    assert_err(after_placed(&f), HS_ERR_NOT_YET);
    f = good;
    f.by = &c.kim;
    assert_err(after_placed(&f), HS_ERR_WRONG_SIGNER);
    f = good;
    f.by = &c.merchant;
    assert_ok(after_placed(&f));
    f = good;
    f.msg.type = (Hanse__OrderEventType)0;
    assert_err(after_placed(&f), HS_ERR_ORDER_STEP);
    assert_err(apply(&thread, t.order_object), HS_ERR_UNEXPECTED);
    thread.next_seq = HS_ORDER_EVENTS_MAX;
    assert_err(apply(&thread, t.order_object), HS_ERR_TOO_LARGE);
}

/* DEAL-32: fields that belong to another type of event. */
static void stray_fields_are_refused(void **state)
{
    (void)state;
    struct hs_order_thread thread = placed();
    struct forged good = rejection(&thread), f;
    good.prev = NULL;
    Hanse__SignedObject *receipt = redeem(&c, &t, now);
    f = good;
    f.msg.cause = t.order_object;
    assert_err(after_placed(&f), HS_ERR_ORDER_INVALID);
    f = good;
    f.msg.totals = t.order.msg->expected;
    assert_err(after_placed(&f), HS_ERR_ORDER_INVALID);
    f = good;
    f.msg.receipts = &receipt;
    f.msg.n_receipts = 1;
    assert_err(after_placed(&f), HS_ERR_ORDER_INVALID);
    f = good;
    f.msg.reason_code = 0;
    assert_err(after_placed(&f), HS_ERR_ORDER_INVALID);
    f.msg.type = HANSE__ORDER_EVENT_TYPE__ORDER_CANCELLED;
    assert_ok(after_placed(&f));
    f.msg.type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED;
    f.msg.reason = (char *)(uintptr_t) "with a reason";
    assert_err(after_placed(&f), HS_ERR_ORDER_INVALID);
}

/* DEAL-33: what was agreed is what was asked, with a receipt for each coupon. */
static void acceptance_is_exact(void **state)
{
    (void)state;
    struct hs_order_thread thread = placed();
    struct forged good = rejection(&thread), f;
    good.prev = NULL;
    Hanse__SignedObject *receipt = redeem(&c, &t, now);
    good.msg.type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED;
    good.msg.reason_code = 0;
    good.msg.totals = t.order.msg->expected;
    good.msg.receipts = &receipt;
    good.msg.n_receipts = 1;
    f = good;
    assert_ok(after_placed(&f));
    f.msg.totals = NULL;
    assert_err(after_placed(&f), HS_ERR_ORDER_TOTAL);
    f = good;
    Hanse__Totals totals = *good.msg.totals;
    totals.due = eur(&c, totals.total->minor + 1);
    f.msg.totals = &totals;
    assert_err(after_placed(&f), HS_ERR_ORDER_TOTAL);
    f = good;
    f.msg.n_receipts = 0;
    assert_err(after_placed(&f), HS_ERR_COUPON_INVALID);
    Hanse__SignedObject *two[2] = {receipt, receipt};
    f.msg.receipts = two;
    f.msg.n_receipts = 2;
    assert_err(after_placed(&f), HS_ERR_COUPON_INVALID);
    f = good;
    f.when = at(-HS_CLOCK_SKEW_MS);
    assert_ok(after_placed(&f));
    Hanse__SignedObject *late = redeem(&c, &t, at(2 * MINUTE));
    f = good;
    f.msg.receipts = &late;
    assert_err(after_placed(&f), HS_ERR_NOT_YET);

    /* a receipt of the same unit for another order, and one signed by the till itself */
    struct trip other = t;
    other.order_object = sign_order(&c, &t, &c.kim, at(1));
    assert_ok(hs_order_open(&c.chain, other.order_object, &c.arena, &other.order));
    Hanse__SignedObject *foreign = redeem(&c, &other, at(1));
    f = good;
    f.msg.receipts = &foreign;
    assert_err(after_placed(&f), HS_ERR_COUPON_INVALID);
    struct hs_redemption opened;
    assert_ok(hs_redemption_open(&c.chain, receipt, &c.arena, &opened));
    Hanse__Redemption msg = *opened.msg;
    struct hs_author till = author(&c.till, now), node = node_author(&c, now);
    Hanse__SignedObject *forged;
    assert_ok(
        hs_object_make(HS_KIND_REDEMPTION, &msg.base, &till, &(struct hs_hdr_spec){0}, &c.arena, &forged));
    f.msg.receipts = &forged;
    assert_err(after_placed(&f), HS_ERR_BAD_CHAIN);
    msg.discount = eur(&c, 356);
    assert_ok(
        hs_object_make(HS_KIND_REDEMPTION, &msg.base, &node, &(struct hs_hdr_spec){0}, &c.arena, &forged));
    assert_err(after_placed(&f), HS_ERR_COUPON_AMOUNT);
}

/* DEAL-32: the first event embeds the customer's own request, whole and checked. */
static void placing_needs_the_request(void **state)
{
    (void)state;
    struct hs_order_thread none = {0};
    struct forged good = {.by = &c.till,
                          .order_id = &t.order.id,
                          .prev = &t.order.id,
                          .audience = &c.kim.key.pub,
                          .when = now,
                          .msg = HANSE__ORDER_EVENT__INIT},
                  f;
    good.msg.type = HANSE__ORDER_EVENT_TYPE__ORDER_PLACED;
    good.msg.cause = t.order_object;
    struct hs_order_thread thread = none;
    assert_ok(apply(&thread, forge(&good)));
    f = good;
    f.msg.cause = NULL;
    thread = none;
    assert_err(apply(&thread, forge(&f)), HS_ERR_ORDER_INVALID);
    Hanse__SignedObject *altered;
    assert_ok(hs_object_copy(t.order_object, &c.arena, &altered));
    altered->payload.data[90] ^= 1;
    f.msg.cause = altered;
    assert_err(apply(&thread, forge(&f)), HS_ERR_BAD_SIGNATURE);
    /* another order's request than the event names */
    f.msg.cause = sign_order(&c, &t, &c.kim, at(5));
    assert_err(apply(&thread, forge(&f)), HS_ERR_ORDER_STEP);
    /* a request with another price, rightly signed by the customer */
    Hanse__OrderRequest cheap = *t.order.msg;
    cheap.expected->total->minor--;
    struct hs_author kim = author(&c.kim, now);
    struct hs_hdr_spec spec = {.audience = HS_VIEW(c.root.pub)};
    assert_ok(hs_object_make(HS_KIND_ORDER_REQUEST, &cheap.base, &kim, &spec, &c.arena, &f.msg.cause));
    cheap.expected->total->minor++;
    assert_err(apply(&thread, forge(&f)), HS_ERR_ORDER_TOTAL);
    /* a request that had run out when it was placed */
    spec.not_after = at(10);
    Hanse__OrderRequest brief = *t.order.msg;
    assert_ok(hs_object_make(HS_KIND_ORDER_REQUEST, &brief.base, &kim, &spec, &c.arena, &f.msg.cause));
    struct hs_id brief_id = hs_object_id(f.msg.cause);
    f.order_id = f.prev = &brief_id;
    f.when = at(10);
    assert_err(apply(&thread, forge(&f)), HS_ERR_EXPIRED);
    f.when = at(9);
    assert_ok(apply(&thread, forge(&f)));
}

static void building_refuses_what_cannot_be(void **state)
{
    (void)state;
    struct hs_order_thread none = {0}, thread = placed();
    struct hs_author till = author(&c.till, now);
    Hanse__SignedObject *obj;
    struct hs_order_step step = placed_step();
    assert_err(hs_order_event_build(&till, &none, NULL, &step, &c.arena, &obj), HS_ERR_INVALID_ARG);
    step.cause = NULL;
    assert_err(hs_order_event_build(&till, &none, &t.order, &step, &c.arena, &obj), HS_ERR_ORDER_INVALID);
    step.type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED;
    assert_err(hs_order_event_build(&till, &thread, NULL, &step, &c.arena, &obj), HS_ERR_COUPON_INVALID);
    assert_err(hs_order_event_build(&till, &thread, &t.order, &step, &c.arena, &obj), HS_ERR_INVALID_ARG);
    step.type = HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED;
    assert_err(hs_order_event_build(&till, &thread, NULL, &step, &c.arena, &obj), HS_ERR_ORDER_INVALID);
    step.reason_code = HS_ERR_ORDER_TOTAL;
    step.reason = "The price has changed";
    assert_ok(hs_order_event_build(&till, &thread, NULL, &step, &c.arena, &obj));
    assert_ok(apply(&thread, obj));
    assert_int_equal(thread.state, HS_ORDER_REJECTED);
    assert_int_equal(thread.reason_code, 162);
    assert_string_equal(thread.reason, "The price has changed");
    step.type = HANSE__ORDER_EVENT_TYPE__ORDER_CANCELLED;
    assert_err(hs_order_event_build(&till, &thread, NULL, &step, &c.arena, &obj), HS_ERR_ORDER_STEP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_runs_to_its_end),     cmocka_unit_test(every_step_is_in_the_table),
        cmocka_unit_test(events_follow_the_table),   cmocka_unit_test(links_are_checked),
        cmocka_unit_test(stray_fields_are_refused),  cmocka_unit_test(acceptance_is_exact),
        cmocka_unit_test(placing_needs_the_request), cmocka_unit_test(building_refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
