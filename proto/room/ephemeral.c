#include "room/ephemeral.h"

#include "base/reader.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

enum {
    LEAF_LEN = 4,
    SIG_LEN = 64,
    HEAD_LEN = LEAF_LEN + HS_AEAD_NONCE_LEN,
    INNER_MAX = SIG_LEN + HS_EPHEMERAL_CONTENT_MAX
};

static void write_about(struct hs_writer *w, const struct hs_ephemeral *about)
{
    hs_write_bytes(w, hs_bytes_str(HS_EPHEMERAL_LABEL));
    hs_write_u8(w, 0);
    hs_write_bytes(w, HS_VIEW(about->room));
    hs_write_u64(w, about->epoch);
    hs_write_u32(w, about->leaf);
}

/* What is signed: all that the message is about, its nonce and its content. */
static enum hs_err write_signed(struct hs_writer *w, const struct hs_ephemeral *about, struct hs_bytes nonce,
                                struct hs_bytes content)
{
    write_about(w, about);
    hs_write_bytes(w, nonce);
    hs_write_bytes(w, content);
    return w->err;
}

enum hs_err hs_ephemeral_seal(const struct hs_ephemeral *about, const struct hs_secret32 *key,
                              const struct hs_signer *device, struct hs_bytes content, struct hs_writer *out)
{
    struct hs_writer HS_WRITER ad = hs_writer(HS_EPHEMERAL_MAX),
                               HS_WRITER tbs = hs_writer(2 * HS_EPHEMERAL_MAX);
    uint8_t nonce[HS_AEAD_NONCE_LEN], inner[INNER_MAX + HS_AEAD_TAG_LEN];
    struct hs_sig sig;
    HS_REQUIRE(content.len <= HS_EPHEMERAL_CONTENT_MAX, HS_ERR_TOO_LARGE);
    randombytes_buf(nonce, sizeof nonce);
    write_about(&ad, about);
    HS_TRY(ad.err);
    HS_TRY(write_signed(&tbs, about, hs_bytes(nonce, sizeof nonce), content));
    hs_sign(device, hs_writer_bytes(&tbs), &sig);
    memcpy(inner, sig.b, SIG_LEN);
    if (content.len > 0)
        memcpy(inner + SIG_LEN, content.data, content.len);
    hs_aead_seal(key->b, nonce, hs_writer_bytes(&ad), hs_bytes(inner, SIG_LEN + content.len), inner);
    hs_write_u32(out, about->leaf);
    hs_write_bytes(out, hs_bytes(nonce, sizeof nonce));
    hs_write_bytes(out, hs_bytes(inner, SIG_LEN + content.len + HS_AEAD_TAG_LEN));
    return out->err;
}

enum hs_err hs_ephemeral_leaf(struct hs_bytes sealed, uint32_t *leaf)
{
    HS_REQUIRE(sealed.len <= HS_EPHEMERAL_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(sealed.len >= HEAD_LEN + SIG_LEN + HS_AEAD_TAG_LEN, HS_ERR_MALFORMED);
    struct hs_reader r = hs_reader(sealed);
    *leaf = hs_read_u32(&r);
    return HS_OK;
}

enum hs_err hs_ephemeral_open(const struct hs_ephemeral *about, const struct hs_secret32 *key,
                              const struct hs_key *device, struct hs_bytes sealed, struct hs_writer *content)
{
    struct hs_writer HS_WRITER ad = hs_writer(HS_EPHEMERAL_MAX),
                               HS_WRITER tbs = hs_writer(2 * HS_EPHEMERAL_MAX);
    uint8_t inner[HS_EPHEMERAL_MAX];
    uint32_t leaf;
    HS_TRY(hs_ephemeral_leaf(sealed, &leaf));
    HS_REQUIRE(leaf == about->leaf, HS_ERR_MALFORMED);
    struct hs_bytes nonce = hs_bytes(sealed.data + LEAF_LEN, HS_AEAD_NONCE_LEN);
    struct hs_bytes ciphertext = hs_bytes(sealed.data + HEAD_LEN, sealed.len - HEAD_LEN);
    write_about(&ad, about);
    HS_TRY(ad.err);
    HS_TRY(hs_aead_open(key->b, nonce.data, hs_writer_bytes(&ad), ciphertext, inner));
    struct hs_bytes plain = hs_bytes(inner + SIG_LEN, ciphertext.len - HS_AEAD_TAG_LEN - SIG_LEN);
    HS_TRY(write_signed(&tbs, about, nonce, plain));
    HS_TRY(hs_verify(device, hs_writer_bytes(&tbs), hs_bytes(inner, SIG_LEN)));
    hs_write_bytes(content, plain);
    return content->err;
}
