/* libhanse-mls: one's own commits, and what becomes of any.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_COMMIT_H
#define HANSE_MLS_COMMIT_H

#include <hanse/mls/event.h>
#include <hanse/mls/extension.h>
#include <hanse/mls/group.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a commit shall do. The proposals that wait in the group are in it by reference, but for one's own
 * Update and those that another in the list makes void. All zero: new keys, nothing else. */
struct hanse_mls_commit {
    size_t size;
    const struct hanse_mls_bytes *adds; /* KeyPackages, MLSMessage each; checked for their lifetime before */
    size_t add_count;
    const uint32_t *removes; /* leaves; one's own is refused */
    size_t remove_count;
    bool set_extensions; /* new GroupContext extensions: the whole list */
    const struct hanse_mls_extension *extensions;
    size_t extension_count;
    struct hanse_mls_bytes authenticated_data; /* told to all, sealed to nobody */
    bool force_path;                           /* new keys also where members are only added */
    bool tree_in_welcome;                      /* else the newcomers get the tree by another way */
    struct hanse_mls_bytes identity;           /* a new credential for one's own leaf, or empty */
    const struct hanse_mls_signer *signer;     /* a new signature key for it, or NULL */
    const struct hanse_mls_psk_id *psks;       /* their nonces are made here */
    size_t psk_count;
    const struct hanse_mls_reinit *reinit; /* ends the group; nothing else may stand beside it */
};

/* Makes the pending commit. welcome: one MLSMessage for all who are added, empty where nobody is; group_info:
 * that of the new epoch, with ratchet_tree and external_pub. Either may be NULL; the commit can be asked for
 * again. Changes the group (the pending commit). INVALID_STATE (one is pending, one's own removal waits, or
 * after a ReInit), MLS_REMOVED, MLS_KEY_PACKAGE, MLS_LEAF, MLS_VERSION, MLS_PROPOSAL, NOT_FOUND (an unknown
 * PSK), INVALID_ARG (a leaf that is blank or one's own), TOO_LARGE. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_commit(struct hanse_mls_group *group,
                                                                const struct hanse_mls_commit *request,
                                                                struct hanse_mls_buf *commit,
                                                                struct hanse_mls_buf *welcome,
                                                                struct hanse_mls_buf *group_info);

/* The pending commit, to be sent again or judged as anybody's; empty, or NULL, without one. Borrowed until it
 * is accepted or dropped. */
HANSE_API struct hanse_mls_bytes hanse_mls_group_pending(const struct hanse_mls_group *group);
HANSE_API const struct hanse_mls_change *hanse_mls_group_pending_change(const struct hanse_mls_group *group);

/* Merges it. Changes the group. INVALID_STATE without one. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_accept(struct hanse_mls_group *group);

/* Forgets it; no effect without one. Changes the group. */
HANSE_API void hanse_mls_group_drop(struct hanse_mls_group *group);

/* Makes a staged commit the current epoch; drops the pending one and all waiting proposals. Where it removes
 * oneself the group is "removed" from then on: old posts can be read, all else is MLS_REMOVED. Changes the
 * group. INVALID_STATE where it was staged in another epoch or merged before, INVALID_ARG for NULL (an event
 * of another kind). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_merge(struct hanse_mls_group *group,
                                                               struct hanse_mls_staged *staged);
HANSE_API bool hanse_mls_group_is_removed(const struct hanse_mls_group *group);

/* With settings.settling a merge leaves the epoch before in the group, whole, until settle() wipes what isn't
 * needed for reading old posts, or revert() makes it the current one again and forgets the newer. Meanwhile
 * no further commit can be merged (INVALID_STATE). For orderers that may void a commit which part of the
 * group couldn't process; what was voided is never merged again (MLS_COMMIT). Both change the group;
 * INVALID_STATE where nothing is unsettled, TOO_LARGE where 32 commits of one epoch were taken back. */
HANSE_API bool hanse_mls_group_is_unsettled(const struct hanse_mls_group *group);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_settle(struct hanse_mls_group *group);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_revert(struct hanse_mls_group *group);

#ifdef __cplusplus
}
#endif

#endif
