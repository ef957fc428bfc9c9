/* PutChunk: a blob comes piece by piece, for one room, and is a file when all of it is there. What of it is
 * durable the file alone knows; the core decides who may, and what a whole one means. */
#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

enum {
    UPLOAD = 'U', /* hash 32 | room 32 -> UploadView, in HS_T_BLOB_BYTES */
    DELETE = 'X', /* hash 32 | room 32 -> nothing: files that should be gone; zeros for all rooms */
    LOOKS = 16,   /* at uploads and deletions in one tick */
};

static const struct hs_id every_room;

static struct hs_kv_key key_of(uint8_t kind, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_kv_key key = hs_key2(hs_bytes(&kind, 1), HS_VIEW(*hash));
    hs_kv_key_add(&key, HS_VIEW(*room));
    return key;
}

struct hs_effect *hs_blob_effect(struct hs_turn *turn, enum hs_effect_kind kind, const struct hs_id *hash,
                                 const struct hs_id *room)
{
    struct hs_effect *effect = hs_effect_add(turn->effects, kind, 0);
    if (effect == NULL)
        return NULL;
    effect->blob = *hash;
    if (room != NULL)
        effect->blob_room = *room;
    return effect;
}

/* ---- rights ---- */

/* Who may post in the room may bring what posts name. A follower doesn't know the room's rules: its hub asks
 * again. */
static enum hs_err may_put(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona)
{
    struct hs_policy policy;
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    HS_REQUIRE(view != NULL, HS_ERR_ROOM_UNKNOWN);
    if (view->hub) {
        HS_TRY(hs_room_speaker(turn, room, persona));
        HS_TRY(hs_room_policy(turn, view, &policy));
        return hs_policy_allows(&policy, persona, hs_room_time(turn, view), HS_RIGHT_POST) ? HS_OK
                                                                                           : HS_ERR_POLICY;
    }
    HS_REQUIRE(turn->session->state == HS_SESSION_DEVICE, HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE(hs_session_acts_for(turn, NULL, persona), HS_ERR_WRONG_SENDER);
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &turn->session->subscriber, room);
    return reads != NULL && reads->until == UINT64_MAX ? HS_OK : HS_ERR_NOT_MEMBER;
}

/* A post in the room names it, this hub has lost it, and has asked this follower for it. */
static bool is_brought_back(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    const Hanse__State__RoomView *of = hs_room_view(turn, room);
    const Hanse__State__BlobView *view = hs_blob_view(turn, hash);
    return hs_blob_was_asked(turn, hash) && of != NULL && of->hub && view != NULL &&
           view->state == HS_BLOB_REMOTE && view->refs > 0 && hs_blob_may_read(turn, hash, room);
}

static enum hs_err check_sizes(const Hanse__PutChunk *put)
{
    HS_REQUIRE(put->size > 0 && put->offset % HS_BLOB_CHUNK == 0, HS_ERR_MALFORMED);
    HS_REQUIRE(put->size <= HS_ATTACHMENT_MAX, HS_ERR_TOO_LARGE);
    if (put->data.len == 0)
        return HS_OK;
    HS_REQUIRE(put->offset < put->size, HS_ERR_MALFORMED);
    uint64_t left = put->size - put->offset;
    return put->data.len == (left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK) ? HS_OK : HS_ERR_MALFORMED;
}

/* ---- putting ---- */

static enum hs_err reply_status(struct hs_turn *turn, const struct hs_id *hash, uint64_t have, bool complete,
                                Hanse__Frame *reply)
{
    struct hs_bytes name = hs_arena_copy(turn->arena, HS_VIEW(*hash));
    reply->blob_status = HS_NEW(turn, Hanse__BlobStatus, hanse__blob_status);
    HS_REQUIRE(reply->blob_status != NULL && name.data != NULL, HS_ERR_NOMEM);
    reply->blob_status->hash = hs_pb_data(name);
    reply->blob_status->have = have;
    reply->blob_status->complete = complete;
    reply->body_case = HANSE__FRAME__BODY_BLOB_STATUS;
    return HS_OK;
}

/* It is here. At a follower it is complete when it is at the hub, too. */
static enum hs_err whole(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         const struct hs_key *persona, uint64_t size, Hanse__Frame *reply)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    bool there = view != NULL && view->hub;
    if (!there)
        HS_TRY(hs_move_push(turn, hash, room, persona, size, &there));
    return reply_status(turn, hash, size, there, reply);
}

static Hanse__State__UploadView *upload_view(struct hs_turn *turn, const struct hs_kv_key *key)
{
    return (Hanse__State__UploadView *)HS_VIEW_GET(turn, HS_T_BLOB_BYTES, key, hanse__state__upload_view);
}

