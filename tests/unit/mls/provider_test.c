/* Crypto providers: the tables of this build, and a third one of the caller's, in which every size is
 * another.
 */
#include "support/hex.h"
#include "unit/mls/every_suite.h"

#include "crypto/sign.h"
#include "mls/framing.h"

static const struct hs_bytes none = {0};

/* Suite 3 is always there and comes first; suite 1 where OpenSSL was found. MLS-1 */
static void registry(void **state)
{
    (void)state;
    assert_ptr_equal(hs_mls_suite_find(3), &hs_mls_suite_3);
    assert_ptr_equal(suites[0], &hs_mls_suite_3);
#ifdef HANSE_MLS_OPENSSL
    assert_ptr_equal(hs_mls_suite_find(1), &hs_mls_suite_1);
    assert_int_equal(suite_count, 3);
#else
    assert_null(hs_mls_suite_find(1));
    assert_int_equal(suite_count, 2);
#endif
    assert_null(hs_mls_suite_find(0));
    assert_null(hs_mls_suite_find(2));
    assert_ptr_equal(hs_mls_suite_find(ODD_ID), &odd_suite);
}

/* Numbers are taken once, sizes have their maxima, the list has an end. */
static void adding(void **state)
{
    (void)state;
    static struct hs_mls_suite more[HS_MLS_MAX_SUITES + 1];
    const struct hs_mls_suite *all[HS_MLS_MAX_SUITES];
    struct hs_mls_suite bad[] = {odd_suite, odd_suite, odd_suite, odd_suite, odd_suite, odd_suite, odd_suite};
    for (size_t i = 1; i < sizeof bad / sizeof bad[0]; i++)
        bad[i].id = 0xF0B0;
    bad[1].hash_len = HS_MLS_MAX_HASH + 1;
    bad[2].key_len = HS_MLS_MAX_AEAD_KEY + 1;
    bad[3].kem_pub_len = HS_MLS_MAX_PUB + 1;
    bad[4].kem_priv_len = HS_MLS_MAX_SECRET + 1;
    bad[5].kem_enc_len = HS_MLS_MAX_PUB + 1;
    bad[6].sign_pub_len = HS_MLS_MAX_PUB + 1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_err(hs_mls_suite_add(&bad[i]), HS_ERR_INVALID_ARG);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        more[i] = odd_suite;
        more[i].id = (uint16_t)(0xF100 + i);
        assert_err(hs_mls_suite_add(&more[i]),
                   suite_count + i < HS_MLS_MAX_SUITES ? HS_OK : HS_ERR_TOO_LARGE);
    }
    assert_int_equal(hs_mls_suites(all), HS_MLS_MAX_SUITES);
    assert_null(hs_mls_suite_find(0xF100 + HS_MLS_MAX_SUITES));
}

static void values(void **state)
{
    (void)state;
    uint8_t bytes[HS_MLS_MAX_SIGNATURE + 1] = {1, 2, 3};
    struct hs_mls_hash hash = {0};
    struct hs_mls_pub pub = {0};
    assert_true(HS_MLS_SET(hs_bytes(bytes, HS_MLS_MAX_HASH), &hash));
    assert_int_equal(hash.len, HS_MLS_MAX_HASH);
    assert_false(HS_MLS_SET(hs_bytes(bytes, HS_MLS_MAX_HASH + 1), &hash));
    assert_int_equal(hash.len, 0);
    assert_int_equal(hash.v[0], 0);
    assert_true(HS_MLS_SET(hs_bytes(bytes, HS_MLS_MAX_PUB), &pub));
    assert_false(HS_MLS_SET(hs_bytes(bytes, HS_MLS_MAX_PUB + 1), &pub));
    assert_true(HS_MLS_SET(none, &pub));
    assert_int_equal(pub.len, 0);
}

