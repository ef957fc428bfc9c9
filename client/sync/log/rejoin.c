/* Back into a room whose keys are lost: what it takes is asked for, checked against the log, and made into an
 * external commit that is kept, with the new group, before it is sent. */
#include "sync/log/rejoin.h"
#include "mls/external.h"
#include "room/suite.h"
#include "sync/log/gap.h"
#include "sync/move/move.h"
#include "sync/rooms/late.h"
#include "wire/limits.h"

enum {
    LEAF_DAYS = 365,
    LEAF_SKEW_S = 3600,
    DAY_S = 86400,
    NOTHING_AGAIN_MS = 30000, /* the hub has no GroupInfo before somebody commits: that may take long */
    REFUSED_AGAIN_MS = 300000 /* whoever refused may think better of it: a block is lifted, a bar is over */
};

static struct hs_op *op_of(struct hs_sync *sync, const struct hs_id *room)
{
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        if (op->kind == HS_OP_REJOIN && hs_id_equal(&op->room, room))
            return op;
    return NULL;
}

/* ---- making it ---- */

static enum hs_err join(struct hs_step *s, struct hs_live_room *room, struct hs_bytes info,
                        struct hs_writer *commit, struct hs_mls_group **out)
{
    static const uint16_t types[] = {HS_POLICY_EXTENSION};
    struct hs_self HS_SELF self = {0};
    struct hs_writer HS_WRITER tree = hs_writer(HS_TREE_MAX);
    const struct hs_mls_commit_result result = {.commit = commit};
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_room_signer(&self.device.signature);
    struct hs_mls_external_join external = {
        .group_info = info,
        .leaf = {.signer = &signer,
                 .not_before = (uint64_t)(s->now.ms / 1000 - LEAF_SKEW_S),
                 .not_after = (uint64_t)(s->now.ms / 1000 + (int64_t)LEAF_DAYS * DAY_S),
                 .extension_types = types,
                 .extension_type_count = 1},
        .resync = true,
        .settings = hs_live_settings()};
    HS_TRY(hs_mls_public_tree(room->pub, &tree));
    external.tree = hs_writer_bytes(&tree);
    HS_TRY(hs_self_credential(s, &self, &external.leaf.identity));
    HS_TRY(hs_live_context(s, room, NULL, 0, &external.authenticated_data));
    return hs_mls_group_join_external(&external, &result, out);
}

/* The new group lies in the store where the old one was, and isn't in office before its record comes. */
static enum hs_err keep_group(struct hs_step *s, const struct hs_live_room *room, struct hs_mls_group *group)
{
    struct hs_group_store store;
    hs_group_state_delete(s->kv, &room->row.id);
    hs_group_state_open(s->kv, &room->row.id, &store);
    HS_TRY(hs_mls_group_save(group, &store.store));
    return s->kv->err;
}

static enum hs_err keep(struct hs_step *s, struct hs_live_room *room, struct hs_bytes commit,
                        struct hs_mls_group *group)
{
    Hanse__SubmitCommit submit = HANSE__SUBMIT_COMMIT__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_writer HS_WRITER info = hs_writer(HS_FRAME_MAX);
    struct hs_outbox_row row = {.kind = HS_OUTBOX_REJOIN,
                                .room = room->row.id,
                                .epoch = hs_mls_public_epoch(room->pub),
                                .body_hash = hs_record_body_hash(commit)};
    HS_TRY(hs_mls_group_info(group, false, &info));
    HS_TRY(keep_group(s, room, group));
    submit.room = hs_pb_data(HS_VIEW(room->row.id));
    submit.persona = hs_pb_data(HS_VIEW(room->row.self));
    submit.commit = hs_pb_data(commit);
    submit.group_info = hs_pb_data(hs_writer_bytes(&info));
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_COMMIT;
    frame.submit_commit = &submit;
    HS_TRY(hs_frame_pack(s, &frame, &row.frame));
    return hs_outbox_row_add(s, &row);
}

static enum hs_err submit(struct hs_step *s, struct hs_live_room *room, struct hs_bytes info)
{
    struct hs_writer HS_WRITER commit = hs_writer(HS_FRAME_MAX);
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    HS_TRY(join(s, room, info, &commit, &group));
    return keep(s, room, hs_writer_bytes(&commit), group);
}

/* ---- asking for what it takes ---- */

/* Nothing comes from outside that would start it then. */
static void rejoin_at(struct hs_step *s, struct hs_time at)
{
    if (at.ms < s->sync->rejoin_due.ms)
        s->sync->rejoin_due = at;
}

/* Not now: the person sees why, and it is tried again later. A refusal is the hub's word, and proves nothing.
 */
static enum hs_err put_off(struct hs_step *s, struct hs_live_room *room, enum hs_err why)
{
    room->row.frozen = (int32_t)why;
    room->row_dirty = true;
    room->rejoin_at = (struct hs_time){s->now.ms + REFUSED_AGAIN_MS};
    rejoin_at(s, room->rejoin_at);
    return hs_op_done(s, op_of(s->sync, &room->row.id), why, &room->row.id, 0, NULL);
}

