#include "core/recovery/recovery.h"

#include "core/internal.h"
#include "core/recovery/recover.h"

#include <stdlib.h>

struct hs_recovery *hs_recovery_of(struct hs_core *core, const struct hs_id *room)
{
    struct hs_recovery *found = NULL;
    HASH_FIND(hh, core->recoveries, room, sizeof *room, found);
    return found;
}

struct hs_recovery *hs_recovery_get(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_recovery *r = hs_recovery_of(turn->core, room);
    if (r != NULL || HASH_COUNT(turn->core->recoveries) >= HS_RECOVER_ROOMS)
        return r;
    r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->room = *room;
    r->since = turn->now;
    HASH_ADD(hh, turn->core->recoveries, room, sizeof r->room, r);
    if (HS_IS_HASHED(hh, r))
        return r;
    free(r);
    return NULL;
}

void hs_recovery_drop(struct hs_core *core, struct hs_recovery *r)
{
    core->recover_hashes -= r->count;
    free(r->hashes);
    r->hashes = NULL;
    r->count = 0;
    r->proved = false;
}

void hs_recovery_free(struct hs_core *core, struct hs_recovery *r)
{
    HASH_DELETE(hh, core->recoveries, r);
    while (r->readers != NULL) {
        struct hs_recover_reader *first = r->readers;
        HASH_DELETE(hh, r->readers, first);
        free(first);
    }
    hs_recovery_drop(core, r);
    free(r);
}

void hs_recoveries_free(struct hs_core *core)
{
    while (core->recoveries != NULL)
        hs_recovery_free(core, core->recoveries);
}

void hs_recoveries_undone(struct hs_core *core)
{
    for (struct hs_recovery *r = core->recoveries; r != NULL; r = r->hh.next) {
        r->asked_at.ms = 0;
        r->rests = false;
    }
}

void hs_recovery_check(struct hs_core *core, struct hs_recovery *r, uint64_t next_seq)
{
    if (r->first <= next_seq)
        return;
    hs_recovery_drop(core, r);
    r->first = 0;
    for (struct hs_recover_reader *reader = r->readers; reader != NULL; reader = reader->hh.next)
        for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++)
            reader->claims[i].refuted = false;
    hs_recovery_again(r);
}

void hs_recovery_forget(struct hs_core *core, struct hs_recovery *r, uint64_t next_seq)
{
    hs_recovery_check(core, r, next_seq);
    if (r->count > 0 && next_seq >= r->first + r->count) {
        hs_recovery_drop(core, r);
        hs_recovery_again(r); /* what nobody could lead to the log's end leads there now, perhaps */
    }
}

/* ---- who has come ---- */

struct hs_recover_reader *hs_recovery_reader(const struct hs_recovery *r, const struct hs_key *key)
{
    struct hs_recover_reader *found = NULL;
    HASH_FIND(hh, r->readers, key, sizeof *key, found);
    return found;
}

static bool claims_beyond(const struct hs_recover_reader *reader, uint64_t next_seq)
{
    for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++)
        if (reader->claims[i].seq >= next_seq)
            return true;
    return false;
}

static void set_known(struct hs_recovery *r, struct hs_recover_reader *reader, bool known)
{
    r->unknown -= reader->known || !known ? 0 : 1;
    reader->known = reader->known || known;
}

/* A place for one more that isn't known: that of one who was asked, and had nothing to show. */
static bool make_way(struct hs_recovery *r)
{
    struct hs_recover_reader *one = r->readers;
    if (r->unknown < HS_RECOVER_UNKNOWN)
        return true;
    while (one != NULL && (one->known || one->idle < HS_RECOVER_ANSWERS || claims_beyond(one, 1)))
        one = one->hh.next;
    if (one == NULL)
        return false;
    HASH_DELETE(hh, r->readers, one);
    free(one);
    r->unknown--;
    return true;
}

