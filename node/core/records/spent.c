#include "core/records/spent.h"

#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/records/thin.h"
#include "core/rooms/room.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 8 * HS_FRAME_MAX }; /* one record: what it takes must not stay in the turn's memory */

/* ---- who waits for what ---- */

static struct hs_kv_key item_key(const struct hs_key *subscriber, uint64_t number)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_SOURCE, HS_VIEW(*subscriber), (struct hs_bytes){0});
    hs_kv_key_add_u64(&key, number);
    return key;
}

/* One byte longer than the others, so that none is like them. */
static struct hs_kv_key count_key(struct hs_bytes place)
{
    return hs_key_sub(HS_MISC_SOURCE, place, (struct hs_bytes){0});
}

/* And one longer than both. */
static struct hs_kv_key about_key(const struct hs_key *subscriber, struct hs_bytes about)
{
    return hs_key_sub(HS_MISC_SOURCE, HS_VIEW(*subscriber), about);
}

/* What an item is made of, and about what it is. */
static bool source_of(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number,
                      struct hs_stream_at *from, struct hs_id *about)
{
    struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_KV_KEY_MAX);
    struct hs_kv_key item = item_key(subscriber, number);
    struct hs_bytes value;
    if (!hs_kv_get(turn->kv, HS_T_MISC, hs_kv_key_bytes(&item), &scratch, &value) ||
        value.len <= sizeof about->b)
        return false;
    size_t len = value.len - sizeof about->b;
    memcpy(about->b, value.data + len, sizeof about->b);
    return hs_stream_at_parse(hs_bytes(value.data, len), from);
}

/* A Welcome that waited for its tree may come behind a newer one. */
static bool is_older(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_stream_at *from,
                     uint64_t than)
{
    struct hs_stream_at at = {0};
    struct hs_id about;
    return source_of(turn, subscriber, than, &at, &about) && at.stream == from->stream &&
           hs_id_equal(&at.id, &from->id) && from->seq < at.seq;
}

uint64_t hs_spent_hold(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number,
                       const struct hs_stream_at *from, const struct hs_id *about)
{
    static const struct hs_id none;
    struct hs_kv_key item = item_key(subscriber, number), place = hs_stream_key(from), value = place;
    struct hs_kv_key count = count_key(hs_kv_key_bytes(&place));
    struct hs_kv_key newest = about_key(subscriber, HS_VIEW(*about));
    bool there = false;
    hs_kv_key_add(&value, HS_VIEW(*about));
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&item), hs_kv_key_bytes(&value));
    hs_number_put(turn, HS_T_MISC, &count, hs_number_get(turn, HS_T_MISC, &count, NULL) + 1);
    if (hs_id_equal(about, &none))
        return UINT64_MAX;
    uint64_t before = hs_number_get(turn, HS_T_MISC, &newest, &there);
    if (there && is_older(turn, subscriber, from, before))
        return number;
    hs_number_put(turn, HS_T_MISC, &newest, number);
    return there ? before : UINT64_MAX;
}

static void forget_about(struct hs_turn *turn, const struct hs_key *subscriber, struct hs_bytes about,
                         uint64_t number)
{
    struct hs_kv_key newest = about_key(subscriber, about);
    bool there = false;
    if (hs_number_get(turn, HS_T_MISC, &newest, &there) == number && there)
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&newest));
}

/* ---- what is cut ---- */

static bool cut_field(ProtobufCBinaryData *field)
{
    bool was = field->len > 0;
    *field = (ProtobufCBinaryData){0};
    return was;
}

/* Returns by how many bytes the entry is shorter. */
static uint64_t cut_commit(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, bool welcome,
                           bool group_info)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    Hanse__State__RoomEntry *entry = hs_room_entry(&own, room, seq);
    if (entry == NULL)
        return 0;
    size_t before = protobuf_c_message_get_packed_size(&entry->base);
    bool changed = group_info && cut_field(&entry->group_info);
    if (welcome && entry->welcome.len > 0) {
        entry->spent = true;
        changed = cut_field(&entry->welcome) || changed;
        (void)cut_field(&entry->descriptor); /* it went out with the Welcome */
    }
    if (!changed)
        return 0;
    struct hs_kv_key key = hs_key_seq(HS_VIEW(*room), seq);
    hs_view_put(&own, HS_T_ROOM_LOG, &key, &entry->base);
    return before - protobuf_c_message_get_packed_size(&entry->base);
}

/* A room that comes into office counts its records anew: one that it hasn't come to yet is counted as it is
 * then. */
static void shorten(Hanse__State__RoomView *view, uint64_t seq, uint64_t bytes)
{
    if (seq < view->next_seq)
        view->log_bytes -= bytes < view->log_bytes ? bytes : view->log_bytes;
}

void hs_spent_group_info(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                         uint64_t seq)
{
    if (seq > 0) /* the room's first record: the group is made of it */
        shorten(view, seq, cut_commit(turn, room, seq, false, true));
}

void hs_spent_void(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view, uint64_t seq)
{
    shorten(view, seq, cut_commit(turn, room, seq, true, true));
}

static void cut_welcome(struct hs_turn *turn, const struct hs_stream_at *at)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    uint64_t bytes = cut_commit(turn, &at->id, at->seq, true, false);
    Hanse__State__RoomView *view = bytes > 0 ? hs_room_view(&own, &at->id) : NULL;
    if (view == NULL)
        return;
    shorten(view, at->seq, bytes);
    hs_room_store(&own, &at->id, view);
}

