/* The MLS working group's crypto-basics for suite 3 (and the signatures of suite 1, which are the same): the
 * labelled structures of RFC 9420, 5.1.2, 5.1.3, 5.2 and 8 are built here by hand, so that this shows the
 * primitives alone. */
#include "support/vectors.h"

#include "base/writer.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/sign.h"

static const char *const file = "mls/crypto-basics.json";

/* opaque label<V> = "MLS 1.0 " + label; opaque content<V>. */
static void write_labelled(struct hs_writer *w, const char *label, struct hs_bytes content)
{
    size_t mark = hs_writer_open(w);
    hs_write_bytes(w, hs_bytes_str("MLS 1.0 "));
    hs_write_bytes(w, hs_bytes_str(label));
    hs_writer_close(w, mark);
    hs_write_mls_vec(w, content);
    assert_ok(w->err);
}

static void sign_with_label(const json_t *v)
{
    struct hs_secret32 seed;
    struct hs_key pub;
    struct hs_sig sig;
    struct hs_signer HS_SIGNER signer;
    struct hs_writer HS_WRITER w = hs_writer(1000);
    struct owned OWNED content = vectors_hex(v, "content"), OWNED want = vectors_hex(v, "signature");
    UNHEX_FIXED(vectors_text(v, "priv"), &seed);
    UNHEX_FIXED(vectors_text(v, "pub"), &pub);
    write_labelled(&w, vectors_text(v, "label"), OWNED_VIEW(content));
    hs_signer_init(&signer, &seed);
    assert_true(hs_key_equal(&signer.pub, &pub));
    assert_ok(hs_verify(&pub, hs_writer_bytes(&w), OWNED_VIEW(want)));
    hs_sign(&signer, hs_writer_bytes(&w), &sig);
    assert_bytes(HS_VIEW(sig), OWNED_VIEW(want));
}

static void encrypt_with_label(const json_t *v)
{
    struct hs_secret32 priv;
    struct hs_key pub;
    uint8_t out[256], enc[HS_HPKE_ENC_LEN], sealed[256];
    struct hs_writer HS_WRITER info = hs_writer(1000);
    struct owned OWNED context = vectors_hex(v, "context"), OWNED plaintext = vectors_hex(v, "plaintext");
    struct owned OWNED kem = vectors_hex(v, "kem_output"), OWNED ciphertext = vectors_hex(v, "ciphertext");
    const struct hs_bytes none = {0};
    UNHEX_FIXED(vectors_text(v, "priv"), &priv);
    UNHEX_FIXED(vectors_text(v, "pub"), &pub);
    write_labelled(&info, vectors_text(v, "label"), OWNED_VIEW(context));
    assert_ok(hs_hpke_open(&priv, &pub, OWNED_VIEW(kem), hs_writer_bytes(&info), none, OWNED_VIEW(ciphertext),
                           out));
    assert_bytes(hs_bytes(out, plaintext.len), OWNED_VIEW(plaintext));
    assert_ok(hs_hpke_seal(&pub, hs_writer_bytes(&info), none, OWNED_VIEW(plaintext), enc, sealed));
    assert_ok(hs_hpke_open(&priv, &pub, hs_bytes(enc, sizeof enc), hs_writer_bytes(&info), none,
                           hs_bytes(sealed, plaintext.len + 16), out));
    assert_bytes(hs_bytes(out, plaintext.len), OWNED_VIEW(plaintext));
}

/* KDFLabel { uint16 length; opaque label<V>; opaque context<V>; } */
static void expand_with_label(const json_t *v, struct hs_bytes context, size_t length)
{
    uint8_t out[64];
    struct hs_writer HS_WRITER w = hs_writer(1000);
    struct owned OWNED secret = vectors_hex(v, "secret");
    hs_write_u16(&w, (uint16_t)length);
    write_labelled(&w, vectors_text(v, "label"), context);
    assert_ok(hs_hkdf_expand(OWNED_VIEW(secret), hs_writer_bytes(&w), out, length));
    assert_hex(hs_bytes(out, length), vectors_text(v, "out"));
}

static void ref_hash(const json_t *v)
{
    struct hs_writer HS_WRITER w = hs_writer(1000);
    struct owned OWNED value = vectors_hex(v, "value");
    hs_write_mls_vec(&w, hs_bytes_str(vectors_text(v, "label")));
    hs_write_mls_vec(&w, OWNED_VIEW(value));
    struct hs_id id = hs_sha256(hs_writer_bytes(&w));
    assert_hex(HS_VIEW(id), vectors_text(v, "out"));
}

static void tree_secret(const json_t *v)
{
    struct hs_writer HS_WRITER context = hs_writer(4);
    hs_write_u32(&context, (uint32_t)json_integer_value(json_object_get(v, "generation")));
    expand_with_label(v, hs_writer_bytes(&context), (size_t)json_integer_value(json_object_get(v, "length")));
}

static void suite_3(void **state)
{
    (void)state;
    json_t *root = vectors_load(file);
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *vector = json_array_get(root, i);
        sign_with_label(json_object_get(vector, "sign_with_label"));
        if (json_integer_value(json_object_get(vector, "cipher_suite")) != 3)
            continue;
        const json_t *expand = json_object_get(vector, "expand_with_label");
        struct owned OWNED context = vectors_hex(expand, "context");
        encrypt_with_label(json_object_get(vector, "encrypt_with_label"));
        expand_with_label(expand, OWNED_VIEW(context),
                          (size_t)json_integer_value(json_object_get(expand, "length")));
        expand_with_label(json_object_get(vector, "derive_secret"), (struct hs_bytes){0}, 32);
        tree_secret(json_object_get(vector, "derive_tree_secret"));
        ref_hash(json_object_get(vector, "ref_hash"));
        count++;
    }
    assert_true(count > 0);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(suite_3)};
    if (!vectors_are_there(&file, 1))
        return TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
