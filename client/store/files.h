/* Files that posts bring, and how far they have come out or in. */
#ifndef HS_STORE_FILES_H
#define HS_STORE_FILES_H

#include "room/attachment.h"
#include "store/row.h"

struct hs_file_row {
    struct hs_attachment a;
    uint64_t begun; /* of an upload, milliseconds */
};

/* The file of a post. */
void hs_file_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, const struct hs_file_row *row);
bool hs_file_get(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_arena *arena,
                 struct hs_file_row *row);

/* One that is on its way out, by its hash. */
void hs_upload_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_file_row *row);
bool hs_upload_get(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *file,
                   struct hs_arena *arena, struct hs_file_row *row);
void hs_upload_delete(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *file);

/* One that is on its way in: the blob up to have was opened and written. */
struct hs_download_row {
    uint64_t have;
    uint8_t state[sizeof(crypto_secretstream_xchacha20poly1305_state)];
    uint8_t hash[sizeof(struct hs_sha256)]; /* of the file so far */
};
void hs_download_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq,
                     const struct hs_download_row *row);
bool hs_download_get(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_arena *arena,
                     struct hs_download_row *row);
void hs_download_delete(struct hs_kv *kv, const struct hs_id *room, uint64_t seq);

#endif
