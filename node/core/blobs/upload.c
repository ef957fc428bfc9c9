#include "core/blobs/upload.h"

#include "core/blobs/blob.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/standing/kept.h"

enum {
    UPLOAD = 'U', /* hash 32 | room 32 | from 32 -> UploadView, in HS_T_BLOB_BYTES */
    DELETE = 'X', /* the same -> nothing: files that should be gone; zeros but for the hash: the blob's own */
    KEY_LEN = 1 + 3 * HS_HASH_LEN,
    LOOKS = 16, /* at uploads and deletions in one tick */
};

static struct hs_kv_key key_of(uint8_t kind, const struct hs_upload *upload)
{
    struct hs_kv_key key = hs_key2(hs_bytes(&kind, 1), HS_VIEW(upload->blob));
    hs_kv_key_add(&key, HS_VIEW(upload->room));
    hs_kv_key_add(&key, HS_VIEW(upload->from));
    return key;
}

static Hanse__State__UploadView *upload_view(struct hs_turn *turn, const struct hs_kv_key *key)
{
    return (Hanse__State__UploadView *)HS_VIEW_GET(turn, HS_T_BLOB_BYTES, key, hanse__state__upload_view);
}

static void begin(struct hs_turn *turn, const struct hs_kv_key *key, uint64_t size)
{
    Hanse__State__UploadView fresh = HANSE__STATE__UPLOAD_VIEW__INIT;
    fresh.size = size;
    fresh.begun_ms = turn->now.ms;
    hs_view_put(turn, HS_T_BLOB_BYTES, key, &fresh.base);
}

enum hs_err hs_upload_begin(struct hs_turn *turn, const struct hs_upload *upload, uint64_t size, bool asked)
{
    struct hs_kv_key key = key_of(UPLOAD, upload);
    const Hanse__State__UploadView *view = upload_view(turn, &key);
    if (view != NULL)
        return view->size == size ? HS_OK : HS_ERR_CONFLICT;
    HS_TRY(asked ? hs_quota_hold(turn, upload, size) : hs_quota_charge(turn, upload, size));
    begin(turn, &key, size);
    return HS_OK;
}

void hs_upload_fetched(struct hs_turn *turn, const struct hs_upload *upload)
{
    struct hs_kv_key key = key_of(UPLOAD, upload);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
}

bool hs_upload_is_fetch(const struct hs_upload *upload)
{
    static const struct hs_key nobody;
    return hs_key_equal(&upload->from, &nobody);
}

bool hs_upload_is_under_way(struct hs_turn *turn, const struct hs_upload *upload)
{
    struct hs_kv_key key = key_of(UPLOAD, upload);
    return hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
}

void hs_upload_end(struct hs_turn *turn, const struct hs_upload *upload)
{
    struct hs_kv_key key = key_of(UPLOAD, upload);
    const Hanse__State__BlobView *view = hs_blob_view(turn, &upload->blob);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
    if (view != NULL && view->refs > 0)
        hs_quota_release(turn, &upload->blob);
}

/* ---- files that should be gone ---- */

static void delete_file(struct hs_turn *turn, const struct hs_upload *upload)
{
    static const struct hs_id every_room;
    struct hs_effect *effect = hs_blob_effect(turn, HS_EFFECT_BLOB_DELETE, &upload->blob, &upload->room);
    if (effect == NULL)
        return;
    effect->blob_from = upload->from;
    effect->size = hs_id_equal(&upload->room, &every_room) ? 1 : 0;
}

/* Noted first: should the process die before the file is gone, it is asked again. */
static void note_deletion(struct hs_turn *turn, const struct hs_upload *upload)
{
    struct hs_kv_key key = key_of(DELETE, upload);
    hs_kv_put(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    delete_file(turn, upload);
}

void hs_blob_file_delete(struct hs_turn *turn, const struct hs_id *hash)
{
    note_deletion(turn, &(struct hs_upload){.blob = *hash});
}

bool hs_upload_is_going(struct hs_turn *turn, const struct hs_upload *upload)
{
    struct hs_kv_key part = key_of(DELETE, upload);
    struct hs_kv_key file = key_of(DELETE, &(struct hs_upload){.blob = upload->blob});
    return hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&part)) ||
           hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&file));
}

void hs_upload_deleted(struct hs_turn *turn, const struct hs_upload *upload)
{
    struct hs_kv_key key = key_of(DELETE, upload);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
}

