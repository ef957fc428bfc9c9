/* What disks may hold after the power failed, made from a journal. Of what wasn't synced anything may be
 * there or not, in any mixture, and a write may be torn at sectors. Names that a folder got last are lost
 * first. */
#ifndef TESTS_FAULTS_REPLAY_H
#define TESTS_FAULTS_REPLAY_H

#include "base/bytes.h"
#include "support/rng.h"

struct replay;

/* Something that was promised, or that a promise came to. */
struct replay_mark {
    size_t at; /* the entry's number */
    uint32_t node;
    bool queued, refused, attachment;
    struct hs_id body;
};

struct replay *replay_open(const char *journal);
void replay_free(struct replay *r);

/* How many entries there are: the power may fail behind each. */
size_t replay_len(const struct replay *r);
const struct replay_mark *replay_marks(const struct replay *r, size_t *count);

/* Makes the files of that node under folder (which is there and empty) as they may be when the power fails
 * behind entry at. at must not decrease from call to call. Returns how many writes weren't synced. */
size_t replay_state(struct replay *r, uint32_t node, size_t at, struct rng *rng, const char *folder);

/* How the last state was made, for messages. */
const char *replay_how(const struct replay *r);

#endif
