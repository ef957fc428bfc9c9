#include "core/session.h"

#include "core/delivery/due.h"

#include <stdlib.h>
#include <utlist.h>

struct hs_session *hs_session_add(struct hs_sessions *sessions, uint64_t id)
{
    struct hs_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->id = id;
    HASH_ADD(hh, sessions->by_id, id, sizeof session->id, session);
    if (HS_IS_HASHED(hh, session))
        return session;
    free(session);
    return NULL;
}

struct hs_session *hs_session_find(const struct hs_sessions *sessions, uint64_t id)
{
    struct hs_session *found = NULL;
    HASH_FIND(hh, sessions->by_id, &id, sizeof id, found);
    return found;
}

struct hs_session *hs_session_of(const struct hs_sessions *sessions, const struct hs_key *subscriber)
{
    struct hs_session *found = NULL;
    HASH_FIND(hh_subscriber, sessions->by_subscriber, subscriber, sizeof *subscriber, found);
    return found;
}

bool hs_session_attach(struct hs_sessions *sessions, struct hs_session *session)
{
    struct hs_session *older = hs_session_of(sessions, &session->subscriber);
    if (older != NULL)
        hs_session_detach(sessions, older);
    HASH_ADD(hh_subscriber, sessions->by_subscriber, subscriber, sizeof session->subscriber, session);
    session->attached = HS_IS_HASHED(hh_subscriber, session);
    return session->attached;
}

void hs_session_detach(struct hs_sessions *sessions, struct hs_session *session)
{
    hs_due_leave(sessions, session);
    if (session->attached)
        HASH_DELETE(hh_subscriber, sessions->by_subscriber, session);
    session->attached = false;
}

static struct hs_readers *readers_of(const struct hs_sessions *sessions, const struct hs_id *room)
{
    struct hs_readers *found = NULL;
    HASH_FIND(hh, sessions->readers, room, sizeof *room, found);
    return found;
}

const struct hs_readers *hs_session_readers(const struct hs_sessions *sessions, const struct hs_id *room)
{
    return readers_of(sessions, room);
}

/* The last one of the list takes the place that becomes free. */
static void stop_reading(struct hs_sessions *sessions, const struct hs_position *position)
{
    struct hs_readers *readers = position->readers;
    struct hs_reader last = readers->list[--readers->len];
    readers->list[position->place] = last;
    last.session->positions[last.position].place = position->place;
    if (readers->len > 0)
        return;
    if (readers->due)
        DL_DELETE2(sessions->rooms_due, readers, due_prev, due_next);
    HASH_DELETE(hh, sessions->readers, readers);
    free(readers->list);
    free(readers);
}

void hs_session_cursors_done(struct hs_sessions *sessions, struct hs_session *session)
{
    if (session->cursors_at.ms > 0)
        DL_DELETE2(sessions->cursors, session, cursors_prev, cursors_next);
    session->cursors_at.ms = 0;
}

void hs_session_remove(struct hs_sessions *sessions, struct hs_session *session)
{
    hs_session_cursors_done(sessions, session);
    hs_session_detach(sessions, session);
    hs_session_stranger(sessions, session, (struct hs_time){0});
    for (size_t i = 0; i < session->position_count; i++)
        stop_reading(sessions, &session->positions[i]);
    HASH_DELETE(hh, sessions->by_id, session);
    free(session->positions);
    free((void *)(uintptr_t)session->descriptor.data);
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

struct hs_position *hs_session_position(const struct hs_session *session, const struct hs_id *room)
{
    for (size_t i = 0; i < session->position_count; i++)
        if (hs_id_equal(&session->positions[i].room, room))
            return &session->positions[i];
    return NULL;
}

static struct hs_readers *readers_new(struct hs_sessions *sessions, const struct hs_id *room)
{
    struct hs_readers *readers = calloc(1, sizeof *readers);
    if (readers == NULL)
        return NULL;
    readers->room = *room;
    HASH_ADD(hh, sessions->readers, room, sizeof readers->room, readers);
    if (HS_IS_HASHED(hh, readers))
        return readers;
    free(readers);
    return NULL;
}

/* Room for one more reader; NULL without memory. */
static struct hs_readers *readers_grow(struct hs_sessions *sessions, const struct hs_id *room)
{
    struct hs_readers *readers = readers_of(sessions, room);
    size_t len = readers != NULL ? readers->len : 0, had = readers != NULL ? readers->size : 0;
    if (len < had)
        return readers;
    size_t size = had > 0 ? 2 * had : 4;
    struct hs_reader *grown = realloc(readers != NULL ? readers->list : NULL, size * sizeof *grown);
    if (grown == NULL)
        return NULL;
    if (readers == NULL && (readers = readers_new(sessions, room)) == NULL) {
        free(grown);
        return NULL;
    }
    readers->list = grown;
    readers->size = size;
    return readers;
}

static bool positions_grow(struct hs_session *session)
{
    if (session->position_count < session->position_size)
        return true;
    size_t size = session->position_size > 0 ? 2 * session->position_size : 4;
    struct hs_position *grown = realloc(session->positions, size * sizeof *grown);
    if (grown == NULL)
        return false;
    session->positions = grown;
    session->position_size = size;
    return true;
}

struct hs_position *hs_session_read(struct hs_sessions *sessions, struct hs_session *session,
                                    const struct hs_id *room)
{
    struct hs_position *position = hs_session_position(session, room);
    if (position != NULL)
        return position;
    struct hs_readers *readers = positions_grow(session) ? readers_grow(sessions, room) : NULL;
    if (readers == NULL)
        return NULL;
    readers->list[readers->len] = (struct hs_reader){session, session->position_count};
    position = &session->positions[session->position_count++];
    *position = (struct hs_position){.room = *room, .readers = readers, .place = readers->len++};
    return position;
}

void hs_session_stranger(struct hs_sessions *sessions, struct hs_session *session, struct hs_time until)
{
    if (session->stranger_until.ms != 0) {
        TAILQ_REMOVE(&sessions->strangers, session, strangers);
        sessions->stranger_count--;
    }
    if (until.ms != 0) {
        TAILQ_INSERT_TAIL(&sessions->strangers, session, strangers);
        sessions->stranger_count++;
    }
    session->stranger_until = until;
}
