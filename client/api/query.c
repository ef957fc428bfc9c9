/* What is here: rows as the public structs. Views point into the handle's arena. */
#include "api/handle.h"

#include "store/deals.h"
#include "store/me.h"
#include "store/posts.h"
#include "store/rooms.h"
#include "sync/log/hub_key.h"

_Static_assert((int)HS_ROOM_STATE_CREATING == (int)HANSE_ROOM_CREATING &&
                   (int)HS_ROOM_STATE_WAITING == (int)HANSE_ROOM_WAITING &&
                   (int)HS_ROOM_STATE_MEMBER == (int)HANSE_ROOM_MEMBER &&
                   (int)HS_ROOM_STATE_LEFT == (int)HANSE_ROOM_LEFT &&
                   (int)HS_ROOM_STATE_FROZEN == (int)HANSE_ROOM_FROZEN,
               "room states are stored as they are shown");
_Static_assert((int)HS_ROOM_OWNER == (int)HANSE_ROLE_OWNER &&
                   (int)HS_ROOM_LISTENER == (int)HANSE_ROLE_LISTENER,
               "roles are shown as they are on the wire");

#define COPY(out, in)                                                                                        \
    do {                                                                                                     \
        _Static_assert(sizeof(out) >= sizeof(in), "the public struct has room");                             \
        memcpy((out), (in), sizeof(in));                                                                     \
    } while (0)

static struct hanse_id id_out(const uint8_t *bytes)
{
    struct hanse_id id;
    memcpy(id.b, bytes, sizeof id.b);
    return id;
}

static struct hanse_person person_out(const struct hs_person *person)
{
    struct hanse_person out = {.key = id_out(person->key.b)};
    COPY(out.handle, person->handle);
    COPY(out.name, person->name);
    return out;
}

/* Where a listing goes on: behind *after, or at the start. */
static struct hs_kv_key cursor_after(const struct hanse_id *after)
{
    return after != NULL ? hs_kv_after(hs_bytes(after->b, sizeof after->b)) : (struct hs_kv_key){0};
}

static enum hs_err found(const struct hs_step *s, bool found_it)
{
    if (s->kv->err != HS_OK)
        return s->kv->err;
    return found_it ? HS_OK : HS_ERR_NOT_FOUND;
}

/* ---- who ---- */

static enum hs_err identity_look(struct hs_step *s, struct hanse_identity *out)
{
    struct hs_me me;
    struct hs_key persona;
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    *out = (struct hanse_identity){.exists = hs_me_get(s->kv, s->arena, &me)};
    if (!out->exists)
        return s->kv->err;
    out->has_home = me.has_home;
    out->has_account = me.has_account;
    out->moving = me.moving;
    COPY(out->self.name, me.name);
    COPY(out->self.handle, me.handle);
    if (me.has_home) {
        out->home_root = id_out(me.home_root.b);
        HS_TRY(hs_sync_persona(s->sync, &me.home_root, &persona));
        out->self.key = id_out(persona.b);
    }
    if (me.home_descriptor.len > 0) {
        HS_TRY(hs_object_unpack(me.home_descriptor, s->arena, &object));
        HS_TRY(hs_descriptor_open(object, &me.home_root, &d));
        COPY(out->home, d.domain);
    }
    hs_me_wipe(&me);
    return HS_OK;
}

enum hanse_err hanse_identity(struct hanse *h, struct hanse_identity *out)
{
    struct hs_step s;
    enum hs_err err = hs_api_look(h, &s);
    return err == HS_OK ? hs_api_looked(h, identity_look(&s, out)) : (enum hanse_err)err;
}

/* ---- rooms ---- */

static enum hs_err room_out(const struct hs_room_row *row, struct hanse_room *out)
{
    *out = (struct hanse_room){.id = id_out(row->id.b),
                               .kind = (enum hanse_room_kind)row->kind,
                               .state = (enum hanse_room_state)row->state,
                               .hub_root = id_out(row->hub_root.b),
                               .self = id_out(row->self.b),
                               .role = (enum hanse_role)row->role,
                               .next_seq = row->tip.next_seq,
                               .epoch = row->epoch,
                               .members = row->members,
                               .frozen = (enum hanse_err)row->frozen,
                               .waits = row->unmoved && row->state == HS_ROOM_STATE_MEMBER};
    COPY(out->name, row->name);
    return hs_office_domain(row, out->hub);
}

