#include "core/records/retention.h"

#include "core/blobs/blob.h"
#include "core/internal.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 8 * HS_FRAME_MAX };

/* The room that is looked at, with a memory of its own for each record. */
struct retained_room {
    struct hs_turn *turn;
    struct hs_id id;
    uint64_t next_seq;
    int64_t retention_ms;
    struct hs_retained old, now;
    size_t left; /* records that this tick may still change */
};

struct hs_retained hs_retained_parse(struct hs_bytes value)
{
    struct hs_retained r = {0};
    if (value.len == 16) {
        r.erased = hs_kv_u64(hs_bytes(value.data, 8));
        r.forgotten = hs_kv_u64(value);
    }
    return r;
}

/* Record seq in scratch; NULL where this copy hasn't got it. */
static Hanse__State__RoomEntry *entry_at(struct hs_turn *turn, const struct hs_id *room, uint64_t seq,
                                         struct hs_arena *scratch, struct hs_record_header *header)
{
    struct hs_kv_key key = hs_key_seq(HS_VIEW(*room), seq);
    struct hs_bytes value;
    Hanse__State__RoomEntry *entry;
    if (!hs_kv_get(turn->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), scratch, &value) ||
        HS_UNPACK(hanse__state__room_entry, value, HS_LENIENT, scratch, &entry) != HS_OK ||
        hs_record_header_parse(hs_pb_bytes(entry->header), header) != HS_OK)
        return NULL;
    return entry;
}

/* The first record of this node's copies of the room at or behind seq; end where there is none before it. A
 * copy may have begun anew, far behind where the one before ended: as far as its hub says. */
static uint64_t next_held(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, uint64_t end)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key from = hs_key_seq(HS_VIEW(*room), seq);
    struct hs_bytes key;
    if (seq >= end ||
        !hs_kv_next(turn->kv, HS_T_ROOM_LOG, HS_VIEW(*room), hs_kv_key_bytes(&from), &scratch, &key, NULL))
        return end;
    uint64_t found = hs_kv_u64(key);
    return found < end ? found : end;
}

/* ---- what follows from the register ---- */

/* Returns how many bytes it was. */
static uint64_t erase(struct hs_turn *turn, const struct hs_id *room, uint64_t seq)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_record_header header;
    Hanse__State__RoomEntry *entry = entry_at(turn, room, seq, &scratch, &header);
    struct hs_kv_key key = hs_key_seq(HS_VIEW(*room), seq);
    if (entry == NULL || header.kind != HS_RECORD_POST)
        return 0;
    hs_blobs_unref_entry(turn, room, entry); /* once: no record is erased twice */
    if (entry->body.len == 0)
        return 0;
    size_t before = protobuf_c_message_get_packed_size(&entry->base);
    entry->body = (ProtobufCBinaryData){0};
    hs_kv_put(turn->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), hs_arena_pack(&scratch, &entry->base));
    return before - protobuf_c_message_get_packed_size(&entry->base);
}

static void count_erased(struct hs_turn *turn, const struct hs_id *room, uint64_t bytes)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    Hanse__State__RoomView *view = bytes > 0 ? hs_room_view(&own, room) : NULL;
    if (view == NULL)
        return;
    view->log_bytes -= bytes < view->log_bytes ? bytes : view->log_bytes;
    hs_room_store(&own, room, view);
}

static void forget(struct hs_turn *turn, const struct hs_id *room, uint64_t seq)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_record_header header;
    struct hs_bytes value;
    if (entry_at(turn, room, seq, &scratch, &header) == NULL || header.kind != HS_RECORD_POST)
        return;
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(header.body_hash));
    /* The same post may have come once more since, as another record. */
    if (hs_kv_get(turn->kv, HS_T_BODY, hs_kv_key_bytes(&key), &scratch, &value) && hs_kv_u64(value) == seq)
        hs_kv_del(turn->kv, HS_T_BODY, hs_kv_key_bytes(&key));
}

void hs_retained_apply(struct hs_turn *turn, const struct hs_id *room, struct hs_retained old,
                       struct hs_retained now)
{
    uint64_t bytes = 0;
    for (uint64_t seq = next_held(turn, room, old.erased, now.erased); seq < now.erased;
         seq = next_held(turn, room, seq + 1, now.erased))
        bytes += erase(turn, room, seq);
    count_erased(turn, room, bytes);
    for (uint64_t seq = next_held(turn, room, old.forgotten, now.forgotten); seq < now.forgotten;
         seq = next_held(turn, room, seq + 1, now.forgotten))
        forget(turn, room, seq);
}

