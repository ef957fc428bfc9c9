/* What a head of a hub that has gone, or that told two stories, is answered with: to whom, and how often. */
#include "way_scene.h"

#include "core/federation/heads.h"
#include "core/internal.h"
#include "core/standing/standing.h"
#include "peer_world.h"
#include "room/head.h"

struct shown {
    struct scene *s;
    struct world_node *from;
    size_t ways, evidence;
    struct hs_id last; /* of which room the way was */
};

static enum world_verdict count(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *frame)
{
    struct shown *shown = ctx;
    Hanse__Frame *f;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &shown->s->w->arena, &f));
    if (from != shown->from)
        return WORLD_PASS;
    if (f->body_case == HANSE__FRAME__BODY_WAY) {
        shown->ways++;
        assert_true(HS_FIXED(hs_pb_bytes(f->way->room), &shown->last));
    }
    if (f->body_case == HANSE__FRAME__BODY_HEADS)
        shown->evidence += f->heads->n_evidence;
    return WORLD_PASS;
}

static Hanse__SignedObject *head_of(struct scene *s, const struct world_room *room,
                                    const struct hs_signer *by, uint64_t seq, uint32_t term)
{
    struct hs_log_tip tip = {.next_seq = seq + 1, .hash = {{7}}, .hub_time = s->w->now};
    Hanse__SignedObject *head;
    assert_ok(hs_head_build(by, &room->id, &tip, term, 1, s->w->now, &s->w->arena, &head));
    return head;
}

static Hanse__Frame *heads_frame(struct scene *s, Hanse__SignedObject *first, Hanse__SignedObject *second)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->heads = WORLD_NEW(s->w, Hanse__Heads, hanse__heads);
    frame->heads->heads = hs_arena_alloc(&s->w->arena, 2 * sizeof first);
    assert_non_null(frame->heads->heads);
    frame->heads->heads[0] = first;
    frame->heads->heads[1] = second;
    frame->heads->n_heads = second != NULL ? 2 : 1;
    frame->body_case = HANSE__FRAME__BODY_HEADS;
    return frame;
}

static size_t burst(void)
{
    return (size_t)hs_quota_of(HS_STANDING_INVITED)->flows[HS_FLOW_SHOWN].burst;
}

static void ask_much(struct scene *s, struct world_node *from, struct world_node *to,
                     const Hanse__Frame *frame)
{
    for (size_t i = 0; i < 3 * burst(); i++)
        world_inject(from, to, frame);
    world_settle(s->w);
}

static void forget_records(struct scene *s, struct world_node *node, const struct world_node *of)
{
    s->w->forged = true;
    struct hs_turn *turn = raw_turn_begin(node);
    struct hs_kv_key key = hs_key_sub(HS_MISC_SHARED, HS_VIEW(of->root.pub), HS_VIEW(s->room->id));
    hs_kv_del(node->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    raw_turn_end(turn);
}

/* FED-80: a head that nobody signed buys the chain from nobody who isn't of the room, and from those who are
 * seldom; also in a new session. */
static void heads_buy_little(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *other = world_node_new(w, "other.example"); /* of another room at the new node */
    struct world_room *room = world_room_new(world_staff(s.new, "ina", HANSE__ROLE__ROLE_OWNER), "inas");
    struct world_invite invite = world_invite(room, 10);
    struct shown shown = {.s = &s, .from = s.new};
    (void)world_join(world_customer(other, "olga"), room, &invite);
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    scene_pass(&s, 5);
    Hanse__Frame *frame = heads_frame(&s, head_of(&s, s.room, &s.third->signer, 3, 0), NULL);
    w->hook = count;
    w->hook_ctx = &shown;
    ask_much(&s, other, s.new, frame);
    assert_int_equal(shown.ways, 0);
    ask_much(&s, s.third, s.new, frame);
    assert_int_equal(shown.ways, burst());
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].node[0] == s.third && w->links[i].node[1] == s.new)
            world_close(w, w->links[i].id[0]);
    world_run(w);
    scene_pass(&s, 3);
    ask_much(&s, s.third, s.new, frame);
    assert_int_equal(shown.ways, burst());
    scene_pass(&s, 60);
    shown.ways = 0;
    world_inject(s.third, s.new, frame);
    world_settle(w);
    assert_int_equal(shown.ways, 1);
    forget_records(&s, s.new, s.third); /* it reads here, whatever the log has of it */
    world_pass(w, HS_HEADS_MS);
    shown.ways = 0;
    world_inject(s.third, s.new, frame);
    world_settle(w);
    assert_int_equal(shown.ways, 1);
}

