#include "deal/export.h"

#include "base/writer.h"
#include "unit/deal/cast.h"

#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* A sanitizer makes each verification many times slower: every 29th bit then, all of them otherwise. */
#if __has_feature(address_sanitizer) || defined(__SANITIZE_ADDRESS__)
enum { BIT_STEP = 29 };
#else
enum { BIT_STEP = 1 };
#endif

static struct cast c;
static struct trip t;
static Hanse__SignedObject *events[3], *receipt;
static struct hs_export_parts parts;
static struct hs_bytes file;

static struct hs_export_parts all_parts(void)
{
    return (struct hs_export_parts){.offers = t.offer_objects,
                                    .offer_count = 2,
                                    .coupon_defs = &t.def_object,
                                    .coupon_def_count = 1,
                                    .coupons = &t.coupon_object,
                                    .coupon_count = 1,
                                    .events = events,
                                    .event_count = 3,
                                    .chain = c.objects,
                                    .chain_count = CHAIN_COUNT};
}

static int setup(void **state)
{
    (void)state;
    cast_init(&c);
    trip_init(&c, &t);
    struct hs_order_thread thread = {0};
    receipt = redeem(&c, &t, now);
    struct hs_order_step steps[3] = {
        {.type = HANSE__ORDER_EVENT_TYPE__ORDER_PLACED, .cause = t.order_object},
        {.type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED, .receipts = &receipt, .receipt_count = 1},
        {.type = HANSE__ORDER_EVENT_TYPE__ORDER_CLOSED},
    };
    for (size_t i = 0; i < 3; i++) {
        events[i] = event(&c, &thread, i == 0 ? &t.order : NULL, steps[i], at(1000 * (int64_t)i));
        assert_ok(hs_order_event_apply(&thread, &c.chain, &t.refs, events[i], &c.arena));
    }
    parts = all_parts();
    struct hs_author kim = author(&c.kim, at(HOUR));
    assert_ok(hs_export_build(&kim, &c.root.pub, &parts, &c.arena, &file));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&c.arena);
    return 0;
}

static enum hs_err verify(struct hs_bytes bytes, const struct hs_key *pinned)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_EXPORT_ARENA);
    struct hs_export_report report;
    return hs_export_verify(bytes, pinned, &arena, &report);
}

static const struct hs_export_signer *signer(const struct hs_export_report *r, const char *part)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (strcmp(r->signers[i].part, part) == 0)
            return &r->signers[i];
    fail_msg("nobody signed the %s", part);
    return NULL;
}

/* DEAL-34: everything that people want to know, from the bytes alone. */
static void export_tells_the_order(void **state)
{
    (void)state;
    struct hs_export_report r;
    assert_ok(hs_export_verify(file, NULL, &c.arena, &r));
    assert_false(r.root_pinned);
    assert_true(hs_key_equal(&r.root, &c.root.pub));
    assert_string_equal(r.domain, "rosa.example");
    assert_true(hs_key_equal(&r.customer, &c.kim.key.pub));
    assert_true(hs_id_equal(&r.order_id, &t.order.id));
    assert_int_equal(r.state, HS_ORDER_CLOSED);
    assert_int_equal(r.placed_at.ms, now.ms);
    assert_int_equal(r.accepted_at.ms, at(1000).ms);
    assert_int_equal(r.exported_at.ms, at(HOUR).ms);
    assert_int_equal(r.line_count, 2);
    assert_string_equal(r.lines[0].title, "Rose soap");
    assert_int_equal(r.lines[0].quantity, 2);
    assert_int_equal(r.lines[0].price.minor, 1290);
    assert_int_equal(r.lines[0].discount.minor, 257);
    assert_int_equal(r.lines[1].total.minor, 899);
    assert_true(r.has_coupon);
    assert_string_equal(r.coupon_title, "10 % off");
    assert_true(hs_id_equal(&r.coupon_id, &t.coupon.coupon.id));
    assert_int_equal(r.subtotal.minor, 3579);
    assert_int_equal(r.discount.minor, 357);
    assert_int_equal(r.tax.minor, 430);
    assert_int_equal(r.total.minor, 3222);
    assert_int_equal(r.signer_count, 7);
    assert_int_equal(signer(&r, "offer")->actor.role, HANSE__ROLE__ROLE_MERCHANT);
    assert_int_equal(signer(&r, "event")->actor.role, HANSE__ROLE__ROLE_TILL);
    assert_int_equal(signer(&r, "event")->actor.until.ms, at(24 * HOUR).ms);
    assert_true(hs_key_equal(&signer(&r, "receipt")->actor.key, &c.node.pub));
    assert_true(hs_key_equal(&signer(&r, "coupon")->actor.key, &c.node.pub));
    assert_true(hs_key_equal(&signer(&r, "order")->actor.key, &c.kim.key.pub));
    assert_true(hs_key_equal(&signer(&r, "export")->actor.device, &c.kim.device.signature.pub));
    assert_ok(hs_export_verify(file, &c.root.pub, &c.arena, &r));
    assert_true(r.root_pinned);
    assert_err(verify(file, &c.node.pub), HS_ERR_WRONG_SIGNER);
}

