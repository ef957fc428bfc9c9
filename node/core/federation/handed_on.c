/* What the items of a hub's inbox make of the views when they are recorded: a copy of a room begins, begins
 * anew, or ends for somebody, and the item goes on to the device. */
#include "core/blobs/blob.h"
#include "core/delivery/inbox.h"
#include "core/federation/follow.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/told.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/guest.h"
#include "object/object.h"
#include "wire/unpack.h"

static struct hs_kv_key handed_key(struct hs_bytes hub)
{
    return hs_key_sub(HS_MISC_HANDED, hub, (struct hs_bytes){0});
}

uint64_t hs_handed_next(struct hs_turn *turn, const struct hs_key *hub)
{
    struct hs_kv_key key = handed_key(HS_VIEW(*hub));
    return hs_number_get(turn, HS_T_MISC, &key, NULL);
}

/* A former hub has named a place before the copy. The records come from the hub in office, and what was
 * before them follows from what is held: the word of the former one counts for neither. */
static void rewind_at_present(Hanse__State__RoomView *view, uint64_t seq)
{
    view->held = view->next_seq > view->held ? view->next_seq : view->held;
    view->next_seq = view->first_seq = seq;
    view->hash = (ProtobufCBinaryData){0};
    view->hub_time_ms = 0;
}

/* The copy of a room of that hub, begun at the record that added the first of this node's users, or begun
 * anew where none of them has been in it since, or where somebody comes who hasn't read so far. */
static Hanse__State__RoomView *begin_copy(struct hs_turn *turn, const struct hs_id *hub,
                                          const struct hs_id *room, uint64_t seq,
                                          ProtobufCBinaryData prev_hash)
{
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    if (view == NULL)
        view = HS_NEW(turn, Hanse__State__RoomView, hanse__state__room_view);
    if (view == NULL)
        return NULL;
    if (view->hub_root.len > 0 && !hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(*hub))) {
        if (seq < view->first_seq)
            rewind_at_present(view, seq);
        return view;
    }
    struct hs_key hub_key;
    if (view->hub_root.len == 0 && HS_FIXED(HS_VIEW(*hub), &hub_key))
        hs_copies_add(turn, &hub_key);
    if (view->hub_root.len == 0 || seq < view->first_seq || (view->members == 0 && seq > view->next_seq)) {
        struct hs_bytes root = hs_arena_copy(turn->arena, HS_VIEW(*hub));
        view->hub_root = hs_pb_data(root);
        view->held = view->next_seq > view->held ? view->next_seq : view->held;
        view->next_seq = view->first_seq = seq;
        view->hash = prev_hash;
        view->hub_time_ms = 0;
    }
    return view;
}

/* A user of this node reads that room from the record seq on. */
struct newcomer {
    ProtobufCBinaryData room, persona, prev_hash;
    uint64_t seq;
    const Hanse__SignedObject *descriptor;
    ProtobufCBinaryData brand_root;
    uint32_t hub_term;
};

/* Which users of this node read the room, and from where: an item that comes once more counts once. */
static struct hs_kv_key reads_key(const struct hs_id *room, const struct hs_key *persona)
{
    return hs_key_sub(HS_MISC_READS, HS_VIEW(*room), HS_VIEW(*persona));
}

uint64_t hs_reads_since(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona)
{
    struct hs_kv_key key = reads_key(room, persona);
    return hs_number_get(turn, HS_T_MISC, &key, NULL);
}

/* True where the user reads the room already, on this device. */
static bool reads_already(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                          const struct hs_key *persona)
{
    struct hs_kv_key key = reads_key(room, persona);
    Hanse__State__SubscriptionView *view = hs_subscription_view(turn, subscriber, room);
    return view != NULL && view->until == UINT64_MAX && hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

/* An item of a former hub, on its way since before it went: who is a member, this node knows by itself by
 * now. */
static enum hs_err apply_late(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *subscriber,
                              const struct newcomer *who)
{
    struct hs_key persona;
    HS_TAKE32(who->persona, &persona);
    Hanse__State__MemberView *member = hs_member_view(turn, room, &persona);
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, subscriber, room);
    bool home = member != NULL && !member->left &&
                hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(*hs_turn_root(turn)));
    if (home && (reads == NULL || reads->until != UINT64_MAX))
        hs_subscribe(turn, subscriber, room, who->seq, 1);
    return HS_OK;
}

