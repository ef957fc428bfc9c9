/* Takeovers that are wanted: what their owners have asked for, until the room comes or nothing comes of it.
 */
#include "core/office/takeover.h"

#include "core/accounts/account.h"
#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "room/log.h"
#include "wire/limits.h"

enum { VIEW_CAP = 4 * HS_FRAME_MAX };

static struct hs_kv_key takeover_key(struct hs_bytes room)
{
    return hs_key_sub(HS_MISC_TAKEOVER, room, (struct hs_bytes){0});
}

static Hanse__State__TakeoverView *view_of(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key key = takeover_key(HS_VIEW(*room));
    return (Hanse__State__TakeoverView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__takeover_view);
}

bool hs_takeover_is_wanted(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key key = takeover_key(HS_VIEW(*room));
    return hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

/* ---- records ---- */

void hs_takeover_over(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key key = takeover_key(HS_VIEW(*room));
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

/* Whoever asked for it learns of a refusal through the inbox; that the room has come it sees in the log. */
static void tell(struct hs_turn *turn, const Hanse__State__Takeover *takeover)
{
    struct hs_key subscriber;
    Hanse__Error error = HANSE__ERROR__INIT;
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__OutcomeItem outcome = HANSE__OUTCOME_ITEM__INIT;
    struct hs_id hash = hs_record_body_hash(hs_pb_bytes(takeover->move));
    if (!HS_FIXED(hs_pb_bytes(takeover->subscriber), &subscriber))
        return;
    error.code = takeover->code;
    error.message = (char *)(uintptr_t)hs_err_text(hs_err_from_wire(takeover->code));
    outcome.room = takeover->room;
    outcome.body_hash = hs_pb_data(HS_VIEW(hash));
    outcome.error = &error;
    item.outcome = &outcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
    hs_inbox_put(turn, &subscriber, &item);
}

void hs_takeover_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                       const Hanse__State__StreamRecord *record)
{
    const Hanse__State__Takeover *takeover = record->takeover;
    Hanse__State__TakeoverView view = HANSE__STATE__TAKEOVER_VIEW__INIT;
    struct hs_kv_key key = takeover_key(hs_pb_bytes(takeover->room));
    (void)at;
    if (takeover->code != 0) {
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
        tell(turn, takeover);
        return;
    }
    view.move = takeover->move;
    view.subscriber = takeover->subscriber;
    hs_view_put(turn, HS_T_MISC, &key, &view.base);
}

static void add_record(struct hs_turn *turn, const struct hs_id *room,
                       const Hanse__State__TakeoverView *wanted, enum hs_err err)
{
    Hanse__State__Takeover takeover = HANSE__STATE__TAKEOVER__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    takeover.room = hs_pb_data(HS_VIEW(*room));
    takeover.move = wanted->move;
    takeover.subscriber = wanted->subscriber;
    takeover.code = err != HS_OK ? hs_err_to_wire(err) : 0;
    record.takeover = &takeover;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_TAKEOVER;
    hs_stream_record(turn, HS_STREAM_NODE, HS_VIEW(*hs_turn_root(turn)), &record);
}

/* Nothing comes of it. The room goes on at its hub. */
static void refuse(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__TakeoverView *wanted,
                   enum hs_err err)
{
    hs_turn_log(turn, "event=takeover-refused error=%s text=\"a room stays at its hub\"", hs_err_name(err));
    add_record(turn, room, wanted, err);
}

/* ---- work ---- */

static void ask(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                const Hanse__State__TakeoverView *wanted)
{
    struct hs_key hub;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__WantTail want = HANSE__WANT_TAIL__INIT;
    Hanse__MoveHub move = HANSE__MOVE_HUB__INIT;
    if (!HS_FIXED(hs_pb_bytes(view->hub_root), &hub))
        return;
    if (view->first_seq > 0) {
        want.room = hs_pb_data(HS_VIEW(*room));
        want.below = view->first_seq;
        want.move = wanted->move;
        frame.want_tail = &want;
        frame.body_case = HANSE__FRAME__BODY_WANT_TAIL;
    } else { /* all of it is here for good: what this turn writes is durable before this leaves */
        move.room = hs_pb_data(HS_VIEW(*room));
        move.move = wanted->move;
        frame.move_hub = &move;
        frame.body_case = HANSE__FRAME__BODY_MOVE_HUB;
    }
    (void)hs_asked_log(turn, hs_peer_find(&turn->core->peers, &hub), room, view->first_seq, HS_OFFICE_ASK_MS,
                       &frame);
}

static void work(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(VIEW_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    const Hanse__State__TakeoverView *wanted = view_of(&own, room);
    const Hanse__State__RoomView *view = hs_room_view(&own, room);
    if (wanted == NULL || turn->kv->err != HS_OK || hs_office_rests(turn, room))
        return;
    if (view == NULL || view->hub || view->forked)
        refuse(&own, room, wanted, view != NULL && view->forked ? HS_ERR_LOG_FORK : HS_ERR_ROOM_UNKNOWN);
    else if (view->first_seq <
             view->next_seq) /* else the copy hasn't begun, and there is nothing to check by */
        ask(&own, room, view, wanted);
}

void hs_takeover_tick(struct hs_turn *turn)
{
    uint8_t kind = HS_MISC_TAKEOVER;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    struct hs_kv_key from = hs_key1(prefix);
    for (size_t i = 0; i < HS_TAKEOVERS_MAX && !turn->full; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(VIEW_CAP);
        struct hs_id room;
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(&from), &scratch, &key, NULL) ||
            !HS_FIXED(hs_bytes(key.data + 1, key.len - 1), &room))
            return;
        from = hs_kv_after(key);
        work(turn, &room);
    }
}

