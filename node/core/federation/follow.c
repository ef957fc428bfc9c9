#include "core/federation/follow.h"

#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/delivery/inbox.h"
#include "core/dispatch.h"
#include "core/federation/evidence.h"
#include "core/federation/heads.h"
#include "core/federation/node_key.h"
#include "core/federation/outbox.h"
#include "core/federation/promise.h"
#include "core/internal.h"
#include "core/office/link.h"
#include "core/office/office.h"
#include "core/records/retention.h"
#include "core/records/table.h"
#include "core/rooms/settle.h"
#include "core/standing/kept.h"
#include "object/object.h"
#include "room/head.h"
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
void hs_follow_cursors(struct hs_turn *turn, uint64_t inbox_next, Hanse__RoomCursor *room)
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

/* What names the key of the head over a HUB_MOVE. Of former terms it comes along from the hub in office,
 * unless it is here from when that term ended. */
static enum hs_err describe_move(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, bool former,
                                 const Hanse__Records *records, struct hs_bytes *out)
{
    Hanse__State__RoomEntry *held = former ? hs_room_entry(turn, room, seq) : NULL;
    if (held != NULL && held->descriptor.len > 0) {
        *out = hs_pb_bytes(held->descriptor);
        return HS_OK;
    }
    const Hanse__SignedObject *object =
        former ? records->descriptor : hs_node_key_newest(turn, &turn->session->subscriber, NULL);
    HS_REQUIRE(object != NULL, HS_ERR_BAD_CHAIN);
    HS_TRY(hs_object_pack(object, turn->arena, out));
    return out->len <= HS_DESCRIPTOR_MAX ? HS_OK : HS_ERR_TOO_LARGE;
}

/* The end of a hub's term, with what shows it to others. */
static enum hs_err prove_move(struct hs_turn *turn, const struct hs_room_record *r,
                              Hanse__State__RoomEntry *entry, const Hanse__Records *records, bool shown,
                              struct hs_hub_move *move)
{
    struct hs_bytes head, descriptor;
    HS_TRY(hs_hub_move_verify(hs_pb_bytes(entry->body), &r->room, r->header.hub_time, turn->arena, move));
    bool former = shown || move->office.term <= hs_room_term(r->view);
    HS_TRY(hs_object_pack(records->head, turn->arena, &head));
    HS_TRY(describe_move(turn, &r->room, r->header.seq, former, records, &descriptor));
    entry->head = hs_pb_data(head);
    entry->descriptor = hs_pb_data(descriptor);
    return HS_OK;
}

static enum hs_err append_move(struct hs_turn *turn, struct hs_room_record *one,
                               Hanse__State__RoomEntry *entry, const Hanse__Records *records, bool shown)
{
    struct hs_hub_move move;
    HS_TRY(prove_move(turn, one, entry, records, shown, &move));
    HS_TRY(hs_room_enter(turn, one));
    hs_copy_apply(turn, one);
    hs_hub_move_apply(turn, one, &move);
    return HS_OK;
}

/* One record into the copy; what is held already is passed over. */
static enum hs_err append(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                          struct hs_log_tip *tip, const Hanse__Records *records, size_t index, bool shown,
                          struct hs_record_header *commit)
{
    const Hanse__Record *record = records->records[index];
    struct hs_record_header header;
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    enum hs_err err =
        hs_log_check_next(tip, room, hs_pb_bytes(record->header), hs_pb_bytes(record->body), &header);
    if (err == HS_ERR_REPLAY)
        return HS_OK;
    HS_TRY(err);
    entry.header = record->header;
    entry.body = record->body;
    entry.blobs = record->blobs;
    entry.n_blobs = header.kind == HS_RECORD_POST ? hs_blobs_hinted(record) : 0;
    struct hs_room_record one = {.room = *room, .view = view, .header = header, .entry = &entry};
    if (header.kind == HS_RECORD_HUB_MOVE)
        return append_move(turn, &one, &entry, records, shown);
    HS_TRY(hs_room_enter(turn, &one));
    hs_copy_apply(turn, &one);
    if (header.kind == HS_RECORD_COMMIT)
        *commit = header;
    return HS_OK;
}

