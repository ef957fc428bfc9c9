/* RFC 9180, A.2: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode; and what must fail. */
#include "support/hex.h"

#include "crypto/dh.h"
#include "crypto/hpke.h"

static const char info_hex[] = "4f6465206f6e2061204772656369616e2055726e";
static const char enc_hex[] = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
static const char pk_hex[] = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
static const char sk_hex[] = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";

/* A.2.1: skRm, pkRm from ikmR. */
static void derive_keypair(void **state)
{
    (void)state;
    struct owned OWNED ikm = unhex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df");
    struct hs_secret32 priv;
    struct hs_key pub;
    hs_hpke_derive_keypair(OWNED_VIEW(ikm), &priv, &pub);
    assert_hex(HS_VIEW(priv), sk_hex);
    assert_hex(HS_VIEW(pub), pk_hex);
}

/* A.2.1.1, sequence number 0. */
static void open_known(void **state)
{
    (void)state;
    struct hs_secret32 priv;
    struct hs_key pub;
    uint8_t out[64];
    struct owned OWNED enc = unhex(enc_hex), OWNED info = unhex(info_hex);
    struct owned OWNED aad = unhex("436f756e742d30");
    struct owned OWNED ct = unhex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
                                  "21993c62ce81883d2dd1b51a28");
    UNHEX_FIXED(sk_hex, &priv);
    UNHEX_FIXED(pk_hex, &pub);
    assert_ok(
        hs_hpke_open(&priv, &pub, OWNED_VIEW(enc), OWNED_VIEW(info), OWNED_VIEW(aad), OWNED_VIEW(ct), out));
    assert_hex(hs_bytes(out, ct.len - 16), "4265617574792069732074727574682c20747275746820626561757479");
}

/* A.2.1.2. */
static void export_known(void **state)
{
    (void)state;
    static const struct {
        const char *context, *want;
    } rows[] = {
        {"", "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e"},
        {"00", "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69"},
        {"54657374436f6e74657874", "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"},
    };
    struct hs_secret32 priv;
    struct hs_key pub;
    struct owned OWNED enc = unhex(enc_hex), OWNED info = unhex(info_hex);
    UNHEX_FIXED(sk_hex, &priv);
    UNHEX_FIXED(pk_hex, &pub);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct owned OWNED context = unhex(rows[i].context);
        uint8_t out[32];
        assert_ok(hs_hpke_export_receiver(&priv, &pub, OWNED_VIEW(enc), OWNED_VIEW(info), OWNED_VIEW(context),
                                          out, sizeof out));
        assert_hex(hs_bytes(out, sizeof out), rows[i].want);
    }
}

static void seal_and_open(void **state)
{
    (void)state;
    struct hs_secret32 priv;
    struct hs_key pub;
    uint8_t enc[HS_HPKE_ENC_LEN], sealed[5 + 16], out[5];
    struct hs_bytes info = hs_bytes_str("info"), aad = hs_bytes_str("aad"),
                    sent = hs_bytes(sealed, sizeof sealed);
    hs_dh_keypair(&priv, &pub);
    assert_ok(hs_hpke_seal(&pub, info, aad, hs_bytes_str("hello"), enc, sealed));
    assert_ok(hs_hpke_open(&priv, &pub, hs_bytes(enc, 32), info, aad, sent, out));
    assert_memory_equal(out, "hello", 5);
    assert_err(hs_hpke_open(&priv, &pub, hs_bytes(enc, 32), aad, aad, sent, out), HS_ERR_DECRYPT);
    assert_err(hs_hpke_open(&priv, &pub, hs_bytes(enc, 32), info, info, sent, out), HS_ERR_DECRYPT);
    assert_err(hs_hpke_open(&priv, &pub, hs_bytes(enc, 31), info, aad, sent, out), HS_ERR_DECRYPT);
    assert_err(hs_hpke_open(&priv, &pub, hs_bytes(enc, 32), info, aad, hs_bytes(sealed, 15), out),
               HS_ERR_DECRYPT);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_err(hs_hpke_open(&priv, &pub, hs_bytes(enc, 32), info, aad, sent, out), HS_ERR_DECRYPT);
        sealed[i] ^= 1;
    }
    struct hs_secret32 other_priv;
    struct hs_key other_pub;
    hs_dh_keypair(&other_priv, &other_pub);
    assert_err(hs_hpke_open(&other_priv, &other_pub, hs_bytes(enc, 32), info, aad, sent, out),
               HS_ERR_DECRYPT);
}

static void low_order(void **state)
{
    (void)state;
    const struct hs_key low = {{1}};
    struct hs_secret32 priv;
    struct hs_key pub;
    uint8_t enc[HS_HPKE_ENC_LEN], sealed[16], out[32];
    const struct hs_bytes none = {0};
    hs_dh_keypair(&priv, &pub);
    assert_err(hs_hpke_seal(&low, none, none, none, enc, sealed), HS_ERR_BAD_KEY);
    assert_err(hs_hpke_export_sender(&low, none, none, enc, out, sizeof out), HS_ERR_BAD_KEY);
    assert_err(hs_hpke_open(&priv, &pub, HS_VIEW(low), none, none, hs_bytes(sealed, 16), out),
               HS_ERR_BAD_KEY);
}

static void export_both_sides(void **state)
{
    (void)state;
    struct hs_secret32 priv;
    struct hs_key pub;
    uint8_t enc[HS_HPKE_ENC_LEN], ours[48], theirs[48];
    struct hs_bytes info = hs_bytes_str("info"), context = hs_bytes_str("MLS 1.0 external init secret");
    hs_dh_keypair(&priv, &pub);
    assert_ok(hs_hpke_export_sender(&pub, info, context, enc, ours, sizeof ours));
    assert_ok(hs_hpke_export_receiver(&priv, &pub, hs_bytes(enc, 32), info, context, theirs, sizeof theirs));
    assert_memory_equal(ours, theirs, sizeof ours);
    assert_ok(hs_hpke_export_receiver(&priv, &pub, hs_bytes(enc, 32), info, info, theirs, sizeof theirs));
    assert_memory_not_equal(ours, theirs, sizeof ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derive_keypair), cmocka_unit_test(open_known), cmocka_unit_test(export_known),
        cmocka_unit_test(seal_and_open),  cmocka_unit_test(low_order),  cmocka_unit_test(export_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
