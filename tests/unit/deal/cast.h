/* Who appears in the tests of deals: the brand Rosa with its node, merchant and till, the customers Kim and
 * Lee, and what they sign, in the order in which they would. */
#ifndef TESTS_UNIT_DEAL_CAST_H
#define TESTS_UNIT_DEAL_CAST_H

#include "crypto/selftest.h"
#include "deal/export.h"
#include "deal/issuer.h"
#include "deal/pricing.h"
#include "identity/derive.h"
#include "support/test.h"

#include <string.h>

#define MINUTE ((int64_t)60 * 1000)
#define HOUR   (60 * MINUTE)
static const struct hs_time now = {1700000000000};

static inline struct hs_time at(int64_t offset)
{
    return (struct hs_time){now.ms + offset};
}

/* A persona or identity with one device and its certificate. */
struct actor {
    struct hs_signer key;
    struct hs_device_keys device;
    Hanse__SignedObject *certificate;
};

enum { CHAIN_COUNT = 7 };

struct cast {
    struct hs_arena arena;
    struct hs_signer root, node;
    struct actor merchant, till, kim, lee;
    Hanse__SignedObject *objects[CHAIN_COUNT]; /* all that proves the four */
    struct hs_chain chain;
};

static inline struct hs_signer cast_signer(uint8_t number)
{
    struct hs_secret32 seed = {{number}};
    struct hs_signer signer;
    hs_signer_init(&signer, &seed);
    return signer;
}

static inline Hanse__SignedObject *cast_certify(struct cast *c, const struct hs_signer *key,
                                                const struct hs_device_keys *device)
{
    struct hs_certificate draft = {.signature_key = device->signature.pub,
                                   .transport_key = device->transport_pub,
                                   .not_before = at(-HOUR),
                                   .not_after = at(24 * HOUR)};
    Hanse__SignedObject *obj;
    assert_ok(hs_certificate_build(key, &draft, at(-HOUR), &c->arena, &obj));
    return obj;
}

static inline void cast_actor(struct cast *c, uint8_t number, struct actor *out)
{
    struct hs_secret32 secret = {{number, 1}};
    out->key = cast_signer(number);
    hs_device_keys_derive(&secret, &out->key.pub, &out->device);
    out->certificate = cast_certify(c, &out->key, &out->device);
}

static inline Hanse__SignedObject *cast_grant(struct cast *c, const struct actor *to, Hanse__Role role)
{
    struct hs_grant draft = {
        .key = to->key.pub, .role = role, .not_before = at(-HOUR), .not_after = at(24 * HOUR)};
    Hanse__SignedObject *obj;
    assert_ok(hs_grant_build(&c->root, &draft, at(-HOUR), &c->arena, &obj));
    return obj;
}

static inline Hanse__SignedObject *cast_descriptor(struct cast *c)
{
    struct hs_descriptor d = {.signing_key = c->node.pub,
                              .transport_key = {{9}},
                              .domain = "rosa.example",
                              .addresses = {"rosa.example:7300"},
                              .address_count = 1,
                              .sequence = 1,
                              .not_after = at(24 * HOUR)};
    Hanse__SignedObject *obj;
    assert_ok(hs_descriptor_build(&c->root, &d, at(-HOUR), &c->arena, &obj));
    return obj;
}

static inline void cast_init(struct cast *c)
{
    assert_ok(hs_crypto_init());
    *c = (struct cast){.arena = hs_arena((size_t)512 << 20), .root = cast_signer(1), .node = cast_signer(2)};
    cast_actor(c, 3, &c->merchant);
    cast_actor(c, 4, &c->till);
    cast_actor(c, 5, &c->kim);
    cast_actor(c, 6, &c->lee);
    Hanse__SignedObject *objects[CHAIN_COUNT] = {
        cast_descriptor(c),
        c->merchant.certificate,
        cast_grant(c, &c->merchant, HANSE__ROLE__ROLE_MERCHANT),
        c->till.certificate,
        cast_grant(c, &c->till, HANSE__ROLE__ROLE_TILL),
        c->kim.certificate,
        c->lee.certificate,
    };
    memcpy(c->objects, objects, sizeof objects);
    assert_ok(hs_chain_open(c->objects, CHAIN_COUNT, &c->root.pub, &c->arena, &c->chain));
}

static inline struct hs_author author(const struct actor *who, struct hs_time when)
{
    return (struct hs_author){.signer = &who->device.signature, .issuer = who->key.pub, .now = when};
}

