#include "core/federation/evidence.h"

#include "core/delivery/inbox.h"
#include "core/federation/node_key.h"
#include "core/federation/promise.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "object/object.h"
#include "room/evidence.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

struct hs_bytes hs_evidence_of_room(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_bytes key, value, prefix = HS_VIEW(*room);
    Hanse__State__EvidenceView *view;
    if (!hs_kv_next(turn->kv, HS_T_EVIDENCE, prefix, prefix, turn->arena, &key, &value) ||
        HS_UNPACK(hanse__state__evidence_view, value, HS_LENIENT, turn->arena, &view) != HS_OK)
        return (struct hs_bytes){0};
    return hs_pb_bytes(view->evidence);
}

/* The next subscriber of the room at or behind from, among all subscriptions: this is done once in the life
 * of a room that goes wrong. */
static bool next_subscriber(struct hs_turn *turn, const struct hs_id *room, struct hs_kv_key *from,
                            struct hs_key *subscriber)
{
    struct hs_bytes key, value, none = {0};
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        Hanse__State__SubscriptionView *view;
        if (!hs_kv_next(turn->kv, HS_T_SUBSCRIPTION, none, hs_kv_key_bytes(from), &scratch, &key, &value))
            return false;
        *from = hs_kv_after(key);
        bool fits = key.len == sizeof *subscriber + sizeof *room &&
                    HS_FIXED(hs_bytes(key.data, sizeof *subscriber), subscriber) &&
                    hs_bytes_equal(hs_bytes(key.data + sizeof *subscriber, sizeof *room), HS_VIEW(*room));
        if (fits && HS_UNPACK(hanse__state__subscription_view, value, HS_LENIENT, &scratch, &view) == HS_OK &&
            view->until == UINT64_MAX)
            return true;
    }
}

static void tell_subscribers(struct hs_turn *turn, const struct hs_id *room, ProtobufCBinaryData evidence)
{
    struct hs_kv_key from = {0};
    struct hs_key subscriber;
    while (next_subscriber(turn, room, &from, &subscriber)) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP); /* for one: they may be thousands */
        struct hs_turn own = *turn;
        own.arena = &scratch;
        Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
        Hanse__EvidenceItem body = HANSE__EVIDENCE_ITEM__INIT;
        body.room = hs_pb_data(HS_VIEW(*room));
        body.evidence = evidence;
        item.evidence = &body;
        item.body_case = HANSE__INBOX_ITEM__BODY_EVIDENCE;
        hs_inbox_put(&own, &subscriber, &item);
    }
}

void hs_evidence_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                       const Hanse__State__StreamRecord *record)
{
    (void)at;
    const Hanse__State__EvidenceKept *kept = record->evidence;
    struct hs_id room;
    Hanse__State__EvidenceView view = HANSE__STATE__EVIDENCE_VIEW__INIT;
    struct hs_kv_key key = hs_key2(hs_pb_bytes(kept->room), hs_pb_bytes(kept->signing_key));
    HS_ASSERT(HS_FIXED(hs_pb_bytes(kept->room), &room));
    Hanse__State__RoomView *copy = hs_room_view(turn, &room);
    if (copy == NULL || hs_kv_has(turn->kv, HS_T_EVIDENCE, hs_kv_key_bytes(&key)))
        return;
    view.evidence = kept->evidence;
    view.at_ms = record->time_ms;
    hs_view_put(turn, HS_T_EVIDENCE, &key, &view.base);
    if (kept->former)
        return;
    copy->forked = true;
    hs_room_store(turn, &room, copy);
    tell_subscribers(turn, &room, kept->evidence);
}

/* One record: what was proved. */
static void keep(struct hs_turn *turn, const struct hs_evidence *e, struct hs_bytes bytes, bool former)
{
    Hanse__State__EvidenceKept kept = HANSE__STATE__EVIDENCE_KEPT__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    kept.room = hs_pb_data(HS_VIEW(e->room));
    kept.signing_key = hs_pb_data(HS_VIEW(e->first.signing_key));
    kept.evidence = hs_pb_data(bytes);
    kept.former = former;
    record.evidence = &kept;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_EVIDENCE;
    hs_stream_record(turn, HS_STREAM_EVIDENCE, HS_VIEW(e->room), &record);
    hs_turn_log(turn, "event=evidence text=\"the hub of a room told two stories%s\"",
                former ? " of how it went" : "; the room is followed no further");
}

bool hs_evidence_take(struct hs_turn *turn, struct hs_bytes bytes)
{
    struct hs_evidence e;
    if (hs_evidence_verify(bytes, NULL, &e) != HS_OK)
        return false;
    const Hanse__State__RoomView *view = hs_room_view(turn, &e.room);
    if (view == NULL || view->hub || view->forked ||
        !hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(e.root)))
        return false;
    keep(turn, &e, bytes, false);
    return true;
}

/* A head that is kept here, beside another one. */
static bool against(struct hs_turn *turn, const Hanse__State__RoomView *view, const Hanse__SignedObject *own,
                    const Hanse__SignedObject *head, const struct hs_bytes *headers, size_t count)
{
    struct hs_key root, keys[2];
    struct hs_bytes bytes;
    if (head == NULL || own == NULL || !HS_FIXED(hs_pb_bytes(view->hub_root), &root) ||
        !hs_object_claimed_signer(own, 0, &keys[0]) || !hs_object_claimed_signer(head, 0, &keys[1]))
        return false;
    struct hs_evidence_parts parts = {.one = own,
                                      .other = head,
                                      .one_descriptor = hs_node_key_of(turn, &root, &keys[0], NULL),
                                      .other_descriptor = hs_node_key_of(turn, &root, &keys[1], NULL),
                                      .headers = headers,
                                      .header_count = count};
    return hs_evidence_build(&parts, turn->arena, &bytes) == HS_OK && hs_evidence_take(turn, bytes);
}