/* The hub shows another group than the log led to: there is no way back, and the person sees why. */
static enum hs_err give_up(struct hs_step *s, struct hs_live_room *room, enum hs_err why)
{
    HS_TRY(hs_room_freeze(s, room, room->row.tip.next_seq, why));
    return hs_op_done(s, op_of(s->sync, &room->row.id), why, &room->row.id, 0, NULL);
}

/* All that it says must be what the log led to. */
static enum hs_err info_received(struct hs_step *s, struct hs_live_room *room, const Hanse__GroupInfo *info)
{
    uint64_t here = hs_mls_public_epoch(room->pub);
    if (room->newest.unsettled || info->epoch > here)
        return HS_OK; /* a record on its way says how it goes on */
    HS_REQUIRE(info->epoch == here, HS_ERR_UNEXPECTED);
    enum hs_err err = hs_mls_public_matches(room->pub, hs_pb_bytes(info->group_info));
    HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    if (err == HS_ERR_MLS_COMMIT)
        return give_up(s, room, err);
    if (err == HS_OK)
        err = submit(s, room, hs_pb_bytes(info->group_info));
    HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    return err == HS_OK ? HS_OK : put_off(s, room, hs_sync_blame(err));
}

static enum hs_err info_answered(struct hs_step *s, const struct hs_request *request,
                                 const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, &request->id_a, &room));
    if (!hs_room_is_lost(room) || room->row.state != HS_ROOM_STATE_MEMBER)
        return HS_OK;
    if (err == HS_ERR_RECOVERING) {
        room->rejoin_at = (struct hs_time){s->now.ms + NOTHING_AGAIN_MS};
        rejoin_at(s, room->rejoin_at);
        return HS_OK;
    }
    if (hs_err_is_transient(err)) {
        hs_home_try_again(s);
        return HS_OK;
    }
    if (err != HS_OK)
        return err == HS_ERR_WRONG_EPOCH ? HS_OK : put_off(s, room, err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_GROUP_INFO, HS_ERR_UNEXPECTED);
    return info_received(s, room, frame->group_info);
}

static bool is_under_way(struct hs_step *s, const struct hs_live_room *room)
{
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row row;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        const struct hs_request *r = &s->sync->requests[i];
        if (r->id != 0 && r->answer == info_answered && hs_id_equal(&r->id_a, &room->row.id))
            return true;
    }
    while (hs_outbox_row_next(s->kv, &cursor, s->arena, &row))
        if (row.kind == HS_OUTBOX_REJOIN && hs_id_equal(&row.room, &room->row.id))
            return true;
    return false;
}

static enum hs_err ask(struct hs_step *s, struct hs_live_room *room)
{
    Hanse__GetGroupInfo get = HANSE__GET_GROUP_INFO__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = info_answered, .id_a = room->row.id};
    get.room = hs_pb_data(HS_VIEW(room->row.id));
    get.persona = hs_pb_data(HS_VIEW(room->row.self));
    frame.body_case = HANSE__FRAME__BODY_GET_GROUP_INFO;
    frame.get_group_info = &get;
    return hs_request_send_to(s, hs_row_hub(&room->row), room->row.descriptor, &frame, &request);
}

enum hs_err hs_rejoin_next(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_self HS_SELF self = {0};
    if (!hs_home_is_online(s->sync) || !hs_room_is_lost(room) || room->row.state != HS_ROOM_STATE_MEMBER ||
        !(room->caught_up || s->sync->caught_up) || room->newest.unsettled || is_under_way(s, room))
        return s->kv->err;
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    struct hs_time then = hs_settle_barred_until(s, room, &self.device.signature.pub);
    if (then.ms < room->rejoin_at.ms)
        then = room->rejoin_at;
    if (s->now.ms < then.ms) {
        rejoin_at(s, then); /* the hub would refuse it */
        return HS_OK;
    }
    if (hs_requests_are_scarce(s->sync)) {
        hs_home_try_again(s);
        return HS_OK;
    }
    return ask(s, room);
}

enum hs_err hs_rejoins_resume(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_live_room *room;
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) {
        if (row.state != HS_ROOM_STATE_MEMBER || row.keys != HS_ROOM_KEYS_LOST)
            continue;
        HS_TRY(hs_live_get(s, &row.id, &room));
        HS_TRY(hs_rejoin_next(s, room));
    }
    return s->kv->err;
}

enum hs_err hs_rejoins_tick(struct hs_step *s)
{
    if (!hs_home_is_online(s->sync) || s->now.ms < s->sync->rejoin_due.ms)
        return HS_OK;
    s->sync->rejoin_due = HS_NEVER;
    HS_TRY(hs_lates_look(s));
    HS_TRY(hs_moves_resume(s));
    return hs_rejoins_resume(s);
}

