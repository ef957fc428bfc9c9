#include "room/attachment.h"

#include "base/text.h"

static const char label[] = "hanse-file-v1";

/* One component of a path, and nothing that means another place. */
static bool name_is_valid(struct hs_bytes name)
{
    if (name.len == 0 || name.len > HS_NAME_MAX || !hs_text_is_clean(name) || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == '/' || name.data[i] == '\\' || name.data[i] == '\n' || name.data[i] == '\t')
            return false;
    return true;
}

bool hs_attachment_is_valid(const struct hs_attachment *a)
{
    return name_is_valid(a->name) && a->media_type.len <= HS_NAME_MAX && hs_text_is_clean(a->media_type) &&
           a->size <= HS_ATTACHMENT_FILE_MAX;
}

uint64_t hs_attachment_pieces(uint64_t size)
{
    return size == 0 ? 1 : (size + HS_ATTACHMENT_PIECE - 1) / HS_ATTACHMENT_PIECE;
}

uint64_t hs_attachment_blob_size(uint64_t size)
{
    return size + hs_attachment_pieces(size) * HS_ATTACHMENT_OVERHEAD;
}

size_t hs_attachment_piece_len(uint64_t size, uint64_t n)
{
    uint64_t at = n * HS_ATTACHMENT_PIECE, left = size > at ? size - at : 0;
    return left < HS_ATTACHMENT_PIECE ? (size_t)left : HS_ATTACHMENT_PIECE;
}

void hs_attachment_hash_init(struct hs_sha256 *hash)
{
    hs_sha256_init(hash);
    hs_sha256_update(hash, hs_bytes(label, sizeof label)); /* its NUL parts it from what follows */
}

void hs_attachment_begin(const struct hs_attachment *a, crypto_secretstream_xchacha20poly1305_state *state)
{
    HS_ASSERT(crypto_secretstream_xchacha20poly1305_init_pull(state, a->header, a->key) == 0);
}

void hs_attachment_seal(crypto_secretstream_xchacha20poly1305_state *state, struct hs_bytes piece, bool last,
                        uint8_t *out)
{
    unsigned char tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                             : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    HS_ASSERT(crypto_secretstream_xchacha20poly1305_push(state, out, NULL, piece.data, piece.len, NULL, 0,
                                                         tag) == 0);
}

enum hs_err hs_attachment_open(crypto_secretstream_xchacha20poly1305_state *state, struct hs_bytes chunk,
                               bool last, uint8_t *out)
{
    unsigned char tag;
    HS_REQUIRE(chunk.len >= HS_ATTACHMENT_OVERHEAD, HS_ERR_DECRYPT);
    HS_REQUIRE(crypto_secretstream_xchacha20poly1305_pull(state, out, NULL, &tag, chunk.data, chunk.len, NULL,
                                                          0) == 0,
               HS_ERR_DECRYPT);
    return (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL) == last ? HS_OK : HS_ERR_DECRYPT;
}
