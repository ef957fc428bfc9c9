#include "core/follow.h"

#include "core/account.h"
#include "core/dispatch.h"
#include "core/evidence.h"
#include "core/heads.h"
#include "core/inbox.h"
#include "core/internal.h"
#include "core/outbox.h"
#include "core/room.h"
#include "core/table.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "room/head.h"
#include "schema/room.pb-c.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    ATTACH_ROOMS = 200,
    SCRATCH_CAP = 4 * HS_FRAME_MAX /* one view: a node's rooms must not take the turn's memory */
};

static struct hs_kv_key handed_key(const struct hs_key *hub)
{
    return hs_key_sub(HS_MISC_HANDED, HS_VIEW(*hub), (struct hs_bytes){0});
}

static void send_attach(struct hs_turn *turn, struct hs_peer *peer, struct hs_session *session,
                        Hanse__RoomCursor **rooms, size_t count)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Attach attach = HANSE__ATTACH__INIT;
    struct hs_kv_key handed = handed_key(&peer->root);
    attach.inbox_next = hs_number_get(turn, HS_T_MISC, &handed, NULL);
    attach.rooms = rooms;
    attach.n_rooms = count;
    frame.id = ++peer->last_id;
    frame.attach = &attach;
    frame.body_case = HANSE__FRAME__BODY_ATTACH;
    hs_turn_send(turn, session, &frame);
}

static Hanse__RoomCursor *cursor_of(struct hs_turn *turn, struct hs_bytes room, uint64_t next)
{
    Hanse__RoomCursor *cursor = HS_NEW(turn, Hanse__RoomCursor, hanse__room_cursor);
    if (cursor != NULL) {
        cursor->room = hs_pb_data(room);
        cursor->next_seq = next;
    }
    return cursor;
}

/* The next room at or behind from: its cursor where it is one of the hub's, else NULL. False at the end. */
static bool next_followed(struct hs_turn *turn, const struct hs_key *hub, struct hs_kv_key *from,
                          Hanse__RoomCursor **cursor)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key, value, none = {0};
    Hanse__State__RoomView *view = NULL;
    *cursor = NULL;
    if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(from), &scratch, &key, &value))
        return false;
    *from = hs_kv_after(key);
    if (HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &scratch, &view) != HS_OK)
        turn->kv->err = HS_ERR_STORE; /* one's own bytes are never malformed */
    else if (!view->hub && !view->forked && hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(*hub)))
        *cursor = cursor_of(turn, hs_arena_copy(turn->arena, key), view->next_seq);
    return true;
}

void hs_follow_attach(struct hs_turn *turn, struct hs_peer *peer)
{
    Hanse__RoomCursor *rooms[ATTACH_ROOMS];
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct hs_kv_key from = {0};
    size_t n = 0;
    while (session != NULL && next_followed(turn, &peer->root, &from, &rooms[n])) {
        n += rooms[n] != NULL ? 1 : 0;
        if (n == ATTACH_ROOMS) {
            send_attach(turn, peer, session, rooms, n);
            n = 0;
        }
    }
    if (session != NULL)
        send_attach(turn, peer, session, rooms, n);
}

enum hs_err hs_follow_queue(struct hs_turn *turn, const struct hs_id *room,
                            const Hanse__State__RoomView *view, const Hanse__Frame *request,
                            Hanse__Frame *reply)
{
    struct hs_key hub;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->hub_root), &hub), HS_ERR_STORE);
    HS_REQUIRE(!view->forked, HS_ERR_LOG_FORK);
    HS_REQUIRE(request->submit_message->message.len <= HS_BLOB_THRESHOLD, HS_ERR_TOO_LARGE);
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &hub);
    HS_REQUIRE(peer != NULL, HS_ERR_UNREACHABLE);
    if (!hs_room_answer_known(turn, room, hs_pb_bytes(request->submit_message->message), reply)) {
        HS_TRY(hs_outbox_put(turn, &hub, room, request));
        reply->queued = HS_NEW(turn, Hanse__Queued, hanse__queued);
        reply->body_case = HANSE__FRAME__BODY_QUEUED;
        hs_peer_work(turn, peer);
    }
    return HS_OK;
}

