/* A file goes out: read once to know its hash, then brought to the node piece by piece, then posted. The node
 * says how much it has, so whatever breaks, it goes on from there. */
#include "sync/talk/file.h"

#include "room/blob.h"
#include "room/content.h"

#include <stdlib.h>

enum { UPLOAD_MS = 20 * 3600 * 1000 /* the node keeps what isn't whole for a day */ };

enum hs_err hs_file_progress(struct hs_step *s, const struct hs_op *op, uint64_t bytes)
{
    struct hanse_event event = {.kind = HANSE_EVENT_FILE, .op = op->number, .seq = bytes};
    memcpy(event.room.b, op->room.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

size_t hs_file_under_way(const struct hs_sync *sync, const struct hs_op *op, uint64_t *last)
{
    size_t count = 0;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        const struct hs_request *r = &sync->requests[i];
        if (r->id == 0 || r->op != op->number)
            continue;
        *last = count == 0 || r->offset > *last ? r->offset : *last;
        count++;
    }
    return count;
}

/* ---- reading ---- */

/* All of the file, sealed: what its hash is, and what its blob's is. */
static enum hs_err read_all(struct hs_transfer *t)
{
    static _Thread_local uint8_t piece[HS_ATTACHMENT_PIECE], chunk[HS_BLOB_CHUNK];
    struct hs_sha256 file, blob;
    uint64_t pieces = hs_attachment_pieces(t->a.size);
    hs_attachment_hash_init(&file);
    hs_blob_hash_init(&blob);
    hs_attachment_begin(&t->a, &t->state);
    for (uint64_t n = 0; n < pieces; n++) {
        size_t len = hs_attachment_piece_len(t->a.size, n);
        HS_TRY((enum hs_err)t->read(t->context, n * HS_ATTACHMENT_PIECE, piece, len));
        hs_sha256_update(&file, hs_bytes(piece, len));
        hs_attachment_seal(&t->state, hs_bytes(piece, len), n + 1 == pieces, chunk);
        hs_sha256_update(&blob, hs_bytes(chunk, len + HS_ATTACHMENT_OVERHEAD));
    }
    hs_wipe(piece, sizeof piece);
    t->a.file = hs_sha256_final(&file);
    t->a.blob = hs_sha256_final(&blob);
    hs_attachment_begin(&t->a, &t->state);
    t->sealed = 0;
    return HS_OK;
}

/* The n-th chunk. The stream goes forward only: for an earlier one it begins anew. */
static enum hs_err chunk_of(struct hs_transfer *t, uint64_t n, uint8_t *chunk, size_t *len)
{
    uint8_t piece[HS_ATTACHMENT_PIECE];
    uint64_t pieces = hs_attachment_pieces(t->a.size);
    if (t->sealed > n) {
        hs_attachment_begin(&t->a, &t->state);
        t->sealed = 0;
    }
    for (; t->sealed <= n; t->sealed++) {
        *len = hs_attachment_piece_len(t->a.size, t->sealed);
        HS_TRY((enum hs_err)t->read(t->context, t->sealed * HS_ATTACHMENT_PIECE, piece, *len));
        hs_attachment_seal(&t->state, hs_bytes(piece, *len), t->sealed + 1 == pieces, chunk);
    }
    hs_wipe(piece, sizeof piece);
    *len += HS_ATTACHMENT_OVERHEAD;
    return HS_OK;
}

/* ---- sending ---- */

static enum hs_err put_answered(struct hs_step *s, const struct hs_request *request,
                                const Hanse__Frame *frame, enum hs_err err);

/* data empty: how much has the node? */
static enum hs_err put(struct hs_step *s, const struct hs_op *op, const struct hs_live_room *room,
                       uint64_t offset, struct hs_bytes data)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__PutChunk body = HANSE__PUT_CHUNK__INIT;
    struct hs_request request = {.answer = put_answered, .op = op->number, .offset = offset};
    body.hash = hs_pb_data(HS_VIEW(op->transfer->a.blob));
    body.offset = offset;
    body.size = hs_attachment_blob_size(op->transfer->a.size);
    body.data = hs_pb_data(data);
    body.room = hs_pb_data(HS_VIEW(op->room));
    body.persona = hs_pb_data(HS_VIEW(room->row.self));
    frame.put_chunk = &body;
    frame.body_case = HANSE__FRAME__BODY_PUT_CHUNK;
    return hs_request_send(s, &frame, &request);
}

static enum hs_err send_more(struct hs_step *s, struct hs_op *op, const struct hs_live_room *room)
{
    struct hs_transfer *t = op->transfer;
    uint8_t chunk[HS_BLOB_CHUNK];
    uint64_t size = hs_attachment_blob_size(t->a.size), last;
    size_t len, count = hs_file_under_way(s->sync, op, &last);
    if (count == 0 || t->next < t->have)
        t->next = t->have;
    for (; count < HS_BLOB_WINDOW && t->next < size && !hs_requests_are_scarce(s->sync); count++) {
        enum hs_err err = chunk_of(t, t->next / HS_BLOB_CHUNK, chunk, &len);
        if (err != HS_OK)
            return hs_op_done(s, op, err, NULL, 0, NULL);
        HS_TRY(put(s, op, room, t->next, hs_bytes(chunk, len)));
        t->next += len;
    }
    return HS_OK;
}

static enum hs_err later(struct hs_step *s, struct hs_op *op)
{
    op->busy = false;
    hs_home_try_again(s);
    return HS_OK;
}

