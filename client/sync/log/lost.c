/* A room whose keys are lost: its log is followed and judged by what is public, as the hub does it. */
#include "room/judge_change.h"
#include "room/leaf.h"
#include "sync/log/gap.h"
#include "sync/log/rejoin.h"

enum hs_err hs_lost_save(struct hs_step *s, struct hs_live_room *room)
{
    if (room->pub == NULL || !room->pub_dirty)
        return HS_OK;
    room->pub_store.kv = s->kv;
    room->pub_dirty = false;
    HS_TRY(hs_mls_public_save(room->pub, &room->pub_store.store));
    return s->kv->err;
}

enum hs_err hs_lost_load(struct hs_step *s, struct hs_live_room *room)
{
    hs_public_state_open(s->kv, &room->row.id, &room->pub_store);
    enum hs_err err = hs_mls_public_load(&room->pub_store.store, &room->pub);
    return err == HS_ERR_NOT_FOUND ? HS_ERR_STORE : err;
}

void hs_lost_forget(struct hs_step *s, struct hs_live_room *room)
{
    hs_mls_public_free(room->pub);
    room->pub = NULL;
    room->pub_dirty = false;
    hs_public_state_delete(s->kv, &room->row.id);
}

/* ---- the records ---- */

/* Does it take this device out, or bring another copy of it in? */
enum effect { GOES_ON, IS_OUT, IS_DISPLACED };

static enum effect effect_of(const struct hs_live_room *room, const struct hs_mls_change *change)
{
    struct hs_key persona;
    for (size_t i = 0; i < change->removed_count; i++)
        if (hs_room_leaf_persona(&change->removed[i].member, &persona) == HS_OK &&
            hs_key_equal(&persona, &room->row.self))
            return change->external ? IS_DISPLACED : IS_OUT;
    return GOES_ON;
}

/* What can be said against it without secrets is the hub's to find; here it shows that the hub didn't. */
static enum hs_err check(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header,
                         struct hs_bytes body, struct hs_unsettled_row *row, enum effect *effect)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_judge_facts facts;
    HS_TRY(hs_mls_public_process(room->pub, body, &event));
    HS_REQUIRE(event->kind == HS_MLS_EVENT_COMMIT, HS_ERR_UNEXPECTED);
    HS_TRY(hs_commit_check(s, room, header, body, hs_mls_staged_change(event->staged), &facts, &row->joins));
    row->committer = facts.committer.device;
    row->rejoined = facts.rejoined;
    *effect = effect_of(room, hs_mls_staged_change(event->staged));
    return HS_OK;
}

enum hs_err hs_lost_commit(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_unsettled_row row = {.epoch_min = room->row.epoch_min, .joined = true, .body = body};
    struct hs_outbox_row sent;
    enum effect effect = GOES_ON;
    HS_REQUIRE(!room->newest.unsettled, HS_ERR_UNEXPECTED);
    if (hs_outbox_row_find(s->kv, &room->row.id, &header->body_hash, s->arena, &sent) &&
        sent.kind == HS_OUTBOX_REJOIN)
        return hs_rejoin_arrived(s, room, header, &sent);
    HS_TRY(s->kv->err);
    enum hs_err err = hs_sync_blame(check(s, room, header, body, &row, &effect));
    HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    row.err = (int32_t)err;
    struct hs_mls_member committer;
    if (err != HS_OK && hs_live_find(room, &header->sender_persona, &committer))
        (void)HS_FIXED(committer.signature_key, &row.committer); /* a VOID bars it all the same */
    HS_TRY(hs_settle_begin(s, room, header, &row));
    /* Another copy of this device came back: two that take each other's place would never end. */
    return effect == IS_DISPLACED && !room->row.rejoins
               ? hs_room_freeze(s, room, header->seq, HS_ERR_STATE_LOST)
               : HS_OK;
}

enum hs_err hs_lost_proposal(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_REQUIRE(!room->newest.unsettled, HS_ERR_UNEXPECTED);
    if (hs_key_equal(&header->sender_persona, &room->row.self))
        return hs_proposal_received(s, room, header, body); /* it has left */
    HS_TRY(hs_mls_public_process(room->pub, body, &event));
    room->pub_dirty = true;
    return hs_proposal_check(s, room, header, event);
}

static enum hs_err apply(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row,
                         enum effect *effect)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_TRY(hs_mls_public_process(room->pub, row->body, &event));
    *effect = effect_of(room, hs_mls_staged_change(event->staged));
    HS_TRY(hs_mls_public_merge(room->pub, event->staged));
    room->pub_dirty = true;
    return hs_live_refresh(s, room);
}

enum hs_err hs_lost_settled(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    enum effect effect;
    HS_TRY(apply(s, room, row, &effect));
    if (room->row.frozen == HS_OK) /* the hub had no GroupInfo: this commit has brought one */
        room->rejoin_at = (struct hs_time){0};
    if (!row->rejoined)
        hs_leaving_delete(s->kv, &room->row.id);
    HS_TRY(hs_settle_admitted(s, room, row));
    return effect == IS_OUT ? hs_commit_removed(s, room) : s->kv->err;
}

/* The commit's record, as far as it is known here. */
static struct hs_record_header header_of(const struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    return (struct hs_record_header){.seq = row->seq,
                                     .kind = HS_RECORD_COMMIT,
                                     .epoch = row->epoch - 1,
                                     .hub_time = row->time,
                                     .sender_persona = room->row.self,
                                     .hash = row->commit};
}

enum hs_err hs_lost_begin(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    struct hs_mls_public *pub;
    const struct hs_record_header header = header_of(room, row);
    HS_TRY(hs_mls_group_public_copy(room->group, &pub));
    hs_mls_group_free(room->group);
    room->group = NULL;
    room->group_dirty = room->group_fresh = false;
    hs_group_state_delete(s->kv, &room->row.id);
    hs_lost_forget(s, room);
    hs_public_state_open(s->kv, &room->row.id, &room->pub_store);
    room->pub = pub;
    room->pub_dirty = room->row_dirty = true;
    room->row.keys = HS_ROOM_KEYS_LOST;
    room->posts_counted = false;
    HS_TRY(hs_commit_rows_drop(s, &room->row.id));
    HS_TRY(hs_gap_begin(s, room, row));
    HS_TRY(hs_live_refresh(s, room));
    hs_settle_over(s, room);
    return hs_lost_commit(s, room, &header, row->body);
}
