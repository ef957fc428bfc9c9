#include "core/office/link.h"

#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "object/object.h"

static enum hs_err link_open(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__RoomEntry *entry, struct hs_hub_link *out)
{
    Hanse__HubMoved moved = HANSE__HUB_MOVED__INIT;
    HS_REQUIRE(entry != NULL && entry->head.len > 0 && entry->head.len <= HS_FRAME_MAX &&
                   entry->descriptor.len > 0 && entry->descriptor.len <= HS_DESCRIPTOR_MAX,
               HS_ERR_BAD_CHAIN);
    HS_TRY(hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &moved.descriptor));
    HS_TRY(hs_object_unpack(hs_pb_bytes(entry->head), turn->arena, &moved.head));
    moved.header = entry->header;
    moved.body = entry->body;
    return hs_hub_moved_link(&moved, room, turn->arena, out);
}

static bool is_after(const struct hs_hub_link *link, const struct hs_hub_link *before)
{
    return before->to.office.term != link->from.term ||
           hs_key_equal(&before->to.office.root, &link->from.root);
}

/* Each move goes on from the one before it, and the first one from the brand. */
static bool fits(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                 const struct hs_hub_link *link)
{
    struct hs_key brand = hs_room_brand(turn, view);
    struct hs_hub_link other;
    if (link->from.term == HS_POLICY_HUB_TERM_FIRST && !hs_key_equal(&link->from.root, &brand))
        return false;
    if (!view->hub && link->to.office.term == hs_room_term(view) &&
        !hs_bytes_equal(HS_VIEW(link->to.office.root), hs_pb_bytes(view->hub_root)))
        return false;
    for (uint64_t seq = 0; hs_office_move_at(turn, room, seq, &seq); seq++) {
        if (seq == link->seq || link_open(turn, room, hs_room_entry(turn, room, seq), &other) != HS_OK)
            continue;
        if (!(seq < link->seq ? is_after(link, &other) : is_after(&other, link)))
            return false;
    }
    return true;
}

enum hs_err hs_link_check(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                          const Hanse__State__RoomEntry *entry, struct hs_hub_link *out)
{
    enum hs_err err = link_open(turn, room, entry, out);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_NOMEM ? err : HS_ERR_BAD_CHAIN);
    return fits(turn, room, view, out) ? HS_OK : HS_ERR_BAD_CHAIN;
}
