#include "room/blob.h"

static const char label[] = "hanse-blob-v1";

void hs_blob_hash_init(struct hs_sha256 *hash)
{
    hs_sha256_init(hash);
    hs_sha256_update(hash, hs_bytes(label, sizeof label)); /* its NUL parts it from what follows */
}

struct hs_id hs_blob_hash(struct hs_bytes bytes)
{
    struct hs_sha256 hash;
    hs_blob_hash_init(&hash);
    hs_sha256_update(&hash, bytes);
    return hs_sha256_final(&hash);
}
