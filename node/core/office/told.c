#include "core/office/told.h"

#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

static struct hs_kv_key told_prefix(const struct hs_id *room, const struct hs_key *hub)
{
    return hs_key_sub(HS_MISC_TOLD, HS_VIEW(*room), HS_VIEW(*hub));
}

static struct hs_kv_key told_key(const struct hs_id *room, const struct hs_key *hub,
                                 const struct hs_key *persona)
{
    struct hs_kv_key key = told_prefix(room, hub);
    hs_kv_key_add(&key, HS_VIEW(*persona));
    return key;
}

static uint64_t told_count(struct hs_turn *turn, const struct hs_key *hub)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_TOLD, HS_VIEW(*hub), (struct hs_bytes){0});
    return hs_number_get(turn, HS_T_MISC, &key, NULL);
}

static void set_count(struct hs_turn *turn, const struct hs_key *hub, uint64_t count)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_TOLD, HS_VIEW(*hub), (struct hs_bytes){0});
    hs_number_put(turn, HS_T_MISC, &key, count);
}

enum hs_err hs_told_check(struct hs_turn *turn, const struct hs_key *hub, const Hanse__MemberItem *item)
{
    struct hs_id room;
    struct hs_key persona;
    HS_TAKE32(item->room, &room);
    HS_REQUIRE(item->persona.len == 0 || HS_FIXED(hs_pb_bytes(item->persona), &persona), HS_ERR_MALFORMED);
    HS_REQUIRE(item->home_root.len == 0 || item->home_root.len == sizeof persona.b, HS_ERR_MALFORMED);
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL && view->was_hub && !view->hub, HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(*hub)), HS_ERR_WRONG_PEER);
    if (item->persona.len == 0)
        return HS_OK;
    struct hs_kv_key key = told_key(&room, hub, &persona); /* that somebody is gone is always heard */
    bool fits = item->home_root.len == 0 || told_count(turn, hub) < HS_TOLD_MAX ||
                hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    return fits ? HS_OK : HS_ERR_QUOTA;
}

static void put_row(struct hs_turn *turn, const struct hs_key *hub, const struct hs_kv_key *key, bool has,
                    struct hs_bytes home)
{
    bool had = hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(key));
    if (has)
        hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(key), home);
    else
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(key));
    if (had != has)
        set_count(turn, hub, told_count(turn, hub) + (has ? 1 : UINT64_MAX));
}

/* Whoever was a member in this node's own time and is gone leaves a row; any other leaves none. How far a
 * telling is has one, too: without a home where it has begun. */
void hs_told_apply(struct hs_turn *turn, const struct hs_key *hub, const Hanse__MemberItem *item)
{
    struct hs_id room;
    struct hs_key persona;
    struct hs_bytes home = hs_pb_bytes(item->home_root);
    if (!HS_FIXED(hs_pb_bytes(item->room), &room))
        return;
    if (item->persona.len == 0) {
        struct hs_kv_key all = told_prefix(&room, hub);
        if (home.len == 0)
            hs_told_forget(turn, &room, hub);
        put_row(turn, hub, &all, true, home);
    } else if (HS_FIXED(hs_pb_bytes(item->persona), &persona)) {
        struct hs_kv_key key = told_key(&room, hub, &persona);
        put_row(turn, hub, &key, home.len > 0 || hs_member_view(turn, &room, &persona) != NULL, home);
    }
}

void hs_told_forget(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *hub)
{
    struct hs_kv_key first = told_prefix(room, hub);
    struct hs_bytes prefix = hs_kv_key_bytes(&first), key;
    uint64_t gone = 0;
    for (;; gone++) {
        struct hs_arena HS_ARENA scratch = hs_arena(4096);
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, prefix, &scratch, &key, NULL))
            break;
        hs_kv_del(turn->kv, HS_T_MISC, key);
    }
    uint64_t count = told_count(turn, hub);
    if (gone > 0)
        set_count(turn, hub, count > gone ? count - gone : 0);
}

/* The hub in office has said who is a member, and who isn't among those is none. */
static bool is_all_told(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *hub)
{
    struct hs_kv_key all = told_prefix(room, hub);
    struct hs_bytes value;
    return hs_kv_get(turn->kv, HS_T_MISC, hs_kv_key_bytes(&all), turn->arena, &value) && value.len > 0;
}

/* Whoever came a moment ago may be in an item that is still on its way. */
static enum hs_err none_known(struct hs_turn *turn, const struct hs_key *hub)
{
    const struct hs_peer *peer = hs_peer_find(&turn->core->peers, hub);
    return peer != NULL && peer->state == HS_PEER_UP && peer->attached ? HS_ERR_NOT_MEMBER : HS_ERR_BUSY;
}

enum hs_err hs_brand_member(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                            struct hs_key *home)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    Hanse__State__MemberView *member = hs_member_view(turn, room, persona);
    bool was = member != NULL && !member->left;
    struct hs_key hub;
    struct hs_bytes told;
    HS_REQUIRE(!hs_office_is_coming(view),
               HS_ERR_BUSY); /* it comes back: who is in it isn't known again yet */
    if (view != NULL && view->was_hub && !view->hub && HS_FIXED(hs_pb_bytes(view->hub_root), &hub)) {
        struct hs_kv_key key = told_key(room, &hub, persona);
        if (hs_kv_get(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), turn->arena, &told))
            return HS_FIXED(told, home) ? HS_OK : HS_ERR_NOT_MEMBER;
        bool all = is_all_told(turn, room, &hub);
        HS_REQUIRE(was || all, HS_ERR_BUSY);
        HS_REQUIRE(!all, none_known(turn, &hub));
    }
    HS_REQUIRE(was, HS_ERR_NOT_MEMBER);
    return HS_FIXED(hs_pb_bytes(member->home_root), home) ? HS_OK : HS_ERR_STORE;
}
