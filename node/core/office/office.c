#include "core/office/office.h"

#include "core/federation/follow_former.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "object/object.h"

struct hs_key hs_room_brand(struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    struct hs_key brand = *hs_turn_root(turn);
    if (!HS_FIXED(hs_pb_bytes(view->brand_root), &brand))
        (void)HS_FIXED(hs_pb_bytes(view->hub_root), &brand);
    return brand;
}

bool hs_office_tells(const Hanse__State__RoomView *view, uint64_t seq)
{
    return !hs_office_is_coming(view) || seq + HS_FORMER_RECORDS + 1 >= view->office_end;
}

bool hs_office_is_any_coming(struct hs_turn *turn)
{
    uint8_t kind = HS_MISC_OFFICE;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    return hs_kv_next(turn->kv, HS_T_MISC, prefix, prefix, turn->arena, &key, NULL);
}

static struct hs_kv_key move_key(const struct hs_id *room, uint64_t seq)
{
    return hs_key_seq(HS_VIEW(*room), seq);
}

bool hs_office_move_at(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, uint64_t *out)
{
    struct hs_bytes prefix = HS_VIEW(*room), key;
    struct hs_kv_key from = move_key(room, seq);
    if (!hs_kv_next(turn->kv, HS_T_OFFICE, prefix, hs_kv_key_bytes(&from), turn->arena, &key, NULL))
        return false;
    *out = hs_kv_u64(key);
    return true;
}

/* What the HUB_MOVE record seq says, which is in this copy. */
static enum hs_err read_move(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__RoomEntry *entry, struct hs_hub_move *out)
{
    struct hs_record_header header;
    HS_REQUIRE(entry != NULL, HS_ERR_NOT_FOUND);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    return hs_hub_move_verify(hs_pb_bytes(entry->body), room, header.hub_time, turn->arena, out);
}

bool hs_office_began(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                     uint64_t *out)
{
    struct hs_hub_move move;
    uint64_t last = UINT64_MAX;
    for (uint64_t seq = 0; hs_office_move_at(turn, room, seq, &seq); seq++)
        last = seq;
    if (last == UINT64_MAX || read_move(turn, room, hs_room_entry(turn, room, last), &move) != HS_OK)
        return false;
    *out = last;
    return hs_office_is_coming(view) || move.office.term == hs_room_term(view);
}

/* While the office comes here, old records are judged again, and each by the hub of its time. */
struct hs_hub_office hs_room_office(struct hs_turn *turn, const struct hs_id *room,
                                    const Hanse__State__RoomView *view)
{
    struct hs_hub_office office = {hs_room_brand(turn, view), hs_room_term(view)};
    struct hs_hub_move move;
    if (!hs_office_is_coming(view)) {
        (void)HS_FIXED(hs_pb_bytes(view->hub_root), &office.root);
        return office;
    }
    for (uint64_t seq = 0; hs_office_move_at(turn, room, seq, &seq) && seq < view->next_seq; seq++)
        if (read_move(turn, room, hs_room_entry(turn, room, seq), &move) == HS_OK)
            office.root = move.office.root;
    return office;
}

bool hs_office_gave(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                    const struct hs_key *root, uint64_t from, uint64_t *seq)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    for (uint64_t at = from; hs_office_move_at(turn, room, at, &at) && at < view->next_seq; at++) {
        const Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, at);
        if (entry != NULL &&
            hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &object) == HS_OK &&
            hs_descriptor_claimed(object, &d) == HS_OK && hs_key_equal(&d.root, root)) {
            *seq = at;
            return true;
        }
    }
    return false;
}

bool hs_office_left(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                    const struct hs_key *root, uint64_t *seq)
{
    bool found = false;
    for (uint64_t at = 0; hs_office_gave(turn, room, view, root, at, &at); at++) {
        *seq = at;
        found = true;
    }
    return found;
}

enum hs_err hs_office_moves(struct hs_turn *turn, const struct hs_id *room,
                            const Hanse__State__RoomView *view, Hanse__HubMoved ***list, size_t *count)
{
    *count = 0;
    *list = hs_arena_alloc(turn->arena, HS_HUB_MOVED_MAX * sizeof **list);
    HS_REQUIRE(*list != NULL, HS_ERR_NOMEM);
    for (uint64_t seq = 0; *count < HS_HUB_MOVED_MAX && hs_office_move_at(turn, room, seq, &seq); seq++) {
        Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
        Hanse__HubMoved *moved = HS_NEW(turn, Hanse__HubMoved, hanse__hub_moved);
        HS_REQUIRE(entry != NULL && moved != NULL, HS_ERR_STORE);
        HS_TRY(hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &moved->descriptor));
        HS_TRY(hs_object_unpack(hs_pb_bytes(entry->head), turn->arena, &moved->head));
        moved->header = entry->header;
        moved->body = entry->body;
        (*list)[(*count)++] = moved;
    }
    return *count + HS_POLICY_HUB_TERM_FIRST == hs_room_term(view) ? HS_OK : HS_ERR_NOT_FOUND;
}

enum hs_err hs_office_check_move(struct hs_turn *turn, const struct hs_id *room,
                                 const Hanse__State__RoomView *view, const struct hs_record_header *header,
                                 struct hs_bytes body)
{
    struct hs_hub_move move;
    HS_TRY(hs_hub_move_verify(body, room, header->hub_time, turn->arena, &move));
    HS_REQUIRE(hs_key_equal(&move.owner, &header->sender_persona), HS_ERR_MALFORMED);
    if (move.office.term <= hs_room_term(view))
        return HS_OK; /* of former times, as the hub in office has it in its log */
    HS_REQUIRE(move.office.term == hs_room_term(view) + 1 &&
                   !hs_bytes_equal(HS_VIEW(move.office.root), hs_pb_bytes(view->hub_root)),
               HS_ERR_MALFORMED);
    return HS_OK;
}
