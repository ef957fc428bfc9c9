/* MoveHome at the hub: who may say it, what counts, and what each of the two homes gets. */
#include "world.h"

#include "core/federation/peer.h"
#include "core/rooms/room.h"
#include "room/home_move.h"
#include "wire/unpack.h"

/* Alice and Bob are at home at one; Both are in a room of the hub. */
struct scene {
    struct world *w;
    struct world_node *hub, *one, *two;
    struct world_device *owner, *alice, *bob, *alice2;
    struct world_room *room, *alices, *bobs;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w,
                      .hub = world_node_new(w, "hub.example"),
                      .one = world_node_new(w, "one.example"),
                      .two = world_node_new(w, "two.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.one, "alice");
    s.bob = world_customer(s.one, "bob");
    s.room = world_room_new(s.owner, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &invite);
    s.bobs = world_join(s.bob, s.room, &invite);
    return s;
}

static struct hs_bytes move_body(struct scene *s, const struct hs_signer *persona, struct world_node *to,
                                 uint64_t number, uint64_t next_seq)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_HOME_MOVE_MAX);
    struct hs_home_move move = {
        .room = s->room->id, .home_root = to->root.pub, .number = number, .next_seq = next_seq};
    assert_ok(hs_home_move_build(persona, &move, s->w->now, &w));
    return world_take(s->w, &w);
}

static Hanse__Frame *move_frame(struct scene *s, struct hs_bytes body)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->move_home = WORLD_NEW(s->w, Hanse__MoveHome, hanse__move_home);
    frame->move_home->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->move_home->move = hs_pb_data(body);
    frame->body_case = HANSE__FRAME__BODY_MOVE_HOME;
    return frame;
}

static const Hanse__HomeItem *home_item(const struct world_device *d)
{
    for (size_t i = d->item_count; i-- > 0;)
        if (d->items[i]->body_case == HANSE__INBOX_ITEM__BODY_HOME)
            return d->items[i]->home;
    return NULL;
}

/* A device of Alice's that is new in the world: it answers for her persona at two. */
static void alice_moves(struct scene *s)
{
    s->alice2 = world_device_new(s->two, "alice");
    struct hs_signer HS_SIGNER key;
    hs_signer_random(&key);
    assert_ok(world_connect(s->alice2, NULL));
    assert_ok(world_sign_up(s->alice2, world_ticket(s->two, &key.pub, 1), &key));
    world_attach(s->alice2);
    struct world_persona *p = world_persona(s->alice2, &s->hub->root.pub);
    *p = *world_persona(s->alice, &s->hub->root.pub); /* the persona that the hub knows */
    assert_ok(world_bind(s->alice2, s->hub));
}

/* FED-42: the new home is told from where its user reads, and the move is a record like any other. */
static void the_hub_changes_the_home(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t stands = s.alices->tip.next_seq;
    struct hs_id before = s.alices->tip.hash;
    assert_ok(world_post(s.room, "meanwhile", NULL));
    world_settle(w);
    alice_moves(&s);
    struct world_persona *p = world_persona(s.alice, &s.hub->root.pub);
    struct hs_bytes body = move_body(&s, &p->signer, s.two, 1, stands);
    Hanse__Frame *answer, *again;
    assert_ok(world_forward(s.alice2, s.hub, move_frame(&s, body), &answer));
    world_settle(w);
    assert_ok(world_forward(s.alice2, s.hub, move_frame(&s, body), &again));
    assert_int_equal(again->accepted->seq, answer->accepted->seq);
    assert_int_equal(s.room->tip.next_seq, answer->accepted->seq + 1);
    const Hanse__HomeItem *item = home_item(s.alice2);
    assert_non_null(item);
    assert_int_equal(item->next_seq, stands);
    assert_bytes(hs_pb_bytes(item->prev_hash), HS_VIEW(before));
    size_t posts = s.alices->post_count;
    assert_ok(world_post(s.room, "third", NULL)); /* the old home still serves Bob, and Alice no more */
    world_settle(w);
    assert_string_equal(s.bobs->posts[s.bobs->post_count - 1], "third");
    assert_int_equal(s.alices->post_count, posts);
}

