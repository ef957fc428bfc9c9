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
    struct hs_mls_secret joiner, psk; /* for the Welcome; joiner is wiped when that is made */
    struct hs_mls_signer signer;     /* where one's own leaf gets another signature key; else suite is NULL */
    struct hs_mls_secret_tree *tree; /* NULL for a member that is removed */
    struct hs_mls_ratchet *turned;   /* of the epoch before: what a PrivateMessage was opened with */
    uint32_t generation;             /* of that message */
};

void hs_mls_next_secrets_free(struct hs_mls_next_secrets *secrets);

/* What it takes to read one epoch's messages: its secrets, and who was who then. */
struct hs_mls_epoch_keys {
    uint64_t epoch;
    uint64_t ended; /* Unix seconds; 0: not noted yet */
    struct hs_mls_tree tree;
    struct hs_mls_blob *context; /* NULL: a past epoch that wasn't read from the store yet */
    struct hs_mls_secret sender_data, resumption;
    struct hs_mls_secret_tree *secrets;
};

void hs_mls_epoch_keys_free(struct hs_mls_epoch_keys *keys);

/* The private keys of an Update proposal that another member may commit. */
struct hs_mls_own_update {
    struct hs_mls_pub pub;
    struct hs_mls_secret priv;
    struct hs_mls_signer signer; /* where it brings another signature key; else suite is NULL */
};

void hs_mls_own_update_wipe(struct hs_mls_own_update *update);

struct hs_mls_pending {
    struct hs_mls_blob *message;
    struct hs_mls_blob *authed; /* its AuthenticatedContent, where the message is a PrivateMessage */
    bool has_path;
    struct hs_mls_secret start, leaf, psk; /* enough to stage the message again after a load */
    struct hs_mls_signer signer;           /* where its path brings another; else suite is NULL */
    struct hs_mls_staged *staged;          /* NULL after a load, until it is needed */
};

void hs_mls_pending_free(struct hs_mls_pending *pending);

/* PSKs that the caller gave, copied. */
struct hs_mls_psks {
    struct hs_mls_psk *list;
    struct hs_writer bytes; /* what the list's views borrow */
    size_t count;
};

void hs_mls_psks_free(struct hs_mls_psks *psks);

/* One epoch as it is while it is the current one, but for its message keys. */
struct hs_mls_whole {
    struct hs_mls_state state;
    struct hs_mls_cached *waiting; /* proposals */
    size_t waiting_count;
    struct hs_mls_signer signer;
    struct hs_mls_path_keys path;
    struct hs_mls_epoch_secrets epoch;
    struct hs_mls_own_update updates[HS_MLS_MAX_OWN_UPDATES];
    size_t update_count;
    struct hs_mls_pending *pending; /* one's own commit that lost against an unsettled one, or NULL */
};

/* The current one, with the proposals that wait or without. NOMEM. */
enum hs_err hs_mls_whole_new(const struct hs_mls_group *group, bool waiting, struct hs_mls_whole **out);
void hs_mls_whole_free(struct hs_mls_whole *whole);
void hs_mls_whole_free_at(struct hs_mls_whole **whole);
#define HS_MLS_WHOLE HS_AUTO(hs_mls_whole_free_at)

/* What the store knows of an epoch. */
enum hs_mls_saved_form {
    HS_MLS_SAVED_WHOLE = 1, /* all: the current epoch, or the one before while that isn't settled */
    HS_MLS_SAVED_PAST = 2,  /* what it takes to read its messages */
};

enum { HS_MLS_MAX_KEPT = HS_MLS_MAX_PAST_EPOCHS + 2 };

/* How far the store follows. */
struct hs_mls_saved {
    const struct hs_mls_store *store; /* NULL: never saved */
    struct hs_mls_tree tree;          /* of the newest epoch that the store has */
    struct {
        uint64_t epoch;
        enum hs_mls_saved_form form;
    } kept[HS_MLS_MAX_KEPT]; /* ascending */
    size_t kept_count;
    bool reverted;               /* the newest of them isn't the group's any more */
    bool state, before, pending; /* the current epoch, the unsettled one, the commit: are as the store says */
    struct hs_mls_hash head;
};

