#include "world.h"

#include "room/content.h"
#include "room/context.h"
#include "room/genesis.h"
#include "room/invite.h"
#include "room/invite_link.h"
#include "room/join.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>

static const uint16_t extension_types[] = {HS_POLICY_EXTENSION};

static struct world_room *room_add(struct world_device *d, struct world_node *hub)
{
    assert_true(d->room_count < WORLD_ROOMS);
    struct world_room *room = &d->rooms[d->room_count++];
    *room = (struct world_room){.device = d, .hub = hub, .anchor = UINT64_MAX};
    room->persona = world_persona(d, &hub->root.pub);
    return room;
}

struct world_room *world_room_of(struct world_device *d, const struct hs_id *id)
{
    struct world_room *found = NULL; /* the newest; one that was joined before one that waits */
    for (size_t i = 0; i < d->room_count; i++)
        if (hs_id_equal(&d->rooms[i].id, id) && (found == NULL || d->rooms[i].joined || !found->joined))
            found = &d->rooms[i];
    return found;
}

static struct hs_mls_leaf_params leaf_params(const struct world_room *room)
{
    uint64_t now = (uint64_t)room->device->world->now.ms / 1000;
    return (struct hs_mls_leaf_params){
        .signer = &room->persona->mls,
        .identity = room->persona->credential,
        .not_before = now - 3600,
        .not_after = now + 84 * 86400,
        .extension_types = extension_types,
        .extension_type_count = 1,
    };
}

struct hs_policy world_policy(struct world_device *owner, const char *name, struct hs_policy_role *role)
{
    struct world_persona *p = world_persona(owner, &owner->node->root.pub);
    *role = (struct hs_policy_role){.key = p->signer.pub, .role = HS_ROOM_OWNER};
    return (struct hs_policy){
        .name = hs_bytes_str(name),
        .kind = HS_ROOM_GROUP,
        .roles = role,
        .role_count = 1,
        .max_members = 100,
        .hub_root = owner->node->root.pub,
        .hub_term = HS_POLICY_HUB_TERM_FIRST,
    };
}

Hanse__Frame *world_create_frame(struct world_device *owner, const struct hs_policy *policy,
                                 struct world_room **out)
{
    struct world *w = owner->world;
    struct world_room *room = room_add(owner, owner->node);
    struct hs_writer HS_WRITER body = hs_writer(1 << 20), bytes = hs_writer(1 << 20);
    struct hs_writer HS_WRITER info = hs_writer(1 << 20);
    struct hs_genesis_spec spec = {.device = &room->persona->keys.signature,
                                   .certificate = room->persona->certificate,
                                   .policy = policy,
                                   .now = w->now};
    assert_ok(hs_genesis_build(&spec, &body, &room->id));
    assert_ok(hs_policy_pack(policy, &bytes));
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, hs_writer_bytes(&bytes)};
    struct hs_mls_create create = {
        .leaf = leaf_params(room),
        .group_id = HS_VIEW(room->id),
        .extensions = &extension,
        .extension_count = 1,
        .settings = world_settings(),
    };
    assert_ok(hs_mls_group_create(&create, &room->group));
    assert_ok(hs_mls_group_info(room->group, true, &info));
    Hanse__Frame *frame = world_frame(w);
    frame->create_room = WORLD_NEW(w, Hanse__CreateRoom, hanse__create_room);
    frame->body_case = HANSE__FRAME__BODY_CREATE_ROOM;
    frame->create_room->genesis = hs_pb_data(world_take(w, &body));
    frame->create_room->group_info = hs_pb_data(world_take(w, &info));
    *out = room;
    return frame;
}