/* One upload for a blob and room: whoever goes on with it, its size stays. */
static enum hs_err begin(struct hs_turn *turn, const Hanse__PutChunk *put, const struct hs_id *hash,
                         const struct hs_id *room, const struct hs_key *persona, bool named)
{
    struct hs_kv_key key = key_of(UPLOAD, hash, room);
    Hanse__State__UploadView fresh = HANSE__STATE__UPLOAD_VIEW__INIT, *view = upload_view(turn, &key);
    if (view != NULL)
        return view->size == put->size ? HS_OK : HS_ERR_CONFLICT;
    if (!named)
        HS_TRY(hs_quota_charge(turn, persona, hash, put->size));
    fresh.size = put->size;
    fresh.persona = hs_pb_data(HS_VIEW(*persona));
    fresh.begun_ms = turn->now.ms;
    hs_view_put(turn, HS_T_BLOB_BYTES, &key, &fresh.base);
    return HS_OK;
}

static enum hs_err pass_on(struct hs_turn *turn, const Hanse__Frame *request, const struct hs_id *hash,
                           const struct hs_id *room, bool known)
{
    const Hanse__PutChunk *put = request->put_chunk;
    struct hs_bytes data = hs_arena_copy(&turn->effects->arena, hs_pb_bytes(put->data));
    struct hs_effect *effect = hs_blob_effect(turn, HS_EFFECT_BLOB_WRITE, hash, room);
    HS_REQUIRE(effect != NULL && (data.data != NULL || data.len == 0), HS_ERR_NOMEM);
    effect->session = turn->session->id;
    effect->id = request->id;
    effect->offset = put->offset;
    effect->size = put->size;
    effect->bytes = data;
    effect->known = known;
    return HS_OK;
}

enum hs_err hs_handle_put_chunk(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                uint64_t *detail)
{
    (void)detail;
    const Hanse__PutChunk *put = request->put_chunk;
    struct hs_id hash, room;
    struct hs_key persona;
    HS_TAKE32(put->hash, &hash);
    HS_TAKE32(put->room, &room);
    HS_TAKE32(put->persona, &persona);
    HS_TRY(check_sizes(put));
    bool named = is_brought_back(turn, &hash, &room);
    if (!named)
        HS_TRY(may_put(turn, &room, &persona));
    struct hs_kv_key gone = key_of(DELETE, &hash, &every_room), part = key_of(DELETE, &hash, &room);
    HS_REQUIRE(!hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&gone)) &&
                   !hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&part)),
               HS_ERR_BUSY);
    Hanse__State__BlobView *view = hs_blob_view(turn, &hash);
    bool file = view != NULL && view->state == HS_BLOB_FILE;
    if (file && hs_blob_in_room(turn, &hash, &room)) {
        HS_REQUIRE(view->size == put->size, HS_ERR_CONFLICT);
        return whole(turn, &hash, &room, &persona, put->size, reply);
    }
    HS_TRY(begin(turn, put, &hash, &room, &persona, named));
    if (named)
        hs_blob_want_moved(turn, &hash);
    return pass_on(turn, request, &hash, &room, file);
}

/* ---- what became of it ---- */

static void answer(struct hs_turn *turn, const struct hs_core_input *input, const struct hs_key *persona)
{
    Hanse__Frame reply = HANSE__FRAME__INIT;
    struct hs_session *session = hs_session_find(&turn->core->sessions, input->session);
    enum hs_err err = whole(turn, &input->blob, &input->blob_room, persona, input->size, &reply);
    if (session == NULL)
        return;
    reply.id = input->id;
    if (err != HS_OK)
        hs_turn_send_error(turn, session, input->id, err, 0);
    else
        hs_turn_send(turn, session, &reply);
}

static void written(struct hs_turn *turn, const struct hs_core_input *input)
{
    struct hs_kv_key key = key_of(UPLOAD, &input->blob, &input->blob_room);
    Hanse__State__UploadView *upload = upload_view(turn, &key);
    struct hs_key persona = {0};
    if (upload != NULL)
        (void)HS_FIXED(hs_pb_bytes(upload->persona), &persona);
    Hanse__State__BlobView *view = hs_blob_view(turn, &input->blob);
    if (view == NULL || view->state != HS_BLOB_FILE ||
        !hs_blob_in_room(turn, &input->blob, &input->blob_room))
        hs_blob_record_stored(turn, &input->blob, &input->blob_room, input->size);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
    answer(turn, input, &persona);
}