static inline struct hs_author node_author(const struct cast *c, struct hs_time when)
{
    return (struct hs_author){.signer = &c->node, .issuer = c->node.pub, .now = when};
}

static inline Hanse__Amount *eur(struct cast *c, int64_t minor)
{
    struct hs_amount amount = {.currency = "EUR", .minor = minor};
    Hanse__Amount *msg;
    assert_ok(hs_amount_write(&amount, &c->arena, &msg));
    return msg;
}

static inline struct hs_amount euros(int64_t minor)
{
    return (struct hs_amount){.currency = "EUR", .minor = minor};
}

/* An offer before it is signed: 12.90 EUR with 19 % in it. */
static inline Hanse__Offer offer_draft(struct cast *c, int64_t minor)
{
    Hanse__Offer msg = HANSE__OFFER__INIT;
    msg.title = (char *)(uintptr_t) "Rose soap";
    msg.sku = (char *)(uintptr_t) "R-1";
    msg.price = eur(c, minor);
    msg.price_includes_tax = true;
    msg.tax_bp = 1900;
    msg.not_before_ms = at(-HOUR).ms;
    return msg;
}

static inline Hanse__SignedObject *sign_offer(struct cast *c, Hanse__Offer *msg)
{
    struct hs_author by = author(&c->merchant, at(-HOUR));
    Hanse__SignedObject *obj;
    assert_ok(hs_offer_build(msg, &by, at(HOUR), &c->arena, &obj));
    return obj;
}

static inline Hanse__CouponDef def_draft(struct cast *c)
{
    Hanse__CouponDef msg = HANSE__COUPON_DEF__INIT;
    msg.kind = HANSE__COUPON_KIND__COUPON_PERCENT;
    msg.percent_bp = 1000;
    msg.max_discount = eur(c, 500);
    msg.min_subtotal = eur(c, 2000);
    msg.binding = HANSE__COUPON_BINDING__BINDING_HOLDER;
    msg.limit_total = 2;
    msg.limit_per_customer = 1;
    msg.not_before_ms = at(-HOUR).ms;
    msg.title = (char *)(uintptr_t) "10 % off";
    return msg;
}

static inline Hanse__SignedObject *sign_def(struct cast *c, Hanse__CouponDef *msg)
{
    struct hs_author by = author(&c->merchant, at(-HOUR));
    Hanse__SignedObject *obj;
    assert_ok(hs_coupon_def_build(msg, &by, at(HOUR), &c->arena, &obj));
    return obj;
}

static inline Hanse__SignedObject *sign_coupon(struct cast *c, const struct hs_coupon_def *def,
                                               uint32_t unit_no, const struct actor *holder)
{
    struct hs_author by = node_author(c, now);
    Hanse__SignedObject *obj;
    assert_ok(hs_coupon_build(&by, def, unit_no, &holder->key.pub, &c->arena, &obj));
    return obj;
}

/* One shopping trip: two offers, a coupon of Kim's, an order that uses it. */
struct trip {
    Hanse__SignedObject *offer_objects[2], *def_object, *coupon_object, *order_object;
    struct hs_offer offers[2];
    struct hs_order_coupon coupon;
    struct hs_order_refs refs;
    struct hs_order order;
};

static inline Hanse__SignedObject *sign_order(struct cast *c, const struct trip *t, const struct actor *who,
                                              struct hs_time when)
{
    struct hs_order_draft_line lines[2] = {{&t->offers[0], 2}, {&t->offers[1], 1}};
    struct hs_order_draft draft = {
        .lines = lines, .line_count = 2, .coupons = &t->coupon, .coupon_count = 1, .note = "Ring twice"};
    struct hs_author by = author(who, when);
    Hanse__SignedObject *obj;
    assert_ok(hs_order_build(&by, &c->root.pub, &draft, &c->arena, &obj));
    return obj;
}

