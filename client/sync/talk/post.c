/* One's own posts: encrypted, kept, sent. */
#include "base/text.h"
#include "room/content.h"
#include "sync/log/gap.h"
#include "sync/log/rejoin.h"

enum { PADDING = 256 /* lengths of texts tell less */ };

/* Encrypts the content under the present epoch into the row. */
static enum hs_err encrypt(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row)
{
    struct hs_bytes context;
    struct hs_writer HS_WRITER message = hs_writer(HS_FRAME_MAX);
    HS_TRY(hs_live_context(s, room, NULL, 0, &context));
    HS_TRY(hs_mls_group_protect(room->group, row->content, context, PADDING, &message));
    room->group_dirty = true;
    HS_REQUIRE(message.len <= HS_BLOB_THRESHOLD, HS_ERR_TOO_LARGE);
    Hanse__SubmitMessage submit = HANSE__SUBMIT_MESSAGE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    submit.room = hs_pb_data(HS_VIEW(room->row.id));
    submit.persona = hs_pb_data(HS_VIEW(room->row.self));
    submit.message = hs_pb_data(hs_writer_bytes(&message));
    struct hs_content content;
    struct hs_id blob;
    ProtobufCBinaryData blobs = {0};
    HS_TRY(hs_content_parse(row->content, s->arena, &content));
    if (content.kind == HS_CONTENT_ATTACHMENT) {
        blob = content.attachment.blob;
        blobs = hs_pb_data(HS_VIEW(blob));
        submit.blobs = &blobs;
        submit.n_blobs = 1;
    }
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    frame.submit_message = &submit;
    row->body_hash = hs_record_body_hash(hs_writer_bytes(&message));
    row->epoch = hs_mls_group_epoch(room->group);
    row->stale = row->again = false;
    return hs_frame_pack(s, &frame, &row->frame);
}

/* How many posts of the room wait, and how many are under way under an epoch that is over. */
static enum hs_err posts_count(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_kv_key cursor = {0};
    uint64_t epoch = hs_mls_group_epoch(room->group);
    if (room->posts_counted)
        return HS_OK;
    room->posts_waiting = room->posts_early = 0;
    for (bool more = true; more;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        more = hs_outbox_row_next(s->kv, &cursor, &scratch, &row);
        if (!more || row.kind != HS_OUTBOX_POST || !hs_id_equal(&row.room, &room->row.id))
            continue;
        room->posts_waiting += row.stale ? 1 : 0;
        room->posts_early += !row.stale && row.epoch < epoch ? 1 : 0;
    }
    HS_TRY(s->kv->err);
    room->posts_counted = true;
    return HS_OK;
}

static enum hs_err post_add(struct hs_step *s, struct hs_outbox_row *row, struct hs_op *op)
{
    HS_TRY(hs_outbox_row_add(s, row));
    if (op != NULL) {
        op->outbox = row->number;
        op->busy = true;
    }
    return HS_OK;
}

enum hs_err hs_post_content(struct hs_step *s, struct hs_live_room *room, struct hs_bytes content,
                            struct hs_op *op)
{
    struct hs_outbox_row row = {.kind = HS_OUTBOX_POST, .room = room->row.id, .content = content};
    HS_REQUIRE(hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_POST), HS_ERR_POLICY);
    if (hs_room_is_lost(room)) {
        row.stale = true;
        return post_add(s, &row, op);
    }
    HS_TRY(posts_count(s, room));
    /* Before this device has caught up it may stand in an old epoch, whose posts newer members can't read;
     * and what was posted earlier may still be refused for its epoch, and must not be overtaken then. */
    row.stale = !s->sync->caught_up || room->newest.gone || room->posts_waiting > 0 ||
                room->posts_early > 0 || hs_renews(room);
    room->posts_waiting += row.stale ? 1 : 0;
    if (!row.stale)
        HS_TRY(encrypt(s, room, &row));
    return post_add(s, &row, op);
}

static enum hs_err send_again(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row)
{
    uint64_t before = row->number;
    HS_TRY(encrypt(s, room, row));
    hs_outbox_row_delete(s->kv, before);
    HS_TRY(hs_outbox_row_add(s, row)); /* a new number: an answer to the old bytes finds nothing */
    struct hs_op *op = hs_op_of_outbox(s->sync, before);
    if (op != NULL)
        op->outbox = row->number;
    return HS_OK;
}

