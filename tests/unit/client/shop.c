#include "shop.h"

#include "identity/grant.h"

/* The owner would be a till, too, and customers might be sent to them. */
static const uint32_t merchant =
                          HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT) | HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF),
                      till_role = HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL);

struct hs_id shop_done_id(const struct town_device *d, uint64_t op)
{
    struct hs_id id;
    const struct hanse_event *done = town_done(d, op);
    assert_non_null(done);
    if (done->err != HANSE_OK)
        fail_msg("op %d: %s", (int)op, hs_err_name((enum hs_err)done->err));
    memcpy(id.b, done->id.b, sizeof id.b);
    return id;
}

struct hs_id shop_offer(struct shop *shop, const char *sku, int64_t price)
{
    struct hanse_offer_spec spec = {
        .sku = sku, .title = "Rose soap", .currency = "EUR", .price_minor = price, .tax_bp = 1900};
    uint64_t op;
    TOWN_WANT(shop->alice, hs_want_offer(&s, &shop->room, &spec, &op));
    town_run(shop->t);
    return shop_done_id(shop->alice, op);
}

void shop_open(struct shop *shop, uint32_t percent_bp)
{
    *shop = (struct shop){.t = town_new()};
    shop->rosa = town_node_new(shop->t, "rosa.example");
    shop->alice = town_member_of_staff(shop->rosa, "rosa", merchant);
    shop->till = town_member_of_staff(shop->rosa, "till", till_role);
    TOWN_WANT(shop->till, hs_want_till(&s, true));
    shop->room = town_room(shop->alice, "VIP");
    shop->ben = town_guest(shop->t, "Ben", town_link(shop->alice, &shop->room, 5));
    shop->offer = shop_offer(shop, "soap", 1290);
    struct hanse_campaign_spec spec = {.percent_bp = percent_bp, .limit_total = 1};
    uint64_t op;
    TOWN_WANT(shop->alice, hs_want_campaign(&s, &shop->room, &spec, &op));
    town_run(shop->t);
    shop->campaign = shop_done_id(shop->alice, op);
}

void shop_claim(struct shop *shop)
{
    uint64_t op;
    TOWN_WANT(shop->ben, hs_want_claim(&s, &shop->campaign, &op));
    town_run(shop->t);
    shop->coupon = shop_done_id(shop->ben, op);
}

struct hs_order_row shop_order_row(struct town_device *d, const struct hs_id *id)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_order_row row;
    assert_true(hs_order_row_get(town_look(d), id, &arena, &row));
    town_looked(d);
    return row;
}

struct hs_coupon_row shop_coupon_row(struct town_device *d, const struct hs_id *id)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_coupon_row row;
    assert_true(hs_coupon_row_get(town_look(d), id, &arena, &row));
    town_looked(d);
    return row;
}

int32_t shop_refused_for(struct town_device *d, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    struct hs_kv *kv = town_look(d);
    struct hs_message_row row;
    int32_t err = 0;
    for (uint64_t seq = 0; hs_message_next(kv, room, seq, &arena, &row); seq = row.seq + 1)
        if (row.kind == HANSE_MESSAGE_REFUSED)
            err = row.err;
    town_looked(d);
    return err;
}
