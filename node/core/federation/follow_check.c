#include "core/federation/follow_check.h"

#include "core/federation/heads.h"
#include "core/federation/node_key.h"
#include "core/federation/promise.h"
#include "core/internal.h"
#include "core/office/link.h"
#include "core/office/office.h"
#include "object/object.h"
#include "room/head.h"
#include "schema/room.pb-c.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX /* one entry: a batch must not take the turn's memory */ };

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

enum hs_err hs_follow_prove_move(struct hs_turn *turn, const struct hs_room_record *r,
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
    HS_TRY(hs_follow_prove_move(turn, &one, &entry, records, shown, &move));
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

enum hs_err hs_follow_check(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                            const Hanse__Records *records, struct hs_log_tip tip, bool *head_counts)
{
    HS_TRY(check_records(turn, room, view, records, false, &tip));
    return check_head(turn, room, view, records->head, &tip, head_counts);
}

enum hs_err hs_follow_check_shown(struct hs_turn *turn, const struct hs_id *room,
                                  Hanse__State__RoomView *view, const Hanse__Records *records,
                                  struct hs_log_tip tip)
{
    return check_records(turn, room, view, records, true, &tip);
}
