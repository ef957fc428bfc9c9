/* Delivery: what is due to attached sessions is read from the logs and sent, as far as their budgets reach. A
 * room is looked at, and its head signed, once a round; a batch of records is packed once for all sessions
 * that stand at the same place. */
#include "core/delivery/due.h"
#include "core/delivery/pack.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "object/object.h"
#include "room/head.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    FRAME_FILL =
        HS_BLOB_THRESHOLD, /* records in one frame: their sum stays under this, or it is one record */
    FRAME_RECORDS = 128,
    INBOX_ITEMS = 16,
    SHARE = 64 * 1024, /* what a session is sent before the next one has its turn */
    PUMP_ARENA_CAP = 64 * 1024 * 1024,
    SCRATCH_CAP = 4 * HS_FRAME_MAX,          /* one entry of a log, one item, or a room's head */
    PUMP_ENOUGH = 16 * 1024 * 1024,          /* packed in one round: the rest waits for the next */
    BEHIND_AT_LEAST = 2 * 1024 * 1024,       /* of it for those who are behind, whatever is new */
    SAME_PLACE_MAX = 32,                     /* frames of a room that are looked through for one that fits */
    PACK_CAP = FRAME_FILL + 2 * HS_FRAME_MAX /* the last record was looked at before it didn't fit */
};

/* One frame of this round, which other sessions may want too. */
struct packed {
    struct packed *next;
    uint64_t from, to, until;
    bool described; /* for those who don't know the head's key yet */
    bool ends_term; /* its last record is a HUB_MOVE */
    struct hs_bytes frame;
    size_t records;
};

/* What this round knows of a room. */
struct hs_pump_room {
    uint64_t next_seq;
    struct hs_bytes head, descriptor; /* packed; the descriptor names the head's key */
    uint64_t sequence;                /* of the descriptor */
    int64_t retention_ms;
    bool moved; /* there are HUB_MOVE records in it */
    struct packed *packed;
};

struct pump {
    struct hs_turn turn;
    struct hs_writer *frame;
    size_t enough; /* of the effects' arena */
    size_t share;  /* of the session whose turn it is */
    bool more;
};

/* The newest head of the room: signed here at the hub, handed on at a follower. */
static Hanse__SignedObject *room_head(struct hs_turn *turn, const struct hs_id *room,
                                      const Hanse__State__RoomView *view)
{
    Hanse__SignedObject *head = NULL;
    struct hs_log_tip tip = {.next_seq = view->next_seq, .hub_time = {view->hub_time_ms}};
    if (!view->hub)
        return hs_room_kept_head(turn, room);
    if (!HS_FIXED(hs_pb_bytes(view->hash), &tip.hash))
        return NULL;
    enum hs_err err = hs_head_build(&turn->core->signer, room, &tip, hs_room_term(view),
                                    turn->core->incarnation, turn->now, turn->arena, &head);
    if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
    return err == HS_OK ? head : NULL;
}

/* What proves the key of the room's head. */
static bool describe(struct hs_turn *turn, const Hanse__State__RoomView *view,
                     const Hanse__SignedObject *head, struct hs_arena *arena, struct hs_pump_room *out)
{
    const Hanse__SignedObject *object = turn->core->descriptor_object;
    struct hs_descriptor d = turn->core->descriptor;
    struct hs_key root, key;
    if (!view->hub && HS_FIXED(hs_pb_bytes(view->hub_root), &root) && hs_object_claimed_signer(head, 0, &key))
        object = hs_node_key_of(turn, &root, &key, &d);
    if (object == NULL) /* a copy of before keys were kept: its readers know the key */
        return turn->kv->err == HS_OK;
    out->sequence = d.sequence;
    out->descriptor = hs_arena_pack(arena, &object->base);
    return out->descriptor.data != NULL;
}

/* The room as it stands after this round's changes; NULL without memory. */
static struct hs_pump_room *read_room(struct pump *pump, const struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn turn = pump->turn;
    struct hs_pump_room *out = hs_arena_alloc(pump->turn.arena, sizeof *out);
    if (out == NULL)
        return NULL;
    *out = (struct hs_pump_room){0};
    turn.arena = &scratch;
    const Hanse__State__RoomView *view = hs_room_view(&turn, room);
    if (hs_office_is_coming(view))
        return out; /* there is nothing to read until the hub is in office */
    Hanse__SignedObject *head = view != NULL ? room_head(&turn, room, view) : NULL;
    if (head == NULL)
        return out;
    out->head = hs_arena_pack(pump->turn.arena, &head->base);
    out->next_seq = view->next_seq;
    out->moved = hs_room_term(view) > HS_POLICY_HUB_TERM_FIRST;
    out->retention_ms = view->retention_ms;
    return out->head.data != NULL && describe(&turn, view, head, pump->turn.arena, out) ? out : NULL;
}

