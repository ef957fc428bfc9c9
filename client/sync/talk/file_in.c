/* A file comes in: chunk by chunk, each opened and written before the next one counts. */
#include "sync/talk/file.h"

#include <stdlib.h>

void hs_file_received(struct hs_step *s, const struct hs_id *room, uint64_t seq,
                      const struct hs_attachment *attachment)
{
    struct hs_file_row row = {.a = *attachment};
    hs_file_put(s->kv, room, seq, &row);
}

static void text_copy(char *out, size_t size, struct hs_bytes text)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

enum hs_err hs_sync_file(struct hs_step *s, const struct hs_id *room, uint64_t seq, struct hanse_file *out)
{
    struct hs_file_row row;
    *out = (struct hanse_file){0};
    HS_REQUIRE(hs_file_get(s->kv, room, seq, s->arena, &row),
               s->kv->err != HS_OK ? s->kv->err : HS_ERR_NOT_FOUND);
    text_copy(out->name, sizeof out->name, row.a.name);
    text_copy(out->media_type, sizeof out->media_type, row.a.media_type);
    out->size = row.a.size;
    return HS_OK;
}

static enum hs_err chunk_answered(struct hs_step *s, const struct hs_request *request,
                                  const Hanse__Frame *frame, enum hs_err err);

static enum hs_err ask(struct hs_step *s, const struct hs_op *op, const struct hs_id *blob, uint64_t offset)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__GetChunk get = HANSE__GET_CHUNK__INIT;
    struct hs_request request = {.answer = chunk_answered, .op = op->number, .offset = offset};
    get.hash = hs_pb_data(HS_VIEW(*blob));
    get.offset = offset;
    get.room = hs_pb_data(HS_VIEW(op->room));
    frame.get_chunk = &get;
    frame.body_case = HANSE__FRAME__BODY_GET_CHUNK;
    return hs_request_send(s, &frame, &request);
}

static enum hs_err ask_more(struct hs_step *s, const struct hs_op *op, const struct hs_attachment *a,
                            uint64_t have)
{
    uint64_t size = hs_attachment_blob_size(a->size), last = 0;
    size_t count = hs_file_under_way(s->sync, op, &last);
    uint64_t at = count > 0 ? last + HS_BLOB_CHUNK : have;
    for (; count < HS_BLOB_WINDOW && at < size && !hs_requests_are_scarce(s->sync); count++) {
        HS_TRY(ask(s, op, &a->blob, at));
        at += HS_BLOB_CHUNK;
    }
    return HS_OK;
}

static enum hs_err over(struct hs_step *s, struct hs_op *op, enum hs_err err)
{
    if (err == HS_OK || err == HS_ERR_BLOB_HASH || err == HS_ERR_DECRYPT)
        hs_download_delete(s->kv, &op->room, op->transfer->seq);
    return hs_op_done(s, op, err, NULL, op->transfer->seq, NULL);
}

static void begin(const struct hs_attachment *a, struct hs_download_row *row)
{
    crypto_secretstream_xchacha20poly1305_state state;
    struct hs_sha256 hash;
    hs_attachment_begin(a, &state);
    hs_attachment_hash_init(&hash);
    row->have = 0;
    memcpy(row->state, &state, sizeof row->state);
    memcpy(row->hash, &hash, sizeof row->hash);
    hs_wipe(&state, sizeof state);
}

/* Opens and writes one chunk; row moves on. */
static enum hs_err take(const struct hs_transfer *t, const struct hs_attachment *a, struct hs_bytes chunk,
                        struct hs_download_row *row)
{
    uint8_t piece[HS_ATTACHMENT_PIECE];
    crypto_secretstream_xchacha20poly1305_state state;
    struct hs_sha256 hash;
    uint64_t n = row->have / HS_BLOB_CHUNK;
    size_t len = hs_attachment_piece_len(a->size, n);
    bool last = n + 1 == hs_attachment_pieces(a->size);
    HS_REQUIRE(chunk.len == len + HS_ATTACHMENT_OVERHEAD, HS_ERR_BLOB_HASH);
    memcpy(&state, row->state, sizeof state);
    memcpy(&hash, row->hash, sizeof hash);
    HS_TRY(hs_attachment_open(&state, chunk, last, piece));
    HS_TRY((enum hs_err)t->write(t->context, n * HS_ATTACHMENT_PIECE, piece, len));
    hs_sha256_update(&hash, hs_bytes(piece, len));
    memcpy(row->state, &state, sizeof state);
    memcpy(row->hash, &hash, sizeof hash);
    row->have += chunk.len;
    hs_wipe(piece, sizeof piece);
    return HS_OK;
}

