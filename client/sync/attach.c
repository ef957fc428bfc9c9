/* What this device reads and from where; and when it has all that there is. */
#include "sync/log/hub_key.h"
#include "sync/log/rejoin.h"
#include "sync/move/move.h"
#include "sync/rooms/tree.h"

/* Rooms in which this member may admit others: somebody may wait since before this session. */
static enum hs_err commits_next(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_live_room *room;
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) {
        bool waits = row.role != HS_ROOM_MEMBER || row.renew == row.epoch + 1 || row.recredential > 0;
        if (row.state != HS_ROOM_STATE_MEMBER || !waits)
            continue;
        HS_TRY(hs_live_get(s, &row.id, &room));
        HS_TRY(hs_commit_next(s, room));
    }
    return s->kv->err;
}

/* Where a ping comes back and nothing was delivered since it went out, the node has nothing more: it delivers
 * what it has before it answers. */
static enum hs_err ping_answered(struct hs_step *s, const struct hs_request *request,
                                 const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_sync *sync = s->sync;
    (void)request;
    HS_TRY(err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACK, HS_ERR_UNEXPECTED);
    if (sync->caught_up)
        return HS_OK;
    if (sync->traffic != sync->traffic_at_ping)
        return hs_home_ping(s);
    sync->caught_up = true;
    HS_TRY(hs_posts_encrypt(s));
    HS_TRY(hs_ops_resume(s, false)); /* commits want to stand at the log's end */
    HS_TRY(hs_say_all(s));
    HS_TRY(hs_leaves_renew(s));
    HS_TRY(commits_next(s));
    HS_TRY(hs_rejoins_resume(s));
    struct hanse_event event = {.kind = HANSE_EVENT_CAUGHT_UP};
    return hs_out_event(s, &event, NULL);
}

enum hs_err hs_home_ping(struct hs_step *s)
{
    Hanse__Ping body = HANSE__PING__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = ping_answered};
    frame.body_case = HANSE__FRAME__BODY_PING;
    frame.ping = &body;
    s->sync->asked = s->now;
    s->sync->traffic_at_ping = s->sync->traffic;
    return hs_request_send(s, &frame, &request);
}

/* Everything that waits for a session. */
enum hs_err hs_home_resume(struct hs_step *s)
{
    s->sync->again_due = HS_NEVER;
    HS_TRY(hs_moves_resume(s));
    HS_TRY(hs_outbox_send_all(s));
    HS_TRY(hs_joins_resume(s));
    HS_TRY(hs_trees_resume(s));
    HS_TRY(hs_rejoins_resume(s));
    HS_TRY(hs_proofs_resume(s));
    return hs_ops_resume(s, false);
}

void hs_home_try_again(struct hs_step *s)
{
    if (s->sync->again_due.ms == INT64_MAX)
        s->sync->again_due.ms = s->now.ms + (s->sync->again_ms > 0 ? s->sync->again_ms : HS_AGAIN_MS);
}

static enum hs_err attached(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    (void)request;
    HS_TRY(err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACK, HS_ERR_UNEXPECTED);
    s->sync->session = HS_SESSION_ONLINE;
    s->sync->failures = 0;
    struct hanse_event event = {.kind = HANSE_EVENT_ONLINE};
    HS_TRY(hs_out_event(s, &event, NULL));
    if (s->sync->till)
        hs_till_look_at(s, s->now.ms); /* what was on its way to the ledger is gone with the last session */
    HS_TRY(hs_home_resume(s));
    HS_TRY(hs_joins_ask_again(s, true));
    return hs_home_ping(s);
}

static enum hs_err attach_answered(struct hs_step *s, const struct hs_request *request,
                                   const Hanse__Frame *frame, enum hs_err err)
{
    (void)s;
    (void)request;
    HS_TRY(err);
    return frame->body_case == HANSE__FRAME__BODY_ACK ? HS_OK : HS_ERR_UNEXPECTED;
}

static void cursor_set(Hanse__RoomCursor *cursor, const struct hs_room_row *row)
{
    *cursor = (Hanse__RoomCursor)HANSE__ROOM_CURSOR__INIT;
    cursor->room = hs_pb_data(HS_VIEW(row->id));
    cursor->next_seq = row->tip.next_seq;
    cursor->descriptor = hs_hub_sequence(row);
}

static enum hs_err attach_send(struct hs_step *s, Hanse__RoomCursor *list, size_t count, bool last)
{
    Hanse__RoomCursor **pointers = hs_arena_alloc(s->arena, (count + 1) * sizeof *pointers);
    HS_REQUIRE(pointers != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < count; i++)
        pointers[i] = &list[i];
    Hanse__Attach body = HANSE__ATTACH__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = last ? attached : attach_answered};
    body.inbox_next = s->sync->me.inbox_next;
    body.rooms = pointers;
    body.n_rooms = count;
    frame.body_case = HANSE__FRAME__BODY_ATTACH;
    frame.attach = &body;
    return hs_request_send(s, &frame, &request);
}

/* All rooms that this device reads, in as many requests as it takes. */
enum hs_err hs_home_attach(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row *row = hs_arena_alloc(s->arena, sizeof *row);
    Hanse__RoomCursor *list = hs_arena_alloc(s->arena, HS_REPEATED_MAX * sizeof *list);
    size_t count = 0;
    HS_REQUIRE(row != NULL && list != NULL, HS_ERR_NOMEM);
    s->sync->session = HS_SESSION_ATTACHING;
    while (hs_room_next(s->kv, &cursor, s->arena, row)) {
        if (row->state != HS_ROOM_STATE_MEMBER)
            continue;
        cursor_set(&list[count], row);
        struct hs_bytes id = hs_arena_copy(s->arena, HS_VIEW(row->id));
        HS_REQUIRE(id.data != NULL, HS_ERR_NOMEM);
        list[count++].room = hs_pb_data(id);
        if (count < HS_REPEATED_MAX)
            continue;
        HS_TRY(attach_send(s, list, count, false));
        count = 0;
    }
    HS_TRY(s->kv->err);
    return attach_send(s, list, count, true);
}

enum hs_err hs_home_attach_room(struct hs_step *s, struct hs_live_room *room)
{
    if (!hs_home_is_online(s->sync))
        return HS_OK;
    Hanse__RoomCursor cursor;
    cursor_set(&cursor, &room->row);
    return attach_send(s, &cursor, 1, false);
}
