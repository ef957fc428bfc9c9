/* The way to a room's hub in office, where the record of its move can't come, for the hub that went is gone,
 * or has forgotten: a chain of what the hubs signed (room/hub_move.h). What this device has seen of it itself
 * it keeps, and shows; what somebody else shows leads it, and its home, to that hub. */
#include "room/hub_move.h"

#include "store/tables.h"
#include "store/tail.h"
#include "sync/log/hub_key.h"
#include "sync/move/move.h"
#include "wire/unpack.h"

static struct hs_kv_key link_key(const struct hs_id *room, uint32_t term)
{
    return hs_row_key_seq(HS_VIEW(*room), term);
}

enum hs_err hs_way_keep(struct hs_step *s, const struct hs_live_room *room)
{
    struct hs_writer HS_WRITER w = hs_writer(2 * HS_HUB_MOVE_MAX + 4 * HS_DESCRIPTOR_MAX);
    Hanse__HubMoved moved = HANSE__HUB_MOVED__INIT;
    uint64_t seq = room->row.tip.next_seq - 1;
    struct hs_bytes header, body;
    struct hs_kv_key key = link_key(&room->row.id, hs_row_term(&room->row));
    HS_TRY(hs_evidence_own_head(s, room, &moved.head));
    if (moved.head == NULL || !hs_tail_next(s->kv, &room->row.id, &seq, s->arena, &header, &body))
        return s->kv->err; /* others have it */
    enum hs_err err = hs_hub_descriptor_of(s, room, moved.head, &moved.descriptor);
    if (err != HS_OK)
        return hs_sync_is_own_trouble(err) ? err : HS_OK; /* as above */
    moved.header = hs_pb_data(header);
    moved.body = hs_pb_data(body);
    HS_TRY(HS_PACK(&moved, &w));
    hs_kv_put(s->kv, HS_TABLE_MOVED, hs_kv_key_bytes(&key), hs_writer_bytes(&w));
    return s->kv->err;
}

static enum hs_err show(struct hs_step *s, const struct hs_id *room, Hanse__HubMoved *const *moves,
                        size_t count)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Moved way = HANSE__MOVED__INIT;
    way.room = hs_pb_data(HS_VIEW(*room));
    way.moves = (Hanse__HubMoved **)(uintptr_t)moves;
    way.n_moves = count;
    frame.way = &way;
    frame.body_case = HANSE__FRAME__BODY_WAY;
    return hs_notify(s, &frame);
}

enum hs_err hs_way_tell(struct hs_step *s, const struct hs_live_room *room)
{
    Hanse__HubMoved *moves[HS_HUB_MOVED_MAX];
    uint32_t term = HS_POLICY_HUB_TERM_FIRST;
    for (; term < hs_row_term(&room->row) && term <= HS_HUB_MOVED_MAX; term++) {
        struct hs_kv_key key = link_key(&room->row.id, term);
        struct hs_bytes bytes;
        if (!hs_kv_get(s->kv, HS_TABLE_MOVED, hs_kv_key_bytes(&key), s->arena, &bytes) ||
            HS_UNPACK(hanse__hub_moved, bytes, HS_LENIENT, s->arena,
                      &moves[term - HS_POLICY_HUB_TERM_FIRST]) != HS_OK)
            return s->kv->err; /* of before this device came: a part of a chain shows nothing */
    }
    size_t count = term - HS_POLICY_HUB_TERM_FIRST;
    return count > 0 ? show(s, &room->row.id, moves, count) : HS_OK;
}

/* What was shown is kept under the number 0, which is no term. */
static enum hs_err keep_shown(struct hs_step *s, const struct hs_id *room, Hanse__HubMoved *const *moves,
                              size_t count)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    Hanse__Moved moved = HANSE__MOVED__INIT;
    struct hs_kv_key key = link_key(room, 0);
    moved.room = hs_pb_data(HS_VIEW(*room));
    moved.moves = (Hanse__HubMoved **)(uintptr_t)moves;
    moved.n_moves = count;
    HS_TRY(HS_PACK(&moved, &w));
    hs_kv_put(s->kv, HS_TABLE_MOVED, hs_kv_key_bytes(&key), hs_writer_bytes(&w));
    return s->kv->err;
}

bool hs_way_shown(struct hs_step *s, const struct hs_live_room *room, struct hs_hub_office *office,
                  struct hs_bytes *descriptor)
{
    struct hs_hub_office known = {*hs_row_hub(&room->row), hs_row_term(&room->row)};
    struct hs_kv_key key = link_key(&room->row.id, 0);
    struct hs_bytes bytes;
    Hanse__Moved *moved;
    return room->row.way_term > known.term &&
           hs_kv_get(s->kv, HS_TABLE_MOVED, hs_kv_key_bytes(&key), s->arena, &bytes) &&
           HS_UNPACK(hanse__moved, bytes, HS_LENIENT, s->arena, &moved) == HS_OK &&
           hs_hub_moved_on(moved->moves, moved->n_moves, &room->row.id, s->arena, &room->row.hub_root, &known,
                           office, descriptor) == HS_OK;
}

enum hs_err hs_way_learn(struct hs_step *s, struct hs_live_room *room, Hanse__HubMoved *const *moves,
                         size_t count)
{
    struct hs_room_row *row = &room->row;
    struct hs_hub_office known = {*hs_row_hub(row), hs_row_term(row)}, office, before;
    struct hs_bytes descriptor;
    HS_TRY(hs_hub_moved_on(moves, count, &row->id, s->arena, &row->hub_root, &known, &office, &descriptor));
    if (office.term > row->way_term || !hs_way_shown(s, room, &before, &descriptor)) {
        row->way_root = office.root;
        row->way_term = office.term;
        room->row_dirty = true;
        HS_TRY(keep_shown(s, &row->id, moves, count));
    }
    if (hs_home_is_online(s->sync))
        HS_TRY(show(s, &row->id, moves, count));
    if (!row->unmoved)
        return HS_OK;
    room->move_told = room->way_told = false;
    return hs_moves_resume(s);
}
