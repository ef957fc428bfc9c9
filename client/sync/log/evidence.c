/* What proves that a hub told two stories: found in what it sends, in what members show, or brought by the
 * home node; kept, and shown to the user. */
#include "room/evidence.h"

#include "room/head.h"
#include "store/tail.h"
#include "sync/log/hub_key.h"
#include "sync/move/move.h"
#include "wire/unpack.h"

static enum hs_err head_at(struct hs_step *s, const struct hs_live_room *room, enum hs_head_place place,
                           Hanse__SignedObject **out)
{
    struct hs_bytes bytes;
    *out = NULL;
    if (!hs_tail_head_get(s->kv, &room->row.id, place, s->arena, &bytes))
        return s->kv->err;
    return hs_object_unpack(bytes, s->arena, out);
}

enum hs_err hs_evidence_own_head(struct hs_step *s, const struct hs_live_room *room,
                                 Hanse__SignedObject **out)
{
    return head_at(s, room, HS_HEAD_NEWEST, out);
}

/* The number that the head at a place covers; 0 where there is none. */
static enum hs_err covered(struct hs_step *s, const struct hs_live_room *room, enum hs_head_place place,
                           uint64_t *seq)
{
    Hanse__SignedObject *object;
    Hanse__Head *head;
    *seq = 0;
    HS_TRY(head_at(s, room, place, &object));
    if (object == NULL)
        return HS_OK;
    HS_TRY(HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, s->arena, &head));
    *seq = head->seq;
    return HS_OK;
}

/* Of two that may take its place, the newest one that covers no more than is here. */
static enum hs_err keep_held(struct hs_step *s, const struct hs_live_room *room)
{
    static const enum hs_head_place places[] = {HS_HEAD_PROMISE, HS_HEAD_NEWEST};
    uint64_t held, seq;
    HS_TRY(covered(s, room, HS_HEAD_HELD, &held));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct hs_bytes bytes;
        HS_TRY(covered(s, room, places[i], &seq));
        if (seq <= held || seq >= room->row.tip.next_seq ||
            !hs_tail_head_get(s->kv, &room->row.id, places[i], s->arena, &bytes))
            continue;
        hs_tail_head_put(s->kv, &room->row.id, HS_HEAD_HELD, bytes);
        held = seq;
    }
    return s->kv->err;
}

enum hs_err hs_evidence_keep_head(struct hs_step *s, const struct hs_live_room *room,
                                  const Hanse__SignedObject *head)
{
    struct hs_bytes bytes;
    HS_TRY(hs_object_pack(head, s->arena, &bytes));
    if (!room->caught_up)
        HS_TRY(keep_held(s, room)); /* what is newest now covers more */
    hs_tail_head_put(s->kv, &room->row.id, HS_HEAD_NEWEST, bytes);
    return s->kv->err;
}

enum hs_err hs_evidence_held_head(struct hs_step *s, const struct hs_live_room *room,
                                  Hanse__SignedObject **out)
{
    uint64_t newest;
    HS_TRY(covered(s, room, HS_HEAD_NEWEST, &newest));
    return head_at(s, room, newest < room->row.tip.next_seq ? HS_HEAD_NEWEST : HS_HEAD_HELD, out);
}

/* One of the heads that are kept, beside another one: OK with *out where the two contradict each other, and
 * the headers show it; else NOT_FOUND. */
static enum hs_err against(struct hs_step *s, const struct hs_live_room *room, enum hs_head_place place,
                           const Hanse__SignedObject *other, const struct hs_bytes *headers, size_t count,
                           struct hs_bytes *out)
{
    Hanse__SignedObject *own, *own_descriptor, *other_descriptor;
    struct hs_bytes bytes;
    if (other == NULL || !hs_tail_head_get(s->kv, &room->row.id, place, s->arena, &bytes))
        return s->kv->err != HS_OK ? s->kv->err : HS_ERR_NOT_FOUND;
    HS_TRY(hs_object_unpack(bytes, s->arena, &own));
    HS_TRY(hs_hub_descriptor_of(s, room, own, &own_descriptor));
    HS_TRY(hs_hub_descriptor_of(s, room, other, &other_descriptor));
    struct hs_evidence_parts parts = {own, other, own_descriptor, other_descriptor, headers, count};
    enum hs_err err = hs_evidence_build(&parts, s->arena, out);
    return err == HS_OK || hs_sync_is_own_trouble(err) ? err : HS_ERR_NOT_FOUND;
}

