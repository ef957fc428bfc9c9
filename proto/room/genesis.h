/* The first record of a room: its owner and first policy. The room's id is its hash. */
#ifndef HS_ROOM_GENESIS_H
#define HS_ROOM_GENESIS_H

#include "object/object.h"
#include "room/policy.h"

/* Who founds a room. */
struct hs_genesis_spec {
    const struct hs_signer *device;         /* the owner's device */
    const Hanse__SignedObject *certificate; /* of that device, by the owner's key */
    const struct hs_policy *policy; /* lists the owner as HS_ROOM_OWNER; hub_term HS_POLICY_HUB_TERM_FIRST */
    struct hs_time now;
    const uint8_t *nonce; /* 16 bytes, or NULL for random ones */
};

/* Appends the body of the GENESIS record (GenesisBody) and gives the room's id. INVALID_ARG where the
 * certificate isn't for the device, or the policy isn't a valid first one; TOO_LARGE where it is too long for
 * an object, NOMEM.
 */
enum hs_err hs_genesis_build(const struct hs_genesis_spec *spec, struct hs_writer *body, struct hs_id *room);

struct hs_genesis {
    struct hs_id room;
    struct hs_key owner, device;
    struct hs_time created;
    struct hs_policy policy;      /* in the arena */
    struct hs_bytes policy_bytes; /* what the GroupContext extension must hold; in the arena */
};

/* Checks the body of a GENESIS record: the certificate held when the genesis was made, its device signed, the
 * owner owns the first policy, which names the hub. at: hub time of the record, which created may exceed by
 * the clock skew. Who may found rooms is the node's to decide. WRONG_SIGNER (issuer or signer isn't the
 * certificate's), POLICY (the issuer isn't the owner, another hub term than the first, the audience isn't the
 * hub), NOT_YET, EXPIRED, BAD_SIGNATURE, BAD_KEY, UNEXPECTED, errors of hs_policy_parse(), MALFORMED, NOMEM.
 */
enum hs_err hs_genesis_verify(struct hs_bytes body, struct hs_time at, struct hs_arena *arena,
                              struct hs_genesis *out);

#endif