struct hs_mls_group {
    const struct hs_mls_suite *suite;
    struct hs_mls_public *pub;
    struct hs_mls_signer signer;
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
    struct hs_mls_pending *pending; /* NULL: none */
    struct hs_mls_whole *unsettled; /* the epoch before one that isn't settled; its message keys are the
                                       newest of the past ones. NULL: settled */
    struct hs_mls_hash voided[HS_MLS_MAX_VOIDED]; /* confirmation tags of commits of this epoch, or of the one
                                                     before while that isn't settled, that were taken back */
    size_t voided_count;
    struct hs_mls_psks psks;
    struct hs_mls_saved saved;
};

/* An empty group with those settings; INVALID_ARG where they are out of range. */
enum hs_err hs_mls_group_new(const struct hs_mls_signer *signer, const struct hs_mls_settings *settings,
                             struct hs_mls_group **out);

/* Was this commit merged before and taken back? Merged again it would give its message keys out again (RFC
 * 9420, 9.1). */
bool hs_mls_group_is_voided(const struct hs_mls_group *group, const struct hs_mls_staged *staged);

/* INVALID_STATE after a ReInit, MLS_REMOVED after one's removal: nothing can be sent any more. */
enum hs_err hs_mls_group_can_send(const struct hs_mls_group *group);

/* Makes the current epoch's message keys from the public state and epoch secrets; wipes epoch.encryption. */
enum hs_err hs_mls_group_open_epoch(struct hs_mls_group *group);

/* The secrets that a commit led to become those of the present epoch, which the public state is in already.
 */
void hs_mls_group_install(struct hs_mls_group *group, struct hs_mls_next_secrets *secrets);

/* confirmation_tag = MAC(confirmation_key, confirmed_transcript_hash) (RFC 9420, 8.1). */
void hs_mls_confirmation(const struct hs_mls_suite *suite, const struct hs_mls_epoch_secrets *epoch,
                         struct hs_bytes confirmed_transcript_hash, struct hs_mls_hash *tag);

/* What an epoch's secrets follow from (RFC 9420, 8). */
struct hs_mls_epoch_inputs {
    struct hs_mls_secret init, commit, psk;
};
void hs_mls_epoch_inputs_wipe(struct hs_mls_epoch_inputs *inputs);
#define HS_MLS_EPOCH_INPUTS HS_AUTO(hs_mls_epoch_inputs_wipe)

/* The next epoch's secrets, once the staged context is final. path: the member's own keys in the new tree. */
enum hs_err hs_mls_stage_secrets(struct hs_mls_staged *staged, const struct hs_mls_epoch_inputs *inputs,
                                 const struct hs_mls_path_keys *path);

/* A commit that came, all the way: public checks, path, secrets, confirmation tag. */
enum hs_err hs_mls_group_stage(const struct hs_mls_group *group, const struct hs_mls_authed *commit,
                               struct hs_mls_staged **out);

/* The signed commit that waits: the message's own content, or what was kept of a PrivateMessage. Views borrow
 * from the pending commit. */
enum hs_err hs_mls_pending_read(const struct hs_mls_group *group, struct hs_mls_authed *authed);

/* One's own pending commit, staged again where it isn't, from its message and what is kept of its path. */
enum hs_err hs_mls_group_restage(const struct hs_mls_group *group);

/* The current epoch's message keys become the newest of the past; the oldest beyond the limit are wiped. */
void hs_mls_past_push(struct hs_mls_group *group);

/* Wipes all but the newest count of them. */
void hs_mls_past_trim(struct hs_mls_group *group, size_t count);

/* Reads a past epoch's keys from the store where that wasn't done yet. NOMEM, MALFORMED, the store's errors.
 */
