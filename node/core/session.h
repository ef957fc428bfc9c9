/* Who is connected: sessions, what they may do, and how far each has been served. All of it is forgotten when
 * the process ends. */
#ifndef HS_CORE_SESSION_H
#define HS_CORE_SESSION_H

#include "core/core.h"

#include <uthash.h>

enum hs_session_state {
    HS_SESSION_NEW,    /* nobody yet: may authenticate, nothing else */
    HS_SESSION_DEVICE, /* a device of persona */
    HS_SESSION_NODE,   /* another brand's node, named by its root */
};

/* A subscriber reads rooms and an inbox: a device (its signature key) or a node (its root). */
struct hs_session {
    uint64_t id;
    enum hs_session_state state;
    struct hs_key remote_static;
    uint8_t handshake_hash[64];
    struct hs_key subscriber;
    struct hs_key persona; /* DEVICE */
    bool account;          /* DEVICE: has one here */
    bool outbound;         /* this node dialled; the other side is the hub */
    bool attached;
    bool closed;         /* is being closed: nothing more is read from it or sent to it */
    uint64_t inbox_next; /* the next inbox item to send */
    bool inbox_due;
    struct hs_position *positions;
    size_t position_count, position_size;
    size_t budget;
    double tokens; /* requests that may come now */
    struct hs_time tokens_at;
    UT_hash_handle hh;            /* by id */
    UT_hash_handle hh_subscriber; /* by subscriber, while attached */
};

/* How far a session has been served in one room. */
struct hs_position {
    struct hs_id room;
    uint64_t next, until;
    bool due;
    size_t place; /* among the readers of the room */
};

/* Who reads a room, so that a record costs its readers and nobody else. position: index in the session's
 * list. */
struct hs_reader {
    struct hs_session *session;
    size_t position;
};

struct hs_readers {
    struct hs_id room;
    struct hs_reader *list;
    size_t len, size;
    UT_hash_handle hh;
};

struct hs_sessions {
    struct hs_session *by_id, *by_subscriber;
    struct hs_readers *readers;
};

struct hs_session *hs_session_add(struct hs_sessions *sessions, uint64_t id);
struct hs_session *hs_session_find(const struct hs_sessions *sessions, uint64_t id);

/* The attached session of a subscriber; NULL where it isn't connected. */
struct hs_session *hs_session_of(const struct hs_sessions *sessions, const struct hs_key *subscriber);

void hs_session_remove(struct hs_sessions *sessions, struct hs_session *session);
void hs_sessions_free(struct hs_sessions *sessions);

/* The only place where a session's state changes. False where it is somebody else already; the same again is
 * nothing new. */
bool hs_session_become(struct hs_session *session, enum hs_session_state state,
                       const struct hs_key *subscriber);

/* From now on it is the session of its subscriber, and is served; or no more. */
void hs_session_attach(struct hs_sessions *sessions, struct hs_session *session);
void hs_session_detach(struct hs_sessions *sessions, struct hs_session *session);

/* The position in room; NULL where the session doesn't read it. */
struct hs_position *hs_session_position(const struct hs_session *session, const struct hs_id *room);

/* The same, made where it isn't there; NULL without memory. */
struct hs_position *hs_session_read(struct hs_sessions *sessions, struct hs_session *session,
                                    const struct hs_id *room);

/* Something new is in room: every session that reads it has work due. */
void hs_sessions_room_due(struct hs_sessions *sessions, const struct hs_id *room);

/* Takes one request from the session's allowance; false where it has none left. */
bool hs_session_spend(struct hs_session *session, struct hs_time now);

/* Requests that a session may make at once, and per second: a person's fastest client stays far below, and a
 * thousand such sessions can't starve the others. */
enum { HS_REQUEST_BURST = 2000, HS_REQUEST_RATE = 500 };

#endif
