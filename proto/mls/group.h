/* A member's group (RFC 9420). The rules of use:
 *
 * - Every call that can change the group says so; after it, hs_mls_group_save() goes to disk BEFORE the
 * ciphertext or plaintext that came out is released (spec MLS, storage). A call that fails has changed
 * nothing.
 * - Application messages are PrivateMessages; handshakes PublicMessages, or PrivateMessages where the
 * settings say so. Both are read.
 * - commit() changes nothing but the pending commit, which lives in the group and in its saved bytes. The
 * caller sends it; when the orderer has accepted it, accept() merges it; when another commit won, merging
 * that one drops the pending commit, and the caller makes its own anew.
 * - Members, extensions, epoch, id: ask hs_mls_group_public().
 * - A loaded group reads its pieces from the store when it needs them; where a call answers with the store's
 * error, or NOMEM, free the group and load it again.
 * - One thread at a time, staged commits included. */
#ifndef HS_MLS_GROUP_H
#define HS_MLS_GROUP_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/writer.h"
#include "mls/event.h"
#include "mls/key_package.h"
#include "mls/limits.h"
#include "mls/message.h"
#include "mls/public.h"

struct hs_mls_group;

/* Tolerances and habits; saved with the group. */
struct hs_mls_settings {
    uint32_t out_of_order;   /* how far behind a sender's newest message another may come */
    uint32_t forward;        /* how many messages of a sender may be missing before one */
    uint32_t past_epochs;    /* epochs whose application messages can still be read */
    uint32_t past_seconds;   /* and for how long after they ended, by hs_mls_group_expire(); 0: not by time */
    bool private_handshakes; /* proposals and commits go as PrivateMessage: no hub can follow them */
    uint32_t padding;        /* of these, as in hs_mls_group_protect() */
    bool settling; /* keep the epoch before until hs_mls_group_settle(), so that the newest can be taken back
                    */
};

/* 32, 2000, 5, 0; public handshakes without padding; no settling. */
struct hs_mls_settings hs_mls_settings_default(void);

struct hs_mls_create {
    struct hs_mls_leaf_params leaf; /* the signer is copied into the group */
    struct hs_bytes group_id;       /* 1 to HS_MLS_MAX_GROUP_ID bytes */
    const struct hs_mls_extension
        *extensions; /* of the GroupContext; the creator's leaf must list their types */
    size_t extension_count;
    struct hs_mls_settings settings;
};

/* A group of one, at epoch 0 (RFC 9420, 11). INVALID_ARG, MLS_LEAF (an extension type that the creator's own
 * capabilities lack), NOMEM. */
enum hs_err hs_mls_group_create(const struct hs_mls_create *create, struct hs_mls_group **out);

/* A pre-shared key (RFC 9420, 8.4) that both sides know from elsewhere: an external one, or the resumption
 * secret of another group. The id's nonce doesn't count. A group knows its own resumption secrets. */
struct hs_mls_psk {
    struct hs_mls_psk_id id;
    struct hs_bytes secret;
};

struct hs_mls_join {
    struct hs_bytes welcome;     /* MLSMessage */
    struct hs_bytes key_package; /* one's own, MLSMessage */
    const struct hs_mls_key_package_private *priv;
    const struct hs_mls_signer *signer; /* copied into the group */
    struct hs_bytes tree;               /* out-of-band ratchet tree, or empty */
    const struct hs_mls_psk *psks;      /* those that the Welcome may name */
    size_t psk_count;
    const struct hs_mls_group *from; /* the group that this one follows or branches from, or NULL */
    struct hs_mls_settings settings;
};

/* Joins by Welcome and checks the whole group (RFC 9420, 12.4.3.1; 11.2 and 11.3 where it follows another).
 * The KeyPackage's private half is to be deleted once the group is stored (but for a last-resort one).
 * MLS_WELCOME (not for this KeyPackage, altered, or not what the ReInit or branch allows), MLS_TREE,
 * MLS_LEAF, BAD_SIGNATURE, MLS_CONFIRMATION, MLS_VERSION, MALFORMED, NOT_FOUND (a PSK that isn't given),
 * NOMEM. The inviter's authority is for the caller to judge: group info signer and members are there to be
 * asked. */
enum hs_err hs_mls_group_join(const struct hs_mls_join *join, struct hs_mls_group **out);

