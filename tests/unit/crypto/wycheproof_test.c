/* Wycheproof: Ed25519, X25519, ChaCha20-Poly1305. */
#include "support/vectors.h"

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/sign.h"

static const char *const files[] = {"wycheproof/ed25519_test.json", "wycheproof/x25519_test.json",
                                    "wycheproof/chacha20_poly1305_test.json"};
enum { FILES = sizeof files / sizeof files[0] };

static bool is_valid(const json_t *test)
{
    return strcmp(vectors_text(test, "result"), "valid") == 0;
}

static bool has_flag(const json_t *test, const char *flag)
{
    const json_t *flags = json_object_get(test, "flags");
    for (size_t i = 0; i < json_array_size(flags); i++)
        if (strcmp(json_string_value(json_array_get(flags, i)), flag) == 0)
            return true;
    return false;
}

static void wrong(const json_t *test, const char *what)
{
    fail_msg("tcId %d: %s", (int)json_integer_value(json_object_get(test, "tcId")), what);
}

/* Runs each test of the file; as many as the file says it has. */
static void run(const char *name, void (*one)(const json_t *group, const json_t *test))
{
    json_t *root = vectors_load(name);
    const json_t *groups = json_object_get(root, "testGroups");
    json_int_t count = 0;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i), *tests = json_object_get(group, "tests");
        for (size_t j = 0; j < json_array_size(tests); j++, count++)
            one(group, json_array_get(tests, j));
    }
    printf("%s: %d tests\n", name, (int)count);
    assert_true(count > 0 && count == json_integer_value(json_object_get(root, "numberOfTests")));
    json_decref(root);
}

static void ed25519_one(const json_t *group, const json_t *test)
{
    struct hs_key key;
    struct owned OWNED message = vectors_hex(test, "msg"), OWNED sig = vectors_hex(test, "sig");
    UNHEX_FIXED(vectors_text(json_object_get(group, "publicKey"), "pk"), &key);
    assert_ok(hs_sign_key_check(&key));
    enum hs_err err = hs_verify(&key, OWNED_VIEW(message), OWNED_VIEW(sig));
    if (err != (is_valid(test) ? HS_OK : HS_ERR_BAD_SIGNATURE))
        wrong(test, hs_err_name(err));
}

/* Judged alike whether or not this libsodium makes the check of R necessary. */
static void ed25519(void **state)
{
    (void)state;
    hs_verify_check_r(false);
    run(files[0], ed25519_one);
    hs_verify_check_r(true);
    run(files[0], ed25519_one);
    hs_verify_check_r(false);
}

/* "acceptable": computed all the same, but for the keys that give zero. */
static void x25519_one(const json_t *group, const json_t *test)
{
    (void)group;
    struct hs_secret32 priv, shared;
    struct hs_key pub;
    UNHEX_FIXED(vectors_text(test, "private"), &priv);
    UNHEX_FIXED(vectors_text(test, "public"), &pub);
    struct owned OWNED want = vectors_hex(test, "shared");
    enum hs_err err = hs_dh(&priv, &pub, &shared);
    bool zero = has_flag(test, "ZeroSharedSecret");
    if (err != (zero ? HS_ERR_BAD_KEY : HS_OK))
        wrong(test, hs_err_name(err));
    if (!hs_bytes_equal(HS_VIEW(shared), OWNED_VIEW(want)))
        wrong(test, "another shared secret");
}

static void x25519(void **state)
{
    (void)state;
    run(files[1], x25519_one);
}

static void aead_one(const json_t *group, const json_t *test)
{
    (void)group;
    struct owned OWNED key = vectors_hex(test, "key"), OWNED nonce = vectors_hex(test, "iv");
    struct owned OWNED ad = vectors_hex(test, "aad"), OWNED plain = vectors_hex(test, "msg");
    struct owned OWNED ct = vectors_hex(test, "ct"), OWNED tag = vectors_hex(test, "tag");
    if (nonce.len != HS_AEAD_NONCE_LEN) /* the type of the function's argument keeps these out */
        return;
    uint8_t sealed[1024], out[1024];
    assert_true(plain.len + HS_AEAD_TAG_LEN <= sizeof sealed && ct.len == plain.len);
    memcpy(sealed, ct.data, ct.len);
    memcpy(sealed + ct.len, tag.data, tag.len);
    struct hs_bytes whole = hs_bytes(sealed, ct.len + tag.len);
    enum hs_err err = hs_aead_open(key.data, nonce.data, OWNED_VIEW(ad), whole, out);
    if (err != (is_valid(test) ? HS_OK : HS_ERR_DECRYPT))
        wrong(test, hs_err_name(err));
    if (err != HS_OK)
        return;
    if (!hs_bytes_equal(hs_bytes(out, plain.len), OWNED_VIEW(plain)))
        wrong(test, "another plaintext");
    hs_aead_seal(key.data, nonce.data, OWNED_VIEW(ad), hs_bytes(out, plain.len), out);
    if (!hs_bytes_equal(hs_bytes(out, whole.len), whole))
        wrong(test, "another ciphertext");
}

static void chacha20_poly1305(void **state)
{
    (void)state;
    run(files[2], aead_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519),
        cmocka_unit_test(x25519),
        cmocka_unit_test(chacha20_poly1305),
    };
    if (!vectors_are_there(files, FILES))
        return TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
