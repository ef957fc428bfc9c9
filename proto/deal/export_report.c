/* What an export says, for people. */
#include "deal/export_case.h"
#include "deal/rules.h"

static const struct hs_offer *offer_of(const struct hs_export_case *c, ProtobufCBinaryData id)
{
    for (size_t i = 0; i < c->refs.offer_count; i++)
        if (hs_bytes_equal(HS_VIEW(c->refs.offers[i].id), hs_pb_bytes(id)))
            return &c->refs.offers[i];
    return NULL;
}

static enum hs_err line_fill(const struct hs_export_case *c, size_t i, struct hs_export_line *line)
{
    const Hanse__OrderRequest *order = c->thread.order.msg;
    const Hanse__LineTotal *total = order->expected->lines[i];
    const struct hs_offer *offer = offer_of(c, order->lines[i]->offer_id);
    HS_REQUIRE(offer != NULL, HS_ERR_OFFER_UNKNOWN);
    line->title = offer->msg->title;
    line->quantity = order->lines[i]->quantity;
    HS_TRY(hs_amount_read(offer->msg->price, &line->price));
    HS_TRY(hs_amount_read(total->subtotal, &line->subtotal));
    HS_TRY(hs_amount_read(total->discount, &line->discount));
    return hs_amount_read(total->total, &line->total);
}

static enum hs_err totals_fill(const Hanse__Totals *totals, struct hs_export_report *r)
{
    HS_TRY(hs_amount_read(totals->subtotal, &r->subtotal));
    HS_TRY(hs_amount_read(totals->discount, &r->discount));
    HS_TRY(hs_amount_read(totals->total, &r->total));
    HS_TRY(hs_amount(r->total.currency, 0, &r->tax));
    for (size_t i = 0; i < totals->n_taxes; i++) {
        struct hs_amount tax;
        HS_TRY(hs_amount_read(totals->taxes[i]->amount, &tax));
        HS_TRY(hs_amount_add(&r->tax, &tax, &r->tax));
    }
    return HS_OK;
}

static void coupon_fill(const struct hs_export_case *c, struct hs_export_report *r)
{
    const Hanse__OrderRequest *order = c->thread.order.msg;
    if (order->n_coupon_ids == 0 || !hs_rule_id(order->coupon_ids[0], &r->coupon_id))
        return;
    const struct hs_order_coupon *coupon = hs_order_refs_coupon(&c->refs, &r->coupon_id);
    HS_ASSERT(coupon != NULL);
    r->has_coupon = true;
    r->coupon_title = coupon->def.msg->title;
}

enum hs_err hs_export_report_fill(struct hs_export_case *c, struct hs_arena *arena,
                                  struct hs_export_report *report)
{
    const struct hs_order_thread *thread = &c->thread;
    struct hs_export_report r = *report;
    memcpy(r.domain, hs_chain_descriptor(&c->chain)->domain, sizeof r.domain);
    r.root = c->chain.root;
    r.customer = thread->order.signer.key;
    r.order_id = thread->order.id;
    r.state = thread->state;
    r.placed_at = hs_hdr_created(thread->order.msg->hdr);
    r.accepted_at = thread->accepted_at;
    r.reason_code = thread->reason_code;
    r.reason = thread->reason;
    r.line_count = thread->order.msg->n_lines;
    r.lines = hs_arena_alloc(arena, r.line_count * sizeof *r.lines);
    HS_REQUIRE(r.lines != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < r.line_count; i++)
        HS_TRY(line_fill(c, i, &r.lines[i]));
    HS_TRY(totals_fill(thread->order.msg->expected, &r));
    coupon_fill(c, &r);
    memcpy(r.signers, c->signers, sizeof r.signers);
    r.signer_count = c->signer_count;
    *report = r;
    return HS_OK;
}
