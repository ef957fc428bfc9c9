/* Who may speak to a node: strangers with an invite and without, those that are invited, allowed, blocked. */
#include "peer_world.h"

#include "core/delivery/inbox.h"
#include "core/federation/peer.h"
#include "core/standing/guest.h"
#include "core/standing/rules.h"
#include "core/standing/standing.h"

#include <sodium.h>
#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob, *mouth;
    struct world_room *room;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.home, "bob");
    s.mouth = world_device_new(s.hub, "mouth");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    return s;
}

static Hanse__Frame *get_invite(struct scene *s, size_t len)
{
    Hanse__Frame *frame = world_frame(s->w);
    struct hs_bytes key = HS_VIEW(s->invite.signer.pub);
    uint8_t *longer = hs_arena_alloc(&s->w->arena, len + 1);
    assert_non_null(longer);
    frame->get_invite = WORLD_NEW(s->w, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(len > key.len ? hs_bytes(longer, len) : key);
    return frame;
}

static Hanse__Frame *attach_frame(struct scene *s)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->attach = WORLD_NEW(s->w, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    return frame;
}

static Hanse__Frame *ping_frame(struct scene *s)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->ping = WORLD_NEW(s->w, Hanse__Ping, hanse__ping);
    frame->body_case = HANSE__FRAME__BODY_PING;
    return frame;
}

static bool is_open(struct scene *s, uint64_t session)
{
    return world_link_of(s->w, session)->open;
}

static struct hs_key some_key(void)
{
    struct hs_key key;
    randombytes_buf(&key, sizeof key);
    return key;
}

/* FED-23, FED-24: two nodes that never heard of each other; an invite is all it takes. */
static void an_invite_is_enough(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *alices = world_join(s.alice, s.room, &s.invite);
    assert_ok(world_post(s.room, "hello", NULL));
    assert_ok(world_post(alices, "and you", NULL));
    world_settle(w);
    assert_int_equal(alices->post_count, 2);
    assert_int_equal(s.room->post_count, 2);
    world_pass(w, HS_STRANGER_MS);
    assert_true(world_are_linked(s.home, s.hub)); /* it isn't a stranger any more */
    world_node_restart(s.hub);
    assert_ok(world_connect(s.owner, NULL));
    world_attach(s.owner);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_ok(world_post(s.room, "again", NULL));
    world_settle(w);
    assert_int_equal(alices->post_count, 3); /* nor after a restart */
}

/* FED-23: a stranger may ask for an invite and join; all else is DENIED, and its session goes on. */
static void strangers_are_refused_politely(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "stranger.example");
    uint64_t session = raw_node_connect(&raw, NULL);
    assert_err(world_ask(s.mouth, attach_frame(&s), NULL), HS_ERR_DENIED);
    struct world_commit c = {.commit = hs_bytes_str("x")};
    assert_err(world_ask(s.mouth, world_commit_frame(s.room, &c), NULL), HS_ERR_DENIED);
    assert_err(world_ask(s.mouth, world_post_frame(s.room, hs_bytes_str("x")), NULL), HS_ERR_DENIED);
    assert_ok(world_ask(s.mouth, ping_frame(&s), NULL));
    assert_ok(world_ask(s.mouth, get_invite(&s, 0), NULL));
    /* a Join of another node's user doesn't make it more than a stranger */
    assert_ok(world_bind(s.alice, s.hub));
    struct world_room *alices = world_room_join(s.alice, &s.invite);
    Hanse__Frame *join = world_join_frame(alices, world_join_body(alices, &s.invite));
    assert_err(world_ask(s.mouth, join, NULL), HS_ERR_WRONG_PEER);
    struct world_invite unknown = world_invite_new(s.room, 1, 1000);
    join = world_join_frame(alices, world_join_body(alices, &unknown));
    assert_err(world_forward(s.alice, s.hub, join, NULL), HS_ERR_INVITE_UNKNOWN);
    assert_err(world_ask(s.mouth, attach_frame(&s), NULL), HS_ERR_DENIED);
    assert_true(is_open(&s, session));
}

