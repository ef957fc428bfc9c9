/* libhanse-mls: members, and what can be proposed of them and of a group.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_PROPOSAL_H
#define HANSE_MLS_PROPOSAL_H

#include <hanse/mls/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A member as its leaf says. */
struct hanse_mls_member {
    uint32_t leaf;
    uint16_t credential_type;
    struct hanse_mls_bytes identity, signature_key;
    struct hanse_mls_bytes extensions; /* leaf extensions, encoded */
};

/* Who sent a message or made a proposal (RFC 9420, 6). */
enum hanse_mls_sender_type {
    HANSE_MLS_SENDER_MEMBER = 1,
    HANSE_MLS_SENDER_EXTERNAL = 2,            /* one of external_senders */
    HANSE_MLS_SENDER_NEW_MEMBER_PROPOSAL = 3, /* proposes its own Add */
    HANSE_MLS_SENDER_NEW_MEMBER_COMMIT = 4    /* joins by an external commit */
};

/* index: a member's leaf, the place in external_senders, else 0. */
struct hanse_mls_author {
    enum hanse_mls_sender_type type;
    uint32_t index;
};

/* Proposals (RFC 9420, 12.1). */
enum hanse_mls_proposal_type {
    HANSE_MLS_ADD = 1,
    HANSE_MLS_UPDATE = 2,
    HANSE_MLS_REMOVE = 3,
    HANSE_MLS_PSK = 4,
    HANSE_MLS_REINIT = 5,
    HANSE_MLS_EXTERNAL_INIT = 6,
    HANSE_MLS_GROUP_CONTEXT_EXTENSIONS = 7
};

/* PreSharedKeyID (RFC 9420, 8.4). */
enum hanse_mls_psk_type { HANSE_MLS_PSK_EXTERNAL = 1, HANSE_MLS_PSK_RESUMPTION = 2 };
enum hanse_mls_psk_usage {
    HANSE_MLS_PSK_APPLICATION = 1,
    HANSE_MLS_PSK_REINIT = 2,
    HANSE_MLS_PSK_BRANCH = 3
};

struct hanse_mls_psk_id {
    enum hanse_mls_psk_type type;
    struct hanse_mls_bytes id;      /* EXTERNAL */
    enum hanse_mls_psk_usage usage; /* RESUMPTION: which epoch of which group */
    struct hanse_mls_bytes group_id;
    uint64_t epoch;
    struct hanse_mls_bytes nonce, encoded; /* in what came; in what is asked for they don't count */
};

/* A pre-shared key: an external one, or the resumption secret of another group. A group knows its own. */
struct hanse_mls_psk {
    struct hanse_mls_psk_id id;
    struct hanse_mls_bytes secret;
};

/* What a group shall begin anew with (RFC 9420, 12.1.5). */
struct hanse_mls_reinit {
    struct hanse_mls_bytes group_id;
    uint16_t version, suite;           /* version: 1 (also for 0) */
    struct hanse_mls_bytes extensions; /* encoded */
};

#ifdef __cplusplus
}
#endif

#endif
