/* A room whose members say nothing of commits until a test lets them, for the tests of settlement. */
#ifndef TESTS_CORE_SETTLE_SCENE_H
#define TESTS_CORE_SETTLE_SCENE_H

#include "world.h"

#include "core/rooms/settle.h"

struct scene {
    struct world *w;
    struct world_node *node;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs;
    struct world_invite invite;
};

/* Rosa owns the room; Alice and Bob are members, and say nothing of commits until a test lets them. */
[[maybe_unused]] static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w, .node = world_node_new(w, "rosa.example")};
    s.owner = world_staff(s.node, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.node, "alice");
    s.bob = world_customer(s.node, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 20);
    s.alices = world_join(s.alice, s.room, &s.invite);
    s.bobs = world_join(s.bob, s.room, &s.invite);
    s.alice->silent = s.bob->silent = s.owner->silent = true;
    return s;
}

[[maybe_unused]] static struct world_room *wait_for(struct world_device *d, const struct world_invite *invite)
{
    struct world_room *room = world_room_join(d, invite);
    assert_ok(world_ask_hub(d, invite->hub, world_join_frame(room, world_join_body(room, invite)), NULL));
    world_settle(d->world);
    return room;
}

[[maybe_unused]] static enum hs_err commit(struct world_room *room)
{
    struct world_commit c;
    world_commit_update(room, &c);
    enum hs_err err = world_ask_hub(room->device, room->hub, world_commit_frame(room, &c), NULL);
    if (err != HS_OK)
        hs_mls_group_drop(room->group);
    world_settle(room->device->world);
    return err;
}

[[maybe_unused]] static enum hs_err say(struct world_room *room, enum hs_err verdict)
{
    uint32_t leaf = hs_mls_group_own_leaf(room->group);
    enum hs_err err =
        world_ask_hub(room->device, room->hub, world_confirm_frame(room, &room->newest, leaf, verdict), NULL);
    world_settle(room->device->world);
    return err;
}

[[maybe_unused]] static uint64_t epoch(const struct world_room *room)
{
    return hs_mls_group_epoch(room->group);
}

[[maybe_unused]] static bool is_unsettled(const struct world_room *room)
{
    return hs_mls_group_is_unsettled(room->group);
}

#endif
