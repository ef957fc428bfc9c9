/* What comes in a hub's inbox for users of this node: Welcomes and removals. Each is one record in the hub's
 * stream, also where it makes no sense: so none is taken twice. What it makes is in handed_on.c. */
#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/delivery/inbox.h"
#include "core/dispatch.h"
#include "core/federation/follow.h"
#include "core/federation/follow_former.h"
#include "core/internal.h"
#include "core/office/told.h"
#include "core/records/table.h"
#include "core/standing/guest.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "wire/limits.h"

enum {
    MEMBERS_AN_ITEM = 16
}; /* MemberItems that count as one item: HS_TOLD_MAX of them are fewer than 5,000 */

/* What goes on to the device: what this version knows of it, in sizes that fit into a frame. */
static struct hs_bytes pack_welcome(struct hs_turn *turn, const Hanse__WelcomeItem *from)
{
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__WelcomeItem welcome = HANSE__WELCOME_ITEM__INIT;
    welcome.room = from->room;
    welcome.persona = from->persona;
    welcome.welcome = from->welcome;
    welcome.commit_seq = from->commit_seq;
    welcome.prev_hash = from->prev_hash;
    welcome.hub_root = from->hub_root;
    welcome.descriptor = from->descriptor;
    Hanse__Tree tree = HANSE__TREE__INIT;
    if (from->tree->hash.len == 0)
        tree.bytes = from->tree->bytes;
    tree.hash = from->tree->hash;
    tree.size = from->tree->size;
    welcome.tree = &tree;
    welcome.brand_root = from->brand_root;
    welcome.hub_term = from->hub_term;
    item.welcome = &welcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    return hs_turn_pack(turn, &item.base);
}

static struct hs_bytes pack_home(struct hs_turn *turn, const Hanse__HomeItem *from)
{
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__HomeItem home = HANSE__HOME_ITEM__INIT;
    home.room = from->room;
    home.persona = from->persona;
    home.next_seq = from->next_seq;
    home.prev_hash = from->prev_hash;
    home.hub_root = from->hub_root;
    home.descriptor = from->descriptor;
    home.brand_root = from->brand_root;
    home.hub_term = from->hub_term;
    item.home = &home;
    item.body_case = HANSE__INBOX_ITEM__BODY_HOME;
    return hs_turn_pack(turn, &item.base);
}

static struct hs_bytes pack_removed(struct hs_turn *turn, const Hanse__RemovedItem *from)
{
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__RemovedItem removed = HANSE__REMOVED_ITEM__INIT;
    removed.room = from->room;
    removed.persona = from->persona;
    removed.seq = from->seq;
    item.removed = &removed;
    item.body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
    return hs_turn_pack(turn, &item.base);
}

/* The record of an item: decided is what goes on, empty where it is passed over. */
static void record_item(struct hs_turn *turn, const struct hs_peer *peer, uint64_t seq,
                        const struct hs_key *subscriber, struct hs_bytes decided)
{
    Hanse__State__HandedOn handed = HANSE__STATE__HANDED_ON__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    handed.peer_seq = seq;
    if (decided.len > 0)
        handed.subscriber = hs_pb_data(HS_VIEW(*subscriber));
    handed.item = hs_pb_data(decided);
    hs_kept_count(turn, &peer->root, decided.len);
    record.handed_on = &handed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(peer->root), &record);
}

/* The brand that knows the persona: the hub's own, or the one whose room has come to it. */
static enum hs_err check_brand(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_key *persona,
                               ProtobufCBinaryData brand_root)
{
    struct hs_key brand = peer->root;
    HS_REQUIRE(brand_root.len == 0 || HS_FIXED(hs_pb_bytes(brand_root), &brand), HS_ERR_MALFORMED);
    return hs_persona_is_for(turn, persona, &brand) ? HS_OK : HS_ERR_WRONG_PEER;
}

/* The room is read on at its hub, which may be another one by now. */
static void read_on(struct hs_turn *turn, const struct hs_id *room, uint64_t next)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_key hub;
    if (view == NULL || view->hub || !HS_FIXED(hs_pb_bytes(view->hub_root), &hub))
        return;
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &hub);
    if (peer != NULL && peer->state == HS_PEER_UP)
        hs_follow_attach_room(turn, peer, room, next);
}

