/* Leaving: a member's proposal to remove its own leaf, alone. Delivery to it ends with that record; the next
 * commit takes it up. */
#include "core/accounts/account.h"
#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/told.h"
#include "core/records/table.h"
#include "core/recovery/absent.h"
#include "core/rooms/room_record.h"
#include "core/rooms/wanted.h"
#include "mls/message.h"
#include "mls/public.h"
#include "room/context.h"
#include "room/judge_change.h"
#include "room/leaf.h"
#include "wire/limits.h"

enum { LEAVING_MAX = 64 /* who wait for a commit at once: the room's view holds them */ };

/* The group with the proposal in it, and whose it is. */
struct leave {
    struct hs_group_store store;
    struct hs_mls_public *group;
    struct hs_mls_event *event;
    struct hs_key persona;
};

static void leave_wipe(struct leave *l)
{
    hs_mls_event_free(l->event);
    hs_mls_public_free(l->group);
}

static enum hs_err load(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes message,
                        struct hs_time hub_time, struct leave *l)
{
    hs_group_store_init(&l->store, turn->kv, HS_T_GROUP, room);
    enum hs_err err = hs_mls_public_load(&l->store.store, &l->group);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_NOMEM ? err : HS_ERR_STORE);
    HS_TRY(hs_mls_public_process(l->group, message, &l->event));
    HS_REQUIRE(l->event->kind == HS_MLS_EVENT_PROPOSAL, HS_ERR_UNEXPECTED);
    HS_TRY(hs_judge_proposal(l->group, l->event, hub_time, turn->arena));
    HS_REQUIRE(l->event->proposal.type == HS_MLS_REMOVE &&
                   l->event->proposal.target.leaf == l->event->sender.leaf,
               HS_ERR_POLICY);
    return hs_room_leaf_persona(&l->event->sender, &l->persona);
}

/* Whose device it is reads no further; its home is told. */
static void stop_delivery(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                          Hanse__State__MemberView *member, uint64_t seq)
{
    struct hs_key subscriber;
    if (!HS_FIXED(hs_pb_bytes(member->home_root), &subscriber))
        return;
    bool local = hs_key_equal(&subscriber, hs_turn_root(turn));
    if (local && hs_office_is_coming(hs_room_view(turn, room)))
        return;
    if (local && !hs_persona_subscriber(turn, persona, &subscriber)) {
        hs_absent_forget(turn, persona, room);
        return;
    }
    hs_unsubscribe(turn, &subscriber, room, seq);
    if (!local)
        hs_room_tell_removed(turn, room, persona, &subscriber, seq);
}

static void apply(struct hs_turn *turn, const struct hs_room_record *record, struct leave *l)
{
    Hanse__State__RoomView *view = record->view;
    struct hs_kv_key key = hs_key2(HS_VIEW(record->room), HS_VIEW(l->persona));
    Hanse__State__MemberView *member = hs_member_view(turn, &record->room, &l->persona);
    uint8_t *list = hs_arena_alloc(turn->arena, view->leaving.len + sizeof l->persona);
    if (member == NULL || list == NULL) {
        turn->kv->err = turn->kv->err != HS_OK ? turn->kv->err : list == NULL ? HS_ERR_NOMEM : HS_ERR_STORE;
        return;
    }
    if (view->leaving.len > 0)
        memcpy(list, view->leaving.data, view->leaving.len);
    memcpy(list + view->leaving.len, l->persona.b, sizeof l->persona);
    view->leaving = hs_pb_data(hs_bytes(list, view->leaving.len + sizeof l->persona));
    view->leaving_seq = record->header.seq;
    hs_room_store(turn, &record->room, view);
    hs_room_group_save(turn, &l->store, l->group);
    stop_delivery(turn, &record->room, &l->persona, member, record->header.seq);
    hs_tell_brand(turn, &record->room, &l->persona, NULL);
    member->left = true;
    hs_view_put(turn, HS_T_MEMBER, &key, &member->base);
}

enum hs_err hs_leave_could_be(struct hs_turn *turn, const struct hs_room_record *record)
{
    struct leave HS_AUTO(leave_wipe) l = {0};
    HS_REQUIRE(record->view->unsettled == 0 && record->header.epoch == record->view->epoch,
               HS_ERR_UNEXPECTED);
    HS_REQUIRE(record->view->leaving.len < LEAVING_MAX * sizeof l.persona, HS_ERR_TOO_LARGE);
    HS_TRY(load(turn, &record->room, hs_pb_bytes(record->entry->body), record->header.hub_time, &l));
    Hanse__State__MemberView *member = hs_member_view(turn, &record->room, &l.persona);
    return member != NULL && !member->left ? HS_OK : HS_ERR_NOT_MEMBER;
}

