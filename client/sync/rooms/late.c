#include "sync/rooms/late.h"

#include "mls/public.h"
#include "room/blob.h"
#include "room/leaf.h"
#include "room/suite.h"
#include "sync/log/rejoin.h"
#include "sync/move/move.h"
#include "wire/limits.h"

#include <stdlib.h>

/* One room at a time: GroupInfo and tree of one epoch, as they come. */
struct hs_late {
    struct hs_id ref; /* of the join row */
    bool has_info;    /* what comes now is the tree */
    uint64_t epoch, tree_size;
    struct hs_log_tip tip;
    struct hs_writer info, tree;
};

void hs_late_drop(struct hs_sync *sync)
{
    struct hs_late *late = sync->late;
    sync->late = NULL;
    if (late == NULL)
        return;
    hs_writer_free(&late->info);
    hs_writer_free(&late->tree);
    free(late);
}

static void look_at(struct hs_step *s, int64_t ms)
{
    if (ms < s->sync->rejoin_due.ms)
        s->sync->rejoin_due.ms = ms;
}

enum hs_err hs_late_told(struct hs_step *s, struct hs_join_row *row, bool joined)
{
    if (joined && row->joined_at.ms == 0)
        row->joined_at = s->now;
    if (!joined)
        row->joined_at = (struct hs_time){0};
    if (joined)
        look_at(s, row->joined_at.ms + HS_LATE_MS);
    hs_join_row_put(s->kv, row);
    return s->kv->err;
}

/* ---- the room's public side ---- */

/* Every leaf must be somebody's whom a persona certifies, as with a Welcome; and one of them this device's,
 * which is what it comes back by. */
static enum hs_err check_leaves(struct hs_step *s, const struct hs_live_room *room)
{
    struct hs_self HS_SELF self = {0};
    struct hs_mls_member member;
    struct hs_room_member facts;
    bool own = false;
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    for (uint32_t leaf = 0; hs_mls_public_member_next(room->pub, &leaf, &member);) {
        enum hs_err err = hs_room_leaf_check(&member, &room->row.hub_root, s->now, &facts);
        HS_REQUIRE(err == HS_OK || err == HS_ERR_EXPIRED, err);
        own = own || hs_bytes_equal(member.signature_key, HS_VIEW(self.device.signature.pub));
    }
    HS_TRY(hs_mls_public_error(room->pub));
    return own ? HS_OK : HS_ERR_NOT_MEMBER;
}

static enum hs_err check_room(struct hs_step *s, struct hs_live_room *room, uint64_t epoch)
{
    struct hs_hub_office office = hs_policy_office(&room->policy);
    HS_TRY(hs_room_suite_check(hs_mls_public_suite(room->pub)));
    HS_REQUIRE(hs_bytes_equal(hs_mls_public_id(room->pub), HS_VIEW(room->row.id)), HS_ERR_MLS_GROUP);
    HS_REQUIRE(hs_key_equal(&room->policy.hub_root, &room->row.hub_root) &&
                   hs_key_equal(&office.root, hs_row_hub(&room->row)),
               HS_ERR_POLICY);
    HS_REQUIRE(hs_mls_public_epoch(room->pub) == epoch, HS_ERR_MLS_EPOCH);
    HS_REQUIRE(hs_live_has_persona(room, &room->row.self), HS_ERR_NOT_MEMBER);
    room->row.hub_term = office.term;
    return check_leaves(s, room);
}