/* What holds of every item that begins the reading of a room: it is the peer's, and its descriptor is. */
static enum hs_err check_place(struct hs_turn *turn, const struct hs_peer *peer, struct hs_bytes hub_root,
                               const struct hs_id *room, const struct hs_key *persona, uint64_t seq,
                               const Hanse__SignedObject *object)
{
    struct hs_descriptor descriptor;
    struct hs_bytes bytes;
    HS_REQUIRE(hs_bytes_equal(hub_root, HS_VIEW(peer->root)), HS_ERR_WRONG_PEER);
    HS_REQUIRE(object != NULL, HS_ERR_MALFORMED);
    HS_TRY(hs_descriptor_verify(object, &peer->root, turn->now, &descriptor));
    HS_TRY(hs_object_pack(object, turn->arena, &bytes));
    HS_REQUIRE(bytes.len <= HS_DESCRIPTOR_MAX, HS_ERR_TOO_LARGE);
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    HS_REQUIRE(view == NULL || hs_former_may_begin(turn, room, view, &peer->root, persona, seq),
               HS_ERR_CONFLICT);
    HS_REQUIRE(view == NULL || !view->forked, HS_ERR_LOG_FORK);
    bool may_begin = hs_copies_count(turn, &peer->root) < hs_quota_of(turn->session->standing)->copies;
    return view != NULL || may_begin ? HS_OK : HS_ERR_QUOTA;
}

/* A user of this node was added to a room of that hub: the copy begins, and the Welcome goes to its device.
 */
static enum hs_err take_welcome(struct hs_turn *turn, struct hs_peer *peer, uint64_t seq,
                                const Hanse__WelcomeItem *welcome)
{
    struct hs_id room;
    struct hs_key persona, subscriber;
    HS_TAKE32(welcome->room, &room);
    HS_TAKE32(welcome->persona, &persona);
    HS_TRY(check_place(turn, peer, hs_pb_bytes(welcome->hub_root), &room, &persona, welcome->commit_seq,
                       welcome->descriptor));
    HS_REQUIRE(welcome->prev_hash.len == HS_HASH_LEN && welcome->tree != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(welcome->commit_seq < HS_SEQ_END, HS_ERR_MALFORMED);
    HS_TRY(hs_fetch_check(welcome->tree));
    HS_REQUIRE(welcome->welcome.len + welcome->tree->bytes.len <= HS_BLOB_THRESHOLD, HS_ERR_TOO_LARGE);
    HS_REQUIRE(hs_persona_subscriber(turn, &persona, &subscriber), HS_ERR_NO_ACCOUNT);
    HS_REQUIRE(!hs_inbox_is_full(turn, &subscriber), HS_ERR_QUOTA);
    HS_TRY(check_brand(turn, peer, &persona, welcome->brand_root));
    record_item(turn, peer, seq, &subscriber, pack_welcome(turn, welcome));
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    read_on(turn, &room, view != NULL ? view->next_seq : welcome->commit_seq);
    return HS_OK;
}

/* A member of a room of that hub is a user of this node from now on. */
static enum hs_err take_home(struct hs_turn *turn, struct hs_peer *peer, uint64_t seq,
                             const Hanse__HomeItem *home)
{
    struct hs_id room;
    struct hs_key persona, subscriber;
    HS_TAKE32(home->room, &room);
    HS_TAKE32(home->persona, &persona);
    HS_TRY(check_place(turn, peer, hs_pb_bytes(home->hub_root), &room, &persona, home->next_seq,
                       home->descriptor));
    HS_REQUIRE(home->prev_hash.len == HS_HASH_LEN && home->next_seq > 0 && home->next_seq < HS_SEQ_END,
               HS_ERR_MALFORMED);
    HS_REQUIRE(hs_persona_subscriber(turn, &persona, &subscriber), HS_ERR_NO_ACCOUNT);
    HS_REQUIRE(!hs_inbox_is_full(turn, &subscriber), HS_ERR_QUOTA);
    HS_TRY(check_brand(turn, peer, &persona, home->brand_root));
    record_item(turn, peer, seq, &subscriber, pack_home(turn, home));
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    read_on(turn, &room, view != NULL ? view->next_seq : home->next_seq);
    return HS_OK;
}

/* Only the hub of a room can say that somebody was removed from it. */
static enum hs_err take_removed(struct hs_turn *turn, const struct hs_peer *peer, uint64_t seq,
                                const Hanse__RemovedItem *removed)
{
    struct hs_id room;
    struct hs_key persona, subscriber;
    HS_TAKE32(removed->room, &room);
    HS_TAKE32(removed->persona, &persona);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL, HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE(hs_former_may_remove(turn, &room, view, &peer->root, &persona, removed->seq),
               HS_ERR_WRONG_PEER);
    HS_REQUIRE(hs_persona_subscriber(turn, &persona, &subscriber), HS_ERR_NO_ACCOUNT);
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &subscriber, &room);
    HS_REQUIRE(reads != NULL && reads->until == UINT64_MAX, HS_ERR_NOT_MEMBER);
    HS_REQUIRE(hs_reads_since(turn, &room, &persona) <= removed->seq,
               HS_ERR_REPLAY); /* a hub that was restored says it once more */
    record_item(turn, peer, seq, &subscriber, pack_removed(turn, removed));
    return HS_OK;
}