static enum hs_err apply_newcomer(struct hs_turn *turn, const struct hs_id *hub,
                                  const struct hs_key *subscriber, const struct newcomer *who)
{
    struct hs_id room;
    struct hs_key persona;
    struct hs_bytes object;
    HS_TAKE32(who->room, &room);
    HS_TAKE32(who->persona, &persona);
    uint32_t more = reads_already(turn, subscriber, &room, &persona) ? 0 : 1;
    struct hs_kv_key reads = reads_key(&room, &persona);
    HS_TRY(hs_object_pack(who->descriptor, turn->arena, &object));
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view != NULL && view->hub && !hs_office_is_coming(view))
        return apply_late(turn, &room, subscriber, who);
    if (view != NULL && more == 0 && !hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(*hub)))
        return HS_OK; /* a former hub begins nothing anew */
    if (view == NULL || !view->hub)
        view = begin_copy(turn, hub, &room, who->seq, who->prev_hash);
    HS_REQUIRE(view != NULL, HS_ERR_NOMEM);
    if (hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(*hub))) {
        view->descriptor = hs_pb_data(object);
        if (who->hub_term > view->hub_term)
            view->hub_term = who->hub_term;
        if (who->brand_root.len > 0)
            view->brand_root = who->brand_root;
    }
    view->members += view->hub ? 0 : more;
    hs_room_store(turn, &room, view);
    hs_number_put(turn, HS_T_MISC, &reads, who->seq);
    hs_subscribe(turn, subscriber, &room, who->seq, more);
    return HS_OK;
}

static enum hs_err apply_welcome(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t number,
                                 const struct hs_key *subscriber, Hanse__InboxItem *item)
{
    const Hanse__WelcomeItem *welcome = item->welcome;
    struct newcomer who = {welcome->room,       welcome->persona,    welcome->prev_hash, welcome->commit_seq,
                           welcome->descriptor, welcome->brand_root, welcome->hub_term};
    HS_TRY(apply_newcomer(turn, &at->id, subscriber, &who));
    if (welcome->tree->hash.len > 0)
        hs_fetch_hold(turn, at, number, subscriber, item);
    else
        hs_inbox_put_from(turn, subscriber, item, at);
    return HS_OK;
}

static enum hs_err apply_home(struct hs_turn *turn, const struct hs_id *hub, const struct hs_key *subscriber,
                              Hanse__InboxItem *item)
{
    const Hanse__HomeItem *home = item->home;
    struct newcomer who = {home->room,       home->persona,    home->prev_hash, home->next_seq,
                           home->descriptor, home->brand_root, home->hub_term};
    HS_TRY(apply_newcomer(turn, hub, subscriber, &who));
    hs_inbox_put(turn, subscriber, item);
    return HS_OK;
}

static enum hs_err apply_late_removal(struct hs_turn *turn, const struct hs_id *room,
                                      const struct hs_key *subscriber, const Hanse__RemovedItem *removed)
{
    struct hs_key persona;
    HS_TAKE32(removed->persona, &persona);
    Hanse__State__MemberView *member = hs_member_view(turn, room, &persona);
    if (member == NULL || member->left ||
        !hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(*hs_turn_root(turn))))
        hs_unsubscribe(turn, subscriber, room, removed->seq);
    return HS_OK;
}

static enum hs_err apply_removed(struct hs_turn *turn, const struct hs_key *subscriber,
                                 const Hanse__RemovedItem *removed)
{
    struct hs_id room;
    struct hs_key persona;
    HS_TAKE32(removed->room, &room);
    HS_TAKE32(removed->persona, &persona);
    struct hs_kv_key reads = reads_key(&room, &persona);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL, HS_ERR_ROOM_UNKNOWN);
    bool read = hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&reads));
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&reads));
    if (view->hub && !hs_office_is_coming(view)) /* what the log had said already isn't done twice */
        return read ? apply_late_removal(turn, &room, subscriber, removed) : HS_OK;
    if (!view->hub) {
        view->members -= view->members > 0 ? 1 : 0;
        hs_room_store(turn, &room, view);
    }
    hs_unsubscribe(turn, subscriber, &room, removed->seq);
    return HS_OK;
}

static enum hs_err apply_item(struct hs_turn *turn, const struct hs_stream_at *at,
                              const Hanse__State__HandedOn *handed)
{
    struct hs_key subscriber, root;
    Hanse__InboxItem *item;
    HS_TAKE32(handed->subscriber, &subscriber);
    HS_TRY(HS_UNPACK(hanse__inbox_item, hs_pb_bytes(handed->item), HS_LENIENT, turn->arena, &item));
    switch (item->body_case) {
    case HANSE__INBOX_ITEM__BODY_WELCOME:
        return apply_welcome(turn, at, handed->peer_seq, &subscriber, item);
    case HANSE__INBOX_ITEM__BODY_HOME:
        return apply_home(turn, &at->id, &subscriber, item);
    case HANSE__INBOX_ITEM__BODY_REMOVED:
        return apply_removed(turn, &subscriber, item->removed);
    case HANSE__INBOX_ITEM__BODY_MEMBER:
        HS_REQUIRE(HS_FIXED(HS_VIEW(at->id), &root), HS_ERR_STORE);
        hs_told_apply(turn, &root, item->member);
        return HS_OK;
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

void hs_handed_on_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *record)
{
    const Hanse__State__HandedOn *handed = record->handed_on;
    struct hs_kv_key next = handed_key(HS_VIEW(at->id));
    enum hs_err err = handed->item.len > 0 ? apply_item(turn, at, handed) : HS_OK;
    hs_number_put(turn, HS_T_MISC, &next, handed->peer_seq + 1);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
}
