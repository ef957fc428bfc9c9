/* libhanse-mls: messages of a group, in and out.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_TRAFFIC_H
#define HANSE_MLS_TRAFFIC_H

#include <hanse/mls/event.h>
#include <hanse/mls/extension.h>
#include <hanse/mls/group.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Any MLSMessage of this group. APPLICATION and PROPOSAL change the group; COMMIT changes nothing until it is
 * merged. MALFORMED, MLS_VERSION, MLS_GROUP, MLS_EPOCH (not this epoch nor a past one that is kept),
 * MLS_GENERATION (used before, too old, too far ahead, or one's own), DECRYPT, BAD_SIGNATURE, MLS_MEMBERSHIP,
 * MLS_CONFIRMATION, MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF, MLS_KEY_PACKAGE, MLS_TREE, NOT_MEMBER (blank sender,
 * unknown external sender), MLS_REMOVED, UNEXPECTED (Welcome, GroupInfo, KeyPackage), NOT_FOUND (an unknown
 * PSK), UNSUPPORTED (a proposal of an unknown type), TOO_LARGE (HANSE_MLS_MAX_WAITING proposals wait
 * already), INVALID_STATE (after a ReInit). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_process(struct hanse_mls_group *group,
                                                                 struct hanse_mls_bytes message,
                                                                 struct hanse_mls_event **out);

/* An application message, as PrivateMessage. The content is padded with zeros to a multiple of padding (0 or
 * 1: none). Changes the group (one's own ratchet). MLS_REMOVED, TOO_LARGE, INVALID_ARG, INVALID_STATE (after
 * a ReInit). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_protect(struct hanse_mls_group *group,
                                                                 struct hanse_mls_bytes plaintext,
                                                                 struct hanse_mls_bytes authenticated_data,
                                                                 uint32_t padding, struct hanse_mls_buf *out);

/* What is proposed: which members count depends on the type. EXTERNAL_INIT can't be proposed by itself. */
struct hanse_mls_propose {
    size_t size;
    enum hanse_mls_proposal_type type;
    struct hanse_mls_bytes key_package;           /* ADD: MLSMessage */
    uint32_t leaf;                                /* REMOVE; one's own too (leaving) */
    struct hanse_mls_bytes identity;              /* UPDATE: a new credential, or empty */
    const struct hanse_mls_signer *signer;        /* UPDATE: a new signature key, or NULL */
    struct hanse_mls_psk_id psk;                  /* PSK */
    const struct hanse_mls_extension *extensions; /* GROUP_CONTEXT_EXTENSIONS: the whole list */
    size_t extension_count;
    struct hanse_mls_reinit reinit; /* REINIT */
    struct hanse_mls_bytes authenticated_data;
};

/* A proposal, as MLSMessage. It waits in this group once it comes back through process(): it counts when the
 * orderer has it. (As PrivateMessage it waits here at once, for one's own can't be read.) UPDATE and
 * PrivateMessages change the group. INVALID_ARG (a blank leaf, an unsound list, a type), MLS_KEY_PACKAGE,
 * MLS_LEAF, MLS_VERSION (of the KeyPackage), MLS_REMOVED, INVALID_STATE (after a ReInit), TOO_LARGE (as many
 * wait already, or too many Updates of one's own in this epoch). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_propose(struct hanse_mls_group *group,
                                                                 const struct hanse_mls_propose *request,
                                                                 struct hanse_mls_buf *out);

/* Drops a waiting proposal, as where the application forbids it. Changes the group. NOT_FOUND. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_drop_proposal(struct hanse_mls_group *group,
                                                                       struct hanse_mls_bytes ref);

/* The PSKs that proposals may name from now on, instead of those before: copied, not saved. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_set_psks(struct hanse_mls_group *group,
                                                                  const struct hanse_mls_psk *psks,
                                                                  size_t count);

/* Wipes the secrets of all past epochs, or of those that ended more than settings.past_seconds before now; an
 * epoch's end is noted by the first expire() after it. Both change the group. */
HANSE_API void hanse_mls_group_drop_past(struct hanse_mls_group *group);
HANSE_API void hanse_mls_group_expire(struct hanse_mls_group *group, uint64_t now);

/* Who proposes from outside (RFC 9420, 12.1.8): a sender of external_senders, or a newcomer that proposes its
 * own Add. */
struct hanse_mls_outsider {
    size_t size;
    const struct hanse_mls_signer *signer; /* a newcomer: that of the KeyPackage */
    bool newcomer;
    uint32_t index; /* in external_senders */
    struct hanse_mls_bytes group_id;
    uint64_t epoch;
};

/* The proposal as PublicMessage. INVALID_ARG for a type that isn't allowed from there: a newcomer may propose
 * an Add alone, an external sender no Update and no ExternalInit. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_outsider_propose(const struct hanse_mls_outsider *outsider,
                                                                    const struct hanse_mls_propose *request,
                                                                    struct hanse_mls_buf *out);

#ifdef __cplusplus
}
#endif

#endif
