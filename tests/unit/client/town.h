/* A town to test the client in: nodes that are the real core on stores in memory, devices that are the real
 * sync on sealed stores on disk, no sockets between them, and a clock that stands still unless it is moved.
 *
 * A device can be cut off, and can die at any moment: what it hadn't committed is gone, as after a power cut.
 */
#ifndef TESTS_CLIENT_TOWN_H
#define TESTS_CLIENT_TOWN_H

#include "support/test.h"

#include "core/core.h"
#include "crypto/sign.h"
#include "store/blob_job.h"
#include "store/db.h"
#include "support/kv_count.h"
#include "sync/sync.h"

enum { TOWN_NODES = 4, TOWN_DEVICES = 96, TOWN_EVENTS = 1024, TOWN_DAY_MS = 86400000 };

struct town;

struct town_node {
    struct town *town;
    char domain[64];
    struct hs_signer root, signer;
    struct hs_secret32 transport;
    struct hs_key transport_pub;
    struct hs_bytes descriptor;
    struct kv_count kv;
    struct hs_core *core;
    struct hs_effects effects;
    struct hs_blob_files *blobs; /* from the first BLOB effect on */
    char blob_dir[64];
    bool down;   /* can't be reached */
    bool silent; /* down, and whoever dials it isn't told: a machine that is off */
    uint64_t incarnation;
};

struct town_device {
    struct town *town;
    char dir[64];
    uint8_t key[32];
    struct hs_db *db;
    struct kv_count kv; /* of its write transactions */
    struct hs_sync *sync;
    uint64_t session;       /* 0: none */
    bool dead;              /* not running */
    size_t die_after;       /* dies in that many commits from now; 0: doesn't */
    bool die_before_commit; /* there, or right behind it, before anything is released */
    size_t cut_after;       /* its session breaks behind that many commits from now; 0: doesn't */
    size_t commits;
    bool (*outgoing)(struct town_device *d,
                     struct hs_bytes frame); /* sees what it sends; false: it is lost */
    uint32_t loses; /* the body_case of a Frame: what it sends of that kind is lost; 0: nothing is */
    struct hs_bytes (*incoming)(struct town_device *d, struct hs_bytes frame,
                                struct hs_arena *arena); /* what its home makes of what comes */
    struct hanse_event events[TOWN_EVENTS];              /* as they came; texts are in texts */
    char texts[TOWN_EVENTS][256];
    size_t event_count;
    void (*on_step)(struct town_device *d, bool begins); /* around its own code; NULL: nobody asks */
    bool frail; /* ends where its machine fails it, as a program does that hanse_step() tells so */
    void (*on_event)(struct town_device *d,
                     const struct hanse_event *event); /* NULL: nobody reacts at once */
};

struct town *town_new(void);
void town_free(struct town *t);

struct hs_time town_now(const struct town *t);
struct town_node *town_node_new(struct town *t, const char *domain);

/* A backup; and dying, to come back with that one, which it takes over. */
struct hs_kv *town_node_copy(struct town_node *node);
void town_node_restore(struct town_node *node, struct hs_kv *backup);

/* New signing and transport keys under its root, and a start with them. */
void town_node_rotate(struct town_node *node);

/* Rooms of it stand still since then; the operator lets all go on. */
bool town_node_is_frozen(struct town_node *node);
void town_node_resume(struct town_node *node);

/* Its sessions with other nodes break. */
void town_node_cut(struct town_node *node);

/* roles: HS_ROLE_BIT()s; 0: a customers' ticket for uses accounts. handle may be NULL. The text lives in the
 * town. */
const char *town_ticket(struct town_node *node, uint32_t roles, const char *handle, uint32_t uses);

struct town_device *town_device_new(struct town *t);

/* All of them, in the order in which they were made; NULL behind the last. */
struct town_device *town_device_at(struct town *t, size_t i);
struct town_node *town_node_at(struct town *t, size_t i);
void town_device_start(struct town_device *d);