/* The room as one whose keys are lost, at the end of its log. */
static enum hs_err make(struct hs_step *s, const struct hs_join_row *row, const struct hs_late *late,
                        struct hs_live_room **out)
{
    static const struct hs_key none;
    struct hs_mls_public *pub;
    struct hs_room_row made;
    HS_REQUIRE(hs_room_get(s->kv, &row->room, s->arena, &made) && made.state == HS_ROOM_STATE_WAITING,
               HS_ERR_CONFLICT);
    struct hs_bytes info = hs_writer_bytes(&late->info), tree = hs_writer_bytes(&late->tree);
    HS_TRY(hs_mls_public_new(info, hs_mls_group_info_has_tree(info) ? (struct hs_bytes){0} : tree, &pub));
    hs_live_forget(s->sync, &row->room);
    made.state = HS_ROOM_STATE_MEMBER;
    made.again = false;
    made.keys = HS_ROOM_KEYS_LOST;
    made.descriptor = row->descriptor;
    made.office_root = hs_key_equal(hs_join_hub(row), &row->hub_root) ? none : row->office_root;
    made.tip = late->tip;
    made.has_anchor = true;
    made.anchor = late->tip.next_seq - 1;
    enum hs_err err = hs_live_add(s, &made, NULL, out);
    if (err != HS_OK) {
        hs_mls_public_free(pub);
        return err;
    }
    hs_public_state_delete(s->kv, &row->room);
    hs_public_state_open(s->kv, &row->room, &(*out)->pub_store);
    (*out)->pub = pub;
    (*out)->pub_dirty = true;
    HS_TRY(hs_live_refresh(s, *out));
    return check_room(s, *out, late->epoch);
}

/* It is tried anew then; others come first. */
static enum hs_err put_off(struct hs_step *s, struct hs_join_row *row, enum hs_err err, int64_t ms)
{
    hs_late_drop(s->sync);
    HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    row->fetch_at = (struct hs_time){s->now.ms + ms};
    hs_join_row_put(s->kv, row);
    look_at(s, s->now.ms);
    return s->kv->err;
}

/* All is here. What doesn't fit is the hub's word against the log's: it is asked again later. */
static enum hs_err enter(struct hs_step *s, struct hs_join_row *row, const struct hs_late *late)
{
    struct hs_live_room *room;
    enum hs_err err = make(s, row, late, &room);
    if (err != HS_OK) {
        hs_live_forget(s->sync, &row->room); /* nothing of it may be saved */
        return put_off(s, row, err, HS_LATE_MS);
    }
    hs_late_drop(s->sync);
    hs_join_row_delete(s->kv, &row->ref);
    look_at(s, s->now.ms); /* for the next one */
    HS_TRY(hs_joined_tell(s, room));
    HS_TRY(hs_root_is_home(s->sync, hs_join_hub(row)) ? hs_home_attach_room(s, room)
                                                      : hs_home_forgot(s, room));
    return hs_rejoin_next(s, room);
}

/* ---- asking for it ---- */

static enum hs_err ask(struct hs_step *s, const struct hs_join_row *row, uint64_t epoch, uint64_t offset);

/* The next piece, whole: only the last one may be shorter, so that a hub can't have it asked for byte by
 * byte.
 */
static bool is_next_piece(const struct hs_late *late, const Hanse__GroupInfo *part)
{
    uint64_t left = part->tree_size - part->offset;
    return part->epoch == late->epoch && part->offset == late->tree.len && part->tree_size <= HS_TREE_MAX &&
           part->offset < part->tree_size && (late->tree_size == 0 || part->tree_size == late->tree_size) &&
           part->tree.len == (left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK);
}

static enum hs_err tree_received(struct hs_step *s, struct hs_join_row *row, struct hs_late *late,
                                 const Hanse__GroupInfo *part)
{
    if (!is_next_piece(late, part))
        return put_off(s, row, HS_OK, HS_LATE_MS);
    late->tree_size = part->tree_size;
    hs_write_bytes(&late->tree, hs_pb_bytes(part->tree));
    HS_TRY(late->tree.err);
    return late->tree.len < late->tree_size ? ask(s, row, late->epoch, late->tree.len) : enter(s, row, late);
}

