#include "core/rooms/room.h"

#include "core/accounts/account.h"
#include "core/delivery/due.h"
#include "core/federation/promise.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/register.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/rooms/room_record.h"
#include "object/object.h"

enum hs_err hs_room_hubbed(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView **view)
{
    *view = hs_room_view(turn, room);
    HS_REQUIRE(*view != NULL, HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE((*view)->hub, (*view)->was_hub ? HS_ERR_HUB_MOVED : HS_ERR_ROOM_UNKNOWN);
    return hs_room_stands_still(turn, *view) ? HS_ERR_RECOVERING : HS_OK;
}

bool hs_room_stands_still(struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    return hs_office_is_coming(view) || hs_recover_is_frozen(turn, view);
}

enum hs_err hs_room_policy(struct hs_turn *turn, const Hanse__State__RoomView *view, struct hs_policy *policy)
{
    return hs_policy_parse(hs_pb_bytes(view->policy), turn->arena, policy);
}

enum hs_err hs_room_speaker(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona)
{
    Hanse__State__MemberView *member = hs_member_view(turn, room, persona);
    HS_REQUIRE(member != NULL && !member->left, HS_ERR_NOT_MEMBER);
    return hs_session_acts_for(turn, room, persona) ? HS_OK : HS_ERR_WRONG_SENDER;
}

struct hs_time hs_room_time(const struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    return (struct hs_time){turn->now.ms > view->hub_time_ms ? turn->now.ms : view->hub_time_ms};
}

void hs_room_store(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*room));
    hs_view_put(turn, HS_T_ROOM, &key, &view->base);
}

enum hs_err hs_room_enter(struct hs_turn *turn, struct hs_room_record *record)
{
    Hanse__State__RoomView *view = record->view;
    struct hs_stream_at place = {HS_STREAM_ROOM, record->room, record->header.seq};
    struct hs_kv_key at = hs_key_seq(HS_VIEW(record->room), record->header.seq);
    struct hs_kv_key body = hs_key2(HS_VIEW(record->room), HS_VIEW(record->header.body_hash));
    struct hs_bytes hash = hs_arena_copy(turn->arena, HS_VIEW(record->header.hash));
    HS_REQUIRE(hash.data != NULL, HS_ERR_NOMEM);
    hs_view_put(turn, HS_T_ROOM_LOG, &at, &record->entry->base);
    hs_number_put(turn, HS_T_BODY, &body, record->header.seq);
    hs_journal_add(turn, &place);
    record->prev_hash = hs_pb_bytes(view->hash);
    view->next_seq = record->header.seq + 1;
    view->log_bytes += protobuf_c_message_get_packed_size(&record->entry->base);
    view->hash = hs_pb_data(hash);
    view->hub_time_ms = record->header.hub_time.ms;
    hs_due_room(&turn->core->sessions, &record->room);
    if (!hs_office_is_coming(view)) /* else whoever reads it has had this one */
        hs_wake_room(turn, &record->room);
    turn->core->stats.records++;
    return HS_OK;
}

enum hs_err hs_room_make(struct hs_turn *turn, const struct hs_record_spec *spec,
                         Hanse__State__RoomEntry *entry, struct hs_room_record *record)
{
    const Hanse__State__RoomView *view = record->view;
    struct hs_writer HS_WRITER w = hs_writer(HS_RECORD_HEADER_MAX);
    struct hs_log_tip tip = {.next_seq = view->next_seq, .hub_time = {view->hub_time_ms}};
    if (tip.next_seq > 0)
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->hash), &tip.hash), HS_ERR_STORE);
    HS_TRY(hs_log_build_next(&tip, &record->room, spec, &w, &record->header));
    struct hs_bytes header = hs_arena_copy(turn->arena, hs_writer_bytes(&w));
    HS_REQUIRE(header.data != NULL, HS_ERR_NOMEM);
    entry->header = hs_pb_data(header);
    entry->body = hs_pb_data(spec->body);
    record->entry = entry;
    turn->now =
        record->header.hub_time; /* also where the clock was set back: what is applied has this time */
    return HS_OK;
}

enum hs_err hs_room_append(struct hs_turn *turn, const struct hs_record_spec *spec,
                           Hanse__State__RoomEntry *entry, struct hs_room_record *record)
{
    HS_TRY(hs_room_make(turn, spec, entry, record));
    return hs_room_enter(turn, record);
}

void hs_room_group_save(struct hs_turn *turn, const struct hs_group_store *store, struct hs_mls_public *group)
{
    enum hs_err err = hs_mls_public_save(group, &store->store);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? HS_ERR_NOMEM : HS_ERR_STORE;
}

