/* Blobs that are being put, or fetched. Whoever brings one brings it for itself: what somebody else says of
 * its size or sends under its name changes nothing of that, and the first of whom all is there and has the
 * hash makes it whole for the room. Of what is under way only whose it is and how large is known here; how
 * much of it is durable the file alone knows. None of it is a view. */
#ifndef HS_CORE_UPLOAD_H
#define HS_CORE_UPLOAD_H

#include "core/turn.h"

struct hs_upload {
    struct hs_id blob, room;
    struct hs_key from; /* a persona, or the node that was asked for it */
};

enum {
    HS_UPLOAD_MS = 24 * 3600 * 1000, /* a blob that isn't whole by then is thrown away */
    HS_DELETE_AGAIN_MS = 60 * 1000,  /* a file that should be gone is asked to go so often */
};

/* It is begun, or goes on. CONFLICT where it was begun with another size; QUOTA; asked: this hub has lost it
 * and wants it, BUSY where that node has as much under way as it may. */
enum hs_err hs_upload_begin(struct hs_turn *turn, const struct hs_upload *upload, uint64_t size, bool asked);

/* It was begun, and hasn't come to an end. */
bool hs_upload_is_under_way(struct hs_turn *turn, const struct hs_upload *upload);

/* Its file has the blob's name. */
void hs_upload_end(struct hs_turn *turn, const struct hs_upload *upload);

/* The same for one that this follower fetches from the hub, for whoever asks: QUOTA where that hub has no
 * place here; BUSY where it was begun with another size: what there is of it goes first, and it is fetched
 * anew. Only for room and blob, from is zeros. */
enum hs_err hs_upload_fetch(struct hs_turn *turn, const struct hs_upload *upload, const struct hs_key *hub,
                            uint64_t size);
void hs_upload_fetched(struct hs_turn *turn, const struct hs_upload *upload);
bool hs_upload_is_fetch(const struct hs_upload *upload);

/* The next one at or behind from, which moves on; false at the end. */
bool hs_upload_next(struct hs_turn *turn, struct hs_kv_key *from, struct hs_upload *upload, uint64_t *size);

/* What was there of it, or the blob, is on its way out. */
bool hs_upload_is_going(struct hs_turn *turn, const struct hs_upload *upload);

/* Files to delete, and uploads that took too long or that nobody needs any more; of hs_blobs_tick(). */
void hs_uploads_tick(struct hs_turn *turn);
void hs_blob_file_delete(struct hs_turn *turn, const struct hs_id *hash);

/* It is gone. */
void hs_upload_deleted(struct hs_turn *turn, const struct hs_upload *upload);

#endif