bool hs_evidence_of_records(struct hs_turn *turn, const struct hs_id *room,
                            const Hanse__State__RoomView *view, const Hanse__Records *records)
{
    struct hs_bytes headers[HS_REPEATED_MAX];
    HS_ASSERT(records->n_records <= HS_REPEATED_MAX);
    for (size_t i = 0; i < records->n_records; i++)
        headers[i] = hs_pb_bytes(records->records[i]->header);
    static const enum hs_register kept[] = {HS_REGISTER_HEAD, HS_REGISTER_PROMISE};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (against(turn, view, hs_promise_get(turn, room, kept[i]), records->head, headers,
                    records->n_records))
            return true;
    return false;
}

/* The head is by a key that the hub has or had: nobody else can make this node look for anything. */
static bool is_hubs(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                    const Hanse__SignedObject *object, struct hs_head *head)
{
    struct hs_key root;
    return HS_FIXED(hs_pb_bytes(view->hub_root), &root) &&
           hs_node_key_head(turn, &root, object, room, head) == HS_OK;
}

/* The header of the copy's record seq; empty where it hasn't got it. */
static struct hs_bytes header_at(struct hs_turn *turn, const struct hs_id *room, uint64_t seq)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn reading = *turn;
    reading.arena = &scratch;
    Hanse__State__RoomEntry *entry = hs_room_entry(&reading, room, seq);
    return entry != NULL ? hs_arena_copy(turn->arena, hs_pb_bytes(entry->header)) : (struct hs_bytes){0};
}

bool hs_evidence_of_head(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         const Hanse__SignedObject *head)
{
    struct hs_bytes headers[HS_EVIDENCE_HEADERS];
    struct hs_head theirs, kept;
    size_t count = 0;
    Hanse__SignedObject *own = hs_room_kept_head(turn, room);
    if (own == NULL || !is_hubs(turn, room, view, head, &theirs) || !is_hubs(turn, room, view, own, &kept))
        return false;
    uint64_t first = theirs.seq < kept.seq ? theirs.seq : kept.seq;
    uint64_t last = theirs.seq < kept.seq ? kept.seq : theirs.seq;
    if (last - first > HS_EVIDENCE_HEADERS || (last > first && last >= view->next_seq))
        return false; /* nobody could check it */
    for (uint64_t seq = first + 1; seq <= last; seq++) {
        struct hs_bytes header = seq >= view->first_seq ? header_at(turn, room, seq) : (struct hs_bytes){0};
        if (header.len > 0)
            headers[count++] = header;
    }
    return against(turn, view, own, head, headers, count);
}

static bool is_kept(struct hs_turn *turn, const struct hs_evidence *e)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(e->room), HS_VIEW(e->first.signing_key));
    return hs_kv_has(turn->kv, HS_T_EVIDENCE, hs_kv_key_bytes(&key));
}

bool hs_evidence_of_move(struct hs_turn *turn, const struct hs_id *room, uint64_t seq,
                         const Hanse__HubMoved *theirs)
{
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
    Hanse__SignedObject *head, *descriptor;
    struct hs_record_header header;
    struct hs_bytes headers[HS_EVIDENCE_HEADERS], bytes;
    struct hs_evidence e;
    size_t count = 0;
    if (entry == NULL || hs_object_unpack(hs_pb_bytes(entry->head), turn->arena, &head) != HS_OK ||
        hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &descriptor) != HS_OK ||
        hs_record_header_parse(hs_pb_bytes(theirs->header), &header) != HS_OK || header.seq > seq ||
        seq - header.seq > HS_EVIDENCE_HEADERS)
        return false;
    for (uint64_t i = header.seq + 1; i <= seq; i++) {
        struct hs_bytes one = header_at(turn, room, i);
        if (one.len > 0)
            headers[count++] = one;
    }
    struct hs_evidence_parts parts = {head, theirs->head, descriptor, theirs->descriptor, headers, count};
    if (hs_evidence_build(&parts, turn->arena, &bytes) != HS_OK ||
        hs_evidence_verify(bytes, NULL, &e) != HS_OK || !hs_id_equal(&e.room, room) || is_kept(turn, &e))
        return false;
    keep(turn, &e, bytes, true);
    return true;
}

bool hs_core_evidence_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                           struct hs_core_evidence *out)
{
    struct hs_bytes key, value, none = {0};
    Hanse__State__EvidenceView *view;
    struct hs_evidence e;
    if (!hs_kv_next(kv, HS_T_EVIDENCE, none, hs_kv_key_bytes(cursor), arena, &key, &value) ||
        HS_UNPACK(hanse__state__evidence_view, value, HS_LENIENT, arena, &view) != HS_OK ||
        hs_evidence_verify(hs_pb_bytes(view->evidence), NULL, &e) != HS_OK)
        return false;
    *cursor = hs_kv_after(key);
    *out = (struct hs_core_evidence){
        .room = e.room,
        .hub_root = e.root,
        .domain = hs_arena_str(arena, hs_bytes_str(e.domain)),
        .seq = e.first.seq,
        .at = {view->at_ms},
        .content = hs_pb_bytes(view->evidence),
    };
    return out->domain != NULL;
}
