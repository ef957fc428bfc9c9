/* A hub that has lost the end of a log asks for it: what this follower's copy has, and what the hub signed.
 */
#include "core/blobs/blob.h"
#include "core/dispatch.h"
#include "core/federation/node_key.h"
#include "core/federation/promise.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/takeover.h"
#include "core/office/way.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/recovery/recovery.h"
#include "core/rooms/room.h"
#include "core/standing/standing.h"
#include "object/object.h"
#include "wire/limits.h"

/* The next hub needs what a former one had beside the records. */
static void add_for_hub(Hanse__Tail *tail, const Hanse__State__RoomEntry *entry, Hanse__Record *record,
                        uint64_t seq)
{
    record->head = entry->head;
    record->descriptor = entry->head.len > 0 ? entry->descriptor : (ProtobufCBinaryData){0};
    if (seq == 0)
        tail->group_info = entry->group_info;
}

/* What takes a record's place in a frame. */
static size_t record_len(const Hanse__Record *record, const Hanse__Tail *tail)
{
    size_t len = record->header.len + record->body.len + record->n_blobs * (HS_HASH_LEN + 2);
    return len + record->head.len + record->descriptor.len +
           (tail->n_records == 0 ? tail->group_info.len : 0);
}

/* What of a log is for the node that asks. */
struct part {
    uint64_t end; /* up to here; 0: nothing is */
    bool for_hub;
    Hanse__SignedObject *head;
    Hanse__SignedObject *descriptor; /* that names its key, where that is in the log; else NULL */
    Hanse__SignedObject *later;      /* of a later term of the same hub: so it knows that there was one */
    bool way;                        /* and who is in office, as a hub that has gone */
};

/* The hub that asks its readers has gone behind that record: whether or not it has come back since, it has
 * forgotten a term of its own, and comes to the next one by what ended that. */
static bool has_forgotten(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                          uint64_t from, uint64_t *seq)
{
    return turn->session->outbound && hs_office_gave(turn, room, view, &turn->session->subscriber, from, seq);
}

/* The hub that is followed lacks the end of its log, or is yet to come and lacks the beginning. */
static bool is_hub(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                   const Hanse__WantTail *want, struct part *out)
{
    uint64_t seq;
    if (view->hub || !hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber)) ||
        has_forgotten(turn, room, view, want->from, &seq))
        return false;
    *out = (struct part){
        .end = view->next_seq, .for_hub = !turn->session->outbound, .head = hs_room_kept_head(turn, room)};
    return true;
}

/* A hub that gave the room away, and may have forgotten that: its own records, and what shows that it has
 * gone.
 */
static bool is_former(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                      const Hanse__WantTail *want, struct part *out)
{
    uint64_t seq;
    if (hs_office_is_coming(view) || !(has_forgotten(turn, room, view, want->from, &seq) ||
                                       hs_office_left(turn, room, view, &turn->session->subscriber, &seq)))
        return false;
    const Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
    *out = (struct part){.end = seq + 1, .for_hub = true};
    if (entry == NULL || hs_object_unpack(hs_pb_bytes(entry->head), turn->arena, &out->head) != HS_OK ||
        hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &out->descriptor) != HS_OK)
        return false;
    if (hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber)))
        out->later = hs_room_kept_head(turn, room);
    out->way = want->headers && want->below == 0; /* its first question */
    return true;
}

/* A reader that has missed how the hubs before went: what it may read, once this hub knows who may. */
static bool is_reader(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                      const Hanse__WantTail *want, struct part *out)
{
    const Hanse__State__SubscriptionView *reads =
        view->hub && !turn->session->outbound && !hs_room_stands_still(turn, view)
            ? hs_subscription_view(turn, &turn->session->subscriber, room)
            : NULL;
    if (reads == NULL || want->from < reads->from)
        return false;
    *out = (struct part){.end = reads->until < view->next_seq ? reads->until : view->next_seq};
    return true;
}

/* Headers up to the record below (0: the newest), or records from the first one on, as many as fit. Returns
 * the bytes that were read for it: a header's record is read whole. */
