/* Encrypting and decrypting PrivateMessages (RFC 9420, 6.3). */
#ifndef HS_MLS_PRIVATE_MESSAGE_H
#define HS_MLS_PRIVATE_MESSAGE_H

#include "mls/framing.h"

/* What is put into a PrivateMessage. The key is the sender's next one. */
struct hs_mls_private_seal {
    const struct hs_mls_suite *suite;
    const struct hs_mls_authed *authed; /* wire_format HS_MLS_PRIVATE_MESSAGE */
    const struct hs_mls_message_key *key;
    const struct hs_mls_secret *sender_data;
    uint32_t padding; /* the content becomes a multiple of this, 0: no padding */
};

/* Writes the whole MLSMessage. */
enum hs_err hs_mls_private_seal(const struct hs_mls_private_seal *seal, struct hs_writer *out);

/* Who sent it, and with which of its keys (RFC 9420, 6.3.2). */
struct hs_mls_sender_data {
    uint32_t leaf, generation;
    uint8_t reuse_guard[4];
};

/* DECRYPT. */
enum hs_err hs_mls_sender_open(const struct hs_mls_suite *suite, const struct hs_mls_private_message *m,
                               const struct hs_mls_secret *sender_data, struct hs_mls_sender_data *out);

/* Decrypts into plain, which holds the views of authed then; padding must be zeros. The signature isn't
 * verified. DECRYPT, MALFORMED. */
enum hs_err hs_mls_private_open(const struct hs_mls_suite *suite, const struct hs_mls_private_message *m,
                                const struct hs_mls_sender_data *sender, const struct hs_mls_message_key *key,
                                struct hs_writer *plain, struct hs_mls_authed *authed);

#endif
