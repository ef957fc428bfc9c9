#include "core/session.h"

#include <stdlib.h>

struct hs_session *hs_session_add(struct hs_sessions *sessions, uint64_t id)
{
    struct hs_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->id = id;
    session->tokens = HS_REQUEST_BURST;
    HASH_ADD(hh, sessions->by_id, id, sizeof session->id, session);
    return session;
}

struct hs_session *hs_session_find(const struct hs_sessions *sessions, uint64_t id)
{
    struct hs_session *found = NULL;
    HASH_FIND(hh, sessions->by_id, &id, sizeof id, found);
    return found;
}

struct hs_session *hs_session_of(const struct hs_sessions *sessions, const struct hs_key *subscriber)
{
    for (struct hs_session *s = sessions->by_id; s != NULL; s = s->hh.next)
        if (s->attached && hs_key_equal(&s->subscriber, subscriber))
            return s;
    return NULL;
}

void hs_session_remove(struct hs_sessions *sessions, struct hs_session *session)
{
    HASH_DELETE(hh, sessions->by_id, session);
    free(session->positions);
    hs_wipe(session, sizeof *session);
    free(session);
}

void hs_sessions_free(struct hs_sessions *sessions)
{
    while (sessions->by_id != NULL)
        hs_session_remove(sessions, sessions->by_id);
}

bool hs_session_become(struct hs_session *session, enum hs_session_state state,
                       const struct hs_key *subscriber)
{
    if (session->state != HS_SESSION_NEW)
        return session->state == state && hs_key_equal(&session->subscriber, subscriber);
    session->state = state;
    session->subscriber = *subscriber;
    return true;
}

struct hs_position *hs_session_position(struct hs_session *session, const struct hs_id *room, bool make)
{
    for (size_t i = 0; i < session->position_count; i++)
        if (hs_id_equal(&session->positions[i].room, room))
            return &session->positions[i];
    if (!make)
        return NULL;
    if (session->position_count == session->position_size) {
        size_t size = session->position_size > 0 ? 2 * session->position_size : 4;
        struct hs_position *grown = realloc(session->positions, size * sizeof *grown);
        if (grown == NULL)
            return NULL;
        session->positions = grown;
        session->position_size = size;
    }
    struct hs_position *position = &session->positions[session->position_count++];
    *position = (struct hs_position){.room = *room};
    return position;
}

void hs_sessions_room_due(struct hs_sessions *sessions, const struct hs_id *room)
{
    for (struct hs_session *s = sessions->by_id; s != NULL; s = s->hh.next) {
        struct hs_position *position = s->attached ? hs_session_position(s, room, false) : NULL;
        if (position != NULL)
            position->due = true;
    }
}

bool hs_session_spend(struct hs_session *session, struct hs_time now)
{
    int64_t passed = now.ms - session->tokens_at.ms;
    if (passed > 0)
        session->tokens += (double)passed * HS_REQUEST_RATE / 1000;
    session->tokens_at = now; /* also where the clock was set back */
    if (session->tokens > HS_REQUEST_BURST)
        session->tokens = HS_REQUEST_BURST;
    if (session->tokens < 1)
        return false;
    session->tokens -= 1;
    return true;
}
