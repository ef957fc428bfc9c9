#include "core/office/told.h"

#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/guest.h"

/* ---- the hub in office ---- */

/* False where this node is the brand's, or the room is in its first term. */
static bool brand_of(struct hs_turn *turn, const Hanse__State__RoomView *view, struct hs_key *brand)
{
    if (view == NULL || !view->hub || hs_room_term(view) == HS_POLICY_HUB_TERM_FIRST)
        return false;
    *brand = hs_room_brand(turn, view);
    return !hs_key_equal(brand, hs_turn_root(turn));
}

void hs_tell_brand(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                   const struct hs_key *home)
{
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__MemberItem member = HANSE__MEMBER_ITEM__INIT;
    struct hs_key brand;
    if (!brand_of(turn, hs_room_view(turn, room), &brand))
        return;
    member.room = hs_pb_data(HS_VIEW(*room));
    member.persona = hs_pb_data(HS_VIEW(*persona));
    if (home != NULL)
        member.home_root = hs_pb_data(HS_VIEW(*home));
    item.member = &member;
    item.body_case = HANSE__INBOX_ITEM__BODY_MEMBER;
    hs_inbox_tell(turn, &brand, &item);
}

static void put_reading(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *brand,
                        Hanse__State__SubscriptionView *view, bool reads)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(*brand), HS_VIEW(*room));
    if (view == NULL || view->brand == reads)
        return;
    view->brand = reads;
    hs_view_put(turn, HS_T_SUBSCRIPTION, &key, &view->base);
    if (reads) /* it is no stranger, then: its own key stands for a member's */
        hs_guest_hold(turn, brand, brand, room);
    else
        hs_guest_release(turn, brand, brand, room);
}

void hs_brand_reads(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_key brand;
    if (!brand_of(turn, view, &brand))
        return;
    hs_subscribe(turn, &brand, room, 0, 0);
    put_reading(turn, room, &brand, hs_subscription_view(turn, &brand, room), true);
}

void hs_brand_reads_to(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                       uint64_t seq)
{
    struct hs_key brand;
    if (!brand_of(turn, view, &brand))
        return;
    put_reading(turn, room, &brand, hs_subscription_view(turn, &brand, room), false);
    hs_unsubscribe(turn, &brand, room, seq);
}

/* ---- the brand's node ---- */

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
    HS_TAKE32(item->persona, &persona);
    HS_REQUIRE(item->home_root.len == 0 || item->home_root.len == sizeof persona.b, HS_ERR_MALFORMED);
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL && view->was_hub && !view->hub, HS_ERR_ROOM_UNKNOWN);
    struct hs_kv_key key = told_key(&room, hub, &persona); /* that somebody is gone is always heard */
    bool fits = item->home_root.len == 0 || told_count(turn, hub) < HS_TOLD_MAX ||
                hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    return fits ? HS_OK : HS_ERR_QUOTA;
}

/* Whoever was a member in this node's own time and is gone leaves a row; any other leaves none. */
void hs_told_apply(struct hs_turn *turn, const struct hs_key *hub, const Hanse__MemberItem *item)
{
    struct hs_id room;
    struct hs_key persona;
    if (!HS_FIXED(hs_pb_bytes(item->room), &room) || !HS_FIXED(hs_pb_bytes(item->persona), &persona))
        return;
    struct hs_kv_key key = told_key(&room, hub, &persona);
    bool had = hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    bool has = item->home_root.len > 0 || hs_member_view(turn, &room, &persona) != NULL;
    if (has)
        hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), hs_pb_bytes(item->home_root));
    else
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    if (had != has)
        set_count(turn, hub, told_count(turn, hub) + (has ? 1 : UINT64_MAX));
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
        HS_REQUIRE(was, none_known(turn, &hub));
    }
    HS_REQUIRE(was, HS_ERR_NOT_MEMBER);
    return HS_FIXED(hs_pb_bytes(member->home_root), home) ? HS_OK : HS_ERR_STORE;
}