/* May a head of a former term stand over records before end? Up to the HUB_MOVE that ended it; where that
 * hasn't come yet, while nothing before end was signed in the present term. */
static bool may_be_former(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                          uint64_t end)
{
    uint64_t began;
    Hanse__Head *kept;
    if (hs_office_began(turn, room, view, &began))
        return end <= began + 1;
    const Hanse__SignedObject *object = hs_room_kept_head(turn, room);
    return object == NULL ||
           (HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, turn->arena, &kept) == HS_OK &&
            (kept->hub_term < hs_room_term(view) || kept->seq >= end));
}

/* What was taken under heads of former terms ends at a HUB_MOVE, before the hub in office signs anything. */
static bool is_signed_for(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    uint64_t began;
    return view->next_seq == view->first_seq || hs_room_kept_head(turn, room) != NULL ||
           hs_office_began(turn, room, view, &began);
}

/* The hub's head must be by the key that it has now, and for this log: LOG_FORK is evidence that it tells two
 * stories. */
static enum hs_err check_head(struct hs_turn *turn, const struct hs_id *room,
                              const Hanse__State__RoomView *view, const Hanse__SignedObject *object,
                              const struct hs_log_tip *tip, bool *counts)
{
    struct hs_head head;
    struct hs_descriptor descriptor;
    Hanse__Head *claim;
    *counts = false;
    HS_REQUIRE(object != NULL, HS_ERR_MALFORMED);
    HS_TRY(HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, turn->arena, &claim));
    HS_REQUIRE(claim->hub_term >= HS_POLICY_HUB_TERM_FIRST, HS_ERR_MALFORMED);
    if (claim->hub_term <
        hs_room_term(view)) { /* what the hub in office signs covers it: it isn't looked at */
        HS_REQUIRE(may_be_former(turn, room, view, tip->next_seq), HS_ERR_MALFORMED);
        return HS_OK;
    }
    *counts = true;
    HS_REQUIRE(is_signed_for(turn, room, view), HS_ERR_MALFORMED);
    HS_REQUIRE(hs_node_key_newest(turn, &turn->session->subscriber, &descriptor) != NULL, HS_ERR_BAD_CHAIN);
    HS_TRY(hs_head_verify(object, &descriptor.signing_key, room, &head));
    HS_REQUIRE(head.hub_term == hs_room_term(view), HS_ERR_MALFORMED);
    HS_REQUIRE(head.seq + 1 >= tip->next_seq, HS_ERR_MALFORMED); /* it covers all that is held */
    enum hs_err err = hs_head_check_tip(&head, tip);
    return err == HS_ERR_LOG_GAP ? HS_OK : err; /* it may cover more than this batch brought */
}

/* A copy that was begun anew comes over records that were held before: these it must be again. */
static enum hs_err as_held(struct hs_turn *turn, const struct hs_id *room,
                           const struct hs_record_header *header)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn reading = *turn;
    struct hs_record_header held;
    reading.arena = &scratch;
    Hanse__State__RoomEntry *entry = hs_room_entry(&reading, room, header->seq);
    if (entry == NULL)
        return HS_OK;
    HS_REQUIRE(hs_record_header_parse(hs_pb_bytes(entry->header), &held) == HS_OK, HS_ERR_STORE);
    return hs_id_equal(&held.hash, &header->hash) ? HS_OK : HS_ERR_LOG_FORK;
}

/* A hub's term ends with its HUB_MOVE, and so do its heads. */
static bool is_last(struct hs_turn *turn, const Hanse__SignedObject *object,
                    const struct hs_record_header *move)
{
    Hanse__Head *head;
    return object != NULL &&
           HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, turn->arena, &head) == HS_OK &&
           head->seq == move->seq && hs_bytes_equal(hs_pb_bytes(head->hash), HS_VIEW(move->hash));
}

