/* Who is a member, and who reads, after a restored hub has got its log back: members whose accounts are lost,
 * and items of inboxes that come once more. */
#include "world.h"

#include "core/federation/peer.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "room/home_move.h"
#include "wire/unpack.h"

/* Bob's home brings back what the hub has lost. Alice is at one, and moves to two, where Bob is. */
struct scene {
    struct world *w;
    struct world_node *hub, *one, *two;
    struct world_device *owner, *alice, *bob, *carol;
    struct world_room *room, *alices, *bobs, *carols;
    struct world_invite invite;
    struct hs_kv *backup;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w,
                      .hub = world_node_new(w, "hub.example"),
                      .one = world_node_new(w, "one.example"),
                      .two = world_node_new(w, "two.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.one, "alice");
    s.bob = world_customer(s.two, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.bobs = world_join(s.bob, s.room, &s.invite);
    s.alices = world_join(s.alice, s.room, &s.invite);
    s.backup = world_store_copy(s.hub);
    return s;
}

static void restore(struct scene *s)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    world_node_restore(s->hub, s->backup);
    assert_ok(world_connect(s->owner, NULL));
    world_attach(s->owner);
    for (int64_t t = 0; t < HS_RETRY_MAX_MS + 3 * HS_RECOVER_MS; t += 1000)
        world_pass(s->w, 1000);
    struct hs_turn turn = {.core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena};
    assert_int_equal(hs_recover_count(&turn), 0);
}

static const char *last(const struct world_room *room)
{
    return room->post_count > 0 ? room->posts[room->post_count - 1] : "";
}

/* A customer of the hub itself, who comes after the backup was made. */
static void carol_comes(struct scene *s)
{
    s->carol = world_customer(s->hub, "carol");
    s->carols = world_join(s->carol, s->room, &s->invite);
}

/* By nothing but her key. */
static enum hs_err sign_up_again(struct world_device *d)
{
    Hanse__Frame *frame = world_frame(d->world);
    bool has_account = true;
    frame->sign_up = WORLD_NEW(d->world, Hanse__SignUp, hanse__sign_up);
    frame->body_case = HANSE__FRAME__BODY_SIGN_UP;
    assert_ok(world_connect(d, &has_account));
    assert_false(has_account);
    return world_ask(d, frame, NULL);
}

static void carol_returns(struct scene *s, bool ticket)
{
    struct hs_signer HS_SIGNER key;
    hs_signer_random(&key);
    if (ticket) {
        assert_ok(world_connect(s->carol, NULL));
        assert_ok(world_sign_up(s->carol, world_ticket(s->hub, &key.pub, 1), &key));
    } else {
        assert_ok(sign_up_again(s->carol));
    }
    world_attach(s->carol);
}

/* NODE-82: a member without account is one, and reads on once it has one again. */
static void a_member_without_account(void **state)
{
    (void)state;
    for (int ticket = 0; ticket < 2; ticket++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        carol_comes(&s);
        assert_ok(world_post(s.carols, "Carol is here", NULL));
        world_settle(w);
        restore(&s);
        assert_ok(world_post(s.room, "while she is away", NULL));
        world_settle(w);
        carol_returns(&s, ticket);
        assert_string_equal(last(s.carols), "while she is away");
        assert_ok(world_post(s.carols, "and back", NULL));
        assert_ok(world_post(s.room, "welcome", NULL));
        world_settle(w);
        assert_string_equal(last(s.carols), "welcome");
        assert_string_equal(s.bobs->posts[s.bobs->post_count - 2], "and back");
    }
}

/* NODE-82: a node that the hub doesn't know any more as a reader brings back what makes it one. */
static void a_reader_that_is_unknown(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .two = world_node_new(w, "two.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.bob = world_customer(s.two, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    assert_ok(world_bind(s.bob, s.hub));
    s.bobs = world_room_join(s.bob, &s.invite);
    assert_ok(
        world_forward(s.bob, s.hub, world_join_frame(s.bobs, world_join_body(s.bobs, &s.invite)), NULL));
    world_settle(w);
    s.backup = world_store_copy(s.hub); /* he waits: a copy begins at the commit that lets him in */
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_ok(world_post(s.bobs, "Bob is here", NULL));
    world_settle(w);
    uint64_t next = s.room->tip.next_seq;
    restore(&s);
    Hanse__Frame *answer;
    assert_ok(world_post(s.bobs, "still", NULL));
    world_settle(w);
    assert_string_equal(last(s.room), "still");
    assert_ok(world_post(s.room, "after", &answer));
    assert_int_equal(answer->accepted->seq, next + 1);
    world_settle(w);
    assert_string_equal(last(s.bobs), "after");
}

/* NODE-82: who was removed meanwhile reads nothing by a new account. */
static void a_member_that_is_none(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        carol_comes(&s);
        if (!after)
            assert_ok(world_remove(s.room, s.carols));
        world_settle(w);
        restore(&s);
        if (after)
            assert_ok(world_remove(s.room, s.carols));
        world_settle(w);
        size_t records = s.carols->records;
        assert_err(sign_up_again(s.carol), HS_ERR_NO_ACCOUNT);
        carol_returns(&s, true);
        assert_ok(world_post(s.room, "without her", NULL));
        world_settle(w);
        assert_int_equal(s.carols->records, records);
    }
}

static struct world_device *alice_moves(struct scene *s)
{
    struct world *w = s->w;
    struct world_device *d = world_customer(s->two, "alice");
    struct hs_writer HS_WRITER body = hs_writer(HS_HOME_MOVE_MAX);
    struct hs_home_move move = {
        .room = s->room->id, .home_root = s->two->root.pub, .number = 1, .next_seq = s->alices->tip.next_seq};
    struct world_persona *p = world_persona(d, &s->hub->root.pub);
    *p = *world_persona(s->alice, &s->hub->root.pub);
    assert_ok(world_bind(d, s->hub));
    assert_ok(hs_home_move_build(&p->signer, &move, w->now, &body));
    Hanse__Frame *frame = world_frame(w);
    frame->move_home = WORLD_NEW(w, Hanse__MoveHome, hanse__move_home);
    frame->move_home->room = hs_pb_data(world_copy(w, HS_VIEW(s->room->id)));
    frame->move_home->move = hs_pb_data(world_take(w, &body));
    frame->body_case = HANSE__FRAME__BODY_MOVE_HOME;
    assert_ok(world_forward(d, s->hub, frame, NULL));
    world_settle(w);
    return d;
}

static enum world_verdict drop_items(void *ctx, struct world_node *from, struct world_node *to,
                                     struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    bool drop = from == s->hub && to == s->two && frame->body_case == HANSE__FRAME__BODY_INBOX;
    return drop ? WORLD_DROP : WORLD_PASS;
}

static size_t home_items(const struct world_device *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->item_count; i++)
        if (d->items[i]->body_case == HANSE__INBOX_ITEM__BODY_HOME) {
            n++;
            assert_int_not_equal(d->items[i]->home->descriptor->payload.len, 0);
        }
    return n;
}