/* FED-23: the session of a stranger that doesn't join ends. */
static void strangers_have_a_minute(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "stranger.example");
    uint64_t session = raw_node_connect(&raw, NULL);
    assert_int_equal(hs_core_deadline(s.hub->core).ms, w->now.ms + HS_STRANGER_MS);
    world_pass(w, HS_STRANGER_MS - 1);
    assert_true(is_open(&s, session));
    world_pass(w, 1);
    assert_false(is_open(&s, session));
}

/* FED-23: HS_STRANGERS_MAX of them, and one more: the oldest goes, the newcomer gets through. */
static void strangers_are_few(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t sessions[HS_STRANGERS_MAX + 1];
    for (size_t i = 0; i < HS_STRANGERS_MAX; i++) {
        struct raw_node raw = raw_node_new(s.mouth, "stranger.example");
        sessions[i] = raw_node_connect(&raw, NULL);
    }
    assert_true(is_open(&s, sessions[0]));
    struct raw_node last = raw_node_new(s.mouth, "stranger.example");
    sessions[HS_STRANGERS_MAX] = raw_node_connect(&last, NULL);
    assert_false(is_open(&s, sessions[0]));
    assert_true(is_open(&s, sessions[1]));
    assert_true(is_open(&s, sessions[HS_STRANGERS_MAX]));
    /* those that are known aren't counted, and take nobody's place */
    (void)world_join(s.alice, s.room, &s.invite);
    assert_true(world_are_linked(s.home, s.hub));
}

/* So many requests at once are taken, the next is RATE_LIMITED, and after a second as many as the rate says.
 */
static void spends_exactly(struct scene *s, const struct hs_quota *quota)
{
    for (size_t i = 0; i < (size_t)quota->flows[HS_FLOW_REQUESTS].burst; i++)
        assert_ok(world_ask(s->mouth, ping_frame(s), NULL));
    assert_err(world_ask(s->mouth, ping_frame(s), NULL), HS_ERR_RATE_LIMITED);
    s->w->now.ms += 1000;
    for (size_t i = 0; i < (size_t)quota->flows[HS_FLOW_REQUESTS].rate; i++)
        assert_ok(world_ask(s->mouth, ping_frame(s), NULL));
    assert_err(world_ask(s->mouth, ping_frame(s), NULL), HS_ERR_RATE_LIMITED);
}

/* FED-11, FED-25: each standing has its own buckets; a known node's aren't full again in a new session. */
static void requests_are_limited_by_standing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "stranger.example");
    struct hs_key user = some_key();
    struct raw_rules rules = {0};
    w->unchecked = true;
    raw_node_connect(&raw, NULL);
    for (size_t i = 0; i + 1 < (size_t)hs_quota_of(HS_STANDING_STRANGER)->flows[HS_FLOW_REQUESTS].burst; i++)
        assert_ok(world_ask(s.mouth, ping_frame(&s), NULL));
    assert_ok(world_ask(s.mouth, get_invite(&s, 0), NULL));
    assert_err(world_ask(s.mouth, get_invite(&s, 0), NULL), HS_ERR_RATE_LIMITED);
    struct hs_turn *turn = raw_turn_begin(s.hub);
    hs_guest_hold(turn, &raw.root.pub, &user, &s.room->id);
    raw_turn_end(turn);
    raw_node_connect(&raw, NULL);
    spends_exactly(&s, hs_quota_of(HS_STANDING_INVITED));
    raw_node_connect(&raw, NULL);
    assert_err(world_ask(s.mouth, ping_frame(&s), NULL), HS_ERR_RATE_LIMITED);
    raw_rule(w, &rules, HS_RULE_ALLOW, &raw.root.pub, NULL);
    raw_rules_set(s.hub, &rules);
    w->now.ms += 4000; /* 20,000 at 5,000 a second */
    spends_exactly(&s, hs_quota_of(HS_STANDING_ALLOWED));
}

/* FED-25: bytes are counted as well. */
static void bytes_are_limited_by_standing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "stranger.example");
    size_t burst = (size_t)hs_quota_of(HS_STANDING_STRANGER)->flows[HS_FLOW_BYTES].burst, frame = 4000;
    raw_node_connect(&raw, NULL);
    w->unchecked = true;
    frame = 60000;
    for (size_t i = 0; i < burst / (frame + 16); i++)
        assert_err(world_ask(s.mouth, get_invite(&s, frame), NULL), HS_ERR_MALFORMED);
    assert_err(world_ask(s.mouth, get_invite(&s, frame), NULL), HS_ERR_RATE_LIMITED);
    assert_ok(world_ask(s.mouth, get_invite(&s, 0), NULL)); /* a small one still fits */
}

