#include "core/federation/follow_former.h"

#include "core/office/office.h"
#include "core/rooms/room.h"
#include "room/home_move.h"
#include "room/log.h"
#include "wire/limits.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

static bool is_present(const Hanse__State__RoomView *view, const struct hs_key *root)
{
    return !view->hub && hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(*root));
}

static bool is_former(const Hanse__State__RoomView *view, const struct hs_key *root)
{
    return hs_bytes_equal(hs_pb_bytes(view->former_root), HS_VIEW(*root));
}

static bool in_its_time(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                        const struct hs_key *root, uint64_t seq)
{
    uint64_t end;
    return is_former(view, root) && hs_office_began(turn, room, view, &end) && seq < end;
}

/* The record is the persona's HOME_MOVE to this node, from the record seq on. */
static bool moves_here(struct hs_turn *turn, const struct hs_id *room, uint64_t at,
                       const struct hs_key *persona, uint64_t seq)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    struct hs_record_header header;
    struct hs_home_move move;
    own.arena = &scratch;
    Hanse__State__RoomEntry *entry = hs_room_entry(&own, room, at);
    return entry != NULL && hs_record_header_parse(hs_pb_bytes(entry->header), &header) == HS_OK &&
           header.kind == HS_RECORD_HOME_MOVE && hs_key_equal(&header.sender_persona, persona) &&
           hs_home_move_verify(hs_pb_bytes(entry->body), room, &move) == HS_OK && move.next_seq == seq &&
           hs_key_equal(&move.home_root, hs_turn_root(turn));
}

/* A copy goes back only to where the hub in office sends from: it has the same HOME_MOVE in its log. */
static bool has_moved_here(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                           const struct hs_key *persona, uint64_t seq)
{
    uint64_t end;
    if (!hs_office_began(turn, room, view, &end))
        return false;
    for (uint64_t i = 1; i <= HS_FORMER_RECORDS && i <= end && end - i >= view->first_seq; i++)
        if (moves_here(turn, room, end - i, persona, seq))
            return true;
    return false;
}

bool hs_former_may_begin(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         const struct hs_key *root, const struct hs_key *persona, uint64_t seq)
{
    if (is_present(view, root))
        return true;
    return in_its_time(turn, room, view, root, seq) &&
           (view->hub || seq >= view->first_seq || has_moved_here(turn, room, view, persona, seq));
}

/* A record that names whose reading it ends. A SETTLED one doesn't: whom its commit took out only the group
 * knows, so the hub in office says it once more. */
static bool ends_reading(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomEntry *entry,
                         const struct hs_record_header *header, const struct hs_key *persona)
{
    struct hs_home_move move;
    if (!hs_key_equal(&header->sender_persona, persona))
        return false;
    return header->kind == HS_RECORD_PROPOSAL ||
           (header->kind == HS_RECORD_HOME_MOVE &&
            hs_home_move_verify(hs_pb_bytes(entry->body), room, &move) == HS_OK &&
            !hs_key_equal(&move.home_root, hs_turn_root(turn)));
}

bool hs_former_may_remove(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                          const struct hs_key *root, const struct hs_key *persona, uint64_t seq)
{
    struct hs_record_header header;
    if (is_present(view, root))
        return true;
    if (!in_its_time(turn, room, view, root, seq))
        return false;
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
    return entry != NULL && hs_record_header_parse(hs_pb_bytes(entry->header), &header) == HS_OK &&
           ends_reading(turn, room, entry, &header, persona);
}
