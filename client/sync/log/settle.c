/* A commit that came is followed, or refused, and waits for the record that decides: SETTLED, and it counts
 * for good; or VOID, and it never was. Members follow the record, not a count of their own. */
#include "room/judge_change.h"
#include "room/leaf.h"
#include "room/settlement.h"
#include "sync/log/rejoin.h"

static void note(struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    room->newest.unsettled = row != NULL;
    room->newest.doubted = row != NULL && row->err != HS_OK;
    room->newest.gone = row != NULL && row->gone;
    room->newest.epoch = row != NULL ? row->epoch : 0;
    room->newest.say_at = HS_NEVER;
}

void hs_live_unsettled(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_unsettled_row row;
    note(room, hs_unsettled_row_get(s->kv, &room->row.id, s->arena, &row) ? &row : NULL);
}

enum hs_err hs_settle_begin(struct hs_step *s, struct hs_live_room *room,
                            const struct hs_record_header *header, struct hs_unsettled_row *row)
{
    row->seq = header->seq;
    row->commit = header->hash;
    row->time = header->hub_time;
    row->epoch = header->epoch + 1;
    row->leaf = room->group != NULL ? hs_mls_group_own_leaf(room->group) : 0;
    hs_unsettled_row_put(s->kv, &room->row.id, row);
    note(room, row);
    HS_TRY(s->kv->err);
    return hs_say_plan(s, room, row);
}

void hs_settle_over(struct hs_step *s, struct hs_live_room *room)
{
    hs_unsettled_row_delete(s->kv, &room->row.id);
    hs_held_delete(s->kv, &room->row.id);
    note(room, NULL);
}

/* ---- who may speak ---- */

/* A member of the epoch before that the commit leaves in. Where this device couldn't follow, or has the
 * public side alone, its group is that epoch, and whom the commit removes isn't known. */
static bool member_at(void *index, uint32_t leaf, struct hs_settler *out)
{
    struct hs_live_room *room = index;
    const struct hs_mls_public *now = hs_live_public(room);
    const bool before = room->group == NULL || room->newest.doubted;
    struct hs_mls_member member, still;
    enum hs_err err = before ? hs_mls_public_member(now, leaf, &member)
                             : hs_mls_group_member_before(room->group, leaf, &member);
    if (hs_sync_is_own_trouble(err))
        room->trouble = err;
    if (err != HS_OK || !HS_FIXED(member.signature_key, &out->device) ||
        hs_room_leaf_persona(&member, &out->persona) != HS_OK)
        return false;
    return before || (hs_mls_public_member(now, leaf, &still) == HS_OK &&
                      hs_bytes_equal(still.signature_key, HS_VIEW(out->device)));
}

enum hs_err hs_settlement_of(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row,
                             struct hs_settlement *out)
{
    struct hs_bytes bytes;
    struct hs_policy *policy = hs_arena_alloc(s->arena, sizeof *policy);
    HS_REQUIRE(policy != NULL, HS_ERR_NOMEM);
    *policy = room->policy;
    if (room->group != NULL && hs_mls_group_extension_before(room->group, HS_POLICY_EXTENSION, &bytes))
        HS_TRY(hs_policy_parse(bytes, s->arena, policy));
    *out = (struct hs_settlement){.room = room->row.id,
                                  .seq = row->seq,
                                  .commit = row->commit,
                                  .time = row->time,
                                  .committer = row->committer,
                                  .policy = policy,
                                  .member = row->joined && room->group != NULL ? NULL : member_at,
                                  .index = room};
    return HS_OK;
}

bool hs_settle_barred(struct hs_step *s, const struct hs_live_room *room, const struct hs_key *device,
                      struct hs_time at)
{
    struct hs_bars bars;
    hs_bars_row_get(s->kv, &room->row.id, &bars);
    return hs_bars_has(&bars, device, at);
}

struct hs_time hs_settle_barred_until(struct hs_step *s, const struct hs_live_room *room,
                                      const struct hs_key *device)
{
    struct hs_bars bars;
    struct hs_time until = {0};
    hs_bars_row_get(s->kv, &room->row.id, &bars);
    for (size_t i = 0; i < bars.count; i++)
        if (hs_key_equal(&bars.list[i].device, device) && bars.list[i].until.ms > until.ms)
            until = bars.list[i].until;
    return until;
}

