/* hansed rooms: all of them, page by page, or one and where its members are at home. */
#include "core/admin/admin.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/takeover.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX }; /* of one view: a page of them must not take the turn's memory */

/* The room's name, as its policy has it; only the hub keeps that. NULL without memory. */
static const char *name_of(struct hs_turn *turn, const Hanse__State__RoomView *view, struct hs_arena *scratch)
{
    struct hs_policy policy;
    enum hs_err err =
        view->hub ? hs_policy_parse(hs_pb_bytes(view->policy), scratch, &policy) : HS_ERR_NOT_FOUND;
    if (err == HS_OK)
        return hs_arena_str(turn->arena, policy.name);
    return err == HS_ERR_NOMEM ? NULL : "";
}

/* Who reads it just now. */
static void count_readers(struct hs_turn *turn, const struct hs_id *room, Hanse__State__AdminRoom *row)
{
    const struct hs_readers *readers = NULL;
    HASH_FIND(hh, turn->core->sessions.readers, room, sizeof *room, readers);
    for (size_t i = 0; readers != NULL && i < readers->len; i++) {
        const struct hs_session *session = readers->list[i].session;
        row->devices += session->attached && session->state == HS_SESSION_DEVICE;
        row->followers += session->attached && session->state == HS_SESSION_NODE;
    }
}

/* The row of a room; NULL without memory, or where the store failed, which sticks. */
static Hanse__State__AdminRoom *row_of(struct hs_turn *turn, struct hs_bytes key, struct hs_bytes value,
                                       struct hs_arena *scratch)
{
    Hanse__State__RoomView *view;
    Hanse__State__AdminRoom *row = HS_NEW(turn, Hanse__State__AdminRoom, hanse__state__admin_room);
    struct hs_id room;
    if (row == NULL)
        return NULL;
    if (!HS_FIXED(key, &room) ||
        HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, scratch, &view) != HS_OK) {
        /* one's own bytes are never malformed */
        turn->kv->err = scratch->exhausted ? HS_ERR_NOMEM : HS_ERR_STORE;
        return NULL;
    }
    row->id = hs_pb_data(hs_arena_copy(turn->arena, key));
    row->name = (char *)(uintptr_t)name_of(turn, view, scratch);
    row->hub = view->hub;
    row->hub_root = hs_pb_data(hs_arena_copy(turn->arena, hs_pb_bytes(view->hub_root)));
    row->term = hs_room_term(view);
    row->waits = view->hub ? hs_room_stands_still(turn, view) : hs_takeover_is_wanted(turn, &room);
    row->members = view->members;
    row->bytes = view->log_bytes;
    row->epoch = view->epoch;
    row->next_seq = view->next_seq;
    row->first_seq = view->first_seq;
    row->last_ms = view->hub_time_ms;
    count_readers(turn, &room, row);
    return row->name == NULL || scratch->exhausted ? NULL : row; /* it may lack something */
}

static Hanse__State__AdminRooms *rooms_answer(struct hs_turn *turn, Hanse__State__AdminAnswer *answer)
{
    Hanse__State__AdminRooms *rooms = HS_NEW(turn, Hanse__State__AdminRooms, hanse__state__admin_rooms);
    if (rooms != NULL)
        rooms->rooms = hs_arena_alloc(turn->arena, HS_ADMIN_ROOMS * sizeof *rooms->rooms);
    answer->rooms = rooms;
    answer->body_case = HANSE__STATE__ADMIN_ANSWER__BODY_ROOMS;
    return rooms != NULL && rooms->rooms != NULL ? rooms : NULL;
}

enum hs_err hs_admin_rooms(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                           Hanse__State__AdminAnswer *answer)
{
    Hanse__State__AdminRooms *rooms = rooms_answer(turn, answer);
    struct hs_bytes after = hs_pb_bytes(request->rooms->after), key, value, none = {0};
    struct hs_kv_key from = {0};
    HS_REQUIRE(rooms != NULL, HS_ERR_NOMEM);
    HS_REQUIRE(after.len == 0 || after.len == HS_HASH_LEN, HS_ERR_MALFORMED);
    if (after.len > 0)
        from = hs_kv_after(after);
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return HS_OK;
        rooms->more = rooms->n_rooms == HS_ADMIN_ROOMS;
        if (rooms->more)
            return HS_OK;
        Hanse__State__AdminRoom *row = row_of(turn, key, value, &scratch);
        HS_REQUIRE(row != NULL, HS_ERR_NOMEM);
        rooms->rooms[rooms->n_rooms++] = row;
        from = hs_kv_after(key);
    }
}

