/* Another hub names the tree that a follower fetches, for a Welcome of its own making. */
#include "world.h"

#include "wire/unpack.h"

enum { MEMBERS = 80 };

struct scene {
    struct world *w;
    struct world_node *hub, *rival, *home;
    struct world_device *alice, *ben; /* Ben is in a room of the rival's, and asleep */
    uint64_t size;                    /* what the rival says of the tree; 0: the truth */
    bool late; /* it says so while the tree comes, and then that it hasn't got it; else it answers nothing */
    bool said;
    Hanse__WelcomeItem *welcome;
};

static void name_it_too(struct scene *s, const Hanse__WelcomeItem *of)
{
    struct world *w = s->w;
    static uint8_t room[32] = {7}, prev[32] = {8};
    Hanse__Frame *frame = world_frame(w);
    Hanse__InboxItem *item = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
    Hanse__WelcomeItem *welcome = WORLD_NEW(w, Hanse__WelcomeItem, hanse__welcome_item);
    Hanse__Tree tree = HANSE__TREE__INIT;
    tree.hash = of->tree->hash;
    tree.size = s->size > 0 ? s->size : of->tree->size;
    welcome->room = hs_pb_data(hs_bytes(room, sizeof room));
    welcome->prev_hash = hs_pb_data(hs_bytes(prev, sizeof prev));
    welcome->commit_seq = 5;
    welcome->persona = hs_pb_data(HS_VIEW(world_persona(s->ben, &s->rival->root.pub)->signer.pub));
    welcome->hub_root = hs_pb_data(HS_VIEW(s->rival->root.pub));
    welcome->descriptor = s->rival->descriptor;
    welcome->welcome = hs_pb_data(hs_bytes_str("?"));
    welcome->tree = &tree;
    item->welcome = welcome;
    item->body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    item->seq = 1000;
    frame->inbox = WORLD_NEW(w, Hanse__Inbox, hanse__inbox);
    frame->inbox->n_items = 1;
    frame->inbox->items = &item;
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    world_inject(s->rival, s->home, frame);
}

static enum world_verdict meddle(void *ctx, struct world_node *from, struct world_node *to,
                                 struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    if (from == s->rival && s->said && !s->late)
        return WORLD_DROP;
    if (from != s->hub || to != s->home || s->said)
        return WORLD_PASS;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    if (frame->body_case == HANSE__FRAME__BODY_INBOX &&
        frame->inbox->items[0]->body_case == HANSE__INBOX_ITEM__BODY_WELCOME)
        s->welcome = frame->inbox->items[0]->welcome;
    if (s->welcome == NULL || (s->late && frame->body_case != HANSE__FRAME__BODY_CHUNK))
        return WORLD_PASS;
    assert_int_equal(s->welcome->tree->hash.len, HS_HASH_LEN);
    s->said = true;
    name_it_too(s, s->welcome);
    return WORLD_PASS;
}

static void join_from_afar(struct scene *s, struct world_device *owner)
{
    struct world *w = s->w;
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, MEMBERS + 1);
    for (size_t i = 0; i < MEMBERS; i++) {
        struct world_device *d = world_customer(s->hub, "a guest with a name of some length");
        struct world_room *guests = world_room_join(d, &invite);
        assert_ok(world_ask(d, world_join_frame(guests, world_join_body(guests, &invite)), NULL));
        world_disconnect(d);
        world_settle(w);
        if (i % 20 == 19)
            assert_ok(world_admit(room));
    }
    assert_ok(world_bind(s->alice, s->hub));
    struct world_room *alices = world_room_join(s->alice, &invite);
    Hanse__Frame *frame = world_join_frame(alices, world_join_body(alices, &invite));
    assert_ok(world_forward(s->alice, s->hub, frame, NULL));
    world_settle(w);
    assert_ok(world_admit(room));
    world_settle(w);
    assert_true(s->said);
    assert_true(alices->joined); /* with its tree: a device of these tests takes no other Welcome */
}

/* FED-59: neither what the rival says of it, nor that it hasn't got it, is of any consequence. */
static void a_rival_names_the_tree(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = {.w = w,
                          .hub = world_node_new(w, "hub.example"),
                          .rival = world_node_new(w, "rival.example"),
                          .home = world_node_new(w, "home.example"),
                          .size = late ? 0 : 77,
                          .late = late};
        w->unchecked = true;
        s.alice = world_customer(s.home, "alice");
        s.ben = world_customer(s.home, "ben");
        struct world_device *owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
        struct world_device *other = world_staff(s.rival, "rival", HANSE__ROLE__ROLE_OWNER);
        struct world_room *bait = world_room_new(other, "bait");
        struct world_invite invite = world_invite(bait, 10);
        (void)world_join(s.ben, bait, &invite);
        world_disconnect(s.ben);
        w->hook = meddle;
        w->hook_ctx = &s;
        join_from_afar(&s, owner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_rival_names_the_tree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
