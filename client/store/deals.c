#include "store/deals.h"

#include "store/tables.h"

static const struct hs_field offer_fields[] = {
    HS_FIELD(FIXED, struct hs_offer_row, id),           HS_FIELD(FIXED, struct hs_offer_row, room),
    HS_FIELD(FIXED, struct hs_offer_row, root),         HS_FIELD(BYTES, struct hs_offer_row, proved.object),
    HS_FIELD(BYTES, struct hs_offer_row, proved.chain), HS_FIELD(FIXED, struct hs_offer_row, seller.key),
    HS_FIELD(TEXT, struct hs_offer_row, seller.handle), HS_FIELD(TEXT, struct hs_offer_row, seller.name),
    HS_FIELD(TEXT, struct hs_offer_row, sku),           HS_FIELD(TEXT, struct hs_offer_row, title),
    HS_FIELD(TEXT, struct hs_offer_row, currency),      HS_FIELD(U64, struct hs_offer_row, price),
    HS_FIELD(BOOL, struct hs_offer_row, includes_tax),  HS_FIELD(U32, struct hs_offer_row, tax_bp),
    HS_FIELD(U64, struct hs_offer_row, from),           HS_FIELD(U64, struct hs_offer_row, until),
};
static const struct hs_row_type offer_type = HS_ROW_TYPE(HS_TABLE_OFFER, struct hs_offer_row, offer_fields);

static const struct hs_field campaign_fields[] = {
    HS_FIELD(FIXED, struct hs_campaign_row, id),
    HS_FIELD(FIXED, struct hs_campaign_row, room),
    HS_FIELD(FIXED, struct hs_campaign_row, root),
    HS_FIELD(BYTES, struct hs_campaign_row, proved.object),
    HS_FIELD(BYTES, struct hs_campaign_row, proved.chain),
    HS_FIELD(FIXED, struct hs_campaign_row, issuer.key),
    HS_FIELD(TEXT, struct hs_campaign_row, issuer.handle),
    HS_FIELD(TEXT, struct hs_campaign_row, issuer.name),
    HS_FIELD(TEXT, struct hs_campaign_row, title),
    HS_FIELD(TEXT, struct hs_campaign_row, currency),
    HS_FIELD(U32, struct hs_campaign_row, percent_bp),
    HS_FIELD(U32, struct hs_campaign_row, limit_total),
    HS_FIELD(U64, struct hs_campaign_row, amount),
    HS_FIELD(U64, struct hs_campaign_row, from),
    HS_FIELD(U64, struct hs_campaign_row, until),
};
static const struct hs_row_type campaign_type =
    HS_ROW_TYPE(HS_TABLE_CAMPAIGN, struct hs_campaign_row, campaign_fields);

static const struct hs_field claim_fields[] = {
    HS_FIELD(BYTES, struct hs_claim_row, request),
    HS_FIELD(BOOL, struct hs_claim_row, done),
    HS_FIELD(FIXED, struct hs_claim_row, coupon),
};
static const struct hs_row_type claim_type = HS_ROW_TYPE(HS_TABLE_CLAIM, struct hs_claim_row, claim_fields);

static const struct hs_field coupon_fields[] = {
    HS_FIELD(FIXED, struct hs_coupon_row, id),
    HS_FIELD(FIXED, struct hs_coupon_row, campaign),
    HS_FIELD(FIXED, struct hs_coupon_row, room),
    HS_FIELD(FIXED, struct hs_coupon_row, order),
    HS_FIELD(BYTES, struct hs_coupon_row, proved.object),
    HS_FIELD(BYTES, struct hs_coupon_row, proved.chain),
    HS_FIELD(U32, struct hs_coupon_row, state),
    HS_FIELD(U32, struct hs_coupon_row, unit_no),
    HS_FIELD(TEXT, struct hs_coupon_row, title),
    HS_FIELD(U64, struct hs_coupon_row, until),
};
static const struct hs_row_type coupon_type =
    HS_ROW_TYPE(HS_TABLE_COUPON, struct hs_coupon_row, coupon_fields);

static const struct hs_field order_fields[] = {
    HS_FIELD(FIXED, struct hs_order_row, id),           HS_FIELD(FIXED, struct hs_order_row, room),
    HS_FIELD(FIXED, struct hs_order_row, root),         HS_FIELD(BYTES, struct hs_order_row, proved.object),
    HS_FIELD(BYTES, struct hs_order_row, proved.chain), HS_FIELD(U32, struct hs_order_row, state),
    HS_FIELD(U32, struct hs_order_row, reason),         HS_FIELD(BOOL, struct hs_order_row, own),
    HS_FIELD(FIXED, struct hs_order_row, customer.key), HS_FIELD(TEXT, struct hs_order_row, customer.handle),
    HS_FIELD(TEXT, struct hs_order_row, customer.name), HS_FIELD(TEXT, struct hs_order_row, currency),
    HS_FIELD(U64, struct hs_order_row, subtotal),       HS_FIELD(U64, struct hs_order_row, discount),
    HS_FIELD(U64, struct hs_order_row, total),          HS_FIELD(U64, struct hs_order_row, placed),
    HS_FIELD(U64, struct hs_order_row, seen),           HS_FIELD(U32, struct hs_order_row, lines),
    HS_FIELD(U32, struct hs_order_row, receipts),       HS_FIELD(U32, struct hs_order_row, next_seq),
    HS_FIELD(BOOL, struct hs_order_row, done),
};
static const struct hs_row_type order_type = HS_ROW_TYPE(HS_TABLE_ORDER, struct hs_order_row, order_fields);

