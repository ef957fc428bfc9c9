/* The structures of RFC 9420 as they stand in messages. Readers fill in views that borrow the message's bytes
 * and report through the reader's sticky error; lists stay encoded (they are walked once when read, so that
 * they can be walked again without checks). Writers are their mirrors. No meaning is judged here. */
#ifndef HS_MLS_CODEC_H
#define HS_MLS_CODEC_H

#include "base/bytes.h"
#include "base/reader.h"
#include "base/writer.h"
#include "mls/event.h"
#include "mls/limits.h"
#include "mls/message.h"

/* RFC 9420, 7.2. Each list is the content of a vector of uint16. */
struct hs_mls_capabilities {
    struct hs_bytes versions, suites, extensions, proposals, credentials;
};

enum hs_mls_leaf_source {
    HS_MLS_LEAF_KEY_PACKAGE = 1,
    HS_MLS_LEAF_UPDATE = 2,
    HS_MLS_LEAF_COMMIT = 3,
};

/* RFC 9420, 7.2. credential is the identity, or the encoded certificate list. */
struct hs_mls_leaf_node {
    struct hs_bytes encryption_key, signature_key;
    uint16_t credential_type;
    struct hs_bytes credential;
    struct hs_mls_capabilities capabilities;
    enum hs_mls_leaf_source source;
    uint64_t not_before, not_after; /* KEY_PACKAGE */
    struct hs_bytes parent_hash;    /* COMMIT */
    struct hs_bytes extensions;
    struct hs_bytes signature;
    struct hs_bytes raw; /* the whole as read */
};

/* RFC 9420, 5.3: the identity of a basic credential, or the encoded certificate list. UNSUPPORTED for another
 * type, for its end can't be known. */
void hs_mls_read_credential(struct hs_reader *r, uint16_t *type, struct hs_bytes *credential);

/* False for another type, or for what is no list of certificates. */
bool hs_mls_credential_is_sound(uint16_t type, struct hs_bytes credential);
void hs_mls_write_credential(struct hs_writer *w, uint16_t type, struct hs_bytes credential);

void hs_mls_read_leaf_node(struct hs_reader *r, struct hs_mls_leaf_node *leaf);
void hs_mls_write_leaf_node(struct hs_writer *w, const struct hs_mls_leaf_node *leaf);

/* What a leaf's signature is over (LeafNodeTBS); group id and leaf index count but for KEY_PACKAGE. */
void hs_mls_write_leaf_tbs(struct hs_writer *w, const struct hs_mls_leaf_node *leaf, struct hs_bytes group_id,
                           uint32_t index);

/* RFC 9420, 7.1. unmerged is the content of a vector of uint32. */
struct hs_mls_parent_node {
    struct hs_bytes encryption_key, parent_hash, unmerged;
};

void hs_mls_read_parent_node(struct hs_reader *r, struct hs_mls_parent_node *parent);
void hs_mls_write_parent_node(struct hs_writer *w, const struct hs_mls_parent_node *parent);

/* RFC 9420, 10. tbs: the part that is signed, as read. */
struct hs_mls_key_package {
    uint16_t version, suite;
    struct hs_bytes init_key;
    struct hs_mls_leaf_node leaf;
    struct hs_bytes extensions, signature;
    struct hs_bytes raw, tbs;
};

void hs_mls_read_key_package(struct hs_reader *r, struct hs_mls_key_package *kp);
void hs_mls_write_key_package_tbs(struct hs_writer *w, const struct hs_mls_key_package *kp);
void hs_mls_write_key_package(struct hs_writer *w, const struct hs_mls_key_package *kp);

void hs_mls_read_psk_id(struct hs_reader *r, struct hs_mls_psk_id *psk);
void hs_mls_write_psk_id(struct hs_writer *w, const struct hs_mls_psk_id *psk);

/* RFC 9420, 12.1. */
struct hs_mls_proposal {
    enum hs_mls_proposal_type type;
    union {
        struct hs_mls_key_package add;
        struct hs_mls_leaf_node update;
        uint32_t removed;
        struct hs_mls_psk_id psk;
        struct hs_mls_reinit reinit;
        struct hs_bytes kem_output;
        struct hs_bytes extensions;
    };
    struct hs_bytes raw;
};

/* UNSUPPORTED for an unknown type: its length can't be known. */
void hs_mls_read_proposal(struct hs_reader *r, struct hs_mls_proposal *proposal);
void hs_mls_write_proposal(struct hs_writer *w, const struct hs_mls_proposal *proposal);

/* ProposalOrRef (RFC 9420, 12.4). */
struct hs_mls_proposal_or_ref {
    bool by_ref;
    struct hs_mls_proposal proposal;
    struct hs_bytes ref;
};

