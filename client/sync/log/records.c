/* Records of a room's log: checked as a chain under the hub's signed head, then each by its kind. */
#include "room/genesis.h"
#include "room/head.h"
#include "room/judge_change.h"
#include "store/tail.h"
#include "sync/log/gap.h"
#include "sync/log/hub_key.h"
#include "sync/log/rejoin.h"
#include "sync/move/move.h"

enum {
    PROGRESS_MS = 250,     /* between two such events: what an eye can follow */
    PROGRESS_RECORDS = 200 /* missing, at the least: fewer are here in the blink of an eye */
};

enum hs_err hs_room_freeze(struct hs_step *s, struct hs_live_room *room, uint64_t seq, enum hs_err why)
{
    HS_TRY(hs_leave_over(s, &room->row.id, 0, why)); /* it would take out who comes back some day */
    room->row.state = HS_ROOM_STATE_FROZEN;
    room->row.frozen = why;
    room->row_dirty = true;
    struct hanse_event event = {.kind = HANSE_EVENT_FROZEN, .err = (enum hanse_err)why, .seq = seq};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

static enum hs_err genesis_record(struct hs_step *s, struct hs_live_room *room,
                                  const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_genesis genesis;
    HS_TRY(hs_genesis_verify(body, header->hub_time, s->arena, &genesis));
    HS_REQUIRE(hs_id_equal(&genesis.room, &room->row.id), HS_ERR_MLS_GROUP);
    struct hs_message_row row = {.seq = header->seq,
                                 .kind = HANSE_MESSAGE_CREATED,
                                 .time = header->hub_time,
                                 .own = hs_key_equal(&genesis.owner, &room->row.self),
                                 .text = genesis.policy.name};
    hs_person_by_key(room, &genesis.owner, header->hub_time, &row.sender);
    hs_message_put(s->kv, &room->row.id, &row);
    return s->kv->err;
}

static enum hs_err by_kind(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header, struct hs_bytes body)
{
    bool lost = hs_room_is_lost(room);
    switch (header->kind) {
    case HS_RECORD_GENESIS:
        return genesis_record(s, room, header, body);
    case HS_RECORD_INVITE:
        return hs_invite_record(s, room, header, body);
    case HS_RECORD_JOIN:
        return hs_join_record(s, room, header, body);
    case HS_RECORD_COMMIT:
        return lost ? hs_lost_commit(s, room, header, body) : hs_commit_received(s, room, header, body);
    case HS_RECORD_POST:
        return hs_post_received(s, room, header, body);
    case HS_RECORD_PROPOSAL:
        return lost ? hs_lost_proposal(s, room, header, body) : hs_proposal_received(s, room, header, body);
    case HS_RECORD_HOME_MOVE:
        return hs_home_move_record(s, room, header, body);
    case HS_RECORD_SETTLED:
        return hs_settled_received(s, room, header, body);
    case HS_RECORD_VOID:
        return hs_void_received(s, room, header, body);
    case HS_RECORD_HUB_MOVE:
        return hs_hub_move_record(s, room, header, body);
    }
    return HS_ERR_UNSUPPORTED;
}

/* Whoever's key signed the GroupInfo let this device in; the record's header alone is the hub's word. */
static void admitter_of(struct hs_live_room *room, const struct hs_record_header *header,
                        struct hs_person *out)
{
    struct hs_mls_member inviter;
    struct hs_person person;
    *out = (struct hs_person){0};
    if (hs_mls_public_member(hs_mls_group_public(room->group), hs_mls_group_inviter(room->group), &inviter) !=
        HS_OK)
        return;
    hs_person_of(room, &inviter, header->hub_time, &person);
    if (hs_key_equal(&person.key, &header->sender_persona))
        *out = person;
}

/* The commit that let this device in is known by its effect: it anchors the log, and isn't processed. */
static enum hs_err anchor_record(struct hs_step *s, struct hs_live_room *room,
                                 const struct hs_record_header *header)
{
    HS_REQUIRE(header->kind == HS_RECORD_COMMIT, HS_ERR_UNEXPECTED);
    struct hs_mls_member member;
    struct hs_person self;
    struct hs_message_row row = {.seq = header->seq, .kind = HANSE_MESSAGE_JOINED, .time = header->hub_time};
    admitter_of(room, header, &row.sender);
    HS_TRY(
        hs_mls_public_member(hs_mls_group_public(room->group), hs_mls_group_own_leaf(room->group), &member));
    hs_person_of(room, &member, header->hub_time, &self);
    row.text = hs_people_text(s, &self, 1);
    hs_message_put(s->kv, &room->row.id, &row);
    struct hs_unsettled_row unsettled = {.joined = true, .epoch_min = room->row.epoch_min};
    return hs_settle_begin(s, room, header, &unsettled);
}

/* The hub signed a head over this record before it came. LOG_FORK. */
static enum hs_err keep_promise(struct hs_live_room *room, const struct hs_record_header *header)
{
    struct hs_room_row *row = &room->row;
    if (!row->has_promise || header->seq < row->promise_seq)
        return HS_OK;
    row->has_promise = false;
    return header->seq == row->promise_seq ? hs_head_check_at(&row->promise_hash, &header->hash) : HS_OK;
}

static enum hs_err record_received(struct hs_step *s, struct hs_live_room *room, const Hanse__Record *record)
{
    struct hs_record_header header;
    struct hs_bytes body = hs_pb_bytes(record->body);
    enum hs_err err =
        hs_log_check_next(&room->row.tip, &room->row.id, hs_pb_bytes(record->header), body, &header);
    if (err == HS_ERR_REPLAY)
        return HS_OK;
    HS_REQUIRE(err != HS_ERR_LOG_FORK, hs_room_freeze(s, room, room->row.tip.next_seq, err));
    HS_TRY(err);
    room->row_dirty = true;
    hs_log_hash_put(s->kv, &room->row.id, header.seq, &header.hash);
    hs_tail_put(s->kv, &room->row.id, header.seq, record);
    hs_cursor_moved(s, false, 1);
    if (keep_promise(room, &header) != HS_OK)
        return hs_room_freeze(s, room, header.seq, HS_ERR_LOG_FORK);
    /* A post may be gone; without any other record nobody could go on from here. */
    if (header.erased)
        return header.kind == HS_RECORD_POST ? hs_post_erased(s, room, &header)
                                             : hs_room_freeze(s, room, header.seq, HS_ERR_LOG_GAP);
    if (room->row.has_anchor && header.seq == room->row.anchor)
        return anchor_record(s, room, &header);
    err = hs_sync_blame(by_kind(s, room, &header, body));
    hs_live_expire(room, header.hub_time);
    return hs_sync_is_fault(err) ? hs_room_freeze(s, room, header.seq, err) : err;
}

/* The hub's descriptor may be renewed along the way, for other keys too; it counts by its root's signature
 * alone. */
static enum hs_err take_descriptor(struct hs_step *s, struct hs_live_room *room,
                                   const Hanse__Records *records)
{
    struct hs_descriptor d;
    struct hs_bytes bytes;
    if (records->descriptor == NULL)
        return HS_OK;
    HS_TRY(hs_descriptor_open(records->descriptor, hs_row_hub(&room->row), &d));
    HS_TRY(hs_object_pack(records->descriptor, s->arena, &bytes));
    return hs_live_set_descriptor(s, room, bytes, &d);
}

/* A head that covers more than is here is kept until its record comes; where there is one already, the nearer
 * one stays: it is tested first, and each batch brings another. */
enum hs_err hs_room_promise(struct hs_step *s, struct hs_live_room *room, const struct hs_head *head,
                            const Hanse__SignedObject *object)
{
    struct hs_room_row *row = &room->row;
    struct hs_bytes bytes;
    if (row->has_promise && row->promise_seq == head->seq &&
        hs_head_check_at(&head->hash, &row->promise_hash) != HS_OK)
        return hs_room_freeze(s, room, head->seq, HS_ERR_LOG_FORK);
    if (row->has_promise && row->promise_seq <= head->seq)
        return HS_OK;
    HS_TRY(hs_object_pack(object, s->arena, &bytes));
    hs_tail_head_put(s->kv, &row->id, HS_HEAD_PROMISE, bytes);
    row->has_promise = true;
    row->promise_seq = head->seq;
    row->promise_hash = head->hash;
    room->row_dirty = true;
    return HS_OK;
}

/* Whoever comes back after weeks sees that something goes on. known: records that the room has. */
static enum hs_err tell_progress(struct hs_step *s, struct hs_live_room *room, uint64_t known)
{
    uint64_t held = room->row.tip.next_seq;
    bool begun = room->progress_at.ms > 0, over = held >= known;
    int64_t since = s->now.ms - room->progress_at.ms;
    if (over ? !begun : begun ? since >= 0 && since < PROGRESS_MS : known - held < PROGRESS_RECORDS)
        return HS_OK;
    room->progress_at.ms = over ? 0 : s->now.ms;
    struct hanse_event event = {.kind = HANSE_EVENT_PROGRESS, .seq = held, .known = known};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

/* Heads of the brand's own node tell when it was restored. */
static enum hs_err incarnation_seen(struct hs_step *s, struct hs_live_room *room, uint64_t incarnation)
{
    if (incarnation <= room->incarnation || !hs_key_equal(hs_row_hub(&room->row), &room->row.hub_root))
        return HS_OK;
    room->incarnation = incarnation;
    return hs_proofs_seen(s, &room->row.hub_root, incarnation);
}

static enum hs_err head_check(struct hs_step *s, struct hs_live_room *room, const Hanse__Records *records)
{
    struct hs_head head;
    HS_REQUIRE(records->head != NULL, HS_ERR_MALFORMED);
    HS_TRY(take_descriptor(s, room, records));
    HS_TRY(hs_hub_head(s, room, records->head, &head));
    const struct hs_log_tip *tip = &room->row.tip;
    HS_REQUIRE(head.seq >= tip->next_seq || head.seq + 1 == tip->next_seq, HS_ERR_MALFORMED);
    room->caught_up = head.seq < tip->next_seq;
    HS_TRY(tell_progress(s, room, head.seq + 1));
    HS_TRY(incarnation_seen(s, room, head.incarnation));
    if (!room->caught_up)
        HS_TRY(hs_room_promise(s, room, &head, records->head));
    else if (hs_head_check_at(&head.hash, &tip->hash) != HS_OK)
        HS_TRY(hs_room_freeze(s, room, head.seq, HS_ERR_LOG_FORK));
    if (room->row.state != HS_ROOM_STATE_MEMBER)
        return HS_OK;
    return hs_evidence_keep_head(s, room, records->head);
}

enum hs_err hs_records_received(struct hs_step *s, const Hanse__Records *records)
{
    struct hs_id id;
    struct hs_live_room *room;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(records->room), &id), HS_ERR_MALFORMED);
    enum hs_err err = hs_live_get(s, &id, &room);
    if (err == HS_ERR_NOT_FOUND)
        return HS_OK; /* a room that this device doesn't have (yet): it will ask for it from the start */
    HS_TRY(err);
    if (room->row.state != HS_ROOM_STATE_MEMBER)
        return HS_OK;
    room->hub_move = NULL;
    for (size_t i = 0; i < records->n_records && room->row.state == HS_ROOM_STATE_MEMBER; i++) {
        if (room->hub_move != NULL) { /* nothing of that hub's term is behind it */
            HS_TRY(hs_room_freeze(s, room, room->row.tip.next_seq, HS_ERR_LOG_FORK));
            break;
        }
        err = record_received(s, room, records->records[i]);
        if (err == HS_ERR_LOG_GAP)
            return hs_home_attach_room(s, room);
        HS_TRY(err);
    }
    HS_TRY(hs_gap_tell(s, room));
    if (room->row.state == HS_ROOM_STATE_MEMBER)
        HS_TRY(head_check(s, room, records));
    HS_TRY(hs_hub_moved(s, room));
    if (room->row.state == HS_ROOM_STATE_FROZEN && room->row.frozen == HS_ERR_LOG_FORK)
        return hs_evidence_seen(s, room, records);
    if (room->row.state != HS_ROOM_STATE_MEMBER)
        return HS_OK;
    HS_TRY(hs_say_due(s, room));
    HS_REQUIRE(room->caught_up, HS_OK);
    return hs_room_is_lost(room) ? hs_rejoin_next(s, room) : hs_commit_next(s, room);
}
