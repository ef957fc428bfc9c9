/* PutChunk: a blob comes piece by piece, for one room, and is a file when all of it is there. What of it is
 * durable the file alone knows; the core decides who may, and what a whole one means. */
#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/blobs/upload.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

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
    return hs_blob_was_asked(turn, hash, room) && of != NULL && of->hub && view != NULL &&
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

static enum hs_err pass_on(struct hs_turn *turn, const Hanse__Frame *request, const struct hs_upload *upload,
                           bool known, bool asked)
{
    const Hanse__PutChunk *put = request->put_chunk;
    struct hs_bytes data = hs_arena_copy(&turn->effects->arena, hs_pb_bytes(put->data));
    struct hs_effect *effect = hs_blob_effect(turn, HS_EFFECT_BLOB_WRITE, &upload->blob, &upload->room);
    HS_REQUIRE(effect != NULL && (data.data != NULL || data.len == 0), HS_ERR_NOMEM);
    effect->blob_from = upload->from;
    effect->session = turn->session->id;
    effect->id = request->id;
    effect->offset = put->offset;
    effect->size = put->size;
    effect->bytes = data;
    effect->known = known;
    effect->asked = asked && data.len > 0;
    return HS_OK;
}

enum hs_err hs_handle_put_chunk(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                uint64_t *detail)
{
    (void)detail;
    const Hanse__PutChunk *put = request->put_chunk;
    struct hs_upload upload;
    struct hs_key persona;
    HS_TAKE32(put->hash, &upload.blob);
    HS_TAKE32(put->room, &upload.room);
    HS_TAKE32(put->persona, &persona);
    HS_TRY(check_sizes(put));
    bool asked = is_brought_back(turn, &upload.blob, &upload.room);
    upload.from = asked ? turn->session->subscriber : persona;
    if (!asked)
        HS_TRY(may_put(turn, &upload.room, &persona));
    HS_REQUIRE(!hs_upload_is_going(turn, &upload), HS_ERR_BUSY);
    Hanse__State__BlobView *view = hs_blob_view(turn, &upload.blob);
    bool file = view != NULL && view->state == HS_BLOB_FILE;
    if (file && hs_blob_in_room(turn, &upload.blob, &upload.room)) {
        HS_REQUIRE(view->size == put->size, HS_ERR_CONFLICT);
        return whole(turn, &upload.blob, &upload.room, &persona, put->size, reply);
    }
    HS_TRY(hs_upload_begin(turn, &upload, put->size, asked));
    return pass_on(turn, request, &upload, file, asked);
}

/* ---- what became of it ---- */

static void answer(struct hs_turn *turn, struct hs_session *session, uint64_t id, enum hs_err err,
                   Hanse__Frame *reply)
{
    if (session == NULL)
        return;
    reply->id = id;
    if (err != HS_OK)
        hs_turn_send_error(turn, session, id, err, 0);
    else
        hs_turn_send(turn, session, reply);
}

static void written(struct hs_turn *turn, const struct hs_core_input *input)
{
    const struct hs_upload upload = {input->blob, input->blob_room, input->blob_from};
    const Hanse__State__BlobView *view = hs_blob_view(turn, &upload.blob);
    if (view == NULL || view->state != HS_BLOB_FILE || !hs_blob_in_room(turn, &upload.blob, &upload.room))
        hs_blob_record_stored(turn, &upload.blob, &upload.room, input->size);
    hs_upload_end(turn, &upload);
    Hanse__Frame reply = HANSE__FRAME__INIT;
    enum hs_err err = whole(turn, &input->blob, &input->blob_room, &input->blob_from, input->size, &reply);
    answer(turn, hs_session_find(&turn->core->sessions, input->session), input->id, err, &reply);
}

/* A piece, of a follower that was asked: whether it was the next one only the file knows. */
static void brought_back(struct hs_turn *turn, const struct hs_core_input *input)
{
    Hanse__Frame reply = HANSE__FRAME__INIT;
    enum hs_err err = input->err;
    if (err == HS_OK) {
        hs_blob_want_moved(turn, &input->blob, &input->blob_from, input->have);
        err = reply_status(turn, &input->blob, input->have, false, &reply);
    }
    answer(turn, hs_session_find(&turn->core->sessions, input->session), input->id, err, &reply);
}

void hs_blob_done(struct hs_turn *turn, const struct hs_core_input *input)
{
    const struct hs_upload upload = {input->blob, input->blob_room, input->blob_from};
    if (input->done == HS_EFFECT_BLOB_DELETE && input->err == HS_OK)
        hs_upload_deleted(turn, &upload);
    else if (input->session == 0 && input->done != HS_EFFECT_BLOB_DELETE)
        hs_moves_done(turn, input);
    else if (input->complete)
        written(turn, input);
    else if (input->done == HS_EFFECT_BLOB_WRITE)
        brought_back(turn, input);
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
