/* Waking devices that sleep: a device may leave a URL, to which this node posts nothing but the fact that
 * something is there. At most once in HS_WAKE_MS for each device, and only while it isn't attached. What the
 * gateway behind the URL does is not this node's affair; it is never waited for. */
#ifndef HS_CORE_WAKE_H
#define HS_CORE_WAKE_H

#include "core/records/stream.h"
#include "core/session.h"
#include "core/turn.h"

enum {
    HS_WAKE_MS = 30000,        /* between two wakes of a device: it needs some seconds to come */
    HS_WAKERS_MAX = 65536,     /* devices with a URL: as many as may be connected */
    HS_WAKE_STATUS_GONE = 410, /* the gateway knows the device no more: its URL is forgotten */
};

struct hs_waker {
    struct hs_key device;
    bool on;  /* has a URL */
    bool due; /* something is there that it hasn't been woken for */
    struct hs_time next_at;
    struct hs_id woken_at; /* the hash of the URL at which it was woken last */
    UT_hash_handle hh;
    struct hs_waker *prev, *next; /* among those that are due */
};

/* A room with sleepers: a record costs one mark, the sleepers are looked at once a tick. */
struct hs_waker_room {
    struct hs_id room;
    struct hs_waker **list;
    size_t len, size;
    bool due;
    UT_hash_handle hh;
    struct hs_waker_room *prev, *next;
};

struct hs_wakers {
    struct hs_waker *by_device, *due;
    struct hs_waker_room *by_room, *rooms_due;
};

void hs_wakers_free(struct hs_wakers *wakers);

/* Those of the store, at the start; who has something waiting is woken. */
void hs_wakers_load(struct hs_turn *turn);

/* Something new is in the room, in the device's inbox. */
void hs_wake_room(struct hs_turn *turn, const struct hs_id *room);
void hs_wake_inbox(struct hs_turn *turn, const struct hs_key *device);

/* The device reads that room from now on. */
void hs_wake_subscribed(struct hs_turn *turn, const struct hs_key *device, const struct hs_id *room);

/* The turn's session ends with something undelivered. */
void hs_wake_left(struct hs_turn *turn);

/* Wakes who is due. */
void hs_wake_tick(struct hs_turn *turn);

/* What became of a wake: device 32 | status of HTTP u16, 0 where there was none. */
void hs_wake_done(struct hs_turn *turn, struct hs_bytes bytes);

/* Does that record say what URL wakes the device? */
bool hs_wake_is_from(struct hs_turn *turn, const struct hs_stream_at *at);

#endif
