/* One sender's hash ratchet (RFC 9420, 9.1): each key is given out once, and keys that were passed over are
 * kept for a while. */
#ifndef HS_MLS_RATCHET_H
#define HS_MLS_RATCHET_H

#include "base/reader.h"
#include "base/writer.h"
#include "mls/suite.h"

enum hs_mls_ratchet_kind { HS_MLS_RATCHET_HANDSHAKE = 0, HS_MLS_RATCHET_APPLICATION = 1 };

struct hs_mls_message_key {
    uint32_t generation;
    uint8_t key[HS_MLS_MAX_AEAD_KEY]; /* the suite's key_len of it */
    uint8_t nonce[HS_MLS_NONCE_LEN];
};

#define HS_MLS_MESSAGE_KEY HS_AUTO(hs_mls_message_key_wipe)
void hs_mls_message_key_wipe(struct hs_mls_message_key *key);

struct hs_mls_ratchet {
    const struct hs_mls_suite *suite;
    uint32_t leaf;
    enum hs_mls_ratchet_kind kind;
    uint32_t next; /* the generation that secret is for */
    bool spent;    /* all generations are used up */
    struct hs_mls_secret secret;
    struct hs_mls_message_key *skipped; /* by generation, ascending; at most out_of_order of them */
    size_t skipped_count, skipped_size;
};

/* The ratchet at generation 0, from the secret of its leaf. NOMEM. */
enum hs_err hs_mls_ratchet_new(const struct hs_mls_suite *suite, const struct hs_mls_secret *leaf_secret,
                               uint32_t leaf, enum hs_mls_ratchet_kind kind, struct hs_mls_ratchet **out);
enum hs_err hs_mls_ratchet_copy(const struct hs_mls_ratchet *ratchet, struct hs_mls_ratchet **out);

/* The next key to send with. MLS_GENERATION after 2^32 of them. */
enum hs_err hs_mls_ratchet_next(struct hs_mls_ratchet *ratchet, struct hs_mls_message_key *key);

/* The key of a message that came: MLS_GENERATION where it was given out before, lies more than out_of_order
 * behind the newest, or more than forward ahead. */
enum hs_err hs_mls_ratchet_find(struct hs_mls_ratchet *ratchet, uint32_t generation, uint32_t out_of_order,
                                uint32_t forward, struct hs_mls_message_key *key);

void hs_mls_ratchet_write(const struct hs_mls_ratchet *ratchet, struct hs_writer *w);

/* MALFORMED, NOMEM. */
enum hs_err hs_mls_ratchet_read(const struct hs_mls_suite *suite, struct hs_reader *r, uint32_t leaf,
                                enum hs_mls_ratchet_kind kind, struct hs_mls_ratchet **out);

void hs_mls_ratchet_free(struct hs_mls_ratchet *ratchet);
void hs_mls_ratchet_free_at(struct hs_mls_ratchet **ratchet);
#define HS_MLS_RATCHET HS_AUTO(hs_mls_ratchet_free_at)

/* Key and nonce of sender data (RFC 9420, 6.3.2). */
enum hs_err hs_mls_sender_data_key(const struct hs_mls_suite *suite, const struct hs_mls_secret *sender_data,
                                   struct hs_bytes ciphertext, struct hs_mls_message_key *out);

#endif
