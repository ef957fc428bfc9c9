/* The use of an invite: a proof by the invite's key for one persona and one key package, so that whoever sees
 * it can't use it again (the body of a JOIN record). */
#ifndef HS_ROOM_JOIN_H
#define HS_ROOM_JOIN_H

#include "base/writer.h"
#include "object/object.h"
#include "room/leaf.h"

struct hs_join_spec {
    const struct hs_signer *invite; /* hs_invite_signer() */
    struct hs_id room;
    struct hs_key persona;
    struct hs_key home_root;     /* the node that answers for the joiner */
    struct hs_bytes key_package; /* MLSMessage */
    struct hs_time now;
};

/* The proof alone, in the arena: a ticket for an account at the hub. INVALID_ARG, NOMEM. */
enum hs_err hs_join_proof_build(const struct hs_join_spec *spec, struct hs_arena *arena,
                                Hanse__SignedObject **out);

/* Appends the body of a JOIN record (JoinBody). INVALID_ARG, TOO_LARGE, NOMEM. */
enum hs_err hs_join_build(const struct hs_join_spec *spec, struct hs_writer *body);

/* What a proof says. */
struct hs_join_proof {
    struct hs_key invite_key;
    struct hs_id room;
    struct hs_key persona, home_root;
    struct hs_id key_package_hash;
    struct hs_time created;
};

/* The proof alone: signed by the invite key that it names. INVITE_INVALID, NOMEM. That the invite exists,
 * holds and has uses left is the caller's to see. */
enum hs_err hs_join_proof_verify(const Hanse__SignedObject *proof, struct hs_join_proof *out);

/* A JOIN may be admitted for so long, by hub time: who waits longer asks anew, with a key package that is
 * younger. */
#define HS_JOIN_WAIT_MS (30 * 24 * 3600 * INT64_C(1000))

/* The one that came at hub time joined can't be admitted at hub time now any more. */
static inline bool hs_join_is_over(struct hs_time joined, struct hs_time now)
{
    return now.ms - joined.ms >= HS_JOIN_WAIT_MS;
}

struct hs_join {
    struct hs_key invite_key;
    struct hs_id room;
    struct hs_key persona, home_root;
    struct hs_id key_package_ref;
    struct hs_room_member member; /* what the key package's leaf says, checked */
};

/* Checks the body of a JOIN record for this room. at: hub time of the record. hub_root: the policy's.
 * INVITE_INVALID where the proof isn't signed by the invite key that it names, or is for another room;
 * INVITE_REPLAYED where it is genuine but was made for another key package or persona; errors of
 * hs_room_package_check() for the key package; MALFORMED, TOO_LARGE for a body that isn't one; NOMEM. *out is
 * zeros after an error. */
enum hs_err hs_join_verify(struct hs_bytes body, const struct hs_id *room, const struct hs_key *hub_root,
                           struct hs_time at, struct hs_join *out);

/* The key package in a body, borrowed from the arena; nothing is verified. MALFORMED, NOMEM. */
enum hs_err hs_join_key_package(struct hs_bytes body, struct hs_arena *arena, struct hs_bytes *key_package);

#endif
