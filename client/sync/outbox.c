/* Requests that outlive the session and the program. */
#include "sync/log/rejoin.h"
#include "sync/rooms/leave_here.h"
#include "wire/unpack.h"

/* What one's own home doesn't take for the moment hasn't gone out by that; by an earlier sending it may have.
 */
static enum hs_err refused(struct hs_step *s, const struct hs_request *request, struct hs_outbox_row *row,
                           enum hs_err err)
{
    if (hs_err_is_transient(err) && request->first && !request->forwarded) {
        if (row->kind == HS_OUTBOX_ORDER_OUT)
            return hs_order_out_refused(s, row);
        row->sent = false;
        hs_outbox_row_put(s->kv, row);
    }
    return hs_outbox_refused(s, row, err);
}

static enum hs_err effect(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                          enum hs_err err)
{
    struct hs_outbox_row row;
    if (!hs_outbox_row_get(s->kv, request->number, s->arena, &row))
        return s->kv->err; /* its effect was here before the answer */
    if (err != HS_OK)
        return refused(s, request, &row, err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACCEPTED ||
                   frame->body_case == HANSE__FRAME__BODY_QUEUED,
               HS_ERR_UNEXPECTED);
    if (row.parting && frame->body_case == HANSE__FRAME__BODY_ACCEPTED)
        return hs_parting_over(s, &row.room); /* its record doesn't come here */
    if (row.kind == HS_OUTBOX_ORDER_OUT)
        return hs_order_out_answered(s, &row, frame->body_case == HANSE__FRAME__BODY_ACCEPTED);
    return row.kind == HS_OUTBOX_CREATE ? hs_create_accepted(s, &row) : HS_OK;
}

static enum hs_err answered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    HS_TRY(effect(s, request, frame, err));
    return s->sync->outbox_held ? hs_outbox_send_more(s) : HS_OK;
}

enum hs_err hs_outbox_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err)
{
    if (hs_err_is_transient(err)) {
        if (row->kind != HS_OUTBOX_ORDER_OUT)
            hs_home_try_again(s);
        return HS_OK;
    }
    switch ((enum hs_outbox_kind)row->kind) {
    case HS_OUTBOX_POST:
        return hs_post_refused(s, row, err);
    case HS_OUTBOX_COMMIT:
        return hs_commit_refused(s, row, err);
    case HS_OUTBOX_LEAVE:
        return hs_leave_refused(s, row, err);
    case HS_OUTBOX_REJOIN:
        return hs_rejoin_refused(s, row, err);
    case HS_OUTBOX_CREATE:
        return hs_create_refused(s, row, err);
    case HS_OUTBOX_ORDER_OUT:
        return hs_order_out_refused(s, row);
    }
    return HS_ERR_STORE;
}

/* The rest of the places is for what people wait for. */
enum { OUTBOX_WINDOW = HS_REQUESTS_MAX * 3 / 4 };

/* The new home doesn't know the room yet. */
static bool waits_for_move(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    return hs_live_get(s, id, &room) == HS_OK && room->row.unmoved;
}

/* Posts and leavers' proposals wait at the home node where the hub can't be reached; a commit is the hub's to
 * take or to refuse. */
static enum hs_err dispatch(struct hs_step *s, const struct hs_outbox_row *row,
                            const struct hs_request *request)
{
    struct hs_live_room *room;
    Hanse__Frame *frame;
    if (row->kind != HS_OUTBOX_COMMIT && row->kind != HS_OUTBOX_REJOIN)
        return hs_request_send_packed(s, row->frame, request);
    HS_TRY(hs_live_get(s, &row->room, &room));
    if (hs_root_is_home(s->sync, hs_row_hub(&room->row)))
        return hs_request_send_packed(s, row->frame, request);
    HS_TRY(HS_UNPACK(hanse__frame, row->frame, HS_LENIENT, s->arena, &frame));
    return hs_request_send_to(s, hs_row_hub(&room->row), room->row.descriptor, frame, request);
}

/* Its turn has come, and there is a place for it. */
static bool may_go(struct hs_step *s, const struct hs_outbox_row *row)
{
    struct hs_sync *sync = s->sync;
    if (row->kind == HS_OUTBOX_ORDER_OUT || waits_for_move(s, &row->room) || row->stale ||
        row->number <= sync->outbox_sent || hs_request_has_number(sync, row->number))
        return false;
    sync->outbox_held = sync->outbox_held || hs_requests_numbered(sync) >= OUTBOX_WINDOW;
    return !sync->outbox_held; /* an answer makes room, and order is kept */
}

static enum hs_err send_row(struct hs_step *s, const struct hs_outbox_row *row, bool first)
{
    struct hs_request request = {.answer = answered, .number = row->number, .first = first};
    HS_TRY(dispatch(s, row, &request));
    s->sync->outbox_sent = row->number;
    return HS_OK;
}

enum hs_err hs_outbox_row_add(struct hs_step *s, struct hs_outbox_row *row)
{
    row->number = hs_number_next(s->kv);
    bool goes = hs_home_is_online(s->sync) && may_go(s, row), first = !row->sent;
    row->sent = row->sent || goes;
    hs_outbox_row_put(s->kv, row);
    HS_TRY(s->kv->err);
    return goes ? send_row(s, row, first) : HS_OK;
}

/* What may have gone out is known before it goes. */
static enum hs_err go(struct hs_step *s, struct hs_outbox_row *row)
{
    if (!may_go(s, row))
        return HS_OK;
    bool first = !row->sent;
    if (first) {
        row->sent = true;
        hs_outbox_row_put(s->kv, row);
    }
    return send_row(s, row, first);
}

enum hs_err hs_outbox_send_more(struct hs_step *s)
{
    struct hs_kv_key cursor = hs_outbox_cursor(s->sync->outbox_sent);
    s->sync->outbox_held = false;
    for (bool more = true; more && !s->sync->outbox_held;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        more = hs_outbox_row_next(s->kv, &cursor, &scratch, &row);
        if (more)
            HS_TRY(go(s, &row));
    }
    return s->kv->err;
}

enum hs_err hs_outbox_send_all(struct hs_step *s)
{
    s->sync->outbox_sent = 0;
    return hs_outbox_send_more(s);
}
