#include "core/delivery/due.h"

#include <utlist.h>

static bool has_work(const struct hs_session *session)
{
    return session->attached && session->budget > 0 && (session->inbox_due || session->first_due > 0);
}

void hs_due_leave(struct hs_sessions *sessions, struct hs_session *session)
{
    if (session->due_in != HS_DUE_NOT)
        DL_DELETE2(sessions->due[session->due_in], session, due_prev, due_next);
    session->due_in = HS_DUE_NOT;
}

void hs_due_enter(struct hs_sessions *sessions, struct hs_session *session, enum hs_due_list list)
{
    if (session->due_in != HS_DUE_NOT || !has_work(session))
        return;
    DL_APPEND2(sessions->due[list], session, due_prev, due_next);
    session->due_in = list;
}

void hs_due_inbox(struct hs_sessions *sessions, struct hs_session *session, enum hs_due_list list)
{
    session->inbox_due = true;
    hs_due_enter(sessions, session, list);
}

void hs_due_budget(struct hs_sessions *sessions, struct hs_session *session, size_t budget)
{
    session->budget = budget;
    if (!has_work(session))
        hs_due_leave(sessions, session);
    hs_due_enter(sessions, session, HS_DUE_BEHIND);
}

/* Positions are linked by their indices plus one: their list moves when it grows. */
void hs_due_position(struct hs_sessions *sessions, struct hs_session *session, struct hs_position *position,
                     enum hs_due_list list)
{
    if (!position->due) {
        size_t number = (size_t)(position - session->positions) + 1;
        if (session->first_due == 0)
            session->first_due = number;
        else
            session->positions[session->last_due - 1].next_due = number;
        session->last_due = number;
        position->next_due = 0;
        position->due = true;
    }
    hs_due_enter(sessions, session, list);
}

struct hs_position *hs_due_take(struct hs_session *session)
{
    if (session->first_due == 0)
        return NULL;
    struct hs_position *position = &session->positions[session->first_due - 1];
    session->first_due = position->next_due;
    position->due = false;
    return position;
}

void hs_due_room(struct hs_sessions *sessions, const struct hs_id *room)
{
    struct hs_readers *readers = NULL;
    HASH_FIND(hh, sessions->readers, room, sizeof *room, readers);
    if (readers == NULL || readers->due)
        return;
    readers->due = true;
    DL_APPEND2(sessions->rooms_due, readers, due_prev, due_next);
}

void hs_due_spread(struct hs_sessions *sessions)
{
    while (sessions->rooms_due != NULL) {
        struct hs_readers *readers = sessions->rooms_due;
        DL_DELETE2(sessions->rooms_due, readers, due_prev, due_next);
        readers->due = false;
        for (size_t i = 0; i < readers->len; i++) {
            struct hs_session *session = readers->list[i].session;
            hs_due_position(sessions, session, &session->positions[readers->list[i].position], HS_DUE_NEW);
        }
    }
}
