/* CreateRoom, PutInvite, GetInvite, Join. */
#include "world.h"

#include "room/genesis.h"
#include "room/join.h"

struct scene {
    struct world *w;
    struct world_node *node;
    struct world_device *owner, *alice, *bob;
    struct world_room *room;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w, .node = world_node_new(w, "rosa.example")};
    s.owner = world_staff(s.node, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.node, "alice");
    s.bob = world_customer(s.node, "bob");
    s.room = world_room_new(s.owner, "launch");
    return s;
}

static void rooms_are_founded_by_the_brand(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_policy_role role;
    struct world_room *room;
    struct hs_policy policy = world_policy(s.alice, "mine", &role);
    assert_err(world_ask(s.alice, world_create_frame(s.alice, &policy, &room), NULL), HS_ERR_DENIED);

    struct world_node *other = world_node_new(w, "hub.example");
    policy = world_policy(s.owner, "elsewhere", &role);
    policy.hub_root = other->root.pub;
    assert_err(world_ask(s.owner, world_create_frame(s.owner, &policy, &room), NULL), HS_ERR_WRONG_PEER);

    /* the group's policy isn't that of the genesis */
    policy = world_policy(s.owner, "one", &role);
    Hanse__Frame *one = world_create_frame(s.owner, &policy, &room);
    policy.name = hs_bytes_str("two");
    Hanse__Frame *two = world_create_frame(s.owner, &policy, &room);
    two->create_room->group_info = one->create_room->group_info;
    assert_err(world_ask(s.owner, two, NULL), HS_ERR_MLS_GROUP);

    /* the same again is the same room */
    Hanse__Frame *first, *second;
    assert_ok(world_ask(s.owner, one, &first));
    struct hs_id before = world_store_hash(s.node);
    assert_ok(world_ask(s.owner, one, &second));
    struct hs_id after = world_store_hash(s.node);
    assert_memory_equal(before.b, after.b, 32);
    assert_bytes(hs_pb_bytes(first->accepted->hash), hs_pb_bytes(second->accepted->hash));

    /* a genesis in another's name */
    struct world_device *staff = world_staff(s.node, "staff", HANSE__ROLE__ROLE_STAFF);
    policy = world_policy(s.owner, "stolen", &role);
    assert_err(world_ask(staff, world_create_frame(s.owner, &policy, &room), NULL), HS_ERR_WRONG_SENDER);
}

/* The policy in the group must be the genesis's, byte for byte. */
static void group_must_match_the_genesis(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_policy_role role;
    struct world_room *room;
    struct hs_policy policy = world_policy(s.owner, "room", &role);
    Hanse__Frame *frame = world_create_frame(s.owner, &policy, &room);
    struct hs_writer HS_WRITER bytes = hs_writer(1 << 16), info = hs_writer(1 << 16);
    policy.max_members = 50;
    assert_ok(hs_policy_pack(&policy, &bytes));
    uint16_t types[] = {HS_POLICY_EXTENSION};
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, hs_writer_bytes(&bytes)};
    struct hs_mls_create create = {
        .leaf = {.signer = &room->persona->mls,
                 .identity = room->persona->credential,
                 .not_after = UINT32_MAX,
                 .extension_types = types,
                 .extension_type_count = 1},
        .group_id = HS_VIEW(room->id),
        .extensions = &extension,
        .extension_count = 1,
        .settings = hs_mls_settings_default(),
    };
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    assert_ok(hs_mls_group_create(&create, &group));
    assert_ok(hs_mls_group_info(group, true, &info));
    frame->create_room->group_info = hs_pb_data(hs_writer_bytes(&info));
    assert_err(world_ask(s.owner, frame, NULL), HS_ERR_POLICY);
}

/* The rooms' suite under another number: MLS can do with it, rooms can't. */
static const struct hs_mls_suite *other_suite(void)
{
    static struct hs_mls_suite suite;
    if (suite.id == 0) {
        suite = hs_mls_suite_3;
        suite.id = 0xF0F3;
        assert_ok(hs_mls_suite_add(&suite));
    }
    return &suite;
}

static struct hs_mls_leaf_params leaf_of(const struct world_room *room, const struct hs_mls_signer *signer)
{
    static const uint16_t types[] = {HS_POLICY_EXTENSION};
    return (struct hs_mls_leaf_params){.signer = signer,
                                       .identity = room->persona->credential,
                                       .not_after = UINT32_MAX,
                                       .extension_types = types,
                                       .extension_type_count = 1};
}

