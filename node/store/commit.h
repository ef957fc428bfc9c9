/* The commit thread: gathers the core's inputs and carries them out in rounds. A round is one write
 * transaction with one sync; what is due to sessions afterwards is read before the sync, and only behind it
 * are the effects handed out. While one round syncs the next one gathers, so load makes rounds larger and no
 * timer is needed; and what the round will have for many sessions is shown, so that it is ready when it may
 * leave.
 *
 * The caller's thread pushes inputs, is woken, takes rounds in their order and gives them back. Everything
 * here may be called from that one thread only; the core and the store belong to the commit thread until
 * hs_commit_free(). */
#ifndef HS_STORE_COMMIT_H
#define HS_STORE_COMMIT_H

#include "base/writer.h"
#include "core/core.h"
#include "store/histogram.h"
#include "store/lmdb_kv.h"

#include <stdatomic.h>

enum {
    HS_ROUND_INPUTS = 4096,   /* frames of a round: keeps its transaction short */
    HS_ROUND_BYTES = 4 << 20, /* of frames of a round */
    HS_ROUNDS = 4,     /* gathering, committing, and two that wait to be taken: bounds all memory here */
    HS_TICK_MS = 1000, /* the core is told the time at least so often */
    HS_READER_CHECK_MS = 60 * 1000
};

struct hs_commit;

struct hs_commit_config {
    struct hs_core *core;  /* borrowed */
    struct hs_lmdb *store; /* borrowed */
    /* From the commit thread: a round is there to be taken or, while it syncs, to be looked at, or all is
     * done. Must not block, nor call anything here. */
    void (*wake)(void *arg);
    void *arg;
    size_t show_from; /* a round that has at least so many frames for sessions is shown while it syncs */
    /* From the commit thread: the store failed (or the core did, which is as bad). What isn't synced is lost
     * and wasn't acknowledged; a second sync proves nothing. Ends the process; must not return. */
    void (*failed)(enum hs_err err, const char *doing);
    struct hs_time (*now)(void);
};

/* What became of one input. */
struct hs_round_input {
    struct hs_core_input input;
    bool dropped; /* nothing of it happened, for lack of memory or space: its session must be closed */
};

/* One round, as it is taken. Read it, then give it back. */
struct hs_round {
    struct hs_round_input *inputs; /* in their order; bytes are valid until the round is given back */
    size_t len;
    struct hs_effects effects; /* of the inputs, in their order: answers, and what else is to be done */
    struct hs_effects due;     /* frames for sessions, one session after another, behind the answers */
    enum hs_err withdrawn;     /* STORE_FULL, NOMEM: nothing of due happened, its sessions must be closed */
    atomic_bool is_through;    /* hs_round_is_through() */
    /* of the commit thread */
    struct hs_effects former; /* of a first try that came to nothing */
    struct hs_round *next;
    size_t size, frames;
    struct hs_writer bytes;
};

/* Starts the thread. NOMEM, or BUSY where the system gives no thread. */
enum hs_err hs_commit_start(const struct hs_commit_config *config, struct hs_commit **out);

/* True where the gathering round takes another frame. */
bool hs_commit_has_room(const struct hs_commit *c);

/* Queues a copy of the input and its bytes. BUSY for a frame that finds no room, NOMEM; INVALID_STATE after
 * hs_commit_finish(). Other inputs than frames are always taken: each session has at most a few under way. */
enum hs_err hs_commit_push(struct hs_commit *c, const struct hs_core_input *input);

/* The next finished round; NULL where there is none. */
struct hs_round *hs_commit_take(struct hs_commit *c);

/* The round that is being synced and will be taken next, where it has much for sessions. Its effects, here,
 * and what is due may be looked at until it is taken; nothing of them may leave before. */
struct hs_syncing {
    const struct hs_round *round;
    const struct hs_effect *effects;
    size_t len;
};
/* False where there is none, or another one is to be taken first. */
bool hs_commit_syncing(const struct hs_commit *c, struct hs_syncing *out);

/* A round that was shown can be taken now. */
bool hs_round_is_through(const struct hs_round *round);

void hs_commit_give_back(struct hs_commit *c, struct hs_round *round);

/* No more inputs will come: the thread carries out what is queued and ends. Rounds must go on being taken
 * until hs_commit_is_done(). */
void hs_commit_finish(struct hs_commit *c);
bool hs_commit_is_done(const struct hs_commit *c);

/* Finishes, drops the rounds that weren't taken and frees. NULL is fine. */
void hs_commit_free(struct hs_commit *c);

enum { HS_COMMIT_UNIT = 64 };
struct hs_commit_stats {
    struct hs_core_stats core;
    struct hs_lmdb_stats store;
    uint64_t rounds, inputs, retried, dropped;
    bool full;
    uint64_t entries[HS_CORE_TABLES]; /* of the store's tables */
    struct hs_histogram commit_us;    /* writing and syncing what a round changed; unit HS_COMMIT_UNIT */
    struct hs_histogram round_inputs; /* unit 1 */
};
/* As of the last round. */
struct hs_commit_stats hs_commit_stats(const struct hs_commit *c);

#endif
