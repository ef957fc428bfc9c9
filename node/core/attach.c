/* Attach and Cursors: from where a subscriber reads, and what it holds for good. */
#include "core/dispatch.h"
#include "core/inbox.h"
#include "core/internal.h"
#include "core/table.h"

/* A room that the subscriber may not read is passed over: it will learn why from the log that it has. */
static enum hs_err attach_room(struct hs_turn *turn, const Hanse__RoomCursor *cursor)
{
    struct hs_id room;
    HS_TAKE32(cursor->room, &room);
    Hanse__State__SubscriptionView *view = hs_subscription_view(turn, &turn->session->subscriber, &room);
    if (view == NULL)
        return HS_OK;
    struct hs_position *position = hs_session_position(turn->session, &room, true);
    HS_REQUIRE(position != NULL, HS_ERR_NOMEM);
    position->next = cursor->next_seq > view->from ? cursor->next_seq : view->from;
    position->until = view->until;
    position->due = true;
    return HS_OK;
}

enum hs_err hs_handle_attach(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                             uint64_t *detail)
{
    (void)detail;
    struct hs_session *session = turn->session;
    for (size_t i = 0; i < request->attach->n_rooms; i++)
        HS_TRY(attach_room(turn, request->attach->rooms[i]));
    if (!session->attached) {
        session->attached = true;
        session->inbox_next = request->attach->inbox_next;
        session->inbox_due = true;
    }
    hs_reply_ack(turn, reply);
    return HS_OK;
}

static enum hs_err move_cursor(struct hs_turn *turn, const Hanse__RoomCursor *cursor)
{
    struct hs_id room;
    HS_TAKE32(cursor->room, &room);
    Hanse__State__SubscriptionView *view = hs_subscription_view(turn, &turn->session->subscriber, &room);
    if (view == NULL || cursor->next_seq <= view->next)
        return HS_OK;
    struct hs_kv_key key = hs_key2(HS_VIEW(turn->session->subscriber), HS_VIEW(room));
    view->next = cursor->next_seq;
    hs_view_put(turn, HS_T_SUBSCRIPTION, &key, &view->base);
    return HS_OK;
}

enum hs_err hs_handle_cursors(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                              uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Cursors *cursors = request->cursors;
    for (size_t i = 0; i < cursors->n_rooms; i++)
        HS_TRY(move_cursor(turn, cursors->rooms[i]));
    if (cursors->inbox_next > 0)
        hs_inbox_prune(turn, &turn->session->subscriber, cursors->inbox_next);
    if (request->id != 0)
        hs_reply_ack(turn, reply);
    return HS_OK;
}