struct world_room *world_room_new(struct world_device *owner, const char *name)
{
    struct hs_policy_role role;
    struct hs_policy policy = world_policy(owner, name, &role);
    struct world_room *room;
    Hanse__Frame *frame = world_create_frame(owner, &policy, &room), *answer;
    assert_ok(world_ask(owner, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_ACCEPTED);
    assert_int_equal(answer->accepted->seq, 0);
    room->joined = true;
    world_attach(owner);
    return room;
}

struct world_invite world_invite_new(struct world_room *room, uint32_t uses, int64_t for_ms)
{
    struct world *w = room->device->world;
    struct world_invite invite = {.hub = room->hub, .room = room->id};
    struct hs_writer HS_WRITER body = hs_writer(1 << 16);
    randombytes_buf(invite.seed, sizeof invite.seed);
    hs_invite_signer(invite.seed, &invite.signer);
    struct hs_invite_spec spec = {
        .device = &room->persona->keys.signature,
        .certificate = room->persona->certificate,
        .room = room->id,
        .invite_key = invite.signer.pub,
        .max_uses = uses,
        .now = w->now,
        .not_after = {w->now.ms + for_ms},
    };
    assert_ok(hs_invite_build(&spec, &body));
    invite.body = world_take(w, &body);
    return invite;
}

enum hs_err world_put_invite(struct world_room *room, const struct world_invite *invite)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_frame(w);
    frame->put_invite = WORLD_NEW(w, Hanse__PutInvite, hanse__put_invite);
    frame->body_case = HANSE__FRAME__BODY_PUT_INVITE;
    frame->put_invite->room = hs_pb_data(HS_VIEW(room->id));
    frame->put_invite->persona = hs_pb_data(HS_VIEW(room->persona->signer.pub));
    frame->put_invite->invite = hs_pb_data(invite->body);
    return world_ask_hub(room->device, room->hub, frame, NULL);
}

struct world_invite world_invite(struct world_room *room, uint32_t uses)
{
    struct world_invite invite = world_invite_new(room, uses, WORLD_DAY_MS);
    assert_ok(world_put_invite(room, &invite));
    return invite;
}

struct world_room *world_room_join(struct world_device *d, const struct world_invite *invite)
{
    struct world *w = d->world;
    struct world_room *room = room_add(d, invite->brand != NULL ? invite->brand : invite->hub);
    struct hs_writer HS_WRITER package = hs_writer(1 << 16);
    struct hs_mls_leaf_params params = leaf_params(room);
    room->id = invite->room;
    room->hub = invite->hub;
    assert_ok(hs_mls_key_package_new(&params, false, &package, &room->priv));
    room->key_package = world_take(w, &package);
    return room;
}

struct hs_bytes world_join_body(struct world_room *room, const struct world_invite *invite)
{
    struct world *w = room->device->world;
    struct hs_writer HS_WRITER body = hs_writer(1 << 16);
    struct hs_join_spec spec = {
        .invite = &invite->signer,
        .room = invite->room,
        .persona = room->persona->signer.pub,
        .home_root = room->device->node->root.pub,
        .key_package = room->key_package,
        .now = w->now,
    };
    assert_ok(hs_join_build(&spec, &body));
    return world_take(w, &body);
}

Hanse__Frame *world_join_frame(struct world_room *room, struct hs_bytes body)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_frame(w);
    frame->join = WORLD_NEW(w, Hanse__Join, hanse__join);
    frame->body_case = HANSE__FRAME__BODY_JOIN;
    frame->join->room = hs_pb_data(HS_VIEW(room->id));
    frame->join->join = hs_pb_data(body);
    return frame;
}

struct world_room *world_join(struct world_device *d, struct world_room *moderator,
                              const struct world_invite *invite)
{
    Hanse__Frame *answer;
    struct world_node *brand = invite->brand != NULL ? invite->brand : invite->hub;
    if (d->node != brand)
        assert_ok(world_bind(d, brand));
    struct world_room *room = world_room_join(d, invite);
    Hanse__Frame *frame = world_join_frame(room, world_join_body(room, invite));
    assert_ok(world_ask_hub(d, invite->hub, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_JOIN_STATUS);
    assert_int_equal(answer->join_status->state, HANSE__JOIN_STATE__JOIN_WAITING);
    world_settle(d->world);
    assert_ok(world_admit(moderator));
    world_settle(d->world);
    assert_true(room->joined);
    return room;
}
