/* The end of a log that this hub has lost comes back: heads, headers back from them, then the records. */
#include "core/blobs/blob.h"
#include "core/dispatch.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/way.h"
#include "core/records/apply.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/recovery/recovery.h"
#include "core/rooms/room_record.h"
#include "core/standing/standing.h"
#include "object/object.h"
#include "room/head.h"

/* A head that this node has signed in this room and term is one that the reader claims. One of a later term
 * leads nowhere, but the room can't be let go on in this one; others are nothing. */
static void take_head(struct hs_turn *turn, struct hs_recovery *r, struct hs_recover_reader *reader,
                      const Hanse__State__RoomView *view, const Hanse__SignedObject *object, size_t which)
{
    struct hs_descriptor by;
    struct hs_head head;
    struct hs_key key;
    if (object == NULL || hs_node_key_head(turn, hs_turn_root(turn), object, &r->room, &head) != HS_OK)
        return;
    if (head.hub_term == hs_room_term(view))
        hs_recovery_claim(r, reader, which, head.seq, &head.hash);
    else if (head.hub_term > r->term && hs_object_claimed_signer(object, 0, &key) &&
             hs_node_key_of(turn, hs_turn_root(turn), &key, &by) != NULL &&
             by.sequence >= hs_node_key_forgotten(turn, view->resumed))
        r->term = head.hub_term;
}

/* Readers keep the hub's descriptors. Those by which it signed what they show it may have had behind the
 * backup, and none of them is anybody's but its root's. */
static void recall_keys(struct hs_turn *turn, const Hanse__Tail *tail)
{
    for (size_t i = 0; i < tail->n_descriptors && i < HS_RECOVER_CLAIMS; i++)
        hs_node_key_recall(turn, tail->descriptors[i]);
}

/* Headers from the newest to the oldest: each proves the one before it. True where there was a new one. */
static bool take_headers(struct hs_turn *turn, struct hs_recovery *r, const Hanse__State__RoomView *view,
                         const Hanse__Tail *tail)
{
    struct hs_record_header header;
    bool moved = false;
    for (size_t i = tail->n_records; i > 0 && r->count > 0 && !r->proved; i--) {
        if (hs_record_header_parse(hs_pb_bytes(tail->records[i - 1]->header), &header) != HS_OK ||
            header.seq != r->low || !hs_id_equal(&header.room, &r->room) ||
            !hs_id_equal(&header.hash, &r->hashes[r->low - r->first]))
            continue;
        moved = true;
        if (r->low > r->first) {
            r->hashes[--r->low - r->first] = header.prev;
            continue;
        }
        r->proved = hs_bytes_equal(HS_VIEW(header.prev), hs_pb_bytes(view->hash));
        if (!r->proved) {
            hs_turn_log(turn, "event=recovery this node has signed another log of a room than it restored");
            hs_recovery_refute(turn->core, r);
        }
    }
    return moved;
}

/* The body isn't there any more, and that is as the room's policy has it at this place of the log: it is an
 * old post in a room that keeps posts for a time. Anybody can leave out a body, and it would be gone for
 * good. */
static bool may_be_erased(struct hs_turn *turn, const struct hs_id *room,
                          const struct hs_record_header *header)
{
    struct hs_policy policy;
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    return header->kind == HS_RECORD_POST && view != NULL && hs_room_policy(turn, view, &policy) == HS_OK &&
           policy.retention_ms > 0 && header->hub_time.ms <= turn->now.ms - policy.retention_ms;
}

static struct hs_bytes own_descriptor(struct hs_turn *turn)
{
    struct hs_bytes bytes = {0};
    enum hs_err err = hs_object_pack(turn->core->descriptor_object, turn->arena, &bytes);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err;
    return bytes;
}

/* What the post names. Anybody may have written these beside it: none gives the room what is another one's.
 */
