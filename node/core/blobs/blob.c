#include "core/blobs/blob.h"

#include "core/blobs/upload.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "wire/unpack.h"

/* The first byte of a key in HS_T_BLOB and HS_T_BLOB_BYTES. */
enum {
    BLOB = 'B',  /* hash 32                -> BlobView */
    ROOM = 'R',  /* hash 32 | room 32      -> BlobRoomView */
    PIECE = 'P', /* hash 32 | offset u64   -> bytes */
    HAVE = 'H',  /* hash 32                -> u64 */
    END = 'E',   /* hash 32                -> u64: deleted then, if nothing refers to it */
};

enum { VIEW_CAP = 4096 };

static struct hs_kv_key blob_key(uint8_t kind, const struct hs_id *hash)
{
    return hs_key2(hs_bytes(&kind, 1), HS_VIEW(*hash));
}

static struct hs_kv_key room_key(const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_kv_key key = blob_key(ROOM, hash);
    hs_kv_key_add(&key, HS_VIEW(*room));
    return key;
}

static struct hs_kv_key piece_key(const struct hs_id *hash, uint64_t offset)
{
    struct hs_kv_key key = blob_key(PIECE, hash);
    hs_kv_key_add_u64(&key, offset);
    return key;
}

Hanse__State__BlobView *hs_blob_view(struct hs_turn *turn, const struct hs_id *hash)
{
    struct hs_kv_key key = blob_key(BLOB, hash);
    return (Hanse__State__BlobView *)HS_VIEW_GET(turn, HS_T_BLOB, &key, hanse__state__blob_view);
}

void hs_blob_put(struct hs_turn *turn, const struct hs_id *hash, Hanse__State__BlobView *view)
{
    struct hs_kv_key key = blob_key(BLOB, hash);
    hs_view_put(turn, HS_T_BLOB, &key, &view->base);
}

bool hs_core_blob_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_id *hash, uint64_t *size)
{
    uint8_t kind = BLOB;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key, value;
    if (cursor->len == 0)
        hs_kv_key_add(cursor, prefix);
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(VIEW_CAP);
        Hanse__State__BlobView *view;
        if (!hs_kv_next(kv, HS_T_BLOB, prefix, hs_kv_key_bytes(cursor), &scratch, &key, &value))
            return false;
        *cursor = hs_kv_after(key);
        if (key.len != 1 + HS_HASH_LEN || !HS_FIXED(hs_bytes(key.data + 1, HS_HASH_LEN), hash) ||
            HS_UNPACK(hanse__state__blob_view, value, HS_LENIENT, &scratch, &view) != HS_OK ||
            view->state != HS_BLOB_FILE)
            continue;
        *size = view->size;
        return true;
    }
}

static Hanse__State__BlobRoomView *room_view(struct hs_turn *turn, const struct hs_id *hash,
                                             const struct hs_id *room)
{
    struct hs_kv_key key = room_key(hash, room);
    return (Hanse__State__BlobRoomView *)HS_VIEW_GET(turn, HS_T_BLOB, &key, hanse__state__blob_room_view);
}

bool hs_blob_in_room(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_kv_key key = room_key(hash, room);
    return hs_kv_has(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&key));
}

bool hs_blob_room_next(struct hs_turn *turn, struct hs_kv_key *from, struct hs_id *hash, struct hs_id *room)
{
    uint8_t kind = ROOM;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    if (from->len == 0)
        hs_kv_key_add(from, prefix);
    if (!hs_kv_next(turn->kv, HS_T_BLOB, prefix, hs_kv_key_bytes(from), turn->arena, &key, NULL) ||
        key.len != 1 + 2 * HS_HASH_LEN)
        return false;
    *from = hs_kv_after(key);
    (void)HS_FIXED(hs_bytes(key.data + 1, HS_HASH_LEN), hash);
    (void)HS_FIXED(hs_bytes(key.data + 1 + HS_HASH_LEN, HS_HASH_LEN), room);
    return true;
}

bool hs_blob_may_read(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &turn->session->subscriber, room);
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    bool next_hub = view != NULL && view->was_hub && !view->hub &&
                    hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber));
    return ((reads != NULL && reads->until == UINT64_MAX) || next_hub) && room_view(turn, hash, room) != NULL;
}

struct hs_bytes hs_blob_piece(struct hs_turn *turn, const struct hs_id *hash, uint64_t offset)
{
    struct hs_bytes piece = {0};
    struct hs_kv_key key = piece_key(hash, offset);
    (void)hs_kv_get(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key), turn->arena, &piece);
    return piece;
}

void hs_blob_piece_put(struct hs_turn *turn, const struct hs_id *hash, uint64_t offset, struct hs_bytes piece)
{
    struct hs_kv_key key = piece_key(hash, offset);
    hs_kv_put(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key), piece);
}