static void count_home(struct hs_turn *turn, Hanse__State__AdminRoom *row, struct hs_bytes root)
{
    for (size_t i = 0; i < row->n_homes; i++) {
        if (hs_bytes_equal(hs_pb_bytes(row->homes[i]->root), root)) {
            row->homes[i]->members++;
            return;
        }
    }
    Hanse__State__AdminHome *home = row->n_homes < HS_ADMIN_HOMES
                                        ? HS_NEW(turn, Hanse__State__AdminHome, hanse__state__admin_home)
                                        : NULL;
    if (home == NULL)
        return;
    home->root = hs_pb_data(hs_arena_copy(turn->arena, root));
    home->members = 1;
    row->homes[row->n_homes++] = home;
}

/* Where the room's members are at home, as the hub knows it. */
static enum hs_err count_homes(struct hs_turn *turn, Hanse__State__AdminRoom *row)
{
    struct hs_bytes room = hs_pb_bytes(row->id), key, value;
    struct hs_kv_key from = hs_key1(room);
    row->homes = hs_arena_alloc(turn->arena, HS_ADMIN_HOMES * sizeof *row->homes);
    HS_REQUIRE(row->homes != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < HS_ADMIN_MEMBERS; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        Hanse__State__MemberView *member;
        if (!hs_kv_next(turn->kv, HS_T_MEMBER, room, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return HS_OK;
        HS_TRY(HS_UNPACK(hanse__state__member_view, value, HS_LENIENT, &scratch, &member));
        count_home(turn, row, hs_pb_bytes(member->home_root));
        from = hs_kv_after(key);
    }
    return HS_OK;
}

/* Does an id begin as it was asked? */
static bool fits(const Hanse__State__AdminAskRoom *ask, struct hs_bytes id)
{
    size_t whole = ask->prefix.len - (ask->nibble ? 1 : 0);
    return memcmp(id.data, ask->prefix.data, whole) == 0 &&
           (!ask->nibble || id.data[whole] >> 4 == ask->prefix.data[whole] >> 4);
}

/* The room whose id begins so: NOT_FOUND; CONFLICT where there are several. */
enum hs_err hs_admin_find_room(struct hs_turn *turn, const Hanse__State__AdminAskRoom *ask,
                               struct hs_arena *scratch, struct hs_bytes *key, struct hs_bytes *value)
{
    struct hs_bytes none = {0}, prefix = hs_pb_bytes(ask->prefix), other;
    HS_REQUIRE(prefix.len > 0 && prefix.len <= HS_HASH_LEN, HS_ERR_MALFORMED);
    struct hs_kv_key from = hs_key1(prefix);
    if (ask->nibble)
        from.b[from.len - 1] &= 0xf0;
    HS_REQUIRE(hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(&from), scratch, key, value) &&
                   fits(ask, *key),
               HS_ERR_NOT_FOUND);
    from = hs_kv_after(*key);
    HS_REQUIRE(!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(&from), scratch, &other, NULL) ||
                   !fits(ask, other),
               HS_ERR_CONFLICT);
    return HS_OK;
}

enum hs_err hs_admin_room(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                          Hanse__State__AdminAnswer *answer)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    Hanse__State__AdminRooms *rooms = rooms_answer(turn, answer);
    struct hs_bytes key, value;
    struct hs_id room;
    HS_REQUIRE(rooms != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_admin_find_room(turn, request->room, &scratch, &key, &value));
    HS_REQUIRE(HS_FIXED(key, &room), HS_ERR_STORE);
    if (request->room->give_up)
        HS_TRY(hs_takeover_give_up(turn, &room));
    Hanse__State__AdminRoom *row = row_of(turn, key, value, &scratch);
    HS_REQUIRE(row != NULL, HS_ERR_NOMEM);
    HS_TRY(count_homes(turn, row));
    rooms->rooms[rooms->n_rooms++] = row;
    return HS_OK;
}
