/* Nodes change their keys under their roots. Which descriptors are known, so that what was signed with an
 * earlier key can still be checked, and who has got new keys isn't taken for who he was:
 *
 *   this node's own: all of them
 *   of hubs that are followed, and of nodes that are no strangers: those whose keys differed, the newest 16
 *
 * Every one was verified before it was kept. */
#ifndef HS_CORE_NODE_KEY_H
#define HS_CORE_NODE_KEY_H

#include "core/turn.h"
#include "identity/descriptor.h"
#include "room/head.h"

enum {
    HS_NODE_KEYS = 16,      /* of another node: years of yearly changes, and no more than 16 KiB */
    HS_RESTORINGS_MAX = 16, /* before the last one, with new keys between them, that are told apart */
    HS_NODE_KEYS_A_DAY = 4, /* changes of another node that are taken in a day: each is kept for good */
    HS_NODE_KEY_DAY_MS = 86400000
};

/* Nobody may come with keys that were replaced: REPLAY. A new pair, where there were HS_NODE_KEYS_A_DAY of
 * them since yesterday: RATE_LIMITED. */
enum hs_err hs_node_key_check(struct hs_turn *turn, const struct hs_descriptor *d);

/* Keeps it where it changes the keys; verified by the caller, and passed by hs_node_key_check(). */
void hs_node_key_learn(struct hs_turn *turn, struct hs_bytes descriptor, const struct hs_descriptor *d);

/* That of the turn's session, a node's that is no stranger (any more). */
void hs_node_key_of_session(struct hs_turn *turn);

/* This node's own, when it starts and when it is renewed. */
void hs_node_key_own(struct hs_turn *turn);

/* A descriptor by this node's own root that somebody else has kept, for this node had it behind the backup
 * that it was restored from: what was signed with its key can be checked again. Another root's, and one whose
 * signing key is known, changes nothing. */
void hs_node_key_recall(struct hs_turn *turn, const Hanse__SignedObject *object);

/* This node is being restored, for that incarnation: which of its own is the newest that it had until then is
 * kept beside the incarnation. before: of the last restoring; 0 where there was none. */
void hs_node_key_restored(struct hs_turn *turn, uint64_t before);

/* The sequence of the oldest own descriptor by which this node may have signed what it has forgotten: the
 * newest that it had when it was restored first after the incarnation since. Since then a room has gone on,
 * which has what was signed before; 0: of the ledger, which is shown things for ever. */
uint64_t hs_node_key_forgotten(struct hs_turn *turn, uint64_t since);

/* The newest one of that root, in the turn's arena: NULL where none is known. out: what it says, or NULL. */
Hanse__SignedObject *hs_node_key_newest(struct hs_turn *turn, const struct hs_key *root,
                                        struct hs_descriptor *out);

/* The first one of that root that names the signing key; NULL where none does. */
Hanse__SignedObject *hs_node_key_of(struct hs_turn *turn, const struct hs_key *root,
                                    const struct hs_key *signing_key, struct hs_descriptor *out);

/* The highest sequence under which that root has named the signing key: a descriptor is renewed, and the key
 * stays. 0 where it never has. */
uint64_t hs_node_key_sequence(struct hs_turn *turn, const struct hs_key *root,
                              const struct hs_key *signing_key);

/* This node's own that names the signer of the object, and was good when that was made. NULL where there is
 * none. */
Hanse__SignedObject *hs_node_key_own_at(struct hs_turn *turn, const struct hs_key *signing_key,
                                        struct hs_time at);

/* A head of the room by one of the keys that the root has named: NOT_FOUND for another key; errors of
 * hs_head_verify(). */
enum hs_err hs_node_key_head(struct hs_turn *turn, const struct hs_key *root,
                             const Hanse__SignedObject *object, const struct hs_id *room,
                             struct hs_head *head);

/* The same in a store, for whoever has no turn. */
enum hs_err hs_node_key_head_in(struct hs_kv *kv, const struct hs_key *root,
                                const Hanse__SignedObject *object, const struct hs_id *room,
                                struct hs_head *head);

#endif