void hs_blob_keep(struct hs_turn *turn, const struct hs_id *hash, struct hs_bytes bytes)
{
    Hanse__State__BlobView fresh = HANSE__STATE__BLOB_VIEW__INIT;
    Hanse__State__BlobView *view = hs_blob_view(turn, hash);
    if (view != NULL && view->state == HS_BLOB_KEPT)
        return;
    if (view == NULL)
        view = &fresh;
    for (size_t at = 0; at < bytes.len; at += HS_BLOB_CHUNK) {
        size_t len = bytes.len - at < HS_BLOB_CHUNK ? bytes.len - at : HS_BLOB_CHUNK;
        hs_blob_piece_put(turn, hash, at, hs_bytes(bytes.data + at, len));
    }
    view->size = bytes.len;
    view->state = HS_BLOB_KEPT;
    hs_blob_put(turn, hash, view);
}

void hs_blob_ref(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    Hanse__State__BlobRoomView fresh = HANSE__STATE__BLOB_ROOM_VIEW__INIT;
    Hanse__State__BlobView *view = hs_blob_view(turn, hash);
    Hanse__State__BlobRoomView *in_room = room_view(turn, hash, room);
    struct hs_kv_key key = room_key(hash, room);
    if (view == NULL)
        return;
    if (in_room == NULL)
        in_room = &fresh;
    in_room->refs++;
    view->refs++;
    view->named = true;
    hs_quota_release(turn, hash);
    hs_view_put(turn, HS_T_BLOB, &key, &in_room->base);
    hs_blob_put(turn, hash, view);
}

/* The room's entry stays as long as the blob: who reads slowly may still read it to its end. */
void hs_blob_unref(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    Hanse__State__BlobView *view = hs_blob_view(turn, hash);
    Hanse__State__BlobRoomView *in_room = room_view(turn, hash, room);
    struct hs_kv_key key = room_key(hash, room);
    if (view == NULL || in_room == NULL || in_room->refs == 0)
        return;
    in_room->refs--;
    view->refs -= view->refs > 0 ? 1 : 0;
    hs_view_put(turn, HS_T_BLOB, &key, &in_room->base);
    hs_blob_put(turn, hash, view);
}

static bool tree_of(const Hanse__InboxItem *item, struct hs_id *hash, struct hs_id *room)
{
    return item->body_case == HANSE__INBOX_ITEM__BODY_WELCOME && item->welcome->tree != NULL &&
           HS_FIXED(hs_pb_bytes(item->welcome->tree->hash), hash) &&
           HS_FIXED(hs_pb_bytes(item->welcome->room), room);
}

void hs_blob_ref_item(struct hs_turn *turn, const Hanse__InboxItem *item)
{
    struct hs_id hash, room;
    if (tree_of(item, &hash, &room))
        hs_blob_ref(turn, &hash, &room);
}

void hs_blob_unref_item(struct hs_turn *turn, const Hanse__InboxItem *item)
{
    struct hs_id hash, room;
    if (tree_of(item, &hash, &room))
        hs_blob_unref(turn, &hash, &room);
}

void hs_blob_stored_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                          const Hanse__State__StreamRecord *record)
{
    Hanse__State__BlobView fresh = HANSE__STATE__BLOB_VIEW__INIT;
    Hanse__State__BlobRoomView in_room = HANSE__STATE__BLOB_ROOM_VIEW__INIT;
    Hanse__State__BlobView *view = hs_blob_view(turn, &at->id);
    struct hs_id room;
    (void)HS_FIXED(hs_pb_bytes(record->blob_stored->room), &room);
    struct hs_kv_key key = room_key(&at->id, &room);
    if (view == NULL)
        view = &fresh;
    if (view->state != HS_BLOB_KEPT)
        view->state = HS_BLOB_FILE;
    view->size = record->blob_stored->size;
    hs_blob_put(turn, &at->id, view);
    if (!hs_blob_in_room(turn, &at->id, &room))
        hs_view_put(turn, HS_T_BLOB, &key, &in_room.base);
}

void hs_blob_record_stored(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                           uint64_t size)
{
    Hanse__State__BlobStored stored = HANSE__STATE__BLOB_STORED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    stored.hash = hs_pb_data(HS_VIEW(*hash));
    stored.room = hs_pb_data(HS_VIEW(*room));
    stored.size = size;
    record.blob_stored = &stored;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_BLOB_STORED;
    hs_stream_record(turn, HS_STREAM_BLOB, HS_VIEW(*hash), &record);
}

static void ref_hash(struct hs_turn *turn, const struct hs_id *room, const ProtobufCBinaryData *bytes)
{
    Hanse__State__BlobView fresh = HANSE__STATE__BLOB_VIEW__INIT;
    struct hs_id hash;
    if (!HS_FIXED(hs_pb_bytes(*bytes), &hash))
        return;
    if (hs_blob_view(turn, &hash) == NULL) {
        fresh.state = HS_BLOB_REMOTE; /* a record of a hub: it has what its posts name */
        hs_blob_put(turn, &hash, &fresh);
    }
    hs_blob_ref(turn, &hash, room);
}

void hs_blobs_ref_entry(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomEntry *entry)
{
    for (size_t i = 0; i < entry->n_blobs; i++)
        ref_hash(turn, room, &entry->blobs[i]);
}

