/* Who is connected: sessions, what they may do, and how far each has been served. All of it is forgotten when
 * the process ends. */
#ifndef HS_CORE_SESSION_H
#define HS_CORE_SESSION_H

#include "core/core.h"
#include "core/hash.h"
#include "core/standing/meter.h"

#include <sys/queue.h>

enum hs_session_state {
    HS_SESSION_NEW,    /* nobody yet: may authenticate, nothing else */
    HS_SESSION_DEVICE, /* a device of persona */
    HS_SESSION_NODE,   /* another brand's node, named by its root */
};

enum {
    HS_HELD_POST_MS = 5000 /* time to say a post again: devices do so after two seconds, nodes after 200 ms */
};

/* What another node may do here; see standing.h. */
enum hs_peer_standing { HS_STANDING_STRANGER, HS_STANDING_INVITED, HS_STANDING_ALLOWED, HS_STANDING_BLOCKED };

/* Where a session waits to be served; see due.h. */
enum hs_due_list { HS_DUE_NOT, HS_DUE_NEW, HS_DUE_BEHIND, HS_DUE_LISTS };

/* A subscriber reads rooms and an inbox: a device (its signature key) or a node (its root). */
struct hs_session {
    uint64_t id;
    enum hs_session_state state;
    struct hs_key remote_static;
    uint8_t handshake_hash[64];
    struct hs_key subscriber;
    struct hs_key persona;          /* DEVICE */
    bool account;                   /* DEVICE: has one here */
    bool outbound;                  /* this node dialled; the other side is the hub */
    enum hs_peer_standing standing; /* NODE */
    struct hs_id domain;            /* NODE: hash of the domain that it claims */
    struct hs_bytes descriptor;     /* NODE that came: what it showed, in memory of its own */
    struct hs_time stranger_until;  /* in the list of strangers: ends then */
    bool attached;
    struct { /* a post that was refused for the moment: none may overtake it */
        struct hs_id body;
        size_t len;
        enum hs_err err;
        struct hs_time until;
    } held_post;
    bool closed;         /* is being closed: nothing more is read from it or sent to it */
    uint64_t inbox_next; /* the next inbox item to send */
    bool inbox_due;
    uint64_t inbox_lost; /* items before this one were gone when it attached, and it hasn't got all; or 0 */
    uint64_t inbox_held; /* what its cursor said, and may not be written yet */
    struct hs_time cursors_at;                      /* when cursors are to be written; 0: nothing waits */
    struct hs_session *cursors_prev, *cursors_next; /* of those with cursors to write */
    struct hs_position *positions;
    size_t position_count, position_size;
    size_t first_due, last_due; /* of the positions with something due: index + 1, 0 where there is none */
    enum hs_due_list due_in;
    struct hs_session *due_prev, *due_next;
    size_t budget;
    double ephemeral_spent;       /* ephemeral messages that it sent of late */
    struct hs_time ephemeral_at;  /* as of then */
    struct hs_meter meter;        /* of a node that isn't a stranger: the one of its root instead */
    UT_hash_handle hh;            /* by id */
    UT_hash_handle hh_subscriber; /* by subscriber, while attached */
    TAILQ_ENTRY(hs_session) strangers;
};

/* How far a session has been served in one room. */
struct hs_position {
    struct hs_id room;
    uint64_t next, until;
    uint64_t held; /* what its cursor said and may not be written yet; 0: nothing */
    uint64_t told; /* sequence of the hub's descriptor that it has */
    bool due;
    size_t next_due;            /* the next position with something due: index + 1, or 0 */
    struct hs_readers *readers; /* of the room */
    size_t place;               /* among them */
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
    bool due; /* something new is in the room */
    struct hs_readers *due_prev, *due_next;
    struct hs_pump_room *pumped; /* what the round of that number has read of it */
    uint64_t pumped_round;
    UT_hash_handle hh;
};

TAILQ_HEAD(hs_strangers, hs_session);

struct hs_sessions {
    struct hs_session *by_id, *by_subscriber;
    struct hs_strangers strangers; /* the oldest first */
    size_t stranger_count;
    struct hs_readers *readers;
    struct hs_session *cursors; /* whose cursors are to be written, in the order in which they are due */
    struct hs_session *due[HS_DUE_LISTS];
    struct hs_readers *rooms_due;
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

/* From now on it is the session of its subscriber, and is served; or no more. False without memory. */
bool hs_session_attach(struct hs_sessions *sessions, struct hs_session *session);
void hs_session_detach(struct hs_sessions *sessions, struct hs_session *session);

/* The position in room; NULL where the session doesn't read it. */
struct hs_position *hs_session_position(const struct hs_session *session, const struct hs_id *room);

/* The same, made where it isn't there; NULL without memory. */
struct hs_position *hs_session_read(struct hs_sessions *sessions, struct hs_session *session,
                                    const struct hs_id *room);

/* Whether it is a stranger that must join until then; 0: no more. */
void hs_session_stranger(struct hs_sessions *sessions, struct hs_session *session, struct hs_time until);
/* Who reads the room; NULL where nobody does. */
const struct hs_readers *hs_session_readers(const struct hs_sessions *sessions, const struct hs_id *room);

/* Nothing waits to be written of its cursors. */
void hs_session_cursors_done(struct hs_sessions *sessions, struct hs_session *session);

/* Requests that a device may make at once, and per second: a person's fastest client stays far below, and a
 * thousand such sessions can't starve the others. */
enum { HS_REQUEST_BURST = 2000, HS_REQUEST_RATE = 500 };

#endif