/* In parts or in one: the same. */
static void hashing(void **state)
{
    (void)state;
    const struct hs_bytes whole = hs_bytes_str("what do ya want for nothing?"),
                          parts[] = {hs_bytes(whole.data, 5), none, hs_bytes(whole.data + 5, whole.len - 5)};
    struct hs_mls_hash a, b;
    EACH_SUITE(s)
    {
        hs_mls_hash(s, whole, &a);
        hs_mls_hash_parts(s, parts, 3, &b);
        assert_int_equal(a.len, s->hash_len);
        assert_bytes(HS_MLS_VIEW(a), HS_MLS_VIEW(b));
        hs_mls_mac(s, hs_bytes_str("Jefe"), whole, &a);
        hs_mls_mac_parts(s, hs_bytes_str("Jefe"), parts, 3, &b);
        assert_bytes(HS_MLS_VIEW(a), HS_MLS_VIEW(b));
    }
    hs_mls_mac(&hs_mls_suite_3, hs_bytes_str("Jefe"), whole, &a); /* RFC 4231, case 2 */
    assert_hex(HS_MLS_VIEW(a), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* A tag's length is compared first: neither its beginning nor nothing at all is the tag. MLS-7 */
static void tags(void **state)
{
    (void)state;
    struct hs_bytes key = hs_bytes_str("key"), in = hs_bytes_str("in");
    uint8_t longer[HS_MLS_MAX_HASH + 1] = {0};
    struct hs_mls_hash tag;
    EACH_SUITE(s)
    {
        hs_mls_mac(s, key, in, &tag);
        memcpy(longer, tag.v, tag.len);
        for (size_t len = 0; len <= (size_t)s->hash_len + 1; len++)
            assert_int_equal(hs_mls_mac_verify(s, key, in, hs_bytes(longer, len)), len == s->hash_len);
        assert_false(hs_mls_mac_verify(s, key, in, none));
        longer[s->hash_len - 1] ^= 1;
        assert_false(hs_mls_mac_verify(s, key, in, hs_bytes(longer, s->hash_len)));
    }
}

static void expanding(void **state)
{
    (void)state;
    static uint8_t out[255 * HS_MLS_MAX_HASH + 1];
    struct hs_mls_secret prk, again;
    EACH_SUITE(s)
    {
        hs_mls_extract(s, none, hs_bytes_str("ikm"), &prk);
        assert_int_equal(prk.len, s->hash_len);
        size_t most = (size_t)255 * s->hash_len;
        assert_ok(hs_mls_expand(s, HS_MLS_VIEW(prk), hs_bytes_str("info"), out, most));
        assert_err(hs_mls_expand(s, HS_MLS_VIEW(prk), hs_bytes_str("info"), out, most + 1),
                   HS_ERR_INVALID_ARG);
        assert_ok(hs_mls_expand_label(s, HS_MLS_VIEW(prk), "label", none, out, most));
        assert_err(hs_mls_expand_label(s, HS_MLS_VIEW(prk), "label", none, out, most + 1),
                   HS_ERR_INVALID_ARG);
        assert_ok(hs_mls_derive_secret(s, &prk, "label", &again));
        assert_ok(hs_mls_derive_secret(s, &prk, "label", &prk)); /* in place */
        assert_bytes(HS_MLS_VIEW(prk), HS_MLS_VIEW(again));
        hs_mls_secret_zero(s, &prk);
        hs_mls_secret_random(s, &again);
        assert_true(prk.len == s->hash_len && again.len == s->hash_len);
        assert_true(sodium_is_zero(prk.v, prk.len) == 1 && sodium_is_zero(again.v, again.len) == 0);
    }
}

/* Whatever is altered or cut, nothing is opened. MLS-7 */
static void aead(void **state)
{
    (void)state;
    enum { LEN = 20 };
    const uint8_t key[HS_MLS_MAX_AEAD_KEY] = {1}, nonce[HS_MLS_NONCE_LEN] = {2}, zeros[LEN] = {0};
    struct hs_bytes ad = hs_bytes_str("ad");
    EACH_SUITE(s)
    {
        uint8_t text[LEN + HS_MLS_TAG_LEN] = "twenty bytes of text", sealed[LEN + HS_MLS_TAG_LEN], out[LEN];
        assert_ok(s->seal(key, nonce, ad, hs_bytes(text, LEN), sealed));
        assert_ok(s->open(key, nonce, ad, hs_bytes(sealed, sizeof sealed), out));
        assert_memory_equal(out, text, LEN);
        for (size_t len = 0; len < sizeof sealed; len++)
            assert_err(s->open(key, nonce, ad, hs_bytes(sealed, len), out), HS_ERR_DECRYPT);
        for (size_t i = 0; i < sizeof sealed; i++) {
            sealed[i] ^= 1;
            assert_err(s->open(key, nonce, ad, hs_bytes(sealed, sizeof sealed), out), HS_ERR_DECRYPT);
            assert_memory_equal(out, zeros, LEN);
            sealed[i] ^= 1;
        }
        assert_err(s->open(key, nonce, none, hs_bytes(sealed, sizeof sealed), out), HS_ERR_DECRYPT);
        assert_ok(s->seal(key, nonce, ad, hs_bytes(text, LEN), text)); /* in place, there and back */
        assert_memory_equal(text, sealed, sizeof sealed);
        assert_ok(s->open(key, nonce, ad, hs_bytes(text, sizeof text), text));
        assert_memory_equal(text, "twenty bytes of text", LEN);
        assert_ok(s->seal(key, nonce, none, none, sealed)); /* nothing at all */
        assert_ok(s->open(key, nonce, none, hs_bytes(sealed, HS_MLS_TAG_LEN), out));
        assert_err(s->open(key, nonce, ad, hs_bytes(sealed, HS_MLS_TAG_LEN), out), HS_ERR_DECRYPT);
    }
}

#ifdef HANSE_MLS_OPENSSL
/* McGrew and Viega, The Galois/Counter Mode of Operation, test case 4. */
static void aes_gcm(void **state)
{
    (void)state;
    struct owned OWNED key = unhex("feffe9928665731c6d6a8f9467308308");
    struct owned OWNED nonce = unhex("cafebabefacedbaddecaf888");
    struct owned OWNED ad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    struct owned OWNED text = unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    uint8_t sealed[60 + HS_MLS_TAG_LEN];
    assert_int_equal(hs_mls_suite_1.key_len, key.len);
    assert_ok(hs_mls_suite_1.seal(key.data, nonce.data, OWNED_VIEW(ad), OWNED_VIEW(text), sealed));
    assert_hex(hs_bytes(sealed, sizeof sealed),
               "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
               "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
               "5bc94fbc3221a5db94fae95ae7121a47");
}
#endif

static void signatures(void **state)
{
    (void)state;
    struct hs_bytes message = hs_bytes_str("message");
    EACH_SUITE(s)
    {
        struct hs_mls_signer HS_MLS_SIGNER signer = {0}, HS_MLS_SIGNER one = {0}, HS_MLS_SIGNER two = {0};
        struct hs_mls_signature sig;
        uint8_t seed[33] = {1};
        assert_ok(hs_mls_signer_random(s, &signer));
        assert_ptr_equal(signer.suite, s);
        assert_int_equal(signer.pub.len, s->sign_pub_len);
        struct hs_bytes pub = HS_MLS_VIEW(signer.pub);
        assert_ok(hs_mls_sign(&signer, "label", message, &sig));
        assert_ok(hs_mls_verify(s, pub, "label", message, HS_MLS_VIEW(sig)));
        assert_err(hs_mls_verify(s, pub, "labe", message, HS_MLS_VIEW(sig)), HS_ERR_BAD_SIGNATURE);
        assert_err(hs_mls_verify(s, pub, "label", none, HS_MLS_VIEW(sig)), HS_ERR_BAD_SIGNATURE);
        for (size_t len = 0; len < sig.len; len++)
            assert_err(hs_mls_verify(s, pub, "label", message, hs_bytes(sig.v, len)), HS_ERR_BAD_SIGNATURE);
        for (size_t len = 0; len < pub.len; len++)
            assert_err(hs_mls_verify(s, hs_bytes(pub.data, len), "label", message, HS_MLS_VIEW(sig)),
                       HS_ERR_BAD_SIGNATURE);
        assert_ok(hs_mls_signer_import(s, hs_bytes(seed, 32), &one));
        assert_ok(hs_mls_signer_import(s, hs_bytes(seed, 32), &two));
        assert_bytes(HS_MLS_VIEW(one.pub), HS_MLS_VIEW(two.pub));
        assert_err(hs_mls_signer_import(s, hs_bytes(seed, 33), &one), HS_ERR_INVALID_ARG);
        assert_err(hs_mls_signer_import(s, hs_bytes(seed, 31), &one), HS_ERR_INVALID_ARG);
        assert_bytes(HS_MLS_VIEW(one.pub), HS_MLS_VIEW(two.pub)); /* as before */
    }
}

/* Signatures over what doesn't fit the stack are those over what does. */
static void long_content(void **state)
{
    (void)state;
    static uint8_t content[5000];
    const struct hs_mls_suite *s = &hs_mls_suite_3;
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    struct hs_mls_signature sig;
    assert_ok(hs_mls_signer_random(s, &signer));
    for (size_t len = 2000; len < 2060; len++) {
        const struct hs_bytes parts[] = {hs_bytes(content, 1000), hs_bytes(content + 1000, len - 1000)};
        assert_ok(hs_mls_sign_parts(&signer, "x", parts, 2, &sig));
        assert_ok(hs_mls_verify(s, HS_MLS_VIEW(signer.pub), "x", hs_bytes(content, len), HS_MLS_VIEW(sig)));
    }
    assert_ok(hs_mls_sign(&signer, "x", hs_bytes(content, 5000), &sig));
    assert_ok(hs_mls_verify(s, HS_MLS_VIEW(signer.pub), "x", hs_bytes(content, 5000), HS_MLS_VIEW(sig)));
    assert_err(hs_mls_verify(s, HS_MLS_VIEW(signer.pub), "x", hs_bytes(content, 4999), HS_MLS_VIEW(sig)),
               HS_ERR_BAD_SIGNATURE);
}

/* Small-order and non-canonical signature keys verify nothing. MLS-3 */
static void weak_signature_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct owned OWNED key = unhex(keys[i]);
        /* R = key, S = 0: with a key of order one this holds for every message. */
        uint8_t sig[64] = {0};
        memcpy(sig, key.data, 32);
        for (int sign = 0; sign < 2; sign++, sig[31] ^= 0x80)
            assert_err(hs_mls_suite_3.verify(OWNED_VIEW(key), none, hs_bytes(sig, 64)), HS_ERR_BAD_SIGNATURE);
    }
}

