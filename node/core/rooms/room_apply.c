/* What records of a room make of its views, and how a record is applied that comes from its stream again. */
#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/federation/heads.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/takeover.h"
#include "core/records/layout.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "core/standing/guest.h"
#include "mls/public.h"
#include "room/group_store.h"
#include "room/leaf.h"

Hanse__State__JoinView *hs_join_view(struct hs_turn *turn, const struct hs_id *room,
                                     const struct hs_key *persona)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(*persona));
    return (Hanse__State__JoinView *)HS_VIEW_GET(turn, HS_T_JOIN, &key, hanse__state__join_view);
}

void hs_genesis_apply(struct hs_turn *turn, const struct hs_room_record *record,
                      const struct hs_genesis *genesis, const struct hs_room_member *owner,
                      struct hs_mls_public *group)
{
    Hanse__State__RoomView *view = record->view;
    Hanse__State__MemberView member = HANSE__STATE__MEMBER_VIEW__INIT;
    struct hs_kv_key key = hs_key2(HS_VIEW(genesis->room), HS_VIEW(genesis->owner));
    struct hs_group_store store;
    struct hs_key subscriber;
    view->hub = true;
    view->resumed = hs_restored_since(turn);
    view->hub_root = hs_pb_data(HS_VIEW(*hs_turn_root(turn)));
    view->epoch = 0;
    view->policy = hs_pb_data(genesis->policy_bytes);
    view->retention_ms = genesis->policy.retention_ms;
    view->members = 1;
    hs_room_store(turn, &record->room, view);
    hs_room_group_info_put(turn, &record->room, hs_pb_bytes(record->entry->group_info));
    hs_group_store_init(&store, turn->kv, HS_T_GROUP, &record->room);
    hs_room_group_save(turn, &store, group);
    subscriber = record->header.sender_node; /* the owner's home then */
    bool local = hs_key_equal(&subscriber, hs_turn_root(turn));
    member.home_root = hs_pb_data(HS_VIEW(record->header.sender_node));
    member.device = hs_pb_data(HS_VIEW(owner->device));
    hs_view_put(turn, HS_T_MEMBER, &key, &member.base);
    hs_guest_hold(turn, &record->header.sender_node, &genesis->owner, &genesis->room);
    if (!local || hs_persona_subscriber(turn, &genesis->owner, &subscriber))
        hs_subscribe(turn, &subscriber, &genesis->room, 0, 1);
}

void hs_invite_apply(struct hs_turn *turn, const struct hs_room_record *record,
                     const struct hs_invite *invite)
{
    Hanse__State__InviteView view = HANSE__STATE__INVITE_VIEW__INIT;
    hs_room_store(turn, &record->room, record->view);
    view.room = hs_pb_data(HS_VIEW(invite->room));
    view.issuer = hs_pb_data(HS_VIEW(invite->issuer));
    view.seq = record->header.seq;
    view.max_uses = invite->max_uses;
    view.not_after_ms = invite->not_after.ms;
    hs_invite_store(turn, &record->room, &invite->invite_key, &view);
}

void hs_join_apply(struct hs_turn *turn, const struct hs_room_record *record, const struct hs_join *join)
{
    Hanse__State__JoinView view = HANSE__STATE__JOIN_VIEW__INIT;
    struct hs_kv_key at = hs_key2(HS_VIEW(join->room), HS_VIEW(join->persona));
    Hanse__State__InviteView *invite = hs_invite_view(turn, &join->room, &join->invite_key);
    hs_room_store(turn, &record->room, record->view);
    if (invite == NULL)
        return; /* no JOIN is let in without its invite */
    Hanse__State__JoinView *over = hs_join_view(turn, &join->room, &join->persona);
    struct hs_key home;
    if (over != NULL && !over->joined && HS_FIXED(hs_pb_bytes(over->home_root), &home))
        hs_guest_release(turn, &home, &join->persona, &join->room); /* the one that waited is over */
    view.seq = record->header.seq;
    view.uses_before = invite->used;
    view.body_hash = hs_pb_data(HS_VIEW(record->header.body_hash));
    view.key_package_ref = hs_pb_data(HS_VIEW(join->key_package_ref));
    view.home_root = hs_pb_data(HS_VIEW(join->home_root));
    view.invite_key = hs_pb_data(HS_VIEW(join->invite_key));
    view.device = hs_pb_data(HS_VIEW(join->member.device));
    hs_view_put(turn, HS_T_JOIN, &at, &view.base);
    invite->used++;
    hs_invite_store(turn, &join->room, &join->invite_key, invite);
    hs_guest_hold(turn, &join->home_root, &join->persona, &join->room);
}

void hs_post_apply(struct hs_turn *turn, const struct hs_room_record *record)
{
    const Hanse__State__RoomView *view = record->view;
    hs_room_store(turn, &record->room, view);
    if (!hs_office_is_coming(view) || record->header.seq < view->copied_from)
        hs_blobs_ref_entry(turn, &record->room, record->entry); /* else it counted as a copy's already */
}

void hs_copy_apply(struct hs_turn *turn, const struct hs_room_record *record)
{
    hs_blobs_ref_entry(turn, &record->room, record->entry);
    hs_heads_share(turn, &record->room, &record->header.sender_node);
}

