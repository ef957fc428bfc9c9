#include "core/follow.h"

#include "core/account.h"
#include "core/dispatch.h"
#include "core/inbox.h"
#include "core/internal.h"
#include "core/outbox.h"
#include "core/room.h"
#include "core/table.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "room/head.h"

enum { ATTACH_ROOMS = 200 };

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

void hs_follow_attach(struct hs_turn *turn, struct hs_peer *peer)
{
    Hanse__RoomCursor *rooms[ATTACH_ROOMS];
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct hs_bytes key, value, none = {0};
    struct hs_kv_key from = {0};
    size_t n = 0;
    while (session != NULL &&
           hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(&from), turn->arena, &key, &value)) {
        struct hs_kv_key at = hs_key1(key);
        Hanse__State__RoomView *view =
            (Hanse__State__RoomView *)HS_VIEW_GET(turn, HS_T_ROOM, &at, hanse__state__room_view);
        from = hs_kv_after(key);
        if (view == NULL || view->hub || !hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(peer->root)))
            continue;
        rooms[n] = cursor_of(turn, key, view->next_seq);
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
    enum hs_err err = hs_head_check_tip(&head, tip);
    return err == HS_ERR_LOG_GAP ? HS_OK : err; /* it may cover more than this batch brought */
}

/* Nothing of the batch is written before all of it was checked: the first pass moves a tip of its own. */
static enum hs_err check_batch(struct hs_turn *turn, const struct hs_id *room,
                               const Hanse__State__RoomView *view, const Hanse__Records *records,
                               struct hs_log_tip tip)
{
    for (size_t i = 0; i < records->n_records; i++) {
        struct hs_record_header header;
        const Hanse__Record *record = records->records[i];
        enum hs_err err =
            hs_log_check_next(&tip, room, hs_pb_bytes(record->header), hs_pb_bytes(record->body), &header);
        HS_REQUIRE(err == HS_OK || err == HS_ERR_REPLAY, err);
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
    HS_TRY(check_batch(turn, &room, view, records, tip));
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

/* A user of this node was added to a room of that hub: the copy begins, and the Welcome goes to its device.
 */
static enum hs_err take_welcome(struct hs_turn *turn, struct hs_peer *peer, Hanse__InboxItem *item)
{
    const Hanse__WelcomeItem *welcome = item->welcome;
    struct hs_id room;
    struct hs_key persona, subscriber;
    struct hs_descriptor descriptor;
    struct hs_bytes object;
    Hanse__State__RoomView fresh = HANSE__STATE__ROOM_VIEW__INIT;
    HS_TAKE32(welcome->room, &room);
    HS_TAKE32(welcome->persona, &persona);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(welcome->hub_root), HS_VIEW(peer->root)), HS_ERR_WRONG_PEER);
    HS_REQUIRE(welcome->descriptor != NULL && welcome->prev_hash.len == HS_HASH_LEN, HS_ERR_MALFORMED);
    HS_TRY(hs_descriptor_verify(welcome->descriptor, &peer->root, turn->now, &descriptor));
    HS_TRY(hs_object_pack(welcome->descriptor, turn->arena, &object));
    HS_REQUIRE(hs_persona_subscriber(turn, &persona, &subscriber), HS_ERR_NO_ACCOUNT);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view == NULL || !view->hub, HS_ERR_CONFLICT);
    if (view == NULL) {
        view = &fresh;
        view->hub_root = hs_pb_data(HS_VIEW(peer->root));
        view->next_seq = view->first_seq = welcome->commit_seq;
        view->hash = welcome->prev_hash;
    }
    view->descriptor = hs_pb_data(object);
    hs_room_store(turn, &room, view);
    hs_subscribe(turn, &subscriber, &room, welcome->commit_seq, 1);
    hs_inbox_put(turn, &subscriber, item);
    Hanse__RoomCursor *cursor = cursor_of(turn, HS_VIEW(room), view->next_seq);
    send_attach(turn, peer, turn->session, &cursor, 1);
    return HS_OK;
}

static enum hs_err take_removed(struct hs_turn *turn, const Hanse__RemovedItem *removed)
{
    struct hs_id room;
    struct hs_key persona, subscriber;
    HS_TAKE32(removed->room, &room);
    HS_TAKE32(removed->persona, &persona);
    if (hs_persona_subscriber(turn, &persona, &subscriber))
        hs_unsubscribe(turn, &subscriber, &room, removed->seq);
    return HS_OK;
}

static enum hs_err take_item(struct hs_turn *turn, struct hs_peer *peer, Hanse__InboxItem *item)
{
    switch (item->body_case) {
    case HANSE__INBOX_ITEM__BODY_WELCOME:
        return take_welcome(turn, peer, item);
    case HANSE__INBOX_ITEM__BODY_REMOVED:
        return take_removed(turn, item->removed);
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