static void reads(struct scene *s, struct world_device *d, Hanse__State__SubscriptionView *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = d->node->core, .kv = d->node->kv, .now = s->w->now, .arena = &arena};
    struct world_persona *p = world_persona(d, &d->node->root.pub);
    const Hanse__State__SubscriptionView *view =
        hs_subscription_view(&turn, &p->keys.signature.pub, &s->room->id);
    assert_non_null(view);
    *out = *view;
}

/* NODE-72, FED-42: the new home is told of a move that came back, by the hub's present descriptor; the same
 * once more counts once. */
static void a_move_that_came_back(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        w->hook = lost ? drop_items : NULL;
        w->hook_ctx = &s;
        struct world_device *alice2 = alice_moves(&s);
        assert_int_equal(home_items(alice2), !lost);
        w->hook = NULL;
        restore(&s);
        world_settle(w);
        assert_in_range(home_items(alice2), 1, 2);
        Hanse__State__SubscriptionView view;
        reads(&s, alice2, &view);
        assert_true(view.until == UINT64_MAX);
        assert_int_equal(view.members, 1);
        assert_ok(world_remove(s.room, s.alices));
        world_settle(w);
        reads(&s, alice2, &view);
        assert_true(view.until < UINT64_MAX);
    }
}

/* FED-57: a removal that is told once more doesn't end a membership that began behind it. */
static void a_removal_told_again(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(world_remove(s.room, s.alices));
    world_settle(w);
    struct world_room *again = world_join(s.alice, s.room, &s.invite);
    restore(&s);
    world_settle(w);
    assert_ok(world_post(s.room, "still here", NULL));
    world_settle(w);
    assert_string_equal(last(again), "still here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_without_account), cmocka_unit_test(a_member_that_is_none),
        cmocka_unit_test(a_reader_that_is_unknown), cmocka_unit_test(a_move_that_came_back),
        cmocka_unit_test(a_removal_told_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