static enum hs_err against_any(struct hs_step *s, const struct hs_live_room *room,
                               const Hanse__SignedObject *other, const struct hs_bytes *headers, size_t count,
                               struct hs_bytes *out)
{
    enum hs_err err = against(s, room, HS_HEAD_NEWEST, other, headers, count, out);
    return err == HS_ERR_NOT_FOUND ? against(s, room, HS_HEAD_PROMISE, other, headers, count, out) : err;
}

static enum hs_err keep(struct hs_step *s, struct hs_live_room *room, struct hs_bytes evidence)
{
    struct hs_evidence e;
    HS_TRY(hs_evidence_verify(evidence, hs_row_hub(&room->row), &e));
    hs_evidence_put(s->kv, &room->row.id, evidence);
    HS_TRY(s->kv->err);
    return room->row.state == HS_ROOM_STATE_MEMBER ? hs_room_freeze(s, room, e.first.seq, HS_ERR_LOG_FORK)
                                                   : HS_OK;
}

enum hs_err hs_evidence_seen(struct hs_step *s, struct hs_live_room *room, const Hanse__Records *records)
{
    struct hs_bytes evidence, *headers = hs_arena_alloc(s->arena, (records->n_records + 1) * sizeof *headers);
    HS_REQUIRE(headers != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < records->n_records; i++)
        headers[i] = hs_pb_bytes(records->records[i]->header);
    enum hs_err err = against_any(s, room, records->head, headers, records->n_records, &evidence);
    return err == HS_ERR_NOT_FOUND ? HS_OK : err == HS_OK ? keep(s, room, evidence) : err;
}

/* The head's story ends before this device's: the headers of one's own lead on from there. */
static enum hs_err older_head(struct hs_step *s, struct hs_live_room *room, const Hanse__SignedObject *object,
                              uint64_t from)
{
    struct hs_bytes evidence, body;
    struct hs_bytes *headers = hs_arena_alloc(s->arena, HS_EVIDENCE_HEADERS * sizeof *headers);
    size_t n = 0;
    HS_REQUIRE(headers != NULL, HS_ERR_NOMEM);
    while (n < HS_EVIDENCE_HEADERS && hs_tail_next(s->kv, &room->row.id, &from, s->arena, &headers[n], &body))
        n++;
    enum hs_err err = against_any(s, room, object, headers, n, &evidence);
    HS_TRY(err == HS_OK ? keep(s, room, evidence) : err == HS_ERR_NOT_FOUND ? HS_OK : err);
    return HS_ERR_LOG_FORK;
}

enum hs_err hs_evidence_head(struct hs_step *s, struct hs_live_room *room, const Hanse__SignedObject *object,
                             struct hs_head *ahead, bool *is_ahead)
{
    struct hs_id own;
    *is_ahead = false;
    enum hs_err err = hs_hub_head(s, room, object, ahead);
    if (err != HS_OK)
        return hs_sync_is_own_trouble(err) ? err : HS_OK; /* another key, or another's: it says nothing */
    *is_ahead = ahead->seq >= room->row.tip.next_seq;
    if (*is_ahead || !hs_log_hash_get(s->kv, &room->row.id, ahead->seq, &own) ||
        hs_head_check_at(&ahead->hash, &own) == HS_OK)
        return s->kv->err;
    return older_head(s, room, object, ahead->seq + 1);
}

enum hs_err hs_evidence_received(struct hs_step *s, const Hanse__EvidenceItem *item)
{
    struct hs_id id;
    struct hs_live_room *room;
    struct hs_evidence e;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(item->room), &id), HS_ERR_MALFORMED);
    enum hs_err err = hs_live_get(s, &id, &room);
    if (err == HS_ERR_NOT_FOUND)
        return HS_OK;
    HS_TRY(err);
    err = hs_evidence_verify(hs_pb_bytes(item->evidence), hs_row_hub(&room->row), &e);
    if (err != HS_OK || !hs_id_equal(&e.room, &id))
        return hs_sync_is_own_trouble(err) ? err : HS_OK; /* it doesn't prove what the home node says */
    return keep(s, room, hs_pb_bytes(item->evidence));
}
