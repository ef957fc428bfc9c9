/* A member's own part of a group: private keys, the epoch's secrets, the pending commit. */
#ifndef HS_MLS_MEMBER_H
#define HS_MLS_MEMBER_H

#include "mls/group.h"
#include "mls/private_message.h"
#include "mls/staged.h"

/* What a staged commit leads a member to. */
struct hs_mls_next_secrets {
    struct hs_mls_path_keys path;
    struct hs_mls_epoch_secrets epoch;
    struct hs_secret32 joiner; /* for the Welcome; wiped when that is made */
    struct hs_mls_secret_tree *tree;
};

void hs_mls_next_secrets_free(struct hs_mls_next_secrets *secrets);

/* What it takes to read one epoch's messages: its secrets, and who was who then. */
struct hs_mls_epoch_keys {
    uint64_t epoch;
    struct hs_mls_tree tree;
    struct hs_mls_blob *context;
    struct hs_secret32 sender_data;
    struct hs_mls_secret_tree *secrets;
};

void hs_mls_epoch_keys_free(struct hs_mls_epoch_keys *keys);

/* The private key of an Update proposal that another member may commit. */
struct hs_mls_own_update {
    struct hs_key pub;
    struct hs_secret32 priv;
};

/* Updates that one member has out in one epoch: more than one only by mistake. */
enum { HS_MLS_MAX_OWN_UPDATES = 8 };

struct hs_mls_pending {
    struct hs_mls_blob *message;
    bool has_path;
    struct hs_secret32 start, leaf; /* of the path: enough to stage the message again after a load */
    struct hs_mls_staged *staged;
};

struct hs_mls_group {
    struct hs_mls_public *pub;
    struct hs_signer signer;
    struct hs_mls_settings settings;
    uint32_t own, inviter;
    bool removed;
    struct hs_mls_path_keys path;
    struct hs_mls_epoch_secrets epoch;
    struct hs_mls_epoch_keys now;
    struct hs_mls_epoch_keys *past; /* the newest first */
    size_t past_count;
    struct hs_mls_own_update updates[HS_MLS_MAX_OWN_UPDATES];
    size_t update_count;
    struct hs_mls_pending pending;
};

/* An empty group with those settings; INVALID_ARG where they are out of range. */
enum hs_err hs_mls_group_new(const struct hs_signer *signer, const struct hs_mls_settings *settings,
                             struct hs_mls_group **out);

/* Makes the current epoch's message keys from the public state and epoch secrets; wipes epoch.encryption. */
enum hs_err hs_mls_group_open_epoch(struct hs_mls_group *group);

/* confirmation_tag = MAC(confirmation_key, confirmed_transcript_hash) (RFC 9420, 8.1). */
void hs_mls_confirmation(const struct hs_mls_epoch_secrets *epoch, struct hs_bytes confirmed_transcript_hash,
                         uint8_t tag[static 32]);

/* The next epoch's secrets, once the staged context is final. path: the member's own keys in the new tree. */
enum hs_err hs_mls_stage_secrets(const struct hs_mls_group *group, struct hs_mls_staged *staged,
                                 const struct hs_secret32 *commit_secret,
                                 const struct hs_mls_path_keys *path);

/* A commit that came, all the way: public checks, path, secrets, confirmation tag. */
enum hs_err hs_mls_group_stage(const struct hs_mls_group *group, const struct hs_mls_authed *commit,
                               struct hs_mls_staged **out);

/* One's own commit, staged again from its message and what the pending commit keeps of its path. */
enum hs_err hs_mls_group_restage(struct hs_mls_group *group);

/* Signs content as this member in this epoch and writes it as MLSMessage(PublicMessage). */
enum hs_err hs_mls_group_frame(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                               struct hs_writer *out);

/* The content's head for a handshake message by this member. */
struct hs_mls_content hs_mls_group_content(const struct hs_mls_group *group, enum hs_mls_content_type type,
                                           struct hs_bytes authenticated_data);

/* The list of proposals of one's own commit: what waits, by reference, and what is asked for, by value. */
enum hs_err hs_mls_group_compose(const struct hs_mls_group *group,
                                 const struct hs_mls_commit_request *request, struct hs_writer *list);

/* A signed GroupInfo of the state, without MLSMessage head. */
enum hs_err hs_mls_group_info_write(const struct hs_mls_state *state,
                                    const struct hs_mls_epoch_secrets *epoch, const struct hs_signer *signer,
                                    uint32_t own, bool with_tree, struct hs_writer *out);

/* The Welcome for all whom the staged commit adds. list: its proposals; secrets: of its path, or NULL. */
enum hs_err hs_mls_group_welcome(const struct hs_mls_group *group, const struct hs_mls_staged *staged,
                                 struct hs_bytes list, const struct hs_mls_path_secrets *secrets,
                                 bool with_tree, struct hs_writer *out);

#endif