/* The leaf that signed the GroupInfo of the Welcome; one's own leaf in a group that one created. */
uint32_t hs_mls_group_inviter(const struct hs_mls_group *group);

/* Writes what changed since the last save into, or load from, this store (store.h): the whole state, the
 * pending commit included, signature keys not. The records are secret: seal them. A group has one store, from
 * the first save or the load on, and that store no other group: INVALID_ARG for another one. NOMEM and the
 * store's errors: then free the group and load it again. */
enum hs_err hs_mls_group_save(struct hs_mls_group *group, const struct hs_mls_store *store);

/* From one's own records. signers: the one of one's leaf and, where a pending commit or an Update brings
 * another signature key, that one too; copied. Pieces are read when they are needed; store must outlive the
 * group. NOT_FOUND where there is no group, MALFORMED, UNSUPPORTED (another version), INVALID_ARG (no signer
 * is the leaf's), MLS_VERSION, NOMEM. */
enum hs_err hs_mls_group_load(const struct hs_mls_store *store, const struct hs_mls_signer *signers,
                              size_t signer_count, struct hs_mls_group **out);

/* Wipes and frees; NULL is fine. */
void hs_mls_group_free(struct hs_mls_group *group);
void hs_mls_group_free_at(struct hs_mls_group **group);
#define HS_MLS_GROUP HS_AUTO(hs_mls_group_free_at)

/* What a commit shall do. The proposals that wait in the group are included by reference, but for one's own
 * Update, and for those that another one in the list makes void. */
struct hs_mls_commit_request {
    const struct hs_bytes *adds; /* KeyPackages, MLSMessage each; check their lifetime before */
    size_t add_count;
    const uint32_t *removes; /* leaf indices; one's own is refused */
    size_t remove_count;
    bool set_extensions; /* new GroupContext extensions, the whole list */
    const struct hs_mls_extension *extensions;
    size_t extension_count;
    struct hs_bytes authenticated_data;
    bool force_path;          /* a path also where only members are added */
    bool tree_in_welcome;     /* the ratchet tree within the Welcome's GroupInfo; else it goes out of band */
    bool bare_group_info;     /* the result's GroupInfo has no ratchet_tree: who gets it has the tree */
    struct hs_bytes identity; /* a new credential for one's own leaf (makes a path), or empty */
    const struct hs_mls_signer *signer; /* a new signature key for it (makes a path), or NULL */
    const struct hs_mls_psk_id *psks;   /* their nonces are made here */
    size_t psk_count;
    const struct hs_mls_reinit *reinit; /* ends the group; nothing else may stand beside it */
};

/* The writers that are NULL are left alone. On failure what was written to them is to be thrown away. */
struct hs_mls_commit_result {
    struct hs_writer *commit;  /* MLSMessage */
    struct hs_writer *welcome; /* one MLSMessage for all who are added; nothing is written where nobody is */
    struct hs_writer
        *group_info; /* MLSMessage(GroupInfo) with ratchet_tree and external_pub, for the new epoch */
};

/* Makes the pending commit. A path is made unless the commit only adds or brings PSKs. INVALID_STATE with one
 * pending or where one's own self-removal waits; MLS_REMOVED; MLS_KEY_PACKAGE, MLS_LEAF, MLS_PROPOSAL for
 * what is asked for; NOT_FOUND for a PSK that isn't known; INVALID_ARG for a leaf that is blank or one's own;
 * TOO_LARGE, NOMEM. Changes the group (the pending commit). */
enum hs_err hs_mls_group_commit(struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                                const struct hs_mls_commit_result *result);

bool hs_mls_group_has_pending(const struct hs_mls_group *group);

/* The pending commit, to be sent again or inspected; empty or NULL without one. Borrowed. */
struct hs_bytes hs_mls_group_pending_message(const struct hs_mls_group *group);
const struct hs_mls_change *hs_mls_group_pending_change(const struct hs_mls_group *group);

/* Merges the pending commit. INVALID_STATE without one. */
enum hs_err hs_mls_group_accept(struct hs_mls_group *group);

/* Forgets it; no effect without one. */
void hs_mls_group_drop(struct hs_mls_group *group);