void hs_recovery_came(struct hs_recovery *r, const struct hs_key *key, uint64_t next, bool known)
{
    struct hs_recover_reader *one = hs_recovery_reader(r, key);
    if (one == NULL && !known && !make_way(r))
        return;
    if (one == NULL) {
        size_t places = HS_RECOVER_READERS + HS_RECOVER_UNKNOWN;
        one = HASH_COUNT(r->readers) < places ? calloc(1, sizeof *one) : NULL;
        if (one == NULL)
            return;
        one->key = *key;
        HASH_ADD(hh, r->readers, key, sizeof one->key, one);
        if (!HS_IS_HASHED(hh, one)) {
            free(one);
            return;
        }
        r->unknown++;
    }
    set_known(r, one, known);
    one->next = next;
    one->idle = 0;
    if (hs_key_equal(&r->asking, key))
        r->asked_at.ms = 0; /* in another session, which has ended */
    r->rests = false;
}

void hs_recovery_claim(struct hs_recovery *r, struct hs_recover_reader *reader, size_t which, uint64_t seq,
                       const struct hs_id *hash)
{
    struct hs_claim *claim = &reader->claims[which];
    if (claim->seq == seq && hs_id_equal(&claim->hash, hash))
        return;
    *claim = (struct hs_claim){.seq = seq, .hash = *hash};
    for (const struct hs_recover_reader *other = r->readers; other != NULL; other = other->hh.next)
        for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++)
            if (other->claims[i].seq == seq && hs_id_equal(&other->claims[i].hash, hash)) {
                claim->tried = claim->tried || other->claims[i].tried;
                claim->refuted = claim->refuted || other->claims[i].refuted;
            }
    r->rests = false;
}

/* silent: there was no answer in time. */
static void answered(struct hs_recovery *r, struct hs_recover_reader *reader, bool moved, bool silent,
                     uint64_t next_seq)
{
    reader->idle = moved ? 0 : reader->idle + 1;
    if (reader->idle >= HS_RECOVER_ANSWERS && !silent && !claims_beyond(reader, next_seq))
        reader->next = 0; /* it says that it holds more, and has no head to show for it */
    if (hs_key_equal(&r->asking, &reader->key))
        r->asked_at.ms = 0;
    r->rests = r->rests && !moved;
}

void hs_recovery_answered(struct hs_recovery *r, struct hs_recover_reader *reader, bool moved,
                          uint64_t next_seq)
{
    answered(r, reader, moved, false, next_seq);
}

bool hs_recovery_is_content(const struct hs_recovery *r, const struct hs_key *key, uint64_t next_seq)
{
    const struct hs_recover_reader *found = hs_recovery_reader(r, key);
    return found != NULL && found->next <= next_seq && !claims_beyond(found, next_seq);
}

bool hs_recovery_lacks(const struct hs_recovery *r, uint64_t next_seq)
{
    for (const struct hs_recover_reader *reader = r->readers; reader != NULL; reader = reader->hh.next)
        for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++)
            if (reader->claims[i].seq >= next_seq && !reader->claims[i].refuted)
                return true;
    return false;
}

void hs_recovery_again(struct hs_recovery *r)
{
    for (struct hs_recover_reader *reader = r->readers; reader != NULL; reader = reader->hh.next) {
        reader->idle = 0;
        for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++)
            reader->claims[i].tried = reader->claims[i].refuted;
    }
    r->rests = false;
}

/* ---- which head is tried ---- */

/* The highest head that wasn't yet; it is from now on, whoever has shown it. False where there is none. */
static bool next_claim(struct hs_recovery *r, uint64_t next_seq, struct hs_claim *out)
{
    *out = (struct hs_claim){0};
    for (struct hs_recover_reader *reader = r->readers; reader != NULL; reader = reader->hh.next)
        for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++) {
            const struct hs_claim *claim = &reader->claims[i];
            if (claim->seq >= next_seq && claim->seq - next_seq < HS_RECOVER_MAX && !claim->tried &&
                claim->seq > out->seq)
                *out = *claim;
        }
    return out->seq > 0;
}

static void was_tried(struct hs_recovery *r, const struct hs_claim *claim, bool refuted)
{
    for (struct hs_recover_reader *reader = r->readers; reader != NULL; reader = reader->hh.next) {
        reader->idle = 0;
        for (size_t i = 0; i < HS_RECOVER_CLAIMS; i++)
            if (reader->claims[i].seq == claim->seq && hs_id_equal(&reader->claims[i].hash, &claim->hash)) {
                reader->claims[i].tried = true;
                reader->claims[i].refuted = refuted;
            }
    }
}

