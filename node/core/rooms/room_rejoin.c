/* GetGroupInfo: what a member whose state is lost needs, to come back by an external commit that takes the
 * place of its former leaf. Nothing of it is secret to a member; nobody else gets it. */
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/rooms/wanted.h"
#include "core/standing/standing.h"
#include "room/blob.h"
#include "wire/limits.h"

/* A tree is written anew for each of its pieces: whoever asks pays for that before it is done, so that a
 * large room's member can't keep the hub busy with nothing else. It is some 64 KiB for so many members. */
enum { TREE_MEMBERS_A_REQUEST = 100 };

static enum hs_err pay(struct hs_turn *turn, uint32_t members)
{
    for (uint64_t paid = 0; paid < members; paid += TREE_MEMBERS_A_REQUEST)
        HS_REQUIRE(hs_standing_spend(turn, 0), HS_ERR_RATE_LIMITED);
    return HS_OK;
}

static enum hs_err write_tree(struct hs_turn *turn, const struct hs_id *room, struct hs_writer *out)
{
    struct hs_group_store store;
    struct hs_mls_public *group = NULL;
    hs_group_store_init(&store, turn->kv, HS_T_GROUP, room);
    enum hs_err err = hs_mls_public_load(&store.store, &group);
    if (err == HS_OK)
        err = hs_mls_public_tree(group, out);
    hs_mls_public_free(group);
    return err == HS_OK || err == HS_ERR_NOMEM ? err : HS_ERR_STORE; /* one's own is never malformed */
}

static enum hs_err piece(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         const Hanse__GetGroupInfo *get, Hanse__GroupInfo *out)
{
    struct hs_writer HS_WRITER tree = hs_writer(HS_TREE_MAX);
    HS_REQUIRE(get->offset % HS_BLOB_CHUNK == 0, HS_ERR_MALFORMED);
    HS_TRY(pay(turn, view->members));
    HS_TRY(write_tree(turn, room, &tree));
    HS_REQUIRE(get->offset < tree.len, HS_ERR_NOT_FOUND);
    size_t left = tree.len - (size_t)get->offset;
    struct hs_bytes part = hs_bytes(tree.data + get->offset, left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK);
    out->tree = hs_pb_data(hs_arena_copy(turn->arena, part));
    out->tree_size = tree.len;
    out->offset = get->offset;
    return out->tree.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_handle_get_group_info(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                     uint64_t *detail)
{
    const Hanse__GetGroupInfo *get = request->get_group_info;
    Hanse__GroupInfo *out = HS_NEW(turn, Hanse__GroupInfo, hanse__group_info);
    Hanse__State__RoomView *view;
    struct hs_key persona;
    struct hs_id room;
    HS_REQUIRE(out != NULL, HS_ERR_NOMEM);
    HS_TAKE32(get->room, &room);
    HS_TAKE32(get->persona, &persona);
    HS_TRY(hs_room_hubbed(turn, &room, &view));
    HS_TRY(hs_room_speaker(turn, &room, &persona));
    HS_REQUIRE(view->unsettled == 0, HS_ERR_UNSETTLED); /* it may yet be void */
    *detail = view->epoch;
    HS_REQUIRE(get->epoch == 0 || get->epoch == view->epoch, HS_ERR_WRONG_EPOCH);
    out->epoch = view->epoch;
    if (get->epoch == 0) {
        struct hs_bytes info = hs_room_group_info(turn, &room);
        if (info.len == 0) /* the commit came back without it, or was another hub's */
            hs_wanted_note(turn, &room, view);
        HS_REQUIRE(info.len > 0, HS_ERR_RECOVERING);
        out->group_info = hs_pb_data(info);
        out->next_seq = view->next_seq;
        out->hash = view->hash;
        out->hub_time_ms = view->hub_time_ms;
        out->leaving = view->leaving.len > 0;
    } else {
        HS_TRY(piece(turn, &room, view, get, out));
    }
    reply->group_info = out;
    reply->body_case = HANSE__FRAME__BODY_GROUP_INFO;
    return HS_OK;
}
