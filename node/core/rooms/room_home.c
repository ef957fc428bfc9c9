/* MoveHome: a member is served by another home node from now on. The persona's own signature says so, whoever
 * brings it; it is a record of the room, so that every copy of the hub's views agrees. */
#include "core/accounts/account.h"
#include "core/delivery/inbox.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/told.h"
#include "core/records/apply.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/recovery/absent.h"
#include "core/rooms/room_record.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "object/object.h"

/* A member's subscriber: its home node, or its device where its home is here. */
static bool subscriber_of(struct hs_turn *turn, const Hanse__State__RoomView *view, const struct hs_key *home,
                          const struct hs_key *persona, struct hs_key *out)
{
    *out = *home;
    if (hs_office_is_coming(view) && hs_key_equal(home, hs_turn_root(turn)))
        return false; /* what one's own users read is as the former hub's items say */
    return !hs_key_equal(home, hs_turn_root(turn)) || hs_persona_subscriber(turn, persona, out);
}

/* Nothing behind this record is for the old home, as far as it is about this member. */
static void leave_old(struct hs_turn *turn, const struct hs_room_record *record,
                      const struct hs_home_move *move, const struct hs_key *home)
{
    struct hs_key subscriber;
    if (!subscriber_of(turn, record->view, home, &move->persona, &subscriber)) {
        if (!hs_office_is_coming(record->view))
            hs_absent_forget(turn, &move->persona, &record->room);
        return;
    }
    hs_unsubscribe(turn, &subscriber, &record->room, record->header.seq);
    if (!hs_key_equal(home, hs_turn_root(turn)))
        hs_room_tell_removed(turn, &record->room, &move->persona, &subscriber, record->header.seq);
}

/* The item by which the member's node begins to read for it, from where the device stands. */
static void tell_home(struct hs_turn *turn, const struct hs_room_record *record,
                      const struct hs_home_move *move, const struct hs_key *subscriber)
{
    struct hs_record_header first;
    Hanse__SignedObject *descriptor;
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__HomeItem home = HANSE__HOME_ITEM__INIT;
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, &record->room, move->next_seq);
    if (hs_office_is_coming(record->view))
        return; /* the former hub has told it */
    if (entry == NULL)
        return;
    enum hs_err err = hs_record_header_parse(hs_pb_bytes(entry->header), &first);
    if (err == HS_OK)
        err = hs_object_unpack(hs_pb_bytes(record->entry->descriptor), turn->arena, &descriptor);
    if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = err; /* else only half of this would be kept */
    if (err != HS_OK)
        return;
    home.room = hs_pb_data(HS_VIEW(record->room));
    home.persona = hs_pb_data(HS_VIEW(move->persona));
    home.next_seq = move->next_seq;
    home.prev_hash = hs_pb_data(HS_VIEW(first.prev));
    home.hub_root = hs_pb_data(HS_VIEW(*hs_turn_root(turn)));
    home.descriptor = descriptor;
    home.brand_root = record->view->brand_root;
    home.hub_term = record->view->hub_term;
    item.home = &home;
    item.body_case = HANSE__INBOX_ITEM__BODY_HOME;
    hs_inbox_put(turn, subscriber, &item);
}

/* The new home reads from where the device stands. */
static void begin_new(struct hs_turn *turn, const struct hs_room_record *record,
                      const struct hs_home_move *move)
{
    struct hs_key subscriber;
    if (!subscriber_of(turn, record->view, &move->home_root, &move->persona, &subscriber)) {
        if (!hs_office_is_coming(record->view))
            hs_absent_note(turn, &move->persona, &record->room, move->next_seq);
        return;
    }
    hs_subscribe(turn, &subscriber, &record->room, move->next_seq, 1);
    tell_home(turn, record, move, &subscriber);
}

