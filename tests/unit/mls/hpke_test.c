/* Key encapsulation and HPKE over every provider's table. */
#include "support/hex.h"
#include "unit/mls/every_suite.h"

static const struct hs_bytes none = {0};

static void kem(void **state)
{
    (void)state;
    EACH_SUITE(s)
    {
        struct hs_mls_secret priv, again_priv, sent, got;
        struct hs_mls_pub pub, again, wrong;
        uint8_t enc[HS_MLS_MAX_PUB], ikm[64] = {5};
        assert_ok(s->kem_derive(hs_bytes(ikm, sizeof ikm), &priv, &pub));
        assert_ok(s->kem_derive(hs_bytes(ikm, sizeof ikm), &again_priv, &again));
        assert_int_equal(priv.len, s->kem_priv_len);
        assert_int_equal(pub.len, s->kem_pub_len);
        assert_bytes(HS_MLS_VIEW(pub), HS_MLS_VIEW(again));
        assert_ok(s->kem_public(&priv, &again));
        assert_bytes(HS_MLS_VIEW(pub), HS_MLS_VIEW(again));
        assert_ok(s->kem_check(HS_MLS_VIEW(pub)));
        assert_ok(s->kem_encap(HS_MLS_VIEW(pub), &sent, enc));
        assert_ok(s->kem_decap(&priv, HS_MLS_VIEW(pub), hs_bytes(enc, s->kem_enc_len), &got));
        assert_bytes(HS_MLS_VIEW(sent), HS_MLS_VIEW(got));
        assert_ok(hs_mls_kem_generate(s, &again_priv, &wrong));
        assert_ok(s->kem_decap(&again_priv, HS_MLS_VIEW(wrong), hs_bytes(enc, s->kem_enc_len), &got));
        assert_memory_not_equal(sent.v, got.v, sent.len);
        for (size_t len = 0; len < s->kem_pub_len; len++) {
            assert_err(s->kem_check(hs_bytes(pub.v, len)), HS_ERR_BAD_KEY);
            assert_err(s->kem_encap(hs_bytes(pub.v, len), &sent, enc), HS_ERR_BAD_KEY);
        }
        priv.len--;
        assert_err(s->kem_public(&priv, &again), HS_ERR_BAD_KEY);
        assert_err(s->kem_decap(&priv, HS_MLS_VIEW(pub), hs_bytes(enc, s->kem_enc_len), &got),
                   HS_ERR_BAD_KEY);
    }
}

/* Keys that nobody could encrypt to: all seven, with either value of the bit that doesn't count; one beside
 * each is fine. MLS-3 */
static void low_order(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t enc[HS_MLS_MAX_PUB];
    struct hs_mls_secret shared;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        for (int bit = 0; bit < 2; bit++) {
            struct owned OWNED key = unhex(keys[i]);
            key.data[31] |= (uint8_t)(bit << 7);
            assert_err(hs_mls_suite_3.kem_check(OWNED_VIEW(key)), HS_ERR_BAD_KEY);
            assert_err(hs_mls_suite_3.kem_encap(OWNED_VIEW(key), &shared, enc), HS_ERR_BAD_KEY);
            key.data[1] ^= 2;
            assert_ok(hs_mls_suite_3.kem_check(OWNED_VIEW(key)));
        }
}

/* RFC 9180, A.1.1 and A.2.1: key pairs, and what is exported. */
struct hpke_row {
    uint16_t suite;
    const char *ikm, *priv, *pub, *enc, *exported[3]; /* for the contexts "", 00 and "TestContext" */
};

static const struct hpke_row hpke_rows[] = {
    {3,
     "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df",
     "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
     "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
     "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
     {"4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e",
      "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69",
      "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"}},
    {1,
     "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
     "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
     "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
     "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
     {"3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
      "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5",
      "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"}},
};

