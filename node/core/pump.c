/* Delivery: what is due to attached sessions is read from the logs and sent, as far as their budgets reach. A
 * batch of records is packed once for all sessions that stand at the same place. */
#include "core/internal.h"
#include "core/room.h"
#include "core/table.h"
#include "object/object.h"
#include "room/head.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    FRAME_FILL =
        HS_BLOB_THRESHOLD, /* records in one frame: their sum stays under this, or it is one record */
    FRAME_RECORDS = 128,
    INBOX_ITEMS = 16,
    PUMP_ARENA_CAP = 256 * 1024 * 1024,
    PUMP_ENOUGH = PUMP_ARENA_CAP / 2, /* what was read in one round: the rest waits for the next */
    CACHE = 64,                       /* frames of this round that other sessions may want too */
};

/* Frames that were packed in this round. */
struct packed {
    struct hs_id room;
    uint64_t from, to, until;
    struct hs_bytes frame;
    size_t records;
};

struct pump {
    struct hs_turn turn;
    struct packed cache[CACHE];
    size_t cached;
    bool more;
};

/* The newest head of the room: signed here at the hub, handed on at a follower. */
static Hanse__SignedObject *room_head(struct hs_turn *turn, const struct hs_id *room,
                                      const Hanse__State__RoomView *view)
{
    Hanse__SignedObject *head = NULL;
    enum hs_err err;
    if (view->hub) {
        struct hs_log_tip tip = {.next_seq = view->next_seq, .hub_time = {view->hub_time_ms}};
        struct hs_policy policy;
        err =
            HS_FIXED(hs_pb_bytes(view->hash), &tip.hash) ? hs_room_policy(turn, view, &policy) : HS_ERR_STORE;
        if (err == HS_OK)
            err = hs_head_build(&turn->core->signer, room, &tip, policy.hub_term, turn->core->incarnation,
                                turn->now, turn->arena, &head);
    } else {
        head = hs_room_kept_head(turn, room);
        err = HS_OK;
    }
    if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
    return err == HS_OK ? head : NULL;
}

/* Packs records from position on; the frame stays empty where there is nothing to send. */
static void pack_records(struct pump *pump, const struct hs_position *position, struct packed *out)
{
    struct hs_turn *turn = &pump->turn;
    Hanse__State__RoomView *view = hs_room_view(turn, &position->room);
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Records records = HANSE__RECORDS__INIT;
    Hanse__Record *list[FRAME_RECORDS];
    uint64_t end = view == NULL ? 0 : view->next_seq < position->until ? view->next_seq : position->until;
    size_t bytes = 0, n = 0;
    uint64_t seq = position->next;
    for (; seq < end && n < FRAME_RECORDS; seq++) {
        Hanse__State__RoomEntry *entry = hs_room_entry(turn, &position->room, seq);
        Hanse__Record *record = HS_NEW(turn, Hanse__Record, hanse__record);
        if (entry == NULL || record == NULL)
            break;
        if (n > 0 && bytes + entry->header.len + entry->body.len > FRAME_FILL)
            break;
        record->header = entry->header;
        record->body = entry->body;
        bytes += entry->header.len + entry->body.len;
        list[n++] = record;
    }
    *out = (struct packed){position->room, position->next, seq, position->until, {0}, n};
    if (n == 0)
        return;
    records.room = hs_pb_data(HS_VIEW(position->room));
    records.records = list;
    records.n_records = n;
    records.head = room_head(turn, &position->room, view);
    frame.records = &records;
    frame.body_case = HANSE__FRAME__BODY_RECORDS;
    out->frame = hs_effects_pack(turn->effects, &frame.base);
}

static const struct packed *records_at(struct pump *pump, const struct hs_position *position)
{
    for (size_t i = 0; i < pump->cached; i++) {
        const struct packed *p = &pump->cache[i];
        if (p->from == position->next && p->until == position->until &&
            hs_id_equal(&p->room, &position->room))
            return p;
    }
    struct packed *slot = &pump->cache[pump->cached < CACHE ? pump->cached++ : CACHE - 1];
    pack_records(pump, position, slot);
    return slot;
}

static void send(struct pump *pump, struct hs_session *session, struct hs_bytes frame)
{
    hs_effect_send(pump->turn.effects, session->id, frame);
    session->budget -= frame.len < session->budget ? frame.len : session->budget;
}

/* Is there room in this round for one more frame to this session? */
static bool may_go_on(struct pump *pump, const struct hs_session *session)
{
    pump->more = pump->more || pump->turn.arena->used > PUMP_ENOUGH;
    return session->budget > 0 && !pump->more && pump->turn.kv->err == HS_OK;
}

static void pump_inbox(struct pump *pump, struct hs_session *session)
{
    struct hs_turn *turn = &pump->turn;
    while (session->inbox_due && may_go_on(pump, session)) {
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Inbox inbox = HANSE__INBOX__INIT;
        Hanse__InboxItem *items[INBOX_ITEMS];
        struct hs_bytes prefix = HS_VIEW(session->subscriber), key, value;
        struct hs_kv_key from = hs_key_seq(prefix, session->inbox_next);
        size_t bytes = 0;
        while (inbox.n_items < INBOX_ITEMS &&
               hs_kv_next(turn->kv, HS_T_INBOX, prefix, hs_kv_key_bytes(&from), turn->arena, &key, &value)) {
            if (inbox.n_items > 0 && bytes + value.len > FRAME_FILL)
                break;
            if (HS_UNPACK(hanse__inbox_item, value, HS_LENIENT, turn->arena, &items[inbox.n_items]) !=
                HS_OK) {
                turn->kv->err = HS_ERR_NOMEM; /* one's own bytes are well formed */
                break;
            }
            bytes += value.len;
            session->inbox_next = items[inbox.n_items++]->seq + 1;
            from = hs_kv_after(key);
        }
        inbox.items = items;
        frame.inbox = &inbox;
        frame.body_case = HANSE__FRAME__BODY_INBOX;
        if (inbox.n_items > 0)
            send(pump, session, hs_effects_pack(turn->effects, &frame.base));
        else
            session->inbox_due = false;
    }
}

static void pump_room(struct pump *pump, struct hs_session *session, struct hs_position *position)
{
    while (position->due && may_go_on(pump, session)) {
        const struct packed *packed = records_at(pump, position);
        if (packed->frame.len == 0) {
            position->due = false;
            return;
        }
        pump->turn.core->stats.deliveries += packed->records;
        position->next = packed->to;
        send(pump, session, packed->frame);
    }
}

enum hs_err hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                         struct hs_effects *effects, bool *more)
{
    struct hs_arena HS_ARENA arena = hs_arena(PUMP_ARENA_CAP);
    struct pump pump = {.turn = {.core = core, .kv = txn, .now = now, .arena = &arena, .effects = effects}};
    for (struct hs_session *s = core->sessions.by_id; s != NULL; s = s->hh.next) {
        if (!s->attached || s->budget == 0)
            continue;
        pump_inbox(&pump, s);
        for (size_t i = 0; i < s->position_count; i++)
            pump_room(&pump, s, &s->positions[i]);
    }
    *more = pump.more;
    return hs_turn_end(&pump.turn);
}
