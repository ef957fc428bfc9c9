/* A member's move to another home node: a statement of the persona itself, and the body of a HOME_MOVE
 * record. */
#ifndef HS_ROOM_HOME_MOVE_H
#define HS_ROOM_HOME_MOVE_H

#include "base/writer.h"
#include "object/object.h"

enum { HS_HOME_MOVE_MAX = 1024 /* the object's bytes; some 400 are used */ };

struct hs_home_move {
    struct hs_id room;
    struct hs_key persona;
    struct hs_key home_root; /* the node that answers for the persona from now on */
    uint64_t number;         /* grows with each move of this persona: an older one counts no more */
    uint64_t next_seq;       /* the first record that the persona's device doesn't hold yet */
};

/* Appends the packed object. INVALID_ARG where number is 0; NOMEM. */
enum hs_err hs_home_move_build(const struct hs_signer *persona, const struct hs_home_move *move,
                               struct hs_time now, struct hs_writer *out);

/* The bytes of one, for that room. WRONG_SIGNER, BAD_SIGNATURE; MLS_GROUP for another room; MALFORMED,
 * TOO_LARGE, UNSUPPORTED, UNEXPECTED, NOMEM. *out is zeros after an error. */
enum hs_err hs_home_move_verify(struct hs_bytes bytes, const struct hs_id *room, struct hs_home_move *out);

#endif
