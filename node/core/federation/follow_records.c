/* Records of a followed room: all of a batch is checked (follow_check.c), then they enter the copy. */
#include "core/blobs/blob.h"
#include "core/dispatch.h"
#include "core/federation/evidence.h"
#include "core/federation/follow.h"
#include "core/federation/follow_check.h"
#include "core/federation/node_key.h"
#include "core/federation/promise.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/retention.h"
#include "core/records/table.h"
#include "core/rooms/settle.h"
#include "core/standing/kept.h"
#include "object/object.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static enum hs_err append_move(struct hs_turn *turn, struct hs_room_record *one,
                               Hanse__State__RoomEntry *entry, const Hanse__Records *records, bool shown)
{
    struct hs_hub_move move;
    HS_TRY(hs_follow_prove_move(turn, one, entry, records, shown, &move));
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
    enum hs_err err = hs_follow_check(turn, &room, view, records, tip, &head_counts);
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
    hs_follow_cursors(turn, 0, &room, tip.next_seq);
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
    HS_TRY(hs_follow_check_shown(turn, room, view, records, tip));
    HS_TRY(hs_kept_take(turn, &hub, hs_kept_size(records->records, records->n_records)));
    enum hs_err err = append_shown(turn, room, view, &tip, records);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
    return err;
}
