#include "core/federation/follow.h"

#include "core/blobs/blob.h"
#include "core/federation/outbox.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "schema/room.pb-c.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    ATTACH_ROOMS = 200,
    SCRATCH_CAP = 4 * HS_FRAME_MAX /* one view: a node's rooms must not take the turn's memory */
};

static void send_attach(struct hs_turn *turn, struct hs_peer *peer, struct hs_session *session,
                        Hanse__RoomCursor **rooms, size_t count)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Attach attach = HANSE__ATTACH__INIT;
    attach.inbox_next = hs_handed_next(turn, &peer->root);
    attach.rooms = rooms;
    attach.n_rooms = count;
    frame.id = peer->attach_id = ++peer->last_id;
    frame.attach = &attach;
    frame.body_case = HANSE__FRAME__BODY_ATTACH;
    hs_turn_send(turn, session, &frame);
}

static Hanse__RoomCursor *cursor_of(struct hs_turn *turn, struct hs_bytes room, uint64_t next,
                                    uint64_t descriptor)
{
    Hanse__RoomCursor *cursor = HS_NEW(turn, Hanse__RoomCursor, hanse__room_cursor);
    if (cursor != NULL) {
        cursor->room = hs_pb_data(room);
        cursor->next_seq = next;
        cursor->descriptor = descriptor;
    }
    return cursor;
}

/* How far the peer's log is held, of which this node may have got more than it has itself by now: a room that
 * it gave away, and, where it was restored, doesn't know that it did. 0: no room of that kind. */
static uint64_t held_of(struct hs_turn *turn, const struct hs_peer *peer, struct hs_bytes key,
                        const Hanse__State__RoomView *view)
{
    struct hs_id room;
    uint64_t seq;
    bool was =
        view->former_root.len > 0 && !view->forked && !hs_office_is_coming(view) && HS_FIXED(key, &room);
    return was && hs_office_left(turn, &room, view, &peer->root, &seq) ? seq + 1 : 0;
}

/* The next room at or behind from: its cursor where it is one of the hub's, else NULL. False at the end. */
static bool next_followed(struct hs_turn *turn, const struct hs_peer *peer, struct hs_kv_key *from,
                          Hanse__RoomCursor **cursor)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key, value, none = {0};
    Hanse__State__RoomView *view = NULL;
    *cursor = NULL;
    if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(from), &scratch, &key, &value))
        return false;
    *from = hs_kv_after(key);
    struct hs_turn own = *turn;
    uint64_t held = 0;
    own.arena = &scratch;
    if (HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &scratch, &view) != HS_OK)
        turn->kv->err = HS_ERR_STORE; /* one's own bytes are never malformed */
    else if ((held = held_of(&own, peer, key, view)) > 0 &&
             !hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(peer->root)))
        *cursor = cursor_of(turn, hs_arena_copy(turn->arena, key), held, peer->sequence);
    else if (!view->hub && !view->forked && hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(peer->root)))
        *cursor = cursor_of(turn, hs_arena_copy(turn->arena, key), view->next_seq, peer->sequence);
    return true;
}

void hs_follow_attach_room(struct hs_turn *turn, struct hs_peer *peer, const struct hs_id *room,
                           uint64_t next)
{
    Hanse__RoomCursor *cursor = cursor_of(turn, HS_VIEW(*room), next, peer->sequence);
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    if (session != NULL)
        send_attach(turn, peer, session, &cursor, cursor != NULL ? 1 : 0);
}

void hs_follow_attach(struct hs_turn *turn, struct hs_peer *peer)
{
    Hanse__RoomCursor *rooms[ATTACH_ROOMS];
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct hs_kv_key from = {0};
    size_t n = 0;
    while (session != NULL && next_followed(turn, peer, &from, &rooms[n])) {
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
    HS_REQUIRE(!peer->blocked, HS_ERR_DENIED);
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
void hs_follow_cursors(struct hs_turn *turn, uint64_t inbox_next, const struct hs_id *room, uint64_t next)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Cursors cursors = HANSE__CURSORS__INIT;
    Hanse__RoomCursor *cursor = room != NULL ? cursor_of(turn, HS_VIEW(*room), next, 0) : NULL;
    cursors.inbox_next = inbox_next;
    cursors.rooms = &cursor;
    cursors.n_rooms = cursor != NULL ? 1 : 0;
    frame.cursors = &cursors;
    frame.body_case = HANSE__FRAME__BODY_CURSORS;
    hs_turn_send(turn, turn->session, &frame);
}