/* The facts of each kind, from its record. */
static enum hs_err genesis_again(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_genesis genesis;
    struct hs_room_member owner;
    struct hs_mls_member leaf;
    struct hs_mls_public HS_MLS_PUBLIC *group = NULL;
    uint32_t first = 0;
    HS_TRY(hs_genesis_verify(hs_pb_bytes(r->entry->body), r->header.hub_time, turn->arena, &genesis));
    HS_TRY(hs_mls_public_new(hs_pb_bytes(r->entry->group_info), (struct hs_bytes){0}, &group));
    HS_REQUIRE(hs_mls_public_member_next(group, &first, &leaf), HS_ERR_MLS_TREE);
    HS_TRY(hs_room_leaf_check(&leaf, &genesis.policy.hub_root, r->header.hub_time, &owner));
    hs_genesis_apply(turn, r, &genesis, &owner, group);
    return HS_OK;
}

static enum hs_err invite_again(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_invite invite;
    HS_TRY(hs_invite_open(hs_pb_bytes(r->entry->body), &r->room, r->header.hub_time, &invite));
    hs_invite_apply(turn, r, &invite);
    return HS_OK;
}

static enum hs_err join_again(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_join join;
    struct hs_key brand = hs_room_brand(turn, r->view);
    HS_TRY(hs_join_verify(hs_pb_bytes(r->entry->body), &r->room, &brand, r->header.hub_time, &join));
    hs_join_apply(turn, r, &join);
    return HS_OK;
}

static enum hs_err commit_again(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_room_commit HS_ROOM_COMMIT c = {.room = r->room,
                                              .persona = r->header.sender_persona,
                                              .view = r->view,
                                              .hub_time = r->header.hub_time,
                                              .spent = r->entry->spent,
                                              .recovered =
                                                  r->entry->recovered || hs_office_is_coming(r->view)};
    HS_TRY(hs_room_commit_stage(turn, &c, hs_pb_bytes(r->entry->body)));
    HS_TRY(hs_room_commit_judge(turn, &c));
    HS_TRY(hs_room_commit_cut(turn, &c, hs_pb_bytes(r->entry->welcome)));
    HS_TRY(hs_room_commit_merge(turn, &c));
    hs_commit_apply(turn, r, &c);
    return HS_OK;
}

static enum hs_err home_again(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_home_move move;
    HS_TRY(hs_home_move_verify(hs_pb_bytes(r->entry->body), &r->room, &move));
    hs_home_apply(turn, r, &move);
    return HS_OK;
}

static enum hs_err hub_again(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_hub_move move;
    HS_TRY(hs_hub_move_verify(hs_pb_bytes(r->entry->body), &r->room, r->header.hub_time, turn->arena, &move));
    hs_hub_move_apply(turn, r, &move);
    return HS_OK;
}

static enum hs_err apply_kind(struct hs_turn *turn, const struct hs_room_record *r)
{
    if (!r->view->hub && r->header.kind != HS_RECORD_GENESIS) {
        hs_copy_apply(turn, r);
        if (r->header.kind == HS_RECORD_HUB_MOVE)
            HS_TRY(hub_again(turn, r));
        hs_room_store(turn, &r->room, r->view);
        return HS_OK;
    }
    switch (r->header.kind) {
    case HS_RECORD_GENESIS:
        return genesis_again(turn, r);
    case HS_RECORD_INVITE:
        return invite_again(turn, r);
    case HS_RECORD_JOIN:
        return join_again(turn, r);
    case HS_RECORD_COMMIT:
        return commit_again(turn, r);
    case HS_RECORD_POST:
        hs_post_apply(turn, r);
        return HS_OK;
    case HS_RECORD_HOME_MOVE:
        return home_again(turn, r);
    case HS_RECORD_SETTLED:
        return hs_settled_apply(turn, r);
    case HS_RECORD_VOID:
        return hs_void_apply(turn, r);
    case HS_RECORD_PROPOSAL:
        return hs_leave_again(turn, r);
    case HS_RECORD_HUB_MOVE:
        HS_TRY(hub_again(turn, r));
        hs_room_store(turn, &r->room, r->view);
        return HS_OK;
    }
    return HS_ERR_UNSUPPORTED;
}

enum hs_err hs_room_apply(struct hs_turn *turn, const struct hs_id *room, uint64_t seq,
                          const Hanse__State__RoomEntry *entry)
{
    Hanse__State__RoomView fresh = HANSE__STATE__ROOM_VIEW__INIT;
    struct hs_room_record record = {.room = *room, .view = hs_room_view(turn, room), .entry = entry};
    HS_TRY(hs_record_header_parse(hs_pb_bytes(entry->header), &record.header));
    HS_REQUIRE(record.header.seq == seq && hs_id_equal(&record.header.room, room), HS_ERR_STORE);
    if (record.view == NULL)
        record.view = &fresh;
    if (hs_prefix_is_next(record.view, seq)) {
        hs_prefix_apply(turn, &record);
        hs_room_store(turn, room, record.view);
        return HS_OK;
    }
    HS_REQUIRE(record.view->next_seq == seq, HS_ERR_STORE);
    HS_TRY(hs_room_enter(turn, &record));
    return apply_kind(turn, &record);
}