/* Of a room that has moved from here. */
static enum hs_err take_member(struct hs_turn *turn, const struct hs_peer *peer, uint64_t seq,
                               const Hanse__MemberItem *from)
{
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__MemberItem member = HANSE__MEMBER_ITEM__INIT;
    HS_TRY(hs_told_check(turn, &peer->root, from));
    member.room = from->room;
    member.persona = from->persona;
    member.home_root = from->home_root;
    item.member = &member;
    item.body_case = HANSE__INBOX_ITEM__BODY_MEMBER;
    record_item(turn, peer, seq, hs_turn_root(turn), hs_turn_pack(turn, &item.base));
    return HS_OK;
}

static enum hs_err take_item(struct hs_turn *turn, struct hs_peer *peer, const Hanse__InboxItem *item)
{
    switch (item->body_case) {
    case HANSE__INBOX_ITEM__BODY_WELCOME:
        return take_welcome(turn, peer, item->seq, item->welcome);
    case HANSE__INBOX_ITEM__BODY_HOME:
        return take_home(turn, peer, item->seq, item->home);
    case HANSE__INBOX_ITEM__BODY_REMOVED:
        return take_removed(turn, peer, item->seq, item->removed);
    case HANSE__INBOX_ITEM__BODY_MEMBER:
        return take_member(turn, peer, item->seq, item->member);
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

/* Members in bulk are what a new hub begins with. Of as many as one hub may tell of (HS_TOLD_MAX) not one
 * ends the session of an invited hub, on which Welcomes come, too. */
static size_t weight_of(const Hanse__Inbox *inbox)
{
    size_t members = 0;
    for (size_t i = 0; i < inbox->n_items; i++)
        members += inbox->items[i]->body_case == HANSE__INBOX_ITEM__BODY_MEMBER ? 1 : 0;
    return inbox->n_items - members + (members + MEMBERS_AN_ITEM - 1) / MEMBERS_AN_ITEM;
}

/* What may stay of an item. That somebody is gone is heard, whether there is place or not. */
static uint64_t size_of(const Hanse__InboxItem *item)
{
    bool gone = item->body_case == HANSE__INBOX_ITEM__BODY_REMOVED ||
                (item->body_case == HANSE__INBOX_ITEM__BODY_MEMBER && item->member->home_root.len == 0);
    return gone ? 0 : protobuf_c_message_get_packed_size(&item->base);
}

/* An item that doesn't make sense is passed over and logged: the hub must not be able to block the next ones.
 * At the first for which there is no place the hub is left: those before it are taken, and what comes behind
 * it comes once more with it, in their order. */
enum hs_err hs_handle_inbox(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                            uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Inbox *inbox = request->inbox;
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &turn->session->subscriber);
    HS_REQUIRE(peer != NULL, HS_ERR_UNEXPECTED);
    HS_REQUIRE(hs_standing_spend_hub(turn, HS_FLOW_HUB_ITEMS, weight_of(inbox)), HS_ERR_RATE_LIMITED);
    uint64_t next = hs_handed_next(turn, &peer->root);
    enum hs_err place = HS_OK;
    for (size_t i = 0; i < inbox->n_items; i++) {
        if (inbox->items[i]->seq < next)
            continue;
        place = hs_kept_check_sent(turn, size_of(inbox->items[i]));
        if (place != HS_OK)
            break;
        next = inbox->items[i]->seq + 1;
        enum hs_err err = take_item(turn, peer, inbox->items[i]);
        if (err == HS_OK)
            continue;
        HS_REQUIRE(err != HS_ERR_NOMEM && turn->kv->err == HS_OK, err); /* that is no fault of the item */
        record_item(turn, peer, inbox->items[i]->seq, NULL, (struct hs_bytes){0});
        hs_turn_log(turn, "event=item-refused error=%s", hs_err_name(err));
    }
    hs_fetch_work(turn, peer);
    hs_follow_cursors(turn, next, NULL, 0);
    return place;
}
