/* Attach and Cursors: from where a subscriber reads, and what it holds for good. */
#include "core/delivery/cursor.h"
#include "core/delivery/due.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/told.h"
#include "core/records/layout.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/rooms/wanted.h"

void hs_session_replace_older(struct hs_turn *turn, const struct hs_key *subscriber)
{
    struct hs_session *older = hs_session_of(&turn->core->sessions, subscriber);
    if (older == NULL || older == turn->session)
        return;
    hs_cursors_flush(turn, older);         /* what it has acknowledged counts for who comes after it */
    if (older->state == HS_SESSION_DEVICE) /* one that still reads this is another copy */
        hs_turn_send_error(turn, older, 0, HS_ERR_DEVICE_TWICE, 0);
    hs_turn_close(turn, older, HS_ERR_CLOSED);
}

/* A node that was restored may not know any more that it let somebody read. Who holds more than the node
 * shows what it holds, and is given nothing until the log says that it may read. */
static bool may_be_forgotten(struct hs_turn *turn, const struct hs_id *room, uint64_t next)
{
    const Hanse__State__RoomView *of = hs_room_view(turn, room);
    return of != NULL && hs_recover_is_frozen(turn, of) && next > of->next_seq;
}

/* This node is home to the device, and was restored since it read that room here, perhaps: the room's hub
 * knows. */
static void tell_forgotten(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *of)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Forgotten forgotten = HANSE__FORGOTTEN__INIT;
    if (turn->session->state != HS_SESSION_DEVICE || (of != NULL && of->hub))
        return;
    forgotten.room = hs_pb_data(HS_VIEW(*room));
    frame.forgotten = &forgotten;
    frame.body_case = HANSE__FRAME__BODY_FORGOTTEN;
    hs_turn_send(turn, turn->session, &frame);
}

static enum hs_err attach_unknown(struct hs_turn *turn, const struct hs_id *room, uint64_t next)
{
    if (!may_be_forgotten(turn, room, next)) {
        tell_forgotten(turn, room, hs_room_view(turn, room));
        return HS_OK;
    }
    struct hs_position *position = hs_session_read(&turn->core->sessions, turn->session, room);
    HS_REQUIRE(position != NULL, HS_ERR_NOMEM);
    position->next = next;
    position->until = 0;
    hs_recover_attached(turn, room, hs_room_view(turn, room), next, false);
    return HS_OK;
}

/* A room that the subscriber may not read is passed over: it will learn why from the log that it has. */
static enum hs_err attach_room(struct hs_turn *turn, const Hanse__RoomCursor *cursor, bool *coming)
{
    struct hs_id room;
    HS_TAKE32(cursor->room, &room);
    Hanse__State__SubscriptionView *view = hs_subscription_view(turn, &turn->session->subscriber, &room);
    const Hanse__State__RoomView *of = hs_room_view(turn, &room);
    if (hs_office_is_coming(of) && turn->session->state == HS_SESSION_NODE) {
        *coming = true; /* what other nodes may read isn't known yet */
        return HS_OK;
    }
    if (view == NULL)
        return attach_unknown(turn, &room, cursor->next_seq);
    if (cursor->next_seq > view->until) /* it reads again since */
        tell_forgotten(turn, &room, of);
    struct hs_position *position = hs_session_read(&turn->core->sessions, turn->session, &room);
    HS_REQUIRE(position != NULL, HS_ERR_NOMEM);
    position->next = cursor->next_seq > view->from ? cursor->next_seq : view->from;
    position->until = view->until;
    position->told = cursor->descriptor;
    hs_due_position(&turn->core->sessions, turn->session, position, HS_DUE_BEHIND);
    if (turn->session->state == HS_SESSION_NODE)
        hs_cursor_room(turn, &room, cursor->next_seq);
    if (of != NULL && !hs_office_is_coming(of) && view->until == UINT64_MAX && hs_recover_is_frozen(turn, of))
        hs_recover_attached(turn, &room, of, cursor->next_seq, true);
    else if (of != NULL && of->hub && cursor->next_seq > of->next_seq && hs_restored_since(turn) > 0)
        hs_recover_ahead(turn, &room, of);
    hs_wanted_note(turn, &room, of);
    return HS_OK;
}

/* Not where the request is to be said again: a refused one writes nothing. */
static void tell_brands(struct hs_turn *turn, const Hanse__Attach *attach)
{
    struct hs_id room;
    for (size_t i = 0; i < attach->n_rooms && turn->session->state == HS_SESSION_NODE; i++)
        if (HS_FIXED(hs_pb_bytes(attach->rooms[i]->room), &room))
            hs_brand_attached(turn, &room, hs_room_view(turn, &room), attach->rooms[i]->next_seq);
}

/* A node that nobody has invited reads nothing here; one that somebody had invited may have been forgotten.
 */
static bool may_attach(struct hs_turn *turn, const Hanse__Attach *attach)
{
    struct hs_id room;
    if (turn->session->state != HS_SESSION_NODE || turn->session->standing != HS_STANDING_STRANGER)
        return true;
    for (size_t i = 0; i < attach->n_rooms; i++)
        if (HS_FIXED(hs_pb_bytes(attach->rooms[i]->room), &room) &&
            may_be_forgotten(turn, &room, attach->rooms[i]->next_seq))
            return true;
    return false;
}

enum hs_err hs_handle_attach(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                             uint64_t *detail)
{
    (void)detail;
    struct hs_session *session = turn->session;
    bool coming = false;
    HS_REQUIRE(may_attach(turn, request->attach),
               hs_office_is_any_coming(turn) ? HS_ERR_RECOVERING : HS_ERR_DENIED);
    for (size_t i = 0; i < request->attach->n_rooms; i++)
        HS_TRY(attach_room(turn, request->attach->rooms[i], &coming));
    if (!session->attached) {
        hs_session_replace_older(turn, &session->subscriber);
        HS_REQUIRE(hs_session_attach(&turn->core->sessions, session), HS_ERR_NOMEM);
        session->inbox_next = request->attach->inbox_next;
        session->inbox_lost = hs_cursor_inbox_lost(turn, session->inbox_next);
        hs_due_inbox(&turn->core->sessions, session, HS_DUE_BEHIND);
        if (session->state == HS_SESSION_NODE) /* what it said to hold may never have been written here */
            hs_cursor_inbox(turn, request->attach->inbox_next);
    }
    if (!coming)
        tell_brands(turn, request->attach);
    hs_reply_ack(turn, reply);
    return coming ? HS_ERR_RECOVERING : HS_OK; /* all the same for the other rooms */
}

enum hs_err hs_handle_cursors(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                              uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Cursors *cursors = request->cursors;
    for (size_t i = 0; i < cursors->n_rooms; i++)
        HS_REQUIRE(cursors->rooms[i]->room.len == HS_HASH_LEN, HS_ERR_MALFORMED);
    for (size_t i = 0; i < cursors->n_rooms; i++) {
        struct hs_id room;
        HS_ASSERT(HS_FIXED(hs_pb_bytes(cursors->rooms[i]->room), &room));
        hs_cursor_room(turn, &room, cursors->rooms[i]->next_seq);
    }
    hs_cursor_inbox(turn, cursors->inbox_next);
    if (request->id != 0)
        hs_reply_ack(turn, reply);
    return HS_OK;
}
