#include "sync/log/rejoin.h"
#include "sync/move/move.h"
#include "sync/rooms/join.h"
#include "sync/rooms/late.h"

#include "wire/unpack.h"

#include <stdlib.h>

enum hs_err hs_sync_new(struct hs_sync **out)
{
    struct hs_sync *sync = calloc(1, sizeof *sync);
    HS_REQUIRE(sync != NULL, HS_ERR_NOMEM);
    sync->proofs_due = HS_NEVER;
    sync->cursor_due = sync->till_due = sync->again_due = sync->rejoin_due = sync->joins_due = HS_NEVER;
    *out = sync;
    return HS_OK;
}

void hs_sync_free(struct hs_sync *sync)
{
    if (sync == NULL)
        return;
    hs_ops_free(sync);
    hs_live_drop_all(sync);
    hs_late_drop(sync);
    hs_out_drop(sync, true);
    hs_me_wipe(&sync->me);
    hs_arena_free(&sync->me_arena);
    free(sync);
}

enum hs_err hs_sync_enter(struct hs_step *s)
{
    struct hs_sync *sync = s->sync;
    sync->requests_durable = sync->next_request;
    sync->before.now = s->now;
    sync->before.till_due = sync->till_due;
    sync->before.till = sync->till;
    sync->before.rejoin_due = sync->rejoin_due;
    sync->before.joins_due = sync->joins_due;
    sync->before.proofs_due = sync->proofs_due;
    sync->before.outbox_sent = sync->outbox_sent;
    return sync->me_loaded ? HS_OK : hs_me_load(s);
}

/* Requests to join that were given up don't wait, and go in their time, online or not. */
static enum hs_err count_waiting(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row join;
    size_t count = hs_outbox_row_count(s->kv);
    while (hs_join_row_next(s->kv, &cursor, s->arena, &join)) {
        count += !join.dropped;
        if (join.dropped)
            HS_TRY(hs_join_dropped_look(s, &join));
    }
    s->sync->waiting = count;
    return s->kv->err;
}

/* Members that couldn't be read look as if there were none, and what had no memory is empty: nothing that was
 * decided so is kept. */
static enum hs_err hidden_trouble(const struct hs_step *s)
{
    for (const struct hs_live_room *room = s->sync->rooms; room != NULL; room = room->next) {
        HS_TRY(room->trouble);
        if (room->group != NULL)
            HS_TRY(hs_mls_public_error(hs_mls_group_public(room->group)));
        if (room->pub != NULL)
            HS_TRY(hs_mls_public_error(room->pub));
    }
    return s->arena->exhausted ? HS_ERR_NOMEM : HS_OK;
}

enum hs_err hs_sync_settle(struct hs_step *s)
{
    HS_TRY(hs_cursors_tell(s, false));
    HS_TRY(hs_live_save_all(s));
    HS_TRY(count_waiting(s));
    return hidden_trouble(s);
}

void hs_sync_release(struct hs_sync *sync)
{
    hs_out_release(sync);
    hs_ops_settle(sync, true);
}

/* What is in memory may be ahead of the store now: it is read again when it is needed. */
void hs_sync_rollback(struct hs_sync *sync)
{
    hs_out_drop(sync, false);
    hs_ops_settle(sync, false);
    hs_requests_drop_fresh(sync);
    hs_live_drop_all(sync);
    hs_till_roll_back(sync);
    sync->rejoin_due = sync->late != NULL ? sync->before.now : sync->before.rejoin_due;
    sync->joins_due = sync->before.joins_due;
    sync->proofs_due = sync->before.proofs_due;
    hs_late_drop(sync); /* it is begun anew */
    if (sync->outbox_sent > sync->before.outbox_sent)
        sync->outbox_sent = sync->before.outbox_sent;
    sync->me_loaded = false;
}

/* The home node ends the session, and says why. */
static enum hs_err error_told(enum hs_err err)
{
    if (err == HS_ERR_DEVICE_TWICE)
        return err;
    return err != HS_OK ? HS_ERR_CLOSED : HS_ERR_MALFORMED;
}

static enum hs_err notification(struct hs_step *s, const Hanse__Frame *frame)
{
    switch (frame->body_case) {
    case HANSE__FRAME__BODY_RECORDS:
        HS_TRY(hs_home_traffic(s));
        return hs_records_received(s, frame->records);
    case HANSE__FRAME__BODY_INBOX:
        HS_TRY(hs_home_traffic(s));
        return hs_inbox_received(s, frame->inbox);
    case HANSE__FRAME__BODY_WANT_TAIL:
        return hs_tail_wanted(s, frame->want_tail);
    case HANSE__FRAME__BODY_WANT_COMMIT:
        return hs_commit_wanted(s, frame->want_commit);
    case HANSE__FRAME__BODY_FORGOTTEN:
        return hs_forgotten_received(s, frame->forgotten);
    case HANSE__FRAME__BODY_EPHEMERAL:
        return hs_ephemeral_received(s, frame->ephemeral);
    case HANSE__FRAME__BODY_ERROR:
        return error_told(hs_err_from_wire(frame->error->code));
    default:
        return HS_OK; /* from a newer node: nothing that this version was told to know */
    }
}

enum hs_err hs_sync_frame(struct hs_step *s, struct hs_bytes bytes)
{
    Hanse__Frame *frame;
    HS_REQUIRE(s->sync->session > HS_SESSION_DIALLING, HS_ERR_UNEXPECTED);
    if (s->sync->hang_up)
        return HS_OK; /* of a session that is over: it may be another node's than the home's */
    HS_TRY(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, s->arena, &frame));
    s->sync->heard = s->now;
    return frame->id != 0 ? hs_request_answered(s, frame) : notification(s, frame);
}

enum hs_err hs_sync_tick(struct hs_step *s)
{
    HS_TRY(hs_home_tick(s));
    HS_TRY(hs_say_tick(s));
    HS_TRY(hs_rejoins_tick(s));
    if (s->sync->till && s->now.ms >= s->sync->till_due.ms)
        HS_TRY(hs_till_tick(s));
    return HS_OK;
}

struct hs_time hs_sync_deadline(const struct hs_sync *sync)
{
    struct hs_time first = hs_home_deadline(sync);
    if (sync->session == HS_SESSION_ONLINE && sync->cursor_due.ms < first.ms)
        first = sync->cursor_due;
    if (sync->till && sync->till_due.ms < first.ms)
        first = sync->till_due;
    if (hs_say_deadline(sync).ms < first.ms)
        first = hs_say_deadline(sync);
    if (hs_rejoins_deadline(sync).ms < first.ms)
        first = hs_rejoins_deadline(sync);
    return first;
}

void hs_sync_stay_online(struct hs_sync *sync, bool on)
{
    sync->stay_online = on;
}

bool hs_sync_has_pending(const struct hs_sync *sync)
{
    return sync->ops != NULL || sync->waiting > 0 || sync->me.moving;
}

enum hs_err hs_sync_flush(struct hs_step *s)
{
    return hs_cursors_tell(s, true);
}
