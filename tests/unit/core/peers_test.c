/* What devices can make their home do towards other nodes, and what one of them can't do to the others. */
#include "world.h"

#include "core/federation/peer.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *mallory;
    struct world_room *room;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.mallory = world_customer(s.home, "mallory");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    return s;
}

static Hanse__Frame *get_invite(struct scene *s)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->get_invite = WORLD_NEW(s->w, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(s->invite.signer.pub));
    return frame;
}

/* FED-14: a wrong address that one device names doesn't keep the others from the node. */
static void wrong_addresses_are_replaced(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node wrong = *s.hub;
    (void)snprintf(wrong.address, sizeof wrong.address, "nowhere.example:1");
    assert_err(world_forward(s.mallory, &wrong, get_invite(&s), NULL), HS_ERR_UNREACHABLE);
    world_pass(w, 1000);
    assert_ok(world_forward(s.alice, s.hub, get_invite(&s), NULL));
    /* from now on its own addresses are known, and come first */
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].device == NULL)
            world_close(w, w->links[i].id[0]);
    world_run(w);
    s.hub->down = true;
    for (int i = 0; i < HS_DIAL_ADDRESSES; i++) {
        (void)snprintf(wrong.address, sizeof wrong.address, "nowhere.example:%d", i + 1);
        world_pass(w, HS_RETRY_MAX_MS);
        assert_err(world_forward(s.mallory, &wrong, get_invite(&s), NULL), HS_ERR_UNREACHABLE);
    }
    s.hub->down = false;
    world_pass(w, HS_RETRY_MAX_MS);
    assert_ok(world_forward(s.mallory, &wrong, get_invite(&s), NULL));
}

/* Not an address at all, or none. */
static void bad_addresses_are_unreachable(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node wrong = *s.hub;
    static const char *const bad[] = {"", "no port", "a:0", "a:70000", "a b:1"};
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(wrong.address, sizeof wrong.address, "%s", bad[i]);
        assert_err(world_forward(s.mallory, &wrong, get_invite(&s), NULL), HS_ERR_UNREACHABLE);
    }
    assert_int_equal(s.home->dials, 0);
}

/* HS_PEERS_MAX nodes and one more: what nobody needs makes room. */
static void strange_nodes_fill_no_table(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node strange = *s.hub;
    w->unchecked = true;
    for (size_t i = 0; i <= HS_PEERS_MAX; i++) {
        randombytes_buf(&strange.root.pub, sizeof strange.root.pub);
        w->now.ms += 10;
        assert_err(world_forward(s.mallory, &strange, get_invite(&s), NULL), HS_ERR_UNREACHABLE);
    }
    assert_ok(world_forward(s.alice, s.hub, get_invite(&s), NULL));
    /* nothing of it is kept or dialled again */
    size_t dials = s.home->dials;
    world_pass(w, HS_RETRY_MAX_MS);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_int_equal(s.home->dials, dials);
}

static enum world_verdict swallow(void *ctx, struct world_node *from, struct world_node *to,
                                  struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    bool answer = from == s->hub && frame->body_case != HANSE__FRAME__BODY_AUTHENTICATED;
    return answer ? WORLD_DROP : WORLD_PASS;
}

/* HS_FORWARDS_SESSION requests of one device wait for a hub that doesn't answer; others still get theirs in;
 * all are told after HS_FORWARD_MS. */
static void one_device_takes_not_all_places(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    w->hook = swallow;
    w->hook_ctx = &s;
    for (size_t i = 0; i < HS_FORWARDS_SESSION; i++)
        assert_err(world_forward(s.mallory, s.hub, get_invite(&s), NULL), HS_ERR_TIMEOUT);
    assert_err(world_forward(s.mallory, s.hub, get_invite(&s), NULL), HS_ERR_BUSY);
    assert_err(world_forward(s.alice, s.hub, get_invite(&s), NULL), HS_ERR_TIMEOUT);
    size_t before = s.mallory->rx_len;
    world_pass(w, HS_FORWARD_MS - 1);
    assert_int_equal(s.mallory->rx_len, before);
    world_pass(w, 1);
    assert_int_equal(s.mallory->rx_len, before + HS_FORWARDS_SESSION);
    w->hook = NULL;
    assert_ok(world_forward(s.mallory, s.hub, get_invite(&s), NULL));
    /* a device that goes away takes its questions with it */
    w->hook = swallow;
    for (size_t round = 0; round < 2 * HS_FORWARDS_MAX / HS_FORWARDS_SESSION; round++) {
        for (size_t i = 0; i < HS_FORWARDS_SESSION; i++)
            assert_err(world_forward(s.mallory, s.hub, get_invite(&s), NULL), HS_ERR_TIMEOUT);
        world_disconnect(s.mallory);
        assert_ok(world_connect(s.mallory, NULL));
    }
    w->hook = NULL;
    world_pass(w, 1000); /* all that a stranger may ask at once was asked */
    assert_ok(world_forward(s.alice, s.hub, get_invite(&s), NULL));
}