static enum hs_err info_received(struct hs_step *s, struct hs_join_row *row, struct hs_late *late,
                                 const Hanse__GroupInfo *info)
{
    if (info->leaving) /* a proposal that isn't known here is in the next commit */
        return put_off(s, row, HS_OK, HS_LATE_LEAVERS);
    late->tip = (struct hs_log_tip){.next_seq = info->next_seq, .hub_time = {info->hub_time_ms}};
    late->epoch = info->epoch;
    if (info->epoch == 0 || info->next_seq == 0 || info->group_info.len == 0 ||
        !HS_FIXED(hs_pb_bytes(info->hash), &late->tip.hash))
        return put_off(s, row, HS_OK, HS_LATE_MS);
    late->has_info = true;
    hs_write_bytes(&late->info, hs_pb_bytes(info->group_info));
    HS_TRY(late->info.err);
    return ask(s, row, late->epoch, 0);
}

static enum hs_err answered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    struct hs_late *late = s->sync->late;
    struct hs_join_row row;
    if (late == NULL || !hs_id_equal(&late->ref, &request->id_a))
        return HS_OK;
    if (!hs_join_row_get(s->kv, &request->id_a, s->arena, &row)) {
        hs_late_drop(s->sync); /* the Welcome was faster */
        look_at(s, s->now.ms);
        return s->kv->err;
    }
    if (err == HS_OK && frame->body_case != HANSE__FRAME__BODY_GROUP_INFO)
        err = HS_ERR_UNEXPECTED;
    if (err != HS_OK)
        return put_off(s, &row, err, HS_LATE_MS);
    return late->has_info ? tree_received(s, &row, late, frame->group_info)
                          : info_received(s, &row, late, frame->group_info);
}

static enum hs_err ask(struct hs_step *s, const struct hs_join_row *row, uint64_t epoch, uint64_t offset)
{
    Hanse__GetGroupInfo get = HANSE__GET_GROUP_INFO__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = answered, .id_a = row->ref};
    get.room = hs_pb_data(HS_VIEW(row->room));
    get.persona = hs_pb_data(HS_VIEW(row->persona));
    get.epoch = epoch;
    get.offset = offset;
    frame.body_case = HANSE__FRAME__BODY_GET_GROUP_INFO;
    frame.get_group_info = &get;
    return hs_request_send_to(s, hs_join_hub(row), row->descriptor, &frame, &request);
}

/* Whatever becomes of it, others have their turn before it is tried anew. */
static enum hs_err begin(struct hs_step *s, struct hs_join_row *row)
{
    struct hs_late *late = calloc(1, sizeof *late);
    HS_REQUIRE(late != NULL, HS_ERR_NOMEM);
    late->ref = row->ref;
    late->info = hs_writer(HS_FRAME_MAX);
    late->tree = hs_writer(HS_TREE_MAX);
    s->sync->late = late;
    row->fetch_at = (struct hs_time){s->now.ms + HS_LATE_MS};
    hs_join_row_put(s->kv, row);
    return ask(s, row, 0, 0);
}

static bool is_under_way(const struct hs_sync *sync)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id != 0 && sync->requests[i].answer == answered)
            return true;
    return false;
}

static int64_t due_of(const struct hs_join_row *row)
{
    int64_t first = row->joined_at.ms + HS_LATE_MS;
    return row->fetch_at.ms > first ? row->fetch_at.ms : first;
}

/* The one whose time came first. */
static bool find_first(struct hs_step *s, struct hs_join_row *out)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    bool any = false;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row)) {
        if (!row.asked || row.counter || row.dropped || row.joined_at.ms == 0 ||
            (any && due_of(&row) >= due_of(out)))
            continue;
        *out = row;
        any = true;
    }
    return any;
}

enum hs_err hs_lates_look(struct hs_step *s)
{
    struct hs_join_row row;
    if (!find_first(s, &row))
        return s->kv->err;
    if (s->now.ms < due_of(&row)) {
        look_at(s, due_of(&row));
        return s->kv->err;
    }
    look_at(s, s->now.ms + HS_LATE_MS);
    if (is_under_way(s->sync) || !s->sync->caught_up || hs_requests_are_scarce(s->sync))
        return s->kv->err;
    hs_late_drop(s->sync);
    return begin(s, &row);
}
