/* Who may sign: the objects that lead from a pinned root to the key on a signed object. Root -> Grant{role}
 * -> persona or identity -> DeviceCertificate -> device key; root -> NodeDescriptor -> node key.
 *
 * Certificates, grants and descriptors are judged at the time that the caller names: the time of the signed
 * object's creation for what is kept, now for what must still hold. */
#ifndef HS_IDENTITY_CHAIN_H
#define HS_IDENTITY_CHAIN_H

#include "identity/certificate.h"
#include "identity/descriptor.h"
#include "identity/grant.h"

enum { HS_CHAIN_MAX = 16 };

struct hs_chain_item;

struct hs_chain {
    struct hs_key root;
    struct hs_chain_item *items; /* in the arena */
    size_t count;
};

/* Who signed an object, as a chain proves it. */
struct hs_actor {
    struct hs_key key;          /* persona, identity, or the node's signing key */
    struct hs_key device;       /* the key that signed; for a node the same */
    Hanse__Role role;           /* of the grant that entitled it; ROLE_NONE where none was asked for */
    struct hs_time from, until; /* the narrowest window of what entitles it; until 0 = no end */
};

/* Verifies every object of a chain: DeviceCertificate, Grant, HandleGrant, NodeDescriptor, each signed as it
 * must be. pinned NULL: the root is that of the descriptor in it, and chain->root reports it. WRONG_SIGNER
 * for an object by another root; BAD_CHAIN for another kind, the same object twice, or (pinned NULL) no
 * descriptor; TOO_LARGE past HS_CHAIN_MAX; errors of the objects' own open functions; NOMEM. */
enum hs_err hs_chain_open(Hanse__SignedObject *const *objects, size_t count, const struct hs_key *pinned,
                          struct hs_arena *arena, struct hs_chain *out);

/* The persona or identity that the device key acts for at that time: out's key, device and window are set,
 * its role is ROLE_NONE. BAD_CHAIN where no certificate is for it; NOT_YET or EXPIRED where none holds at
 * that time. */
enum hs_err hs_chain_device(struct hs_chain *chain, const struct hs_key *device, struct hs_time at,
                            struct hs_actor *out);

/* The roles that the root grants to key at that time: HS_ROLE_BIT()s. */
uint32_t hs_chain_roles(struct hs_chain *chain, const struct hs_key *key, struct hs_time at);

/* Narrows actor's window by the grant of one of the wanted roles (a set; an owner's grant serves for all) and
 * sets its role. WRONG_SIGNER where it has none of them; NOT_YET or EXPIRED where none holds at that time. */
enum hs_err hs_chain_require_role(struct hs_chain *chain, struct hs_actor *actor, uint32_t wanted,
                                  struct hs_time at);

/* The root's node with this signing key at that time. BAD_CHAIN, NOT_YET, EXPIRED. */
enum hs_err hs_chain_node(struct hs_chain *chain, const struct hs_key *node_key, struct hs_time at,
                          struct hs_actor *out);

/* The descriptor with the highest sequence among those that the chain holds; NULL where it has none.
 * Borrowed. */
const struct hs_descriptor *hs_chain_descriptor(struct hs_chain *chain);

/* True where the index-th object has served in an answer so far. */
bool hs_chain_is_used(const struct hs_chain *chain, size_t index);

/* None of its objects has served so far: for whoever asks what the next answer takes. */
void hs_chain_unuse(struct hs_chain *chain);

/* BAD_CHAIN where an object of the chain has served in no answer so far: an offline check refuses ballast. */
enum hs_err hs_chain_all_used(const struct hs_chain *chain);

/* When a chain's links are judged. */
enum hs_judge {
    HS_JUDGE_AT_CREATION, /* what is kept: a receipt stays good when its signer's grant has run out */
    HS_JUDGE_NOW          /* what asks for something now: both at its creation and now */
};

/* What an object must be to count. */
struct hs_expect {
    enum hs_kind kind;
    uint32_t roles; /* one of this set; 0 = any persona */
    enum hs_judge judge;
    struct hs_time now; /* for HS_JUDGE_NOW; the object's own window is checked by the caller */
};

/* Opens an object that a device signed: signature, the certificate that leads to its issuer, the issuer's
 * role. Errors of hs_object_open(), hs_chain_device() and hs_chain_require_role(); WRONG_SIGNER where the
 * header names another issuer. */
enum hs_err hs_chain_open_by_device(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                    const struct hs_expect *expect, struct hs_arena *arena,
                                    ProtobufCMessage **payload, struct hs_actor *actor);

/* Opens an object that the root's node signed; expect->roles isn't used. */
enum hs_err hs_chain_open_by_node(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                  const struct hs_expect *expect, struct hs_arena *arena,
                                  ProtobufCMessage **payload, struct hs_actor *actor);

#endif
