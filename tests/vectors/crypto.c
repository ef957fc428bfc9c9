/* crypto-basics, key-schedule, psk_secret, secret-tree, transcript-hashes. */
#include "vector.h"

#include "crypto/hash.h"
#include "mls/codec.h"
#include "mls/framing.h"
#include "mls/schedule.h"
#include "mls/secret_tree.h"
#include "mls/suite.h"

static struct hs_secret32 secret_of(const json_t *entry, const char *key)
{
    struct hs_secret32 out;
    (void)HS_FIXED(vector_hex(entry, key), &out);
    return out;
}

static struct hs_key key_of(const json_t *entry, const char *key)
{
    struct hs_key out;
    (void)HS_FIXED(vector_hex(entry, key), &out);
    return out;
}

static enum outcome derivations(const json_t *entry)
{
    uint8_t out[64];
    struct hs_id hash;
    struct hs_secret32 derived;
    const json_t *e = json_object_get(entry, "ref_hash");
    CHECK_OK(hs_mls_ref_hash(vector_text(e, "label"), vector_hex(e, "value"), &hash));
    CHECK_BYTES(HS_VIEW(hash), e, "out");
    e = json_object_get(entry, "expand_with_label");
    CHECK(vector_number(e, "length") <= sizeof out);
    CHECK_OK(hs_mls_expand_label(vector_hex(e, "secret"), vector_text(e, "label"), vector_hex(e, "context"),
                                 out, vector_number(e, "length")));
    CHECK_BYTES(hs_bytes(out, vector_number(e, "length")), e, "out");
    e = json_object_get(entry, "derive_secret");
    const struct hs_secret32 secret = secret_of(e, "secret");
    CHECK_OK(hs_mls_derive_secret(&secret, vector_text(e, "label"), &derived));
    CHECK_BYTES(HS_VIEW(derived), e, "out");
    e = json_object_get(entry, "derive_tree_secret");
    const struct hs_secret32 tree_secret = secret_of(e, "secret");
    CHECK(vector_number(e, "length") <= sizeof out);
    CHECK_OK(hs_mls_derive_tree_secret(&tree_secret, vector_text(e, "label"),
                                       (uint32_t)vector_number(e, "generation"), out,
                                       vector_number(e, "length")));
    CHECK_BYTES(hs_bytes(out, vector_number(e, "length")), e, "out");
    return PASSED;
}

static enum outcome signing(const json_t *e)
{
    struct hs_signer HS_SIGNER signer;
    struct hs_sig sig;
    const struct hs_secret32 seed = secret_of(e, "priv");
    const struct hs_key pub = key_of(e, "pub");
    hs_signer_init(&signer, &seed);
    CHECK_BYTES(HS_VIEW(signer.pub), e, "pub");
    CHECK_OK(
        hs_mls_verify(&pub, vector_text(e, "label"), vector_hex(e, "content"), vector_hex(e, "signature")));
    CHECK_OK(hs_mls_sign(&signer, vector_text(e, "label"), vector_hex(e, "content"), &sig));
    CHECK_OK(hs_mls_verify(&pub, vector_text(e, "label"), vector_hex(e, "content"), HS_VIEW(sig)));
    return PASSED;
}

static enum outcome encrypting(const json_t *e)
{
    uint8_t kem[32], sealed[256], plain[256];
    const struct hs_secret32 priv = secret_of(e, "priv");
    const struct hs_key pub = key_of(e, "pub");
    struct hs_bytes plaintext = vector_hex(e, "plaintext"), ciphertext = vector_hex(e, "ciphertext");
    CHECK(plaintext.len + 16 <= sizeof sealed && ciphertext.len == plaintext.len + 16);
    CHECK_OK(hs_mls_open(&priv, &pub, vector_text(e, "label"), vector_hex(e, "context"),
                         vector_hex(e, "kem_output"), ciphertext, plain));
    CHECK(hs_bytes_equal(hs_bytes(plain, plaintext.len), plaintext));
    CHECK_OK(hs_mls_seal(&pub, vector_text(e, "label"), vector_hex(e, "context"), plaintext, kem, sealed));
    CHECK_OK(hs_mls_open(&priv, &pub, vector_text(e, "label"), vector_hex(e, "context"),
                         hs_bytes(kem, sizeof kem), hs_bytes(sealed, plaintext.len + 16), plain));
    CHECK(hs_bytes_equal(hs_bytes(plain, plaintext.len), plaintext));
    return PASSED;
}

