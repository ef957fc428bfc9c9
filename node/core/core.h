/* The node as a state machine: (transaction, input, now) -> changes and effects. No sockets, no files, no
 * clock, no threads; the same core runs under libuv and LMDB, and in a simulator.
 *
 * The caller gathers inputs, opens one write transaction, feeds each input to hs_core_step(), commits with a
 * sync, and only then carries out the effects: so nothing is acknowledged before it is durable. Where the
 * commit fails for another reason than a shortage, it drops the effects and ends the process. Behind the
 * steps it calls hs_core_pump(), before the commit or with a read transaction after it: that reads what is
 * due to attached sessions out of the logs and gives SEND effects.
 *
 * All calls of one core come from one thread. */
#ifndef HS_CORE_CORE_H
#define HS_CORE_CORE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/kv.h"
#include "crypto/sign.h"

struct hs_core;

/* What nobody fetches from an inbox waits for so long where its subscriber acknowledges nothing, and less
 * than twice as long: longer than a JOIN waits, than posts are known, and than a device lies in a drawer of
 * which its owner still thinks. */
#define HS_INBOX_AGE_DAYS 180
#define HS_INBOX_DAY_MS   (24ll * 3600 * 1000)

struct hs_core_config {
    struct hs_key root;           /* this node's root public key */
    struct hs_signer node_signer; /* the signing key that the descriptor names */
    struct hs_bytes descriptor;   /* SignedObject bytes, copied */
    uint64_t incarnation;         /* grows with each restore */
    int64_t recover_ms;         /* after a restore, who reads a room has so long to come; 0: HS_RECOVER_MS */
    int64_t inbox_ms;           /* what nobody fetches waits so long; 0: HS_INBOX_AGE_DAYS */
    bool wake_http;             /* devices may be woken by http, too */
    struct hs_bytes peer_rules; /* PeerRules bytes: what the operator says of other nodes; may be empty */
};

/* NOMEM; MALFORMED or TOO_LARGE for the rules; BAD_CHAIN where the descriptor isn't signed by the root or
 * names another signing key. */
enum hs_err hs_core_new(const struct hs_core_config *config, struct hs_core **out);
void hs_core_free(struct hs_core *core);

enum hs_core_input_kind {
    HS_INPUT_OPEN,        /* a session finished its handshake: remote_static, handshake_hash, dialled_root */
    HS_INPUT_FRAME,       /* one frame of session: bytes */
    HS_INPUT_CLOSED,      /* session is gone */
    HS_INPUT_ROOM,        /* session can take more: budget = bytes that may be sent to it now */
    HS_INPUT_DIAL_FAILED, /* the node that a DIAL asked for can't be reached: dialled_root */
    HS_INPUT_PEER_RULES,  /* what the operator says of other nodes has changed: bytes */
    HS_INPUT_STOP,        /* the last one: what was to be written later is written now */
    HS_INPUT_DESCRIPTOR,  /* this node's descriptor was renewed: bytes, a SignedObject of the same keys */
    HS_INPUT_WOKEN,       /* what became of a wake: bytes, device 32 | status of HTTP u16 */
    HS_INPUT_DISCOVERED,  /* what was found at a domain: bytes, a Discovered */
    HS_INPUT_TICK,        /* time passed: at the deadline, or once a second */
    HS_INPUT_BLOB,        /* what became of a BLOB effect: done, session, id, blob, ... */
    HS_INPUT_ADMIN,       /* the operator asks: bytes = an AdminRequest; session = the asker's number */
};

enum hs_effect_kind {
    HS_EFFECT_SEND,          /* bytes (one frame) to session */
    HS_EFFECT_AUTHENTICATED, /* session may now send large frames */
    HS_EFFECT_CLOSE,         /* close session after what was sent; err says why */
    HS_EFFECT_DIAL,     /* open a session with the node of root at one of addresses, once; the outcome comes
                           back as OPEN or DIAL_FAILED */
    HS_EFFECT_ADMIN,    /* to the operator who asked: err, or bytes = an AdminAnswer; session = the asker's
                           number */
    HS_EFFECT_WAKE,     /* post nothing to the URL in text, for the device in root; the outcome comes back as
                           WOKEN, or never */
    HS_EFFECT_DISCOVER, /* look for the node of root at the domain in text; the outcome comes back as
                           DISCOVERED, or never */
    HS_EFFECT_BLOB_WRITE,  /* bytes at offset of the blob that comes for room, if that is where its file ends;
                              size: of the whole; known: it is a file already, for another room */
    HS_EFFECT_BLOB_READ,   /* the piece of the blob at offset, of size bytes in all */
    HS_EFFECT_BLOB_DELETE, /* the blob; with size 0 what came of it from there for room, else all of it */
    HS_EFFECT_LOG,         /* a line for the log: text (no bodies, keys or addresses) */
};