void hs_blob_done(struct hs_turn *turn, const struct hs_core_input *input)
{
    struct hs_kv_key gone = key_of(DELETE, &input->blob, &input->blob_room);
    if (input->done == HS_EFFECT_BLOB_DELETE && input->err == HS_OK)
        hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&gone));
    else if (input->session == 0 && input->done != HS_EFFECT_BLOB_DELETE)
        hs_moves_done(turn, input);
    else if (input->complete)
        written(turn, input);
}

/* ---- what posts name ---- */

static enum hs_err check_named(struct hs_turn *turn, const struct hs_id *room, bool hub,
                               const ProtobufCBinaryData *bytes)
{
    struct hs_id hash;
    HS_TAKE32(*bytes, &hash);
    Hanse__State__BlobView *view = hs_blob_view(turn, &hash);
    bool here = view != NULL && hs_blob_in_room(turn, &hash, room) &&
                (view->state == HS_BLOB_FILE || (!hub && view->state == HS_BLOB_REMOTE));
    return here && (hub || hs_blob_is_at_hub(turn, &hash, room)) ? HS_OK : HS_ERR_BLOB_UNKNOWN;
}

enum hs_err hs_blobs_check(struct hs_turn *turn, const struct hs_id *room, const ProtobufCBinaryData *hashes,
                           size_t count)
{
    const Hanse__State__RoomView *view = count > 0 ? hs_room_view(turn, room) : NULL;
    HS_REQUIRE(count <= HS_BLOBS_MAX, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < count; i++)
        HS_TRY(check_named(turn, room, view != NULL && view->hub, &hashes[i]));
    return HS_OK;
}

size_t hs_blobs_hinted(const Hanse__Record *record)
{
    for (size_t i = 0; i < record->n_blobs; i++)
        if (record->blobs[i].len != HS_HASH_LEN)
            return 0;
    return record->n_blobs <= HS_BLOBS_MAX ? record->n_blobs : 0;
}

/* ---- files that should be gone ---- */

static void delete_file(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_effect *effect = hs_blob_effect(turn, HS_EFFECT_BLOB_DELETE, hash, room);
    if (effect != NULL)
        effect->size = hs_id_equal(room, &every_room) ? 1 : 0;
}

/* Noted first: should the process die before the file is gone, it is asked again. */
static void note_deletion(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_kv_key key = key_of(DELETE, hash, room);
    hs_kv_put(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    delete_file(turn, hash, room);
}

void hs_blob_file_delete(struct hs_turn *turn, const struct hs_id *hash)
{
    note_deletion(turn, hash, &every_room);
}

/* The next key of that kind at or behind from, as its two parts. */
static bool next_key(struct hs_turn *turn, uint8_t kind, struct hs_kv_key *from, struct hs_id *hash,
                     struct hs_id *room)
{
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    if (from->len == 0)
        hs_kv_key_add(from, prefix);
    if (!hs_kv_next(turn->kv, HS_T_BLOB_BYTES, prefix, hs_kv_key_bytes(from), turn->arena, &key, NULL) ||
        key.len != 1 + 2 * HS_HASH_LEN)
        return false;
    *from = hs_kv_after(key);
    return HS_FIXED(hs_bytes(key.data + 1, HS_HASH_LEN), hash) &&
           HS_FIXED(hs_bytes(key.data + 1 + HS_HASH_LEN, HS_HASH_LEN), room);
}

static void delete_again(struct hs_turn *turn)
{
    struct hs_kv_key from = {0};
    struct hs_id hash, room;
    if (turn->now.ms < turn->core->delete_at.ms)
        return;
    turn->core->delete_at.ms = turn->now.ms + HS_DELETE_AGAIN_MS;
    for (int i = 0; i < LOOKS && next_key(turn, DELETE, &from, &hash, &room); i++)
        delete_file(turn, &hash, &room);
}

void hs_uploads_tick(struct hs_turn *turn)
{
    struct hs_kv_key *at = &turn->core->upload_walk;
    struct hs_id hash, room;
    delete_again(turn);
    for (int i = 0; i < LOOKS && !turn->full; i++) {
        if (!next_key(turn, UPLOAD, at, &hash, &room)) {
            *at = (struct hs_kv_key){0};
            return;
        }
        struct hs_kv_key key = key_of(UPLOAD, &hash, &room);
        Hanse__State__UploadView *upload = upload_view(turn, &key);
        if (upload == NULL || upload->begun_ms + HS_UPLOAD_MS > turn->now.ms)
            continue;
        hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
        if (hs_blob_view(turn, &hash) == NULL)
            hs_quota_release(turn, &hash);
        note_deletion(turn, &hash, &room);
    }
}