static void check_hpke_row(const struct hpke_row *row, const struct hs_mls_suite *s)
{
    struct owned OWNED ikm = unhex(row->ikm), OWNED enc = unhex(row->enc);
    struct owned OWNED text = unhex("4f6465206f6e2061204772656369616e2055726e");
    const struct hs_bytes contexts[] = {none, hs_bytes("", 1), hs_bytes_str("TestContext")};
    const struct hs_bytes info_parts[] = {hs_bytes(text.data, 3), hs_bytes(text.data + 3, text.len - 3)};
    struct hs_mls_secret priv, exported;
    struct hs_mls_pub pub;
    struct hs_mls_hpke_info info;
    assert_ok(s->kem_derive(OWNED_VIEW(ikm), &priv, &pub));
    assert_hex(HS_MLS_VIEW(priv), row->priv);
    assert_hex(HS_MLS_VIEW(pub), row->pub);
    hs_mls_hpke_info(s, info_parts, 2, &info);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(hs_mls_hpke_export_open(s, &priv, HS_MLS_VIEW(pub), OWNED_VIEW(enc), &info, contexts[i],
                                          &exported));
        assert_hex(HS_MLS_VIEW(exported), row->exported[i]);
    }
}

static void hpke_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hpke_rows / sizeof hpke_rows[0]; i++)
        if (hs_mls_suite_find(hpke_rows[i].suite) != NULL)
            check_hpke_row(&hpke_rows[i], hs_mls_suite_find(hpke_rows[i].suite));
}

/* What is sealed to a key is opened with it alone, under the same label and context. */
static void sealing(void **state)
{
    (void)state;
    struct hs_bytes text = hs_bytes_str("hello"), context = hs_bytes_str("context");
    EACH_SUITE(s)
    {
        struct hs_mls_secret priv, other;
        struct hs_mls_pub pub, other_pub;
        uint8_t enc[HS_MLS_MAX_PUB], sealed[5 + HS_MLS_TAG_LEN], out[5];
        assert_ok(hs_mls_kem_generate(s, &priv, &pub));
        assert_ok(hs_mls_kem_generate(s, &other, &other_pub));
        assert_ok(hs_mls_seal(s, HS_MLS_VIEW(pub), "label", context, text, enc, sealed));
        struct hs_bytes kem_output = hs_bytes(enc, s->kem_enc_len), sent = hs_bytes(sealed, sizeof sealed),
                        to = HS_MLS_VIEW(pub);
        assert_ok(hs_mls_open(s, &priv, to, "label", context, kem_output, sent, out));
        assert_memory_equal(out, "hello", 5);
        assert_err(hs_mls_open(s, &priv, to, "lab", context, kem_output, sent, out), HS_ERR_DECRYPT);
        assert_err(hs_mls_open(s, &priv, to, "label", none, kem_output, sent, out), HS_ERR_DECRYPT);
        assert_err(hs_mls_open(s, &other, HS_MLS_VIEW(other_pub), "label", context, kem_output, sent, out),
                   HS_ERR_DECRYPT);
        for (size_t len = 0; len < kem_output.len; len++)
            assert_err(hs_mls_open(s, &priv, to, "label", context, hs_bytes(enc, len), sent, out),
                       HS_ERR_DECRYPT);
        for (size_t len = 0; len < sent.len; len++)
            assert_err(hs_mls_open(s, &priv, to, "label", context, kem_output, hs_bytes(sealed, len), out),
                       HS_ERR_DECRYPT);
    }
}

static void external_init(void **state)
{
    (void)state;
    EACH_SUITE(s)
    {
        struct hs_mls_secret priv, sent, got;
        struct hs_mls_pub pub;
        uint8_t enc[HS_MLS_MAX_PUB];
        assert_ok(hs_mls_kem_generate(s, &priv, &pub));
        assert_ok(hs_mls_external_init_send(s, HS_MLS_VIEW(pub), enc, &sent));
        assert_ok(hs_mls_external_init_open(s, &priv, HS_MLS_VIEW(pub), hs_bytes(enc, s->kem_enc_len), &got));
        assert_int_equal(sent.len, s->hash_len);
        assert_bytes(HS_MLS_VIEW(sent), HS_MLS_VIEW(got));
        assert_err(
            hs_mls_external_init_open(s, &priv, HS_MLS_VIEW(pub), hs_bytes(enc, s->kem_enc_len - 1U), &got),
            HS_ERR_DECRYPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kem),     cmocka_unit_test(low_order),     cmocka_unit_test(hpke_known),
        cmocka_unit_test(sealing), cmocka_unit_test(external_init),
    };
    return cmocka_run_group_tests(tests, suites_setup, NULL);
}