void hs_mls_read_proposal_or_ref(struct hs_reader *r, struct hs_mls_proposal_or_ref *item);
void hs_mls_write_proposal_or_ref(struct hs_writer *w, const struct hs_mls_proposal_or_ref *item);

struct hs_mls_hpke_ciphertext {
    struct hs_bytes kem, ciphertext;
};

void hs_mls_read_hpke(struct hs_reader *r, struct hs_mls_hpke_ciphertext *c);
void hs_mls_write_hpke(struct hs_writer *w, const struct hs_mls_hpke_ciphertext *c);

/* RFC 9420, 7.6. secrets: the content of a vector of HPKECiphertext. */
struct hs_mls_path_node {
    struct hs_bytes encryption_key, secrets;
};

void hs_mls_read_path_node(struct hs_reader *r, struct hs_mls_path_node *node);

/* nodes: the content of a vector of UpdatePathNode. */
struct hs_mls_update_path {
    struct hs_mls_leaf_node leaf;
    struct hs_bytes nodes;
};

void hs_mls_read_update_path(struct hs_reader *r, struct hs_mls_update_path *path);
void hs_mls_write_update_path(struct hs_writer *w, const struct hs_mls_update_path *path);

/* RFC 9420, 12.4. proposals: the content of a vector of ProposalOrRef. */
struct hs_mls_commit {
    struct hs_bytes proposals;
    bool has_path;
    struct hs_mls_update_path path;
};

void hs_mls_read_commit(struct hs_reader *r, struct hs_mls_commit *commit);
void hs_mls_write_commit(struct hs_writer *w, const struct hs_mls_commit *commit);

/* RFC 9420, 8.1. extensions: the content of the vector. */
struct hs_mls_group_context {
    uint16_t version, suite;
    struct hs_bytes group_id;
    uint64_t epoch;
    struct hs_bytes tree_hash, confirmed_transcript_hash, extensions;
};

void hs_mls_read_group_context(struct hs_reader *r, struct hs_mls_group_context *context);
void hs_mls_write_group_context(struct hs_writer *w, const struct hs_mls_group_context *context);

/* RFC 9420, 12.4.3. */
struct hs_mls_group_info {
    struct hs_mls_group_context context;
    struct hs_bytes context_raw;
    struct hs_bytes extensions, confirmation_tag;
    uint32_t signer;
    struct hs_bytes signature;
    struct hs_bytes tbs; /* as read */
};

void hs_mls_read_group_info(struct hs_reader *r, struct hs_mls_group_info *info);
void hs_mls_write_group_info_tbs(struct hs_writer *w, const struct hs_mls_group_info *info);
void hs_mls_write_group_info(struct hs_writer *w, const struct hs_mls_group_info *info);

/* RFC 9420, 12.4.3.1. psks: the content of the vector. */
struct hs_mls_group_secrets {
    struct hs_bytes joiner_secret;
    bool has_path_secret;
    struct hs_bytes path_secret, psks;
};

void hs_mls_read_group_secrets(struct hs_reader *r, struct hs_mls_group_secrets *secrets);
void hs_mls_write_group_secrets(struct hs_writer *w, const struct hs_mls_group_secrets *secrets);

struct hs_mls_encrypted_secrets {
    struct hs_bytes ref;
    struct hs_mls_hpke_ciphertext secrets;
};

void hs_mls_read_encrypted_secrets(struct hs_reader *r, struct hs_mls_encrypted_secrets *item);
void hs_mls_write_encrypted_secrets(struct hs_writer *w, const struct hs_mls_encrypted_secrets *item);

/* secrets: the content of a vector of EncryptedGroupSecrets. */
struct hs_mls_welcome {
    uint16_t suite;
    struct hs_bytes secrets, group_info;
};

void hs_mls_read_welcome(struct hs_reader *r, struct hs_mls_welcome *welcome);
void hs_mls_write_welcome(struct hs_writer *w, const struct hs_mls_welcome *welcome);

/* Reads version and wire format of an MLSMessage; MLS_VERSION for another version, MALFORMED for an unknown
 * wire format. */
enum hs_mls_wire_format hs_mls_read_head(struct hs_reader *r);
void hs_mls_write_head(struct hs_writer *w, enum hs_mls_wire_format format);

/* Reads one extension of an encoded list. */
void hs_mls_read_extension(struct hs_reader *r, uint16_t *type, struct hs_bytes *data);
void hs_mls_write_extension(struct hs_writer *w, uint16_t type, struct hs_bytes data);

/* True where the list holds no type twice and at most HS_MLS_MAX_EXTENSIONS. */
bool hs_mls_extensions_are_sound(struct hs_bytes extensions);

/* True where the content of a vector of uint16 holds value. */
bool hs_mls_u16_list_has(struct hs_bytes list, uint16_t value);

/* The bytes between two positions of a reader; empty after a failure. */
struct hs_bytes hs_mls_between(const struct hs_reader *r, const uint8_t *start);

#endif