static const struct hs_field redeem_fields[] = {
    HS_FIELD(FIXED, struct hs_redeem_row, coupon),       HS_FIELD(BYTES, struct hs_redeem_row, question),
    HS_FIELD(BYTES, struct hs_redeem_row, presentation), HS_FIELD(BYTES, struct hs_redeem_row, holder_chain),
    HS_FIELD(BYTES, struct hs_redeem_row, request),      HS_FIELD(BYTES, struct hs_redeem_row, reservation),
    HS_FIELD(BYTES, struct hs_redeem_row, commit),       HS_FIELD(BYTES, struct hs_redeem_row, redemption),
    HS_FIELD(BYTES, struct hs_redeem_row, node_chain),   HS_FIELD(U64, struct hs_redeem_row, asked),
    HS_FIELD(U64, struct hs_redeem_row, incarnation),
};
static const struct hs_row_type redeem_type = HS_ROW_TYPE(HS_TABLE_STEP, struct hs_redeem_row, redeem_fields);

static const struct hs_field shown_fields[] = {
    HS_FIELD(U64, struct hs_shown_row, seen),       HS_FIELD(U64, struct hs_shown_row, shown),
    HS_FIELD(U32, struct hs_shown_row, phase),      HS_FIELD(BYTES, struct hs_shown_row, from),
    HS_FIELD(U32, struct hs_shown_row, next_phase), HS_FIELD(BYTES, struct hs_shown_row, next),
    HS_FIELD(U64, struct hs_shown_row, begun),      HS_FIELD(U64, struct hs_shown_row, again),
};
static const struct hs_row_type shown_type = HS_ROW_TYPE(HS_TABLE_SHOWN, struct hs_shown_row, shown_fields);

static const struct hs_field counter_fields[] = {
    HS_FIELD(FIXED, struct hs_counter_row, room),
    HS_FIELD(BOOL, struct hs_counter_row, open),
    HS_FIELD(BYTES, struct hs_counter_row, key_package),
    HS_FIELD(U64, struct hs_counter_row, asked),
};
static const struct hs_row_type counter_type =
    HS_ROW_TYPE(HS_TABLE_COUNTER, struct hs_counter_row, counter_fields);

static const struct hs_field event_fields[] = {
    HS_FIELD(BYTES, struct hs_proved, object),
    HS_FIELD(BYTES, struct hs_proved, chain),
};
static const struct hs_row_type event_type = HS_ROW_TYPE(HS_TABLE_EVENT, struct hs_proved, event_fields);

bool hs_offer_row_get(struct hs_kv *kv, const struct hs_id *id, struct hs_arena *arena,
                      struct hs_offer_row *out)
{
    return hs_row_get(kv, &offer_type, HS_VIEW(*id), arena, out);
}

