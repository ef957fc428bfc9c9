/* Two nodes that have never met: joining through Forward, the copy of the log. */
#include "world.h"

#include "core/federation/peer.h"
#include "wire/unpack.h"

#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.home, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    return s;
}

static struct scene scene_joined(struct world *w)
{
    struct scene s = scene_new(w);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

static void post_many(struct world_room *room, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_ok(world_post(room, text, NULL));
    }
}

static void has_exactly(struct world_room *room, size_t count)
{
    assert_int_equal(room->post_count, count);
    for (size_t i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_string_equal(room->posts[i], text);
    }
}

static void reconnect(struct world_device *d)
{
    if (d->session != 0)
        world_disconnect(d);
    assert_ok(world_connect(d, NULL));
    world_attach(d);
}

/* Time passes until the home has dialled the hub again. */
static void mend(struct scene *s)
{
    s->hub->down = false;
    world_pass(s->w, HS_RETRY_MAX_MS);
    world_pass(s->w, 1000);
}

/* FED-16: the copy begins with the Welcome, the device reads it, and what follows comes. */
static void strangers_join_through_their_home(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    assert_ok(world_post(s.room, "0", NULL));
    world_settle(w);
    Hanse__Frame *answer;
    assert_ok(world_post(s.alices, "1", &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_QUEUED);
    world_settle(w);
    has_exactly(s.room, 2);
    has_exactly(s.alices, 2);
    /* a second user of the same home shares the copy */
    struct world_room *bobs = world_join(s.bob, s.room, &s.invite);
    assert_ok(world_post(s.room, "2", NULL));
    world_settle(w);
    has_exactly(s.alices, 3);
    assert_int_equal(bobs->post_count, 1);
    /* a follower's own commits go through Forward, too */
    assert_ok(world_update(s.alices));
    assert_int_equal(hs_mls_group_epoch(s.room->group), hs_mls_group_epoch(bobs->group));
}

/* FED-7: a session acts for its own personas only, at its home and at the hub. */
static void home_answers_for_its_own_users(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    struct world_room as_alice = *s.alices, as_owner = *s.alices;
    as_alice.device = s.bob;
    struct hs_bytes message = world_protect(s.alices, "x");
    assert_err(world_ask(s.bob, world_post_frame(&as_alice, message), NULL), HS_ERR_WRONG_SENDER);
    struct world_commit c;
    world_commit_update(s.alices, &c);
    assert_err(world_forward(s.bob, s.hub, world_commit_frame(&as_alice, &c), NULL), HS_ERR_WRONG_SENDER);
    /* a persona that isn't bound to him can't join from here either */
    struct world_room *bobs = world_room_join(s.bob, &s.invite);
    Hanse__Frame *join = world_join_frame(bobs, world_join_body(bobs, &s.invite));
    assert_err(world_forward(s.bob, s.hub, join, NULL), HS_ERR_WRONG_SENDER);
    /* a home that speaks for a member of another home is refused by the hub */
    struct world_node *third = world_node_new(w, "third.example");
    struct world_device *mallory = world_customer(third, "mallory");
    (void)world_join(world_customer(third, "trent"), s.room, &s.invite); /* her node is no stranger */
    hs_mls_group_drop(s.alices->group);
    world_commit_update(s.alices, &c);
    struct world_persona *p = world_persona(mallory, &s.hub->root.pub);
    as_owner.persona = p;
    p->signer = s.alices->persona->signer; /* an accomplice node binds whatever it likes */
    p->certificate = s.alices->persona->certificate;
    assert_ok(world_bind(mallory, s.hub));
    as_owner.device = mallory;
    hs_mls_group_drop(s.alices->group);
    assert_err(world_forward(mallory, s.hub, world_commit_frame(&as_owner, &c), NULL), HS_ERR_WRONG_SENDER);
}

static void only_some_requests_are_forwarded(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    Hanse__Frame *ping = world_frame(w);
    ping->ping = WORLD_NEW(w, Hanse__Ping, hanse__ping);
    ping->body_case = HANSE__FRAME__BODY_PING;
    assert_err(world_forward(s.alice, s.hub, ping, NULL), HS_ERR_UNSUPPORTED);
    struct hs_bytes message = world_protect(s.alices, "x");
    assert_err(world_forward(s.alice, s.hub, world_post_frame(s.alices, message), NULL), HS_ERR_UNSUPPORTED);
    assert_err(world_forward(s.owner, s.hub, ping, NULL), HS_ERR_WRONG_PEER);
}

static enum world_verdict drop_cursors(void *ctx, struct world_node *from, struct world_node *to,
                                       struct hs_bytes *bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    Hanse__Frame *frame;
    (void)ctx;
    (void)from;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    return frame->body_case == HANSE__FRAME__BODY_CURSORS ? WORLD_CUT : WORLD_PASS;
}

/* DELIVERY-11: a follower that dies before it could say what it holds gets nothing twice and misses nothing.
 */
static void follower_dies_before_its_cursors(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    w->hook = drop_cursors;
    post_many(s.room, 0, 5);
    world_settle(w);
    world_node_restart(s.home);
    w->hook = NULL;
    reconnect(s.alice);
    mend(&s);
    has_exactly(s.alices, 5);
    /* the same with a Welcome */
    assert_ok(world_bind(s.bob, s.hub) == HS_ERR_CLOSED ? HS_OK : HS_OK);
    reconnect(s.bob);
    w->hook = drop_cursors;
    assert_ok(world_bind(s.bob, s.hub));
    struct world_room *bobs = world_room_join(s.bob, &s.invite);
    assert_ok(world_forward(s.bob, s.hub, world_join_frame(bobs, world_join_body(bobs, &s.invite)), NULL));
    world_settle(w);
    assert_ok(world_admit(s.room));
    world_node_restart(s.home);
    w->hook = NULL;
    reconnect(s.alice);
    reconnect(s.bob);
    mend(&s);
    assert_true(bobs->joined);
    assert_int_equal(s.bob->item_count, 1);
    assert_ok(world_post(s.room, "5", NULL));
    world_settle(w);
    has_exactly(s.alices, 6);
}

/* DELIVERY-9 at a follower; and the last member of a home that comes back later. */
static void removal_at_a_follower(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    size_t records = s.alices->records;
    assert_ok(world_remove(s.room, s.alices));
    assert_int_equal(s.alices->records, records + 2);
    assert_true(hs_mls_group_is_removed(s.alices->group));
    post_many(s.room, 0, 3);
    world_settle(w);
    assert_int_equal(s.alices->records, records + 2);
    assert_err(world_ask(s.alice, world_post_frame(s.alices, hs_bytes_str("x")), NULL), HS_ERR_NOT_MEMBER);
    struct world_room *back = world_join(s.alice, s.room, &s.invite);
    assert_ok(world_post(s.room, "3", NULL));
    world_settle(w);
    assert_int_equal(back->post_count, 1);
    assert_string_equal(back->posts[0], "3");
    assert_ok(world_post(back, "4", NULL));
    world_settle(w);
    has_exactly(s.room, 5);
    assert_int_equal(s.home->closed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_join_through_their_home),
        cmocka_unit_test(home_answers_for_its_own_users),
        cmocka_unit_test(only_some_requests_are_forwarded),
        cmocka_unit_test(follower_dies_before_its_cursors),
        cmocka_unit_test(removal_at_a_follower),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
