/* crypto-basics, key-schedule, psk_secret, secret-tree, transcript-hashes. */
#include "vector.h"

#include "mls/codec.h"
#include "mls/framing.h"
#include "mls/schedule.h"
#include "mls/secret_tree.h"
#include "mls/suite.h"

static enum outcome derivations(const json_t *entry, const struct hs_mls_suite *suite)
{
    uint8_t out[64];
    struct hs_mls_hash hash;
    struct hs_mls_secret derived;
    const json_t *e = json_object_get(entry, "ref_hash");
    CHECK_OK(hs_mls_ref_hash(suite, vector_text(e, "label"), vector_hex(e, "value"), &hash));
    CHECK_BYTES(HS_MLS_VIEW(hash), e, "out");
    e = json_object_get(entry, "expand_with_label");
    CHECK(vector_number(e, "length") <= sizeof out);
    CHECK_OK(hs_mls_expand_label(suite, vector_hex(e, "secret"), vector_text(e, "label"),
                                 vector_hex(e, "context"), out, vector_number(e, "length")));
    CHECK_BYTES(hs_bytes(out, vector_number(e, "length")), e, "out");
    e = json_object_get(entry, "derive_secret");
    const struct hs_mls_secret secret = vector_secret(e, "secret");
    CHECK_OK(hs_mls_derive_secret(suite, &secret, vector_text(e, "label"), &derived));
    CHECK_BYTES(HS_MLS_VIEW(derived), e, "out");
    e = json_object_get(entry, "derive_tree_secret");
    const struct hs_mls_secret tree_secret = vector_secret(e, "secret");
    CHECK(vector_number(e, "length") <= sizeof out);
    CHECK_OK(hs_mls_derive_tree_secret(suite, &tree_secret, vector_text(e, "label"),
                                       (uint32_t)vector_number(e, "generation"), out,
                                       vector_number(e, "length")));
    CHECK_BYTES(hs_bytes(out, vector_number(e, "length")), e, "out");
    return PASSED;
}

static enum outcome signing(const json_t *e, const struct hs_mls_suite *suite)
{
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    struct hs_mls_signature sig;
    struct hs_bytes pub = vector_hex(e, "pub"), content = vector_hex(e, "content");
    const char *label = vector_text(e, "label");
    CHECK_OK(hs_mls_signer_import(suite, vector_hex(e, "priv"), &signer));
    CHECK_BYTES(HS_MLS_VIEW(signer.pub), e, "pub");
    CHECK_OK(hs_mls_verify(suite, pub, label, content, vector_hex(e, "signature")));
    CHECK_OK(hs_mls_sign(&signer, label, content, &sig));
    CHECK_OK(hs_mls_verify(suite, pub, label, content, HS_MLS_VIEW(sig)));
    CHECK(hs_mls_verify(suite, pub, "another", content, HS_MLS_VIEW(sig)) == HS_ERR_BAD_SIGNATURE);
    return PASSED;
}

static enum outcome encrypting(const json_t *e, const struct hs_mls_suite *suite)
{
    uint8_t kem[HS_MLS_MAX_PUB], sealed[256], plain[256];
    const struct hs_mls_secret priv = vector_secret(e, "priv");
    const char *label = vector_text(e, "label");
    struct hs_bytes plaintext = vector_hex(e, "plaintext"), ciphertext = vector_hex(e, "ciphertext"),
                    pub = vector_hex(e, "pub"), context = vector_hex(e, "context");
    CHECK(plaintext.len + HS_MLS_TAG_LEN <= sizeof sealed &&
          ciphertext.len == plaintext.len + HS_MLS_TAG_LEN);
    CHECK_OK(hs_mls_open(suite, &priv, pub, label, context, vector_hex(e, "kem_output"), ciphertext, plain));
    CHECK(hs_bytes_equal(hs_bytes(plain, plaintext.len), plaintext));
    CHECK_OK(hs_mls_seal(suite, pub, label, context, plaintext, kem, sealed));
    CHECK_OK(hs_mls_open(suite, &priv, pub, label, context, hs_bytes(kem, suite->kem_enc_len),
                         hs_bytes(sealed, ciphertext.len), plain));
    CHECK(hs_bytes_equal(hs_bytes(plain, plaintext.len), plaintext));
    return PASSED;
}

static enum outcome crypto_basics(const json_t *entry)
{
    const struct hs_mls_suite *suite = vector_suite(entry);
    CHECK(derivations(entry, suite) == PASSED);
    CHECK(signing(json_object_get(entry, "sign_with_label"), suite) == PASSED);
    CHECK(encrypting(json_object_get(entry, "encrypt_with_label"), suite) == PASSED);
    return PASSED;
}

