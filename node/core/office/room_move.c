/* MoveHub: an owner gives the room to another hub, which brings that itself. The HUB_MOVE record ends this
 * hub's term, and its last head stands with it. What the record makes of the views differs: the hub that goes
 * becomes a follower, a follower follows the new one, and the new one begins to gather what it needs. */
#include "core/accounts/account.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/takeover.h"
#include "core/office/told.h"
#include "core/office/way.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "core/recovery/absent.h"
#include "core/rooms/room_record.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "object/object.h"
#include "room/head.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

/* ---- views ---- */

/* What a hub has of its room, and a follower hasn't. Who its members were stays: the ledger asks for it. */
static void forget_hub(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key info = hs_key_sub(HS_MISC_GROUPINFO, HS_VIEW(*room), (struct hs_bytes){0});
    hs_kv_del_prefix(turn->kv, HS_T_JOIN, HS_VIEW(*room));
    hs_kv_del_prefix(turn->kv, HS_T_GROUP, HS_VIEW(*room));
    hs_kv_del(turn->kv, HS_T_BARS, HS_VIEW(*room));
    hs_kv_del(turn->kv, HS_T_UNSETTLED, HS_VIEW(*room));
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&info));
}

/* Other nodes read to this record and no further; their places are free. Returns how many members are at home
 * here. */
static uint32_t let_members_go(struct hs_turn *turn, const struct hs_id *room, uint64_t seq)
{
    struct hs_bytes prefix = HS_VIEW(*room), key, value;
    struct hs_kv_key from = hs_key1(prefix);
    uint32_t here = 0;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        Hanse__State__MemberView *member;
        struct hs_key home, persona;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_MEMBER, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return here;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__member_view, value, HS_LENIENT, &scratch, &member) != HS_OK ||
            !HS_FIXED(hs_pb_bytes(member->home_root), &home) ||
            !HS_FIXED(hs_bytes(key.data + prefix.len, key.len - prefix.len), &persona))
            continue;
        hs_guest_release(&own, &home, &persona, room);
        if (member->left)
            continue;
        if (hs_key_equal(&home, hs_turn_root(turn)))
            here++;
        else
            hs_unsubscribe(&own, &home, room, seq);
    }
}

/* Who waits for admission holds a place, too. */
static void let_joiners_go(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_bytes prefix = HS_VIEW(*room), key, value;
    struct hs_kv_key from = hs_key1(prefix);
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        Hanse__State__JoinView *join;
        struct hs_key home, persona;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_JOIN, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__join_view, value, HS_LENIENT, &scratch, &join) == HS_OK &&
            !join->joined && HS_FIXED(hs_pb_bytes(join->home_root), &home) &&
            HS_FIXED(hs_bytes(key.data + prefix.len, key.len - prefix.len), &persona))
            hs_guest_release(&own, &home, &persona, room);
    }
}

/* The view of a follower of the new hub. */
static void follow(struct hs_turn *turn, struct hs_room_record *r, const struct hs_hub_move *move)
{
    Hanse__State__RoomView *view = r->view;
    struct hs_key former;
    if (view->brand_root.len == 0)
        view->brand_root = view->hub_root;
    if (HS_FIXED(hs_pb_bytes(view->hub_root), &former))
        hs_told_forget(turn, &r->room, &former);
    view->former_root = view->hub_root;
    view->hub_root = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(move->office.root)));
    view->descriptor = hs_pb_data(move->descriptor);
    view->hub_term = move->office.term;
    if (!hs_key_equal(&move->office.root, hs_turn_root(turn)))
        hs_copies_add(turn, &move->office.root);
}

static void leave_office(struct hs_turn *turn, struct hs_room_record *r, const struct hs_hub_move *move)
{
    Hanse__State__RoomView *view = r->view;
    let_joiners_go(turn, &r->room);
    hs_brand_reads_to(turn, &r->room, view, r->header.seq);
    view->members = let_members_go(turn, &r->room, r->header.seq);
    forget_hub(turn, &r->room);
    view->hub = false;
    view->was_hub = true;
    view->brand_told = false;
    view->brand_told_from = 0;
    view->brand_told_next = (ProtobufCBinaryData){0};
    view->first_seq = 0;
    view->epoch = 0;
    view->policy = (ProtobufCBinaryData){0};
    view->n_past = 0;
    view->leaving = (ProtobufCBinaryData){0};
    view->leaving_seq = 0;
    view->voids = 0;
    view->retention_ms = 0;
    view->resumed = 0;
    follow(turn, r, move);
}

