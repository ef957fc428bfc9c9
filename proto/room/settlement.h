/* Settlement: a hub can check neither a commit's path ciphertexts nor its confirmation tag, so the epoch that
 * a commit leads to counts for good only once members have said that they could follow (spec/rooms.md). What
 * decides is a record, SETTLED or VOID, that quotes their signed verdicts; hub and members check it by the
 * functions below. */
#ifndef HS_ROOM_SETTLEMENT_H
#define HS_ROOM_SETTLEMENT_H

#include "room/policy.h"
#include "schema/object.pb-c.h"

struct hs_signer;

enum {
    HS_SETTLE_VOID_MS = 5000,    /* a commit that is reported bad and isn't settled by then is void */
    HS_SETTLE_VERDICTS_MAX = 16, /* so many good ones are enough in any room: their record is 5 KiB */
    HS_SETTLE_BAD_QUOTED = 4,    /* by a VOID record: one is enough */
    HS_SETTLE_BAR_MS = 3600000,  /* how long the committer of a void commit can't commit */
    HS_SETTLE_BARS_MAX = 32,     /* barred at once: as many commits as MLS takes back in one epoch */
    HS_SETTLE_VERDICT_LEN = 480, /* of a whole verdict: all fields at their largest make 360 */
    HS_SETTLE_BODY_MAX =
        8192 /* of a SETTLED or VOID record: as many as may be quoted fit, with 512 to spare */
};
static_assert(HS_SETTLE_VERDICTS_MAX * HS_SETTLE_VERDICT_LEN + 512 <= HS_SETTLE_BODY_MAX);

/* A member before the commit. */
struct hs_settler {
    struct hs_key device, persona;
};

/* One commit that isn't settled, and who may speak of it. */
struct hs_settlement {
    struct hs_id room;
    uint64_t seq;                   /* of the commit's record */
    struct hs_id commit;            /* chain hash of that record */
    struct hs_time time;            /* hub time of that record */
    struct hs_key committer;        /* its device */
    const struct hs_policy *policy; /* before the commit */
    /* The member at that leaf before the commit, where the commit doesn't remove it. NULL: whoever has joined
     * by that commit can't know them, and checks no verdicts. */
    bool (*member)(void *index, uint32_t leaf, struct hs_settler *out);
    void *index;
};

struct hs_verdict {
    uint32_t leaf;
    struct hs_settler by;
    enum hs_err err; /* OK: good */
};

/* err: what the member's MLS, or the room's rules, said of the commit; OK is good. INVALID_ARG, NOMEM. */
enum hs_err hs_verdict_build(const struct hs_settlement *of, const struct hs_signer *device,
                             const struct hs_key *persona, uint32_t leaf, enum hs_err err, struct hs_time now,
                             struct hs_arena *arena, Hanse__SignedObject **out);

/* Which commit does it speak of, and for whom? Nothing is checked yet. MALFORMED. */
struct hs_verdict_claim {
    struct hs_id room, commit;
    uint64_t seq;
    struct hs_key persona;
};
enum hs_err hs_verdict_claim(const Hanse__SignedObject *object, struct hs_verdict_claim *out);

/* Is it genuine, by a member that may speak of this commit? NOT_MEMBER for the committer, for whom the commit
 * removes and for whom wasn't there before; UNEXPECTED for another commit; WRONG_SIGNER, BAD_SIGNATURE,
 * MALFORMED, NOMEM. */
enum hs_err hs_verdict_open(const Hanse__SignedObject *object, const struct hs_settlement *of,
                            struct hs_arena *arena, struct hs_verdict *out);

/* May a member with that role settle a commit alone? */
bool hs_settle_alone(const struct hs_settlement *of, const struct hs_key *persona, struct hs_time at);

/* Do so many good verdicts settle it? connected: devices of members, the committer's and those of whom it
 * removes left out, as the hub counts them; bad: bad verdicts that the hub has; alone: one of the good ones
 * may settle alone. */
bool hs_settle_is_enough(size_t connected, size_t good, size_t bad, bool alone);

/* Bodies of the records. INVALID_ARG for too many verdicts; TOO_LARGE, NOMEM. */
enum hs_err hs_settled_build(const struct hs_settlement *of, uint32_t connected, uint32_t bad,
                             Hanse__SignedObject **good, size_t count, struct hs_writer *body);
enum hs_err hs_void_build(const struct hs_settlement *of, Hanse__SignedObject **bad, size_t count,
                          struct hs_writer *body);

/* Does the record settle, or void, this commit, at its hub time? UNEXPECTED where it names another one;
 * POLICY where its verdicts aren't enough, are of the other kind or are counted twice, or where a VOID comes
 * before its time; errors of hs_verdict_open(); MALFORMED, TOO_LARGE, UNSUPPORTED, NOMEM. */
enum hs_err hs_settled_check(struct hs_bytes body, const struct hs_settlement *of, struct hs_time at);
enum hs_err hs_void_check(struct hs_bytes body, const struct hs_settlement *of, struct hs_time at);

/* Who is barred from committing, and until when (hub time): a list that hub and members derive from the log.
 */
struct hs_bar {
    struct hs_key device;
    struct hs_time until;
};
struct hs_bars {
    struct hs_bar list[HS_SETTLE_BARS_MAX];
    size_t count;
};

/* Notes the committer of a commit that became void at that time; bars that have run out go, then the oldest.
 */
void hs_bars_add(struct hs_bars *bars, const struct hs_key *device, struct hs_time at);
bool hs_bars_has(const struct hs_bars *bars, const struct hs_key *device, struct hs_time at);

#endif