/* Any MLSMessage of this group: a post of this or a past epoch, a proposal or commit of this epoch.
 * APPLICATION and PROPOSAL change the group (ratchet; waiting proposals); COMMIT changes nothing until it is
 * merged. MALFORMED, MLS_VERSION, MLS_GROUP, MLS_EPOCH (not this epoch, nor one of the past ones that are
 * kept), MLS_GENERATION (used before, too old, too far ahead, or one's own), DECRYPT, BAD_SIGNATURE,
 * TOO_LARGE, MLS_MEMBERSHIP, MLS_CONFIRMATION, MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF, MLS_KEY_PACKAGE, MLS_TREE,
 * NOT_MEMBER (blank sender, unknown external sender), MLS_REMOVED, UNEXPECTED (Welcome, GroupInfo,
 * KeyPackage), NOT_FOUND (a PSK that isn't known), UNSUPPORTED (a proposal of an unknown type), INVALID_STATE
 * (after a ReInit), NOMEM. */
enum hs_err hs_mls_group_process(struct hs_mls_group *group, struct hs_bytes message,
                                 struct hs_mls_event **out);

/* Is this message a commit of the present epoch that one's own leaf signed? Where it isn't the pending one,
 * this group is an older copy of the one that made it: it can follow one without a path, and else only come
 * back by an external commit (external.h). */
bool hs_mls_group_is_own_commit(const struct hs_mls_group *group, struct hs_bytes message);

/* The public side as a group of its own, in memory, with the proposals that wait: for going on without
 * secrets. It reads and copies the whole tree. NOMEM, the store's errors. */
enum hs_err hs_mls_group_public_copy(const struct hs_mls_group *group, struct hs_mls_public **out);

/* Makes a staged commit the current epoch, drops the pending one and the waiting proposals. Where it removes
 * oneself, the group is "removed" from then on: old posts can be read, all else is MLS_REMOVED. INVALID_STATE
 * where it was staged in another epoch or merged before. */
enum hs_err hs_mls_group_merge(struct hs_mls_group *group, struct hs_mls_staged *staged);

bool hs_mls_group_is_removed(const struct hs_mls_group *group);

/* A post as MLSMessage(PrivateMessage) into out. The content is padded with zeros to a multiple of padding
 * bytes (0 or 1: none). Changes the group (own ratchet). MLS_REMOVED, TOO_LARGE past HS_MLS_MAX_APPLICATION.
 */
enum hs_err hs_mls_group_protect(struct hs_mls_group *group, struct hs_bytes plaintext,
                                 struct hs_bytes authenticated_data, uint32_t padding, struct hs_writer *out);

/* What is proposed: which fields count depends on the type. EXTERNAL_INIT can't be proposed by itself. */
struct hs_mls_proposal_request {
    enum hs_mls_proposal_type type;
    struct hs_bytes key_package;               /* ADD: MLSMessage */
    uint32_t leaf;                             /* REMOVE; one's own too (leaving) */
    struct hs_bytes identity;                  /* UPDATE: a new credential, or empty */
    const struct hs_mls_signer *signer;        /* UPDATE: a new signature key, or NULL */
    struct hs_mls_psk_id psk;                  /* PSK: its nonce is made here */
    const struct hs_mls_extension *extensions; /* GROUP_CONTEXT_EXTENSIONS: the whole list */
    size_t extension_count;
    struct hs_mls_reinit reinit; /* REINIT */
    struct hs_bytes authenticated_data;
};

/* A proposal that stands alone, as MLSMessage. It waits in this group only once it comes back through
 * process(): a proposal counts when the orderer has it; sent as PrivateMessage, it waits here at once, for
 * one's own PrivateMessage can't be read. An UPDATE changes the group (its private key waits in it), a
 * PrivateMessage too (the ratchet). INVALID_ARG for a blank leaf, an unsound list or type; MLS_KEY_PACKAGE,
 * MLS_LEAF, MLS_VERSION for the KeyPackage; TOO_LARGE for an Update past HS_MLS_MAX_OWN_UPDATES in one epoch;
 * MLS_REMOVED. */
enum hs_err hs_mls_group_propose(struct hs_mls_group *group, const struct hs_mls_proposal_request *request,
                                 struct hs_writer *out);

/* Drops one waiting proposal, as where policy forbids it. NOT_FOUND; INVALID_STATE where the pending commit
 * holds it. */
enum hs_err hs_mls_group_drop_proposal(struct hs_mls_group *group, struct hs_bytes ref);

/* Wipes the secrets of all past epochs. */
void hs_mls_group_drop_past(struct hs_mls_group *group);