static struct hs_pump_room *room_of(struct pump *pump, struct hs_readers *readers)
{
    struct hs_core *core = pump->turn.core;
    if (readers->pumped_round != core->rounds || readers->pumped == NULL) {
        readers->pumped = read_room(pump, &readers->room);
        readers->pumped_round = core->rounds;
    }
    return readers->pumped;
}

static bool wants_descriptor(const struct hs_pump_room *room, const struct hs_position *position)
{
    return room->sequence > position->told;
}

/* Under whose head the records from a number on stand. */
struct term {
    struct hs_bytes head, descriptor; /* packed; descriptor: of a hub that went */
};

/* A frame doesn't go past the end of a hub's term. */
static void term_of(struct hs_turn *turn, const struct hs_id *room, uint64_t from, uint64_t *end,
                    struct term *out)
{
    uint64_t seq;
    if (!hs_office_move_at(turn, room, from, &seq) || seq >= *end)
        return;
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
    if (entry == NULL)
        return;
    *end = seq + 1;
    out->head = hs_pb_bytes(entry->head);
    out->descriptor = hs_pb_bytes(entry->descriptor);
}

/* Packs records from position on; the frame stays empty where there is nothing to send. */
static void pack_records(struct pump *pump, const struct hs_pump_room *room,
                         const struct hs_position *position, struct packed *out)
{
    struct hs_turn *turn = &pump->turn;
    uint64_t end = room->next_seq < position->until ? room->next_seq : position->until, seq = position->next;
    struct hs_pack pack = hs_pack_begin(pump->frame, &position->room);
    struct term term = {.head = room->head};
    if (room->moved)
        term_of(turn, &position->room, seq, &end, &term);
    for (; seq < end && pack.records < FRAME_RECORDS; seq++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_kv_key key = hs_key_seq(HS_VIEW(position->room), seq);
        struct hs_bytes entry;
        if (!hs_kv_get(turn->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), &scratch, &entry) ||
            !hs_pack_add(&pack, entry, FRAME_FILL))
            break;
    }
    struct hs_bytes frame = {0}, descriptor = {0};
    *out = (struct packed){.from = position->next,
                           .to = seq,
                           .until = position->until,
                           .described = wants_descriptor(room, position)};
    if (out->described)
        descriptor = room->descriptor;
    out->ends_term = term.descriptor.len > 0;
    if (pack.records > 0)
        frame =
            hs_pack_end(&pack, term.head, out->ends_term ? term.descriptor : descriptor, room->retention_ms);
    if (pump->frame->err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = pump->frame->err;
    out->frame = hs_arena_copy(&turn->effects->arena, frame);
    turn->effects->incomplete = turn->effects->incomplete || out->frame.len < frame.len;
    out->records = out->frame.len > 0 ? pack.records : 0;
}

/* The frame for those who stand where position does; NULL without memory. */
static const struct packed *records_at(struct pump *pump, struct hs_position *position)
{
    struct hs_pump_room *room = room_of(pump, position->readers);
    size_t looked = 0;
    if (room == NULL)
        return NULL;
    for (const struct packed *p = room->packed; p != NULL && looked < SAME_PLACE_MAX; p = p->next, looked++)
        if (p->from == position->next && p->until == position->until &&
            p->described == wants_descriptor(room, position))
            return p;
    struct packed *packed = hs_arena_alloc(pump->turn.arena, sizeof *packed);
    if (packed == NULL)
        return NULL;
    pack_records(pump, room, position, packed);
    packed->next = room->packed;
    room->packed = packed;
    return packed;
}

static void send(struct pump *pump, struct hs_session *session, struct hs_bytes frame)
{
    hs_effect_send(pump->turn.effects, session->id, frame);
    session->budget -= frame.len < session->budget ? frame.len : session->budget;
    pump->share -= frame.len < pump->share ? frame.len : pump->share;
}