/* Gone as after a power cut. */
void town_device_kill(struct town_device *d);

/* A copy of the store of a device that isn't running, as bytes; and the device with that store instead of its
 * own. */
struct hs_bytes town_device_copy(struct town_device *d);
void town_device_restore(struct town_device *d, struct hs_bytes copy);

/* Its session breaks; it will dial again. */
void town_device_cut(struct town_device *d);

/* Until nothing moves any more at the present time. */
void town_run(struct town *t);

/* The clock moves on by ms, with everything that is due on the way. */
void town_wait(struct town *t, int64_t ms);

/* The clock jumps, and nothing happens on the way. */
void town_skip(struct town *t, int64_t ms);

/* One call with a step of the device, committed: TOWN_WANT(d, hs_want_text(&s, &room, "hello", &op)). */
enum hs_err town_open(struct town_device *d, struct hs_step *s, struct hs_arena *arena);
enum hs_err town_close(struct town_device *d, struct hs_step *s, enum hs_err err);
#define TOWN_WANT(d, call)                                                                                   \
    do {                                                                                                     \
        struct hs_step s;                                                                                    \
        struct hs_arena HS_ARENA town_arena_ = hs_arena(HS_STEP_ARENA);                                      \
        assert_ok(town_open((d), &s, &town_arena_));                                                         \
        assert_ok(town_close((d), &s, (call)));                                                              \
    } while (0)
#define TOWN_WANT_ERR(d, call, want)                                                                         \
    do {                                                                                                     \
        struct hs_step s;                                                                                    \
        struct hs_arena HS_ARENA town_arena_ = hs_arena(HS_STEP_ARENA);                                      \
        assert_ok(town_open((d), &s, &town_arena_));                                                         \
        assert_err(town_close((d), &s, (call)), want);                                                       \
    } while (0)

/* The same where its machine may fail: err is what came of it, and a frail device may have ended. */
#define TOWN_TRY(d, err, call)                                                                               \
    do {                                                                                                     \
        struct hs_step s;                                                                                    \
        struct hs_arena HS_ARENA town_arena_ = hs_arena(HS_STEP_ARENA);                                      \
        (err) = town_open((d), &s, &town_arena_);                                                            \
        if ((err) == HS_OK)                                                                                  \
            (err) = town_close((d), &s, (call));                                                             \
        town_survives((d), (err));                                                                           \
    } while (0)
void town_survives(struct town_device *d, enum hs_err err);

/* The DONE of op; NULL where it didn't come. */
const struct hanse_event *town_done(const struct town_device *d, uint64_t op);

/* The newest event of that kind; NULL where there was none. */
const struct hanse_event *town_event(const struct town_device *d, enum hanse_event_kind kind);
size_t town_event_count(const struct town_device *d, enum hanse_event_kind kind);

/* A look at the store: reads with kv in the arena between begin and end. */
struct hs_kv *town_look(struct town_device *d);
void town_looked(struct town_device *d);

/* The texts of a room's history, one a line, in the town's memory until the next call. */
const char *town_history(struct town_device *d, const struct hs_id *room);

/* The shortest way to an account: identity by that name, ticket, done; with roles, or without any. */
struct town_device *town_member_of_staff(struct town_node *node, const char *name, uint32_t roles);
struct town_device *town_customer(struct town_node *node, const char *name);

/* A room of d's, created; a link to it; joined by a fresh device. */
struct hs_id town_room(struct town_device *d, const char *name);
struct hs_id town_room_as(struct town_device *d, const struct hanse_room_spec *spec);
const char *town_link(struct town_device *d, const struct hs_id *room, uint32_t uses);
struct town_device *town_guest(struct town *t, const char *name, const char *link);

/* A device with an account becomes a member within some seconds. */
void town_join(struct town_device *d, const char *link);

#endif