/* What this node holds for good is said to the hub after every batch: the frame leaves once this is durable.
 */
static void send_cursors(struct hs_turn *turn, uint64_t inbox_next, Hanse__RoomCursor *room)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Cursors cursors = HANSE__CURSORS__INIT;
    cursors.inbox_next = inbox_next;
    cursors.rooms = &room;
    cursors.n_rooms = room != NULL ? 1 : 0;
    frame.cursors = &cursors;
    frame.body_case = HANSE__FRAME__BODY_CURSORS;
    hs_turn_send(turn, turn->session, &frame);
}

/* One record into the copy; what is held already is passed over. */
static enum hs_err append(struct hs_turn *turn, const struct hs_id *room, struct hs_log_tip *tip,
                          const Hanse__Record *record)
{
    struct hs_record_header header;
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    enum hs_err err =
        hs_log_check_next(tip, room, hs_pb_bytes(record->header), hs_pb_bytes(record->body), &header);
    if (err == HS_ERR_REPLAY)
        return HS_OK;
    HS_TRY(err);
    entry.header = record->header;
    entry.body = record->body;
    struct hs_kv_key at = hs_key_seq(HS_VIEW(*room), header.seq);
    struct hs_kv_key body = hs_key2(HS_VIEW(*room), HS_VIEW(header.body_hash));
    hs_view_put(turn, HS_T_ROOM_LOG, &at, &entry.base);
    hs_number_put(turn, HS_T_BODY, &body, header.seq);
    turn->core->stats.records++;
    hs_heads_share(turn, room, &header.sender_node);
    return HS_OK;
}

/* The hub's head must be for this log: LOG_FORK is evidence that it tells two stories. */
static enum hs_err check_head(struct hs_turn *turn, const struct hs_id *room,
                              const Hanse__State__RoomView *view, const Hanse__SignedObject *object,
                              const struct hs_log_tip *tip)
{
    struct hs_head head;
    struct hs_descriptor descriptor;
    Hanse__SignedObject *known;
    HS_REQUIRE(object != NULL, HS_ERR_MALFORMED);
    HS_TRY(hs_object_unpack(hs_pb_bytes(view->descriptor), turn->arena, &known));
    HS_TRY(hs_descriptor_open(known, &turn->session->subscriber, &descriptor));
    HS_TRY(hs_head_verify(object, &descriptor.signing_key, room, &head));
    HS_REQUIRE(head.seq + 1 >= tip->next_seq, HS_ERR_MALFORMED); /* it covers all that is held */
    enum hs_err err = hs_head_check_tip(&head, tip);
    return err == HS_ERR_LOG_GAP ? HS_OK : err; /* it may cover more than this batch brought */
}

/* The head that was kept may have covered more than was held then: what comes now must be what it promised.
 */
static enum hs_err kept_promise(struct hs_turn *turn, const Hanse__State__RoomView *view, Hanse__Head **out)
{
    Hanse__SignedObject *object;
    *out = NULL;
    if (view->head.len == 0)
        return HS_OK;
    HS_TRY(hs_object_unpack(hs_pb_bytes(view->head), turn->arena, &object));
    return HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, turn->arena, out);
}