enum hs_err hs_leave_again(struct hs_turn *turn, const struct hs_room_record *record)
{
    struct leave HS_AUTO(leave_wipe) l = {0};
    HS_TRY(load(turn, &record->room, hs_pb_bytes(record->entry->body), record->header.hub_time, &l));
    apply(turn, record, &l);
    return HS_OK;
}

/* It may have been let in already, and its sender is no member any more for anything else. */
static enum hs_err check_sender(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona)
{
    Hanse__State__MemberView *member = hs_member_view(turn, room, persona);
    HS_REQUIRE(member != NULL && !member->left, HS_ERR_NOT_MEMBER);
    return hs_room_speaker(turn, room, persona);
}

enum hs_err hs_room_leave(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                          Hanse__State__RoomView *view, struct hs_bytes message, Hanse__Frame *reply)
{
    struct hs_mls_peek peek;
    struct leave HS_AUTO(leave_wipe) l = {0};
    struct hs_room_record record = {.room = *room, .view = view};
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    if (hs_session_acts_for(turn, room, persona) && hs_room_answer_known(turn, room, message, reply))
        return HS_OK;
    HS_TRY(check_sender(turn, room, persona));
    HS_REQUIRE(message.len <= HS_BLOB_THRESHOLD, HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_message_peek(message, &peek));
    HS_REQUIRE(hs_bytes_equal(peek.group_id, HS_VIEW(*room)), HS_ERR_MLS_GROUP);
    HS_REQUIRE(peek.epoch == view->epoch, HS_ERR_WRONG_EPOCH);
    HS_REQUIRE(view->unsettled == 0, HS_ERR_UNSETTLED);
    HS_REQUIRE(view->leaving.len < LEAVING_MAX * sizeof *persona, HS_ERR_BUSY);
    struct hs_record_spec spec = {
        .kind = HS_RECORD_PROPOSAL,
        .epoch = view->epoch,
        .sender_persona = *persona,
        .sender_node = *hs_turn_sender_node(turn),
        .body = message,
        .hub_time = hs_room_time(turn, view),
    };
    HS_TRY(load(turn, room, message, spec.hub_time, &l));
    HS_REQUIRE(hs_key_equal(&l.persona, persona), HS_ERR_WRONG_SENDER);
    HS_TRY(hs_room_append(turn, &spec, &entry, &record));
    apply(turn, &record, &l);
    hs_wanted_note(turn, room, view);
    return hs_reply_accepted(turn, room, record.header.seq, reply);
}

bool hs_leave_is_listed(const Hanse__State__RoomView *view, const struct hs_key *persona)
{
    for (size_t i = 0; i + sizeof *persona <= view->leaving.len; i += sizeof *persona)
        if (memcmp(view->leaving.data + i, persona->b, sizeof *persona) == 0)
            return true;
    return false;
}

static bool is_removed(const struct hs_room_commit *c, const uint8_t *persona)
{
    for (size_t i = 0; i < c->facts.removed_count; i++)
        if (memcmp(c->facts.removed[i].b, persona, sizeof c->facts.removed[i]) == 0)
            return true;
    return false;
}

enum hs_err hs_leave_admits(struct hs_turn *turn, const struct hs_room_commit *c)
{
    struct hs_message_context context;
    const Hanse__State__RoomView *view = c->view;
    bool all = true;
    if (c->facts.rejoined) /* MLS has no room in it for anybody else (ROOM-90) */
        return hs_leave_is_listed(view, &c->facts.committer.persona) ? HS_ERR_NOT_MEMBER : HS_OK;
    for (size_t i = 0; i + sizeof(struct hs_key) <= view->leaving.len; i += sizeof(struct hs_key))
        all = all && is_removed(c, view->leaving.data + i);
    if (all)
        return HS_OK;
    HS_TRY(hs_message_context_parse(c->event->authenticated_data, turn->arena, &context));
    bool knew = context.has_head && context.head_seq >= view->leaving_seq;
    return knew ? HS_ERR_POLICY : HS_ERR_WRONG_EPOCH; /* who couldn't know makes it anew */
}