static enum outcome check_epoch(const struct hs_mls_suite *suite, const struct hs_mls_epoch_secrets *secrets,
                                const json_t *e)
{
    uint8_t exported[255];
    struct hs_mls_pub external;
    struct hs_mls_secret HS_MLS_SECRET external_priv = {0};
    CHECK_BYTES(HS_MLS_VIEW(secrets->sender_data), e, "sender_data_secret");
    CHECK_BYTES(HS_MLS_VIEW(secrets->encryption), e, "encryption_secret");
    CHECK_BYTES(HS_MLS_VIEW(secrets->exporter), e, "exporter_secret");
    CHECK_BYTES(HS_MLS_VIEW(secrets->external), e, "external_secret");
    CHECK_BYTES(HS_MLS_VIEW(secrets->confirmation), e, "confirmation_key");
    CHECK_BYTES(HS_MLS_VIEW(secrets->membership), e, "membership_key");
    CHECK_BYTES(HS_MLS_VIEW(secrets->resumption), e, "resumption_psk");
    CHECK_BYTES(HS_MLS_VIEW(secrets->authenticator), e, "epoch_authenticator");
    CHECK_BYTES(HS_MLS_VIEW(secrets->init), e, "init_secret");
    CHECK_OK(hs_mls_external_keys(suite, secrets, &external_priv, &external));
    CHECK_BYTES(HS_MLS_VIEW(external), e, "external_pub");
    const json_t *exporter = json_object_get(e, "exporter");
    size_t len = vector_number(exporter, "length");
    CHECK(len <= sizeof exported);
    CHECK_OK(hs_mls_export(suite, secrets, vector_text(exporter, "label"), vector_hex(exporter, "context"),
                           exported, len));
    CHECK_BYTES(hs_bytes(exported, len), exporter, "secret");
    return PASSED;
}

static enum outcome check_schedule(const json_t *e, const struct hs_mls_group_context *context,
                                   const struct hs_mls_suite *suite, struct hs_mls_secret *init)
{
    struct hs_mls_secret joiner, welcome;
    struct hs_mls_epoch_secrets HS_MLS_EPOCH_SECRETS secrets = {0};
    struct hs_writer HS_WRITER w = hs_writer(1 << 16);
    const struct hs_mls_secret commit = vector_secret(e, "commit_secret"),
                               psk = vector_secret(e, "psk_secret");
    hs_mls_write_group_context(&w, context);
    CHECK_BYTES(hs_writer_bytes(&w), e, "group_context");
    CHECK_OK(hs_mls_joiner_secret(suite, init, &commit, hs_writer_bytes(&w), &joiner));
    CHECK_BYTES(HS_MLS_VIEW(joiner), e, "joiner_secret");
    CHECK_OK(hs_mls_welcome_secret(suite, &joiner, &psk, &welcome));
    CHECK_BYTES(HS_MLS_VIEW(welcome), e, "welcome_secret");
    CHECK_OK(hs_mls_epoch_from_joiner(suite, &joiner, &psk, hs_writer_bytes(&w), &secrets));
    CHECK(check_epoch(suite, &secrets, e) == PASSED);
    *init = secrets.init;
    return PASSED;
}

static enum outcome key_schedule(const json_t *entry)
{
    const struct hs_mls_suite *suite = vector_suite(entry);
    struct hs_mls_secret init = vector_secret(entry, "initial_init_secret");
    const json_t *epochs = vector_list(entry, "epochs"), *e;
    size_t index;
    json_array_foreach(epochs, index, e)
    {
        const struct hs_mls_group_context context = {
            .version = HS_MLS_VERSION_10,
            .suite = suite->id,
            .group_id = vector_hex(entry, "group_id"),
            .epoch = index,
            .tree_hash = vector_hex(e, "tree_hash"),
            .confirmed_transcript_hash = vector_hex(e, "confirmed_transcript_hash"),
        };
        CHECK(check_schedule(e, &context, suite, &init) == PASSED);
    }
    return PASSED;
}

