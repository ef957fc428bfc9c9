/* How a commit becomes a staged one: the steps that a committer, a receiver and a hub have in common
 * (RFC 9420, 12.2 to 12.4). Each works on a state of its own that shares the tree with the current one. */
#ifndef HS_MLS_STAGED_H
#define HS_MLS_STAGED_H

#include "base/arena.h"
#include "mls/event.h"
#include "mls/state.h"
#include "mls/treekem.h"

/* The secret part; only members have one. */
struct hs_mls_next_secrets;

struct hs_mls_staged {
    struct hs_mls_state before, next;
    struct hs_mls_change change;
    struct hs_arena arena;      /* lists of change, newcomers, touched; the proposals' content */
    struct hs_mls_author by;    /* the committer */
    uint32_t committer;         /* its leaf in the new tree; HS_MLS_NO_LEAF until a newcomer has one */
    struct hs_bytes kem_output; /* of ExternalInit, as long as this lives */
    uint32_t *newcomer_leaves;
    struct hs_mls_newcomers newcomers;
    uint32_t *touched; /* nodes with new keys, in the array form */
    size_t touched_count, touched_by_proposals;
    struct hs_mls_leaf **held; /* those that change shows, so that they stay */
    size_t held_count;
    bool path_required, merged;
    struct hs_mls_next_secrets *secrets;
};

void hs_mls_staged_free_at(struct hs_mls_staged **staged);
#define HS_MLS_STAGED HS_AUTO(hs_mls_staged_free_at)

/* committer: a member, or SENDER_NEW_MEMBER_COMMIT. NOT_MEMBER where the committer's leaf is blank;
 * INVALID_STATE after a ReInit. */
enum hs_err hs_mls_stage_begin(const struct hs_mls_public *pub, const struct hs_mls_author *committer,
                               struct hs_mls_staged **out);

/* The leaf as change shows it; held as long as staged lives. There is room for those of the list and of the
 * committer. */
struct hs_mls_member hs_mls_staged_member(struct hs_mls_staged *staged, struct hs_mls_leaf *leaf,
                                          uint32_t index);

/* Judges the list of proposals as a whole and applies it. list: content of a vector of ProposalOrRef.
 * MLS_PROPOSAL, MLS_KEY_PACKAGE, MLS_LEAF, UNSUPPORTED, TOO_LARGE, NOMEM. */
enum hs_err hs_mls_stage_proposals(const struct hs_mls_public *pub, struct hs_mls_staged *staged,
                                   struct hs_bytes list);

/* Puts the leaf of an external committer into the tree, where an Add would (RFC 9420, 12.4.3.2), before its
 * path is made or applied; sets staged->committer. */
enum hs_err hs_mls_stage_newcomer(struct hs_mls_staged *staged, struct hs_mls_leaf *leaf);

/* After proposals and path: unique keys, credentials and capabilities of all, and the record of what changed.
 * has_path: the committer's leaf is new. MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF. */
enum hs_err hs_mls_stage_check(const struct hs_mls_public *pub, struct hs_mls_staged *staged, bool has_path);

/* The context of the next epoch, with the confirmed transcript hash before the commit (the provisional
 * context that path secrets are encrypted under) or after it. */
enum hs_err hs_mls_stage_context(struct hs_mls_staged *staged, struct hs_bytes confirmed_transcript_hash);

/* The last step: transcript hashes over the signed commit. */
enum hs_err hs_mls_stage_transcript(struct hs_mls_staged *staged, const struct hs_mls_authed *commit);

/* Takes the confirmation tag over and makes the interim transcript hash. MLS_CONFIRMATION for a bad length.
 */
enum hs_err hs_mls_stage_tag(struct hs_mls_staged *staged, struct hs_bytes confirmation_tag);

/* Proposals, path and checks of a commit that came, up to the provisional context. */
enum hs_err hs_mls_stage_commit(const struct hs_mls_public *pub, const struct hs_mls_authed *commit,
                                struct hs_mls_staged **out);

/* Is this signed by its sender (RFC 9420, 6.1): a member of this epoch, one of external_senders, the leaf of
 * the Add or the path that it brings? And may such a sender send that (12.1.8, 12.4.3.2)? NOT_MEMBER,
 * BAD_SIGNATURE, MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF. */
enum hs_err hs_mls_public_verify(const struct hs_mls_public *pub, const struct hs_mls_authed *authed);

/* Verifies a proposal by its meaning and keeps it; fills in the event's facts. Once kept, again is no error.
 */
enum hs_err hs_mls_public_keep(struct hs_mls_public *pub, const struct hs_mls_authed *authed,
                               struct hs_mls_event *event);

/* Makes event from what all kinds of messages have in common. tree: of the message's epoch. */
enum hs_err hs_mls_event_new(const struct hs_mls_tree *tree, const struct hs_mls_authed *authed,
                             struct hs_mls_event **out);

/* Copies bytes into the event; they live as long as it does. */
enum hs_err hs_mls_event_copy(struct hs_mls_event *event, struct hs_bytes in, struct hs_bytes *out);

/* Notes the leaf so that views into it stay valid. */
struct hs_mls_member hs_mls_event_member(struct hs_mls_event *event, struct hs_mls_leaf *leaf,
                                         uint32_t index);

/* Reads the message as a PublicMessage of this group and epoch, with nothing verified. */
enum hs_err hs_mls_public_read(const struct hs_mls_public *pub, struct hs_bytes message,
                               struct hs_mls_public_message *m);

#endif