/* DEAL-35: no bit of the file can change. */
static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    uint8_t *copy = malloc(file.len);
    assert_non_null(copy);
    memcpy(copy, file.data, file.len);
    assert_ok(verify(hs_bytes(copy, file.len), NULL));
    for (size_t bit = 0; bit < 8 * file.len; bit += BIT_STEP) {
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (verify(hs_bytes(copy, file.len), NULL) == HS_OK)
            fail_msg("bit %zu of %zu can be flipped", bit, 8 * file.len);
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    free(copy);
}

/* DEAL-35: nor can it be cut, or go on. */
static void truncations_are_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < file.len; len++) {
        /* a block of its own, so that reading past the end is seen */
        uint8_t *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, file.data, len);
        assert_true(verify(hs_bytes(copy, len), NULL) != HS_OK);
        free(copy);
    }
    uint8_t *longer = calloc(1, file.len + 8);
    assert_non_null(longer);
    memcpy(longer, file.data, file.len);
    for (size_t extra = 1; extra <= 8; extra++)
        assert_true(verify(hs_bytes(longer, file.len + extra), NULL) != HS_OK);
    free(longer);
    uint8_t *big = calloc(1, HS_EXPORT_MAX + 1);
    assert_non_null(big);
    assert_err(verify(hs_bytes(big, HS_EXPORT_MAX + 1), NULL), HS_ERR_TOO_LARGE);
    free(big);
}

/* The bytes with the first field (of less than 128 bytes) moved to the end: the same message, written another
 * way. */
static struct hs_bytes first_field_last(struct hs_bytes in)
{
    size_t first = 2 + (size_t)in.data[1];
    uint8_t *out = hs_arena_alloc(&c.arena, in.len);
    assert_non_null(out);
    memcpy(out, in.data + first, in.len - first);
    memcpy(out + in.len - first, in.data, first);
    return hs_bytes(out, in.len);
}

/* DEAL-35: one encoding, outside and inside, even where the exporter signs another one. */
static void other_encodings_are_refused(void **state)
{
    (void)state;
    assert_err(verify(first_field_last(file), NULL), HS_ERR_MALFORMED);
    Hanse__SignedObject *obj;
    assert_ok(hs_object_unpack(file, &c.arena, &obj));
    obj->payload = hs_pb_data(first_field_last(hs_pb_bytes(obj->payload)));
    struct hs_writer HS_WRITER pae = hs_writer(HS_EXPORT_MAX);
    hs_object_pae(&pae, hs_bytes_str(obj->type), hs_pb_bytes(obj->payload));
    struct hs_sig sig;
    hs_sign(&c.kim.device.signature, hs_writer_bytes(&pae), &sig);
    obj->signatures[0]->sig = hs_pb_data(HS_VIEW(sig));
    struct hs_bytes bytes;
    assert_ok(hs_object_pack(obj, &c.arena, &bytes));
    assert_err(verify(bytes, NULL), HS_ERR_MALFORMED);
}