static size_t fill(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                   const Hanse__WantTail *want, const struct part *part, Hanse__Tail *tail)
{
    uint64_t first = want->from > view->first_seq ? want->from : view->first_seq, end = part->end;
    size_t bytes = 0, cost = 0;
    if (want->headers && want->below > 0 && want->below < end)
        end = want->below;
    if (want->headers && end > HS_RECOVER_HEADERS && end - HS_RECOVER_HEADERS > first)
        first = end - HS_RECOVER_HEADERS;
    for (uint64_t seq = first; seq < end && tail->n_records < HS_RECOVER_HEADERS; seq++) {
        Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
        Hanse__Record *record = HS_NEW(turn, Hanse__Record, hanse__record);
        if (entry == NULL || record == NULL)
            return cost;
        cost += entry->header.len + entry->body.len;
        record->header = entry->header;
        if (!want->headers) {
            record->body = entry->body;
            record->blobs = entry->blobs;
            record->n_blobs = entry->n_blobs;
            if (part->for_hub)
                add_for_hub(tail, entry, record, seq);
        }
        bytes += record_len(record, tail);
        if (tail->n_records > 0 && bytes > HS_BLOB_THRESHOLD)
            return cost;
        tail->records[tail->n_records++] = record;
    }
    return cost;
}

/* What names the keys by which the hub that asks signed these heads: it may have forgotten that it had them.
 * The one over a HUB_MOVE is in the copy beside it. */
static void show_keys(struct hs_turn *turn, const struct part *part, Hanse__Tail *tail)
{
    const Hanse__SignedObject *heads[] = {tail->head, tail->held};
    for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++) {
        Hanse__SignedObject *object = i == 0 ? part->descriptor : NULL;
        struct hs_key key;
        if (object == NULL && heads[i] != NULL && hs_object_claimed_signer(heads[i], 0, &key))
            object = hs_node_key_of(turn, &turn->session->subscriber, &key, NULL);
        if (object != NULL)
            tail->descriptors[tail->n_descriptors++] = object;
    }
}

/* The room is followed here, and asked about by its hub. */
static bool is_of_hub(const struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    return view != NULL && !view->hub && turn->session->outbound &&
           hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber));
}

/* A question of some bytes takes an answer of many: it counts as one that a node asks, and what it makes this
 * node read counts as if the hub had sent it. */
enum hs_err hs_handle_want_tail(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                uint64_t *detail)
{
    (void)detail;
    bool next_hub = !turn->session->outbound; /* it asks for all of a log that isn't its own yet */
    const Hanse__WantTail *want = request->want_tail;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Tail tail = HANSE__TAIL__INIT;
    Hanse__Record *records[HS_RECOVER_HEADERS];
    Hanse__SignedObject *descriptors[HS_RECOVER_CLAIMS];
    struct hs_id room;
    if (next_hub && want->move.len > 0)
        return hs_prefix_give(turn, want, reply);
    HS_REQUIRE(next_hub || hs_standing_spend_hub(turn, HS_FLOW_REQUESTS, 1), HS_ERR_RATE_LIMITED);
    HS_TAKE32(want->room, &room);
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    struct part part = {0};
    if (want->blob.len > 0)
        return is_of_hub(turn, view) ? hs_blob_wanted(turn, &room, hs_pb_bytes(want->blob)) : HS_OK;
    if (view == NULL ||
        !(is_hub(turn, &room, view, want, &part) || is_former(turn, &room, view, want, &part) ||
          is_reader(turn, &room, view, want, &part)))
        return next_hub ? HS_ERR_ROOM_UNKNOWN : HS_OK;
    tail.room = want->room;
    tail.records = records;
    tail.headers = want->headers;
    tail.head = part.head;
    tail.held = part.head != NULL && part.end == view->next_seq ? hs_promise_held(turn, &room, view->next_seq)
                                                                : part.later;
    tail.descriptors = descriptors;
    show_keys(turn, &part, &tail);
    size_t cost = fill(turn, &room, view, want, &part, &tail) + (part.way ? HS_FRAME_MAX : 0);
    HS_REQUIRE(hs_standing_spend_hub(turn, HS_FLOW_HUB_BYTES, cost), HS_ERR_RATE_LIMITED);
    if (part.way)
        (void)hs_way_show(turn, turn->session, &room, view);
    frame.id = next_hub ? request->id : 0;
    frame.tail = &tail;
    frame.body_case = HANSE__FRAME__BODY_TAIL;
    hs_turn_send(turn, turn->session, &frame);
    return HS_OK;
}
