#include "core/rooms/wanted.h"

#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/layout.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "wire/limits.h"

#include <stdlib.h>

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

struct hs_wanted {
    struct hs_id room;
    struct hs_time at; /* when somebody is asked */
    size_t turn;       /* whose turn it is */
    UT_hash_handle hh;
};

/* Only what was another hub's, or came back, comes without: nothing else has to be looked up. */
static bool lacks_info(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    return (view->former_root.len > 0 || hs_restored_since(turn) > 0) &&
           hs_room_group_info(turn, room).len == 0;
}

static bool is_needed(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    return view != NULL && view->hub && (view->leaving.len > 0 || lacks_info(turn, room, view));
}

void hs_wanted_note(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_core *core = turn->core;
    struct hs_wanted *wanted;
    if (!is_needed(turn, room, view))
        return;
    HASH_FIND(hh, core->wanted, room, sizeof *room, wanted);
    if (wanted != NULL || HASH_COUNT(core->wanted) >= HS_WANTED_ROOMS)
        return;
    wanted = calloc(1, sizeof *wanted);
    if (wanted == NULL)
        return; /* whoever attaches next is another occasion */
    wanted->room = *room;
    wanted->at.ms = turn->now.ms + (lacks_info(turn, room, view) ? HS_WANTED_SOON_MS : HS_WANTED_LEAVER_MS);
    HASH_ADD(hh, core->wanted, room, sizeof wanted->room, wanted);
    if (!HS_IS_HASHED(hh, wanted))
        free(wanted);
}

static void drop(struct hs_core *core, struct hs_wanted *wanted)
{
    HASH_DELETE(hh, core->wanted, wanted);
    free(wanted);
}

void hs_wanted_free(struct hs_core *core)
{
    struct hs_wanted *wanted, *next;
    HASH_ITER(hh, core->wanted, wanted, next)
    drop(core, wanted);
}

/* Who may read on, and has everything: another one would be too late. */
static bool is_fit(const struct hs_reader *reader, const Hanse__State__RoomView *view)
{
    const struct hs_session *to = reader->session;
    const struct hs_position *position = &to->positions[reader->position];
    return to->attached && !to->closed && !to->outbound && position->until == UINT64_MAX &&
           position->next >= view->next_seq;
}

/* One of those who read the room here is asked, the one whose turn it is; false where nobody reads it. */
static bool ask(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                uint64_t epoch, size_t *whose)
{
    const struct hs_readers *readers = hs_session_readers(&turn->core->sessions, room);
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__WantCommit want = HANSE__WANT_COMMIT__INIT;
    for (size_t i = 0; readers != NULL && i < readers->len; i++) {
        const struct hs_reader *reader = &readers->list[(*whose)++ % readers->len];
        if (!is_fit(reader, view))
            continue;
        want.room = hs_pb_data(HS_VIEW(*room));
        want.epoch = epoch;
        frame.want_commit = &want;
        frame.body_case = HANSE__FRAME__BODY_WANT_COMMIT;
        hs_turn_send(turn, reader->session, &frame);
        break;
    }
    return readers != NULL && readers->len > 0;
}

static void look(struct hs_turn *whole, struct hs_wanted *wanted)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *whole, *turn = &own;
    own.arena = &scratch;
    const Hanse__State__RoomView *view = hs_room_view(turn, &wanted->room);
    bool needed = is_needed(turn, &wanted->room, view), waits = false;
    wanted->at.ms = turn->now.ms + HS_WANTED_AGAIN_MS;
    if (needed && (view->unsettled > 0 || hs_room_stands_still(turn, view)))
        waits = true; /* for what is under way */
    else if (needed)
        waits = ask(turn, &wanted->room, view, view->epoch, &wanted->turn);
    if (!waits && turn->kv->err == HS_OK)
        drop(turn->core, wanted);
}

void hs_wanted_tick(struct hs_turn *turn)
{
    struct hs_wanted *wanted, *next;
    size_t looked = 0;
    HASH_ITER(hh, turn->core->wanted, wanted, next)
    if (turn->now.ms >= wanted->at.ms && looked++ < HS_WANTED_TICK)
        look(turn, wanted);
}

/* A follower has the hub's question answered by one of its own; who asks for another hub's room is passed
 * over. */
enum hs_err hs_handle_want_commit(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                  uint64_t *detail)
{
    const Hanse__WantCommit *want = request->want_commit;
    struct hs_id room;
    (void)reply;
    (void)detail;
    HS_TAKE32(want->room, &room);
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view != NULL && !view->hub &&
        hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber)))
        (void)ask(turn, &room, view, want->epoch, &turn->core->wanted_turn);
    return HS_OK;
}