void hs_home_apply(struct hs_turn *turn, const struct hs_room_record *record, const struct hs_home_move *move)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(record->room), HS_VIEW(move->persona));
    Hanse__State__MemberView *member = hs_member_view(turn, &record->room, &move->persona);
    struct hs_key old;
    hs_room_store(turn, &record->room, record->view);
    if (member == NULL || !HS_FIXED(hs_pb_bytes(member->home_root), &old))
        return; /* no move of anybody else is let in */
    member->home_root = hs_pb_data(HS_VIEW(move->home_root));
    member->home_number = move->number;
    member->home_seq = record->header.seq;
    hs_view_put(turn, HS_T_MEMBER, &key, &member->base);
    if (hs_key_equal(&old, &move->home_root)) { /* it was restored, and has forgotten it */
        if (!hs_key_equal(&old, hs_turn_root(turn)))
            tell_home(turn, record, move, &old);
        return;
    }
    hs_tell_brand(turn, &record->room, &move->persona, &move->home_root);
    hs_guest_release(turn, &old, &move->persona, &record->room);
    hs_guest_hold(turn, &move->home_root, &move->persona, &record->room);
    leave_old(turn, record, move, &old);
    begin_new(turn, record, move);
}

/* ---- the same once more ---- */

/* The move that counts, and its record; false where that is kept no more. */
static bool present_move(struct hs_turn *turn, const Hanse__State__MemberView *member,
                         struct hs_room_record *record, struct hs_home_move *move)
{
    record->entry = member->home_seq > 0 ? hs_room_entry(turn, &record->room, member->home_seq) : NULL;
    return record->view != NULL && record->entry != NULL &&
           hs_record_header_parse(hs_pb_bytes(record->entry->header), &record->header) == HS_OK &&
           hs_home_move_verify(hs_pb_bytes(record->entry->body), &record->room, move) == HS_OK;
}

void hs_home_told_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *stream)
{
    const Hanse__State__HomeTold *told = stream->home_told;
    struct hs_kv_key key = hs_key2(hs_pb_bytes(told->room), hs_pb_bytes(told->persona));
    struct hs_room_record record = {0};
    struct hs_key persona, subscriber;
    struct hs_home_move move;
    (void)at;
    if (!HS_FIXED(hs_pb_bytes(told->room), &record.room))
        return;
    if (told->persona.len == 0)
        hs_brand_told_apply(turn, &record.room, told);
    if (!HS_FIXED(hs_pb_bytes(told->persona), &persona))
        return;
    Hanse__State__MemberView *member = hs_member_view(turn, &record.room, &persona);
    record.view = hs_room_view(turn, &record.room);
    if (member == NULL || !present_move(turn, member, &record, &move))
        return;
    member->told_ms = stream->time_ms;
    hs_view_put(turn, HS_T_MEMBER, &key, &member->base);
    if (subscriber_of(turn, record.view, &move.home_root, &persona, &subscriber))
        tell_home(turn, &record, &move, &subscriber);
}

/* Whoever says the same move again has heard nothing of the room: the home was restored since, perhaps, and
 * has lost the item. */
static void tell_again(struct hs_turn *turn, struct hs_room_record *record,
                       const Hanse__State__MemberView *member)
{
    struct hs_key subscriber;
    struct hs_home_move move;
    Hanse__State__HomeTold told = HANSE__STATE__HOME_TOLD__INIT;
    Hanse__State__StreamRecord stream = HANSE__STATE__STREAM_RECORD__INIT;
    int64_t now = hs_room_time(turn, record->view).ms;
    if (!present_move(turn, member, record, &move) || now - record->header.hub_time.ms < HS_HOME_MOVE_MS ||
        now - member->told_ms < HS_HOME_MOVE_MS ||
        !subscriber_of(turn, record->view, &move.home_root, &move.persona, &subscriber) ||
        hs_inbox_is_full(turn, &subscriber))
        return;
    told.room = hs_pb_data(HS_VIEW(record->room));
    told.persona = hs_pb_data(HS_VIEW(move.persona));
    stream.home_told = &told;
    stream.body_case = HANSE__STATE__STREAM_RECORD__BODY_HOME_TOLD;
    hs_stream_record(turn, HS_STREAM_DEVICE, HS_VIEW(subscriber), &stream);
}

/* ---- the request ---- */

/* A move that is older than the one that counts; the same one again is answered as before. */
static enum hs_err check_number(const Hanse__State__MemberView *member, const struct hs_home_move *move,
                                bool *known)
{
    *known = move->number == member->home_number &&
             hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(move->home_root));
    return *known || move->number > member->home_number ? HS_OK : HS_ERR_REPLAY;
}

