#include "fuzz/shop.h"

#include "fuzz/cast.h"
#include "fuzz/fuzz.h"

static const int64_t hour_ms = 3600 * 1000;

static struct hs_author by_till(void)
{
    return cast_author(CAST_SHOP, CAST_TILL);
}

static struct hs_author by_phone(void)
{
    return cast_author(CAST_CUSTOMER, CAST_PHONE);
}

static struct hs_author by_node(void)
{
    return cast_author(CAST_NODE, CAST_NODE);
}

struct hs_issuer shop_issuer(void)
{
    return (struct hs_issuer){.node = by_node(), .incarnation = 1};
}

static Hanse__Amount *euros(struct shop *s, int64_t minor)
{
    struct hs_amount amount = {.currency = "EUR", .minor = minor};
    Hanse__Amount *out;
    FUZZ_OK(hs_amount_write(&amount, s->arena, &out));
    return out;
}

static char *text(const char *fixed)
{
    return (char *)(uintptr_t)fixed; /* protobuf-c's types don't say that packing only reads */
}

static void make_chain(struct shop *s)
{
    s->proofs[0] = cast_descriptor(s->arena);
    s->proofs[1] = cast_grant(s->arena, CAST_SHOP, HANSE__ROLE__ROLE_MERCHANT);
    s->proofs[2] = cast_grant(s->arena, CAST_SHOP, HANSE__ROLE__ROLE_TILL);
    s->proofs[3] = cast_certificate(s->arena, CAST_SHOP, CAST_TILL);
    s->proofs[4] = cast_certificate(s->arena, CAST_CUSTOMER, CAST_PHONE);
    FUZZ_OK(hs_chain_open(s->proofs, SHOP_CHAIN, &cast(CAST_ROOT)->pub, s->arena, &s->chain));
}

static void make_offers(struct shop *s)
{
    struct hs_author author = by_till();
    for (size_t i = 0; i < s->lines; i++) {
        Hanse__Offer msg = HANSE__OFFER__INIT;
        msg.title = text("Rose soap");
        msg.sku = text("R-1");
        msg.price = euros(s, 999 + 13 * (int64_t)i);
        msg.price_includes_tax = true;
        msg.tax_bp = i % 3 == 0 ? 700 : 1900;
        msg.not_before_ms = cast_at(-hour_ms).ms;
        FUZZ_OK(hs_offer_build(&msg, &author, cast_at(hour_ms), s->arena, &s->offer_objects[i]));
        FUZZ_OK(hs_offer_open(&s->chain, s->offer_objects[i], s->arena, &s->offers[i]));
    }
}

static void make_coupon(struct shop *s)
{
    struct hs_author till = by_till(), node = by_node(), phone = by_phone();
    Hanse__CouponDef msg = HANSE__COUPON_DEF__INIT;
    msg.kind = HANSE__COUPON_KIND__COUPON_PERCENT;
    msg.percent_bp = 1000;
    msg.max_discount = euros(s, 50000);
    msg.min_subtotal = euros(s, 500);
    msg.binding = HANSE__COUPON_BINDING__BINDING_HOLDER;
    msg.limit_total = 2;
    msg.limit_per_customer = 1;
    msg.not_before_ms = cast_at(-hour_ms).ms;
    msg.title = text("10 % off");
    FUZZ_OK(hs_coupon_def_build(&msg, &till, cast_at(hour_ms), s->arena, &s->def));
    FUZZ_OK(hs_coupon_def_open(&s->chain, s->def, s->arena, &s->unit.def));
    FUZZ_OK(hs_coupon_claim_build(&phone, &cast(CAST_ROOT)->pub, &s->unit.def.id, cast_at(hour_ms), s->arena,
                                  &s->claim));
    FUZZ_OK(hs_coupon_build(&node, &s->unit.def, 1, &cast(CAST_CUSTOMER)->pub, s->arena, &s->coupon));
    FUZZ_OK(hs_coupon_open(&s->chain, s->coupon, &s->unit.def, s->arena, &s->unit.coupon));
}

static void make_order(struct shop *s)
{
    struct hs_order_draft_line lines[SHOP_LINES_MAX];
    struct hs_author phone = by_phone();
    for (size_t i = 0; i < s->lines; i++)
        lines[i] = (struct hs_order_draft_line){&s->offers[i], 1 + i % 3};
    struct hs_order_draft draft = {
        .lines = lines, .line_count = s->lines, .coupons = &s->unit, .coupon_count = 1, .note = "Ring twice"};
    FUZZ_OK(hs_order_build(&phone, &cast(CAST_ROOT)->pub, &draft, s->arena, &s->order));
    FUZZ_OK(hs_order_open(&s->chain, s->order, s->arena, &s->opened));
    s->refs = (struct hs_order_refs){
        .offers = s->offers, .offer_count = s->lines, .coupons = &s->unit, .coupon_count = 1};
}