static void take_hints(struct hs_turn *turn, const struct hs_id *room, const Hanse__Record *record,
                       Hanse__State__RoomEntry *entry)
{
    size_t count = hs_blobs_hinted(record);
    entry->blobs = count > 0 ? hs_arena_alloc(turn->arena, count * sizeof *entry->blobs) : NULL;
    for (size_t i = 0; entry->blobs != NULL && i < count; i++) {
        struct hs_id hash;
        bool fits = HS_FIXED(hs_pb_bytes(record->blobs[i]), &hash);
        if (fits && (hs_blob_view(turn, &hash) == NULL || hs_blob_in_room(turn, &hash, room)))
            entry->blobs[entry->n_blobs++] = record->blobs[i];
    }
    if (count > 0 && entry->blobs == NULL && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
}

/* This hub's own end in the room, with what shows it to others: the head that comes with the record, by no
 * key that was replaced before the backup was made. */
static bool take_move(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                      const struct hs_record_header *header, const Hanse__Record *record,
                      Hanse__State__RoomEntry *entry)
{
    Hanse__SignedObject *object, *descriptor = NULL;
    struct hs_descriptor by;
    struct hs_bytes bytes;
    struct hs_head head;
    struct hs_key key;
    if (hs_object_unpack(hs_pb_bytes(record->head), turn->arena, &object) != HS_OK ||
        hs_node_key_head(turn, hs_turn_root(turn), object, room, &head) != HS_OK || head.seq != header->seq ||
        !hs_id_equal(&head.hash, &header->hash))
        return false;
    if (hs_object_claimed_signer(object, 0, &key))
        descriptor = hs_node_key_of(turn, hs_turn_root(turn), &key, &by);
    if (descriptor == NULL || by.sequence < hs_node_key_forgotten(turn, view->resumed) ||
        hs_object_pack(descriptor, turn->arena, &bytes) != HS_OK)
        return false;
    entry->head = record->head;
    entry->descriptor = hs_pb_data(bytes);
    return true;
}

/* With the HUB_MOVE this node is a follower of the hub that came after it. */
static void has_gone(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomEntry *entry)
{
    struct hs_kv_key kept = hs_register_key(HS_REGISTER_HEAD, HS_VIEW(*room), (struct hs_bytes){0});
    hs_register_put(turn, &kept, hs_pb_bytes(entry->head)); /* as any follower has one */
    hs_turn_log(turn, "event=hub-moved text=\"a restored room had moved away: it is followed from its hub\"");
    hs_office_moved(turn, room, hs_turn_root(turn));
}

/* Records from the log's end on. What they make of the room has been judged when they came first: an error
 * means that something else is wrong, and the turn comes to nothing. */
static bool take_records(struct hs_turn *turn, struct hs_recovery *r, Hanse__State__RoomView *view,
                         const Hanse__Tail *tail)
{
    struct hs_log_tip tip = {.next_seq = view->next_seq, .hub_time = {view->hub_time_ms}};
    bool moved = false;
    if (tail->headers || !HS_FIXED(hs_pb_bytes(view->hash), &tip.hash))
        return false;
    for (size_t i = 0; i < tail->n_records && tip.next_seq < r->first + r->count; i++) {
        struct hs_record_header header;
        Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
        const Hanse__Record *record = tail->records[i];
        if (hs_log_check_next(&tip, &r->room, hs_pb_bytes(record->header), hs_pb_bytes(record->body),
                              &header) != HS_OK)
            continue;
        if (!hs_id_equal(&header.hash, &r->hashes[header.seq - r->first]) ||
            (header.erased && !may_be_erased(turn, &r->room, &header)))
            return moved; /* what comes is no record of this log, or not all of it */
        entry.header = record->header;
        entry.body = record->body;
        entry.recovered = true;
        if (header.kind == HS_RECORD_POST && !header.erased)
            take_hints(turn, &r->room, record, &entry);
        if (header.kind == HS_RECORD_HOME_MOVE) /* who moved is told by whom, as when it came first */
            entry.descriptor = hs_pb_data(own_descriptor(turn));
        if (header.kind == HS_RECORD_HUB_MOVE && !take_move(turn, &r->room, view, &header, record, &entry))
            return moved;
        struct hs_time now = turn->now;
        turn->now = header.hub_time; /* as it was when it came first, and as it will be when it is replayed */
        enum hs_err err = hs_room_apply(turn, &r->room, header.seq, &entry);
        turn->now = now;
        if (err != HS_OK) {
            r->broken = err != HS_ERR_NOMEM && turn->kv->err == HS_OK;
            turn->kv->err = turn->kv->err != HS_OK ? turn->kv->err : HS_ERR_NOMEM;
            return false;
        }
        moved = true;
        if (header.kind == HS_RECORD_HUB_MOVE) {
            has_gone(turn, &r->room, &entry);
            break;
        }
    }
    return moved;
}

/* The turn in which a record couldn't be applied came to nothing; nor does it in the next one. */
static enum hs_err give_up(struct hs_turn *turn, struct hs_recovery *r)
{
    if (!r->told)
        hs_turn_log(turn, "event=recovery a record of a room can't be taken back; see hansed resume");
    r->told = true;
    return HS_OK;
}

enum hs_err hs_handle_tail(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                           uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Tail *tail = request->tail;
    struct hs_id room;
    HS_TAKE32(tail->room, &room);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    struct hs_recovery *r = hs_recovery_of(turn->core, &room);
    struct hs_recover_reader *reader = r != NULL ? hs_recovery_reader(r, &turn->session->subscriber) : NULL;
    if (view != NULL && !view->hub) {
        hs_way_told(turn, &room, tail);
        return turn->kv->err;
    }
    if (view == NULL || reader == NULL || !hs_recover_is_frozen(turn, view))
        return HS_OK; /* too late, or not asked for */
    if (r->broken)
        return give_up(turn, r);
    hs_recovery_forget(turn->core, r, view->next_seq);
    recall_keys(turn, tail);
    take_head(turn, r, reader, view, tail->head, 0);
    take_head(turn, r, reader, view, tail->held, 1);
    hs_recovery_try(turn, r, view->next_seq);
    bool proving = !r->proved;
    bool moved = proving ? take_headers(turn, r, view, tail) : take_records(turn, r, view, tail);
    HS_REQUIRE(turn->kv->err == HS_OK, turn->kv->err);
    view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL, HS_ERR_STORE);
    if (!view->hub)
        return HS_OK;
    hs_recovery_answered(r, reader, moved, view->next_seq);
    if (moved && turn->session->state == HS_SESSION_NODE && turn->session->standing == HS_STANDING_STRANGER)
        hs_standing_again(turn, turn->session); /* the log may say by now that it was invited */
    if (moved && r->proved && turn->now.ms + HS_RECOVER_PROOF_MS > r->until.ms)
        r->until.ms = turn->now.ms + HS_RECOVER_PROOF_MS;
    if (r->count == 0 || view->next_seq < r->first + r->count)
        hs_recovery_go_on(turn, r, view);
    return HS_OK;
}
