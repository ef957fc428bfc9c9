/* Framing (RFC 9420, 6): content, its signature, and how it becomes a PublicMessage or PrivateMessage. */
#ifndef HS_MLS_FRAMING_H
#define HS_MLS_FRAMING_H

#include "crypto/sign.h"
#include "mls/codec.h"
#include "mls/schedule.h"
#include "mls/secret_tree.h"

enum hs_mls_sender_type {
    HS_MLS_SENDER_MEMBER = 1,
    HS_MLS_SENDER_EXTERNAL = 2,
    HS_MLS_SENDER_NEW_MEMBER_PROPOSAL = 3,
    HS_MLS_SENDER_NEW_MEMBER_COMMIT = 4,
};

/* FramedContent (RFC 9420, 6). sender: the leaf, or the index of an external sender. */
struct hs_mls_content {
    struct hs_bytes group_id;
    uint64_t epoch;
    enum hs_mls_sender_type sender_type;
    uint32_t sender;
    struct hs_bytes authenticated_data;
    enum hs_mls_content_type type;
    struct hs_bytes application;
    struct hs_mls_proposal proposal;
    struct hs_mls_commit commit;
    struct hs_bytes raw; /* as read */
};

/* Content with its proof. wire_format is part of what is signed. */
struct hs_mls_authed {
    enum hs_mls_wire_format wire_format;
    struct hs_mls_content content;
    struct hs_bytes signature, confirmation_tag; /* the tag: commits only */
};

void hs_mls_read_content(struct hs_reader *r, struct hs_mls_content *content);
void hs_mls_write_content(struct hs_writer *w, const struct hs_mls_content *content);

/* AuthenticatedContent (RFC 9420, 6.1). */
void hs_mls_read_authed(struct hs_reader *r, struct hs_mls_authed *authed);
void hs_mls_write_authed(struct hs_writer *w, const struct hs_mls_authed *authed);

/* Signature over FramedContentTBS; context: the encoded GroupContext of the epoch. */
enum hs_err hs_mls_content_sign(const struct hs_signer *signer, enum hs_mls_wire_format format,
                                const struct hs_mls_content *content, struct hs_bytes context,
                                struct hs_sig *sig);
enum hs_err hs_mls_content_verify(const struct hs_key *key, const struct hs_mls_authed *authed,
                                  struct hs_bytes context);

/* PublicMessage after the MLSMessage head (RFC 9420, 6.2). membership_tag: for members only. */
struct hs_mls_public_message {
    struct hs_mls_authed authed;
    struct hs_bytes membership_tag;
};

void hs_mls_read_public_message(struct hs_reader *r, struct hs_mls_public_message *m);
void hs_mls_write_public_message(struct hs_writer *w, const struct hs_mls_public_message *m);

/* The membership tag over FramedContentTBM (RFC 9420, 6.2). */
enum hs_err hs_mls_membership_tag(const struct hs_secret32 *membership_key,
                                  const struct hs_mls_authed *authed, struct hs_bytes context,
                                  uint8_t tag[static 32]);

/* MLS_MEMBERSHIP where it is wrong or of another length. */
enum hs_err hs_mls_membership_check(const struct hs_secret32 *membership_key,
                                    const struct hs_mls_public_message *m, struct hs_bytes context);

/* PrivateMessage after the MLSMessage head (RFC 9420, 6.3). */
struct hs_mls_private_message {
    struct hs_bytes group_id;
    uint64_t epoch;
    enum hs_mls_content_type type;
    struct hs_bytes authenticated_data, sender_data, ciphertext;
};

void hs_mls_read_private_message(struct hs_reader *r, struct hs_mls_private_message *m);
void hs_mls_write_private_message(struct hs_writer *w, const struct hs_mls_private_message *m);

/* ProposalRef (RFC 9420, 5.2) of an authenticated proposal. */
enum hs_err hs_mls_proposal_ref(const struct hs_mls_authed *authed, struct hs_id *ref);

#endif
