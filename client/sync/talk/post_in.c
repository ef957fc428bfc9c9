/* Posts that come: one's own, recognised, and those of others. */
#include "room/content.h"
#include "room/context.h"
#include "room/head.h"
#include "room/leaf.h"
#include "sync/log/gap.h"
#include "sync/log/rejoin.h"
#include "sync/move/move.h"
#include "sync/talk/file.h"

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
    return hs_posts_release(s, room);
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
    else if (room->posts_counted && sent->kind == HS_OUTBOX_POST &&
             sent->epoch < hs_mls_group_epoch(room->group))
        room->posts_early--;
    struct hs_op *op = hs_op_of_outbox(s->sync, sent->number);
    struct hs_id object = op != NULL ? op->object : (struct hs_id){0};
    if (op == NULL || op->kind != HS_OP_ORDER) /* an order ends with the till's answer */
        HS_TRY(hs_op_done(s, op, HS_OK, &object, header->seq, NULL));
    return hs_posts_release(s, room);
}

/* One's own post came back as somebody else's: nobody believes it, and sending the same bytes again brings
 * nothing. */
static enum hs_err stolen_received(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *sent,
                                   struct hs_message_row *row)
{
    HS_TRY(refuse(s, room, row, HS_ERR_WRONG_SENDER));
    return hs_outbox_refused(s, sent, HS_ERR_WRONG_SENDER);
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
