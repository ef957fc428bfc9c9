/* The secret tree and its ratchets (RFC 9420, 9): every message key is derived on demand, given out once, and what
 * it was derived from is wiped. */
#ifndef HS_MLS_SECRET_TREE_H
#define HS_MLS_SECRET_TREE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/reader.h"
#include "base/secret.h"
#include "base/writer.h"

struct hs_mls_secret_tree;

enum hs_mls_ratchet_kind { HS_MLS_RATCHET_HANDSHAKE = 0, HS_MLS_RATCHET_APPLICATION = 1 };

struct hs_mls_message_key {
    uint32_t generation;
    struct hs_secret32 key;
    uint8_t nonce[12];
};

#define HS_MLS_MESSAGE_KEY HS_AUTO(hs_mls_message_key_wipe)
void hs_mls_message_key_wipe(struct hs_mls_message_key *key);

/* depth: levels above the leaves. NULL without memory. */
struct hs_mls_secret_tree *hs_mls_secret_tree_new(const struct hs_secret32 *encryption, unsigned depth);
void hs_mls_secret_tree_free(struct hs_mls_secret_tree *tree);

/* One ratchet, taken out to be turned; it changes the tree only when it is put back. */
struct hs_mls_ratchet;

/* INVALID_ARG for a leaf past the tree, NOMEM. */
enum hs_err hs_mls_ratchet_take(const struct hs_mls_secret_tree *tree, uint32_t leaf,
                                enum hs_mls_ratchet_kind kind, struct hs_mls_ratchet **out);

/* The next key to send with. MLS_GENERATION after 2^32 - 1 of them. */
enum hs_err hs_mls_ratchet_next(struct hs_mls_ratchet *ratchet, struct hs_mls_message_key *key);

/* The key of a message that came: MLS_GENERATION where it was given out before, lies more than out_of_order behind
 * the newest, or more than forward ahead. */
enum hs_err hs_mls_ratchet_find(struct hs_mls_ratchet *ratchet, uint32_t generation, uint32_t out_of_order,
                                uint32_t forward, struct hs_mls_message_key *key);

/* Puts the turned ratchet into the tree, which wipes the secrets that it came from. Takes the ratchet, also where
 * it fails (NOMEM; the tree is then as before). */
enum hs_err hs_mls_ratchet_put(struct hs_mls_secret_tree *tree, struct hs_mls_ratchet *ratchet);

void hs_mls_ratchet_free(struct hs_mls_ratchet *ratchet);
void hs_mls_ratchet_free_at(struct hs_mls_ratchet **ratchet);
#define HS_MLS_RATCHET HS_AUTO(hs_mls_ratchet_free_at)

/* The tree as bytes: what is left of the secrets, with the ratchets. */
void hs_mls_secret_tree_write(const struct hs_mls_secret_tree *tree, struct hs_writer *w);
enum hs_err hs_mls_secret_tree_read(struct hs_reader *r, struct hs_mls_secret_tree **out);

/* Key and nonce of sender data (RFC 9420, 6.3.2). */
enum hs_err hs_mls_sender_data_key(const struct hs_secret32 *sender_data, struct hs_bytes ciphertext,
                                   struct hs_mls_message_key *out);

#endif
