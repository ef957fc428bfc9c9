/* Making and opening an order. */
#include "deal/order.h"

#include "deal/pricing.h"
#include "deal/rules.h"

const struct hs_order_coupon *hs_order_refs_coupon(const struct hs_order_refs *refs, const struct hs_id *id)
{
    for (size_t i = 0; i < refs->coupon_count; i++)
        if (hs_id_equal(&refs->coupons[i].coupon.id, id))
            return &refs->coupons[i];
    return NULL;
}

/* --- making --- */

enum hs_err hs_order_draft_price(const struct hs_order_draft *draft, struct hs_arena *arena,
                                 Hanse__Totals **out)
{
    *out = NULL;
    HS_REQUIRE(draft->line_count <= HS_ORDER_LINES_MAX, HS_ERR_ORDER_INVALID);
    HS_REQUIRE(draft->coupon_count <= HS_ORDER_DISCOUNTS_MAX, HS_ERR_ORDER_INVALID);
    struct hs_price_line lines[HS_ORDER_LINES_MAX];
    struct hs_price_coupon coupons[HS_ORDER_DISCOUNTS_MAX];
    for (size_t i = 0; i < draft->line_count; i++)
        lines[i] = (struct hs_price_line){.offer_id = draft->lines[i].offer->id,
                                          .offer = draft->lines[i].offer->msg,
                                          .quantity = draft->lines[i].quantity};
    for (size_t i = 0; i < draft->coupon_count; i++)
        coupons[i] = (struct hs_price_coupon){.coupon_id = draft->coupons[i].coupon.id,
                                              .def = draft->coupons[i].def.msg};
    return hs_price(lines, draft->line_count, coupons, draft->coupon_count, arena, out);
}

static enum hs_err lines_write(const struct hs_order_draft *draft, struct hs_arena *arena,
                               Hanse__OrderRequest *msg)
{
    Hanse__OrderLine *lines = hs_arena_alloc(arena, draft->line_count * sizeof *lines);
    msg->lines = hs_arena_alloc(arena, draft->line_count * sizeof *msg->lines);
    msg->coupon_ids = hs_arena_alloc(arena, (draft->coupon_count + 1) * sizeof *msg->coupon_ids);
    HS_REQUIRE(lines != NULL && msg->lines != NULL && msg->coupon_ids != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < draft->line_count; i++) {
        hanse__order_line__init(&lines[i]);
        lines[i].offer_id = hs_pb_data(HS_VIEW(draft->lines[i].offer->id));
        lines[i].quantity = draft->lines[i].quantity;
        msg->lines[msg->n_lines++] = &lines[i];
    }
    for (size_t i = 0; i < draft->coupon_count; i++)
        msg->coupon_ids[msg->n_coupon_ids++] = hs_pb_data(HS_VIEW(draft->coupons[i].coupon.id));
    return HS_OK;
}

enum hs_err hs_order_build(const struct hs_author *author, const struct hs_key *merchant_root,
                           const struct hs_order_draft *draft, struct hs_arena *arena,
                           Hanse__SignedObject **out)
{
    *out = NULL;
    const char *note = draft->note == NULL ? "" : draft->note;
    HS_REQUIRE(hs_rule_text(note, HS_TEXT_MAX), HS_ERR_INVALID_ARG);
    Hanse__OrderRequest msg = HANSE__ORDER_REQUEST__INIT;
    HS_TRY(hs_order_draft_price(draft, arena, &msg.expected));
    HS_TRY(lines_write(draft, arena, &msg));
    msg.note = (char *)(uintptr_t)note;
    struct hs_hdr_spec spec = {.audience = HS_VIEW(*merchant_root), .not_after = draft->not_after};
    return hs_object_make(HS_KIND_ORDER_REQUEST, &msg.base, author, &spec, arena, out);
}

/* --- opening --- */

static enum hs_err coupons_check(const Hanse__OrderRequest *msg)
{
    HS_REQUIRE(msg->n_coupon_ids <= HS_ORDER_DISCOUNTS_MAX, HS_ERR_ORDER_INVALID);
    for (size_t i = 0; i < msg->n_coupon_ids; i++) {
        HS_REQUIRE(msg->coupon_ids[i].len == HS_HASH_LEN, HS_ERR_ORDER_INVALID);
        for (size_t j = 0; j < i; j++)
            HS_REQUIRE(!hs_bytes_equal(hs_pb_bytes(msg->coupon_ids[i]), hs_pb_bytes(msg->coupon_ids[j])),
                       HS_ERR_ORDER_INVALID);
    }
    return HS_OK;
}

static enum hs_err order_shape(const struct hs_key *root, const Hanse__OrderRequest *msg)
{
    HS_REQUIRE(hs_hdr_is_for(msg->hdr, root), HS_ERR_ORDER_INVALID);
    HS_REQUIRE(msg->n_lines > 0 && msg->n_lines <= HS_ORDER_LINES_MAX, HS_ERR_ORDER_INVALID);
    for (size_t i = 0; i < msg->n_lines; i++)
        HS_REQUIRE(msg->lines[i]->offer_id.len == HS_HASH_LEN, HS_ERR_ORDER_INVALID);
    HS_TRY(coupons_check(msg));
    HS_REQUIRE(msg->expected != NULL && hs_rule_text(msg->note, HS_TEXT_MAX), HS_ERR_ORDER_INVALID);
    return HS_OK;
}

enum hs_err hs_order_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                          struct hs_order *out)
{
    struct hs_expect expect = {.kind = HS_KIND_ORDER_REQUEST};
    ProtobufCMessage *msg;
    struct hs_order order = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &msg, &order.signer));
    order.msg = (const Hanse__OrderRequest *)msg;
    HS_TRY(order_shape(&chain->root, order.msg));
    order.id = hs_object_id(obj);
    *out = order;
    return HS_OK;
}

enum hs_err hs_order_discount(const struct hs_order *order, const struct hs_id *coupon_id,
                              struct hs_amount *out)
{
    const Hanse__Totals *totals = order->msg->expected;
    for (size_t i = 0; i < totals->n_discounts; i++)
        if (hs_bytes_equal(hs_pb_bytes(totals->discounts[i]->coupon_id), HS_VIEW(*coupon_id)))
            return hs_amount_read(totals->discounts[i]->amount, out);
    return HS_ERR_ORDER_INVALID;
}