/* FED-42: nobody else moves a member, nowhere else, and nothing old counts. */
static void what_is_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    alice_moves(&s);
    struct world_persona *p = world_persona(s.alice, &s.hub->root.pub);
    struct world_persona *bobs = world_persona(s.bob, &s.hub->root.pub);
    uint64_t next = s.room->tip.next_seq, since = s.alices->anchor;
    struct {
        struct hs_bytes body;
        enum hs_err want;
    } cases[] = {
        {move_body(&s, &bobs->signer, s.two, 1, next), HS_ERR_WRONG_SENDER}, /* not hers to say */
        {move_body(&s, &p->signer, s.one, 2, next), HS_ERR_WRONG_PEER},      /* not where it comes from */
        {move_body(&s, &p->signer, s.two, 2, next + 1), HS_ERR_LOG_GAP},
        {move_body(&s, &p->signer, s.two, 2, since), HS_ERR_LOG_GAP}, /* nothing from before she was in */
        {hs_bytes_str("junk"), HS_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_err(world_forward(s.alice2, s.hub, move_frame(&s, cases[i].body), NULL), cases[i].want);
    struct hs_bytes altered = world_copy(w, move_body(&s, &p->signer, s.two, 2, next));
    ((uint8_t *)(uintptr_t)altered.data)[altered.len - 1] ^= 1;
    assert_err(world_forward(s.alice2, s.hub, move_frame(&s, altered), NULL), HS_ERR_BAD_SIGNATURE);
    assert_ok(
        world_forward(s.alice2, s.hub, move_frame(&s, move_body(&s, &p->signer, s.two, 2, since + 1)), NULL));
    world_settle(w);
    assert_err(
        world_forward(s.alice2, s.hub, move_frame(&s, move_body(&s, &p->signer, s.two, 1, next)), NULL),
        HS_ERR_REPLAY);
    /* at the hub itself: a node speaks for itself alone, also with a statement that is genuine */
    Hanse__Frame *frame = move_frame(&s, move_body(&s, &p->signer, s.two, 3, next));
    frame->id = 77;
    size_t refused = s.hub->refused;
    world_inject(s.one, s.hub, frame);
    assert_int_equal(s.hub->refused, refused + 1);
    /* the old home has lost the right to speak for her */
    assert_err(world_post(s.alices, "from the old home", NULL), HS_ERR_NOT_MEMBER);
    frame = world_post_frame(s.alices, world_protect(s.alices, "through the old home"));
    frame->id = 78;
    world_inject(s.one, s.hub, frame);
    assert_int_equal(s.hub->refused, refused + 2);
}

/* FED-42: a home may be changed back and forth, but not so fast that the log grows by it. */
static void not_too_often(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    alice_moves(&s);
    struct world_persona *p = world_persona(s.alice, &s.hub->root.pub);
    struct hs_bytes body = {0};
    Hanse__Frame *answer, *again;
    for (uint64_t n = 1; n < HS_HOME_MOVES_FREE; n += HS_HOME_MOVES_FREE - 2) {
        body = move_body(&s, &p->signer, s.two, n, s.alices->tip.next_seq);
        assert_ok(world_forward(s.alice2, s.hub, move_frame(&s, body), NULL));
        world_settle(w);
    }
    body = move_body(&s, &p->signer, s.two, HS_HOME_MOVES_FREE, s.alices->tip.next_seq);
    assert_ok(world_forward(s.alice2, s.hub, move_frame(&s, body), &answer));
    world_settle(w);
    struct hs_bytes next = move_body(&s, &p->signer, s.two, HS_HOME_MOVES_FREE + 1, s.room->tip.next_seq);
    assert_err(world_forward(s.alice2, s.hub, move_frame(&s, next), NULL), HS_ERR_RATE_LIMITED);
    assert_ok(world_forward(s.alice2, s.hub, move_frame(&s, body), &again)); /* known */
    assert_int_equal(again->accepted->seq, answer->accepted->seq);
    world_pass(w, HS_HOME_MOVE_MS - 1);
    assert_err(world_forward(s.alice2, s.hub, move_frame(&s, next), NULL), HS_ERR_RATE_LIMITED);
    world_pass(w, 1);
    assert_ok(world_forward(s.alice2, s.hub, move_frame(&s, next), NULL));
}

static size_t forgotten(struct world_device *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->rx_len; i++) {
        Hanse__Frame *frame;
        assert_ok(HS_UNPACK(hanse__frame, d->rx[i], HS_LENIENT, &d->world->arena, &frame));
        count += frame->body_case == HANSE__FRAME__BODY_FORGOTTEN;
    }
    return count;
}

/* FED-69: the same number again, ten minutes later: the home may have lost the item. Nothing more is in the
 * log. */
static void told_once_more(struct scene *s, struct hs_bytes body)
{
    size_t items = s->alice->item_count;
    uint64_t end = s->room->tip.next_seq;
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++) { /* two too soon, and one at the limit */
            world_pass(s->w, k == 0 ? HS_HOME_MOVE_MS - 2 : 1);
            assert_ok(world_ask_hub(s->alice, s->hub, move_frame(s, body), NULL));
            world_settle(s->w);
            assert_int_equal(s->alice->item_count, items + i + (k == 2));
        }
    }
    assert_int_equal(s->room->tip.next_seq, end);
    assert_int_equal(home_item(s->alice)->next_seq, s->alice->items[items - 1]->home->next_seq);
}

/* FED-68: a home that was restored says so to its user, and the hub tells it once more where she reads; the
 * home's subscription at the hub is what it was. */
static void the_same_home_again(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .one = world_node_new(w, "one.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.one, "alice");
    s.room = world_room_new(s.owner, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    struct hs_kv *backup = world_store_copy(s.one);
    s.alices = world_join(s.alice, s.room, &invite);
    world_attach(s.alice);
    assert_int_equal(forgotten(s.alice), 0);
    world_node_restore(s.one, backup);
    assert_ok(world_connect(s.alice, NULL));
    s.alice->inbox_next = 2ull << 32; /* DELIVERY-18 */
    world_attach(s.alice);
    assert_int_equal(forgotten(s.alice), 1);
    assert_ok(world_bind(s.alice, s.hub));
    assert_ok(world_post(s.room, "does she read this?", NULL));
    world_settle(w);
    assert_int_equal(s.alices->post_count, 0);
    const struct hs_signer *persona = &world_persona(s.alice, &s.hub->root.pub)->signer;
    struct hs_bytes body = move_body(&s, persona, s.one, 1, s.alices->tip.next_seq);
    assert_ok(world_ask_hub(s.alice, s.hub, move_frame(&s, body), NULL));
    world_settle(w);
    assert_non_null(home_item(s.alice));
    world_attach(s.alice);
    world_settle(w);
    assert_int_equal(s.alices->post_count, 1);
    assert_int_equal(forgotten(s.alice), 1);
    size_t items = s.alice->item_count;
    assert_ok(world_ask_hub(s.alice, s.hub, move_frame(&s, body), NULL)); /* the same number: nothing more */
    world_settle(w);
    assert_int_equal(s.alice->item_count, items);
    told_once_more(&s, body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_home_again),
        cmocka_unit_test(the_hub_changes_the_home),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(not_too_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
