/* What comes out of a group when a message goes in: events, and staged commits to be looked at before they
 * are merged. The same for a member's group and for a hub's public one. */
#ifndef HS_MLS_EVENT_H
#define HS_MLS_EVENT_H

#include "base/bytes.h"
#include "base/err.h"

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

/* One member as its leaf says; views borrow from the object that gave it. */
struct hs_mls_member {
    uint32_t leaf;
    uint16_t credential_type;
    struct hs_bytes identity; /* basic: the identity; X.509: the encoded certificate list */
    struct hs_key signature_key;
    struct hs_bytes extensions; /* leaf extensions, for hs_mls_extension_find() */
};

/* by is the leaf of the member whose proposal it was: rights are judged proposal by proposal. */
struct hs_mls_added {
    struct hs_mls_member member;
    struct hs_id key_package_ref;
    uint32_t by;
};

struct hs_mls_removed {
    struct hs_mls_member member;
    uint32_t by;
};

struct hs_mls_updated {
    struct hs_mls_member before, after;
};

/* All that a commit does. */
struct hs_mls_change {
    uint64_t epoch;                 /* the epoch that it leads to */
    struct hs_mls_member committer; /* as before the commit */
    struct hs_mls_added *added;
    struct hs_mls_removed *removed;
    struct hs_mls_updated *updated; /* Update proposals, and the committer where the commit has a path */
    size_t added_count, removed_count, updated_count;
    bool has_path, removes_self;
    bool extensions_proposed;
    uint32_t extensions_by;
    struct hs_bytes old_extensions, new_extensions; /* GroupContext extensions, always both */
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
    struct hs_id ref;            /* ProposalRef (RFC 9420, 5.2) */
    struct hs_mls_member target; /* ADD: the newcomer (leaf 0); UPDATE: the new leaf; REMOVE: who is to go */
    struct hs_bytes extensions;  /* GROUP_CONTEXT_EXTENSIONS: the new list */
};

struct hs_mls_event {
    enum hs_mls_event_kind kind;
    uint64_t epoch;              /* of the message */
    struct hs_mls_member sender; /* with the credential of that epoch */
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
