/* Records of another hub, before this node applies them as the hub that it is to be: each must be one that a
 * hub could have let in, for what is applied can't be undone. Nothing is written here. */
#include "core/office/office_check.h"

#include "core/internal.h"
#include "core/office/link.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/settle.h"
#include "mls/public.h"
#include "room/leaf.h"
#include "room/suite.h"
#include "wire/unpack.h"

static enum hs_err check_genesis(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_genesis genesis;
    struct hs_room_member owner;
    struct hs_mls_member leaf;
    struct hs_bytes policy;
    struct hs_mls_public HS_MLS_PUBLIC *group = NULL;
    struct hs_key brand = hs_room_brand(turn, r->view);
    uint32_t first = 0;
    HS_TRY(hs_genesis_verify(hs_pb_bytes(r->entry->body), r->header.hub_time, turn->arena, &genesis));
    HS_REQUIRE(hs_id_equal(&genesis.room, &r->room), HS_ERR_MLS_GROUP);
    HS_REQUIRE(hs_key_equal(&genesis.policy.hub_root, &brand) && hs_key_equal(&r->header.sender_node, &brand),
               HS_ERR_POLICY);
    HS_TRY(hs_mls_public_new(hs_pb_bytes(r->entry->group_info), (struct hs_bytes){0}, &group));
    HS_TRY(hs_room_suite_check(hs_mls_public_suite(group)));
    HS_REQUIRE(hs_bytes_equal(hs_mls_public_id(group), HS_VIEW(r->room)), HS_ERR_MLS_GROUP);
    HS_REQUIRE(hs_mls_public_epoch(group) == 0 && hs_mls_public_member_count(group) == 1, HS_ERR_POLICY);
    HS_REQUIRE(hs_mls_public_extension(group, HS_POLICY_EXTENSION, &policy) &&
                   hs_bytes_equal(policy, genesis.policy_bytes),
               HS_ERR_POLICY);
    HS_REQUIRE(hs_mls_public_member_next(group, &first, &leaf), HS_ERR_MLS_TREE);
    HS_TRY(hs_room_leaf_check(&leaf, &brand, r->header.hub_time, &owner));
    return hs_key_equal(&owner.persona, &genesis.owner) ? HS_OK : HS_ERR_WRONG_SENDER;
}

static enum hs_err check_join(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_join join;
    struct hs_key brand = hs_room_brand(turn, r->view);
    HS_TRY(hs_join_verify(hs_pb_bytes(r->entry->body), &r->room, &brand, r->header.hub_time, &join));
    return hs_invite_view(turn, &r->room, &join.invite_key) != NULL ? HS_OK : HS_ERR_INVITE_UNKNOWN;
}

static enum hs_err check_commit(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_room_commit HS_ROOM_COMMIT c = {.room = r->room,
                                              .persona = r->header.sender_persona,
                                              .view = r->view,
                                              .hub_time = r->header.hub_time,
                                              .recovered = true};
    HS_REQUIRE(r->view->unsettled == 0 && r->header.epoch == r->view->epoch, HS_ERR_UNEXPECTED);
    HS_TRY(hs_room_commit_stage(turn, &c, hs_pb_bytes(r->entry->body)));
    HS_TRY(hs_room_commit_judge(turn, &c));
    HS_REQUIRE(hs_key_equal(&c.facts.committer.persona, &c.persona), HS_ERR_WRONG_SENDER);
    HS_TRY(hs_leave_admits(turn, &c));
    HS_TRY(hs_settle_admits(turn, &c));
    HS_TRY(hs_room_commit_cut(turn, &c, (struct hs_bytes){0}));
    return hs_room_commit_merge(turn, &c);
}

/* That the verdicts which it quotes are genuine every member has seen for itself. */
static enum hs_err check_settled(struct hs_turn *turn, const struct hs_room_record *r)
{
    const Hanse__State__UnsettledView *was = hs_unsettled_view(turn, &r->room);
    struct hs_bytes body = hs_pb_bytes(r->entry->body), commit;
    Hanse__SettledBody *settled;
    Hanse__VoidBody *voided;
    uint64_t seq;
    if (r->header.kind == HS_RECORD_SETTLED) {
        HS_TRY(HS_UNPACK(hanse__settled_body, body, HS_LENIENT, turn->arena, &settled));
        seq = settled->seq;
        commit = hs_pb_bytes(settled->commit);
    } else {
        HS_TRY(HS_UNPACK(hanse__void_body, body, HS_LENIENT, turn->arena, &voided));
        seq = voided->seq;
        commit = hs_pb_bytes(voided->commit);
    }
    return was != NULL && was->seq == seq && hs_bytes_equal(hs_pb_bytes(was->commit), commit)
               ? HS_OK
               : HS_ERR_UNEXPECTED;
}

static enum hs_err check_move(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_hub_link link;
    struct hs_policy policy;
    const struct hs_hub_move *move = &link.to;
    struct hs_hub_office office = hs_room_office(turn, &r->room, r->view);
    HS_TRY(hs_link_check(turn, &r->room, r->view, r->entry, &link));
    HS_TRY(hs_room_policy(turn, r->view, &policy));
    HS_REQUIRE(hs_key_equal(&move->owner, &r->header.sender_persona), HS_ERR_WRONG_SENDER);
    HS_REQUIRE(hs_policy_allows(&policy, &move->owner, r->header.hub_time, HS_RIGHT_GOVERN), HS_ERR_DENIED);
    HS_REQUIRE(link.from.term == office.term && r->view->unsettled == 0, HS_ERR_POLICY);
    return hs_key_equal(&link.from.root, &office.root) ? HS_OK : HS_ERR_BAD_CHAIN;
}

enum hs_err hs_office_check(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_invite invite;
    struct hs_home_move move;
    switch (r->header.kind) {
    case HS_RECORD_GENESIS:
        return check_genesis(turn, r);
    case HS_RECORD_INVITE:
        return hs_invite_open(hs_pb_bytes(r->entry->body), &r->room, r->header.hub_time, &invite);
    case HS_RECORD_JOIN:
        return check_join(turn, r);
    case HS_RECORD_COMMIT:
        return check_commit(turn, r);
    case HS_RECORD_POST:
        return HS_OK;
    case HS_RECORD_PROPOSAL:
        return hs_leave_could_be(turn, r);
    case HS_RECORD_SETTLED:
    case HS_RECORD_VOID:
        return check_settled(turn, r);
    case HS_RECORD_HOME_MOVE:
        return hs_home_move_verify(hs_pb_bytes(r->entry->body), &r->room, &move);
    case HS_RECORD_HUB_MOVE:
        return check_move(turn, r);
    }
    return HS_ERR_UNSUPPORTED;
}
