#include "sync/rooms/join.h"

#include "room/hub_move.h"
#include "room/invite.h"
#include "room/join.h"

/* ---- when it is asked ---- */

static void ask_at(struct hs_step *s, int64_t ms)
{
    if (ms < s->sync->joins_due.ms)
        s->sync->joins_due.ms = ms;
}

/* A clock that was put back makes nobody wait. */
static int64_t due_of(const struct hs_step *s, const struct hs_join_row *row)
{
    return row->asked_at.ms <= s->now.ms ? row->asked_at.ms + (row->soon ? HS_JOIN_SOON_MS : HS_JOIN_LOOK_MS)
                                         : s->now.ms;
}

/* It is asked from now on, and its time is counted from now. */
static enum hs_err waits(struct hs_step *s, struct hs_join_row *row, bool soon)
{
    row->asked = true;
    row->soon = soon;
    row->asked_at = s->now;
    hs_join_row_put(s->kv, row);
    ask_at(s, due_of(s, row));
    return s->kv->err;
}

/* ---- dropped ---- */

enum hs_err hs_join_shown_no_more(struct hs_step *s, const struct hs_id *id)
{
    struct hs_room_row row;
    bool again = hs_room_get(s->kv, id, s->arena, &row) && row.again;
    HS_TRY(s->kv->err);
    hs_live_forget(s->sync, id);
    hs_room_delete(s->kv, id);
    if (!again)
        return s->kv->err;
    row.state = HS_ROOM_STATE_LEFT;
    row.again = false;
    hs_room_put(s->kv, &row);
    return s->kv->err;
}

enum hs_err hs_join_drop(struct hs_step *s, struct hs_join_row *row)
{
    row->dropped = true;
    row->asked_at = s->now; /* the hub has had it by now, or never */
    hs_join_row_put(s->kv, row);
    return s->kv->err;
}

enum hs_err hs_join_dropped_answered(struct hs_step *s, struct hs_join_row *row, enum hs_err err)
{
    row->asked = row->asked || err == HS_OK;
    if (row->asked || hs_err_is_transient(err))
        hs_join_row_put(s->kv, row);
    else
        hs_join_row_delete(s->kv, &row->ref); /* the hub hasn't got it */
    return s->kv->err;
}

enum hs_err hs_join_dropped_look(struct hs_step *s, struct hs_join_row *row)
{
    if (hs_join_is_over(row->asked_at, s->now))
        hs_join_row_delete(s->kv, &row->ref);
    if (row->asked_at.ms <= s->now.ms)
        return s->kv->err;
    row->asked_at = s->now; /* the clock was ahead: how much of its time has gone isn't known */
    hs_join_row_put(s->kv, row);
    return s->kv->err;
}

enum hs_err hs_joins_dropped_end(struct hs_step *s, bool all)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row)) {
        if (row.dropped && all)
            hs_join_row_delete(s->kv, &row.ref);
        else if (row.dropped)
            HS_TRY(hs_join_dropped_look(s, &row));
    }
    return s->kv->err;
}

enum hs_err hs_joins_dropped_elsewhere(struct hs_step *s, const struct hs_key *home)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row))
        if (row.dropped && !hs_key_equal(&row.hub_root, home))
            hs_join_row_delete(s->kv, &row.ref);
    return s->kv->err;
}

enum hs_err hs_joins_wait(struct hs_step *s, bool *waits)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    *waits = false;
    while (!*waits && hs_join_row_next(s->kv, &cursor, s->arena, &row))
        *waits = !row.dropped;
    return s->kv->err;
}

/* ---- where the room is ---- */

enum hs_err hs_join_place(struct hs_step *s, const struct hs_invite_link *link, const struct hs_id *room,
                          const Hanse__InviteInfo *info, struct hs_key *brand, struct hs_hub_office *office,
                          char *domain)
{
    struct hs_descriptor d, first;
    *brand = link->root;
    *office = (struct hs_hub_office){link->root, HS_POLICY_HUB_TERM_FIRST};
    if (info->n_moves > 0) {
        bool named = false;
        HS_TRY(hs_hub_moved_verify(info->moves, info->n_moves, room, s->arena, brand, office, NULL));
        for (size_t i = 0; i < info->n_moves && !named; i++) {
            enum hs_err err = hs_descriptor_open(info->moves[i]->descriptor, &link->root, &first);
            HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
            named = err == HS_OK;
        }
        HS_REQUIRE(named || hs_key_equal(&office->root, &link->root), HS_ERR_WRONG_SIGNER);
        HS_TRY(hs_descriptor_open(info->moves[0]->descriptor, brand, &first));
    }
    HS_TRY(hs_descriptor_verify(info->descriptor, &office->root, s->now, &d));
    memcpy(domain, info->n_moves > 0 ? first.domain : d.domain, sizeof d.domain);
    return HS_OK;
}

enum hs_err hs_join_moves(struct hs_step *s, struct hs_join_row *row, const struct hs_hub_office *office,
                          const Hanse__InviteInfo *info)
{
    struct hs_bytes descriptor;
    HS_TRY(hs_object_pack(info->descriptor, s->arena, &descriptor));
    row->office_root = office->root;
    row->hub_term = office->term;
    row->descriptor = descriptor;
    hs_join_row_put(s->kv, row);
    return s->kv->err;
}

