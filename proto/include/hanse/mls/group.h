/* libhanse-mls: a member's group: how it behaves, what it keeps, what it can be asked.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_GROUP_H
#define HANSE_MLS_GROUP_H

#include <hanse/mls/proposal.h>
#include <hanse/mls/signer.h>
#include <hanse/mls/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hanse_mls_group;

/* Tolerances and habits; saved with the group. hanse_mls_settings_init() fills in size and defaults. */
struct hanse_mls_settings {
    size_t size;
    uint32_t out_of_order; /* 32: how far behind a sender's newest message another may come */
    uint32_t forward;      /* 2000: how many messages of a sender may be missing before one */
    uint32_t past_epochs;  /* 5: epochs whose application messages can still be read */
    uint32_t
        past_seconds; /* 0: and for how long after they ended, see hanse_mls_group_expire(); 0: any time */
    bool private_handshakes; /* proposals and commits go as PrivateMessage: no hub can follow them */
    uint32_t padding;        /* of these, as in hanse_mls_group_protect() */
    bool settling;           /* keep the epoch before until hanse_mls_group_settle() */
};
HANSE_API void hanse_mls_settings_init(struct hanse_mls_settings *settings);

/* Writes what changed since the last save or load: the whole state, the pending commit included, signature
 * keys not. Always into the same records; store itself is copied and may be another each time. INVALID_ARG;
 * after the store's own errors free the group and load it again. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_save(struct hanse_mls_group *group,
                                                              const struct hanse_mls_store *store);

/* signers: the one of one's leaf and, where a pending commit or an Update brings another key, that one too.
 * NOT_FOUND where there is no group, MALFORMED, UNSUPPORTED (written by a newer library), INVALID_ARG (no
 * signer is the leaf's), MLS_VERSION. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_load(const struct hanse_mls_store *store,
                                                              const struct hanse_mls_signer *const *signers,
                                                              size_t signer_count,
                                                              struct hanse_mls_group **out);

/* From now on reads go there: the same records by another way, as in another transaction. INVALID_ARG, also
 * for a group that was never saved or loaded. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_read_from(struct hanse_mls_group *group,
                                                                   const struct hanse_mls_store *store);

/* Wipes and frees. */
HANSE_API void hanse_mls_group_free(struct hanse_mls_group *group);

/* ---- What a member can ask ---- */

/* Members, extensions, context: the group's public side. Borrowed, as long as the group lives. */
struct hanse_mls_public;
HANSE_API const struct hanse_mls_public *hanse_mls_group_public(const struct hanse_mls_group *group);

HANSE_API struct hanse_mls_bytes hanse_mls_group_id(const struct hanse_mls_group *group);
HANSE_API uint64_t hanse_mls_group_epoch(const struct hanse_mls_group *group);
HANSE_API uint32_t hanse_mls_group_own_leaf(const struct hanse_mls_group *group);

/* The current epoch's GroupInfo (MLSMessage), with external_pub, and ratchet_tree where with_tree is set.
 * MLS_REMOVED, INVALID_STATE (after a ReInit). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_info(const struct hanse_mls_group *group,
                                                              bool with_tree, struct hanse_mls_buf *out);

/* RFC 9420, 8.7: equal at all members of an epoch, for comparing out of band. */
HANSE_API struct hanse_mls_hash hanse_mls_group_authenticator(const struct hanse_mls_group *group);

/* RFC 9420, 8.6: the secret that another group may name as a resumption PSK of usage APPLICATION, with this
 * group's id and epoch. MLS_REMOVED. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_resumption(const struct hanse_mls_group *group,
                                                                    struct hanse_mls_buf *secret);

/* RFC 9420, 8.5: len bytes (at most 255 hashes) of key for this label and context. INVALID_ARG, MLS_REMOVED.
 */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_export(const struct hanse_mls_group *group,
                                                                const char *label,
                                                                struct hanse_mls_bytes context, uint8_t *out,
                                                                size_t len);

#ifdef __cplusplus
}
#endif

#endif