/* ROOM-6 */
static void rooms_of_other_suites_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_policy_role role;
    struct world_room *room;
    struct hs_policy policy = world_policy(s.owner, "room", &role);
    Hanse__Frame *good = world_create_frame(s.owner, &policy, &room), *frame = world_frame(w);
    struct hs_writer HS_WRITER bytes = hs_writer(1 << 16), HS_WRITER info = hs_writer(1 << 16);
    struct hs_mls_signer other = room->persona->mls;
    other.suite = other_suite();
    assert_ok(hs_policy_pack(&policy, &bytes));
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, hs_writer_bytes(&bytes)};
    struct hs_mls_create create = {.leaf = leaf_of(room, &other),
                                   .group_id = HS_VIEW(room->id),
                                   .extensions = &extension,
                                   .extension_count = 1,
                                   .settings = hs_mls_settings_default()};
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    assert_ok(hs_mls_group_create(&create, &group));
    assert_ok(hs_mls_group_info(group, true, &info));
    Hanse__CreateRoom request = *good->create_room;
    request.group_info = hs_pb_data(hs_writer_bytes(&info));
    frame->body_case = HANSE__FRAME__BODY_CREATE_ROOM;
    frame->create_room = &request;
    assert_err(world_ask(s.owner, frame, NULL), HS_ERR_MLS_VERSION);
    assert_ok(world_ask(s.owner, good, NULL));
}

/* ROOM-6 */
static void joiners_of_other_suites_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite(s.room, 5);
    struct world_room *room = world_room_join(s.alice, &invite);
    struct hs_writer HS_WRITER package = hs_writer(1 << 16);
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_mls_signer other = room->persona->mls;
    other.suite = other_suite();
    struct hs_mls_leaf_params leaf = leaf_of(room, &other);
    assert_ok(hs_mls_key_package_new(&leaf, false, &package, &priv));
    struct hs_bytes good = room->key_package;
    room->key_package = hs_writer_bytes(&package);
    assert_err(world_ask(s.alice, world_join_frame(room, world_join_body(room, &invite)), NULL),
               HS_ERR_MLS_VERSION);
    room->key_package = good;
    assert_ok(world_ask(s.alice, world_join_frame(room, world_join_body(room, &invite)), NULL));
}

static void invites_are_by_those_who_may(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite(s.room, 5), own;
    assert_ok(world_put_invite(s.room, &invite)); /* again: as before */
    struct world_room *alices = world_join(s.alice, s.room, &invite);
    own = world_invite_new(alices, 1, 1000);
    assert_err(world_put_invite(alices, &own), HS_ERR_POLICY);
    /* a good invite, put by somebody else in her own name, or in the owner's */
    own = world_invite_new(s.room, 1, 1000);
    assert_err(world_put_invite(alices, &own), HS_ERR_WRONG_SENDER);
    struct world_room as_owner = *alices;
    as_owner.persona = s.room->persona;
    assert_err(world_put_invite(&as_owner, &own), HS_ERR_WRONG_SENDER);
    struct world_room *bobs = world_room_join(s.bob, &invite);
    assert_err(world_put_invite(bobs, &own), HS_ERR_NOT_MEMBER);
    /* the same key for another grant */
    struct world_invite twin = invite;
    struct world_invite longer = world_invite_new(s.room, 9, 5000);
    (void)longer;
    twin.body = world_copy(w, invite.body);
    ((uint8_t *)(uintptr_t)twin.body.data)[twin.body.len / 2] ^= 1;
    assert_err(world_put_invite(s.room, &twin), HS_ERR_INVITE_INVALID);
    struct world_room unknown = *s.room;
    unknown.id.b[0] ^= 1;
    assert_err(world_put_invite(&unknown, &own), HS_ERR_ROOM_UNKNOWN);
    own = world_invite_new(s.room, 1, 1000);
    w->now.ms += 1000;
    assert_err(world_put_invite(s.room, &own), HS_ERR_INVITE_EXPIRED);
}

static enum hs_err get_invite(struct world_device *d, const struct world_invite *invite,
                              Hanse__Frame **answer)
{
    Hanse__Frame *frame = world_frame(d->world);
    frame->get_invite = WORLD_NEW(d->world, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(invite->signer.pub));
    return world_ask_hub(d, invite->hub, frame, answer);
}