void hs_blobs_unref_entry(struct hs_turn *turn, const struct hs_id *room,
                          const Hanse__State__RoomEntry *entry)
{
    struct hs_id hash;
    for (size_t i = 0; i < entry->n_blobs; i++)
        if (HS_FIXED(hs_pb_bytes(entry->blobs[i]), &hash))
            hs_blob_unref(turn, &hash, room);
}

void hs_blob_forget(struct hs_turn *turn, const struct hs_id *hash)
{
    Hanse__State__BlobView *known = hs_blob_view(turn, hash);
    if (known != NULL && known->state == HS_BLOB_FILE)
        hs_blob_file_delete(turn, hash);
    hs_quota_release(turn, hash);
    struct hs_kv_key view = blob_key(BLOB, hash), rooms = blob_key(ROOM, hash);
    struct hs_kv_key pieces = blob_key(PIECE, hash), have = blob_key(HAVE, hash), end = blob_key(END, hash);
    struct hs_kv_key at_hub = blob_key('A', hash); /* blob_move.c */
    hs_kv_del_prefix(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&pieces));
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&have));
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&end));
    hs_kv_del_prefix(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&at_hub));
    hs_kv_del_prefix(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&rooms));
    hs_kv_del(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&view));
}

uint64_t hs_blob_have(struct hs_turn *turn, const struct hs_id *hash)
{
    struct hs_kv_key key = blob_key(HAVE, hash);
    return hs_number_get(turn, HS_T_BLOB_BYTES, &key, NULL);
}

void hs_blob_have_put(struct hs_turn *turn, const struct hs_id *hash, uint64_t have)
{
    struct hs_kv_key key = blob_key(HAVE, hash);
    hs_number_put(turn, HS_T_BLOB_BYTES, &key, have);
}

void hs_blob_gone_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *record)
{
    (void)record;
    hs_blob_forget(turn, &at->id);
}

static void record_gone(struct hs_turn *turn, const struct hs_id *hash, const Hanse__State__BlobView *view)
{
    Hanse__State__BlobGone gone = HANSE__STATE__BLOB_GONE__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    gone.hash = hs_pb_data(HS_VIEW(*hash));
    gone.unnamed = view->state == HS_BLOB_FILE && !view->named;
    record.blob_gone = &gone;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_BLOB_GONE;
    hs_stream_record(turn, HS_STREAM_BLOB, HS_VIEW(*hash), &record);
}

/* The next blob behind from; false at the end. */
static bool next_blob(struct hs_turn *turn, struct hs_kv_key *from, struct hs_id *hash,
                      Hanse__State__BlobView **view)
{
    uint8_t kind = BLOB;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    if (from->len == 0)
        hs_kv_key_add(from, prefix);
    if (!hs_kv_next(turn->kv, HS_T_BLOB, prefix, hs_kv_key_bytes(from), turn->arena, &key, NULL) ||
        key.len != 1 + HS_HASH_LEN)
        return false;
    *from = hs_kv_after(key);
    (void)HS_FIXED(hs_bytes(key.data + 1, HS_HASH_LEN), hash);
    *view = hs_blob_view(turn, hash);
    return *view != NULL;
}

/* Whether nothing has referred to it for long enough: since this was found out first. */
static bool is_over(struct hs_turn *turn, const struct hs_id *hash, const Hanse__State__BlobView *view)
{
    struct hs_kv_key key = blob_key(END, hash);
    bool known;
    uint64_t end = hs_number_get(turn, HS_T_BLOB_BYTES, &key, &known);
    if (view->refs > 0 && known)
        hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
    else if (view->refs == 0 && !known)
        hs_number_put(turn, HS_T_BLOB_BYTES, &key, (uint64_t)(turn->now.ms + HS_BLOB_GRACE_MS));
    return view->refs == 0 && known && end <= (uint64_t)turn->now.ms;
}

static void count(struct hs_core *core, const Hanse__State__BlobView *view)
{
    bool whole = view->state == HS_BLOB_KEPT || view->state == HS_BLOB_FILE;
    core->walked_blobs += whole ? 1 : 0;
    core->walked_bytes += whole ? view->size : 0;
}

/* A walk through all of them, some at each tick: nothing is sorted, so nothing is written when the last
 * reference goes. */
void hs_blobs_tick(struct hs_turn *turn)
{
    struct hs_kv_key *at = &turn->core->blob_walk;
    struct hs_id hash;
    Hanse__State__BlobView *view;
    size_t gone = 0;
    hs_uploads_tick(turn);
    hs_wants_tick(turn);
    if (turn->full)
        return; /* a record takes space, too */
    for (int i = 0; i < HS_BLOBS_A_TICK && gone < HS_BLOBS_GONE; i++) {
        if (!next_blob(turn, at, &hash, &view)) {
            *at = (struct hs_kv_key){0};
            turn->core->stats.blobs = turn->core->walked_blobs;
            turn->core->stats.blob_bytes = turn->core->walked_bytes;
            turn->core->walked_blobs = turn->core->walked_bytes = 0;
            return;
        }
        count(turn->core, view);
        if (!is_over(turn, &hash, view))
            continue;
        record_gone(turn, &hash, view);
        gone++;
    }
}
