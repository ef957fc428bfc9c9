/* What one persona may put: so much a day, and so much that no post names yet. None of this is a view: where
 * it is lost, everybody begins anew. */
#include "core/blobs/blob.h"
#include "core/internal.h"
#include "core/records/table.h"

enum {
    QUOTA = 'Q',   /* persona 32 -> BlobQuotaView */
    WAITING = 'N', /* hash 32    -> WaitingBlobView: no post has named it */
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

enum hs_err hs_quota_charge(struct hs_turn *turn, const struct hs_key *persona, const struct hs_id *hash,
                            uint64_t size)
{
    struct hs_kv_key key = key_of(QUOTA, HS_VIEW(*persona)), waits = key_of(WAITING, HS_VIEW(*hash));
    Hanse__State__BlobQuotaView *view = quota_view(turn, &key);
    Hanse__State__WaitingBlobView waiting = HANSE__STATE__WAITING_BLOB_VIEW__INIT;
    HS_REQUIRE(view != NULL, HS_ERR_NOMEM);
    if (view->day != turn->now.ms / DAY_MS)
        view->bytes = 0;
    view->day = turn->now.ms / DAY_MS;
    size = size < LEAST ? LEAST : size;
    HS_REQUIRE(size <= HS_BLOB_DAY_BYTES && view->bytes <= HS_BLOB_DAY_BYTES - size, HS_ERR_QUOTA);
    HS_REQUIRE(size <= HS_BLOB_WAITING_BYTES && view->waiting <= HS_BLOB_WAITING_BYTES - size, HS_ERR_QUOTA);
    view->bytes += size;
    if (!hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&waits))) {
        view->waiting += size;
        waiting.persona = hs_pb_data(HS_VIEW(*persona));
        waiting.bytes = size;
        hs_view_put(turn, HS_T_BLOB_BYTES, &waits, &waiting.base);
    }
    hs_view_put(turn, HS_T_BLOB_BYTES, &key, &view->base);
    return HS_OK;
}

void hs_quota_release(struct hs_turn *turn, const struct hs_id *hash)
{
    struct hs_kv_key waits = key_of(WAITING, HS_VIEW(*hash));
    Hanse__State__WaitingBlobView *waiting = (Hanse__State__WaitingBlobView *)HS_VIEW_GET(
        turn, HS_T_BLOB_BYTES, &waits, hanse__state__waiting_blob_view);
    if (waiting == NULL)
        return;
    struct hs_kv_key key = key_of(QUOTA, hs_pb_bytes(waiting->persona));
    Hanse__State__BlobQuotaView *view = quota_view(turn, &key);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&waits));
    if (view == NULL)
        return;
    view->waiting -= waiting->bytes < view->waiting ? waiting->bytes : view->waiting;
    hs_view_put(turn, HS_T_BLOB_BYTES, &key, &view->base);
}