enum hs_err hs_mls_past_open(const struct hs_mls_group *group, struct hs_mls_epoch_keys *past);

/* Where PSKs come from, in this order: the group's own resumption secrets, then the list. */
struct hs_mls_psk_source {
    const struct hs_mls_group *group; /* or NULL */
    const struct hs_mls_psk *list;
    size_t count;
};

/* NOT_FOUND where it isn't known. The secret is borrowed. */
enum hs_err hs_mls_psk_find(const struct hs_mls_psk_source *source, const struct hs_mls_psk_id *id,
                            struct hs_bytes *secret);

/* psk_secret (RFC 9420, 8.4) of those, in their order. NOT_FOUND, TOO_LARGE, NOMEM. */
enum hs_err hs_mls_psk_resolve(const struct hs_mls_suite *suite, const struct hs_mls_psk_source *source,
                               const struct hs_mls_psk_id *ids, size_t count, struct hs_mls_secret *out);

/* The same for all that a staged commit names. */
enum hs_err hs_mls_psk_of_change(const struct hs_mls_suite *suite, const struct hs_mls_psk_source *source,
                                 const struct hs_mls_change *change, struct hs_mls_secret *out);

/* May a Welcome with these PSKs lead to that state (RFC 9420, 11.2, 11.3 and 12.4.3.1)? from: the group that
 * it follows, or NULL. MLS_WELCOME. */
enum hs_err hs_mls_succession_check(const struct hs_mls_group *from, const struct hs_mls_psk_id *ids,
                                    size_t count, const struct hs_mls_state *state);

/* A fresh nonce of the hash's length for one's own proposal (RFC 9420, 8.4). */
void hs_mls_psk_nonce(const struct hs_mls_suite *suite, struct hs_mls_psk_id *id, struct hs_mls_hash *nonce);

/* Writes as MLSMessage(PublicMessage). */
enum hs_err hs_mls_group_frame(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                               struct hs_writer *out);

/* Writes as MLSMessage(PrivateMessage), with the next key of the ratchet that goes with the content. turned
 * is to be put back when all else is done. */
enum hs_err hs_mls_group_seal(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                              uint32_t padding, struct hs_mls_ratchet **turned, struct hs_writer *out);

/* The wire format of handshakes, as the settings say. */
enum hs_mls_wire_format hs_mls_group_format(const struct hs_mls_group *group);

/* The content's head for a handshake message by this member. */
struct hs_mls_content hs_mls_group_content(const struct hs_mls_group *group, enum hs_mls_content_type type,
                                           struct hs_bytes authenticated_data);

/* The list of proposals of one's own commit: what waits, by reference, and what is asked for, by value. */
enum hs_err hs_mls_group_compose(const struct hs_mls_group *group,
                                 const struct hs_mls_commit_request *request, struct hs_writer *list);

/* The content of a vector of extensions. */
enum hs_err hs_mls_extensions_write(const struct hs_mls_extension *extensions, size_t count,
                                    struct hs_writer *out);

/* A signed GroupInfo of the state, without MLSMessage head. */
enum hs_err hs_mls_group_info_write(const struct hs_mls_state *state,
                                    const struct hs_mls_epoch_secrets *epoch,
                                    const struct hs_mls_signer *signer, uint32_t own, bool with_tree,
                                    struct hs_writer *out);

/* A Welcome under construction. */
struct hs_mls_welcome_plan {
    const struct hs_mls_public *pub; /* of the epoch before: where the proposals wait */
    const struct hs_mls_staged *staged;
    struct hs_bytes list;                      /* its proposals */
    const struct hs_mls_path_secrets *secrets; /* of its path, or NULL */
    const struct hs_mls_signer *signer;
    bool with_tree;
};

/* The Welcome for all whom the staged commit adds. */
enum hs_err hs_mls_group_welcome(const struct hs_mls_welcome_plan *plan, struct hs_writer *out);

#endif
