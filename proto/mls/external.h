/* What those do who aren't members (yet): external commits, and proposals from outside (RFC 9420, 12.4.3.2
 * and 12.1.8). */
#ifndef HS_MLS_EXTERNAL_H
#define HS_MLS_EXTERNAL_H

#include "mls/group.h"

struct hs_mls_external_join {
    struct hs_bytes group_info;     /* MLSMessage, of the current epoch, with external_pub */
    struct hs_bytes tree;           /* out-of-band ratchet tree, or empty where GroupInfo carries it */
    struct hs_mls_leaf_params leaf; /* one's own; the signer is copied into the group */
    bool resync; /* remove one's former leaf: the one with the same signature key (NOT_FOUND without one) */
    const struct hs_mls_psk_id *psk_ids; /* PSKs to bring in; their nonces are made here */
    size_t psk_id_count;
    const struct hs_mls_psk *psks; /* their secrets */
    size_t psk_count;
    struct hs_bytes authenticated_data;
    struct hs_mls_settings settings;
};

/* Joins by an external commit: the message goes to the orderer, and the group, which is in the next epoch
 * already, counts only if it was accepted; else free it, and join the newer epoch. The whole group is checked
 * as with a Welcome. result: welcome stays empty. MLS_TREE, MLS_LEAF, BAD_SIGNATURE, MLS_VERSION, MALFORMED,
 * MLS_PROPOSAL (a key of one's own is in the group already), NOT_FOUND (no external_pub, former leaf or PSK),
 * INVALID_ARG, NOMEM. */
enum hs_err hs_mls_group_join_external(const struct hs_mls_external_join *join,
                                       const struct hs_mls_commit_result *result, struct hs_mls_group **out);

/* Who proposes from outside: a sender of the external_senders extension (index there), or a newcomer that
 * proposes its own Add (RFC 9420, 12.1.8.1). */
struct hs_mls_outsider {
    const struct hs_mls_signer *signer;
    bool newcomer; /* signer: that of the KeyPackage */
    uint32_t index;
    struct hs_bytes group_id;
    uint64_t epoch;
};

/* Writes the proposal as MLSMessage(PublicMessage). INVALID_ARG for a type that isn't allowed from outside:
 * only Add for a newcomer; no Update and no ExternalInit for anybody. */
enum hs_err hs_mls_outsider_propose(const struct hs_mls_outsider *outsider,
                                    const struct hs_mls_proposal_request *request, struct hs_writer *out);

/* The external_senders extension's data (RFC 9420, 12.1.8.1), for a group's list of extensions. */
struct hs_mls_external_sender {
    struct hs_bytes signature_key;
    uint16_t credential_type;
    struct hs_bytes identity;
};
enum hs_err hs_mls_external_senders_write(const struct hs_mls_external_sender *senders, size_t count,
                                          struct hs_writer *out);
/* The index-th of them, borrowed; NOT_FOUND past the last, MALFORMED. */
enum hs_err hs_mls_external_senders_read(struct hs_bytes extension, uint32_t index,
                                         struct hs_mls_external_sender *out);

/* The required_capabilities extension's data (RFC 9420, 11.1). */
struct hs_mls_required {
    const uint16_t *extensions, *proposals, *credentials;
    size_t extension_count, proposal_count, credential_count;
};
enum hs_err hs_mls_required_write(const struct hs_mls_required *required, struct hs_writer *out);

#endif