/* A quota at its limit and one past it: all but one place is taken, then users of the home join by invite. */
static enum hs_err join(struct scene *s, struct world_device *who, struct world_room *room)
{
    struct world_invite invite = world_invite(room, 10);
    assert_ok(world_bind(who, s->hub));
    struct world_room *joined = world_room_join(who, &invite);
    enum hs_err err =
        world_forward(who, s->hub, world_join_frame(joined, world_join_body(joined, &invite)), NULL);
    world_settle(s->w);
    return err;
}

/* FED-26: users, one past the limit; a user that is there already may join more rooms. */
static void users_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_turn *turn = raw_turn_begin(s.hub);
    for (uint64_t i = 1; i < hs_quota_of(HS_STANDING_INVITED)->users; i++) {
        struct hs_key user = some_key();
        hs_guest_hold(turn, &s.home->root.pub, &user, &s.room->id);
    }
    raw_turn_end(turn);
    assert_ok(join(&s, s.alice, s.room));
    assert_err(join(&s, s.bob, s.room), HS_ERR_QUOTA);
    assert_ok(join(&s, s.alice, world_room_new(s.owner, "second")));
    /* who leaves makes room */
    assert_ok(world_admit(s.room));
    struct world_room *alices = world_room_of(s.alice, &s.room->id);
    assert_true(alices->joined);
    turn = raw_turn_begin(s.hub);
    struct hs_key alice = world_persona(s.alice, &s.hub->root.pub)->signer.pub;
    hs_guest_release(turn, &s.home->root.pub, &alice, &s.room->id);
    hs_guest_release(turn, &s.home->root.pub, &alice, &s.alice->rooms[1].id);
    raw_turn_end(turn);
    assert_ok(join(&s, s.bob, s.room));
}

/* FED-26: rooms. */
static void rooms_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key user = some_key();
    struct hs_turn *turn = raw_turn_begin(s.hub);
    for (uint64_t i = 1; i < hs_quota_of(HS_STANDING_INVITED)->rooms; i++) {
        struct hs_id room;
        randombytes_buf(&room, sizeof room);
        hs_guest_hold(turn, &s.home->root.pub, &user, &room);
    }
    raw_turn_end(turn);
    world_settle(w);
    struct world_room *second = world_room_new(s.owner, "second");
    assert_ok(join(&s, s.alice, s.room));
    assert_err(join(&s, s.alice, second), HS_ERR_QUOTA);
    assert_ok(join(&s, s.bob, s.room));
    /* an operator's word lifts it, at once */
    struct raw_rules rules = {0};
    raw_rule(w, &rules, HS_RULE_ALLOW, &s.home->root.pub, NULL);
    raw_rules_set(s.hub, &rules);
    assert_ok(join(&s, s.alice, second));
}

/* FED-26: memberships in all. */
static void memberships_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const struct hs_quota *quota = hs_quota_of(HS_STANDING_INVITED);
    struct hs_turn *turn = raw_turn_begin(s.hub);
    struct hs_key users[25];
    struct hs_id rooms[40];
    randombytes_buf(users, sizeof users);
    randombytes_buf(rooms, sizeof rooms);
    for (size_t i = 0; i + 1 < quota->memberships; i++)
        hs_guest_hold(turn, &s.home->root.pub, &users[i % 25], &rooms[i / 25]);
    raw_turn_end(turn);
    assert_ok(join(&s, s.alice, s.room));
    assert_err(join(&s, s.bob, s.room), HS_ERR_QUOTA);
}