struct hs_core_input {
    enum hs_core_input_kind kind;
    uint64_t session;                   /* the caller's number, never 0, never used again */
    struct hs_bytes bytes;              /* FRAME, ADMIN */
    struct hs_key remote_static;        /* OPEN */
    uint8_t handshake_hash[64];         /* OPEN */
    bool outbound;                      /* OPEN: this node dialled */
    struct hs_key dialled_root;         /* OPEN outbound, DIAL_FAILED */
    struct hs_bytes dialled_descriptor; /* OPEN outbound: the SignedObject that named the address, checked */
    size_t budget;                      /* ROOM */
    enum hs_effect_kind done; /* BLOB: which effect; what follows is the effect's, and its outcome */
    uint64_t id, offset, size;
    struct hs_id blob, blob_room;
    struct hs_key blob_from;
    enum hs_err err;
    uint64_t have; /* WRITE: how much is durable */
    bool complete; /* WRITE: all of it, and it is what its name says */
};

/* BLOB effects are answered by who carries them out, under the request's id: BlobStatus with what is durable
 * then, Chunk, or Error. Instead the core is told by a BLOB input of the end of a WRITE (complete), of one
 * that is asked for, of a DELETE, and of everything whose session is 0. */

enum { HS_DIAL_ADDRESSES = 4, HS_ADDRESS_SIZE = 262 };

struct hs_effect {
    enum hs_effect_kind kind;
    uint64_t session;
    struct hs_bytes bytes; /* in the effects' arena */
    enum hs_err err;
    struct hs_key root;
    const char (*addresses)[HS_ADDRESS_SIZE]; /* DIAL: in the effects' arena */
    size_t address_count;
    const char *text; /* LOG, DISCOVER, WAKE: in the effects' arena */
    uint64_t id;      /* BLOB: of the request */
    struct hs_id blob, blob_room;
    struct hs_key blob_from; /* WRITE, DELETE: who brings it for the room, each a part of its own; zeros: this
                                node fetches it */
    uint64_t offset, size;
    bool known;
    bool asked; /* WRITE: the core is told what came of it, whatever it is */
};

/* A list that owns its effects and their bytes. */
struct hs_effects {
    struct hs_effect *list;
    size_t len, size;
    bool incomplete; /* there was no memory for one: what is here may not be carried out */
    struct hs_arena arena;
};
struct hs_effects hs_effects(void);
void hs_effects_reset(struct hs_effects *effects);
void hs_effects_free(struct hs_effects *effects);

/* One input. The transaction may be aborted, and the same input carried out again in another: what the core
 * has in memory stands for that. A peer's fault becomes an Error frame or a CLOSE in the effects, never a
 * returned error: what is returned is this machine's trouble (NOMEM, STORE), on which the transaction must be
 * aborted. Where the store's soft limit is reached the caller sets full, and requests that add data answer
 * STORE_FULL. */
enum hs_err hs_core_step(struct hs_core *core, struct hs_kv *txn, const struct hs_core_input *input,
                         struct hs_time now, bool full, struct hs_effects *effects);

/* The transaction of the steps since the last commit was aborted, and their effects are dropped: what they
 * put on its way to other nodes never left. */
void hs_core_undone(struct hs_core *core);

/* What is due to attached sessions, within their budgets. more: there was work left for lack of time, call
 * again soon (the budgets are kept count of inside; ROOM inputs renew them). Changes nothing in the
 * transaction. Where that is aborted afterwards, the sessions that have effects must be CLOSED: the core
 * counts these as sent; what is due to others after the second try is due as after any change. */
enum hs_err hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                         struct hs_effects *effects, bool *more);

/* When a TICK is wanted at the latest; INT64_MAX where nothing waits. */
struct hs_time hs_core_deadline(const struct hs_core *core);

/* For people and metrics: counters since the start, and how it is now. */
enum { HS_STATS_ERRORS = 256, HS_STATS_PEER_STATES = 4, HS_STATS_STANDINGS = 4 };
struct hs_core_stats {
    uint64_t sessions, rooms, records, deliveries, requests, refused;
    uint64_t refused_by[HS_STATS_ERRORS];   /* by the error's number without its sign */
    uint64_t devices, nodes;                /* of the sessions */
    uint64_t peers[HS_STATS_PEER_STATES];   /* down, dialling, greeting, up */
    uint64_t outbox[HS_STATS_PEER_STATES];  /* posts that wait for these */
    uint64_t standings[HS_STATS_STANDINGS]; /* nodes that are dialled or connected, by hs_peer_standing */
    uint64_t roots_waiting;                 /* domains that show another root: for the operator to judge */
    uint64_t inbox_dropped;                 /* items that nobody has fetched */
    uint64_t blobs, blob_bytes;             /* held here, whole: as the last walk through them has found */
};
struct hs_core_stats hs_core_stats(const struct hs_core *core);

/* The tables of hs_kv that the core uses: 0..HS_CORE_TABLES-1. */
enum { HS_CORE_TABLES = 26 };

#endif