/* An export of any parts, signed by whom the test says: what a hostile exporter can make. */
static enum hs_err forged_by(const struct actor *who, const struct hs_export_parts *p, struct hs_time when)
{
    Hanse__OrderExport msg = HANSE__ORDER_EXPORT__INIT;
    msg.offers = (Hanse__SignedObject **)(uintptr_t)p->offers;
    msg.n_offers = p->offer_count;
    msg.coupon_defs = (Hanse__SignedObject **)(uintptr_t)p->coupon_defs;
    msg.n_coupon_defs = p->coupon_def_count;
    msg.coupons = (Hanse__SignedObject **)(uintptr_t)p->coupons;
    msg.n_coupons = p->coupon_count;
    msg.events = (Hanse__SignedObject **)(uintptr_t)p->events;
    msg.n_events = p->event_count;
    msg.chain = (Hanse__SignedObject **)(uintptr_t)p->chain;
    msg.n_chain = p->chain_count;
    struct hs_author by = author(who, when);
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_ORDER_EXPORT, &msg.base, &by, &(struct hs_hdr_spec){0}, &c.arena, &obj));
    struct hs_bytes bytes;
    assert_ok(hs_object_pack(obj, &c.arena, &bytes));
    return verify(bytes, NULL);
}

static enum hs_err forged(const struct hs_export_parts *p)
{
    return forged_by(&c.kim, p, at(HOUR));
}

/* The chain without Lee, who has nothing to do with it. */
static struct hs_export_parts good_parts(void)
{
    struct hs_export_parts p = all_parts();
    p.chain_count = CHAIN_COUNT - 1;
    return p;
}

/* DEAL-36: the customer exports, after the last event. */
static void export_is_the_customers(void **state)
{
    (void)state;
    struct hs_export_parts p = good_parts();
    assert_ok(forged(&p));
    assert_err(forged_by(&c.till, &p, at(HOUR)), HS_ERR_WRONG_SIGNER);
    assert_err(forged_by(&c.lee, &p, at(HOUR)), HS_ERR_BAD_CHAIN);
    assert_err(forged_by(&c.kim, &p, at(25 * HOUR)), HS_ERR_EXPIRED);
    assert_err(forged_by(&c.kim, &p, at(-HS_CLOCK_SKEW_MS)), HS_ERR_NOT_YET);
}

/* DEAL-36: nothing too much, nothing twice. */
static void ballast_is_refused(void **state)
{
    (void)state;
    struct hs_export_parts p = all_parts();
    assert_err(forged(&p), HS_ERR_BAD_CHAIN);
    p = good_parts();
    Hanse__Offer draft = offer_draft(&c, 1);
    Hanse__SignedObject *offers[3] = {t.offer_objects[0], t.offer_objects[1], sign_offer(&c, &draft)};
    p.offers = offers;
    p.offer_count = 3;
    assert_err(forged(&p), HS_ERR_ORDER_INVALID);
    offers[2] = offers[0];
    assert_err(forged(&p), HS_ERR_ORDER_INVALID);
    p = good_parts();
    Hanse__SignedObject *coupons[2] = {t.coupon_object, sign_coupon(&c, &t.coupon.def, 2, &c.kim)};
    p.coupons = coupons;
    p.coupon_count = 2;
    assert_err(forged(&p), HS_ERR_ORDER_INVALID);
    p = good_parts();
    Hanse__CouponDef def = def_draft(&c);
    Hanse__SignedObject *defs[2] = {t.def_object, sign_def(&c, &def)};
    p.coupon_defs = defs;
    p.coupon_def_count = 2;
    assert_err(forged(&p), HS_ERR_ORDER_INVALID);
    defs[1] = defs[0];
    assert_err(forged(&p), HS_ERR_ORDER_INVALID);
}

/* DEAL-36: nothing missing. */
static void gaps_are_refused(void **state)
{
    (void)state;
    struct hs_export_parts p = good_parts();
    p.event_count = 0;
    assert_err(forged(&p), HS_ERR_ORDER_INVALID);
    p = good_parts();
    p.offer_count = 1;
    assert_err(forged(&p), HS_ERR_OFFER_UNKNOWN);
    p = good_parts();
    p.coupon_def_count = 0;
    assert_err(forged(&p), HS_ERR_COUPON_UNKNOWN);
    p = good_parts();
    p.coupon_count = 0;
    assert_err(forged(&p), HS_ERR_COUPON_UNKNOWN);
    p = good_parts();
    p.events = events + 1;
    p.event_count = 2;
    assert_err(forged(&p), HS_ERR_ORDER_STEP);
    Hanse__SignedObject *swapped[3] = {events[0], events[2], events[1]};
    p.events = swapped;
    p.event_count = 3;
    assert_err(forged(&p), HS_ERR_ORDER_STEP);
    /* each link of the chain in turn */
    static const enum hs_err want[CHAIN_COUNT - 1] = {HS_ERR_BAD_CHAIN,    HS_ERR_BAD_CHAIN,
                                                      HS_ERR_WRONG_SIGNER, HS_ERR_BAD_CHAIN,
                                                      HS_ERR_WRONG_SIGNER, HS_ERR_BAD_CHAIN};
    for (size_t gone = 0; gone < CHAIN_COUNT - 1; gone++) {
        Hanse__SignedObject *chain[CHAIN_COUNT];
        size_t count = 0;
        for (size_t i = 0; i < CHAIN_COUNT - 1; i++)
            if (i != gone)
                chain[count++] = c.objects[i];
        p = good_parts();
        p.chain = chain;
        p.chain_count = count;
        assert_err(forged(&p), want[gone]);
    }
}