/* The node has all of it, and brings it to the hub: a photo is there in a moment, a film isn't. */
static enum hs_err wait_for_hub(struct hs_step *s, struct hs_op *op)
{
    int64_t ms = (int64_t)HS_AGAIN_MIN_MS << op->transfer->waits;
    s->sync->again_ms = ms < HS_AGAIN_MS ? ms : HS_AGAIN_MS;
    op->transfer->waits += ms < HS_AGAIN_MS ? 1 : 0;
    enum hs_err err = later(s, op);
    s->sync->again_ms = 0;
    return err;
}

static enum hs_err post(struct hs_step *s, struct hs_op *op, struct hs_live_room *room)
{
    struct hs_content content = hs_content_attachment(&op->transfer->a, s->now);
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    HS_TRY(hs_content_build(&content, &w));
    hs_upload_delete(s->kv, &op->room, &op->transfer->a.file);
    op->resume = NULL;
    enum hs_err err = hs_post_content(s, room, hs_arena_copy(s->arena, hs_writer_bytes(&w)), op);
    return hs_sync_is_fault(err) ? hs_op_done(s, op, err, NULL, 0, NULL) : err;
}

static enum hs_err go_on(struct hs_step *s, struct hs_op *op)
{
    struct hs_live_room *room;
    enum hs_err err = hs_live_member(s, &op->room, &room);
    if (err != HS_OK)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    op->busy = true;
    return put(s, op, room, 0, (struct hs_bytes){0});
}

static enum hs_err put_answered(struct hs_step *s, const struct hs_request *request,
                                const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    struct hs_live_room *room;
    if (op == NULL || op->transfer == NULL || op->resume == NULL)
        return HS_OK; /* it is over, or posted already */
    if (hs_err_is_transient(err))
        return later(s, op);
    if (err == HS_OK)
        err = hs_live_member(s, &op->room, &room);
    if (err == HS_ERR_BLOB_HASH)
        hs_upload_delete(s->kv, &op->room, &op->transfer->a.file); /* another file by now */
    if (err != HS_OK)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_BLOB_STATUS, HS_ERR_UNEXPECTED);
    struct hs_transfer *t = op->transfer;
    uint64_t size = hs_attachment_blob_size(t->a.size), have = frame->blob_status->have;
    HS_REQUIRE(have <= size && (have % HS_BLOB_CHUNK == 0 || have == size), HS_ERR_MALFORMED);
    if (have > t->have)
        HS_TRY(hs_file_progress(s, op, have / HS_BLOB_CHUNK * HS_ATTACHMENT_PIECE));
    t->have = have;
    if (frame->blob_status->complete)
        return post(s, op, room);
    return have == size ? wait_for_hub(s, op) : send_more(s, op, room);
}

/* ---- the wish ---- */

static enum hs_err prepare(struct hs_step *s, const struct hs_id *room, struct hs_transfer *t)
{
    struct hs_file_row row;
    t->a.name = hs_bytes_str(t->name);
    t->a.media_type = hs_bytes_str(t->media_type);
    randombytes_buf(t->a.key, sizeof t->a.key);
    randombytes_buf(t->a.header, sizeof t->a.header);
    HS_TRY(read_all(t));
    if (hs_upload_get(s->kv, room, &t->a.file, s->arena, &row) &&
        (int64_t)row.begun + UPLOAD_MS > s->now.ms) {
        row.a.name = t->a.name; /* it may be called otherwise now */
        row.a.media_type = t->a.media_type;
        t->a = row.a;
        hs_attachment_begin(&t->a, &t->state);
        return HS_OK;
    }
    row = (struct hs_file_row){.a = t->a, .begun = (uint64_t)s->now.ms};
    hs_upload_put(s->kv, room, &row);
    return s->kv->err;
}

enum hs_err hs_want_attach(struct hs_step *s, const struct hs_id *id, const struct hanse_file *file,
                           hanse_read_fn *read, void *context, uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    struct hs_transfer t = {.read = read, .context = context, .a = {.size = file->size}};
    HS_REQUIRE(file->size <= HS_ATTACHMENT_FILE_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(memchr(file->name, 0, sizeof file->name) != NULL &&
                   memchr(file->media_type, 0, sizeof file->media_type) != NULL,
               HS_ERR_INVALID_ARG);
    memcpy(t.name, file->name, sizeof t.name);
    memcpy(t.media_type, file->media_type, sizeof t.media_type);
    t.a.name = hs_bytes_str(t.name);
    t.a.media_type = hs_bytes_str(t.media_type);
    HS_REQUIRE(hs_attachment_is_valid(&t.a), HS_ERR_INVALID_ARG);
    HS_TRY(hs_live_member(s, id, &room));
    HS_REQUIRE(hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_POST), HS_ERR_POLICY);
    HS_TRY(prepare(s, id, &t));
    HS_TRY(hs_op_new(s, &op, number));
    op->transfer = malloc(sizeof t);
    HS_REQUIRE(op->transfer != NULL, HS_ERR_NOMEM);
    *op->transfer = t;
    op->transfer->a.name = hs_bytes_str(op->transfer->name);
    op->transfer->a.media_type = hs_bytes_str(op->transfer->media_type);
    hs_wipe(&t, sizeof t);
    op->room = *id;
    op->resume = go_on;
    return hs_op_begin(s, op);
}
