/* Posts: encrypted, kept, sent, recognised when they come back; and those of others. */
#include "base/text.h"
#include "room/content.h"
#include "room/context.h"
#include "room/head.h"
#include "room/leaf.h"
#include "sync/log/gap.h"
#include "sync/log/rejoin.h"
#include "sync/move/move.h"
#include "sync/talk/file.h"

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

/* It ends for good. */
static enum hs_err give_up(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err)
{
    hs_outbox_row_delete(s->kv, row->number);
    HS_TRY(hs_order_post_refused(s, row->content, err));
    struct hs_op *op = hs_op_of_outbox(s->sync, row->number);
    if (op != NULL)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    struct hanse_event event = {.kind = HANSE_EVENT_POST_FAILED, .err = (enum hanse_err)err};
    memcpy(event.room.b, row->room.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
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
static enum hs_err release(struct hs_step *s, struct hs_live_room *room)
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
        hs_outbox_row_put(s->kv, row);
    } else {
        HS_TRY(give_up(s, row, err));
    }
    return release(s, room);
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
        HS_TRY(err == HS_OK ? release(s, room) : give_up(s, &row, err));
    }
    return s->kv->err;
}

enum hs_err hs_post_renew(struct hs_step *s, struct hs_live_room *room)
{
    room->posts_counted = false; /* another epoch */
    return release(s, room);
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

/* ---- what comes in ---- */

static enum hs_err show(struct hs_step *s, struct hs_live_room *room, const struct hs_message_row *row)
{
    hs_message_put(s->kv, &room->row.id, row);
    struct hanse_event event = {.kind = HANSE_EVENT_MESSAGE, .seq = row->seq};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

/* A record whose content can't be believed keeps its place in the history, without its content; whatever a
 * post makes of this program, the ones behind it come through. Troubles of this machine aren't the post's. */
static enum hs_err refuse(struct hs_step *s, struct hs_live_room *room, struct hs_message_row *row,
                          enum hs_err why)
{
    HS_REQUIRE(!hs_sync_is_own_trouble(why), why);
    HS_TRY(s->kv->err);
    row->kind = HANSE_MESSAGE_REFUSED;
    row->err = hs_sync_blame(why);
    row->text = (struct hs_bytes){0};
    return show(s, room, row);
}

/* The content of a sender that is known, own posts included. */
static enum hs_err content_received(struct hs_step *s, struct hs_live_room *room,
                                    const struct hs_record_header *header, const struct hs_mls_member *sender,
                                    struct hs_bytes bytes, struct hs_message_row *row)
{
    struct hs_content content;
    struct hs_id id = hs_content_id(&room->row.id, &row->sender.key, bytes);
    enum hs_err err = hs_content_parse(bytes, s->arena, &content);
    if (err != HS_OK)
        return refuse(s, room, row, err);
    if (!hs_content_note(s->kv, &room->row.id, &id))
        return s->kv->err; /* encrypted anew, and both came through */
    row->kind = HANSE_MESSAGE_OTHER;
    row->text = content.fallback;
    if (content.kind == HS_CONTENT_TEXT) {
        row->kind = HANSE_MESSAGE_TEXT;
        row->text = content.text;
    }
    if (content.kind == HS_CONTENT_ATTACHMENT) {
        row->kind = HANSE_MESSAGE_FILE;
        row->text = content.attachment.name;
        hs_file_received(s, &room->row.id, header->seq, &content.attachment);
    }
    if (content.kind == HS_CONTENT_DEAL) {
        err = hs_deal_received(s, room, sender, header, &content, row);
        if (err != HS_OK)
            return refuse(s, room, row, err);
    }
    return show(s, room, row);
}

static enum hs_err own_leaf(struct hs_live_room *room, struct hs_mls_member *out)
{
    if (room->group != NULL)
        return hs_mls_public_member(hs_mls_group_public(room->group), hs_mls_group_own_leaf(room->group),
                                    out);
    return hs_live_find(room, &room->row.self, out) ? HS_OK : HS_ERR_NOT_MEMBER;
}

/* Its record is there, and may have a key that another copy of this device used before: it is said again with
 * one that nobody has used, in its place among those that wait. */
static enum hs_err say_again(struct hs_step *s, struct hs_live_room *room, const struct hs_outbox_row *sent)
{
    struct hs_outbox_row row = *sent;
    row.stale = true;
    row.again = false;
    row.frame = (struct hs_bytes){0};
    row.body_hash = (struct hs_id){0};
    hs_outbox_row_put(s->kv, &row);
    room->posts_counted = false;
    return release(s, room);
}

/* One's own post came back. */
static enum hs_err own_received(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_record_header *header, const struct hs_outbox_row *sent,
                                struct hs_message_row *row)
{
    struct hs_mls_member self;
    if (sent->again)
        return say_again(s, room, sent);
    HS_TRY(own_leaf(room, &self));
    hs_person_of(room, &self, header->hub_time, &row->sender);
    row->own = true;
    HS_TRY(content_received(s, room, header, &self, sent->content, row));
    if (room->newest.unsettled && header->epoch == room->newest.epoch)
        hs_held_put(s->kv, &room->row.id, header->seq, sent->content); /* it may have to be said again */
    hs_outbox_row_delete(s->kv, sent->number);
    if (sent->stale) /* refused, the hub said: it is odd, but here it is */
        room->posts_counted = false;
    else if (room->posts_counted && sent->epoch < hs_mls_group_epoch(room->group))
        room->posts_early--;
    struct hs_op *op = hs_op_of_outbox(s->sync, sent->number);
    struct hs_id object = op != NULL ? op->object : (struct hs_id){0};
    if (op == NULL || op->kind != HS_OP_ORDER) /* an order ends with the till's answer */
        HS_TRY(hs_op_done(s, op, HS_OK, &object, header->seq, NULL));
    return release(s, room);
}

/* One's own post came back as somebody else's: nobody believes it, and sending the same bytes again brings
 * nothing. */
static enum hs_err stolen_received(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *sent,
                                   struct hs_message_row *row)
{
    HS_TRY(refuse(s, room, row, HS_ERR_WRONG_SENDER));
    return hs_post_refused(s, sent, HS_ERR_WRONG_SENDER);
}

/* What the hub signed for the sender: of another story it is evidence, and of records to come a promise. */
static enum hs_err compare_signed(struct hs_step *s, struct hs_live_room *room,
                                  const Hanse__SignedObject *object)
{
    struct hs_head head;
    bool ahead;
    HS_TRY(hs_evidence_head(s, room, object, &head, &ahead));
    return ahead ? hs_room_promise(s, room, &head, object) : HS_OK;
}

/* What the sender knew of the log must be what is known here, and lie before its post. LOG_FORK: the post is
 * refused, but a member's word alone proves nothing against the hub. */
static enum hs_err compare_heads(struct hs_step *s, struct hs_live_room *room,
                                 const struct hs_record_header *header, struct hs_bytes context)
{
    struct hs_message_context claimed;
    struct hs_id own;
    HS_TRY(hs_message_context_parse(context, s->arena, &claimed));
    if (claimed.signed_head != NULL)
        HS_TRY(compare_signed(s, room, claimed.signed_head));
    HS_REQUIRE(!claimed.has_head || claimed.head_seq < header->seq, HS_ERR_LOG_FORK);
    if (!claimed.has_head || !hs_log_hash_get(s->kv, &room->row.id, claimed.head_seq, &own))
        return s->kv->err;
    enum hs_err err = hs_head_check_at(&claimed.head_hash, &own);
    if (err != HS_OK)
        room->head_in = 0; /* the next post shows what the hub signed for this device */
    return err;
}

static enum hs_err check_post(struct hs_step *s, struct hs_live_room *room,
                              const struct hs_record_header *header, const struct hs_mls_event *event)
{
    struct hs_key persona;
    struct hs_window window;
    HS_REQUIRE(event->kind == HS_MLS_EVENT_APPLICATION, HS_ERR_UNEXPECTED);
    HS_REQUIRE(event->epoch >= room->row.epoch_min, HS_ERR_EPOCH_TOO_OLD);
    hs_window_row_get(s->kv, &room->row.id, &window);
    HS_TRY(hs_window_takes(&window, hs_mls_group_epoch(room->group), event->epoch, header->hub_time));
    HS_TRY(hs_room_leaf_persona(&event->sender, &persona));
    HS_REQUIRE(hs_key_equal(&persona, &header->sender_persona), HS_ERR_WRONG_SENDER);
    HS_REQUIRE(hs_policy_allows(&room->policy, &persona, header->hub_time, HS_RIGHT_POST), HS_ERR_POLICY);
    return compare_heads(s, room, header, event->authenticated_data);
}

/* Not for this device. Where the epoch is void, its sender says it again; else it is missing for good. */
static enum hs_err passed_over(struct hs_step *s, struct hs_live_room *room,
                               const struct hs_record_header *header)
{
    struct hs_unsettled_row row;
    if (!hs_unsettled_row_get(s->kv, &room->row.id, s->arena, &row))
        return s->kv->err;
    row.missed++;
    row.missed_last = header->seq;
    hs_unsettled_row_put(s->kv, &room->row.id, &row);
    return s->kv->err;
}

enum hs_err hs_post_received(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_outbox_row sent;
    struct hs_message_row row = {.seq = header->seq, .time = header->hub_time};
    row.sender.key = header->sender_persona;
    if (hs_outbox_row_find(s->kv, &room->row.id, &header->body_hash, s->arena, &sent))
        return hs_key_equal(&header->sender_persona, &room->row.self)
                   ? own_received(s, room, header, &sent, &row)
                   : stolen_received(s, room, &sent, &row);
    HS_TRY(s->kv->err);
    if (hs_room_is_lost(room) || header->epoch < room->row.readable_from)
        return hs_gap_grow(s, room, header, HS_ERR_STATE_LOST);
    if (room->newest.unsettled && header->epoch == room->newest.epoch &&
        (room->newest.doubted || room->newest.gone))
        return passed_over(s, room, header);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    enum hs_err err = hs_mls_group_process(room->group, body, &event);
    if (err == HS_OK) {
        room->group_dirty = true;
        err = check_post(s, room, header, event);
    }
    if (err == HS_ERR_MLS_GENERATION && hs_key_equal(&header->sender_persona, &room->row.self)) {
        bool collides;
        HS_TRY(hs_posts_collide(s, room, header->epoch, &collides));
        if (collides) {
            room->row.renew = header->epoch + 1; /* which other keys that copy used can't be known */
            return hs_gap_grow(s, room, header, err);
        }
    }
    if (err == HS_ERR_MLS_GENERATION && room->row.erased_in == header->epoch + 1) {
        room->row.renew =
            header->epoch + 1; /* its sender posted more meanwhile than a ratchet is turned for */
        return hs_gap_grow(s, room, header, err);
    }
    if (err != HS_OK)
        return refuse(s, room, &row, err);
    hs_person_of(room, &event->sender, header->hub_time, &row.sender);
    row.own =
        hs_key_equal(&header->sender_persona, &room->row.self); /* an older copy of this device reads it */
    struct hs_bytes plain = hs_arena_copy(s->arena, event->plaintext);
    return content_received(s, room, header, &event->sender, plain, &row);
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
