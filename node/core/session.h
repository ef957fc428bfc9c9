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
    UT_hash_handle hh;
};

/* How far a session has been served in one room. */
struct hs_position {
    struct hs_id room;
    uint64_t next, until;
    bool due;
};

struct hs_sessions {
    struct hs_session *by_id;
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

/* The position in room, made where it isn't there; NULL without memory. */
struct hs_position *hs_session_position(struct hs_session *session, const struct hs_id *room, bool make);

/* Something new is in room: every session that reads it has work due. */
void hs_sessions_room_due(struct hs_sessions *sessions, const struct hs_id *room);

/* Takes one request from the session's allowance; false where it has none left. */
bool hs_session_spend(struct hs_session *session, struct hs_time now);

/* Requests that a session may make at once, and per second: a person's fastest client stays far below, and a
 * thousand such sessions can't starve the others. */
enum { HS_REQUEST_BURST = 2000, HS_REQUEST_RATE = 500 };

#endif