static enum outcome crypto_basics(const json_t *entry)
{
    CHECK(derivations(entry) == PASSED);
    CHECK(signing(json_object_get(entry, "sign_with_label")) == PASSED);
    CHECK(encrypting(json_object_get(entry, "encrypt_with_label")) == PASSED);
    return PASSED;
}

static enum outcome check_epoch(const struct hs_mls_epoch_secrets *secrets, const json_t *e)
{
    uint8_t exported[255];
    struct hs_key external;
    CHECK_BYTES(HS_VIEW(secrets->sender_data), e, "sender_data_secret");
    CHECK_BYTES(HS_VIEW(secrets->encryption), e, "encryption_secret");
    CHECK_BYTES(HS_VIEW(secrets->exporter), e, "exporter_secret");
    CHECK_BYTES(HS_VIEW(secrets->external), e, "external_secret");
    CHECK_BYTES(HS_VIEW(secrets->confirmation), e, "confirmation_key");
    CHECK_BYTES(HS_VIEW(secrets->membership), e, "membership_key");
    CHECK_BYTES(HS_VIEW(secrets->resumption), e, "resumption_psk");
    CHECK_BYTES(HS_VIEW(secrets->authenticator), e, "epoch_authenticator");
    CHECK_BYTES(HS_VIEW(secrets->init), e, "init_secret");
    hs_mls_external_pub(secrets, &external);
    CHECK_BYTES(HS_VIEW(external), e, "external_pub");
    const json_t *exporter = json_object_get(e, "exporter");
    size_t len = vector_number(exporter, "length");
    CHECK(len <= sizeof exported);
    CHECK_OK(hs_mls_export(secrets, vector_text(exporter, "label"), vector_hex(exporter, "context"), exported,
                           len));
    CHECK_BYTES(hs_bytes(exported, len), exporter, "secret");
    return PASSED;
}

static enum outcome key_schedule(const json_t *entry)
{
    struct hs_secret32 init = secret_of(entry, "initial_init_secret");
    const json_t *epochs = vector_list(entry, "epochs"), *e;
    size_t index;
    json_array_foreach(epochs, index, e)
    {
        struct hs_secret32 joiner, welcome;
        struct hs_mls_epoch_secrets secrets;
        struct hs_writer HS_WRITER w = hs_writer(1 << 16);
        const struct hs_secret32 commit = secret_of(e, "commit_secret"), psk = secret_of(e, "psk_secret");
        const struct hs_mls_group_context context = {
            .version = HS_MLS_VERSION_10,
            .suite = HS_MLS_SUITE,
            .group_id = vector_hex(entry, "group_id"),
            .epoch = index,
            .tree_hash = vector_hex(e, "tree_hash"),
            .confirmed_transcript_hash = vector_hex(e, "confirmed_transcript_hash"),
        };
        hs_mls_write_group_context(&w, &context);
        CHECK_BYTES(hs_writer_bytes(&w), e, "group_context");
        CHECK_OK(hs_mls_joiner_secret(&init, &commit, hs_writer_bytes(&w), &joiner));
        CHECK_BYTES(HS_VIEW(joiner), e, "joiner_secret");
        CHECK_OK(hs_mls_welcome_secret(&joiner, &psk, &welcome));
        CHECK_BYTES(HS_VIEW(welcome), e, "welcome_secret");
        CHECK_OK(hs_mls_epoch_from_joiner(&joiner, &psk, hs_writer_bytes(&w), &secrets));
        CHECK(check_epoch(&secrets, e) == PASSED);
        init = secrets.init;
    }
    return PASSED;
}

static enum outcome psk_secret(const json_t *entry)
{
    struct hs_secret32 running = {0};
    const json_t *psks = vector_list(entry, "psks"), *psk;
    size_t index, count = json_array_size(psks);
    json_array_foreach(psks, index, psk)
    {
        struct hs_writer HS_WRITER id = hs_writer(1 << 16);
        const struct hs_mls_psk_id psk_id = {
            .type = 1, .id = vector_hex(psk, "psk_id"), .nonce = vector_hex(psk, "psk_nonce")};
        hs_mls_write_psk_id(&id, &psk_id);
        CHECK_OK(hs_mls_psk_fold(vector_hex(psk, "psk"), hs_writer_bytes(&id), (uint16_t)index,
                                 (uint16_t)count, &running));
    }
    CHECK_BYTES(HS_VIEW(running), entry, "psk_secret");
    return PASSED;
}

