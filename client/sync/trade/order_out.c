/* An order that has gone out of a counter which its customer has left on this device alone: it isn't sent
 * again, nobody waits for it, and a refusal that comes later gives its coupon back. */
#include "sync/trade/trade.h"

static bool is_out(const struct hs_outbox_row *row)
{
    return row->kind == HS_OUTBOX_ORDER_OUT;
}

/* How many are kept, and the first of them. One row at a time: others of the outbox may be large. */
static size_t out_count(struct hs_step *s, uint64_t *first)
{
    struct hs_kv_key cursor = {0};
    size_t count = 0;
    *first = 0;
    for (bool more = true; more;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        more = hs_outbox_row_next(s->kv, &cursor, &scratch, &row);
        if (!more || !is_out(&row))
            continue;
        *first = count++ == 0 ? row.number : *first;
    }
    return count;
}

enum hs_err hs_order_out_keep(struct hs_step *s, const struct hs_outbox_row *row)
{
    struct hs_order_row order;
    uint64_t first;
    if (!hs_order_is_posted(s, row->content, &order))
        return s->kv->err;
    if (out_count(s, &first) >= HS_ORDERS_OUT_MAX)
        hs_outbox_row_delete(s->kv, first);
    struct hs_outbox_row kept = {.number = row->number,
                                 .kind = HS_OUTBOX_ORDER_OUT,
                                 .room = row->room,
                                 .body_hash = row->body_hash,
                                 .epoch = row->epoch,
                                 .content = row->content,
                                 .sent = true};
    hs_outbox_row_put(s->kv, &kept);
    return s->kv->err;
}

enum hs_err hs_order_out_refused(struct hs_step *s, const struct hs_outbox_row *row)
{
    hs_outbox_row_delete(s->kv, row->number);
    return hs_order_post_refused(s, row->content, HS_ERR_NOT_MEMBER);
}

enum hs_err hs_order_out_answered(struct hs_step *s, const struct hs_outbox_row *row, bool in_log)
{
    if (in_log)
        hs_outbox_row_delete(s->kv, row->number);
    return s->kv->err;
}