static bool is_genuine(const struct hs_attachment *a, const struct hs_download_row *row)
{
    struct hs_sha256 hash;
    memcpy(&hash, row->hash, sizeof hash);
    struct hs_id is = hs_sha256_final(&hash);
    return hs_id_equal(&is, &a->file);
}

static enum hs_err chunk_answered(struct hs_step *s, const struct hs_request *request,
                                  const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    struct hs_file_row file;
    struct hs_download_row row;
    if (op == NULL || op->transfer == NULL)
        return HS_OK;
    if (hs_err_is_transient(err)) {
        op->busy = false;
        hs_home_try_again(s);
        return HS_OK;
    }
    if (err != HS_OK)
        return over(s, op, err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_CHUNK, HS_ERR_UNEXPECTED);
    HS_REQUIRE(hs_file_get(s->kv, &op->room, op->transfer->seq, s->arena, &file) &&
                   hs_download_get(s->kv, &op->room, op->transfer->seq, s->arena, &row),
               HS_ERR_STORE);
    if (request->offset == row.have) {
        err = take(op->transfer, &file.a, hs_pb_bytes(frame->chunk->data), &row);
        if (err != HS_OK)
            return over(s, op, err);
        hs_download_put(s->kv, &op->room, op->transfer->seq, &row);
        HS_TRY(hs_file_progress(s, op, row.have / HS_BLOB_CHUNK * HS_ATTACHMENT_PIECE));
    }
    if (row.have == hs_attachment_blob_size(file.a.size))
        return over(s, op, is_genuine(&file.a, &row) ? HS_OK : HS_ERR_BLOB_HASH);
    return ask_more(s, op, &file.a, row.have);
}

static enum hs_err go_on(struct hs_step *s, struct hs_op *op)
{
    struct hs_file_row file;
    struct hs_download_row row;
    uint64_t last;
    if (!hs_file_get(s->kv, &op->room, op->transfer->seq, s->arena, &file) ||
        !hs_download_get(s->kv, &op->room, op->transfer->seq, s->arena, &row))
        return s->kv->err != HS_OK ? s->kv->err : over(s, op, HS_ERR_NOT_FOUND);
    if (hs_file_under_way(s->sync, op, &last) > 0)
        return HS_OK; /* what was asked before the refusal comes first */
    op->busy = true;
    return ask_more(s, op, &file.a, row.have);
}

enum hs_err hs_want_fetch(struct hs_step *s, const struct hs_id *id, uint64_t seq, uint64_t have,
                          hanse_write_fn *write, void *context, uint64_t *number)
{
    struct hs_file_row file;
    struct hs_download_row row = {0};
    struct hs_op *op;
    HS_REQUIRE(hs_file_get(s->kv, id, seq, s->arena, &file),
               s->kv->err != HS_OK ? s->kv->err : HS_ERR_NOT_FOUND);
    bool known = hs_download_get(s->kv, id, seq, s->arena, &row);
    if (!known || row.have / HS_BLOB_CHUNK * HS_ATTACHMENT_PIECE > have)
        begin(&file.a, &row);
    hs_download_put(s->kv, id, seq, &row);
    HS_TRY(hs_op_new(s, &op, number));
    op->transfer = calloc(1, sizeof *op->transfer);
    HS_REQUIRE(op->transfer != NULL, HS_ERR_NOMEM);
    op->transfer->write = write;
    op->transfer->context = context;
    op->transfer->seq = seq;
    op->room = *id;
    op->resume = go_on;
    return hs_op_begin(s, op);
}
