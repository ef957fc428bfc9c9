/* CreateRoom: the first record of a new room, and its MLS group of one. */
#include "core/accounts/account.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/layout.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "identity/grant.h"
#include "mls/public.h"
#include "room/leaf.h"
#include "room/suite.h"

bool hs_account_may_found(struct hs_turn *turn)
{
    Hanse__State__AccountView *account = hs_account_view(turn, &turn->session->persona);
    uint32_t founders = hs_role_set(HANSE__ROLE__ROLE_STAFF) | hs_role_set(HANSE__ROLE__ROLE_MERCHANT) |
                        hs_role_set(HANSE__ROLE__ROLE_TILL);
    return account != NULL && (account->roles & founders) != 0;
}

/* The group is that of the genesis: its id, its policy, the owner alone. */
static enum hs_err check_group(struct hs_turn *turn, const struct hs_genesis *genesis,
                               const struct hs_mls_public *group, struct hs_room_member *owner)
{
    struct hs_bytes policy;
    struct hs_mls_member leaf;
    uint32_t first = 0;
    HS_TRY(hs_room_suite_check(hs_mls_public_suite(group)));
    HS_REQUIRE(hs_bytes_equal(hs_mls_public_id(group), HS_VIEW(genesis->room)), HS_ERR_MLS_GROUP);
    HS_REQUIRE(hs_mls_public_epoch(group) == 0 && hs_mls_public_member_count(group) == 1, HS_ERR_POLICY);
    HS_REQUIRE(hs_mls_public_extension(group, HS_POLICY_EXTENSION, &policy) &&
                   hs_bytes_equal(policy, genesis->policy_bytes),
               HS_ERR_POLICY);
    HS_REQUIRE(hs_mls_public_member_next(group, &first, &leaf), HS_ERR_MLS_TREE);
    HS_TRY(hs_room_leaf_check(&leaf, hs_turn_root(turn), turn->now, owner));
    return hs_key_equal(&owner->persona, &genesis->owner) ? HS_OK : HS_ERR_WRONG_SENDER;
}

static enum hs_err found(struct hs_turn *turn, const struct hs_genesis *genesis,
                         const Hanse__CreateRoom *request, struct hs_mls_public *group,
                         const struct hs_room_member *owner)
{
    Hanse__State__RoomView view = HANSE__STATE__ROOM_VIEW__INIT;
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    struct hs_room_record record = {.room = genesis->room, .view = &view};
    struct hs_record_spec spec = {
        .kind = HS_RECORD_GENESIS,
        .sender_node = *hs_turn_root(turn),
        .sender_persona = genesis->owner,
        .body = hs_pb_bytes(request->genesis),
        .hub_time = turn->now,
    };
    entry.group_info = request->group_info;
    HS_TRY(hs_room_append(turn, &spec, &entry, &record));
    hs_genesis_apply(turn, &record, genesis, owner, group);
    turn->core->stats.rooms++;
    return HS_OK;
}

/* Before this node was restored the genesis may have been a room here, of which a log was told and signed
 * that the backup doesn't have. With the same genesis another one would begin. */
static bool may_be_forgotten(struct hs_turn *turn, const struct hs_genesis *genesis)
{
    struct hs_time at = hs_restored_at(turn);
    return turn->kv->err != HS_OK || (at.ms != INT64_MIN && genesis->created.ms <= at.ms);
}

enum hs_err hs_handle_create_room(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                  uint64_t *detail)
{
    (void)detail;
    struct hs_genesis genesis;
    struct hs_room_member owner;
    struct hs_mls_public HS_MLS_PUBLIC *group = NULL;
    struct hs_bytes body = hs_pb_bytes(request->create_room->genesis);
    HS_REQUIRE(hs_account_may_found(turn), HS_ERR_DENIED);
    HS_TRY(hs_genesis_verify(body, turn->now, turn->arena, &genesis));
    HS_REQUIRE(hs_key_equal(&genesis.policy.hub_root, hs_turn_root(turn)), HS_ERR_WRONG_PEER);
    HS_REQUIRE(hs_session_acts_for(turn, NULL, &genesis.owner), HS_ERR_WRONG_SENDER);
    if (hs_room_view(turn, &genesis.room) != NULL)
        return hs_reply_accepted(turn, &genesis.room, 0, reply);
    HS_REQUIRE(!may_be_forgotten(turn, &genesis), turn->kv->err != HS_OK ? turn->kv->err : HS_ERR_EXPIRED);
    HS_TRY(hs_mls_public_new(hs_pb_bytes(request->create_room->group_info), (struct hs_bytes){0}, &group));
    HS_TRY(check_group(turn, &genesis, group, &owner));
    HS_TRY(found(turn, &genesis, request->create_room, group, &owner));
    return hs_reply_accepted(turn, &genesis.room, 0, reply);
}