static enum outcome check_ratchet(struct hs_mls_secret_tree *tree, uint32_t leaf, const json_t *e,
                                  enum hs_mls_ratchet_kind kind, const char *key_name, const char *nonce_name)
{
    struct hs_mls_message_key key;
    struct hs_mls_ratchet *ratchet = NULL;
    CHECK_OK(hs_mls_ratchet_take(tree, leaf, kind, &ratchet));
    CHECK_OK(hs_mls_ratchet_find(ratchet, (uint32_t)vector_number(e, "generation"), 32, 2000, &key));
    CHECK_OK(hs_mls_ratchet_put(tree, ratchet));
    CHECK_BYTES(HS_VIEW(key.key), e, key_name);
    CHECK_BYTES(hs_bytes(key.nonce, sizeof key.nonce), e, nonce_name);
    return PASSED;
}

static enum outcome check_leaves(struct hs_mls_secret_tree *tree, const json_t *leaves)
{
    const json_t *leaf, *e;
    size_t index, at;
    json_array_foreach(leaves, index, leaf)
    {
        json_array_foreach(leaf, at, e)
        {
            CHECK(check_ratchet(tree, (uint32_t)index, e, HS_MLS_RATCHET_APPLICATION, "application_key",
                                "application_nonce") == PASSED);
            CHECK(check_ratchet(tree, (uint32_t)index, e, HS_MLS_RATCHET_HANDSHAKE, "handshake_key",
                                "handshake_nonce") == PASSED);
        }
    }
    return PASSED;
}

static enum outcome secret_tree(const json_t *entry)
{
    struct hs_mls_message_key key;
    const struct hs_secret32 encryption = secret_of(entry, "encryption_secret");
    const json_t *data = json_object_get(entry, "sender_data"), *leaves = vector_list(entry, "leaves");
    const struct hs_secret32 sender_data = secret_of(data, "sender_data_secret");
    CHECK_OK(hs_mls_sender_data_key(&sender_data, vector_hex(data, "ciphertext"), &key));
    CHECK_BYTES(HS_VIEW(key.key), data, "key");
    CHECK_BYTES(hs_bytes(key.nonce, sizeof key.nonce), data, "nonce");
    unsigned depth = 0;
    while ((size_t)1 << depth < json_array_size(leaves))
        depth++;
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(&encryption, depth);
    CHECK(tree != NULL);
    enum outcome outcome = check_leaves(tree, leaves);
    hs_mls_secret_tree_free(tree);
    return outcome;
}

static enum outcome transcript_hashes(const json_t *entry)
{
    struct hs_mls_authed authed;
    struct hs_id confirmed, interim;
    struct hs_bytes in = vector_hex(entry, "authenticated_content");
    struct hs_reader r = hs_reader(in);
    hs_mls_read_authed(&r, &authed);
    CHECK_OK(hs_reader_finish(&r));
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    hs_mls_write_authed(&w, &authed);
    CHECK(hs_bytes_equal(hs_writer_bytes(&w), in));
    CHECK_OK(hs_mls_confirmed_hash(vector_hex(entry, "interim_transcript_hash_before"),
                                   (uint16_t)authed.wire_format, authed.content.raw, authed.signature,
                                   &confirmed));
    CHECK_BYTES(HS_VIEW(confirmed), entry, "confirmed_transcript_hash_after");
    CHECK_OK(hs_mls_interim_hash(HS_VIEW(confirmed), authed.confirmation_tag, &interim));
    CHECK_BYTES(HS_VIEW(interim), entry, "interim_transcript_hash_after");
    CHECK(hs_hmac_verify(vector_hex(entry, "confirmation_key"), HS_VIEW(confirmed), authed.confirmation_tag));
    return PASSED;
}

const struct family families_crypto[] = {
    {"crypto-basics", false, crypto_basics},
    {"key-schedule", false, key_schedule},
    {"psk_secret", false, psk_secret},
    {"secret-tree", false, secret_tree},
    {"transcript-hashes", false, transcript_hashes},
    {0},
};
