/* Who stands behind an MLS leaf: checked by hub and members alike on every leaf that enters a room's tree. */
#ifndef HS_ROOM_LEAF_H
#define HS_ROOM_LEAF_H

#include "identity/credential.h"
#include "mls/event.h"

struct hs_room_member {
    struct hs_key persona; /* or public identity */
    struct hs_key device;  /* the leaf's signature key */
    uint32_t device_number;
    uint32_t roles;                   /* HS_ROLE_BIT()s granted by the hub's root: what it is to the brand */
    char handle[HS_HANDLE_TEXT_SIZE]; /* "name@domain" granted by the hub's root, or empty */
    char display_name[HS_CREDENTIAL_NAME_MAX + 1]; /* chosen by its bearer: shown as such, or empty */
};

/* at: the hub time of the record that brings the leaf in; for a key package that is asked for, now. hub_root:
 * the policy's; the roles and the handle are granted by it. The same answer at every node and member,
 * whatever they know of domains: who shows a handle compares its domain with that of the hub's descriptor.
 *
 * MLS verifies signatures by the leaf's key as it finds it; that the key is a point of the main subgroup,
 * without which its signatures could be judged differently elsewhere, is checked here alone, with the
 * certificate that brings it: BAD_KEY. Other errors of hs_credential_verify(): WRONG_SENDER where the leaf's
 * key isn't the certificate's; WRONG_SIGNER and BAD_CHAIN for grants by another root or for somebody else;
 * EXPIRED, NOT_YET; BAD_SIGNATURE, MALFORMED, UNSUPPORTED (also for a credential that isn't basic),
 * TOO_LARGE, NOMEM. *out is zeros after an error. */
enum hs_err hs_room_leaf_check(const struct hs_mls_member *leaf, const struct hs_key *hub_root,
                               struct hs_time at, struct hs_room_member *out);

/* The persona that the leaf claims, for one that was checked when it entered the tree: no signature is
 * verified. It takes no memory, so that nobody is taken for a stranger for lack of it. MALFORMED, TOO_LARGE,
 * UNSUPPORTED. */
enum hs_err hs_room_leaf_persona(const struct hs_mls_member *leaf, struct hs_key *persona);

/* True where the hub's root vouches for the member: by a handle or by a role. Whoever ranks above member in a
 * room must show it. */
bool hs_room_member_is_endorsed(const struct hs_room_member *member);

#endif
