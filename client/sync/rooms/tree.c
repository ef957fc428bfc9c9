/* The tree of a Welcome, where it is larger than an item: fetched from the home node piece by piece. What
 * came is in the store, so that a program that dies goes on behind it. */
#include "sync/rooms/tree.h"

#include "room/blob.h"
#include "store/trees.h"
#include "wire/unpack.h"

static enum hs_err piece_answered(struct hs_step *s, const struct hs_request *request,
                                  const Hanse__Frame *frame, enum hs_err err);

/* From where on to ask, and how many questions are under way. Where the one for what comes next was refused
 * for the moment, the others' answers are of no use: the end where nothing is to be asked before they are in.
 */
static uint64_t reached(const struct hs_sync *sync, const struct hs_tree_row *row, size_t *count)
{
    uint64_t at = row->have;
    bool next = false;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        const struct hs_request *r = &sync->requests[i];
        if (r->id == 0 || r->answer != piece_answered || !hs_id_equal(&r->id_a, &row->hash))
            continue;
        at = r->offset + HS_BLOB_CHUNK > at ? r->offset + HS_BLOB_CHUNK : at;
        next = next || r->offset == row->have;
        ++*count;
    }
    return next || *count == 0 ? at : row->size;
}

static enum hs_err ask(struct hs_step *s, const struct hs_tree_row *row, uint64_t offset)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__GetChunk get = HANSE__GET_CHUNK__INIT;
    struct hs_request request = {.answer = piece_answered, .id_a = row->hash, .offset = offset};
    get.hash = hs_pb_data(HS_VIEW(row->hash));
    get.offset = offset;
    get.room = hs_pb_data(HS_VIEW(row->room));
    frame.get_chunk = &get;
    frame.body_case = HANSE__FRAME__BODY_GET_CHUNK;
    return hs_request_send(s, &frame, &request);
}

static enum hs_err go_on(struct hs_step *s, const struct hs_tree_row *row)
{
    size_t count = 0;
    uint64_t at = reached(s->sync, row, &count);
    for (; count < HS_BLOB_WINDOW && at < row->size && !hs_requests_are_scarce(s->sync); count++) {
        HS_TRY(ask(s, row, at));
        at += HS_BLOB_CHUNK;
    }
    if (count == 0)
        hs_home_try_again(s);
    return HS_OK;
}

static enum hs_err refused(struct hs_step *s, const struct hs_tree_row *row, enum hs_err why)
{
    Hanse__WelcomeItem *item;
    hs_tree_row_delete(s->kv, &row->hash);
    HS_TRY(HS_UNPACK(hanse__welcome_item, row->item, HS_LENIENT, s->arena, &item));
    return hs_welcome_refused(s, item, why);
}

/* All is here: the Welcome has its tree, if that is what its name says. */
static enum hs_err complete(struct hs_step *s, const struct hs_tree_row *row)
{
    struct hs_writer HS_WRITER nodes = hs_writer(HS_TREE_MAX);
    Hanse__WelcomeItem *item;
    for (uint64_t at = 0; at < row->size; at += HS_BLOB_CHUNK) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_bytes piece;
        HS_REQUIRE(hs_tree_piece_get(s->kv, &row->hash, at, &scratch, &piece), HS_ERR_STORE);
        hs_write_bytes(&nodes, piece);
    }
    HS_TRY(nodes.err);
    struct hs_id is = hs_blob_hash(hs_writer_bytes(&nodes));
    if (!hs_id_equal(&is, &row->hash))
        return refused(s, row, HS_ERR_BLOB_HASH);
    HS_TRY(HS_UNPACK(hanse__welcome_item, row->item, HS_LENIENT, s->arena, &item));
    hs_tree_row_delete(s->kv, &row->hash);
    item->tree->hash = (ProtobufCBinaryData){0};
    item->tree->bytes = hs_pb_data(hs_writer_bytes(&nodes));
    return hs_welcome_received(s, item);
}

static enum hs_err piece_answered(struct hs_step *s, const struct hs_request *request,
                                  const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_tree_row row;
    if (!hs_tree_row_get(s->kv, &request->id_a, s->arena, &row))
        return s->kv->err;
    if (hs_err_is_transient(err)) {
        hs_home_try_again(s);
        return HS_OK;
    }
    if (err != HS_OK)
        return refused(s, &row, err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_CHUNK, HS_ERR_UNEXPECTED);
    uint64_t left = row.size - row.have;
    if (request->offset != row.have)
        return go_on(s, &row); /* one before it didn't come: it is asked for again */
    if (frame->chunk->data.len != (left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK))
        return refused(s, &row, HS_ERR_BLOB_HASH);
    hs_tree_piece_put(s->kv, &row.hash, row.have, hs_pb_bytes(frame->chunk->data));
    row.have += frame->chunk->data.len;
    hs_tree_row_put(s->kv, &row);
    HS_TRY(s->kv->err);
    return row.have == row.size ? complete(s, &row) : go_on(s, &row);
}

enum hs_err hs_tree_fetch(struct hs_step *s, const Hanse__WelcomeItem *item)
{
    struct hs_tree_row row = {.size = item->tree->size}, known;
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(item->tree->hash), &row.hash) &&
                   HS_FIXED(hs_pb_bytes(item->room), &row.room) && row.size > 0,
               HS_ERR_MALFORMED);
    HS_REQUIRE(row.size <= HS_TREE_MAX, HS_ERR_TOO_LARGE);
    if (hs_tree_row_get(s->kv, &row.hash, s->arena, &known))
        return HS_OK;
    HS_TRY(HS_PACK(item, &w));
    row.item = hs_writer_bytes(&w);
    hs_tree_row_put(s->kv, &row);
    HS_TRY(s->kv->err);
    return hs_home_is_online(s->sync) ? go_on(s, &row) : HS_OK;
}

enum hs_err hs_trees_resume(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_tree_row row;
    while (hs_tree_row_next(s->kv, &cursor, s->arena, &row))
        HS_TRY(go_on(s, &row));
    return s->kv->err;
}