/* The record at index is a HUB_MOVE. */
static enum hs_err check_move(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                              const Hanse__Records *records, size_t index,
                              const struct hs_record_header *header, bool shown)
{
    const Hanse__Record *record = records->records[index];
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    struct hs_room_record one = {.room = *room, .view = view, .header = *header, .entry = &entry};
    struct hs_hub_move move;
    struct hs_hub_link link;
    HS_TRY(hs_office_check_move(turn, room, view, header, hs_pb_bytes(record->body)));
    HS_REQUIRE(index + 1 == records->n_records && is_last(turn, records->head, header),
               HS_ERR_MALFORMED); /* nothing of that term is behind it */
    entry.header = record->header;
    entry.body = record->body;
    HS_TRY(prove_move(turn, &one, &entry, records, shown, &move));
    return hs_link_check(turn, room, view, &entry, &link);
}

/* Nothing of the batch is written before all of it was checked: the first pass moves a tip of its own. */
static enum hs_err check_records(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                                 const Hanse__Records *records, bool shown, struct hs_log_tip *tip)
{
    struct hs_promises promises;
    HS_TRY(hs_promises_load(turn, room, &promises));
    for (size_t i = 0; i < records->n_records; i++) {
        struct hs_record_header header;
        const Hanse__Record *record = records->records[i];
        enum hs_err err =
            hs_log_check_next(tip, room, hs_pb_bytes(record->header), hs_pb_bytes(record->body), &header);
        HS_REQUIRE(err == HS_OK || err == HS_ERR_REPLAY, err);
        if (err == HS_OK && header.kind == HS_RECORD_HUB_MOVE)
            HS_TRY(check_move(turn, room, view, records, i, &header, shown));
        /* Only posts are ever erased: without another record the members couldn't go on. */
        HS_REQUIRE(err == HS_ERR_REPLAY || !header.erased || header.kind == HS_RECORD_POST, HS_ERR_LOG_GAP);
        HS_TRY(err == HS_ERR_REPLAY ? HS_OK : hs_promises_check(&promises, &header));
        if (err == HS_OK && header.seq < view->held)
            HS_TRY(as_held(turn, room, &header));
    }
    return HS_OK;
}

static enum hs_err check_batch(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                               const Hanse__Records *records, struct hs_log_tip tip, bool *head_counts)
{
    HS_TRY(check_records(turn, room, view, records, false, &tip));
    return check_head(turn, room, view, records->head, &tip, head_counts);
}

/* What the next record continues. A copy that begins anew at a former hub's word takes the first record's: it
 * is shown where the copy comes to what was held before. */
static bool tip_hash(const Hanse__State__RoomView *view, const Hanse__Records *records, struct hs_id *out)
{
    struct hs_record_header first;
    if (HS_FIXED(hs_pb_bytes(view->hash), out))
        return true;
    if (records->n_records == 0)
        return false;
    enum hs_err err = hs_record_header_parse(hs_pb_bytes(records->records[0]->header), &first);
    *out = err == HS_OK ? first.prev : (struct hs_id){0};
    return true;
}

/* A hub that has gone may be in office again, which this copy will see where it reads on. */
static enum hs_err from_former(struct hs_turn *turn, const struct hs_id *room,
                               const Hanse__State__RoomView *view)
{
    uint64_t seq;
    return hs_office_left(turn, room, view, &turn->session->subscriber, &seq) ? HS_OK : HS_ERR_WRONG_PEER;
}