/* FED-27: what waits for a node that doesn't fetch it: past the limit its users join nothing more. */
static void inboxes_of_nodes_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "lazy.example");
    struct hs_key user = some_key();
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__RemovedItem removed = HANSE__REMOVED_ITEM__INIT;
    item.removed = &removed;
    item.body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
    const struct hs_quota *quota = hs_quota_of(HS_STANDING_INVITED);
    struct hs_turn *turn = raw_turn_begin(s.hub);
    for (uint64_t i = 0; i < quota->inbox - 1; i++)
        hs_inbox_put(turn, &raw.root.pub, &item);
    assert_ok(hs_guest_check(turn, &raw.root.pub, &user, &s.room->id, quota));
    hs_inbox_put(turn, &raw.root.pub, &item);
    assert_int_equal(hs_inbox_waiting(turn, &raw.root.pub), quota->inbox);
    assert_err(hs_guest_check(turn, &raw.root.pub, &user, &s.room->id, quota), HS_ERR_QUOTA);
    hs_inbox_prune(turn, &raw.root.pub, 1);
    assert_ok(hs_guest_check(turn, &raw.root.pub, &user, &s.room->id, quota));
    raw_turn_end(turn);
}

/* FED-26: what is held is given back: the counts of a home are what its memberships are. */
static void places_are_given_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *alices = world_join(s.alice, s.room, &s.invite);
    struct world_room *bobs = world_join(s.bob, s.room, &s.invite);
    struct hs_quota two = *hs_quota_of(HS_STANDING_INVITED), one;
    struct hs_key user = some_key();
    two.users = two.memberships = 2;
    one = two;
    one.users = one.memberships = 1;
    struct hs_turn *turn = raw_turn_begin(s.hub);
    assert_err(hs_guest_check(turn, &s.home->root.pub, &user, &s.room->id, &two), HS_ERR_QUOTA);
    raw_turn_end(turn);
    assert_ok(world_remove(s.room, bobs));
    turn = raw_turn_begin(s.hub);
    assert_ok(hs_guest_check(turn, &s.home->root.pub, &user, &s.room->id, &two));
    assert_err(hs_guest_check(turn, &s.home->root.pub, &user, &s.room->id, &one), HS_ERR_QUOTA);
    raw_turn_end(turn);
    assert_ok(world_remove(s.room, alices));
    turn = raw_turn_begin(s.hub);
    assert_ok(hs_guest_check(turn, &s.home->root.pub, &user, &s.room->id, &one));
    /* a node without users is known for a while, and can fetch what waits for it */
    assert_true(hs_guest_is_known(turn, &s.home->root.pub));
    turn->now.ms += (int64_t)HS_GUEST_DAYS * WORLD_DAY_MS - 1;
    assert_true(hs_guest_is_known(turn, &s.home->root.pub));
    turn->now.ms += 1;
    assert_false(hs_guest_is_known(turn, &s.home->root.pub));
    raw_turn_end(turn);
}

/* FED-28: blocked by root or by the domain that it claims: refused, whatever invite it brings, never dialled.
 */
static void blocked_nodes_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "evil.example");
    struct raw_rules rules = {0};
    enum hs_err err;
    raw_rule(w, &rules, HS_RULE_BLOCK, NULL, "evil.example");
    raw_rule(w, &rules, HS_RULE_ALLOW, &raw.root.pub, NULL); /* the block wins */
    raw_rules_set(s.hub, &rules);
    assert_int_equal(raw_node_connect(&raw, &err), 0);
    assert_int_equal(err, HS_ERR_DENIED);
    struct raw_node other = raw_node_new(s.mouth, "other.example");
    assert_int_not_equal(raw_node_connect(&other, NULL), 0);
    raw_rule(w, &rules, HS_RULE_BLOCK, &other.root.pub, NULL);
    raw_rules_set(s.hub, &rules);
    assert_int_equal(raw_node_connect(&other, &err), 0);
    assert_int_equal(err, HS_ERR_DENIED);
    /* the home's side: its users are told, nobody is dialled */
    struct raw_rules theirs = {0};
    raw_rule(w, &theirs, HS_RULE_BLOCK, &s.hub->root.pub, NULL);
    raw_rules_set(s.home, &theirs);
    assert_err(world_forward(s.alice, s.hub, get_invite(&s, 0), NULL), HS_ERR_DENIED);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_int_equal(s.home->dials, 0);
}