/* Hanse's own signer, as a provider's. */
static void adapter(void **state)
{
    (void)state;
    struct hs_signer HS_SIGNER own = {0};
    struct hs_mls_signature sig;
    hs_signer_random(&own);
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_mls_signer_ed25519(&hs_mls_suite_3, &own);
    assert_bytes(HS_MLS_VIEW(signer.pub), HS_VIEW(own.pub));
    assert_ok(hs_mls_suite_3.sign(&signer.priv, hs_bytes_str("x"), &sig));
    assert_ok(hs_verify(&own.pub, hs_bytes_str("x"), HS_MLS_VIEW(sig)));
}

/* A membership tag that was cut, or is missing, is wrong. MLS-7 */
static void membership(void **state)
{
    (void)state;
    EACH_SUITE(s)
    {
        struct hs_mls_secret key = {.len = s->hash_len, .v = {1}};
        struct hs_mls_hash tag;
        struct hs_mls_public_message m = {
            .authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE,
                       .content = {.group_id = hs_bytes_str("group"),
                                   .sender = {.type = HS_MLS_SENDER_MEMBER},
                                   .type = HS_MLS_PROPOSAL,
                                   .proposal = {.type = HS_MLS_REMOVE, .removed = 1}},
                       .signature = hs_bytes_str("signature")},
        };
        struct hs_bytes context = hs_bytes_str("context");
        assert_ok(hs_mls_membership_tag(s, &key, &m.authed, context, &tag));
        for (size_t len = 0; len <= tag.len; len++) {
            m.membership_tag = hs_bytes(tag.v, len);
            assert_err(hs_mls_membership_check(s, &key, &m, context),
                       len == tag.len ? HS_OK : HS_ERR_MLS_MEMBERSHIP);
        }
        m.membership_tag = none;
        assert_err(hs_mls_membership_check(s, &key, &m, context), HS_ERR_MLS_MEMBERSHIP);
        tag.v[tag.len - 1] ^= 1;
        m.membership_tag = HS_MLS_VIEW(tag);
        assert_err(hs_mls_membership_check(s, &key, &m, context), HS_ERR_MLS_MEMBERSHIP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry),
        cmocka_unit_test(values),
        cmocka_unit_test(hashing),
        cmocka_unit_test(tags),
        cmocka_unit_test(expanding),
        cmocka_unit_test(aead),
#ifdef HANSE_MLS_OPENSSL
        cmocka_unit_test(aes_gcm),
#endif
        cmocka_unit_test(signatures),
        cmocka_unit_test(long_content),
        cmocka_unit_test(weak_signature_keys),
        cmocka_unit_test(adapter),
        cmocka_unit_test(membership),
        cmocka_unit_test(adding), /* fills the list: the last one */
    };
    return cmocka_run_group_tests(tests, suites_setup, NULL);
}