void hs_room_group_info_put(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes group_info)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_GROUPINFO, HS_VIEW(*room), (struct hs_bytes){0});
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), group_info);
}

struct hs_bytes hs_room_group_info(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_bytes value = {0};
    struct hs_kv_key key = hs_key_sub(HS_MISC_GROUPINFO, HS_VIEW(*room), (struct hs_bytes){0});
    (void)hs_kv_get(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), turn->arena, &value);
    return value;
}

Hanse__SignedObject *hs_room_kept_head(struct hs_turn *turn, const struct hs_id *room)
{
    return hs_promise_get(turn, room, HS_REGISTER_HEAD);
}

Hanse__State__RoomEntry *hs_room_entry(struct hs_turn *turn, const struct hs_id *room, uint64_t seq)
{
    struct hs_kv_key key = hs_key_seq(HS_VIEW(*room), seq);
    return (Hanse__State__RoomEntry *)HS_VIEW_GET(turn, HS_T_ROOM_LOG, &key, hanse__state__room_entry);
}

bool hs_room_find_body(struct hs_turn *turn, const struct hs_id *room, const struct hs_id *body_hash,
                       uint64_t *seq)
{
    bool found = false;
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(*body_hash));
    *seq = hs_number_get(turn, HS_T_BODY, &key, &found);
    return found;
}

enum hs_err hs_reply_accepted(struct hs_turn *turn, const struct hs_id *room, uint64_t seq,
                              Hanse__Frame *reply)
{
    struct hs_record_header header;
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
    Hanse__Accepted *accepted = HS_NEW(turn, Hanse__Accepted, hanse__accepted);
    HS_REQUIRE(entry != NULL && accepted != NULL, HS_ERR_STORE);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    struct hs_bytes hash = hs_arena_copy(turn->arena, HS_VIEW(header.hash));
    HS_REQUIRE(hash.data != NULL, HS_ERR_NOMEM);
    accepted->seq = seq;
    accepted->hub_time_ms = header.hub_time.ms;
    accepted->hash = hs_pb_data(hash);
    reply->accepted = accepted;
    reply->body_case = HANSE__FRAME__BODY_ACCEPTED;
    return HS_OK;
}

bool hs_room_answer_known(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes body,
                          Hanse__Frame *reply)
{
    uint64_t seq;
    struct hs_id hash = hs_record_body_hash(body);
    if (!hs_room_find_body(turn, room, &hash, &seq))
        return false;
    enum hs_err err = hs_reply_accepted(turn, room, seq, reply);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err; /* it is known all the same, and must not come in twice */
    return true;
}

void hs_subscribe(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                  uint64_t from, uint32_t members)
{
    Hanse__State__SubscriptionView fresh = HANSE__STATE__SUBSCRIPTION_VIEW__INIT;
    Hanse__State__SubscriptionView *view = hs_subscription_view(turn, subscriber, room);
    struct hs_kv_key key = hs_key2(HS_VIEW(*subscriber), HS_VIEW(*room));
    if (view == NULL || view->until != UINT64_MAX) {
        view = &fresh;
        view->from = from;
        hs_register_put_number(turn, HS_REGISTER_CURSOR, HS_VIEW(*subscriber), HS_VIEW(*room), from);
    }
    if (from < view->from)
        view->from = from; /* who moved here has read less than those who were here before */
    view->until = UINT64_MAX;
    view->members += members;
    struct hs_session *session = hs_session_of(&turn->core->sessions, subscriber);
    struct hs_position *position = session != NULL ? hs_session_position(session, room) : NULL;
    if (position != NULL && position->next >= view->from)
        position->until = view->until; /* it was told once more what it reads */
    hs_view_put(turn, HS_T_SUBSCRIPTION, &key, &view->base);
    hs_wake_subscribed(turn, subscriber, room);
}

void hs_unsubscribe(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                    uint64_t seq)
{
    Hanse__State__SubscriptionView *view = hs_subscription_view(turn, subscriber, room);
    struct hs_kv_key key = hs_key2(HS_VIEW(*subscriber), HS_VIEW(*room));
    if (view == NULL)
        return;
    view->members -= view->members > 0 ? 1 : 0;
    if (view->members == 0 && !view->brand) {
        view->until = seq + 1;
        struct hs_session *session = hs_session_of(&turn->core->sessions, subscriber);
        struct hs_position *position = session != NULL ? hs_session_position(session, room) : NULL;
        if (position != NULL)
            position->until = view->until;
    }
    hs_view_put(turn, HS_T_SUBSCRIPTION, &key, &view->base);
}
