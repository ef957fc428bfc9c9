/* The hub in office tells the node of the room's brand who is a member: all of them, when that node reads the
 * room in this hub's term, and from then on whoever comes, moves and goes. A node that doesn't read, or
 * mayn't, is told nothing, and nothing waits for it: it would be told all of it anyway. */
#include "core/delivery/inbox.h"
#include "core/federation/node_key.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/told.h"
#include "core/office/way.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 8 * HS_FRAME_MAX };

/* False where this node is the brand's, or the room is in its first term. */
static bool brand_of(struct hs_turn *turn, const Hanse__State__RoomView *view, struct hs_key *brand)
{
    if (view == NULL || !view->hub || hs_room_term(view) == HS_POLICY_HUB_TERM_FIRST)
        return false;
    *brand = hs_room_brand(turn, view);
    return !hs_key_equal(brand, hs_turn_root(turn));
}

/* Gives its number. */
static uint64_t put_item(struct hs_turn *turn, const struct hs_key *brand, const struct hs_id *room,
                         struct hs_bytes persona, struct hs_bytes home)
{
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__MemberItem member = HANSE__MEMBER_ITEM__INIT;
    member.room = hs_pb_data(HS_VIEW(*room));
    member.persona = hs_pb_data(persona);
    member.home_root = hs_pb_data(home);
    item.member = &member;
    item.body_case = HANSE__INBOX_ITEM__BODY_MEMBER;
    hs_inbox_tell(turn, brand, &item);
    return item.seq;
}

void hs_tell_brand(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                   const struct hs_key *home)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_key brand;
    if (brand_of(turn, view, &brand) && view->brand_told)
        (void)put_item(turn, &brand, room, HS_VIEW(*persona),
                       home != NULL ? HS_VIEW(*home) : (struct hs_bytes){0});
}

/* ---- all of them ---- */

bool hs_brand_is_being_told(const Hanse__State__RoomView *view)
{
    return view->brand_told && view->brand_told_next.len > 0;
}

/* The next members, behind the persona that the view names, and whether that was all of them. most: so many
 * rows; 0: all, as programs of before told them. */
static void tell_more(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *brand,
                      Hanse__State__RoomView *view, uint32_t most)
{
    const struct hs_bytes prefix = HS_VIEW(*room);
    struct hs_kv_key from = hs_key2(prefix, hs_pb_bytes(view->brand_told_next));
    struct hs_bytes key, value;
    from = view->brand_told_next.len > 0 ? hs_kv_after(hs_kv_key_bytes(&from)) : from;
    for (uint32_t i = 0; most == 0 || i < most; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        Hanse__State__MemberView *member;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_MEMBER, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value)) {
            view->brand_told_next = (ProtobufCBinaryData){0};
            (void)put_item(turn, brand, room, (struct hs_bytes){0}, HS_VIEW(*hs_turn_root(turn)));
            return;
        }
        from = hs_kv_after(key);
        struct hs_bytes persona = hs_bytes(key.data + prefix.len, key.len - prefix.len);
        if (HS_UNPACK(hanse__state__member_view, value, HS_LENIENT, &scratch, &member) == HS_OK &&
            !member->left)
            (void)put_item(&own, brand, room, persona, hs_pb_bytes(member->home_root));
        if (i + 1 == most)
            view->brand_told_next = hs_pb_data(hs_arena_copy(turn->arena, persona));
    }
}

void hs_brand_told_apply(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__HomeTold *told)
{
    const struct hs_bytes none = {0};
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_key brand;
    if (!brand_of(turn, view, &brand) || (told->on && !hs_brand_is_being_told(view)))
        return;
    view->brand_told = !told->ends;
    if (!told->on) {
        view->brand_told_next = hs_pb_data(none);
        view->brand_told_from = told->ends ? 0 : put_item(turn, &brand, room, none, none);
    }
    if (told->ends)
        hs_inbox_untell(turn, &brand, room, hs_pb_bytes(told->until));
    else
        tell_more(turn, room, &brand, view, told->most);
    hs_room_store(turn, room, view);
}

