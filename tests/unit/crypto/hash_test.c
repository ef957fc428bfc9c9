#include "support/hex.h"

#include "crypto/hash.h"

/* RFC 5869, A.1 to A.3. */
static void hkdf(void **state)
{
    (void)state;
    static const struct {
        const char *ikm, *salt, *info, *prk, *okm;
    } rows[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
         "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303"
         "1323334"
         "35363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909"
         "1929394"
         "95969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e"
         "1e2e3e4"
         "e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3"
         "275600c"
         "2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct owned OWNED ikm = unhex(rows[i].ikm), OWNED salt = unhex(rows[i].salt);
        struct owned OWNED info = unhex(rows[i].info), OWNED okm = unhex(rows[i].okm);
        struct hs_secret32 prk;
        uint8_t out[100];
        hs_hkdf_extract(OWNED_VIEW(salt), OWNED_VIEW(ikm), &prk);
        assert_hex(HS_VIEW(prk), rows[i].prk);
        assert_ok(hs_hkdf_expand(HS_VIEW(prk), OWNED_VIEW(info), out, okm.len));
        assert_bytes(hs_bytes(out, okm.len), OWNED_VIEW(okm));
    }
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void hmac(void **state)
{
    (void)state;
    uint8_t key[131], tag[32];
    memset(key, 0x0b, 20);
    hs_hmac(hs_bytes(key, 20), hs_bytes_str("Hi There"), tag);
    assert_hex(hs_bytes(tag, 32), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hs_hmac(hs_bytes_str("Jefe"), hs_bytes_str("what do ya want for nothing?"), tag);
    assert_hex(hs_bytes(tag, 32), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    struct hs_bytes text = hs_bytes_str("Test Using Larger Than Block-Size Key - Hash Key First");
    hs_hmac(hs_bytes(key, sizeof key), text, tag);
    assert_hex(hs_bytes(tag, 32), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_true(hs_hmac_verify(hs_bytes(key, sizeof key), text, hs_bytes(tag, 32)));
    assert_false(hs_hmac_verify(hs_bytes(key, sizeof key), text, hs_bytes(tag, 31)));
    assert_false(hs_hmac_verify(hs_bytes(key, sizeof key), text, (struct hs_bytes){0}));
    tag[31] ^= 1;
    assert_false(hs_hmac_verify(hs_bytes(key, sizeof key), text, hs_bytes(tag, 32)));
}

/* A label is set apart from what follows it. */
static void labels(void **state)
{
    (void)state;
    struct hs_sha256 h;
    struct hs_id a = hs_hash_labelled("ab", hs_bytes_str("c"));
    struct hs_id b = hs_hash_labelled("a", hs_bytes_str("bc"));
    assert_false(hs_id_equal(&a, &b));
    hs_sha256_init(&h);
    hs_sha256_update(&h, hs_bytes("ab", 3));
    hs_sha256_update(&h, (struct hs_bytes){0});
    hs_sha256_update(&h, hs_bytes_str("c"));
    struct hs_id pieces = hs_sha256_final(&h), whole = hs_sha256(hs_bytes("ab\0c", 4));
    assert_true(hs_id_equal(&a, &pieces));
    assert_true(hs_id_equal(&a, &whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hkdf), cmocka_unit_test(hmac),
                                       cmocka_unit_test(labels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