enum hanse_err hanse_room_next(struct hanse *h, const struct hanse_id *after, struct hanse_room *out)
{
    struct hs_step s;
    struct hs_room_row row;
    struct hs_kv_key cursor = cursor_after(after);
    enum hs_err err = hs_api_look(h, &s);
    if (err != HS_OK)
        return (enum hanse_err)err;
    err = found(&s, hs_room_next(s.kv, &cursor, s.arena, &row));
    if (err == HS_OK)
        err = room_out(&row, out);
    return hs_api_looked(h, err);
}

enum hanse_err hanse_room_get(struct hanse *h, const struct hanse_id *room, struct hanse_room *out)
{
    struct hs_step s;
    struct hs_room_row row;
    struct hs_id id = hs_api_id(room);
    enum hs_err err = hs_api_look(h, &s);
    if (err != HS_OK)
        return (enum hanse_err)err;
    err = found(&s, hs_room_get(s.kv, &id, s.arena, &row));
    if (err == HS_OK)
        err = room_out(&row, out);
    return hs_api_looked(h, err);
}

enum hanse_err hanse_member_next(struct hanse *h, const struct hanse_id *room, uint32_t from,
                                 struct hanse_member *out)
{
    struct hs_step s;
    struct hs_id id = hs_api_id(room);
    enum hs_err err = hs_api_look(h, &s);
    if (err != HS_OK)
        return (enum hanse_err)err;
    return hs_api_looked(h, hs_sync_member_next(&s, &id, &from, out));
}

/* ---- messages ---- */

static enum hs_err message_look(struct hs_step *s, const struct hs_id *room, uint64_t from, bool exactly,
                                struct hanse_message *out)
{
    struct hs_message_row row;
    HS_TRY(found(s, hs_message_next(s->kv, room, from, s->arena, &row)));
    HS_REQUIRE(!exactly || row.seq == from, HS_ERR_NOT_FOUND);
    char *text = hs_arena_str(s->arena, row.text);
    HS_REQUIRE(text != NULL, HS_ERR_NOMEM);
    *out = (struct hanse_message){.seq = row.seq,
                                  .time_ms = row.time.ms,
                                  .kind = (enum hanse_message_kind)row.kind,
                                  .err = (enum hanse_err)row.err,
                                  .own = row.own,
                                  .sender = person_out(&row.sender),
                                  .object = id_out(row.object.b),
                                  .text = text,
                                  .last = row.last,
                                  .missing = row.missing};
    return HS_OK;
}

enum hanse_err hanse_message_next(struct hanse *h, const struct hanse_id *room, uint64_t from,
                                  struct hanse_message *out)
{
    struct hs_step s;
    struct hs_id id = hs_api_id(room);
    enum hs_err err = hs_api_look(h, &s);
    return err == HS_OK ? hs_api_looked(h, message_look(&s, &id, from, false, out)) : (enum hanse_err)err;
}

enum hanse_err hanse_message_get(struct hanse *h, const struct hanse_id *room, uint64_t seq,
                                 struct hanse_message *out)
{
    struct hs_step s;
    struct hs_id id = hs_api_id(room);
    enum hs_err err = hs_api_look(h, &s);
    return err == HS_OK ? hs_api_looked(h, message_look(&s, &id, seq, true, out)) : (enum hanse_err)err;
}

enum hanse_err hanse_file_get(struct hanse *h, const struct hanse_id *room, uint64_t seq,
                              struct hanse_file *out)
{
    struct hs_step s;
    struct hs_id id = hs_api_id(room);
    enum hs_err err = hs_api_look(h, &s);
    return err == HS_OK ? hs_api_looked(h, hs_sync_file(&s, &id, seq, out)) : (enum hanse_err)err;
}

/* ---- deals: each has a row to show, a listing and a lookup ---- */

static void offer_out(struct hs_step *s, const struct hs_offer_row *row, struct hanse_offer *out)
{
    (void)s;
    *out = (struct hanse_offer){.id = id_out(row->id.b),
                                .room = id_out(row->room.b),
                                .seller = person_out(&row->seller),
                                .price_minor = row->price,
                                .price_includes_tax = row->includes_tax,
                                .tax_bp = row->tax_bp,
                                .from_ms = row->from,
                                .until_ms = row->until};
    COPY(out->sku, row->sku);
    COPY(out->title, row->title);
    COPY(out->currency, row->currency);
}