/* ---- what is due ---- */

static struct hs_kv_key retained_key(const struct hs_id *room)
{
    return hs_register_key(HS_REGISTER_RETAINED, HS_VIEW(*room), (struct hs_bytes){0});
}

/* How far the records are older than that, from a number on; at most as many as the tick may still change. A
 * record that this copy doesn't have, having begun anew, is passed over: it is as old as one behind it that
 * is here, and where that is young nothing is said of it, for it may come yet. */
static uint64_t older_than(struct retained_room *r, uint64_t from, uint64_t end, int64_t age_ms)
{
    uint64_t seq = next_held(r->turn, &r->id, from, end), done = from;
    for (; seq < end && r->left > 0; seq = next_held(r->turn, &r->id, seq + 1, end), r->left--) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_record_header header;
        bool there = entry_at(r->turn, &r->id, seq, &scratch, &header) != NULL;
        if (there && header.hub_time.ms > r->turn->now.ms - age_ms)
            break;
        done = seq + 1;
    }
    return done;
}

static void look_at(struct retained_room *r)
{
    struct hs_bytes before;
    struct hs_kv_key key = retained_key(&r->id), value = {0};
    int64_t known_ms = r->retention_ms > HS_RETENTION_KNOWN_MS ? r->retention_ms : HS_RETENTION_KNOWN_MS;
    bool known = hs_register_get(r->turn, &key, &before);
    r->old = hs_retained_parse(before);
    if (!known && r->turn->full)
        return; /* it would take space; later */
    r->now.erased = older_than(r, r->old.erased, r->next_seq, r->retention_ms);
    r->now.forgotten = older_than(r, r->old.forgotten, r->now.erased, known_ms);
    if (r->now.erased == r->old.erased && r->now.forgotten == r->old.forgotten)
        return;
    hs_kv_key_add_u64(&value, r->now.erased);
    hs_kv_key_add_u64(&value, r->now.forgotten);
    hs_register_put(r->turn, &key, hs_kv_key_bytes(&value));
}

static struct hs_kv_key learnt_key(const struct hs_id *room)
{
    return hs_register_key(HS_REGISTER_RETENTION, HS_VIEW(*room), (struct hs_bytes){0});
}

static uint64_t learnt(struct hs_turn *turn, const struct hs_id *room)
{
    return hs_register_number(turn, HS_REGISTER_RETENTION, HS_VIEW(*room), (struct hs_bytes){0});
}

void hs_retention_learn(struct hs_turn *turn, const struct hs_id *room, int64_t retention_ms)
{
    uint64_t said = retention_ms > 0 ? (uint64_t)retention_ms : 0;
    if (learnt(turn, room) == said)
        return;
    struct hs_kv_key key = learnt_key(room), value = {0};
    hs_kv_key_add_u64(&value, said);
    hs_register_put(turn, &key, hs_kv_key_bytes(&value));
}

/* The next room at or behind where the last tick ended; false at the end. */
static bool next_room(struct hs_turn *turn, struct hs_kv_key *from, struct retained_room *r)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn reading = *turn;
    struct hs_bytes key, value, none = {0};
    Hanse__State__RoomView *view;
    if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(from), &scratch, &key, &value))
        return false;
    *from = hs_kv_after(key);
    reading.arena = &scratch;
    if (!HS_FIXED(key, &r->id) ||
        HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &scratch, &view) != HS_OK)
        return true;
    r->next_seq = view->next_seq;
    r->retention_ms = view->hub ? view->retention_ms : (int64_t)learnt(&reading, &r->id);
    return true;
}

void hs_retention_tick(struct hs_turn *turn)
{
    struct hs_kv_key *from = &turn->core->retention_from;
    struct retained_room r = {.turn = turn, .left = HS_RETENTION_RECORDS};
    for (size_t i = 0; i < HS_RETENTION_ROOMS && r.left > 0; i++) {
        r.retention_ms = 0;
        if (!next_room(turn, from, &r)) {
            from->len = 0;
            return;
        }
        if (r.retention_ms > 0)
            look_at(&r);
    }
}
