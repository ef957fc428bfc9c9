/* RootSuccessor: the owner of a root says which root takes its place. Both roots sign, so that nobody is
 * named who doesn't know of it. It travels in the new root's descriptors. It replaces nothing by itself:
 * whoever has pinned the old root is told that this root's owner vouches for the new one, and a thief of the
 * old root's key could have done so as well. */
#ifndef HS_IDENTITY_SUCCESSOR_H
#define HS_IDENTITY_SUCCESSOR_H

#include "object/object.h"

/* INVALID_ARG where both are one; NOMEM. */
enum hs_err hs_successor_build(const struct hs_signer *old_root, const struct hs_signer *new_root,
                               struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out);

/* new_root: the one that has shown it. *old_root is the one whose place it takes. WRONG_SIGNER for another
 * new root or where both are one; NOT_YET; BAD_KEY; MALFORMED, errors of hs_object_open(). */
enum hs_err hs_successor_verify(const Hanse__SignedObject *obj, const struct hs_key *new_root,
                                struct hs_time now, struct hs_key *old_root);

#endif