/* FED-15: a hub is followed once it has taken a JOIN, not because somebody names it. */
static void following_begins_with_a_join(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite used = world_invite_new(s.room, 1, 1000); /* unknown to the hub */
    assert_ok(world_bind(s.mallory, s.hub));
    struct world_room *room = world_room_join(s.mallory, &used);
    Hanse__Frame *frame = world_join_frame(room, world_join_body(room, &used));
    assert_err(world_forward(s.mallory, s.hub, frame, NULL), HS_ERR_INVITE_UNKNOWN);
    world_node_restart(s.home);
    size_t dials = s.home->dials;
    world_pass(w, 1000);
    assert_int_equal(s.home->dials, dials);
    assert_ok(world_connect(s.alice, NULL));
    world_attach(s.alice);
    (void)world_join(s.alice, s.room, &s.invite);
    world_node_restart(s.home);
    dials = s.home->dials;
    world_pass(w, 1000);
    assert_int_equal(s.home->dials, dials + 1);
    assert_true(world_are_linked(s.home, s.hub));
}

static enum world_verdict deaf(void *ctx, struct world_node *from, struct world_node *to,
                               struct hs_bytes *bytes)
{
    (void)bytes;
    (void)to;
    return from == ((struct scene *)ctx)->hub ? WORLD_DROP : WORLD_PASS;
}

/* A hub that takes the session and says nothing is left after HS_FORWARD_MS, and tried again. */
static void silent_hub_is_left(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    w->hook = deaf;
    w->hook_ctx = &s;
    assert_err(world_forward(s.alice, s.hub, get_invite(&s), NULL), HS_ERR_TIMEOUT);
    assert_true(world_are_linked(s.home, s.hub));
    world_pass(w, HS_FORWARD_MS);
    assert_false(world_are_linked(s.home, s.hub));
    w->hook = NULL;
    world_pass(w, HS_RETRY_MAX_MS);
    assert_ok(world_forward(s.alice, s.hub, get_invite(&s), NULL));
}

/* A hub that has no room just now is asked again, in order, but not at once. */
static void busy_hub_is_given_time(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *alices = world_join(s.alice, s.room, &s.invite);
    s.hub->full = true;
    size_t refused = s.hub->refused;
    for (int i = 0; i < 10; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%d", i);
        assert_ok(world_post(alices, text, NULL));
    }
    world_settle(w);
    assert_in_range(s.hub->refused - refused, 1, 20);
    refused = s.hub->refused;
    w->now.ms += HS_RETRY_FIRST_MS - 1;
    world_pass(w, 0);
    assert_int_equal(s.hub->refused, refused);
    world_pass(w, 1);
    assert_int_not_equal(s.hub->refused, refused);
    struct hs_time deadline = hs_core_deadline(s.home->core);
    assert_true(deadline.ms > w->now.ms); /* nothing spins */
    s.hub->full = false;
    world_pass(w, HS_RETRY_FIRST_MS);
    world_pass(w, HS_RETRY_FIRST_MS);
    assert_int_equal(s.room->post_count, 10);
    for (int i = 0; i < 10; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%d", i);
        assert_string_equal(s.room->posts[i], text);
    }
}

/* HS_OUTBOX_MAX posts wait for a hub; one more is refused. */
static void outbox_is_bounded(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *alices = world_join(s.alice, s.room, &s.invite);
    s.hub->down = true;
    world_node_restart(s.hub);
    w->unchecked = true;
    for (uint64_t i = 0; i < HS_OUTBOX_MAX; i++) {
        w->now.ms += 2;
        Hanse__Frame *frame = world_post_frame(alices, hs_bytes(&i, sizeof i));
        assert_ok(world_ask(s.alice, frame, NULL));
    }
    w->unchecked = false;
    w->now.ms += 1000;
    assert_err(world_ask(s.alice, world_post_frame(alices, hs_bytes_str("one more")), NULL), HS_ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_addresses_are_replaced), cmocka_unit_test(bad_addresses_are_unreachable),
        cmocka_unit_test(strange_nodes_fill_no_table),  cmocka_unit_test(one_device_takes_not_all_places),
        cmocka_unit_test(following_begins_with_a_join), cmocka_unit_test(silent_hub_is_left),
        cmocka_unit_test(busy_hub_is_given_time),       cmocka_unit_test(outbox_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