/* DEAL-34: an order that is only placed, without a coupon, exports too; a rejected one tells why. */
static void short_orders_export(void **state)
{
    (void)state;
    struct hs_order_draft_line line = {&t.offers[0], 1};
    struct hs_order_draft draft = {.lines = &line, .line_count = 1};
    struct hs_author kim = author(&c.kim, now);
    Hanse__SignedObject *request, *two[2];
    struct hs_order order;
    assert_ok(hs_order_build(&kim, &c.root.pub, &draft, &c.arena, &request));
    assert_ok(hs_order_open(&c.chain, request, &c.arena, &order));
    struct hs_order_thread thread = {0};
    two[0] =
        event(&c, &thread, &order,
              (struct hs_order_step){.type = HANSE__ORDER_EVENT_TYPE__ORDER_PLACED, .cause = request}, now);
    assert_ok(hs_order_event_apply(&thread, &c.chain, &t.refs, two[0], &c.arena));
    two[1] = event(&c, &thread, NULL,
                   (struct hs_order_step){.type = HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED,
                                          .reason_code = HS_ERR_OFFER_EXPIRED,
                                          .reason = "Sold out"},
                   at(5));
    struct hs_export_parts p = all_parts();
    p.events = two;
    for (p.event_count = 1; p.event_count <= 2; p.event_count++) {
        struct hs_bytes bytes;
        struct hs_export_report r;
        assert_ok(hs_export_build(&kim, &c.root.pub, &p, &c.arena, &bytes));
        assert_ok(hs_export_verify(bytes, NULL, &c.arena, &r));
        assert_false(r.has_coupon);
        assert_int_equal(r.accepted_at.ms, 0);
        assert_int_equal(r.state, p.event_count == 1 ? HS_ORDER_PLACED : HS_ORDER_REJECTED);
        assert_int_equal(r.total.minor, 1290);
    }
}

/* DEAL-34: whatever the customer holds may be handed in: duplicates and strangers are left out. */
static void building_keeps_what_is_needed(void **state)
{
    (void)state;
    struct hs_author kim = author(&c.kim, at(HOUR));
    Hanse__SignedObject *chain[2 * CHAIN_COUNT], *offers[4];
    for (size_t i = 0; i < CHAIN_COUNT; i++)
        chain[i] = chain[i + CHAIN_COUNT] = c.objects[i];
    Hanse__Offer draft = offer_draft(&c, 1);
    offers[0] = sign_offer(&c, &draft);
    offers[1] = offers[3] = t.offer_objects[1];
    offers[2] = t.offer_objects[0];
    struct hs_export_parts p = all_parts();
    p.chain = chain;
    p.chain_count = 2 * CHAIN_COUNT;
    p.offers = offers;
    p.offer_count = 4;
    struct hs_bytes bytes;
    assert_ok(hs_export_build(&kim, &c.root.pub, &p, &c.arena, &bytes));
    assert_ok(verify(bytes, NULL));
    assert_int_equal(bytes.len, file.len);
    struct hs_author lee = author(&c.lee, at(HOUR));
    assert_err(hs_export_build(&lee, &c.root.pub, &p, &c.arena, &bytes), HS_ERR_WRONG_SIGNER);
    assert_err(hs_export_build(&kim, &c.node.pub, &p, &c.arena, &bytes), HS_ERR_WRONG_SIGNER);
    assert_null(bytes.data);
}