enum hs_err hs_handle_records(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                              uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Records *records = request->records;
    struct hs_id room;
    struct hs_log_tip tip = {0};
    struct hs_record_header commit = {0};
    HS_TAKE32(records->room, &room);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL && !view->hub, HS_ERR_ROOM_UNKNOWN);
    if (!hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber)))
        return from_former(turn, &room, view);
    tip.next_seq = view->next_seq;
    tip.hub_time.ms = view->hub_time_ms;
    if (view->forked || !tip_hash(view, records, &tip.hash))
        return HS_OK; /* it was sent before the hub could know, or says nothing */
    bool head_counts;
    enum hs_err err = check_batch(turn, &room, view, records, tip, &head_counts);
    if (err == HS_ERR_LOG_FORK && hs_evidence_of_records(turn, &room, view, records))
        return HS_OK;
    HS_TRY(err);
    HS_TRY(hs_kept_take_sent(turn, records));
    for (size_t i = 0; i < records->n_records; i++)
        HS_TRY(append(turn, &room, view, &tip, records, i, false, &commit));
    if (!hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber)))
        hs_promises_drop(turn, &room); /* with that term end its promises, before its last head is kept */
    if (head_counts)
        HS_TRY(hs_promises_keep(turn, &room, tip.next_seq, records->head));
    hs_retention_learn(turn, &room, records->retention_ms);
    hs_room_store(turn, &room, view);
    if (commit.seq > 0)
        hs_settle_presence(turn, &room, &commit);
    hs_follow_cursors(turn, 0, cursor_of(turn, HS_VIEW(room), tip.next_seq, 0));
    if (!hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber)))
        hs_office_moved(turn, &room, &turn->session->subscriber);
    return HS_OK;
}

/* The key of that head, which is the hub's that goes, is kept like any that it had. */
static void learn_key(struct hs_turn *turn, const Hanse__SignedObject *object)
{
    struct hs_bytes bytes;
    struct hs_descriptor d;
    if (object != NULL && hs_descriptor_claimed(object, &d) == HS_OK &&
        hs_object_pack(object, turn->arena, &bytes) == HS_OK && hs_node_key_check(turn, &d) == HS_OK)
        hs_node_key_learn(turn, bytes, &d);
}

/* The last head of a term that was over before promises nothing of the present one. */
static bool is_of_term(struct hs_turn *turn, const Hanse__SignedObject *object, uint32_t term)
{
    Hanse__Head *head;
    return object != NULL &&
           HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, turn->arena, &head) == HS_OK &&
           head->hub_term == term;
}

/* What was checked before is written. */
static enum hs_err append_shown(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                                struct hs_log_tip *tip, const Hanse__Records *records)
{
    struct hs_record_header commit;
    struct hs_key hub;
    bool counts = is_of_term(turn, records->head, hs_room_term(view));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->hub_root), &hub), HS_ERR_STORE);
    for (size_t i = 0; i < records->n_records; i++)
        HS_TRY(append(turn, room, view, tip, records, i, true, &commit));
    bool gone = !hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(hub));
    if (gone)
        hs_promises_drop(turn, room);
    learn_key(turn, records->descriptor);
    if (counts)
        HS_TRY(hs_promises_keep(turn, room, tip->next_seq, records->head));
    hs_room_store(turn, room, view);
    if (gone)
        hs_office_moved(turn, room, &hub);
    return HS_OK;
}

enum hs_err hs_follow_shown(struct hs_turn *turn, const struct hs_id *room, const Hanse__Records *records)
{
    struct hs_key hub;
    struct hs_log_tip tip = {0};
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    HS_REQUIRE(view != NULL && !view->hub, HS_ERR_ROOM_UNKNOWN);
    tip.next_seq = view->next_seq;
    tip.hub_time.ms = view->hub_time_ms;
    HS_REQUIRE(!view->forked && tip_hash(view, records, &tip.hash), HS_ERR_LOG_FORK);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->hub_root), &hub), HS_ERR_STORE);
    struct hs_log_tip end = tip;
    HS_TRY(check_records(turn, room, view, records, true, &end));
    HS_TRY(hs_kept_take(turn, &hub, hs_kept_size(records->records, records->n_records)));
    enum hs_err err = append_shown(turn, room, view, &tip, records);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
    return err;
}
