/* A town of devices, a hub that orders what they send, and what must be true of all of them. Everything that
 * happens is drawn from one seed. */
#ifndef TESTS_MLS_MODEL_H
#define TESTS_MLS_MODEL_H

#include "unit/mls/world.h"

#include "mls/external.h"
#include "support/rng.h"

enum {
    DEVICES = 72,
    FULL = 60, /* members, at most */
    PSKS = 3,
    SIGNERS = 6,
    POSTS = 4096,
    ENTRIES = 4096,
    KEPT = 5,   /* past epochs */
    RECENT = 64 /* posts that are read at a time */
};

/* The hub's log. */
enum entry_kind { PROPOSAL, COMMIT, SETTLED, VOIDED };
struct entry {
    enum entry_kind kind;
    struct hs_writer message;
};

/* What all must agree on in the epoch that began with an entry of the log, its moment. */
struct facts {
    bool known, void_again;
    struct hs_id context;
    struct hs_mls_secret authenticator;
    uint8_t exported[16];
};

struct post {
    struct hs_writer message;
    size_t moment, from;
    char text[24];
};

/* Where a device is; saved with its group, and so what a crash goes back to. */
struct place {
    bool in;   /* it has a group */
    size_t at; /* entries of the log that it has taken */
    size_t moment, past[KEPT + 1], past_count;
    bool unsettled, removed;
    uint8_t read[POSTS / 8];
};

struct device {
    struct person p;
    struct hs_mls_signer signers[SIGNERS];
    size_t signer_count;
    struct place now, saved;
    bool invited; /* an Add with its KeyPackage is on the way */
};

struct town {
    struct rng rng;
    bool settling, private_handshakes;
    struct device devices[DEVICES];
    struct entry log[ENTRIES];
    struct facts facts[ENTRIES];
    size_t entry_count, moment, before; /* of the newest epoch, and the one before it */
    uint64_t epoch;
    bool unsettled;
    struct hs_mls_public *hub; /* NULL where handshakes are private */
    struct mls_store *hub_store, *hub_before;
    struct hs_writer info; /* GroupInfo of the newest epoch */
    struct post posts[POSTS];
    size_t post_count;
    size_t epochs, crashes, joins, resyncs, reverts, reads, losers; /* what happened */
};

void town_open(struct town *t, bool settling, bool private_handshakes);
void town_close(struct town *t);

static inline bool chance(struct town *t, size_t one_in)
{
    return rng_below(&t->rng, one_in) == 0;
}

/* In the group, and not removed, as far as it knows itself. */
bool device_is_member(const struct device *d);
size_t town_members(const struct town *t);

/* A transaction: the group and the place. */
void device_save(struct device *d);

/* Maybe; then what wasn't saved is lost. true where it happened. */
bool device_crash(struct town *t, struct device *d);

/* Takes entries of the log until none is left, or it tires. */
void device_follow(struct town *t, struct device *d, bool tires);

/* Gone, with all it knew. */
void device_lose(struct device *d);

/* Sends what was made in that epoch; false where the hub doesn't take it because of what came before. info:
 * of a commit. */
bool town_send(struct town *t, enum entry_kind kind, size_t moment, struct hs_bytes message,
               const struct hs_writer *info);

/* Did the hub take it? */
bool town_took(const struct town *t, struct hs_bytes message);

/* The hub's word on an unsettled epoch. */
void town_decide(struct town *t);

/* The device is in the newest epoch now, by Welcome or by its own commit. */
void device_enter(struct town *t, struct device *d);

/* Notes what the device's epoch is, or holds it against what others noted. */
void device_agrees(struct town *t, const struct device *d);

/* Everything that one of them may do. */
void device_acts(struct town *t, struct device *d);

#endif