static inline void trip_init(struct cast *c, struct trip *t)
{
    *t = (struct trip){0};
    Hanse__Offer soap = offer_draft(c, 1290), book = offer_draft(c, 999);
    book.title = (char *)(uintptr_t) "Book of roses";
    book.tax_bp = 700;
    t->offer_objects[0] = sign_offer(c, &soap);
    t->offer_objects[1] = sign_offer(c, &book);
    for (size_t i = 0; i < 2; i++)
        assert_ok(hs_offer_open(&c->chain, t->offer_objects[i], &c->arena, &t->offers[i]));
    Hanse__CouponDef def = def_draft(c);
    t->def_object = sign_def(c, &def);
    assert_ok(hs_coupon_def_open(&c->chain, t->def_object, &c->arena, &t->coupon.def));
    t->coupon_object = sign_coupon(c, &t->coupon.def, 1, &c->kim);
    assert_ok(hs_coupon_open(&c->chain, t->coupon_object, &t->coupon.def, &c->arena, &t->coupon.coupon));
    t->refs = (struct hs_order_refs){
        .offers = t->offers, .offer_count = 2, .coupons = &t->coupon, .coupon_count = 1};
    t->order_object = sign_order(c, t, &c->kim, now);
    assert_ok(hs_order_open(&c->chain, t->order_object, &c->arena, &t->order));
}

/* The till asks Kim, Kim shows the coupon. */
static inline Hanse__SignedObject *present(struct cast *c, const struct trip *t, const struct actor *holder,
                                           struct hs_time when)
{
    struct hs_author till = author(&c->till, when), by = author(holder, when);
    Hanse__SignedObject *asked, *shown;
    struct hs_presentation_request request;
    assert_ok(hs_presentation_request_build(&till, &holder->key.pub, &t->coupon.coupon.id, &t->order.id,
                                            &c->arena, &asked));
    assert_ok(hs_presentation_request_open(&c->chain, asked, &holder->key.pub, when, &c->arena, &request));
    assert_ok(hs_presentation_build(&by, &request, &c->arena, &shown));
    return shown;
}

static inline Hanse__SignedObject *ask_reserve(struct cast *c, const struct trip *t,
                                               Hanse__SignedObject *presentation, int64_t max_minor,
                                               struct hs_time when)
{
    struct hs_author by = author(&c->till, when);
    struct hs_reserve_draft draft = {.coupon = t->coupon_object,
                                     .presentation = presentation,
                                     .coupon_id = &t->coupon.coupon.id,
                                     .order_id = &t->order.id,
                                     .root = &c->root.pub,
                                     .max_discount = euros(max_minor),
                                     .min_met = true};
    Hanse__SignedObject *obj;
    assert_ok(hs_reserve_request_build(&by, &draft, &c->arena, &obj));
    return obj;
}

static inline struct hs_issuer issuer(const struct cast *c, struct hs_time when)
{
    return (struct hs_issuer){.node = node_author(c, when), .incarnation = 1};
}

/* The whole redemption: the receipt for the trip's coupon. */
static inline Hanse__SignedObject *redeem(struct cast *c, const struct trip *t, struct hs_time when)
{
    struct hs_amount discount;
    assert_ok(hs_order_discount(&t->order, &t->coupon.coupon.id, &discount));
    Hanse__SignedObject *request = ask_reserve(c, t, present(c, t, &c->kim, when), discount.minor, when),
                        *commit;
    struct hs_issuer by = issuer(c, when);
    struct hs_unit unit = {0};
    struct hs_issuer_answer answer;
    assert_ok(hs_issuer_reserve(&by, &c->chain, &t->coupon.def, &unit, request, &c->arena, &answer));
    assert_int_equal(answer.refused, HS_OK);
    struct hs_reservation reservation;
    assert_ok(hs_reservation_open(&c->chain, answer.reply, &answer.request_id, &answer.rid, &c->arena,
                                  &reservation));
    struct hs_author till = author(&c->till, when);
    assert_ok(hs_commit_build(&till, &reservation, &t->order.id, &discount, &c->arena, &commit));
    unit = answer.next;
    assert_ok(hs_issuer_commit(&by, &c->chain, &t->coupon.coupon.id, &unit, commit, &c->arena, &answer));
    assert_int_equal(answer.refused, HS_OK);
    assert_int_equal(answer.next.state, HS_UNIT_REDEEMED);
    return answer.reply;
}

/* A till's next event of a thread. */
static inline Hanse__SignedObject *event(struct cast *c, const struct hs_order_thread *thread,
                                         const struct hs_order *order, struct hs_order_step step,
                                         struct hs_time when)
{
    struct hs_author by = author(&c->till, when);
    Hanse__SignedObject *obj;
    assert_ok(hs_order_event_build(&by, thread, order, &step, &c->arena, &obj));
    return obj;
}

#endif