/* The session is of the new home, or of the device there. */
static enum hs_err check_home(struct hs_turn *turn, const struct hs_home_move *move)
{
    HS_REQUIRE(hs_key_equal(&move->home_root, hs_turn_sender_node(turn)), HS_ERR_WRONG_PEER);
    bool device = turn->session->state == HS_SESSION_DEVICE;
    return !device || hs_session_acts_for(turn, NULL, &move->persona) ? HS_OK : HS_ERR_WRONG_SENDER;
}

/* A home is changed seldom, and each change is in the log for good. */
static enum hs_err check_pace(struct hs_turn *turn, const struct hs_room_record *record,
                              const Hanse__State__MemberView *member)
{
    struct hs_record_header last;
    Hanse__State__RoomEntry *entry = member->home_seq > 0 && member->home_number >= HS_HOME_MOVES_FREE
                                         ? hs_room_entry(turn, &record->room, member->home_seq)
                                         : NULL;
    if (entry == NULL)
        return HS_OK;
    HS_REQUIRE(hs_record_header_parse(hs_pb_bytes(entry->header), &last) == HS_OK, HS_ERR_STORE);
    return hs_room_time(turn, record->view).ms - last.hub_time.ms >= HS_HOME_MOVE_MS ? HS_OK
                                                                                     : HS_ERR_RATE_LIMITED;
}

/* Whoever was a member when this hub went is shown the way to the one in office. */
static enum hs_err reply_moved(struct hs_turn *turn, const struct hs_room_record *record,
                               const struct hs_home_move *move, Hanse__Frame *reply)
{
    HS_REQUIRE(hs_member_view(turn, &record->room, &move->persona) != NULL, HS_ERR_HUB_MOVED);
    Hanse__Moved *moved = HS_NEW(turn, Hanse__Moved, hanse__moved);
    HS_REQUIRE(moved != NULL, HS_ERR_NOMEM);
    moved->room = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(record->room)));
    HS_REQUIRE(moved->room.data != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_office_moves(turn, &record->room, record->view, &moved->moves, &moved->n_moves));
    reply->moved = moved;
    reply->body_case = HANSE__FRAME__BODY_MOVED;
    return HS_OK;
}

enum hs_err hs_handle_move_home(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                uint64_t *detail)
{
    (void)detail;
    struct hs_bytes body = hs_pb_bytes(request->move_home->move), descriptor;
    struct hs_room_record record = {0};
    struct hs_home_move move;
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    bool known;
    HS_TAKE32(request->move_home->room, &record.room);
    enum hs_err hubbed = hs_room_hubbed(turn, &record.room, &record.view);
    HS_REQUIRE(hubbed == HS_OK || hubbed == HS_ERR_HUB_MOVED, hubbed);
    HS_TRY(hs_home_move_verify(body, &record.room, &move));
    HS_TRY(check_home(turn, &move));
    if (hubbed == HS_ERR_HUB_MOVED)
        return reply_moved(turn, &record, &move, reply);
    Hanse__State__MemberView *member = hs_member_view(turn, &record.room, &move.persona);
    HS_REQUIRE(member != NULL && !member->left, HS_ERR_NOT_MEMBER);
    HS_TRY(check_number(member, &move, &known));
    if (known) {
        tell_again(turn, &record, member);
        return hs_reply_accepted(turn, &record.room, member->home_seq, reply);
    }
    HS_TRY(check_pace(turn, &record, member));
    HS_REQUIRE(move.next_seq > member->since && move.next_seq <= record.view->next_seq, HS_ERR_LOG_GAP);
    if (turn->session->state == HS_SESSION_NODE)
        HS_TRY(hs_guest_check(turn, &move.home_root, &move.persona, &record.room,
                              hs_quota_of(turn->session->standing)));
    HS_TRY(hs_object_pack(turn->core->descriptor_object, turn->arena, &descriptor));
    entry.descriptor = hs_pb_data(descriptor);
    struct hs_record_spec spec = {
        .kind = HS_RECORD_HOME_MOVE,
        .epoch = record.view->epoch,
        .sender_node = move.home_root,
        .sender_persona = move.persona,
        .body = body,
        .hub_time = hs_room_time(turn, record.view),
    };
    HS_TRY(hs_room_append(turn, &spec, &entry, &record));
    hs_home_apply(turn, &record, &move);
    hs_standing_joined(turn);
    return hs_reply_accepted(turn, &record.room, record.header.seq, reply);
}