void hs_recovery_refute(struct hs_core *core, struct hs_recovery *r)
{
    struct hs_claim claim = {.seq = r->first + r->count - 1, .hash = r->hashes[r->count - 1]};
    was_tried(r, &claim, true);
    hs_recovery_drop(core, r);
}

void hs_recovery_try(struct hs_turn *turn, struct hs_recovery *r, uint64_t next_seq)
{
    struct hs_claim claim;
    struct hs_core *core = turn->core;
    if (r->count > 0 || !next_claim(r, next_seq, &claim))
        return;
    uint64_t count = claim.seq - next_seq + 1;
    if (core->recover_hashes > 0 && core->recover_hashes + count > HS_RECOVER_HASHES)
        return;
    r->hashes = calloc(count, sizeof *r->hashes);
    if (r->hashes == NULL)
        return;
    was_tried(r, &claim, false);
    core->recover_hashes += count;
    r->first = next_seq;
    r->count = count;
    r->low = claim.seq;
    r->hashes[count - 1] = claim.hash;
    r->until.ms = turn->now.ms + HS_RECOVER_PROOF_MS + (int64_t)(count / HS_RECOVER_HEADERS) * 1000;
}

/* ---- who is asked ---- */

/* What is sent goes to the session of the turn where it is this reader's, which may be about to attach. */
static struct hs_session *session_of(struct hs_turn *turn, const struct hs_key *key)
{
    struct hs_session *own = turn->session;
    return own != NULL && hs_key_equal(&own->subscriber, key) ? own
                                                              : hs_session_of(&turn->core->sessions, key);
}

static bool precedes(const struct hs_recover_reader *a, const struct hs_recover_reader *b)
{
    if (a->idle != b->idle)
        return a->idle < b->idle;
    return a->known != b->known ? a->known : a->asked < b->asked;
}

/* Of those who hold more than the log, the one who has been of use, and who was asked longest ago. */
static struct hs_recover_reader *whose_turn(struct hs_turn *turn, const struct hs_recovery *r,
                                            uint64_t next_seq)
{
    struct hs_recover_reader *best = NULL;
    for (struct hs_recover_reader *one = r->readers; one != NULL; one = one->hh.next) {
        bool may = one->idle < HS_RECOVER_ANSWERS && (one->next > next_seq || claims_beyond(one, next_seq));
        bool better = best == NULL || precedes(one, best);
        if (may && better && session_of(turn, &one->key) != NULL)
            best = one;
    }
    return best;
}

static void ask(struct hs_turn *turn, struct hs_recovery *r, struct hs_recover_reader *reader, uint64_t from)
{
    Hanse__WantTail want = HANSE__WANT_TAIL__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    want.room = hs_pb_data(HS_VIEW(r->room));
    want.from = from;
    want.headers = !r->proved;
    want.below = r->count > 0 && !r->proved ? r->low + 1 : 0;
    frame.want_tail = &want;
    frame.body_case = HANSE__FRAME__BODY_WANT_TAIL;
    hs_turn_send(turn, session_of(turn, &reader->key), &frame);
    r->asking = reader->key;
    r->asked_at = turn->now;
    reader->asked = ++r->questions;
}

void hs_recovery_go_on(struct hs_turn *turn, struct hs_recovery *r, const Hanse__State__RoomView *view)
{
    if (r->broken)
        return;
    if (r->asked_at.ms > 0 && turn->now.ms - r->asked_at.ms < HS_RECOVER_ASK_MS)
        return;
    struct hs_recover_reader *silent = r->asked_at.ms > 0 ? hs_recovery_reader(r, &r->asking) : NULL;
    if (silent != NULL)
        answered(r, silent, false, true, view->next_seq);
    if (r->count > 0 && turn->now.ms >= r->until.ms) {
        hs_recovery_drop(turn->core, r);
        r->rests = false;
    }
    while (!r->rests) {
        hs_recovery_try(turn, r, view->next_seq);
        struct hs_recover_reader *reader = whose_turn(turn, r, view->next_seq);
        if (reader != NULL) {
            ask(turn, r, reader, view->next_seq);
            return;
        }
        r->rests = r->count == 0;
        hs_recovery_drop(turn->core, r); /* and the next one is tried */
    }
}
