#include "store/rooms.h"

#include "store/tables.h"

static const struct hs_field room_fields[] = {
    HS_FIELD(FIXED, struct hs_room_row, id),           HS_FIELD(U32, struct hs_room_row, state),
    HS_FIELD(U32, struct hs_room_row, kind),           HS_FIELD(U32, struct hs_room_row, role),
    HS_FIELD(TEXT, struct hs_room_row, name),          HS_FIELD(TEXT, struct hs_room_row, domain),
    HS_FIELD(FIXED, struct hs_room_row, hub_root),     HS_FIELD(FIXED, struct hs_room_row, self),
    HS_FIELD(BYTES, struct hs_room_row, descriptor),   HS_FIELD(U64, struct hs_room_row, tip.next_seq),
    HS_FIELD(FIXED, struct hs_room_row, tip.hash),     HS_FIELD(U64, struct hs_room_row, tip.hub_time),
    HS_FIELD(BOOL, struct hs_room_row, has_anchor),    HS_FIELD(U64, struct hs_room_row, anchor),
    HS_FIELD(U64, struct hs_room_row, epoch),          HS_FIELD(U64, struct hs_room_row, epoch_min),
    HS_FIELD(U32, struct hs_room_row, members),        HS_FIELD(U32, struct hs_room_row, frozen),
    HS_FIELD(BOOL, struct hs_room_row, has_promise),   HS_FIELD(U64, struct hs_room_row, promise_seq),
    HS_FIELD(FIXED, struct hs_room_row, promise_hash), HS_FIELD(BOOL, struct hs_room_row, unmoved),
    HS_FIELD(BOOL, struct hs_room_row, has_gap),       HS_FIELD(U64, struct hs_room_row, gap),
    HS_FIELD(U32, struct hs_room_row, keys),           HS_FIELD(U64, struct hs_room_row, readable_from),
    HS_FIELD(U64, struct hs_room_row, renew),          HS_FIELD(U32, struct hs_room_row, recredential),
    HS_FIELD(FIXED, struct hs_room_row, office_root),  HS_FIELD(U32, struct hs_room_row, hub_term),
    HS_FIELD(BOOL, struct hs_room_row, rejoins),       HS_FIELD(U64, struct hs_room_row, erased_in),
    HS_FIELD(FIXED, struct hs_room_row, way_root),     HS_FIELD(U32, struct hs_room_row, way_term),
    HS_FIELD(U64, struct hs_room_row, wanted_at),      HS_FIELD(U64, struct hs_room_row, forgot_at),
    HS_FIELD(BOOL, struct hs_room_row, was_unmoved),   HS_FIELD(U64, struct hs_room_row, home_number),
    HS_FIELD(U64, struct hs_room_row, move_number),    HS_FIELD(BOOL, struct hs_room_row, parting),
    HS_FIELD(BOOL, struct hs_room_row, again),
};
static const struct hs_row_type room_type = HS_ROW_TYPE(HS_TABLE_ROOM, struct hs_room_row, room_fields);

static const struct hs_field joiner_fields[] = {
    HS_FIELD(BYTES, struct hs_joiner_row, body),      HS_FIELD(FIXED, struct hs_joiner_row, invite_key),
    HS_FIELD(U64, struct hs_joiner_row, seq),         HS_FIELD(U64, struct hs_joiner_row, hub_time),
    HS_FIELD(U32, struct hs_joiner_row, uses_before), HS_FIELD(BOOL, struct hs_joiner_row, admitted),
    HS_FIELD(U64, struct hs_joiner_row, failed_in),
};
static const struct hs_row_type joiner_type =
    HS_ROW_TYPE(HS_TABLE_JOINER, struct hs_joiner_row, joiner_fields);

static const struct hs_field invite_fields[] = {
    HS_FIELD(BYTES, struct hs_invite_row, body),
    HS_FIELD(U64, struct hs_invite_row, hub_time),
    HS_FIELD(U32, struct hs_invite_row, uses),
};
static const struct hs_row_type invite_type =
    HS_ROW_TYPE(HS_TABLE_INVITE, struct hs_invite_row, invite_fields);

bool hs_room_get(struct hs_kv *kv, const struct hs_id *room, struct hs_arena *arena, struct hs_room_row *out)
{
    return hs_row_get(kv, &room_type, HS_VIEW(*room), arena, out);
}

bool hs_room_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena, struct hs_room_row *out)
{
    return hs_row_next(kv, &room_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

void hs_room_put(struct hs_kv *kv, const struct hs_room_row *row)
{
    hs_row_put(kv, &room_type, HS_VIEW(row->id), row);
}

void hs_room_delete(struct hs_kv *kv, const struct hs_id *room)
{
    hs_kv_del(kv, HS_TABLE_ROOM, HS_VIEW(*room));
    hs_group_state_delete(kv, room);
}

void hs_group_state_open(struct hs_kv *kv, const struct hs_id *room, struct hs_group_store *store)
{
    hs_group_store_init(store, kv, HS_TABLE_GROUP, room);
}

void hs_group_state_delete(struct hs_kv *kv, const struct hs_id *room)
{
    hs_group_store_delete(kv, HS_TABLE_GROUP, room);
}

void hs_public_state_open(struct hs_kv *kv, const struct hs_id *room, struct hs_group_store *store)
{
    hs_group_store_init(store, kv, HS_TABLE_PUBLIC, room);
}

void hs_public_state_delete(struct hs_kv *kv, const struct hs_id *room)
{
    hs_group_store_delete(kv, HS_TABLE_PUBLIC, room);
}

bool hs_joiner_get(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *body_hash,
                   struct hs_arena *arena, struct hs_joiner_row *out)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*body_hash));
    return hs_row_get(kv, &joiner_type, hs_kv_key_bytes(&key), arena, out);
}

bool hs_joiner_next(struct hs_kv *kv, const struct hs_id *room, struct hs_kv_key *cursor,
                    struct hs_arena *arena, struct hs_id *body_hash, struct hs_joiner_row *out)
{
    struct hs_bytes key;
    if (!hs_row_next(kv, &joiner_type, HS_VIEW(*room), cursor, arena, &key, out))
        return false;
    return HS_FIXED(hs_bytes(key.data + sizeof room->b, key.len - sizeof room->b), body_hash);
}

void hs_joiner_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *body_hash,
                   const struct hs_joiner_row *row)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*body_hash));
    hs_row_put(kv, &joiner_type, hs_kv_key_bytes(&key), row);
}

bool hs_invite_get(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *invite_key,
                   struct hs_arena *arena, struct hs_invite_row *out)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*invite_key));
    return hs_row_get(kv, &invite_type, hs_kv_key_bytes(&key), arena, out);
}

void hs_invite_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *invite_key,
                   const struct hs_invite_row *row)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*invite_key));
    hs_row_put(kv, &invite_type, hs_kv_key_bytes(&key), row);
}

bool hs_log_hash_get(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_id *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    struct hs_bytes value;
    return hs_kv_get(kv, HS_TABLE_CHAIN, hs_kv_key_bytes(&key), &arena, &value) && HS_FIXED(value, out);
}

void hs_log_hash_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, const struct hs_id *hash)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    hs_kv_put(kv, HS_TABLE_CHAIN, hs_kv_key_bytes(&key), HS_VIEW(*hash));
    if (seq < HS_LOG_HASHES_KEPT)
        return;
    key = hs_row_key_seq(HS_VIEW(*room), seq - HS_LOG_HASHES_KEPT);
    hs_kv_del(kv, HS_TABLE_CHAIN, hs_kv_key_bytes(&key));
}