/* Wipes those of past epochs that ended more than past_seconds before now (Unix seconds). An epoch's end is
 * noted by the first call after it. Changes the group where it wipes or notes. */
void hs_mls_group_expire(struct hs_mls_group *group, uint64_t now);

/* With settings.settling, a merge leaves the epoch before in the group, whole: until hs_mls_group_settle()
 * wipes what isn't needed for reading old posts, or hs_mls_group_revert() makes it the current one again and
 * forgets the newer one (its posts then are MLS_EPOCH). What waited in it waits again: proposals, and one's
 * own commit that had lost against the void one, for the orderer may take it now. The void commit is never
 * merged again (MLS_COMMIT), for its message keys are used. Meanwhile no further commit can be merged. Both
 * change the group; INVALID_STATE where nothing is unsettled; TOO_LARGE for a revert where HS_MLS_MAX_VOIDED
 * commits of the epoch were taken back already. A group that was joined or created is settled. */
bool hs_mls_group_is_unsettled(const struct hs_mls_group *group);
enum hs_err hs_mls_group_settle(struct hs_mls_group *group);
enum hs_err hs_mls_group_revert(struct hs_mls_group *group);

/* The epoch before one that isn't settled: a member (views borrowed until it is settled or comes back) and an
 * extension. NOT_FOUND for a blank leaf, the store's errors; false where there is none. INVALID_STATE, false
 * where nothing is unsettled. */
enum hs_err hs_mls_group_member_before(const struct hs_mls_group *group, uint32_t leaf,
                                       struct hs_mls_member *member);
bool hs_mls_group_extension_before(const struct hs_mls_group *group, uint16_t type, struct hs_bytes *data);

/* The PSKs that proposals may name from now on, instead of those before: copied, not saved. NOMEM. */
enum hs_err hs_mls_group_set_psks(struct hs_mls_group *group, const struct hs_mls_psk *psks, size_t count);

/* Makes the group that a ReInit announced (RFC 9420, 11.2), or a branch of this one (11.3): a new group with
 * all of adds in it, at epoch 1, bound to the old one by its resumption secret. */
struct hs_mls_successor {
    const struct hs_mls_group *from;
    enum hs_mls_psk_usage usage;    /* HS_MLS_PSK_REINIT or HS_MLS_PSK_BRANCH */
    struct hs_mls_leaf_params leaf; /* one's own; of the new suite */
    const struct hs_bytes *adds;    /* KeyPackages of the others */
    size_t add_count;
    struct hs_bytes group_id;                  /* BRANCH: the new group's; a ReInit says it by itself */
    const struct hs_mls_extension *extensions; /* BRANCH */
    size_t extension_count;
    bool tree_in_welcome;
    struct hs_mls_settings settings;
};

/* As hs_mls_group_create() and a commit at once; INVALID_STATE for a REINIT where none was committed,
 * INVALID_ARG for a BRANCH with a KeyPackage whose signature key isn't a member's. */
enum hs_err hs_mls_group_succeed(const struct hs_mls_successor *successor, struct hs_writer *welcome,
                                 struct hs_mls_group **out);

/* The current epoch's GroupInfo (MLSMessage), with ratchet_tree where with_tree is set, and external_pub. */
enum hs_err hs_mls_group_info(const struct hs_mls_group *group, bool with_tree, struct hs_writer *out);

const struct hs_mls_public *hs_mls_group_public(const struct hs_mls_group *group);
struct hs_bytes hs_mls_group_id(const struct hs_mls_group *group);
uint64_t hs_mls_group_epoch(const struct hs_mls_group *group);
uint32_t hs_mls_group_own_leaf(const struct hs_mls_group *group);

/* RFC 9420, 8.7: equal at all members of an epoch. */
struct hs_mls_secret hs_mls_group_authenticator(const struct hs_mls_group *group);

/* RFC 9420, 8.6: what another group may name as a PSK of usage APPLICATION, with this group's id and epoch.
 */
struct hs_mls_secret hs_mls_group_resumption(const struct hs_mls_group *group);

/* RFC 9420, 8.5: out_len bytes (at most 255 hashes) for this label and context. INVALID_ARG, MLS_REMOVED. */
enum hs_err hs_mls_group_export(const struct hs_mls_group *group, const char *label, struct hs_bytes context,
                                uint8_t *out, size_t out_len);

#endif