static void campaign_out(struct hs_step *s, const struct hs_campaign_row *row, struct hanse_campaign *out)
{
    struct hs_claim_row claim;
    *out = (struct hanse_campaign){.id = id_out(row->id.b),
                                   .room = id_out(row->room.b),
                                   .issuer = person_out(&row->issuer),
                                   .percent_bp = row->percent_bp,
                                   .amount_minor = row->amount,
                                   .from_ms = row->from,
                                   .until_ms = row->until,
                                   .limit_total = row->limit_total};
    COPY(out->title, row->title);
    COPY(out->currency, row->currency);
    out->claimed = hs_claim_row_get(s->kv, &row->id, s->arena, &claim) && claim.done;
}

static void coupon_out(struct hs_step *s, const struct hs_coupon_row *row, struct hanse_coupon *out)
{
    (void)s;
    *out = (struct hanse_coupon){.id = id_out(row->id.b),
                                 .campaign = id_out(row->campaign.b),
                                 .room = id_out(row->room.b),
                                 .state = (enum hanse_coupon_state)row->state,
                                 .unit_no = row->unit_no,
                                 .until_ms = row->until,
                                 .order = id_out(row->order.b)};
    COPY(out->title, row->title);
}

static void order_out(struct hs_step *s, const struct hs_order_row *row, struct hanse_order *out)
{
    (void)s;
    *out = (struct hanse_order){.id = id_out(row->id.b),
                                .room = id_out(row->room.b),
                                .state = (enum hanse_order_state)row->state,
                                .reason = (enum hanse_err)row->reason,
                                .own = row->own,
                                .customer = person_out(&row->customer),
                                .subtotal_minor = row->subtotal,
                                .discount_minor = row->discount,
                                .total_minor = row->total,
                                .placed_ms = row->placed,
                                .lines = row->lines,
                                .receipts = row->receipts};
    COPY(out->currency, row->currency);
}

static bool any_offer(const struct hs_offer_row *row)
{
    (void)row;
    return true;
}

static bool any_campaign(const struct hs_campaign_row *row)
{
    (void)row;
    return true;
}

/* A till also keeps what customers showed it. */
static bool own_coupon(const struct hs_coupon_row *row)
{
    return row->state != 0;
}

static bool any_order(const struct hs_order_row *row)
{
    (void)row;
    return true;
}

#define QUERIES(name, is_shown)                                                                              \
    enum hanse_err hanse_##name##_next(struct hanse *h, const struct hanse_id *after,                        \
                                       struct hanse_##name *out)                                             \
    {                                                                                                        \
        struct hs_step s;                                                                                    \
        struct hs_##name##_row row;                                                                          \
        struct hs_kv_key cursor = cursor_after(after);                                                       \
        enum hs_err err = hs_api_look(h, &s);                                                                \
        if (err != HS_OK)                                                                                    \
            return (enum hanse_err)err;                                                                      \
        bool there;                                                                                          \
        do                                                                                                   \
            there = hs_##name##_row_next(s.kv, &cursor, s.arena, &row);                                      \
        while (there && !is_shown(&row));                                                                    \
        err = found(&s, there);                                                                              \
        if (err == HS_OK)                                                                                    \
            name##_out(&s, &row, out);                                                                       \
        return hs_api_looked(h, err);                                                                        \
    }                                                                                                        \
    enum hanse_err hanse_##name##_get(struct hanse *h, const struct hanse_id *id, struct hanse_##name *out)  \
    {                                                                                                        \
        struct hs_step s;                                                                                    \
        struct hs_##name##_row row;                                                                          \
        struct hs_id key = hs_api_id(id);                                                                    \
        enum hs_err err = hs_api_look(h, &s);                                                                \
        if (err != HS_OK)                                                                                    \
            return (enum hanse_err)err;                                                                      \
        err = found(&s, hs_##name##_row_get(s.kv, &key, s.arena, &row) && is_shown(&row));                   \
        if (err == HS_OK)                                                                                    \
            name##_out(&s, &row, out);                                                                       \
        return hs_api_looked(h, err);                                                                        \
    }

QUERIES(offer, any_offer)
QUERIES(campaign, any_campaign)
QUERIES(coupon, own_coupon)
QUERIES(order, any_order)