static void invite_says_what_it_is_for(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite(s.room, 1), unknown = world_invite_new(s.room, 1, 1000);
    Hanse__Frame *answer;
    assert_ok(get_invite(s.bob, &invite, &answer));
    assert_string_equal(answer->invite_info->room_name, "launch");
    assert_bytes(hs_pb_bytes(answer->invite_info->room), HS_VIEW(s.room->id));
    assert_bytes(hs_pb_bytes(answer->invite_info->invite), invite.body);
    assert_int_equal(answer->invite_info->members, 1);
    assert_err(get_invite(s.bob, &unknown, NULL), HS_ERR_INVITE_UNKNOWN);
    w->now.ms += WORLD_DAY_MS - 1;
    assert_ok(get_invite(s.bob, &invite, NULL));
    w->now.ms += 1;
    assert_err(get_invite(s.bob, &invite, NULL), HS_ERR_INVITE_EXPIRED);
}

static enum hs_err join(struct world_room *room, struct hs_bytes body, Hanse__Frame **answer)
{
    return world_ask_hub(room->device, room->hub, world_join_frame(room, body), answer);
}

static void join_is_for_one_key_package(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite(s.room, 5), other = world_invite_new(s.room, 5, 1000);
    struct world_room *alices = world_room_join(s.alice, &invite), *bobs = world_room_join(s.bob, &invite);
    struct hs_bytes body = world_join_body(alices, &invite);
    /* Bob takes Alice's proof for a key package of his own */
    struct hs_bytes kept = bobs->key_package;
    struct hs_signer alice_key = alices->persona->signer;
    struct world_room mixed = *bobs;
    struct world_persona as_alice = *bobs->persona;
    as_alice.signer = alice_key;
    mixed.persona = &as_alice;
    mixed.key_package = kept;
    assert_err(join(&mixed, world_join_body(&mixed, &invite), NULL), HS_ERR_INVITE_REPLAYED);
    /* ... or sends hers as it is */
    assert_err(join(bobs, body, NULL), HS_ERR_WRONG_SENDER);
    struct hs_bytes altered = world_copy(w, body);
    ((uint8_t *)(uintptr_t)altered.data)[40] ^= 1;
    enum hs_err err = join(alices, altered, NULL);
    assert_true(err == HS_ERR_INVITE_INVALID || err == HS_ERR_INVITE_REPLAYED);
    assert_err(join(alices, world_join_body(alices, &other), NULL), HS_ERR_INVITE_UNKNOWN);
    struct world_room wrong = *alices;
    wrong.id.b[3] ^= 1;
    assert_err(join(&wrong, body, NULL), HS_ERR_ROOM_UNKNOWN);

    Hanse__Frame *first, *again;
    assert_ok(join(alices, body, &first));
    struct hs_id before = world_store_hash(s.node);
    assert_ok(join(alices, body, &again));
    struct hs_id after = world_store_hash(s.node);
    assert_memory_equal(before.b, after.b, 32);
    assert_int_equal(first->join_status->seq, again->join_status->seq);
    assert_int_equal(again->join_status->state, HANSE__JOIN_STATE__JOIN_WAITING);
    assert_err(join(alices, world_join_body(world_room_join(s.alice, &invite), &invite), NULL),
               HS_ERR_CONFLICT);
    world_settle(w);
    assert_ok(world_admit(s.room));
    assert_ok(join(alices, body, &again));
    assert_int_equal(again->join_status->state, HANSE__JOIN_STATE__JOIN_JOINED);
    assert_int_equal(again->join_status->seq, first->join_status->seq);
}

/* The home that a JOIN names must be where it comes from. */
static void join_names_its_home(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *elsewhere = world_node_new(w, "home.example");
    struct world_invite invite = world_invite(s.room, 5);
    struct world_room *alices = world_room_join(s.alice, &invite);
    s.alice->node = elsewhere;
    struct hs_bytes body = world_join_body(alices, &invite);
    s.alice->node = s.node;
    assert_err(join(alices, body, NULL), HS_ERR_WRONG_PEER);
}

static void invite_is_used_up_and_expires(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite(s.room, 2);
    struct world_device *carol = world_customer(s.node, "carol");
    struct world_device *in[] = {s.alice, s.bob};
    for (size_t i = 0; i < 2; i++) {
        struct world_room *room = world_room_join(in[i], &invite);
        assert_ok(join(room, world_join_body(room, &invite), NULL));
    }
    struct world_room *room = world_room_join(carol, &invite);
    assert_err(join(room, world_join_body(room, &invite), NULL), HS_ERR_INVITE_USED_UP);
    struct world_invite last = world_invite(s.room, 1);
    w->now.ms += WORLD_DAY_MS;
    room = world_room_join(carol, &last);
    assert_err(join(room, world_join_body(room, &last), NULL), HS_ERR_INVITE_EXPIRED);
}

