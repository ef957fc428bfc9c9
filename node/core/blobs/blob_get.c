/* GetChunk: a piece of a blob, for who reads a room that refers to it. */
#include "core/blobs/blob.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/table.h"

/* The hub before this one may have it, or followers. */
static enum hs_err missing_at_hub(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                                  const Hanse__State__RoomView *of)
{
    bool moved_here = of->former_root.len > 0;
    enum hs_err err = moved_here ? hs_move_fetch(turn, hash, room) : HS_OK;
    HS_REQUIRE(err != HS_ERR_NOMEM && err != HS_ERR_BUSY, err);
    return hs_blob_want(turn, hash, room, moved_here && err == HS_OK);
}

/* Which blobs there are is nobody's affair: what may not be read is as unknown as what isn't there. */
static enum hs_err check(struct hs_turn *turn, const Hanse__GetChunk *get, struct hs_id *hash,
                         Hanse__State__BlobView **view)
{
    struct hs_id room;
    HS_TAKE32(get->hash, hash);
    HS_TAKE32(get->room, &room);
    HS_REQUIRE(get->offset % HS_BLOB_CHUNK == 0, HS_ERR_MALFORMED);
    HS_REQUIRE(hs_blob_may_read(turn, hash, &room), HS_ERR_BLOB_UNKNOWN);
    *view = hs_blob_view(turn, hash);
    HS_REQUIRE(*view != NULL, HS_ERR_BLOB_UNKNOWN);
    if ((*view)->state == HS_BLOB_REMOTE) { /* its size isn't known yet */
        const Hanse__State__RoomView *of = hs_room_view(turn, &room);
        if (of != NULL && of->hub)
            return missing_at_hub(turn, hash, &room, of);
        HS_TRY(turn->session->state == HS_SESSION_DEVICE ? hs_move_fetch(turn, hash, &room)
                                                         : HS_ERR_BLOB_UNKNOWN);
        return HS_ERR_BUSY;
    }
    return get->offset < (*view)->size ? HS_OK : HS_ERR_NOT_FOUND;
}

enum hs_err hs_handle_get_chunk(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                uint64_t *detail)
{
    (void)detail;
    const Hanse__GetChunk *get = request->get_chunk;
    Hanse__State__BlobView *view = NULL;
    struct hs_id hash;
    HS_TRY(check(turn, get, &hash, &view));
    if (view->state == HS_BLOB_FILE) {
        struct hs_effect *effect = hs_blob_effect(turn, HS_EFFECT_BLOB_READ, &hash, NULL);
        HS_REQUIRE(effect != NULL && request->id != 0, HS_ERR_NOMEM);
        effect->session = turn->session->id;
        effect->id = request->id;
        effect->offset = get->offset;
        effect->size = view->size;
        return HS_OK; /* the answer comes with the piece */
    }
    HS_REQUIRE(view->state == HS_BLOB_KEPT, HS_ERR_BUSY);
    struct hs_bytes piece = hs_blob_piece(turn, &hash, get->offset);
    HS_REQUIRE(piece.len > 0, HS_ERR_BLOB_UNKNOWN);
    reply->chunk = HS_NEW(turn, Hanse__Chunk, hanse__chunk);
    HS_REQUIRE(reply->chunk != NULL, HS_ERR_NOMEM);
    reply->chunk->hash = get->hash;
    reply->chunk->offset = get->offset;
    reply->chunk->size = view->size;
    reply->chunk->data = hs_pb_data(piece);
    reply->body_case = HANSE__FRAME__BODY_CHUNK;
    return HS_OK;
}
