/* An order's lines, its file, and the check of such a file. */
#include "api/handle.h"

#include "crypto/selftest.h"
#include "deal/export.h"
#include "store/deals.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>

static enum hs_err line_look(struct hs_step *s, const struct hs_id *id, uint32_t index,
                             struct hanse_order_line *out)
{
    struct hs_order_row row;
    struct hs_offer_row offer;
    struct hs_id offer_id;
    Hanse__SignedObject *object;
    Hanse__OrderRequest *order;
    HS_REQUIRE(hs_order_row_get(s->kv, id, s->arena, &row), HS_ERR_NOT_FOUND);
    HS_TRY(hs_object_unpack(row.proved.object, s->arena, &object));
    HS_TRY(HS_UNPACK(hanse__order_request, hs_pb_bytes(object->payload), HS_STRICT, s->arena, &order));
    HS_REQUIRE(index < order->n_lines, HS_ERR_NOT_FOUND);
    *out = (struct hanse_order_line){.quantity = order->lines[index]->quantity};
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(order->lines[index]->offer_id), &offer_id), HS_ERR_STORE);
    memcpy(out->offer.b, offer_id.b, sizeof out->offer.b);
    if (hs_offer_row_get(s->kv, &offer_id, s->arena, &offer)) {
        memcpy(out->title, offer.title, sizeof out->title);
        out->price_minor = offer.price;
    }
    if (order->expected == NULL || index >= order->expected->n_lines)
        return s->kv->err;
    const Hanse__LineTotal *total = order->expected->lines[index];
    out->subtotal_minor = total->subtotal != NULL ? total->subtotal->minor : 0;
    out->discount_minor = total->discount != NULL ? total->discount->minor : 0;
    out->total_minor = total->total != NULL ? total->total->minor : 0;
    return s->kv->err;
}

enum hanse_err hanse_order_line(struct hanse *h, const struct hanse_id *order, uint32_t index,
                                struct hanse_order_line *out)
{
    struct hs_step s;
    struct hs_id id = hs_api_id(order);
    enum hs_err err = hs_api_look(h, &s);
    return err == HS_OK ? hs_api_looked(h, line_look(&s, &id, index, out)) : (enum hanse_err)err;
}

enum hanse_err hanse_order_export(struct hanse *h, const struct hanse_id *order, const uint8_t **bytes,
                                  size_t *len)
{
    struct hs_step s;
    struct hs_id id = hs_api_id(order);
    struct hs_bytes out;
    enum hs_err err = hs_api_look(h, &s);
    if (err != HS_OK)
        return (enum hanse_err)err;
    err = hs_sync_export(&s, &id, &h->shown, &out);
    if (err == HS_OK) {
        *bytes = out.data;
        *len = out.len;
    }
    return hs_api_looked(h, err);
}

/* ---- checking a file ---- */

_Static_assert((int)HANSE_REPORT_LINES_MAX >= (int)HS_ORDER_LINES_MAX &&
                   (int)HANSE_REPORT_SIGNERS_MAX >= (int)HS_EXPORT_SIGNERS_MAX,
               "a report holds what an export may");

static enum hanse_order_state state_out(enum hs_order_state state)
{
    static const enum hanse_order_state states[HS_ORDER_STATE_COUNT] = {
        [HS_ORDER_NONE] = HANSE_ORDER_DRAFT,          [HS_ORDER_PLACED] = HANSE_ORDER_PLACED,
        [HS_ORDER_ACCEPTED] = HANSE_ORDER_ACCEPTED,   [HS_ORDER_REJECTED] = HANSE_ORDER_REJECTED,
        [HS_ORDER_CANCELLED] = HANSE_ORDER_CANCELLED, [HS_ORDER_CLOSED] = HANSE_ORDER_CLOSED,
    };
    return states[state];
}

static void lines_out(const struct hs_export_report *in, struct hanse_report *out)
{
    for (size_t i = 0; i < in->line_count && i < HANSE_REPORT_LINES_MAX; i++) {
        const struct hs_export_line *line = &in->lines[i];
        struct hanse_order_line *to = &out->lines[out->line_count++];
        snprintf(to->title, sizeof to->title, "%s", line->title);
        to->quantity = line->quantity;
        to->price_minor = line->price.minor;
        to->subtotal_minor = line->subtotal.minor;
        to->discount_minor = line->discount.minor;
        to->total_minor = line->total.minor;
    }
}

static void signers_out(const struct hs_export_report *in, struct hanse_report *out)
{
    for (size_t i = 0; i < in->signer_count && i < HANSE_REPORT_SIGNERS_MAX; i++) {
        const struct hs_actor *actor = &in->signers[i].actor;
        struct hanse_report_signer *to = &out->signers[out->signer_count++];
        bool node = hs_key_equal(&actor->key, &actor->device);
        const char *role = actor->role != HANSE__ROLE__ROLE_NONE ? hs_role_name(actor->role)
                           : node                                ? "node"
                                                                 : "customer";
        snprintf(to->role, sizeof to->role, "%s", role);
        snprintf(to->part, sizeof to->part, "%s", in->signers[i].part);
        memcpy(to->key.b, actor->key.b, sizeof to->key.b);
        to->from_ms = actor->from.ms;
        to->until_ms = actor->until.ms;
    }
}

static void report_out(const struct hs_export_report *in, struct hanse_report *out)
{
    memcpy(out->root.b, in->root.b, sizeof out->root.b);
    memcpy(out->order.b, in->order_id.b, sizeof out->order.b);
    memcpy(out->customer.b, in->customer.b, sizeof out->customer.b);
    memcpy(out->domain, in->domain, sizeof in->domain);
    memcpy(out->currency, in->total.currency, sizeof in->total.currency);
    out->root_pinned = in->root_pinned;
    out->state = state_out(in->state);
    out->reason = in->reason_code != 0 ? (enum hanse_err)hs_err_from_wire(in->reason_code) : HANSE_OK;
    out->placed_ms = in->placed_at.ms;
    out->decided_ms = in->accepted_at.ms;
    out->exported_ms = in->exported_at.ms;
    out->subtotal_minor = in->subtotal.minor;
    out->discount_minor = in->discount.minor;
    out->tax_minor = in->tax.minor;
    out->total_minor = in->total.minor;
    lines_out(in, out);
    signers_out(in, out);
    if (in->has_coupon) {
        struct hanse_report_discount *discount = &out->discounts[out->discount_count++];
        memcpy(discount->coupon.b, in->coupon_id.b, sizeof discount->coupon.b);
        discount->amount_minor = in->discount.minor;
        discount->redeemed = in->accepted_at.ms > 0;
    }
}

enum hanse_err hanse_verify(const uint8_t *bytes, size_t len, const struct hanse_id *root,
                            struct hanse_report **out)
{
    struct hs_arena HS_ARENA arena = hs_arena((size_t)64 << 20);
    struct hs_key pinned = root != NULL ? hs_api_key(root) : (struct hs_key){0};
    struct hs_export_report *report = hs_arena_alloc(&arena, sizeof *report);
    enum hs_err err = report != NULL ? hs_crypto_init() : HS_ERR_NOMEM;
    if (err == HS_OK)
        err = hs_export_verify(hs_bytes(bytes, len), root != NULL ? &pinned : NULL, &arena, report);
    if (err != HS_OK)
        return (enum hanse_err)err;
    struct hanse_report *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HANSE_ERR_NOMEM;
    report_out(report, made);
    *out = made;
    return HANSE_OK;
}

void hanse_report_free(struct hanse_report *report)
{
    free(report);
}