/* Nothing of the batch is written before all of it was checked: the first pass moves a tip of its own. */
static enum hs_err check_batch(struct hs_turn *turn, const struct hs_id *room,
                               const Hanse__State__RoomView *view, const Hanse__Records *records,
                               struct hs_log_tip tip)
{
    Hanse__Head *kept;
    HS_TRY(kept_promise(turn, view, &kept));
    for (size_t i = 0; i < records->n_records; i++) {
        struct hs_record_header header;
        const Hanse__Record *record = records->records[i];
        enum hs_err err =
            hs_log_check_next(&tip, room, hs_pb_bytes(record->header), hs_pb_bytes(record->body), &header);
        HS_REQUIRE(err == HS_OK || err == HS_ERR_REPLAY, err);
        /* Only posts are ever erased: without another record the members couldn't go on. */
        HS_REQUIRE(err == HS_ERR_REPLAY || !header.erased || header.kind == HS_RECORD_POST, HS_ERR_LOG_GAP);
        HS_REQUIRE(err == HS_ERR_REPLAY || kept == NULL || header.seq != kept->seq ||
                       hs_bytes_equal(hs_pb_bytes(kept->hash), HS_VIEW(header.hash)),
                   HS_ERR_LOG_FORK);
    }
    return check_head(turn, room, view, records->head, &tip);
}

enum hs_err hs_handle_records(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                              uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Records *records = request->records;
    struct hs_id room;
    struct hs_log_tip tip = {0};
    struct hs_bytes hash, head;
    HS_TAKE32(records->room, &room);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL && !view->hub, HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber)),
               HS_ERR_WRONG_PEER);
    tip.next_seq = view->next_seq;
    tip.hub_time.ms = view->hub_time_ms;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->hash), &tip.hash), HS_ERR_STORE);
    if (view->forked)
        return HS_OK; /* it was sent before the hub could know */
    enum hs_err err = check_batch(turn, &room, view, records, tip);
    if (err == HS_ERR_LOG_FORK && hs_evidence_of_records(turn, view, records))
        return HS_OK;
    HS_TRY(err);
    for (size_t i = 0; i < records->n_records; i++)
        HS_TRY(append(turn, &room, &tip, records->records[i]));
    hash = hs_arena_copy(turn->arena, HS_VIEW(tip.hash));
    HS_TRY(hs_object_pack(records->head, turn->arena, &head));
    view->next_seq = tip.next_seq;
    view->hash = hs_pb_data(hash);
    view->hub_time_ms = tip.hub_time.ms;
    view->head = hs_pb_data(head);
    hs_room_store(turn, &room, view);
    hs_sessions_room_due(&turn->core->sessions, &room);
    send_cursors(turn, 0, cursor_of(turn, HS_VIEW(room), tip.next_seq));
    return HS_OK;
}

/* The copy of a room of that hub, begun at the record that added the first of this node's users, or begun
 * anew where none of them has been in it since. */
static enum hs_err begin_copy(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_id *room,
                              const Hanse__WelcomeItem *welcome, Hanse__State__RoomView **out)
{
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    HS_REQUIRE(view == NULL ||
                   (!view->hub && hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(peer->root))),
               HS_ERR_CONFLICT);
    if (view == NULL)
        view = HS_NEW(turn, Hanse__State__RoomView, hanse__state__room_view);
    HS_REQUIRE(view != NULL, HS_ERR_NOMEM);
    HS_REQUIRE(!view->forked, HS_ERR_LOG_FORK);
    if (view->hub_root.len == 0 || (view->members == 0 && welcome->commit_seq > view->next_seq)) {
        view->hub_root = hs_pb_data(HS_VIEW(peer->root));
        view->next_seq = view->first_seq = welcome->commit_seq;
        view->hash = welcome->prev_hash;
        view->hub_time_ms = 0;
    }
    *out = view;
    return HS_OK;
}

/* What goes on to the device: what this version knows of it, in sizes that fit into a frame. */
static void hand_on(struct hs_turn *turn, const struct hs_key *subscriber, const Hanse__WelcomeItem *from)
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
    tree.bytes = from->tree->bytes;
    welcome.tree = &tree;
    item.welcome = &welcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    hs_inbox_put(turn, subscriber, &item);
}

/* A user of this node was added to a room of that hub: the copy begins, and the Welcome goes to its device.
 */