static void record(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *brand,
                   Hanse__State__HomeTold told)
{
    Hanse__State__StreamRecord stream = HANSE__STATE__STREAM_RECORD__INIT;
    told.room = hs_pb_data(HS_VIEW(*room));
    stream.home_told = &told;
    stream.body_case = HANSE__STATE__STREAM_RECORD__BODY_HOME_TOLD;
    hs_stream_record(turn, HS_STREAM_DEVICE, HS_VIEW(*brand), &stream);
}

static void record_begins(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *brand)
{
    Hanse__State__HomeTold told = HANSE__STATE__HOME_TOLD__INIT;
    told.most = HS_TOLD_PIECE;
    record(turn, room, brand, told);
    hs_tell_again(turn->core); /* the rest of it */
}

static void record_goes_on(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *brand)
{
    Hanse__State__HomeTold told = HANSE__STATE__HOME_TOLD__INIT;
    told.most = HS_TOLD_PIECE;
    told.on = true;
    record(turn, room, brand, told);
}

/* No turn drops more than a tick tells: the rest goes with the next ones. */
static void record_ends(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *brand)
{
    Hanse__State__HomeTold told = HANSE__STATE__HOME_TOLD__INIT;
    struct hs_id last;
    told.ends = true;
    if (hs_inbox_told_at(turn, brand, room, HS_TELL_ITEMS, &last))
        told.until = hs_pb_data(HS_VIEW(last));
    record(turn, room, brand, told);
}

static bool may_tell(struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    return !turn->full && !hs_room_stands_still(turn, view);
}

void hs_brand_attached(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                       uint64_t next)
{
    struct hs_key brand;
    uint64_t began;
    if (brand_of(turn, view, &brand) && hs_key_equal(&brand, &turn->session->subscriber) &&
        may_tell(turn, view) && hs_office_began(turn, room, view, &began) && next > began &&
        (!view->brand_told || view->brand_told_from < turn->session->inbox_lost))
        record_begins(turn, room, &brand);
}

/* By its root, or by the domain that it says it has. */
static bool is_blocked(struct hs_turn *turn, const struct hs_key *brand)
{
    const struct hs_peer *peer = hs_peer_find(&turn->core->peers, brand);
    struct hs_descriptor d;
    if (peer != NULL && peer->blocked)
        return true;
    bool known = hs_node_key_newest(turn, brand, &d) != NULL;
    struct hs_id domain = hs_domain_hash(hs_bytes_str(known ? d.domain : ""));
    return hs_standing_is_blocked(turn->core, brand, known ? &domain : NULL);
}

static void judge(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                  const struct hs_key *brand)
{
    uint64_t began;
    if (view->brand_told) {
        if (is_blocked(turn, brand))
            record_ends(turn, room, brand);
        else if (hs_brand_is_being_told(view) && may_tell(turn, view))
            record_goes_on(turn, room, brand);
        return;
    }
    struct hs_session *session = hs_session_of(&turn->core->sessions, brand);
    const struct hs_position *position = session != NULL ? hs_session_position(session, room) : NULL;
    if (position != NULL && may_tell(turn, view) && hs_office_began(turn, room, view, &began) &&
        position->next > began)
        record_begins(turn, room, brand);
    else if (hs_inbox_is_told(turn, brand, room))
        record_ends(turn, room, brand);
}

bool hs_brand_has_more(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_key brand;
    return view->brand_told ? hs_brand_is_being_told(view)
                            : brand_of(turn, view, &brand) && hs_inbox_is_told(turn, &brand, room);
}

size_t hs_brand_judge(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_key brand;
    if (!brand_of(turn, view, &brand) || turn->full)
        return 0;
    uint64_t before = hs_inbox_told(turn, &brand);
    judge(turn, room, view, &brand);
    uint64_t after = hs_inbox_told(turn, &brand);
    return (size_t)(after > before ? after - before : before - after);
}

/* ---- it reads ---- */

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