/* From here on this node gathers what the hub of the room must have; nothing of the follower's view holds for
 * a hub. */
static void begin_office(struct hs_turn *turn, struct hs_room_record *r, const struct hs_hub_move *move)
{
    Hanse__State__RoomView *view = r->view;
    struct hs_kv_key coming = hs_key_sub(HS_MISC_OFFICE, HS_VIEW(r->room), (struct hs_bytes){0});
    follow(turn, r, move);
    forget_hub(turn, &r->room);
    hs_kv_del_prefix(turn->kv, HS_T_MEMBER, HS_VIEW(r->room));
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&coming), (struct hs_bytes){0});
    view->hub = true;
    view->hub_term = 0;
    view->office_end = r->header.seq + 1;
    view->copied_from = view->first_seq;
    view->next_seq = view->first_seq = 0;
    view->hash = view->descriptor = (ProtobufCBinaryData){0};
    view->hub_time_ms = 0;
    view->members = 0;
    view->held = 0;
    view->log_bytes = 0; /* counted again as they are entered again */
}

/* An item by which the former hub tells that somebody is gone may never have come: the log says it. */
static void let_removed_go(struct hs_turn *turn, const struct hs_id *room, uint64_t seq)
{
    struct hs_kv_key first = hs_key_sub(HS_MISC_READS, HS_VIEW(*room), (struct hs_bytes){0}), from = first;
    struct hs_bytes prefix = hs_kv_key_bytes(&first), key;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        struct hs_key persona, subscriber;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(&from), &scratch, &key, NULL))
            return;
        from = hs_kv_after(key);
        if (!HS_FIXED(hs_bytes(key.data + prefix.len, key.len - prefix.len), &persona))
            continue;
        const Hanse__State__MemberView *member = hs_member_view(&own, room, &persona);
        if (member != NULL && !member->left &&
            hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(*hs_turn_root(turn))))
            continue;
        hs_kv_del(turn->kv, HS_T_MISC, key);
        if (hs_persona_subscriber(&own, &persona, &subscriber))
            hs_unsubscribe(&own, &subscriber, room, seq);
        else
            hs_absent_forget(&own, &persona, room);
    }
}

/* Who is at home here by the log reads the room, though no item of the former hub has said so. */
static void let_members_read(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_bytes prefix = HS_VIEW(*room), key, value;
    struct hs_kv_key from = hs_key1(prefix);
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        Hanse__State__MemberView *member;
        struct hs_key persona, subscriber;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_MEMBER, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__member_view, value, HS_LENIENT, &scratch, &member) != HS_OK ||
            member->left || !hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(*hs_turn_root(turn))) ||
            !HS_FIXED(hs_bytes(key.data + prefix.len, key.len - prefix.len), &persona) ||
            !hs_persona_subscriber(&own, &persona, &subscriber))
            continue;
        const Hanse__State__SubscriptionView *reads = hs_subscription_view(&own, &subscriber, room);
        if (reads == NULL || reads->until != UINT64_MAX)
            hs_subscribe(&own, &subscriber, room, member->since, 1);
    }
}

/* All is here. A node that was restored may have held this office before, and have forgotten it. */
static void take_office(struct hs_turn *turn, struct hs_room_record *r)
{
    struct hs_kv_key coming = hs_key_sub(HS_MISC_OFFICE, HS_VIEW(r->room), (struct hs_bytes){0});
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&coming));
    r->view->office_end = 0;
    r->view->copied_from = 0;
    r->view->was_hub = false;
    r->view->resumed = 0;
    let_removed_go(turn, &r->room, r->header.seq);
    let_members_read(turn, &r->room);
    hs_brand_reads(turn, &r->room, r->view);
}

