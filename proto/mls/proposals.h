/* Proposals (RFC 9420, 12.1 to 12.3): judged one by one, then as the list of a commit, then applied. */
#ifndef HS_MLS_PROPOSALS_H
#define HS_MLS_PROPOSALS_H

#include "mls/staged.h"

/* May such a sender make a proposal of this type (RFC 9420, 12.1.8 and 12.4.3.2)? */
bool hs_mls_may_propose(enum hs_mls_sender_type sender, enum hs_mls_proposal_type type);

/* Judges one proposal as far as it can be without the rest of a list (RFC 9420, 12.1): what depends on it, as
 * whether all members know what new extensions ask for, is judged with the commit. Gives the verified leaf of
 * an Add or Update, with a reference of its own, else NULL. MLS_PROPOSAL, MLS_KEY_PACKAGE, MLS_LEAF,
 * MLS_VERSION, NOMEM. */
enum hs_err hs_mls_proposal_check(const struct hs_mls_state *state, const struct hs_mls_author *by,
                                  const struct hs_mls_proposal *proposal, struct hs_mls_leaf **leaf);

/* One proposal, however it came into the list. */
struct hs_mls_listed {
    enum hs_mls_proposal_type type;
    struct hs_mls_author by;
    uint32_t at;              /* UPDATE, REMOVE: the leaf that it is for */
    struct hs_mls_leaf *leaf; /* ADD, UPDATE: verified */
    struct hs_bytes raw;      /* borrowed from the commit or from what waits */
};

struct hs_mls_list {
    struct hs_mls_listed *items;
    size_t count, size;
    size_t of_type[HS_MLS_GROUP_CONTEXT_EXTENSIONS + 1];
};

void hs_mls_list_free(struct hs_mls_list *list);
#define HS_MLS_LIST HS_AUTO(hs_mls_list_free)

/* Resolves the content of a vector of ProposalOrRef, and judges it as a whole (RFC 9420, 12.2) but for what
 * can be seen only after it was applied: hs_mls_stage_check(). list: empty; to be freed also on failure. */
enum hs_err hs_mls_list_read(const struct hs_mls_public *pub, const struct hs_mls_author *committer,
                             struct hs_bytes encoded, struct hs_mls_list *list);

/* Applies it in the order of RFC 9420, 12.3, and notes what changes. NOMEM, TOO_LARGE. */
enum hs_err hs_mls_list_apply(struct hs_mls_staged *staged, const struct hs_mls_list *list);

#endif