/* What there is of it was said to be of another size, by who was the hub then. */
static enum hs_err fetch_anew(struct hs_turn *turn, const struct hs_kv_key *key,
                              const struct hs_upload *upload)
{
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(key));
    note_deletion(turn, upload);
    return HS_ERR_BUSY;
}

enum hs_err hs_upload_fetch(struct hs_turn *turn, const struct hs_upload *upload, const struct hs_key *hub,
                            uint64_t size)
{
    struct hs_kv_key key = key_of(UPLOAD, upload);
    const Hanse__State__UploadView *view = upload_view(turn, &key);
    if (view != NULL)
        return view->size == size ? HS_OK : fetch_anew(turn, &key, upload);
    HS_TRY(hs_kept_take_file(turn, hub, size));
    begin(turn, &key, size);
    return HS_OK;
}

/* A row that a program of before has left, which knew one upload of each blob and room. */
static void drop_former(struct hs_turn *turn, struct hs_bytes key)
{
    struct hs_id hash;
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, key);
    if (key.len > HS_HASH_LEN && HS_FIXED(hs_bytes(key.data + 1, HS_HASH_LEN), &hash))
        hs_quota_release_former(turn, &hash);
}

/* The next key of that kind at or behind from, as its parts. False also where so many of before were met that
 * the next tick has to go on. */
static bool next_key(struct hs_turn *turn, uint8_t kind, struct hs_kv_key *from, struct hs_upload *upload)
{
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    if (from->len == 0)
        hs_kv_key_add(from, prefix);
    for (int i = 0; i < LOOKS; i++) {
        if (!hs_kv_next(turn->kv, HS_T_BLOB_BYTES, prefix, hs_kv_key_bytes(from), turn->arena, &key, NULL))
            return false;
        if (key.len != KEY_LEN) {
            drop_former(turn, key);
            continue;
        }
        *from = hs_kv_after(key);
        return HS_FIXED(hs_bytes(key.data + 1, HS_HASH_LEN), &upload->blob) &&
               HS_FIXED(hs_bytes(key.data + 1 + HS_HASH_LEN, HS_HASH_LEN), &upload->room) &&
               HS_FIXED(hs_bytes(key.data + 1 + 2 * HS_HASH_LEN, HS_HASH_LEN), &upload->from);
    }
    return false;
}

bool hs_upload_next(struct hs_turn *turn, struct hs_kv_key *from, struct hs_upload *upload, uint64_t *size)
{
    if (!next_key(turn, UPLOAD, from, upload))
        return false;
    struct hs_kv_key key = key_of(UPLOAD, upload);
    const Hanse__State__UploadView *view = upload_view(turn, &key);
    *size = view != NULL ? view->size : 0;
    return true;
}

static void delete_again(struct hs_turn *turn)
{
    struct hs_kv_key from = {0};
    struct hs_upload upload;
    if (turn->now.ms < turn->core->delete_at.ms)
        return;
    turn->core->delete_at.ms = turn->now.ms + HS_DELETE_AGAIN_MS;
    for (int i = 0; i < LOOKS && next_key(turn, DELETE, &from, &upload); i++)
        delete_file(turn, &upload);
}

/* It took too long, or the room has the blob by now: from somebody else. */
static bool is_over(struct hs_turn *turn, const struct hs_upload *upload, const Hanse__State__BlobView *blob)
{
    struct hs_kv_key key = key_of(UPLOAD, upload);
    const Hanse__State__UploadView *view = upload_view(turn, &key);
    bool whole =
        blob != NULL && blob->state == HS_BLOB_FILE && hs_blob_in_room(turn, &upload->blob, &upload->room);
    return view != NULL && (whole || view->begun_ms + HS_UPLOAD_MS <= turn->now.ms);
}

void hs_uploads_tick(struct hs_turn *turn)
{
    struct hs_kv_key *at = &turn->core->upload_walk;
    struct hs_upload upload;
    delete_again(turn);
    for (int i = 0; i < LOOKS && !turn->full; i++) {
        if (!next_key(turn, UPLOAD, at, &upload)) {
            *at = (struct hs_kv_key){0};
            return;
        }
        const Hanse__State__BlobView *blob = hs_blob_view(turn, &upload.blob);
        if (!is_over(turn, &upload, blob))
            continue;
        struct hs_kv_key key = key_of(UPLOAD, &upload);
        hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
        hs_quota_release_of(turn, &upload);
        note_deletion(turn, &upload);
    }
}
