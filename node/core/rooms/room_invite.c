/* PutInvite and GetInvite: a right to join enters the log; whoever holds its key may ask what it is for. */
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "object/object.h"
#include "room/invite.h"

Hanse__State__InviteView *hs_invite_view(struct hs_turn *turn, const struct hs_id *room,
                                         const struct hs_key *invite_key)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(*invite_key));
    return (Hanse__State__InviteView *)HS_VIEW_GET(turn, HS_T_INVITE, &key, hanse__state__invite_view);
}

static struct hs_kv_key room_key(const struct hs_key *invite_key)
{
    return hs_key_sub(HS_MISC_INVITED, HS_VIEW(*invite_key), (struct hs_bytes){0});
}

bool hs_invite_room(struct hs_turn *turn, const struct hs_key *invite_key, struct hs_id *out)
{
    struct hs_kv_key key = room_key(invite_key);
    struct hs_bytes room;
    return hs_kv_get(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), turn->arena, &room) && HS_FIXED(room, out);
}

void hs_invite_store(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *invite_key,
                     const Hanse__State__InviteView *view)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(*invite_key)), first = room_key(invite_key);
    hs_view_put(turn, HS_T_INVITE, &key, &view->base);
    if (!hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&first)))
        hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&first), HS_VIEW(*room));
}

enum hs_err hs_invite_is_open(struct hs_turn *turn, const struct hs_key *invite_key, const struct hs_id *room,
                              Hanse__State__InviteView **out)
{
    *out = hs_invite_view(turn, room, invite_key);
    HS_REQUIRE(*out != NULL, HS_ERR_INVITE_UNKNOWN);
    HS_REQUIRE(turn->now.ms < (*out)->not_after_ms, HS_ERR_INVITE_EXPIRED);
    return HS_OK;
}

void hs_invite_signed_up(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *invite_key)
{
    Hanse__State__InviteView *view = hs_invite_view(turn, room, invite_key);
    if (view == NULL)
        return;
    view->signed_up++;
    hs_invite_store(turn, room, invite_key, view);
}

enum hs_err hs_handle_put_invite(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                 uint64_t *detail)
{
    (void)detail;
    const Hanse__PutInvite *put = request->put_invite;
    struct hs_bytes body = hs_pb_bytes(put->invite);
    struct hs_id room;
    struct hs_key persona;
    struct hs_invite invite;
    struct hs_policy policy;
    struct hs_room_record record = {0};
    Hanse__State__RoomView *view;
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    HS_TAKE32(put->room, &room);
    HS_TAKE32(put->persona, &persona);
    HS_TRY(hs_room_hubbed(turn, &room, &view));
    HS_TRY(hs_room_speaker(turn, &room, &persona));
    if (hs_room_answer_known(turn, &room, body, reply))
        return HS_OK;
    struct hs_time hub_time = hs_room_time(turn, view);
    HS_TRY(hs_invite_verify(body, &room, hub_time, &invite));
    HS_REQUIRE(hs_key_equal(&invite.issuer, &persona), HS_ERR_WRONG_SENDER);
    HS_TRY(hs_room_policy(turn, view, &policy));
    HS_REQUIRE(hs_policy_allows(&policy, &persona, hub_time, HS_RIGHT_INVITE), HS_ERR_POLICY);
    struct hs_id other;
    HS_REQUIRE(!hs_invite_room(turn, &invite.invite_key, &other), HS_ERR_CONFLICT);
    struct hs_record_spec spec = {
        .kind = HS_RECORD_INVITE,
        .epoch = view->epoch,
        .sender_node = *hs_turn_sender_node(turn),
        .sender_persona = persona,
        .body = body,
        .hub_time = hub_time,
    };
    record.room = room;
    record.view = view;
    HS_TRY(hs_room_append(turn, &spec, &entry, &record));
    hs_invite_apply(turn, &record, &invite);
    return hs_reply_accepted(turn, &room, record.header.seq, reply);
}

/* An invite of a room that this node was the hub of: whoever holds it is shown where the room is now. */
static enum hs_err reply_moved(struct hs_turn *turn, const struct hs_id *room,
                               const Hanse__State__RoomView *view, const Hanse__State__RoomEntry *entry,
                               Hanse__InviteInfo *info, Hanse__Frame *reply)
{
    HS_TRY(hs_office_moves(turn, room, view, &info->moves, &info->n_moves));
    HS_TRY(hs_object_unpack(hs_pb_bytes(view->descriptor), turn->arena, &info->descriptor));
    info->room_name = hs_arena_str(turn->arena, (struct hs_bytes){0}); /* the new hub knows it */
    HS_REQUIRE(info->room_name != NULL, HS_ERR_NOMEM);
    info->invite = entry->body;
    reply->invite_info = info;
    reply->body_case = HANSE__FRAME__BODY_INVITE_INFO;
    return HS_OK;
}

enum hs_err hs_handle_get_invite(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                 uint64_t *detail)
{
    (void)detail;
    struct hs_key invite_key;
    struct hs_id room;
    struct hs_policy policy;
    Hanse__State__InviteView *invite;
    Hanse__State__RoomView *view;
    HS_TAKE32(request->get_invite->invite_key, &invite_key);
    if (request->get_invite->room.len > 0)
        HS_TAKE32(request->get_invite->room, &room);
    else
        HS_REQUIRE(hs_invite_room(turn, &invite_key, &room), HS_ERR_INVITE_UNKNOWN);
    HS_TRY(hs_invite_is_open(turn, &invite_key, &room, &invite));
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, &room, invite->seq);
    Hanse__InviteInfo *info = HS_NEW(turn, Hanse__InviteInfo, hanse__invite_info);
    HS_REQUIRE(entry != NULL && info != NULL, HS_ERR_STORE);
    info->room = invite->room;
    view = hs_room_view(turn, &room);
    if (view != NULL && !view->hub && view->was_hub)
        return reply_moved(turn, &room, view, entry, info, reply);
    HS_TRY(hs_room_hubbed(turn, &room, &view));
    HS_TRY(hs_room_policy(turn, view, &policy));
    if (view->brand_root.len > 0)
        HS_TRY(hs_office_moves(turn, &room, view, &info->moves, &info->n_moves));
    info->room_name = hs_arena_str(turn->arena, policy.name);
    HS_REQUIRE(info->room_name != NULL, HS_ERR_NOMEM);
    info->invite = entry->body;
    info->descriptor = turn->core->descriptor_object;
    info->members = view->members;
    reply->invite_info = info;
    reply->body_case = HANSE__FRAME__BODY_INVITE_INFO;
    return HS_OK;
}
