#include "core/delivery/cursor.h"

#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/records/register.h"
#include "core/records/table.h"

#include <utlist.h>

/* The list is in the order in which they are due: all wait equally long. */
static void mark(struct hs_turn *turn)
{
    struct hs_session *session = turn->session;
    if (session->cursors_at.ms > 0)
        return;
    session->cursors_at.ms = turn->now.ms + HS_CURSOR_MS;
    DL_APPEND2(turn->core->sessions.cursors, session, cursors_prev, cursors_next);
}

/* True where the register stood there already. */
static bool write_number(struct hs_turn *turn, enum hs_register kind, struct hs_bytes a, struct hs_bytes b,
                         uint64_t next)
{
    if (hs_register_number(turn, kind, a, b) >= next)
        return true;
    hs_register_put_number(turn, kind, a, b, next);
    return false;
}

/* Who never had a right to read the room has no cursor in it, and none is ahead of the log. */
void hs_cursor_room(struct hs_turn *turn, const struct hs_id *room, uint64_t next)
{
    const struct hs_key *subscriber = &turn->session->subscriber;
    struct hs_position *position = hs_session_position(turn->session, room);
    if (position != NULL) {
        position->held = next > position->held ? next : position->held;
        mark(turn);
        return;
    }
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    if (view != NULL && hs_subscription_view(turn, subscriber, room) != NULL)
        (void)write_number(turn, HS_REGISTER_CURSOR, HS_VIEW(*subscriber), HS_VIEW(*room),
                           next < view->next_seq ? next : view->next_seq);
}

void hs_cursor_inbox(struct hs_turn *turn, uint64_t next)
{
    if (next <= turn->session->inbox_held)
        return;
    turn->session->inbox_held = next;
    mark(turn);
}

uint64_t hs_cursor_inbox_lost(struct hs_turn *turn, uint64_t next)
{
    uint64_t cursor =
        hs_register_number(turn, HS_REGISTER_INBOX, HS_VIEW(turn->session->subscriber), (struct hs_bytes){0});
    return cursor > next ? cursor : 0;
}

/* Written is what isn't yet; true where there was nothing to write. The transaction may come to nothing, so
 * what was written counts as done only once it is found there. */
static bool write_session(struct hs_turn *turn, struct hs_session *session)
{
    struct hs_bytes subscriber = HS_VIEW(session->subscriber);
    bool done = true;
    for (size_t i = 0; i < session->position_count; i++) {
        struct hs_position *position = &session->positions[i];
        if (position->held == 0)
            continue;
        const Hanse__State__RoomView *view = hs_room_view(turn, &position->room);
        uint64_t end = view != NULL ? view->next_seq : 0;
        uint64_t next = position->held < end ? position->held : end;
        if (write_number(turn, HS_REGISTER_CURSOR, subscriber, HS_VIEW(position->room), next))
            position->held = 0;
        else
            done = false;
    }
    if (session->inbox_held > 0) {
        uint64_t end = hs_inbox_next(turn, &session->subscriber);
        uint64_t next = session->inbox_held < end ? session->inbox_held : end;
        done = write_number(turn, HS_REGISTER_INBOX, subscriber, (struct hs_bytes){0}, next) && done;
    }
    return done;
}

void hs_cursors_flush(struct hs_turn *turn, struct hs_session *session)
{
    if (session->cursors_at.ms > 0)
        (void)write_session(turn, session);
}

static void flush_first(struct hs_turn *turn)
{
    struct hs_session *session = turn->core->sessions.cursors;
    bool done = write_session(turn, session);
    hs_session_cursors_done(&turn->core->sessions, session);
    if (done)
        return;
    session->cursors_at.ms = turn->now.ms + HS_CURSOR_MS;
    DL_APPEND2(turn->core->sessions.cursors, session, cursors_prev, cursors_next);
}

void hs_cursors_tick(struct hs_turn *turn)
{
    for (size_t i = 0; i < HS_CURSOR_SESSIONS; i++) {
        const struct hs_session *first = turn->core->sessions.cursors;
        if (first == NULL || first->cursors_at.ms > turn->now.ms)
            return;
        flush_first(turn);
    }
}

void hs_cursors_flush_all(struct hs_turn *turn)
{
    const struct hs_session *s;
    DL_FOREACH2(turn->core->sessions.cursors, s, cursors_next)
    {
        (void)write_session(turn, (struct hs_session *)(uintptr_t)s);
    }
}