/* Is there room in this round for one more frame to this session? */
static bool may_go_on(struct pump *pump, const struct hs_session *session)
{
    pump->more = pump->more || pump->turn.effects->arena.used > pump->enough;
    return session->budget > 0 && pump->share > 0 && !pump->more && pump->turn.kv->err == HS_OK;
}

static void pump_inbox(struct pump *pump, struct hs_session *session)
{
    while (session->inbox_due && may_go_on(pump, session)) {
        struct hs_arena HS_ARENA scratch = hs_arena(INBOX_ITEMS * SCRATCH_CAP);
        struct hs_turn turn = pump->turn;
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Inbox inbox = HANSE__INBOX__INIT;
        Hanse__InboxItem *items[INBOX_ITEMS];
        struct hs_bytes prefix = HS_VIEW(session->subscriber), key, value;
        struct hs_kv_key from = hs_key_seq(prefix, session->inbox_next);
        size_t bytes = 0;
        turn.arena = &scratch;
        while (inbox.n_items < INBOX_ITEMS &&
               hs_kv_next(turn.kv, HS_T_INBOX, prefix, hs_kv_key_bytes(&from), turn.arena, &key, &value)) {
            if (inbox.n_items > 0 && bytes + value.len > FRAME_FILL)
                break;
            if (HS_UNPACK(hanse__inbox_item, value, HS_LENIENT, turn.arena, &items[inbox.n_items]) != HS_OK) {
                turn.kv->err = HS_ERR_NOMEM; /* one's own bytes are well formed */
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
            send(pump, session, hs_effects_pack(turn.effects, &frame.base));
        else
            session->inbox_due = false;
    }
}

/* One frame of the room that has waited longest; false where it is up to date now. */
static bool pump_room(struct pump *pump, struct hs_session *session, struct hs_position *position)
{
    const struct packed *packed = records_at(pump, position);
    if (packed == NULL) {
        pump->turn.kv->err = pump->turn.kv->err == HS_OK ? HS_ERR_NOMEM : pump->turn.kv->err;
        return false;
    }
    if (packed->frame.len == 0)
        return false;
    pump->turn.core->stats.deliveries += packed->records;
    position->next = packed->to;
    if (packed->described)
        position->told = position->readers->pumped->sequence;
    if (packed->ends_term)
        position->told = 0; /* another hub's is shown next */
    send(pump, session, packed->frame);
    return position->next < position->readers->pumped->next_seq && position->next < position->until;
}

/* The session's share of this round; what is left waits behind those who are behind, too. */
static void pump_session(struct pump *pump, struct hs_session *session)
{
    struct hs_sessions *sessions = &pump->turn.core->sessions;
    struct hs_position *position;
    pump->share = SHARE;
    pump_inbox(pump, session);
    while (may_go_on(pump, session) && (position = hs_due_take(session)) != NULL)
        if (pump_room(pump, session, position))
            hs_due_position(sessions, session, position, HS_DUE_BEHIND);
    if (pump->more)
        return; /* keeps its place */
    hs_due_leave(sessions, session);
    hs_due_enter(sessions, session, HS_DUE_BEHIND);
}

static void pump_list(struct pump *pump, enum hs_due_list list, size_t enough)
{
    struct hs_session **first = &pump->turn.core->sessions.due[list];
    pump->enough = enough;
    pump->more = false;
    while (*first != NULL && !pump->more && pump->turn.kv->err == HS_OK)
        pump_session(pump, *first);
}

enum hs_err hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                         struct hs_effects *effects, bool *more)
{
    struct hs_arena HS_ARENA arena = hs_arena(PUMP_ARENA_CAP);
    struct hs_writer HS_WRITER frame = hs_writer(PACK_CAP);
    struct pump pump = {.turn = {.core = core, .kv = txn, .now = now, .arena = &arena, .effects = effects},
                        .frame = &frame};
    size_t before = effects->arena.used;
    core->rounds++;
    hs_due_spread(&core->sessions);
    pump_list(&pump, HS_DUE_NEW, before + PUMP_ENOUGH);
    bool left = pump.more;
    size_t used = effects->arena.used;
    size_t least = used + BEHIND_AT_LEAST, most = before + PUMP_ENOUGH;
    pump_list(&pump, HS_DUE_BEHIND, least > most ? least : most);
    *more = left || pump.more;
    return hs_turn_end(&pump.turn);
}