void hs_takeover_answered(struct hs_turn *turn, const struct hs_id *room, const Hanse__Frame *answer)
{
    const Hanse__State__TakeoverView *wanted = view_of(turn, room);
    enum hs_err err = HS_OK;
    if (wanted == NULL)
        return;
    if (answer->body_case == HANSE__FRAME__BODY_ERROR)
        err = hs_err_from_wire(answer->error->code);
    else if (answer->body_case == HANSE__FRAME__BODY_TAIL)
        err = hs_prefix_take(turn, room, answer->tail);
    if (turn->kv->err != HS_OK)
        return;
    if (err == HS_ERR_NOMEM)
        turn->kv->err = HS_ERR_NOMEM; /* this machine's trouble: carried out again */
    else if (err == HS_OK && answer->body_case == HANSE__FRAME__BODY_TAIL)
        work(turn, room);
    else if (err == HS_OK || hs_err_is_transient(err))
        hs_office_rest(turn, room, HS_TAKEOVER_AGAIN_MS); /* or it was taken: the HUB_MOVE comes */
    else
        refuse(turn, room, wanted, err);
}

/* ---- who asks for it ---- */

static size_t count(struct hs_turn *turn)
{
    uint8_t kind = HS_MISC_TAKEOVER;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    struct hs_kv_key from = hs_key1(prefix);
    size_t n = 0;
    for (; n < HS_TAKEOVERS_MAX; n++) {
        struct hs_arena HS_ARENA scratch = hs_arena(VIEW_CAP);
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(&from), &scratch, &key, NULL))
            break;
        from = hs_kv_after(key);
    }
    return n;
}

enum hs_err hs_takeover_begin(struct hs_turn *turn, const Hanse__MoveHub *request, bool *waits)
{
    struct hs_id room;
    struct hs_hub_move move;
    HS_TAKE32(request->room, &room);
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL && !view->hub, HS_ERR_ROOM_UNKNOWN);
    const Hanse__State__TakeoverView *wanted = view_of(turn, &room);
    *waits = view->first_seq > 0 || wanted != NULL;
    if (!*waits || (wanted != NULL && hs_bytes_equal(hs_pb_bytes(wanted->move), hs_pb_bytes(request->move))))
        return HS_OK;
    HS_TRY(hs_hub_move_verify(hs_pb_bytes(request->move), &room, turn->now, turn->arena, &move));
    HS_REQUIRE(move.office.term == hs_room_term(view) + 1, HS_ERR_POLICY);
    HS_REQUIRE(wanted != NULL || count(turn) < HS_TAKEOVERS_MAX, HS_ERR_BUSY);
    Hanse__State__TakeoverView fresh = HANSE__STATE__TAKEOVER_VIEW__INIT;
    fresh.move = request->move;
    fresh.subscriber = hs_pb_data(HS_VIEW(turn->session->subscriber));
    add_record(turn, &room, &fresh, HS_OK);
    hs_turn_log(turn,
                "event=takeover-wanted records=%llu text=\"a room is to come here: its log is fetched\"",
                (unsigned long long)view->first_seq);
    work(turn, &room);
    return HS_OK;
}

enum hs_err hs_takeover_give_up(struct hs_turn *turn, const struct hs_id *room)
{
    const Hanse__State__TakeoverView *wanted = view_of(turn, room);
    HS_REQUIRE(wanted != NULL || !hs_office_is_coming(hs_room_view(turn, room)), HS_ERR_HUB_MOVED);
    HS_REQUIRE(wanted != NULL, HS_ERR_INVALID_STATE);
    refuse(turn, room, wanted, HS_ERR_DENIED);
    return HS_OK;
}
