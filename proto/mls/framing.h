/* Framing (RFC 9420, 6): content, its signature, and how it becomes a PublicMessage or PrivateMessage. */
#ifndef HS_MLS_FRAMING_H
#define HS_MLS_FRAMING_H

#include "mls/codec.h"
#include "mls/schedule.h"
#include "mls/secret_tree.h"

/* FramedContent (RFC 9420, 6). */
struct hs_mls_content {
    struct hs_bytes group_id;
    uint64_t epoch;
    struct hs_mls_author sender;
    struct hs_bytes authenticated_data;
    enum hs_mls_content_type type;
    struct hs_bytes application;
    struct hs_mls_proposal proposal;
    struct hs_mls_commit commit;
    struct hs_bytes raw; /* as read: what verifying goes by; making goes by the fields */
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
enum hs_err hs_mls_content_sign(const struct hs_mls_signer *signer, enum hs_mls_wire_format format,
                                const struct hs_mls_content *content, struct hs_bytes context,
                                struct hs_mls_signature *sig);
enum hs_err hs_mls_content_verify(const struct hs_mls_suite *suite, struct hs_bytes key,
                                  const struct hs_mls_authed *authed, struct hs_bytes context);

/* PublicMessage after the MLSMessage head (RFC 9420, 6.2). membership_tag: for members only. */
struct hs_mls_public_message {
    struct hs_mls_authed authed;
    struct hs_bytes membership_tag;
};

void hs_mls_read_public_message(struct hs_reader *r, struct hs_mls_public_message *m);
void hs_mls_write_public_message(struct hs_writer *w, const struct hs_mls_public_message *m);

/* The membership tag over FramedContentTBM (RFC 9420, 6.2). */
enum hs_err hs_mls_membership_tag(const struct hs_mls_suite *suite,
                                  const struct hs_mls_secret *membership_key,
                                  const struct hs_mls_authed *authed, struct hs_bytes context,
                                  struct hs_mls_hash *tag);

/* MLS_MEMBERSHIP where it is wrong or of another length. */
enum hs_err hs_mls_membership_check(const struct hs_mls_suite *suite,
                                    const struct hs_mls_secret *membership_key,
                                    const struct hs_mls_public_message *m, struct hs_bytes context);

/* PrivateMessage after the MLSMessage head (RFC 9420, 6.3). */
struct hs_mls_private_message {
    struct hs_bytes group_id;
    uint64_t epoch;
    enum hs_mls_content_type type;
    struct hs_bytes authenticated_data, sender_data, ciphertext;
    struct hs_bytes sender_aad,
        content_aad; /* as read: what the two ciphertexts are bound to (RFC 9420, 6.3) */
};

void hs_mls_read_private_message(struct hs_reader *r, struct hs_mls_private_message *m);
void hs_mls_write_private_message(struct hs_writer *w, const struct hs_mls_private_message *m);

/* ProposalRef (RFC 9420, 5.2) of an authenticated proposal. */
enum hs_err hs_mls_proposal_ref(const struct hs_mls_suite *suite, const struct hs_mls_authed *authed,
                                struct hs_mls_hash *ref);

#endif