bool hs_offer_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                       struct hs_offer_row *out)
{
    return hs_row_next(kv, &offer_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

void hs_offer_row_put(struct hs_kv *kv, const struct hs_offer_row *row)
{
    hs_row_put(kv, &offer_type, HS_VIEW(row->id), row);
}

bool hs_campaign_row_get(struct hs_kv *kv, const struct hs_id *id, struct hs_arena *arena,
                         struct hs_campaign_row *out)
{
    return hs_row_get(kv, &campaign_type, HS_VIEW(*id), arena, out);
}

bool hs_campaign_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                          struct hs_campaign_row *out)
{
    return hs_row_next(kv, &campaign_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

void hs_campaign_row_put(struct hs_kv *kv, const struct hs_campaign_row *row)
{
    hs_row_put(kv, &campaign_type, HS_VIEW(row->id), row);
}

bool hs_coupon_row_get(struct hs_kv *kv, const struct hs_id *id, struct hs_arena *arena,
                       struct hs_coupon_row *out)
{
    return hs_row_get(kv, &coupon_type, HS_VIEW(*id), arena, out);
}

bool hs_coupon_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                        struct hs_coupon_row *out)
{
    return hs_row_next(kv, &coupon_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

void hs_coupon_row_put(struct hs_kv *kv, const struct hs_coupon_row *row)
{
    hs_row_put(kv, &coupon_type, HS_VIEW(row->id), row);
}

bool hs_order_row_get(struct hs_kv *kv, const struct hs_id *id, struct hs_arena *arena,
                      struct hs_order_row *out)
{
    return hs_row_get(kv, &order_type, HS_VIEW(*id), arena, out);
}

bool hs_order_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                       struct hs_order_row *out)
{
    return hs_row_next(kv, &order_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

void hs_order_row_put(struct hs_kv *kv, const struct hs_order_row *row)
{
    hs_row_put(kv, &order_type, HS_VIEW(row->id), row);
    if (row->own || row->done)
        hs_kv_del(kv, HS_TABLE_OPEN, HS_VIEW(row->id));
    else
        hs_kv_put(kv, HS_TABLE_OPEN, HS_VIEW(row->id), hs_bytes_str("1"));
}

bool hs_open_order_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_id *id)
{
    struct hs_arena HS_ARENA scratch = hs_arena(4096);
    struct hs_bytes key, value;
    if (!hs_kv_next(kv, HS_TABLE_OPEN, (struct hs_bytes){0}, hs_kv_key_bytes(cursor), &scratch, &key,
                    &value) ||
        !HS_FIXED(key, id))
        return false;
    *cursor = hs_kv_after(key);
    return true;
}

bool hs_claim_row_get(struct hs_kv *kv, const struct hs_id *campaign, struct hs_arena *arena,
                      struct hs_claim_row *out)
{
    return hs_row_get(kv, &claim_type, HS_VIEW(*campaign), arena, out);
}

void hs_claim_row_delete(struct hs_kv *kv, const struct hs_id *campaign)
{
    hs_kv_del(kv, HS_TABLE_CLAIM, HS_VIEW(*campaign));
}

void hs_claim_row_put(struct hs_kv *kv, const struct hs_id *campaign, const struct hs_claim_row *row)
{
    hs_row_put(kv, &claim_type, HS_VIEW(*campaign), row);
}

bool hs_event_row_get(struct hs_kv *kv, const struct hs_id *order, uint32_t seq, struct hs_arena *arena,
                      struct hs_proved *out)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*order), seq);
    return hs_row_get(kv, &event_type, hs_kv_key_bytes(&key), arena, out);
}

void hs_event_row_put(struct hs_kv *kv, const struct hs_id *order, uint32_t seq,
                      const struct hs_proved *event)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*order), seq);
    hs_row_put(kv, &event_type, hs_kv_key_bytes(&key), event);
}

bool hs_redeem_row_get(struct hs_kv *kv, const struct hs_id *order, struct hs_arena *arena,
                       struct hs_redeem_row *out)
{
    return hs_row_get(kv, &redeem_type, HS_VIEW(*order), arena, out);
}

void hs_redeem_row_put(struct hs_kv *kv, const struct hs_id *order, const struct hs_redeem_row *row)
{
    hs_row_put(kv, &redeem_type, HS_VIEW(*order), row);
}

bool hs_redeem_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                        struct hs_id *order, struct hs_redeem_row *out)
{
    struct hs_bytes key;
    return hs_row_next(kv, &redeem_type, (struct hs_bytes){0}, cursor, arena, &key, out) &&
           HS_FIXED(key, order);
}

bool hs_shown_row_get(struct hs_kv *kv, const struct hs_key *root, struct hs_arena *arena,
                      struct hs_shown_row *out)
{
    return hs_row_get(kv, &shown_type, HS_VIEW(*root), arena, out);
}

bool hs_shown_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                       struct hs_key *root, struct hs_shown_row *out)
{
    struct hs_bytes key;
    return hs_row_next(kv, &shown_type, (struct hs_bytes){0}, cursor, arena, &key, out) &&
           HS_FIXED(key, root);
}

void hs_shown_row_put(struct hs_kv *kv, const struct hs_key *root, const struct hs_shown_row *row)
{
    hs_row_put(kv, &shown_type, HS_VIEW(*root), row);
}

bool hs_counter_row_get(struct hs_kv *kv, const struct hs_key *root, const struct hs_key *customer,
                        struct hs_arena *arena, struct hs_counter_row *out)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*root), HS_VIEW(*customer));
    return hs_row_get(kv, &counter_type, hs_kv_key_bytes(&key), arena, out);
}

bool hs_counter_row_next(struct hs_kv *kv, const struct hs_key *root, struct hs_kv_key *cursor,
                         struct hs_arena *arena, struct hs_key *customer, struct hs_counter_row *out)
{
    struct hs_bytes key;
    if (!hs_row_next(kv, &counter_type, HS_VIEW(*root), cursor, arena, &key, out))
        return false;
    return HS_FIXED(hs_bytes(key.data + sizeof root->b, key.len - sizeof root->b), customer);
}

void hs_counter_row_put(struct hs_kv *kv, const struct hs_key *root, const struct hs_key *customer,
                        const struct hs_counter_row *row)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*root), HS_VIEW(*customer));
    hs_row_put(kv, &counter_type, hs_kv_key_bytes(&key), row);
}
