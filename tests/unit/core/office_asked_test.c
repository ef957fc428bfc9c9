/* Two rooms of one hub go the same way: an answer is about the room that was asked for, and no other. */
#include "way_scene.h"

#include "core/office/takeover.h"

static struct scene second_room(struct scene *s)
{
    struct scene second = *s;
    second.room = world_room_new(s->rosa, "second");
    struct world_invite invite = world_invite(second.room, 10);
    second.bobs = world_join(s->bob, second.room, &invite);
    second.alices = world_join(s->alice, second.room, &invite);
    for (int i = 0; i < 5; i++)
        assert_ok(world_post(second.bobs, "early", NULL));
    second.carols = world_join(s->carol, second.room, &invite);
    world_settle(s->w);
    return second;
}

static void both_move_home(struct scene *s, struct scene *second)
{
    scene_rosa_moves(s);
    assert_ok(world_forward(s->rosa, s->old, scene_home_frame(second, second->room->tip.next_seq), NULL));
    world_settle(s->w);
}

struct crossing {
    struct scene *first, *second;
    struct world_node *from, *to;
    Hanse__Tail *kept; /* what came about the second room last; it comes as the answer about the first */
    size_t crossed;
    bool third_away, over;
};

static enum world_verdict crosses(void *ctx, struct world_node *from, struct world_node *to,
                                  struct hs_bytes *frame)
{
    struct crossing *c = ctx;
    struct world *w = c->first->w;
    Hanse__Frame *f;
    if (c->third_away && third_is_away(c->first, from, to, frame) != WORLD_PASS)
        return third_is_away(c->first, from, to, frame);
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &w->arena, &f));
    if (c->over || from != c->from || to != c->to || f->body_case != HANSE__FRAME__BODY_TAIL)
        return WORLD_PASS;
    if (hs_bytes_equal(hs_pb_bytes(f->tail->room), HS_VIEW(c->second->room->id))) {
        struct hs_bytes copy = world_copy(w, *frame);
        assert_ok(HS_UNPACK(hanse__frame, copy, HS_LENIENT, &w->arena, &f));
        c->kept = f->tail;
        return WORLD_DROP;
    }
    if (c->kept == NULL)
        return WORLD_DROP;
    c->crossed++;
    f->tail = c->kept;
    *frame = world_pack(w, &f->base);
    return WORLD_PASS;
}

/* FED-61: a node that reads on in two rooms. */
static void ways_cross(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w), second = second_room(&s);
    struct crossing c = {.first = &s, .second = &second, .from = s.new, .to = s.third, .third_away = true};
    nobody_tells = true;
    both_move_home(&s, &second);
    w->hook = crosses;
    w->hook_ctx = &c;
    assert_ok(world_post(s.bobs, "missed", NULL));
    assert_ok(world_post(second.bobs, "missed there", NULL));
    world_settle(w);
    scene_room_moves(&s);
    scene_room_moves(&second);
    scene_pass(&s, 5);
    dies(&s, s.old);
    uint64_t next = view_at(&second, s.third)->next_seq;
    shows(&s, s.alice, way_frame(&s, s.new));
    shows(&s, s.alice, way_frame(&second, s.new));
    scene_pass(&s, 40);
    assert_true(c.crossed > 1);
    assert_int_equal(view_at(&second, s.third)->next_seq, next);
    assert_int_equal(view_at(&second, s.third)->hub_term, 0);
    c.over = true;
    scene_pass(&s, 140);
    goes_on(&s, s.new, 2);
    sees(s.alices, "missed");
    sees(second.alices, "missed there");
}

static bool is_wanted(struct scene *s)
{
    struct hs_turn turn = reading(s, s->new);
    return hs_takeover_is_wanted(&turn, &s->room->id);
}

/* FED-64: a node to which two rooms are to come. */
static void takeovers_cross(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w), second = second_room(&s);
    struct crossing c = {.first = &s, .second = &second, .from = s.old, .to = s.new};
    both_move_home(&s, &second);
    w->hook = crosses;
    w->hook_ctx = &c;
    uint64_t first = view_at(&second, s.new)->first_seq;
    assert_true(first > 0 && view_at(&s, s.new)->first_seq > 0);
    scene_room_moves(&second);
    scene_room_moves(&s);
    scene_pass(&s, 40);
    assert_true(c.crossed > 0);
    assert_true(is_wanted(&s) && is_wanted(&second));
    assert_int_equal(view_at(&second, s.new)->first_seq, first);
    c.over = true;
    scene_pass(&s, 30);
    assert_true(view_at(&s, s.new)->hub && view_at(&second, s.new)->hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_cross),
        cmocka_unit_test(takeovers_cross),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
