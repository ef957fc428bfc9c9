/* What one persona may put: so much a day, and so much that no post names yet. None of this is a view: where
 * it is lost, everybody begins anew. */
#include "core/blobs/blob.h"
#include "core/blobs/upload.h"
#include "core/internal.h"
#include "core/records/table.h"

enum {
    QUOTA = 'Q',   /* from 32                     -> BlobQuotaView */
    WAITING = 'N', /* hash 32 | room 32 | from 32 -> WaitingBlobView: no post has named it */
    WAITING_LEN = 1 + 3 * HS_HASH_LEN,
    FORMER_LEN = 1 + 2 * HS_HASH_LEN, /* hash 32 | from 32, in stores of before; or the hash alone */
    FORMER_BARE_LEN = 1 + HS_HASH_LEN,
    DAY_MS = 24 * 3600 * 1000,
    LEAST = 4096, /* what the smallest takes: it is a file */
};

static struct hs_kv_key key_of(uint8_t kind, struct hs_bytes id)
{
    return hs_key2(hs_bytes(&kind, 1), id);
}

static Hanse__State__BlobQuotaView *quota_view(struct hs_turn *turn, const struct hs_kv_key *key)
{
    Hanse__State__BlobQuotaView *view =
        (Hanse__State__BlobQuotaView *)HS_VIEW_GET(turn, HS_T_BLOB_BYTES, key, hanse__state__blob_quota_view);
    return view != NULL ? view : HS_NEW(turn, Hanse__State__BlobQuotaView, hanse__state__blob_quota_view);
}

static struct hs_kv_key waiting_key(const struct hs_upload *upload)
{
    struct hs_kv_key key = key_of(WAITING, HS_VIEW(upload->blob));
    hs_kv_key_add(&key, HS_VIEW(upload->room));
    hs_kv_key_add(&key, HS_VIEW(upload->from));
    return key;
}

/* Changes the view alone; err where it is too much. What counts already counts once. */
static enum hs_err wait_for_post(struct hs_turn *turn, const struct hs_upload *upload, uint64_t size,
                                 Hanse__State__BlobQuotaView *view, enum hs_err err)
{
    struct hs_kv_key waits = waiting_key(upload);
    Hanse__State__WaitingBlobView fresh = HANSE__STATE__WAITING_BLOB_VIEW__INIT;
    Hanse__State__WaitingBlobView *waiting = (Hanse__State__WaitingBlobView *)HS_VIEW_GET(
        turn, HS_T_BLOB_BYTES, &waits, hanse__state__waiting_blob_view);
    if (waiting == NULL)
        waiting = &fresh;
    if (size <= waiting->bytes)
        return HS_OK;
    uint64_t more = size - waiting->bytes;
    HS_REQUIRE(more <= HS_BLOB_WAITING_BYTES && view->waiting <= HS_BLOB_WAITING_BYTES - more, err);
    view->waiting += more;
    waiting->bytes = size;
    hs_view_put(turn, HS_T_BLOB_BYTES, &waits, &waiting->base);
    return HS_OK;
}

enum hs_err hs_quota_charge(struct hs_turn *turn, const struct hs_upload *upload, uint64_t size)
{
    struct hs_kv_key key = key_of(QUOTA, HS_VIEW(upload->from));
    Hanse__State__BlobQuotaView *view = quota_view(turn, &key);
    HS_REQUIRE(view != NULL, HS_ERR_NOMEM);
    if (view->day != turn->now.ms / DAY_MS)
        view->bytes = 0;
    view->day = turn->now.ms / DAY_MS;
    size = size < LEAST ? LEAST : size;
    HS_REQUIRE(size <= HS_BLOB_DAY_BYTES && view->bytes <= HS_BLOB_DAY_BYTES - size, HS_ERR_QUOTA);
    HS_TRY(wait_for_post(turn, upload, size, view, HS_ERR_QUOTA));
    view->bytes += size;
    hs_view_put(turn, HS_T_BLOB_BYTES, &key, &view->base);
    return HS_OK;
}