struct hs_time hs_rejoins_deadline(const struct hs_sync *sync)
{
    return hs_home_is_online(sync) ? sync->rejoin_due : HS_NEVER;
}

/* ---- what becomes of it ---- */

/* Another commit won: it is made anew behind that one. */
enum hs_err hs_rejoin_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err)
{
    struct hs_live_room *room;
    hs_outbox_row_delete(s->kv, row->number);
    HS_TRY(hs_live_get(s, &row->room, &room));
    if (!hs_room_is_lost(room))
        return s->kv->err;
    hs_group_state_delete(s->kv, &row->room);
    if (err == HS_ERR_WRONG_EPOCH)
        return row->epoch < hs_mls_public_epoch(room->pub) ? hs_rejoin_next(s, room) : s->kv->err;
    return put_off(s, room, err);
}

static enum hs_err group_take(struct hs_step *s, struct hs_live_room *room, struct hs_key *device)
{
    struct hs_self HS_SELF self = {0};
    hs_group_state_open(s->kv, &room->row.id, &room->store);
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    *device = self.device.signature.pub;
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_room_signer(&self.device.signature);
    enum hs_err err = hs_mls_group_load(&room->store.store, &signer, 1, &room->group);
    return err == HS_ERR_NOT_FOUND ? HS_ERR_STORE : err;
}

enum hs_err hs_rejoin_arrived(struct hs_step *s, struct hs_live_room *room,
                              const struct hs_record_header *header, const struct hs_outbox_row *row)
{
    struct hs_unsettled_row unsettled = {.joined = true, .epoch_min = room->row.epoch_min};
    const struct hs_window window = {0};
    HS_REQUIRE(hs_key_equal(&header->sender_persona, &room->row.self), HS_ERR_WRONG_SENDER);
    HS_REQUIRE(header->epoch == row->epoch, HS_ERR_MLS_EPOCH);
    HS_TRY(hs_lost_save(s, room));
    HS_TRY(group_take(s, room, &unsettled.committer)); /* whom a VOID bars */
    hs_mls_public_free(room->pub);                     /* it stays in the store until this is settled */
    room->pub = NULL;
    room->row.keys = HS_ROOM_KEYS_NEW;
    room->row.rejoins = false;
    room->row.frozen = HS_OK;
    HS_TRY(hs_live_refresh(s, room));
    room->row.epoch_min = room->row.readable_from = room->row.epoch;
    hs_window_row_put(s->kv, &room->row.id, &window);
    hs_outbox_row_delete(s->kv, row->number);
    HS_TRY(hs_gap_end(s, room, header->seq));
    HS_TRY(hs_settle_begin(s, room, header, &unsettled));
    return hs_post_renew(s, room);
}

enum hs_err hs_rejoin_settled(struct hs_step *s, struct hs_live_room *room)
{
    room->row.keys = HS_ROOM_KEYS_GOOD;
    room->row_dirty = true;
    hs_lost_forget(s, room);
    HS_TRY(hs_leave_renew(s, room));
    return hs_op_done(s, op_of(s->sync, &room->row.id), HS_OK, &room->row.id, 0, NULL);
}

enum hs_err hs_rejoin_voided(struct hs_step *s, struct hs_live_room *room)
{
    hs_mls_group_free(room->group);
    room->group = NULL;
    room->group_dirty = false;
    hs_group_state_delete(s->kv, &room->row.id);
    room->row.keys = HS_ROOM_KEYS_LOST;
    room->row_dirty = true;
    room->posts_counted = false;
    HS_TRY(hs_lost_load(s, room));
    return hs_live_refresh(s, room);
}

/* ---- what the user wants ---- */

static enum hs_err resume(struct hs_step *s, struct hs_op *op)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, &op->room, &room));
    return hs_rejoin_next(s, room);
}

enum hs_err hs_want_rejoin(struct hs_step *s, const struct hs_id *id, uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    enum hs_err err = hs_live_get(s, id, &room);
    HS_REQUIRE(err != HS_ERR_NOT_FOUND, HS_ERR_ROOM_UNKNOWN);
    HS_TRY(err);
    bool frozen = room->row.state == HS_ROOM_STATE_FROZEN;
    HS_REQUIRE(!frozen || room->row.frozen == (int32_t)HS_ERR_STATE_LOST, (enum hs_err)room->row.frozen);
    HS_REQUIRE(hs_room_is_lost(room), HS_ERR_INVALID_STATE);
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_REJOIN;
    op->room = *id;
    op->resume = resume;
    room->row.state = HS_ROOM_STATE_MEMBER;
    room->row.frozen = HS_OK;
    room->rejoin_at = (struct hs_time){0}; /* whoever asks for it needn't wait */
    room->row.rejoins = true;
    room->row_dirty = true;
    return frozen ? hs_home_attach_room(s, room) : hs_rejoin_next(s, room);
}
