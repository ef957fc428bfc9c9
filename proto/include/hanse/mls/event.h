/* libhanse-mls: what came out of a message: what a proposal or a commit would do, or a text.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_EVENT_H
#define HANSE_MLS_EVENT_H

#include <hanse/mls/proposal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hanse_mls_added {
    struct hanse_mls_member member;
    struct hanse_mls_hash key_package_ref;
    struct hanse_mls_author by;
};

struct hanse_mls_removed {
    struct hanse_mls_member member;
    struct hanse_mls_author by;
};

struct hanse_mls_updated {
    struct hanse_mls_member before, after;
};

struct hanse_mls_psk_used {
    struct hanse_mls_psk_id id;
    struct hanse_mls_author by;
};

/* All that a commit does, proposal by proposal with whoever made it; a commit's own proposals are by its
 * committer. The state before it is the group's, as long as it isn't merged. */
struct hanse_mls_change {
    uint64_t epoch; /* that it leads to */
    struct hanse_mls_member
        committer; /* as before the commit; of an external one: the newcomer, as after it */
    bool external; /* the committer comes in by it */
    bool resync;   /* and its former leaf goes */
    const struct hanse_mls_added *added; /* by Add; an external committer isn't among them */
    const struct hanse_mls_removed *removed;
    const struct hanse_mls_updated *updated; /* by Update, and the committer where its commit has a path */
    const struct hanse_mls_psk_used *psks;
    size_t added_count, removed_count, updated_count, psk_count;
    bool has_path, removes_self;
    bool extensions_proposed;
    struct hanse_mls_author extensions_by;
    struct hanse_mls_bytes old_extensions, new_extensions; /* of the GroupContext, encoded; always both */
    bool reinit_proposed; /* after this commit nothing can be sent or committed any more */
    struct hanse_mls_author reinit_by;
    struct hanse_mls_reinit reinit;
};

/* A commit that was checked in full and changes nothing until it is merged. Part of its event. */
struct hanse_mls_staged;

/* What it does; valid as long as the event lives, also after the merge. NULL for NULL. */
HANSE_API const struct hanse_mls_change *hanse_mls_staged_change(const struct hanse_mls_staged *staged);

/* Is this GroupInfo (MLSMessage) the one of the epoch that the staged commit leads to: same context, the
 * commit's confirmation tag, the committer's signature, the same tree where it carries one? MLS_COMMIT,
 * INVALID_ARG for NULL. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_staged_matches(const struct hanse_mls_staged *staged,
                                                                  struct hanse_mls_bytes group_info);

/* A proposal that stands alone. */
struct hanse_mls_proposal {
    uint16_t type;
    struct hanse_mls_hash ref;      /* ProposalRef (RFC 9420, 5.2) */
    struct hanse_mls_member target; /* ADD: the newcomer (leaf 0); UPDATE: the new leaf; REMOVE: who goes */
    struct hanse_mls_bytes extensions; /* GROUP_CONTEXT_EXTENSIONS: the new list, encoded */
    struct hanse_mls_psk_id psk;
    struct hanse_mls_reinit reinit;
};

enum hanse_mls_event_kind {
    HANSE_MLS_EVENT_APPLICATION = 1, /* plaintext */
    HANSE_MLS_EVENT_PROPOSAL,        /* proposal; it waits in the group for a commit of this epoch */
    HANSE_MLS_EVENT_COMMIT,          /* staged: look, then merge, or free the event */
    HANSE_MLS_EVENT_OWN_COMMIT       /* one's own pending commit came back: hanse_mls_group_accept() */
};

/* What came out of a message. Views live as long as the event. */
struct hanse_mls_event {
    enum hanse_mls_event_kind kind;
    uint64_t epoch; /* of the message */
    struct hanse_mls_author author;
    struct hanse_mls_member sender; /* a member with the credential of that epoch; a newcomer's leaf, at
                                       UINT32_MAX; empty for an external sender */
    struct hanse_mls_bytes authenticated_data;
    struct hanse_mls_bytes plaintext;
    struct hanse_mls_proposal proposal;
    struct hanse_mls_staged *staged;
};

/* Frees the event with its staged commit, wipes the plaintext. */
HANSE_API void hanse_mls_event_free(struct hanse_mls_event *event);

#ifdef __cplusplus
}
#endif

#endif