static enum hs_err take_welcome(struct hs_turn *turn, struct hs_peer *peer, const Hanse__WelcomeItem *welcome)
{
    struct hs_id room;
    struct hs_key persona, subscriber;
    struct hs_descriptor descriptor;
    struct hs_bytes object;
    Hanse__State__RoomView *view;
    HS_TAKE32(welcome->room, &room);
    HS_TAKE32(welcome->persona, &persona);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(welcome->hub_root), HS_VIEW(peer->root)), HS_ERR_WRONG_PEER);
    HS_REQUIRE(welcome->descriptor != NULL && welcome->prev_hash.len == HS_HASH_LEN, HS_ERR_MALFORMED);
    HS_TRY(hs_descriptor_verify(welcome->descriptor, &peer->root, turn->now, &descriptor));
    HS_TRY(hs_object_pack(welcome->descriptor, turn->arena, &object));
    HS_REQUIRE(welcome->tree != NULL && welcome->tree->bytes.len > 0, HS_ERR_MALFORMED);
    HS_REQUIRE(object.len <= HS_DESCRIPTOR_MAX &&
                   welcome->welcome.len + welcome->tree->bytes.len <= HS_BLOB_THRESHOLD,
               HS_ERR_TOO_LARGE);
    HS_REQUIRE(hs_persona_subscriber(turn, &persona, &subscriber), HS_ERR_NO_ACCOUNT);
    HS_TRY(begin_copy(turn, peer, &room, welcome, &view));
    view->descriptor = hs_pb_data(object);
    view->members++;
    hs_room_store(turn, &room, view);
    hs_subscribe(turn, &subscriber, &room, welcome->commit_seq, 1);
    hand_on(turn, &subscriber, welcome);
    Hanse__RoomCursor *cursor = cursor_of(turn, HS_VIEW(room), view->next_seq);
    send_attach(turn, peer, turn->session, &cursor, 1);
    return HS_OK;
}

/* Only the hub of a room can say that somebody was removed from it. */
static enum hs_err take_removed(struct hs_turn *turn, const struct hs_peer *peer,
                                const Hanse__RemovedItem *removed)
{
    struct hs_id room;
    struct hs_key persona, subscriber;
    HS_TAKE32(removed->room, &room);
    HS_TAKE32(removed->persona, &persona);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL && !view->hub, HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(peer->root)), HS_ERR_WRONG_PEER);
    HS_REQUIRE(hs_persona_subscriber(turn, &persona, &subscriber), HS_ERR_NO_ACCOUNT);
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &subscriber, &room);
    HS_REQUIRE(reads != NULL && reads->until == UINT64_MAX, HS_ERR_NOT_MEMBER);
    view->members -= view->members > 0 ? 1 : 0;
    hs_room_store(turn, &room, view);
    hs_unsubscribe(turn, &subscriber, &room, removed->seq);
    return HS_OK;
}

static enum hs_err take_item(struct hs_turn *turn, struct hs_peer *peer, const Hanse__InboxItem *item)
{
    switch (item->body_case) {
    case HANSE__INBOX_ITEM__BODY_WELCOME:
        return take_welcome(turn, peer, item->welcome);
    case HANSE__INBOX_ITEM__BODY_REMOVED:
        return take_removed(turn, peer, item->removed);
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

/* An item that doesn't make sense is passed over and logged: the hub must not be able to block the next ones.
 */
enum hs_err hs_handle_inbox(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                            uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Inbox *inbox = request->inbox;
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &turn->session->subscriber);
    HS_REQUIRE(peer != NULL, HS_ERR_UNEXPECTED);
    struct hs_kv_key handed = handed_key(&peer->root);
    uint64_t next = hs_number_get(turn, HS_T_MISC, &handed, NULL);
    for (size_t i = 0; i < inbox->n_items; i++) {
        if (inbox->items[i]->seq < next)
            continue;
        next = inbox->items[i]->seq + 1;
        enum hs_err err = take_item(turn, peer, inbox->items[i]);
        if (err != HS_OK)
            hs_turn_log(turn, "inbox item of a hub refused: %s", hs_err_name(err));
    }
    hs_number_put(turn, HS_T_MISC, &handed, next);
    send_cursors(turn, next, NULL);
    return HS_OK;
}