/* Of a Welcome that came from a hub stays who reads what from where on. */
static bool cut_handed_on(struct hs_turn *turn, Hanse__State__HandedOn *handed)
{
    Hanse__InboxItem *item;
    if (HS_UNPACK(hanse__inbox_item, hs_pb_bytes(handed->item), HS_LENIENT, turn->arena, &item) != HS_OK ||
        item->body_case != HANSE__INBOX_ITEM__BODY_WELCOME)
        return false;
    bool changed = cut_field(&item->welcome->welcome);
    if (item->welcome->tree != NULL)
        changed = cut_field(&item->welcome->tree->bytes) || changed;
    handed->item = hs_pb_data(hs_turn_pack(turn, &item->base));
    return changed;
}

/* The post has left the outbox, and its sender knows: the number behind its item says so, and without that
 * one the item would be made of nothing when the views are made anew. */
static bool cut_refused(Hanse__State__StreamRecord *record, uint64_t passed)
{
    if (passed == 0 || record->passed > 0)
        return false;
    hanse__state__post_refused__init(record->refused);
    record->passed = passed;
    return true;
}

static bool cut_url(Hanse__State__WakeSet *set)
{
    bool was = set->url[0] != '\0';
    hanse__state__wake_set__init(set);
    return was;
}

static bool cut_record(struct hs_turn *turn, Hanse__State__StreamRecord *record, uint64_t passed)
{
    switch (record->body_case) {
    case HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON:
        return cut_handed_on(turn, record->handed_on);
    case HANSE__STATE__STREAM_RECORD__BODY_COUNTER_ASKED:
        return cut_field(&record->counter_asked->key_package);
    case HANSE__STATE__STREAM_RECORD__BODY_REFUSED:
        return cut_refused(record, passed);
    case HANSE__STATE__STREAM_RECORD__BODY_WAKE_SET:
        return cut_url(record->wake_set);
    default:
        return false;
    }
}

static Hanse__State__StreamRecord *record_at(struct hs_turn *turn, const struct hs_kv_key *key)
{
    return (Hanse__State__StreamRecord *)HS_VIEW_GET(turn, HS_T_STREAM, key, hanse__state__stream_record);
}

void hs_spent_cut(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t passed)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    struct hs_kv_key key = hs_stream_key(at);
    Hanse__State__StreamRecord *record = record_at(&own, &key);
    if (record == NULL || !cut_record(&own, record, passed))
        return;
    record->spent_ms = 0;
    hs_view_put(&own, HS_T_STREAM, &key, &record->base);
}

/* Of what a hub has said, as far as it may stay whole; known in memory alone: a start begins the day anew. */
static bool stays_whole(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t bytes)
{
    struct hs_key root;
    memcpy(root.b, at->id.b, sizeof root.b);
    struct hs_peer *peer = at->stream == HS_STREAM_PEER ? hs_peer_find(&turn->core->peers, &root) : NULL;
    int64_t today = turn->now.ms / HS_THIN_AGE_MS;
    if (peer == NULL)
        return true;
    if (peer->spent_day != today)
        peer->spent_bytes = 0;
    peer->spent_day = today;
    if (bytes > HS_SPENT_WHOLE - peer->spent_bytes)
        return false;
    peer->spent_bytes += bytes;
    return true;
}

void hs_spent_anew(struct hs_turn *turn, const struct hs_stream_at *at)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    struct hs_kv_key key = hs_stream_key(at);
    Hanse__State__StreamRecord *cut = record_at(&own, &key);
    if (cut == NULL || !cut_record(&own, cut, 0))
        return;
    Hanse__State__StreamRecord *record = record_at(&own, &key);
    if (record == NULL)
        return;
    if (!stays_whole(turn, at, protobuf_c_message_get_packed_size(&record->base))) {
        hs_spent_cut(turn, at, 0);
        return;
    }
    record->spent_ms = turn->now.ms;
    hs_view_put(&own, HS_T_STREAM, &key, &record->base);
}

bool hs_spent_waits(struct hs_turn *turn, const struct hs_stream_at *at)
{
    struct hs_kv_key place = hs_stream_key(at), count = count_key(hs_kv_key_bytes(&place));
    return hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&count));
}

void hs_spent_release(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number, bool taken)
{
    struct hs_arena HS_ARENA scratch = hs_arena(2 * HS_KV_KEY_MAX);
    struct hs_kv_key item = item_key(subscriber, number);
    struct hs_stream_at at = {0};
    struct hs_id about;
    if (!source_of(turn, subscriber, number, &at, &about))
        return;
    struct hs_kv_key place = hs_stream_key(&at), count = count_key(hs_kv_key_bytes(&place));
    struct hs_turn own = *turn;
    own.arena = &scratch;
    forget_about(&own, subscriber, HS_VIEW(about), number);
    uint64_t left = hs_number_get(&own, HS_T_MISC, &count, NULL);
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&item));
    if (left > 1) {
        hs_number_put(&own, HS_T_MISC, &count, left - 1);
        return;
    }
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&count));
    if (at.stream == HS_STREAM_ROOM)
        cut_welcome(turn, &at);
    else if (taken)
        hs_spent_cut(turn, &at, number + 1);
    else
        hs_spent_anew(turn, &at);
}