static void make_presentation(struct shop *s)
{
    struct hs_author till = by_till(), phone = by_phone();
    struct hs_presentation_request request;
    const struct hs_key *holder = &cast(CAST_CUSTOMER)->pub;
    FUZZ_OK(
        hs_presentation_request_build(&till, holder, &s->unit.coupon.id, &s->opened.id, s->arena, &s->asked));
    FUZZ_OK(hs_presentation_request_open(&s->chain, s->asked, holder, cast_at(0), s->arena, &request));
    FUZZ_OK(hs_presentation_build(&phone, &request, s->arena, &s->presentation));
}

static void make_redemption(struct shop *s)
{
    struct hs_author till = by_till();
    struct hs_issuer issuer = shop_issuer();
    struct hs_issuer_answer answer;
    struct hs_reservation reservation;
    struct hs_reserve_draft draft = {.coupon = s->coupon,
                                     .presentation = s->presentation,
                                     .coupon_id = &s->unit.coupon.id,
                                     .order_id = &s->opened.id,
                                     .root = &cast(CAST_ROOT)->pub,
                                     .min_met = true};
    FUZZ_OK(hs_order_discount(&s->opened, &s->unit.coupon.id, &draft.max_discount));
    FUZZ_OK(hs_reserve_request_build(&till, &draft, s->arena, &s->reserve));
    FUZZ_OK(
        hs_issuer_reserve(&issuer, &s->chain, &s->unit.def, &s->available, s->reserve, s->arena, &answer));
    FUZZ_OK(answer.refused);
    s->reservation = answer.reply;
    s->held = answer.next;
    FUZZ_OK(hs_reservation_open(&s->chain, s->reservation, &answer.request_id, &answer.rid, s->arena,
                                &reservation));
    FUZZ_OK(hs_release_build(&till, &reservation, s->arena, &s->release));
    FUZZ_OK(hs_commit_build(&till, &reservation, &s->opened.id, &draft.max_discount, s->arena, &s->commit));
    FUZZ_OK(hs_issuer_commit(&issuer, &s->chain, &s->unit.coupon.id, &s->held, s->commit, s->arena, &answer));
    FUZZ_OK(answer.refused);
    s->redemption = answer.reply;
    s->redeemed = answer.next;
}

/* The same unit, shown for another order. */
static void make_other(struct shop *s)
{
    const struct hs_order order = s->opened;
    Hanse__SignedObject *const asked = s->asked, *const presentation = s->presentation;
    struct hs_author till = by_till();
    s->opened.id.b[0] ^= 1;
    make_presentation(s);
    struct hs_reserve_draft draft = {.coupon = s->coupon,
                                     .presentation = s->presentation,
                                     .coupon_id = &s->unit.coupon.id,
                                     .order_id = &s->opened.id,
                                     .root = &cast(CAST_ROOT)->pub,
                                     .max_discount = {.currency = "EUR", .minor = 50},
                                     .min_met = true};
    FUZZ_OK(hs_reserve_request_build(&till, &draft, s->arena, &s->reserve_other));
    s->opened = order;
    s->asked = asked;
    s->presentation = presentation;
}

static void make_export(struct shop *s)
{
    struct hs_author till = by_till(), phone = by_phone();
    struct hs_order_thread thread = {0};
    struct hs_order_step place = {.type = HANSE__ORDER_EVENT_TYPE__ORDER_PLACED, .cause = s->order};
    struct hs_order_step accept = {
        .type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED, .receipts = &s->redemption, .receipt_count = 1};
    FUZZ_OK(hs_order_event_build(&till, &thread, &s->opened, &place, s->arena, &s->placed));
    FUZZ_OK(hs_order_event_apply(&thread, &s->chain, &s->refs, s->placed, s->arena));
    FUZZ_OK(hs_order_event_build(&till, &thread, NULL, &accept, s->arena, &s->accepted));
    Hanse__SignedObject *events[] = {s->placed, s->accepted};
    struct hs_export_parts parts = {.offers = s->offer_objects,
                                    .offer_count = s->lines,
                                    .coupon_defs = &s->def,
                                    .coupon_def_count = 1,
                                    .coupons = &s->coupon,
                                    .coupon_count = 1,
                                    .events = events,
                                    .event_count = 2,
                                    .chain = s->proofs,
                                    .chain_count = SHOP_CHAIN};
    FUZZ_OK(hs_export_build(&phone, &cast(CAST_ROOT)->pub, &parts, s->arena, &s->export_bytes));
}

void shop_make(struct shop *s, size_t lines, struct hs_arena *arena)
{
    HS_ASSERT(lines >= 1 && lines <= SHOP_LINES_MAX);
    *s = (struct shop){.arena = arena, .lines = lines};
    make_chain(s);
    make_offers(s);
    make_coupon(s);
    make_order(s);
    make_presentation(s);
    make_other(s);
    make_redemption(s);
    make_export(s);
}