/* What the hub says of the invite by which this row asked: is the room still there? Only a later term leads
 * on: two hubs would send it to and fro. */
static enum hs_err look_at(struct hs_step *s, struct hs_join_row *row, const Hanse__InviteInfo *info,
                           bool *moved)
{
    struct hs_invite_link at = {.root = *hs_join_hub(row)};
    struct hs_id room;
    struct hs_join join;
    struct hs_invite invite;
    struct hs_hub_office office;
    struct hs_key brand;
    char domain[HS_DOMAIN_MAX + 1];
    HS_REQUIRE(info->descriptor != NULL && HS_FIXED(hs_pb_bytes(info->room), &room) &&
                   hs_id_equal(&room, &row->room),
               HS_ERR_MALFORMED);
    HS_TRY(hs_join_verify(row->body, &row->room, &row->hub_root, s->now, &join));
    HS_TRY(hs_invite_verify(hs_pb_bytes(info->invite), &room, s->now, &invite));
    HS_REQUIRE(hs_key_equal(&invite.invite_key, &join.invite_key), HS_ERR_INVITE_INVALID);
    HS_TRY(hs_join_place(s, &at, &room, info, &brand, &office, domain));
    HS_REQUIRE(hs_key_equal(&brand, &row->hub_root), HS_ERR_WRONG_SIGNER);
    *moved = office.term > hs_join_term(row);
    return *moved ? hs_join_moves(s, row, &office, info) : HS_OK;
}

static enum hs_err looked(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                          enum hs_err err)
{
    struct hs_join_row row;
    bool moved = false;
    if (!hs_join_row_get(s->kv, &request->id_a, s->arena, &row))
        return s->kv->err; /* the Welcome was faster */
    if (err == HS_OK)
        err = frame->body_case == HANSE__FRAME__BODY_INVITE_INFO
                  ? look_at(s, &row, frame->invite_info, &moved)
                  : HS_ERR_UNEXPECTED;
    if (hs_sync_is_own_trouble(err))
        return err;
    if (row.dropped)
        return s->kv->err;
    if (moved)
        return hs_join_go_on(s, &row);
    if (hs_err_is_transient(err))
        return waits(s, &row, true);
    return err != HS_OK ? hs_op_done(s, hs_join_op(s->sync, &row.room), HS_ERR_HUB_MOVED, NULL, 0, NULL)
                        : HS_OK;
}

static enum hs_err look(struct hs_step *s, const struct hs_join_row *row)
{
    struct hs_join join;
    Hanse__GetInvite get = HANSE__GET_INVITE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = looked, .id_a = row->ref};
    enum hs_err err = hs_join_verify(row->body, &row->room, &row->hub_root, s->now, &join);
    HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    if (err != HS_OK) /* its time is over: whoever has the link opens it again */
        return hs_op_done(s, hs_join_op(s->sync, &row->room), HS_ERR_HUB_MOVED, NULL, 0, NULL);
    get.invite_key = hs_pb_data(HS_VIEW(join.invite_key));
    get.room = hs_pb_data(HS_VIEW(row->room));
    frame.body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame.get_invite = &get;
    return hs_request_send_to(s, hs_join_hub(row), row->descriptor, &frame, &request);
}

enum hs_err hs_join_asked(struct hs_step *s, struct hs_join_row *row)
{
    return waits(s, row, false);
}

enum hs_err hs_join_put_off(struct hs_step *s, struct hs_join_row *row, enum hs_err err)
{
    return waits(s, row, hs_err_is_transient(err)); /* else in the next session it may think better of it */
}

enum hs_err hs_join_gone(struct hs_step *s, struct hs_join_row *row)
{
    int64_t since = s->now.ms - row->looked_at.ms;
    if (row->looked_at.ms > 0 && since >= 0 && since < HS_JOIN_SOON_MS)
        return waits(s, row, true);
    row->looked_at = s->now;
    HS_TRY(waits(s, row, false));
    return look(s, row);
}

/* What the hub has been asked for it may have lost since, and the Welcome too; or the room has moved. */
static enum hs_err ask_again(struct hs_step *s, struct hs_join_row *row, bool first)
{
    bool soon = row->soon || first;
    if (soon != row->soon) {
        row->soon = soon;
        hs_join_row_put(s->kv, row);
    }
    int64_t due = due_of(s, row);
    if (s->now.ms < due || hs_request_is_about(s->sync, &row->ref) || hs_requests_are_scarce(s->sync)) {
        ask_at(s, due > s->now.ms ? due : s->now.ms + HS_AGAIN_MS); /* behind those that were asked now */
        return s->kv->err;
    }
    HS_TRY(waits(s, row, false));
    return hs_join_go_on(s, row);
}

enum hs_err hs_joins_ask_again(struct hs_step *s, bool first)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    s->sync->joins_due = HS_NEVER;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row))
        if (row.asked && !row.counter && !row.dropped)
            HS_TRY(ask_again(s, &row, first));
    return s->kv->err;
}