void hs_hub_move_apply(struct hs_turn *turn, const struct hs_room_record *record,
                       const struct hs_hub_move *move)
{
    struct hs_room_record r = *record;
    struct hs_kv_key key = hs_key_seq(HS_VIEW(r.room), r.header.seq);
    hs_kv_put(turn->kv, HS_T_OFFICE, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    hs_takeover_over(turn, &r.room);
    if (hs_office_is_coming(r.view)) {
        r.view->hub_term = move->office.term;
        if (r.header.seq + 1 == r.view->office_end)
            take_office(turn, &r);
    } else if (r.view->hub) {
        leave_office(turn, &r, move);
    } else if (move->office.term > hs_room_term(r.view)) {
        if (hs_key_equal(&move->office.root, hs_turn_root(turn)))
            begin_office(turn, &r, move);
        else
            follow(turn, &r, move);
    }
    hs_way_reached(turn, &r.room, move->office.term);
}

/* ---- the request ---- */

/* The session is the new hub's, where the owner is at home. */
static enum hs_err check_owner(struct hs_turn *turn, const struct hs_id *room,
                               const Hanse__State__RoomView *view, const struct hs_hub_move *move,
                               struct hs_time at)
{
    struct hs_policy policy;
    HS_REQUIRE(turn->session->state == HS_SESSION_NODE &&
                   hs_key_equal(&move->office.root, &turn->session->subscriber),
               HS_ERR_WRONG_PEER);
    HS_TRY(hs_room_speaker(turn, room, &move->owner));
    Hanse__State__MemberView *member = hs_member_view(turn, room, &move->owner);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(member->device), HS_VIEW(move->device)), HS_ERR_WRONG_SENDER);
    HS_TRY(hs_room_policy(turn, view, &policy));
    HS_REQUIRE(hs_policy_allows(&policy, &move->owner, at, HS_RIGHT_GOVERN) &&
                   !hs_policy_is_revoked(&policy, &move->device),
               HS_ERR_DENIED);
    HS_REQUIRE(policy.kind != HS_ROOM_COUNTER && move->office.term == hs_room_term(view) + 1, HS_ERR_POLICY);
    return HS_OK;
}

enum hs_err hs_office_may_go(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__RoomView *view, struct hs_bytes body,
                             struct hs_hub_move *move)
{
    struct hs_time at = hs_room_time(turn, view);
    HS_TRY(hs_hub_move_verify(body, room, at, turn->arena, move));
    return check_owner(turn, room, view, move, at);
}

/* The last record of the term, under the last head. */
static enum hs_err append_last(struct hs_turn *turn, const struct hs_record_spec *spec,
                               const struct hs_hub_move *move, struct hs_room_record *record)
{
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    Hanse__SignedObject *head;
    struct hs_bytes bytes, descriptor;
    uint32_t term = hs_room_term(record->view);
    HS_TRY(hs_room_make(turn, spec, &entry, record));
    struct hs_log_tip tip = {record->header.seq + 1, record->header.hash, record->header.hub_time};
    HS_TRY(hs_head_build(&turn->core->signer, &record->room, &tip, term, turn->core->incarnation, turn->now,
                         turn->arena, &head));
    HS_TRY(hs_object_pack(head, turn->arena, &bytes));
    HS_TRY(hs_object_pack(turn->core->descriptor_object, turn->arena, &descriptor));
    entry.head = hs_pb_data(bytes);
    entry.descriptor = hs_pb_data(descriptor);
    HS_TRY(hs_room_enter(turn, record));
    hs_hub_move_apply(turn, record, move);
    hs_room_store(turn, &record->room, record->view);
    struct hs_kv_key kept = hs_register_key(HS_REGISTER_HEAD, HS_VIEW(record->room), (struct hs_bytes){0});
    hs_register_put(turn, &kept, bytes); /* as any follower has one */
    return HS_OK;
}

enum hs_err hs_handle_move_hub(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                               uint64_t *detail)
{
    (void)detail;
    struct hs_bytes body = hs_pb_bytes(request->move_hub->move);
    struct hs_room_record record = {0};
    struct hs_hub_move move;
    HS_TAKE32(request->move_hub->room, &record.room);
    record.view = hs_room_view(turn, &record.room);
    HS_REQUIRE(record.view != NULL, HS_ERR_ROOM_UNKNOWN);
    HS_TRY(hs_hub_move_verify(body, &record.room, turn->now, turn->arena, &move));
    bool theirs = hs_key_equal(&move.office.root, &turn->session->subscriber);
    if (theirs && hs_room_answer_known(turn, &record.room, body, reply))
        return HS_OK;
    HS_TRY(hs_room_hubbed(turn, &record.room, &record.view));
    struct hs_record_spec spec = {
        .kind = HS_RECORD_HUB_MOVE,
        .epoch = record.view->epoch,
        .sender_node = move.office.root,
        .sender_persona = move.owner,
        .body = body,
        .hub_time = hs_room_time(turn, record.view),
    };
    HS_TRY(hs_office_may_go(turn, &record.room, record.view, body, &move));
    HS_REQUIRE(record.view->unsettled == 0, HS_ERR_UNSETTLED);
    HS_TRY(hs_prefix_is_given(turn, &record.room, record.view));
    HS_TRY(append_last(turn, &spec, &move, &record));
    hs_office_moved(turn, &record.room, hs_turn_root(turn));
    return hs_reply_accepted(turn, &record.room, record.header.seq, reply);
}