static void full_room_and_bans(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_policy_role role;
    struct world_room *small;
    struct hs_policy policy = world_policy(s.owner, "small", &role);
    struct hs_key banned = world_persona(s.bob, &s.node->root.pub)->signer.pub;
    policy.max_members = 2;
    policy.banned = &banned;
    policy.banned_count = 1;
    assert_ok(world_ask(s.owner, world_create_frame(s.owner, &policy, &small), NULL));
    small->joined = true;
    world_attach(s.owner);
    struct world_invite invite = world_invite(small, 9);
    struct world_room *bobs = world_room_join(s.bob, &invite);
    assert_err(join(bobs, world_join_body(bobs, &invite), NULL), HS_ERR_DENIED);
    (void)world_join(s.alice, small, &invite); /* the second member is the last */
    struct world_device *carol = world_customer(s.node, "carol");
    struct world_room *carols = world_room_join(carol, &invite);
    assert_err(join(carols, world_join_body(carols, &invite), NULL), HS_ERR_ROOM_FULL);
}

/* ROOM-53, DELIVERY-55: a JOIN can be admitted for so long; then its persona may ask anew. */
static void joins_wait_for_a_time(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite_new(s.room, 2, 2 * HS_JOIN_WAIT_MS);
    struct world_commit c;
    assert_ok(world_put_invite(s.room, &invite));
    struct world_room *first = world_room_join(s.bob, &invite);
    assert_ok(world_ask(s.bob, world_join_frame(first, world_join_body(first, &invite)), NULL));
    world_settle(w);
    world_pass(w, HS_JOIN_WAIT_MS - 1);
    struct world_room *second = world_room_join(s.bob, &invite);
    Hanse__Frame *again = world_join_frame(second, world_join_body(second, &invite));
    assert_err(world_ask(s.bob, again, NULL), HS_ERR_CONFLICT);
    world_pass(w, 1);
    world_commit_admit(s.room, &c);
    assert_err(world_ask(s.owner, world_commit_frame(s.room, &c), NULL), HS_ERR_INVITE_EXPIRED);
    s.room->waiting_count = 0;
    first->id = (struct hs_id){{9}}; /* its keys are of no use any more */
    assert_ok(world_ask(s.bob, again, NULL));
    world_settle(w);
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_true(second->joined);
}

/* DELIVERY-55: who is being admitted waits for that, and uses no second invite meanwhile. */
static void who_is_being_admitted_joins_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite_new(s.room, 3, 2 * HS_JOIN_WAIT_MS);
    assert_ok(world_put_invite(s.room, &invite));
    (void)world_join(s.alice, s.room, &invite);
    struct world_room *first = world_room_join(s.bob, &invite);
    struct hs_bytes body = world_join_body(first, &invite);
    assert_ok(world_ask(s.bob, world_join_frame(first, body), NULL));
    world_settle(w);
    world_pass(w, HS_JOIN_WAIT_MS - 1);
    s.alice->silent = true;
    assert_ok(world_admit(s.room));
    assert_true(hs_mls_group_is_unsettled(s.room->group));
    world_pass(w, 1);
    Hanse__Frame *answer;
    struct hs_bytes other = world_join_body(world_room_join(s.bob, &invite), &invite);
    assert_err(world_ask(s.bob, world_join_frame(first, other), NULL), HS_ERR_CONFLICT);
    assert_ok(world_ask(s.bob, world_join_frame(first, body), &answer));
    assert_int_equal(answer->join_status->state, HANSE__JOIN_STATE__JOIN_WAITING);
    world_pass(w, 6000);
    assert_false(hs_mls_group_is_unsettled(s.room->group));
    world_settle(w);
    assert_true(first->joined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_are_founded_by_the_brand),
        cmocka_unit_test(group_must_match_the_genesis),
        cmocka_unit_test(rooms_of_other_suites_are_refused),
        cmocka_unit_test(joiners_of_other_suites_are_refused),
        cmocka_unit_test(invites_are_by_those_who_may),
        cmocka_unit_test(invite_says_what_it_is_for),
        cmocka_unit_test(join_is_for_one_key_package),
        cmocka_unit_test(join_names_its_home),
        cmocka_unit_test(invite_is_used_up_and_expires),
        cmocka_unit_test(full_room_and_bans),
        cmocka_unit_test(joins_wait_for_a_time),
        cmocka_unit_test(who_is_being_admitted_joins_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
