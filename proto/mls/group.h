/* A member's group (RFC 9420). The rules of use:
 *
 * - Every call that can change the group says so; after it, hs_mls_group_save() goes to disk BEFORE the
 * ciphertext or plaintext that came out is released (spec MLS, storage). A call that fails has changed
 * nothing.
 * - Handshakes are PublicMessages, application messages PrivateMessages.
 * - commit() changes nothing but the pending commit, which lives in the group and in its saved bytes. The
 * caller sends it; when the orderer has accepted it, accept() merges it; when another commit won, merging
 * that one drops the pending commit, and the caller makes its own anew.
 * - Members, extensions, epoch, id: ask hs_mls_group_public().
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

/* Tolerances; saved with the group. */
struct hs_mls_settings {
    uint32_t out_of_order; /* how far behind a sender's newest message another may come */
    uint32_t forward;      /* how many messages of a sender may be missing before one */
    uint32_t past_epochs;  /* epochs whose application messages can still be read */
};

/* 32, 2000, 5. */
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

/* An external pre-shared key (RFC 9420, 8.4) that both sides know from elsewhere. */
struct hs_mls_psk {
    struct hs_bytes id, secret;
};

struct hs_mls_join {
    struct hs_bytes welcome;     /* MLSMessage */
    struct hs_bytes key_package; /* one's own, MLSMessage */
    const struct hs_mls_key_package_private *priv;
    const struct hs_signer *signer; /* copied into the group */
    struct hs_bytes tree;           /* out-of-band ratchet tree, or empty */
    const struct hs_mls_psk *psks;  /* external PSKs that the Welcome may name */
    size_t psk_count;
    struct hs_mls_settings settings;
};

/* Joins by Welcome and checks the whole group (RFC 9420, 12.4.3.1). The KeyPackage's private half is to be
 * deleted once the group is stored. MLS_WELCOME (not for this KeyPackage, or altered), MLS_TREE, MLS_LEAF,
 * BAD_SIGNATURE, MLS_CONFIRMATION, MLS_VERSION, MALFORMED, UNSUPPORTED (a Welcome with resumption PSKs),
 * NOT_FOUND (an external PSK that isn't given), NOMEM. The inviter's authority is for the caller to judge:
 * group info signer and members are there to be asked. */
enum hs_err hs_mls_group_join(const struct hs_mls_join *join, struct hs_mls_group **out);

/* The leaf that signed the GroupInfo of the Welcome; one's own leaf in a group that one created. */
uint32_t hs_mls_group_inviter(const struct hs_mls_group *group);

/* The whole state as bytes, pending commit included, signature key not. The bytes are secret: seal them. */
enum hs_err hs_mls_group_save(const struct hs_mls_group *group, struct hs_writer *out);

/* From saved bytes and the signature key of one's leaf. MALFORMED, UNSUPPORTED (another version), INVALID_ARG
 * (not the leaf's key), NOMEM. */
enum hs_err hs_mls_group_load(struct hs_bytes saved, const struct hs_signer *signer,
                              struct hs_mls_group **out);

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
    struct hs_bytes identity; /* a new credential for one's own leaf (makes a path), or empty */
};

/* The writers that are NULL are left alone. On failure what was written to them is to be thrown away. */
struct hs_mls_commit_result {
    struct hs_writer *commit;  /* MLSMessage(PublicMessage) */
    struct hs_writer *welcome; /* one MLSMessage for all who are added; nothing is written where nobody is */
    struct hs_writer
        *group_info; /* MLSMessage(GroupInfo) with ratchet_tree and external_pub, for the new epoch */
};

/* Makes the pending commit. A path is made unless the commit only adds. INVALID_STATE with one pending or
 * where one's own self-removal waits; MLS_REMOVED; MLS_KEY_PACKAGE, MLS_LEAF, MLS_PROPOSAL for what is asked
 * for; INVALID_ARG for a leaf that is blank or one's own; TOO_LARGE, NOMEM. Changes the group (the pending
 * commit). */
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
 * MLS_MEMBERSHIP, MLS_CONFIRMATION, MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF, MLS_KEY_PACKAGE, MLS_TREE, NOT_MEMBER
 * (blank sender), MLS_REMOVED, UNEXPECTED (Welcome, GroupInfo, KeyPackage), UNSUPPORTED (PSK, ReInit,
 * external), NOMEM. */
enum hs_err hs_mls_group_process(struct hs_mls_group *group, struct hs_bytes message,
                                 struct hs_mls_event **out);

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

/* Proposals that stand alone, as MLSMessage(PublicMessage). They wait in this group only once they come back
 * through process(): a proposal counts when the orderer has it. One's own leaf may be removed (leaving).
 * INVALID_ARG for a blank leaf; MLS_REMOVED. */
enum hs_err hs_mls_group_propose_remove(struct hs_mls_group *group, uint32_t leaf,
                                        struct hs_bytes authenticated_data, struct hs_writer *out);
enum hs_err hs_mls_group_propose_add(struct hs_mls_group *group, struct hs_bytes key_package,
                                     struct hs_bytes authenticated_data, struct hs_writer *out);
enum hs_err hs_mls_group_propose_extensions(struct hs_mls_group *group,
                                            const struct hs_mls_extension *extensions, size_t count,
                                            struct hs_bytes authenticated_data, struct hs_writer *out);

/* New keys for one's own leaf, to be committed by another; identity: a new credential, or empty. Changes the
 * group: the new private key waits in it. */
enum hs_err hs_mls_group_propose_update(struct hs_mls_group *group, struct hs_bytes identity,
                                        struct hs_bytes authenticated_data, struct hs_writer *out);

/* Drops one waiting proposal, as where policy forbids it. NOT_FOUND. */
enum hs_err hs_mls_group_drop_proposal(struct hs_mls_group *group, const struct hs_id *ref);

/* Wipes the secrets of all past epochs. */
void hs_mls_group_drop_past(struct hs_mls_group *group);

/* The current epoch's GroupInfo (MLSMessage), with ratchet_tree where with_tree is set, and external_pub. */
enum hs_err hs_mls_group_info(const struct hs_mls_group *group, bool with_tree, struct hs_writer *out);

const struct hs_mls_public *hs_mls_group_public(const struct hs_mls_group *group);
struct hs_bytes hs_mls_group_id(const struct hs_mls_group *group);
uint64_t hs_mls_group_epoch(const struct hs_mls_group *group);
uint32_t hs_mls_group_own_leaf(const struct hs_mls_group *group);

/* RFC 9420, 8.7: equal at all members of an epoch. */
struct hs_secret32 hs_mls_group_authenticator(const struct hs_mls_group *group);

/* RFC 9420, 8.5: out_len bytes (at most 255*32) for this label and context. INVALID_ARG, MLS_REMOVED. */
enum hs_err hs_mls_group_export(const struct hs_mls_group *group, const char *label, struct hs_bytes context,
                                uint8_t *out, size_t out_len);

#endif