enum hs_err hs_post_end(struct hs_step *s, const struct hs_outbox_row *row, enum hs_err err)
{
    hs_outbox_row_delete(s->kv, row->number);
    struct hs_op *op = hs_op_of_outbox(s->sync, row->number);
    if (op != NULL)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    struct hanse_event event = {.kind = HANSE_EVENT_POST_FAILED, .err = (enum hanse_err)err};
    memcpy(event.room.b, row->room.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

/* It ends for good, and is in no log. */
static enum hs_err give_up(struct hs_step *s, const struct hs_outbox_row *row, enum hs_err err)
{
    HS_TRY(hs_order_post_refused(s, row->content, err));
    return hs_post_end(s, row, err);
}

/* A post that can't be encrypted any more ends alone: what made it try again goes on. */
static enum hs_err try_again(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row)
{
    enum hs_err err = send_again(s, room, row);
    return hs_sync_is_fault(err) ? give_up(s, row, err) : err;
}

/* One that was refused for its epoch waits for the commit that ended it. */
static bool is_ready(const struct hs_live_room *room, const struct hs_outbox_row *row)
{
    return row->frame.len == 0 || row->epoch < hs_mls_group_epoch(room->group);
}

/* The next of those that wait. */
static bool waiting_next(struct hs_step *s, const struct hs_live_room *room, struct hs_kv_key *cursor,
                         struct hs_arena *arena, struct hs_outbox_row *row)
{
    while (hs_outbox_row_next(s->kv, cursor, arena, row))
        if (row->kind == HS_OUTBOX_POST && row->stale && hs_id_equal(&row->room, &room->row.id))
            return true;
    return false;
}

static bool all_ready(struct hs_step *s, const struct hs_live_room *room)
{
    struct hs_kv_key cursor = {0};
    for (bool ready = true; ready;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        if (!waiting_next(s, room, &cursor, &scratch, &row))
            return s->kv->err == HS_OK;
        ready = is_ready(room, &row);
    }
    return false;
}

/* What waits is encrypted, in the order in which it was made: all of it or nothing, since what is encrypted
 * anew comes behind whatever goes on waiting. All that is under way is then of one epoch: where one post is
 * refused for it, so are all behind it, and order stays. Before this device has caught up the epoch may be
 * over already. */
enum hs_err hs_posts_release(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row row;
    if (room->group == NULL || hs_renews(room))
        return HS_OK;
    HS_TRY(posts_count(s, room));
    if (room->posts_waiting == 0 || room->posts_early > 0 || room->newest.gone)
        return HS_OK;
    if (!s->sync->caught_up || !all_ready(s, room))
        return s->kv->err;
    room->posts_counted = false;
    while (waiting_next(s, room, &cursor, s->arena, &row))
        HS_TRY(try_again(s, room, &row));
    return s->kv->err;
}

enum hs_err hs_post_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err)
{
    struct hs_live_room *room;
    if (hs_live_poster(s, &row->room, &room) != HS_OK)
        return give_up(s, row, err);
    room->posts_counted = false;
    if (err == HS_ERR_WRONG_EPOCH || err == HS_ERR_EPOCH_TOO_OLD) {
        row->stale = true;
        row->sent = false;
        hs_outbox_row_put(s->kv, row);
    } else {
        HS_TRY(give_up(s, row, err));
    }
    return hs_posts_release(s, room);
}

enum hs_err hs_posts_encrypt(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row row;
    struct hs_id seen = {0}; /* rows of one room mostly stand together */
    while (hs_outbox_row_next(s->kv, &cursor, s->arena, &row)) {
        struct hs_live_room *room;
        if (row.kind != HS_OUTBOX_POST || !row.stale || hs_id_equal(&row.room, &seen))
            continue;
        enum hs_err err = hs_live_poster(s, &row.room, &room);
        seen = err == HS_OK ? row.room : seen;
        HS_TRY(err == HS_OK ? hs_posts_release(s, room) : give_up(s, &row, err));
    }
    return s->kv->err;
}

enum hs_err hs_post_renew(struct hs_step *s, struct hs_live_room *room)
{
    room->posts_counted = false; /* another epoch */
    return hs_posts_release(s, room);
}

/* A post that is to be encrypted under whatever epoch comes, behind those that were made before it. */
static enum hs_err begin_anew(struct hs_step *s, struct hs_outbox_row *row)
{
    struct hs_op *op = hs_op_of_outbox(s->sync, row->number);
    hs_outbox_row_delete(s->kv, row->number);
    row->stale = true;
    row->frame = (struct hs_bytes){0};
    HS_TRY(hs_outbox_row_add(s, row));
    if (op != NULL)
        op->outbox = row->number;
    return HS_OK;
}

/* First what was in the log already, then what was on its way. */
enum hs_err hs_posts_voided(struct hs_step *s, struct hs_live_room *room, uint64_t epoch)
{
    struct hs_kv_key cursor = {0};
    struct hs_bytes content;
    uint64_t first = 0;
    while (hs_held_next(s->kv, &room->row.id, &cursor, s->arena, &content)) {
        struct hs_outbox_row held = {
            .kind = HS_OUTBOX_POST, .room = room->row.id, .content = content, .stale = true};
        HS_TRY(hs_outbox_row_add(s, &held));
        first = first == 0 ? held.number : first;
    }
    uint64_t end = first != 0 ? first : hs_number_next(s->kv);
    struct hs_outbox_row row;
    cursor = (struct hs_kv_key){0};
    while (hs_outbox_row_next(s->kv, &cursor, s->arena, &row) && row.number < end)
        if (row.kind == HS_OUTBOX_POST && hs_id_equal(&row.room, &room->row.id) &&
            (row.stale || row.epoch == epoch))
            HS_TRY(begin_anew(s, &row));
    room->posts_counted = false;
    return s->kv->err;
}

/* ---- what the user wants ---- */

enum hs_err hs_want_text(struct hs_step *s, const struct hs_id *id, const char *text, uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    struct hs_bytes bytes = hs_bytes_str(text);
    HS_REQUIRE(bytes.len > 0 && bytes.len <= HANSE_TEXT_MAX && hs_text_is_clean(bytes), HS_ERR_INVALID_ARG);
    HS_TRY(hs_live_poster(s, id, &room));
    struct hs_content content = hs_content_text(bytes, s->now);
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    HS_TRY(hs_content_build(&content, &w));
    HS_TRY(hs_op_new(s, &op, number));
    op->room = *id;
    return hs_post_content(s, room, hs_writer_bytes(&w), op);
}
