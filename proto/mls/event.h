/* What comes out of a group when a message goes in: events, and staged commits to be looked at before they
 * are merged. The same for a member's group and for a hub's public one. */
#ifndef HS_MLS_EVENT_H
#define HS_MLS_EVENT_H

#include "mls/provider.h"

/* Credential types (RFC 9420, 5.3). */
enum { HS_MLS_BASIC = 1, HS_MLS_X509 = 2 };

/* Proposal types (RFC 9420, 12.1). */
enum hs_mls_proposal_type {
    HS_MLS_ADD = 1,
    HS_MLS_UPDATE = 2,
    HS_MLS_REMOVE = 3,
    HS_MLS_PSK = 4,
    HS_MLS_REINIT = 5,
    HS_MLS_EXTERNAL_INIT = 6,
    HS_MLS_GROUP_CONTEXT_EXTENSIONS = 7,
};

/* In the place of a leaf where there is none (yet). */
#define HS_MLS_NO_LEAF UINT32_MAX

/* One member as its leaf says; views borrow from the object that gave it. */
struct hs_mls_member {
    uint32_t leaf;
    uint16_t credential_type;
    struct hs_bytes identity; /* basic: the identity; X.509: the encoded certificate list */
    struct hs_bytes signature_key;
    struct hs_bytes extensions; /* leaf extensions, for hs_mls_extension_find() */
};

/* Who sent a message or made a proposal (RFC 9420, 6). */
enum hs_mls_sender_type {
    HS_MLS_SENDER_MEMBER = 1,
    HS_MLS_SENDER_EXTERNAL = 2,
    HS_MLS_SENDER_NEW_MEMBER_PROPOSAL = 3,
    HS_MLS_SENDER_NEW_MEMBER_COMMIT = 4,
};

/* Rights are judged proposal by proposal. index: the leaf of a member, the place of an external sender in the
 * external_senders extension, else 0. A commit's own proposals are by its committer. */
struct hs_mls_author {
    enum hs_mls_sender_type type;
    uint32_t index;
};

struct hs_mls_added {
    struct hs_mls_member member;
    struct hs_mls_hash key_package_ref;
    struct hs_mls_author by;
};

struct hs_mls_removed {
    struct hs_mls_member member;
    struct hs_mls_author by;
};

/* PreSharedKeyID (RFC 9420, 8.4). */
enum hs_mls_psk_type { HS_MLS_PSK_EXTERNAL = 1, HS_MLS_PSK_RESUMPTION = 2 };
enum hs_mls_psk_usage { HS_MLS_PSK_APPLICATION = 1, HS_MLS_PSK_REINIT = 2, HS_MLS_PSK_BRANCH = 3 };

struct hs_mls_psk_id {
    enum hs_mls_psk_type type;
    struct hs_bytes id;          /* EXTERNAL */
    enum hs_mls_psk_usage usage; /* RESUMPTION */
    struct hs_bytes group_id;
    uint64_t epoch;
    struct hs_bytes nonce;
    struct hs_bytes raw; /* as read */
};

struct hs_mls_psk_used {
    struct hs_mls_psk_id id;
    struct hs_mls_author by;
};

/* What the group shall begin anew with (RFC 9420, 12.1.5). */
struct hs_mls_reinit {
    struct hs_bytes group_id;
    uint16_t version, suite;
    struct hs_bytes extensions;
};

struct hs_mls_updated {
    struct hs_mls_member before, after;
};

/* All that a commit does. */
struct hs_mls_change {
    uint64_t epoch; /* the epoch that it leads to */
    struct hs_mls_member
        committer; /* as before the commit; of an external commit: the newcomer, as after it */
    bool external; /* an external commit: the committer comes in by it */
    bool resync;   /* an external commit that removes a leaf: is it the committer's former one? Compare
                      removed[0] with committer */
    struct hs_mls_added *added; /* by Add; an external committer isn't among them */
    struct hs_mls_removed *removed;
    struct hs_mls_updated *updated; /* Update proposals, and the committer where its commit has a path */
    struct hs_mls_psk_used *psks;
    size_t added_count, removed_count, updated_count, psk_count;
    bool has_path, removes_self;
    bool extensions_proposed;
    struct hs_mls_author extensions_by;
    struct hs_bytes old_extensions, new_extensions; /* GroupContext extensions, always both */
    bool reinit_proposed; /* after this commit nothing can be sent or committed any more */
    struct hs_mls_author reinit_by;
    struct hs_mls_reinit reinit;
};

/* A commit that was checked in full but changes nothing until it is merged. */
struct hs_mls_staged;

/* What it does; valid as long as the staged commit lives, also after the merge. */
const struct hs_mls_change *hs_mls_staged_change(const struct hs_mls_staged *staged);

void hs_mls_staged_free(struct hs_mls_staged *staged);

enum hs_mls_event_kind {
    HS_MLS_EVENT_APPLICATION = 1, /* plaintext */
    HS_MLS_EVENT_PROPOSAL,        /* proposal; it is kept for a commit of this epoch */
    HS_MLS_EVENT_COMMIT,          /* staged: look, then merge, or free the event */
    HS_MLS_EVENT_OWN_COMMIT,      /* one's own pending commit came back: hs_mls_group_accept() */
};

/* A proposal that stands alone. */
struct hs_mls_proposal_facts {
    uint16_t type;
    struct hs_mls_hash ref;      /* ProposalRef (RFC 9420, 5.2) */
    struct hs_mls_member target; /* ADD: the newcomer (leaf 0); UPDATE: the new leaf; REMOVE: who is to go */
    struct hs_bytes extensions;  /* GROUP_CONTEXT_EXTENSIONS: the new list */
    struct hs_mls_psk_id psk;    /* PSK */
    struct hs_mls_reinit reinit; /* REINIT */
};

struct hs_mls_event {
    enum hs_mls_event_kind kind;
    uint64_t epoch; /* of the message */
    struct hs_mls_author author;
    struct hs_mls_member sender; /* of a member: with the credential of that epoch; of a new member: its leaf,
                                    at HS_MLS_NO_LEAF; empty for an external sender */
    struct hs_bytes authenticated_data;
    struct hs_bytes plaintext;
    struct hs_mls_proposal_facts proposal;
    struct hs_mls_staged *staged;
    struct hs_mls_event_memory *memory; /* private: what the views borrow from */
};

/* Frees the event and its staged commit, wipes the plaintext; NULL is fine. */
void hs_mls_event_free(struct hs_mls_event *event);
void hs_mls_event_free_at(struct hs_mls_event **event);
#define HS_MLS_EVENT HS_AUTO(hs_mls_event_free_at)

#endif
