/* The home node has lost the end of a room's log and asks for it: what is kept here of it (store/tail.h). */
#include "store/tail.h"

#include "sync/log/hub_key.h"
#include "sync/move/move.h"

enum {
    TAIL_FRAME = 128, /* records, or headers alone, in one frame */
    TAIL_HEADS = 2
};

/* The records from, and up to below, in the order of their numbers; the last ones where they don't fit. */
static enum hs_err fill(struct hs_step *s, const struct hs_id *room, const Hanse__WantTail *want,
                        uint64_t below, Hanse__Tail *tail)
{
    uint64_t from = want->from, bytes = 0;
    Hanse__Record *record;
    if (want->headers && below > TAIL_FRAME && below - TAIL_FRAME > from)
        from = below - TAIL_FRAME;
    while (from < below && tail->n_records < TAIL_FRAME &&
           hs_tail_record_next(s->kv, room, &from, s->arena, &record)) {
        if (want->headers) {
            record->body = (ProtobufCBinaryData){0};
            record->n_blobs = 0;
        }
        bytes += record->header.len + record->body.len + record->n_blobs * (HS_HASH_LEN + 2);
        if (from > below || (tail->n_records > 0 && bytes > HS_BLOB_THRESHOLD))
            break;
        tail->records[tail->n_records++] = record;
    }
    return s->kv->err;
}

/* The descriptors by which the hub signed these heads: it may have forgotten that it had them. */
static enum hs_err show_keys(struct hs_step *s, const struct hs_live_room *room, Hanse__Tail *tail)
{
    const Hanse__SignedObject *heads[TAIL_HEADS] = {tail->head, tail->held};
    for (size_t i = 0; i < TAIL_HEADS; i++) {
        if (heads[i] == NULL)
            continue;
        enum hs_err err = hs_hub_descriptor_of(s, room, heads[i], &tail->descriptors[tail->n_descriptors]);
        HS_REQUIRE(err == HS_OK || err == HS_ERR_NOT_FOUND, err);
        tail->n_descriptors += err == HS_OK ? 1 : 0;
    }
    return HS_OK;
}

enum hs_err hs_tail_wanted(struct hs_step *s, const Hanse__WantTail *want)
{
    struct hs_id id;
    struct hs_live_room *room;
    Hanse__Record *records[TAIL_FRAME];
    Hanse__SignedObject *descriptors[TAIL_HEADS];
    Hanse__Tail tail = HANSE__TAIL__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(want->room), &id), HS_ERR_MALFORMED);
    enum hs_err err = hs_live_get(s, &id, &room);
    HS_REQUIRE(err != HS_ERR_NOT_FOUND, HS_OK);
    HS_TRY(err);
    if (!hs_root_is_home(s->sync, hs_row_hub(&room->row))) /* it has forgotten that it gave the room away */
        return hs_way_tell(s, room);
    if (want->blob.len > 0)
        return HS_OK; /* a device keeps no attachment in the form in which it came */
    uint64_t below = want->headers && want->below > 0 ? want->below : room->row.tip.next_seq;
    tail.room = want->room;
    tail.records = records;
    tail.headers = want->headers;
    tail.descriptors = descriptors;
    HS_TRY(hs_evidence_own_head(s, room, &tail.head));
    HS_TRY(hs_evidence_held_head(s, room, &tail.held));
    HS_TRY(show_keys(s, room, &tail));
    HS_TRY(fill(s, &id, want, below < room->row.tip.next_seq ? below : room->row.tip.next_seq, &tail));
    frame.tail = &tail;
    frame.body_case = HANSE__FRAME__BODY_TAIL;
    return hs_notify(s, &frame);
}