/* FED-28: a block ends sessions that are up, and lifting it lets them come back with nothing lost. */
static void blocks_end_sessions(void **state)
{
    (void)state;
    for (int by_domain = 0; by_domain < 2; by_domain++)
        for (int at_home = 0; at_home < 2; at_home++) {
            struct world HS_WORLD *w = world_new();
            struct scene s = scene_new(w);
            struct world_node *who = at_home ? s.home : s.hub, *whom = at_home ? s.hub : s.home;
            struct raw_rules rules = {0}, none = {0};
            struct world_room *alices = world_join(s.alice, s.room, &s.invite);
            raw_rule(w, &rules, HS_RULE_BLOCK, by_domain ? NULL : &whom->root.pub,
                     by_domain ? whom->domain : NULL);
            raw_rules_set(who, &rules);
            assert_false(world_are_linked(s.home, s.hub));
            size_t dials = s.home->dials;
            world_node_restart(
                who); /* the rules come with the configuration, what is blocked is still known */
            raw_rules_set(who, &rules);
            if (at_home) {
                assert_int_equal(s.home->dials, dials);
                assert_ok(world_connect(s.alice, NULL));
                world_attach(s.alice);
                assert_err(world_post(alices, "x", NULL), HS_ERR_DENIED);
                assert_true(hs_core_deadline(s.home->core).ms > w->now.ms); /* nothing spins */
            }
            (void)world_connect(s.owner, NULL);
            world_attach(s.owner);
            assert_ok(world_post(s.room, "while you were away", NULL));
            world_pass(w, HS_RETRY_MAX_MS);
            world_pass(w, HS_RETRY_MAX_MS);
            assert_false(world_are_linked(s.home, s.hub));
            assert_int_equal(alices->post_count, 0);
            raw_rules_set(who, &none);
            world_pass(w, HS_RETRY_MAX_MS);
            world_pass(w, HS_RETRY_MAX_MS);
            assert_int_equal(alices->post_count, 1);
        }
}

/* FED-29: allowed by its root, or by a domain that the operator has tied to a root: not by what it claims. */
static void allowed_by_more_than_a_claim(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "friend.example"),
                    false_friend = raw_node_new(s.mouth, "friend.example");
    struct raw_rules rules = {0};
    raw_rule(w, &rules, HS_RULE_ALLOW, NULL, "friend.example");
    raw_rules_set(s.hub, &rules);
    raw_node_connect(&raw, NULL);
    assert_err(world_ask(s.mouth, attach_frame(&s), NULL), HS_ERR_DENIED);
    raw_rule(w, &rules, HS_RULE_NODE, &raw.root.pub, "friend.example");
    raw_rules_set(s.hub, &rules);
    assert_ok(world_ask(s.mouth, attach_frame(&s), NULL)); /* in the same session */
    raw_node_connect(&false_friend, NULL);
    assert_err(world_ask(s.mouth, attach_frame(&s), NULL), HS_ERR_DENIED);
}

/* FED-29: rules that make no sense change nothing. */
static void bad_rules_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node raw = raw_node_new(s.mouth, "evil.example");
    struct hs_key root = some_key();
    struct raw_rules good = {0};
    raw_rule(w, &good, HS_RULE_BLOCK, NULL, "evil.example");
    raw_rules_set(s.hub, &good);
    for (int i = 0; i < 5; i++) {
        struct raw_rules bad = {0};
        enum hs_err err;
        raw_rule(w, &bad,
                 i == 0   ? 0
                 : i == 1 ? HS_RULE_NODE + 1
                 : i == 2 ? HS_RULE_NODE
                          : HS_RULE_BLOCK,
                 i == 3 ? NULL : &root,
                 i == 4   ? "both.example"
                 : i == 3 ? "Not A Domain"
                          : NULL);
        raw_rules_set(s.hub, &bad);
        assert_int_equal(raw_node_connect(&raw, &err), 0);
        assert_int_equal(err, HS_ERR_DENIED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_is_enough),
        cmocka_unit_test(strangers_are_refused_politely),
        cmocka_unit_test(strangers_have_a_minute),
        cmocka_unit_test(strangers_are_few),
        cmocka_unit_test(requests_are_limited_by_standing),
        cmocka_unit_test(bytes_are_limited_by_standing),
        cmocka_unit_test(users_are_limited),
        cmocka_unit_test(rooms_are_limited),
        cmocka_unit_test(memberships_are_limited),
        cmocka_unit_test(inboxes_of_nodes_are_limited),
        cmocka_unit_test(places_are_given_back),
        cmocka_unit_test(blocked_nodes_are_refused),
        cmocka_unit_test(blocks_end_sessions),
        cmocka_unit_test(allowed_by_more_than_a_claim),
        cmocka_unit_test(bad_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