/* FED-80: a follower, too: it shows the way to whose users' records it has, and to no other node. */
static void followers_show_their_own(void **state)
{
    (void)state;
    for (int of_room = 0; of_room < 2; of_room++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct world_node *other = world_node_new(w, "other.example");
        struct world_room *room =
            world_room_new(world_staff(s.third, "zoe", HANSE__ROLE__ROLE_OWNER), "zoes");
        struct world_invite invite = world_invite(room, 10), launch = world_invite(s.room, 10);
        struct world_device *olga = world_customer(other, "olga");
        struct shown shown = {.s = &s, .from = s.third};
        (void)world_join(olga, room, &invite);
        if (of_room == 1)
            (void)world_join(olga, s.room, &launch);
        scene_rosa_moves(&s);
        scene_room_moves(&s);
        scene_pass(&s, 5);
        w->hook = count;
        w->hook_ctx = &shown;
        ask_much(&s, other, s.third, heads_frame(&s, head_of(&s, s.room, &other->signer, 3, 0), NULL));
        assert_int_equal(shown.ways, of_room == 1 ? burst() : 0);
    }
}

static enum world_verdict away(void *ctx, struct world_node *from, struct world_node *to,
                               struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    return from == s->new && f->body_case == HANSE__FRAME__BODY_WAY ? WORLD_DROP
                                                                    : third_is_away(ctx, from, to, frame);
}

/* FED-60, FED-80: a follower that was away, while the old hub went and died, learns of it from another one,
 * to which it tells its newest head as it always does. */
static void a_follower_comes_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *other = world_node_new(w, "other.example");
    struct world_room *room = world_room_new(world_staff(other, "zoe", HANSE__ROLE__ROLE_OWNER), "zoes");
    struct world_invite invite = world_invite(room, 10), launch = world_invite(s.room, 10);
    (void)world_join(s.alice, room, &invite); /* so that the two nodes speak to each other */
    struct world_room *olgas = world_join(world_customer(other, "olga"), s.room, &launch);
    assert_ok(world_post(olgas, "from olga", NULL));
    assert_ok(world_post(s.alices, "from alice, before", NULL));
    world_settle(w);
    nobody_tells = true;
    scene_rosa_moves(&s);
    w->hook = away;
    w->hook_ctx = &s;
    assert_ok(world_post(s.bobs, "missed", NULL));
    world_settle(w);
    scene_room_moves(&s);
    scene_pass(&s, 5);
    assert_int_equal(view_at(&s, s.third)->hub_term, 0);
    dies(&s, s.old);
    scene_pass(&s, 140);
    goes_on(&s, s.new, 2);
    sees(s.alices, "missed");
}

/* A second room of Rosa's takes the same way. */
static struct world_room *second_room(struct scene *s, struct scene *second)
{
    *second = *s;
    second->room = world_room_new(s->rosa, "second");
    struct world_invite invite = world_invite(second->room, 10);
    (void)world_join(s->alice, second->room, &invite);
    return second->room;
}