/* An order of as many lines as there may be, each as wide as it may be. */
static void largest_order(struct trip *big, Hanse__SignedObject **offers)
{
    static struct hs_offer opened[HS_ORDER_LINES_MAX];
    static struct hs_order_draft_line lines[HS_ORDER_LINES_MAX];
    for (size_t i = 0; i < HS_ORDER_LINES_MAX; i++) {
        Hanse__Offer draft = offer_draft(&c, HS_AMOUNT_MAX / HS_ORDER_LINES_MAX / HS_QUANTITY_MAX);
        draft.tax_bp = 10000 - (uint32_t)(i % HS_TAX_RATES_MAX);
        offers[i] = sign_offer(&c, &draft);
        assert_ok(hs_offer_open(&c.chain, offers[i], &c.arena, &opened[i]));
        lines[i] = (struct hs_order_draft_line){&opened[i], HS_QUANTITY_MAX};
    }
    Hanse__CouponDef half = def_draft(&c);
    half.percent_bp = 5000;
    half.max_discount = NULL;
    big->def_object = sign_def(&c, &half);
    assert_ok(hs_coupon_def_open(&c.chain, big->def_object, &c.arena, &big->coupon.def));
    big->coupon_object = sign_coupon(&c, &big->coupon.def, 1, &c.kim);
    assert_ok(hs_coupon_open(&c.chain, big->coupon_object, &big->coupon.def, &c.arena, &big->coupon.coupon));
    big->refs = (struct hs_order_refs){
        .offers = opened, .offer_count = HS_ORDER_LINES_MAX, .coupons = &big->coupon, .coupon_count = 1};
    char note[HS_TEXT_MAX + 1] = {0};
    memset(note, 'n', HS_TEXT_MAX);
    struct hs_order_draft draft = {.lines = lines,
                                   .line_count = HS_ORDER_LINES_MAX,
                                   .coupons = &big->coupon,
                                   .coupon_count = 1,
                                   .note = note};
    struct hs_author kim = author(&c.kim, now);
    assert_ok(hs_order_build(&kim, &c.root.pub, &draft, &c.arena, &big->order_object));
    assert_ok(hs_order_open(&c.chain, big->order_object, &c.arena, &big->order));
}

/* DEAL-27, DEAL-34: the largest order there can be fits its object, its events and its export. */
static void the_largest_order_exports(void **state)
{
    (void)state;
    static Hanse__SignedObject *offers[HS_ORDER_LINES_MAX];
    struct trip big = {0};
    largest_order(&big, offers);
    struct hs_order_thread thread = {0};
    Hanse__SignedObject *got = redeem(&c, &big, now), *two[2];
    struct hs_order_step steps[2] = {
        {.type = HANSE__ORDER_EVENT_TYPE__ORDER_PLACED, .cause = big.order_object},
        {.type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED, .receipts = &got, .receipt_count = 1}};
    for (size_t i = 0; i < 2; i++) {
        two[i] = event(&c, &thread, i == 0 ? &big.order : NULL, steps[i], now);
        assert_ok(hs_order_event_apply(&thread, &c.chain, &big.refs, two[i], &c.arena));
    }
    struct hs_export_parts p = {.offers = offers,
                                .offer_count = HS_ORDER_LINES_MAX,
                                .coupon_defs = &big.def_object,
                                .coupon_def_count = 1,
                                .coupons = &big.coupon_object,
                                .coupon_count = 1,
                                .events = two,
                                .event_count = 2,
                                .chain = c.objects,
                                .chain_count = CHAIN_COUNT};
    struct hs_author kim = author(&c.kim, at(HOUR));
    struct hs_bytes bytes;
    assert_ok(hs_export_build(&kim, &c.root.pub, &p, &c.arena, &bytes));
    assert_ok(verify(bytes, &c.root.pub));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(export_tells_the_order),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(truncations_are_refused),
        cmocka_unit_test(other_encodings_are_refused),
        cmocka_unit_test(export_is_the_customers),
        cmocka_unit_test(ballast_is_refused),
        cmocka_unit_test(gaps_are_refused),
        cmocka_unit_test(short_orders_export),
        cmocka_unit_test(building_keeps_what_is_needed),
        cmocka_unit_test(the_largest_order_exports),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
