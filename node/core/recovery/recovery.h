/* What a restored hub knows, in memory, of one of its rooms that stands still: who has come, what heads they
 * have shown, which of these heads is being proved just now, and who was asked for that. Nothing here judges
 * what comes; tail_take.c does.
 *
 * A reader may show a head and withhold what leads to it. So the heads are tried one after another, the
 * highest first, each for a time; every reader is asked for what is wanted, in turn, and one question is
 * under way in a room at a time. */
#ifndef HS_CORE_RECOVERY_H
#define HS_CORE_RECOVERY_H

#include "core/state.pb-c.h"
#include "core/turn.h"

enum {
    HS_RECOVER_CLAIMS = 2,    /* of a reader: its newest head, and one of what it holds itself */
    HS_RECOVER_ANSWERS = 3,   /* of a reader, that bring nothing: it isn't asked again for this head */
    HS_RECOVER_UNKNOWN = 64,  /* readers of a room of whom the node doesn't know that they may read: anybody
                                 can  say so, and those whom it knows must find a place */
    HS_RECOVER_ASK_MS = 5000, /* then the next reader is asked */
    HS_RECOVER_PROOF_MS = 20000, /* a head is proved in this time, and a second for each 128 records; and so
                                    long nothing may come of what it covers */
    HS_RECOVER_HASHES = 1 << 22, /* of all rooms at once: 128 MiB; one room has as many as it needs */
};

/* A head that this node has signed. */
struct hs_claim {
    uint64_t seq; /* 0: none */
    struct hs_id hash;
    bool tried;
    bool refuted; /* it is of another story than the log: that was told before the backup was made */
};

struct hs_recover_reader {
    struct hs_key key;
    uint64_t next; /* it holds everything before, as it said when it came */
    struct hs_claim claims[HS_RECOVER_CLAIMS];
    bool known;     /* the views say that it reads the room */
    unsigned idle;  /* questions in a row that brought nothing */
    uint64_t asked; /* the number of the last question */
    UT_hash_handle hh;
};

struct hs_recovery {
    struct hs_id room;
    struct hs_time since;
    struct hs_recover_reader *readers;
    uint64_t first, count; /* the records first .. first + count - 1 are to come back; count 0: none, and the
                              last ones began at first */
    uint64_t low;          /* hashes are known from this one on */
    struct hs_id *hashes;
    bool proved; /* the headers lead from the head to the log's end */
    struct hs_time until;
    struct hs_key asking; /* whom the question under way was put to */
    struct hs_time asked_at;
    uint64_t questions;
    size_t unknown; /* readers */
    uint32_t term;  /* the latest one of which somebody has shown a head by this node */
    bool broken;    /* a record that came back couldn't be applied: nothing more is taken until a restart */
    bool told;      /* the operator, that a head isn't proved */
    bool rests;     /* nobody is left to be asked for anything, until something new comes */
    UT_hash_handle hh;
};

/* NULL where nobody has come for the room. */
struct hs_recovery *hs_recovery_of(struct hs_core *core, const struct hs_id *room);

/* The same, begun where it isn't; NULL without memory, or where too many are under way. */
struct hs_recovery *hs_recovery_get(struct hs_turn *turn, const struct hs_id *room);
void hs_recovery_free(struct hs_core *core, struct hs_recovery *r);

/* A reader has come, and says that it holds everything before next. What is past HS_RECOVER_READERS isn't
 * noted; of those who aren't known HS_RECOVER_UNKNOWN are, one that has shown nothing gives way. */
void hs_recovery_came(struct hs_recovery *r, const struct hs_key *key, uint64_t next, bool known);
struct hs_recover_reader *hs_recovery_reader(const struct hs_recovery *r, const struct hs_key *key);

/* It has shown a head that this node signed: in place which of its claims. */
void hs_recovery_claim(struct hs_recovery *r, struct hs_recover_reader *reader, size_t which, uint64_t seq,
                       const struct hs_id *hash);

/* It has answered; moved: with something new. Who has nothing to show for what it says that it holds, beyond
 * next_seq, holds nothing. */
void hs_recovery_answered(struct hs_recovery *r, struct hs_recover_reader *reader, bool moved,
                          uint64_t next_seq);

/* Begins with the highest head that wasn't tried yet, where none is: there may be no memory at the moment. */
void hs_recovery_try(struct hs_turn *turn, struct hs_recovery *r, uint64_t next_seq);

/* The head that is tried isn't any more. */
void hs_recovery_drop(struct hs_core *core, struct hs_recovery *r);

/* The same, for the headers have shown that it doesn't lead to the log's end. */
void hs_recovery_refute(struct hs_core *core, struct hs_recovery *r);

/* It has come, and holds nothing that isn't in a log that ends before next_seq. */
bool hs_recovery_is_content(const struct hs_recovery *r, const struct hs_key *key, uint64_t next_seq);

/* This node has signed more than a log that ends before next_seq: somebody has shown it. */
bool hs_recovery_lacks(const struct hs_recovery *r, uint64_t next_seq);

/* All heads may be tried again, with everybody's help. */
void hs_recovery_again(struct hs_recovery *r);

/* Asks for what is wanted next, of the one whose turn it is, where nothing is under way. */
void hs_recovery_go_on(struct hs_turn *turn, struct hs_recovery *r, const Hanse__State__RoomView *view);

/* What was asked in turns that came to nothing has never left. */
void hs_recoveries_undone(struct hs_core *core);

/* Before anything is judged by a log that ends before next_seq: where it was judged by a longer one, the turn
 * that made that log came to nothing. Then all heads are tried again, also those that were refuted, and none
 * is under way. */
void hs_recovery_check(struct hs_core *core, struct hs_recovery *r, uint64_t next_seq);

/* After that: what was to come back is wanted no more where such a log has it. It is looked up there: a turn
 * that brought it may have come to nothing. */
void hs_recovery_forget(struct hs_core *core, struct hs_recovery *r, uint64_t next_seq);

void hs_recoveries_free(struct hs_core *core);

#endif