/* FED-80: one frame is answered for one room, and each room gets its turn. */
static void each_room_in_its_turn(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w), second;
    struct world_room *room = second_room(&s, &second);
    struct shown shown = {.s = &s, .from = s.new};
    scene_rosa_moves(&s);
    assert_ok(world_forward(s.rosa, s.old, scene_home_frame(&second, room->tip.next_seq), NULL));
    world_settle(w);
    scene_room_moves(&s);
    scene_room_moves(&second);
    Hanse__Frame *frame = heads_frame(&s, head_of(&s, s.room, &s.third->signer, 3, 0),
                                      head_of(&s, room, &s.third->signer, 3, 0));
    w->hook = count;
    w->hook_ctx = &shown;
    world_inject(s.third, s.new, frame);
    world_settle(w);
    assert_int_equal(shown.ways, 1);
    struct hs_id first = shown.last;
    world_pass(w, HS_HEADS_MS);
    shown.ways = 0;
    world_inject(s.third, s.new, frame);
    world_settle(w);
    assert_int_equal(shown.ways, 1);
    assert_false(hs_id_equal(&first, &shown.last));
}

/* FED-80: evidence is as long, and any head buys that. */
static void evidence_is_seldom_shown(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct shown shown = {.s = &s, .from = s.third};
    uint64_t seq = view_at(&s, s.third)->next_seq - 1;
    world_inject(s.old, s.third, heads_frame(&s, head_of(&s, s.room, &s.old->signer, seq, 1), NULL));
    world_settle(w);
    assert_true(view_at(&s, s.third)->forked);
    w->hook = count;
    w->hook_ctx = &shown;
    ask_much(&s, s.old, s.third, heads_frame(&s, head_of(&s, s.room, &s.new->signer, 3, 0), NULL));
    assert_true(shown.evidence > 0 && shown.evidence <= burst());
}

/* A former hub asks for the headers of what it lacks, up to the record below; 0: up to its end. Gives what
 * that costs it. */
static double asks_for_tail(struct scene *s, uint64_t below)
{
    const double *left = &hs_meters_of(&s->new->core->meters, &s->old->root.pub)->left[HS_FLOW_HUB_BYTES];
    double before = *left;
    Hanse__Frame *frame = world_frame(s->w);
    frame->want_tail = WORLD_NEW(s->w, Hanse__WantTail, hanse__want_tail);
    frame->want_tail->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->want_tail->from = 1;
    frame->want_tail->headers = true;
    frame->want_tail->below = below;
    frame->body_case = HANSE__FRAME__BODY_WANT_TAIL;
    world_inject(s->old, s->new, frame);
    return before - *left;
}

/* FED-80: the chain that it gets before that counts as a frame, at the limit and one past it. */
static void the_way_before_a_tail_counts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct shown shown = {.s = &s, .from = s.new};
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    scene_pass(&s, 5);
    w->unchecked = true;
    (void)asks_for_tail(&s, 2); /* from now on the time stands still, and nothing comes back */
    w->hook = count;
    w->hook_ctx = &shown;
    double first = asks_for_tail(&s, 0);
    assert_int_equal(shown.ways, 1);
    assert_true(first > HS_FRAME_MAX);
    double later = asks_for_tail(&s, 2);
    assert_int_equal(shown.ways, 1);
    assert_true(later > 0 && later < HS_FRAME_MAX);
    double *left = &hs_meters_of(&s.new->core->meters, &s.old->root.pub)->left[HS_FLOW_HUB_BYTES];
    *left = first;
    assert_true(asks_for_tail(&s, 0) >= first);
    assert_int_equal(shown.ways, 2);
    *left = first - 1;
    assert_true(asks_for_tail(&s, 0) < later); /* the question alone */
    assert_int_equal(shown.ways, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_buy_little),         cmocka_unit_test(followers_show_their_own),
        cmocka_unit_test(a_follower_comes_back),    cmocka_unit_test(each_room_in_its_turn),
        cmocka_unit_test(evidence_is_seldom_shown), cmocka_unit_test(the_way_before_a_tail_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
