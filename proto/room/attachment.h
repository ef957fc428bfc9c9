/* Attachments: a file, encrypted piece by piece (libsodium's secretstream), so that neither side holds the
 * whole in memory. Each piece of the file becomes one chunk of the blob. */
#ifndef HS_ROOM_ATTACHMENT_H
#define HS_ROOM_ATTACHMENT_H

#include "crypto/hash.h"
#include "wire/limits.h"

#include <sodium.h>

enum {
    HS_ATTACHMENT_OVERHEAD = 17, /* of a piece: its tag and authenticator */
    HS_ATTACHMENT_PIECE = HS_BLOB_CHUNK - HS_ATTACHMENT_OVERHEAD,
    HS_ATTACHMENT_KEY = 32,
    HS_ATTACHMENT_HEADER = 24,
    HS_ATTACHMENT_FILE_MAX = HS_ATTACHMENT_MAX - HS_ATTACHMENT_MAX / HS_BLOB_CHUNK * HS_ATTACHMENT_OVERHEAD -
                             HS_ATTACHMENT_OVERHEAD,
};

/* What a post says of a file. name: 1 to HS_NAME_MAX bytes of clean text, one component of a path;
 * media_type: clean text, may be empty. */
struct hs_attachment {
    struct hs_bytes name, media_type;
    uint64_t size;     /* of the file */
    struct hs_id file; /* SHA-256("hanse-file-v1" || 0x00 || the file) */
    struct hs_id blob;
    uint8_t key[HS_ATTACHMENT_KEY], header[HS_ATTACHMENT_HEADER];
};

bool hs_attachment_is_valid(const struct hs_attachment *a);

/* How long the blob of a file of that size is; a file has at least one piece. */
uint64_t hs_attachment_blob_size(uint64_t size);
uint64_t hs_attachment_pieces(uint64_t size);

/* How long the n-th piece of the file is. */
size_t hs_attachment_piece_len(uint64_t size, uint64_t n);

void hs_attachment_hash_init(struct hs_sha256 *hash);

/* Both sides begin alike. */
void hs_attachment_begin(const struct hs_attachment *a, crypto_secretstream_xchacha20poly1305_state *state);

/* The next piece; out has HS_ATTACHMENT_OVERHEAD bytes more. */
void hs_attachment_seal(crypto_secretstream_xchacha20poly1305_state *state, struct hs_bytes piece, bool last,
                        uint8_t *out);

/* The next chunk; out has HS_ATTACHMENT_OVERHEAD bytes less. DECRYPT, also where the last one isn't so named,
 * or another is. */
enum hs_err hs_attachment_open(crypto_secretstream_xchacha20poly1305_state *state, struct hs_bytes chunk,
                               bool last, uint8_t *out);

#endif