static enum outcome psk_secret(const json_t *entry)
{
    enum { MAX = 32 };
    struct hs_mls_psk_id ids[MAX];
    struct hs_bytes secrets[MAX];
    struct hs_mls_secret result;
    const json_t *psks = vector_list(entry, "psks"), *psk;
    size_t index, count = json_array_size(psks);
    CHECK(count <= MAX);
    json_array_foreach(psks, index, psk)
    {
        ids[index] = (struct hs_mls_psk_id){.type = HS_MLS_PSK_EXTERNAL,
                                            .id = vector_hex(psk, "psk_id"),
                                            .nonce = vector_hex(psk, "psk_nonce")};
        secrets[index] = vector_hex(psk, "psk");
    }
    CHECK_OK(hs_mls_psk_secret(vector_suite(entry), ids, secrets, count, &result));
    CHECK_BYTES(HS_MLS_VIEW(result), entry, "psk_secret");
    return PASSED;
}

/* One generation's key: looked up, and used up. */
static enum outcome check_ratchet(struct hs_mls_secret_tree *tree, const struct hs_mls_suite *suite,
                                  uint32_t leaf, const json_t *e, enum hs_mls_ratchet_kind kind)
{
    static const char *const names[2][2] = {{"handshake_key", "handshake_nonce"},
                                            {"application_key", "application_nonce"}};
    struct hs_mls_message_key key;
    struct hs_mls_ratchet *ratchet = NULL;
    CHECK_OK(hs_mls_ratchet_take(tree, leaf, kind, &ratchet));
    enum hs_err err = hs_mls_ratchet_find(ratchet, (uint32_t)vector_number(e, "generation"), 32, 2000, &key);
    CHECK_OK(hs_mls_ratchet_put(tree, ratchet));
    CHECK_OK(err);
    CHECK_BYTES(hs_bytes(key.key, suite->key_len), e, names[kind][0]);
    CHECK_BYTES(hs_bytes(key.nonce, sizeof key.nonce), e, names[kind][1]);
    return PASSED;
}

static enum outcome check_leaves(struct hs_mls_secret_tree *tree, const struct hs_mls_suite *suite,
                                 const json_t *leaves)
{
    const json_t *leaf, *e;
    size_t index, at;
    json_array_foreach(leaves, index, leaf)
    {
        json_array_foreach(leaf, at, e)
        {
            for (unsigned kind = 0; kind < 2; kind++)
                CHECK(check_ratchet(tree, suite, (uint32_t)index, e, kind) == PASSED);
        }
    }
    return PASSED;
}

static enum outcome secret_tree(const json_t *entry)
{
    struct hs_mls_message_key key;
    const struct hs_mls_suite *suite = vector_suite(entry);
    const struct hs_mls_secret encryption = vector_secret(entry, "encryption_secret");
    const json_t *data = json_object_get(entry, "sender_data"), *leaves = vector_list(entry, "leaves");
    const struct hs_mls_secret sender_data = vector_secret(data, "sender_data_secret");
    CHECK_OK(hs_mls_sender_data_key(suite, &sender_data, vector_hex(data, "ciphertext"), &key));
    CHECK_BYTES(hs_bytes(key.key, suite->key_len), data, "key");
    CHECK_BYTES(hs_bytes(key.nonce, sizeof key.nonce), data, "nonce");
    unsigned depth = 0;
    while ((size_t)1 << depth < json_array_size(leaves))
        depth++;
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(suite, &encryption, depth);
    CHECK(tree != NULL);
    enum outcome outcome = check_leaves(tree, suite, leaves);
    hs_mls_secret_tree_free(tree);
    return outcome;
}

static enum outcome transcript_hashes(const json_t *entry)
{
    const struct hs_mls_suite *suite = vector_suite(entry);
    struct hs_mls_authed authed;
    struct hs_mls_hash confirmed, interim;
    struct hs_bytes in = vector_hex(entry, "authenticated_content");
    struct hs_reader r = hs_reader(in);
    hs_mls_read_authed(&r, &authed);
    CHECK_OK(hs_reader_finish(&r));
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    hs_mls_write_authed(&w, &authed);
    CHECK(hs_bytes_equal(hs_writer_bytes(&w), in));
    CHECK_OK(hs_mls_confirmed_hash(suite, vector_hex(entry, "interim_transcript_hash_before"),
                                   (uint16_t)authed.wire_format, authed.content.raw, authed.signature,
                                   &confirmed));
    CHECK_BYTES(HS_MLS_VIEW(confirmed), entry, "confirmed_transcript_hash_after");
    CHECK_OK(hs_mls_interim_hash(suite, HS_MLS_VIEW(confirmed), authed.confirmation_tag, &interim));
    CHECK_BYTES(HS_MLS_VIEW(interim), entry, "interim_transcript_hash_after");
    CHECK(hs_mls_mac_verify(suite, vector_hex(entry, "confirmation_key"), HS_MLS_VIEW(confirmed),
                            authed.confirmation_tag));
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
