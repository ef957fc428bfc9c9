/* What a hub gives to the node that an owner has chosen as the next one, before the room goes there. */
#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/takeover.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { ITEM_CAP = 4 * HS_FRAME_MAX };

/* len: what it takes in a frame. */
static Hanse__Record *record_of(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, size_t *len,
                                ProtobufCBinaryData *group_info)
{
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
    Hanse__Record *record = HS_NEW(turn, Hanse__Record, hanse__record);
    if (entry == NULL || record == NULL)
        return NULL;
    record->header = entry->header;
    record->body = entry->body;
    record->blobs = entry->blobs;
    record->n_blobs = entry->n_blobs;
    record->head = entry->head;
    if (entry->head.len > 0)
        record->descriptor = entry->descriptor;
    *group_info = seq == 0 ? entry->group_info : (ProtobufCBinaryData){0};
    *len = protobuf_c_message_get_packed_size(&record->base) + group_info->len;
    return record;
}

/* As many as fit, from the last one before below backwards. */
static enum hs_err fill(struct hs_turn *turn, const struct hs_id *room, uint64_t below, Hanse__Tail *tail)
{
    Hanse__Record *found[HS_RECOVER_HEADERS];
    size_t bytes = 0, count = 0, len = 0;
    for (uint64_t seq = below; seq-- > 0 && count < HS_RECOVER_HEADERS; count++) {
        ProtobufCBinaryData group_info;
        found[count] = record_of(turn, room, seq, &len, &group_info);
        HS_REQUIRE(found[count] != NULL, HS_ERR_STORE);
        bytes += len;
        if (count > 0 && bytes > HS_BLOB_THRESHOLD)
            break;
        tail->group_info = group_info;
    }
    tail->records = hs_arena_alloc(turn->arena, count * sizeof *tail->records);
    HS_REQUIRE(tail->records != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < count; i++)
        tail->records[i] = found[count - 1 - i];
    tail->n_records = count;
    return HS_OK;
}

enum hs_err hs_prefix_give(struct hs_turn *turn, const Hanse__WantTail *want, Hanse__Frame *reply)
{
    struct hs_id room;
    struct hs_hub_move move;
    Hanse__State__RoomView *view;
    HS_TAKE32(want->room, &room);
    HS_TRY(hs_room_hubbed(turn, &room, &view));
    HS_TRY(hs_office_may_go(turn, &room, view, hs_pb_bytes(want->move), &move));
    HS_REQUIRE(!want->headers && want->below > 0 && want->below <= view->next_seq, HS_ERR_MALFORMED);
    Hanse__Tail *tail = HS_NEW(turn, Hanse__Tail, hanse__tail);
    HS_REQUIRE(tail != NULL, HS_ERR_NOMEM);
    tail->room = want->room;
    HS_TRY(fill(turn, &room, want->below, tail));
    reply->tail = tail;
    reply->body_case = HANSE__FRAME__BODY_TAIL;
    return HS_OK;
}

static struct hs_bytes room_of(const Hanse__InboxItem *item)
{
    switch (item->body_case) {
    case HANSE__INBOX_ITEM__BODY_WELCOME:
        return hs_pb_bytes(item->welcome->room);
    case HANSE__INBOX_ITEM__BODY_HOME:
        return hs_pb_bytes(item->home->room);
    case HANSE__INBOX_ITEM__BODY_REMOVED:
        return hs_pb_bytes(item->removed->room);
    default:
        return (struct hs_bytes){0};
    }
}

/* Something about the room waits for the session's node: who of its users came in, or went. What it has said
 * to hold for good counts before it is written. */
static bool items_wait(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_bytes prefix = HS_VIEW(turn->session->subscriber), key, value;
    struct hs_kv_key from = hs_key_seq(prefix, turn->session->inbox_held);
    for (size_t i = 0; i < HS_TAKEOVER_ITEMS; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(ITEM_CAP);
        Hanse__InboxItem *item;
        if (!hs_kv_next(turn->kv, HS_T_INBOX, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return false;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__inbox_item, value, HS_LENIENT, &scratch, &item) != HS_OK ||
            hs_bytes_equal(room_of(item), HS_VIEW(*room)))
            return true;
    }
    return true;
}

enum hs_err hs_prefix_is_given(struct hs_turn *turn, const struct hs_id *room,
                               const Hanse__State__RoomView *view)
{
    struct hs_bytes node = HS_VIEW(turn->session->subscriber);
    const struct hs_position *position = hs_session_position(turn->session, room);
    uint64_t held = hs_register_number(turn, HS_REGISTER_CURSOR, node, HS_VIEW(*room));
    if (position != NULL && position->held > held)
        held = position->held;
    HS_REQUIRE(held + HS_TAKEOVER_LAG >= view->next_seq, HS_ERR_BUSY);
    return items_wait(turn, room) ? HS_ERR_BUSY : HS_OK;
}
