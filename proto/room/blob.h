/* Blobs: bytes that are larger than a frame, named by their hash, so that whoever gets them can check them.
 */
#ifndef HS_ROOM_BLOB_H
#define HS_ROOM_BLOB_H

#include "crypto/hash.h"

/* SHA-256("hanse-blob-v1" || 0x00 || the bytes). */
struct hs_id hs_blob_hash(struct hs_bytes bytes);

/* The same in pieces: init, then hs_sha256_update() and hs_sha256_final(). */
void hs_blob_hash_init(struct hs_sha256 *hash);

#endif