enum hs_err hs_quota_hold(struct hs_turn *turn, const struct hs_upload *upload, uint64_t size)
{
    struct hs_kv_key key = key_of(QUOTA, HS_VIEW(upload->from));
    Hanse__State__BlobQuotaView *view = quota_view(turn, &key);
    HS_REQUIRE(view != NULL, HS_ERR_NOMEM);
    HS_TRY(wait_for_post(turn, upload, size < LEAST ? LEAST : size, view, HS_ERR_BUSY));
    hs_view_put(turn, HS_T_BLOB_BYTES, &key, &view->base);
    return HS_OK;
}

/* Whose count a row is, of whatever form; empty where it doesn't say. */
static struct hs_bytes counted_for(struct hs_bytes key, const Hanse__State__WaitingBlobView *waiting)
{
    if (key.len == WAITING_LEN || key.len == FORMER_LEN)
        return hs_bytes(key.data + key.len - HS_HASH_LEN, HS_HASH_LEN);
    return key.len == FORMER_BARE_LEN ? hs_pb_bytes(waiting->persona) : (struct hs_bytes){0};
}

static void release(struct hs_turn *turn, struct hs_bytes waits)
{
    struct hs_kv_key at = hs_key1(waits);
    Hanse__State__WaitingBlobView *waiting = (Hanse__State__WaitingBlobView *)HS_VIEW_GET(
        turn, HS_T_BLOB_BYTES, &at, hanse__state__waiting_blob_view);
    if (waiting == NULL)
        return;
    struct hs_bytes from = counted_for(waits, waiting);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, waits);
    if (from.len != HS_HASH_LEN)
        return;
    struct hs_kv_key key = key_of(QUOTA, from);
    Hanse__State__BlobQuotaView *view = quota_view(turn, &key);
    if (view == NULL)
        return;
    view->waiting -= waiting->bytes < view->waiting ? waiting->bytes : view->waiting;
    hs_view_put(turn, HS_T_BLOB_BYTES, &key, &view->base);
}

bool hs_quota_waits(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_kv_key prefix = key_of(WAITING, HS_VIEW(*hash));
    struct hs_bytes key;
    hs_kv_key_add(&prefix, HS_VIEW(*room));
    struct hs_bytes first = hs_kv_key_bytes(&prefix);
    return hs_kv_next(turn->kv, HS_T_BLOB_BYTES, first, first, turn->arena, &key, NULL) &&
           key.len == WAITING_LEN;
}

void hs_quota_release_of(struct hs_turn *turn, const struct hs_upload *upload)
{
    struct hs_kv_key waits = waiting_key(upload), former = key_of(WAITING, HS_VIEW(upload->blob));
    hs_kv_key_add(&former, HS_VIEW(upload->from));
    release(turn, hs_kv_key_bytes(&waits));
    release(turn, hs_kv_key_bytes(&former));
}

void hs_quota_release_former(struct hs_turn *turn, const struct hs_id *hash)
{
    struct hs_kv_key bare = key_of(WAITING, HS_VIEW(*hash));
    release(turn, hs_kv_key_bytes(&bare));
}

/* A part of its own is on its way to the disk, whatever becomes of the blob. */
static bool is_under_way(struct hs_turn *turn, struct hs_bytes waits)
{
    struct hs_upload upload;
    return waits.len == WAITING_LEN && HS_FIXED(hs_bytes(waits.data + 1, HS_HASH_LEN), &upload.blob) &&
           HS_FIXED(hs_bytes(waits.data + 1 + HS_HASH_LEN, HS_HASH_LEN), &upload.room) &&
           HS_FIXED(hs_bytes(waits.data + 1 + 2 * HS_HASH_LEN, HS_HASH_LEN), &upload.from) &&
           hs_upload_is_under_way(turn, &upload);
}

void hs_quota_release(struct hs_turn *turn, const struct hs_id *hash)
{
    struct hs_kv_key prefix = key_of(WAITING, HS_VIEW(*hash)), from = prefix;
    struct hs_bytes key;
    while (turn->kv->err == HS_OK && hs_kv_next(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&prefix),
                                                hs_kv_key_bytes(&from), turn->arena, &key, NULL)) {
        from = hs_kv_after(key);
        if (!is_under_way(turn, key))
            release(turn, key);
    }
}