void hs_settle_bar(struct hs_step *s, const struct hs_live_room *room, const struct hs_key *device,
                   struct hs_time at)
{
    struct hs_bars bars;
    hs_bars_row_get(s->kv, &room->row.id, &bars);
    hs_bars_add(&bars, device, at);
    hs_bars_row_put(s->kv, &room->row.id, &bars);
}

/* Who is barred may not commit; but an owner may remove, whoever has barred it (ROOM-66). */
enum hs_err hs_settle_bar_check(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_judge_facts *facts, struct hs_time at)
{
    bool only_removes = facts->removed_count > 0 && facts->added_count == 0 && !facts->policy_changed;
    bool governs = hs_policy_allows(&room->policy, &facts->committer.persona, at, HS_RIGHT_GOVERN);
    bool barred = hs_settle_barred(s, room, &facts->committer.device, at);
    return barred && !(governs && only_removes) ? HS_ERR_DENIED : HS_OK;
}

/* ---- the records ---- */

static enum hs_err show(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    if (row->line.kind == 0)
        return HS_OK;
    hs_message_put(s->kv, &room->row.id, &row->line);
    struct hanse_event event = {.kind = HANSE_EVENT_MESSAGE, .seq = row->seq};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

enum hs_err hs_settle_admitted(struct hs_step *s, struct hs_live_room *room,
                               const struct hs_unsettled_row *row)
{
    const size_t len = sizeof(struct hs_id);
    struct hs_id *joins = hs_arena_alloc(s->arena, row->joins.len + 1);
    HS_REQUIRE(joins != NULL, HS_ERR_NOMEM);
    if (row->joins.len > 0)
        memcpy(joins, row->joins.data, row->joins.len / len * len);
    return hs_joins_admitted(s, room, joins, row->joins.len / len);
}

enum hs_err hs_settled_received(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_unsettled_row row;
    struct hs_settlement of;
    HS_REQUIRE(hs_unsettled_row_get(s->kv, &room->row.id, s->arena, &row), HS_ERR_UNEXPECTED);
    if (row.body.len > 0 && room->group != NULL) {
        HS_TRY(hs_lost_begin(s, room, &row));
        return hs_settled_received(s, room, header, body);
    }
    HS_TRY(hs_settlement_of(s, room, &row, &of));
    HS_TRY(hs_settled_check(body, &of, header->hub_time));
    HS_REQUIRE(row.err == HS_OK, (enum hs_err)row.err); /* what the others could accept, this device can't */
    hs_settle_over(s, room);
    if (hs_room_is_lost(room))
        return hs_lost_settled(s, room, &row);
    if (row.joined)
        return room->row.keys == HS_ROOM_KEYS_NEW ? hs_rejoin_settled(s, room) : s->kv->err;
    HS_TRY(hs_mls_group_settle(room->group));
    room->group_dirty = true;
    HS_TRY(show(s, room, &row));
    if (row.gone)
        return hs_commit_removed(s, room);
    if (row.strict)
        hs_mls_group_drop_past(room->group); /* what won't be believed needn't be readable */
    HS_TRY(hs_settle_admitted(s, room, &row));
    return hs_commit_settled(s, room, &row);
}

enum hs_err hs_void_received(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_unsettled_row row;
    struct hs_settlement of;
    HS_REQUIRE(hs_unsettled_row_get(s->kv, &room->row.id, s->arena, &row), HS_ERR_UNEXPECTED);
    bool back = room->row.keys == HS_ROOM_KEYS_NEW, lost = hs_room_is_lost(room);
    HS_REQUIRE(!row.joined || back || lost, HS_ERR_UNEXPECTED);
    HS_TRY(hs_settlement_of(s, room, &row, &of));
    HS_TRY(hs_void_check(body, &of, header->hub_time));
    if (row.err == HS_OK && !back && !lost) {
        HS_TRY(hs_mls_group_revert(room->group));
        room->row.epoch_min = row.epoch_min;
        hs_window_row_put(s->kv, &room->row.id, &row.window);
        HS_TRY(hs_live_refresh(s, room));
    }
    hs_settle_bar(s, room, &row.committer, header->hub_time);
    if (lost) {
        hs_settle_over(s, room);
        return s->kv->err;
    }
    HS_TRY(hs_posts_voided(s, room, row.epoch)); /* needs what was held */
    hs_settle_over(s, room);
    if (back)
        return hs_rejoin_voided(s, room);
    HS_TRY(hs_commit_voided(s, room, &row));
    return hs_post_renew(s, room);
}
