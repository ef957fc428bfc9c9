/* Before a room goes to another node, that node has all of its log: whatever dies on the way, the room stays
 * where it is or is whole where it comes to. */
#include "office_prefix_scene.h"

#include "core/admin.pb-c.h"

/* FED-64, FED-65: the old hub hears of it when all of its log is at the new one, and not before. */
static void the_log_comes_first(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_TAIL, .pass = SIZE_MAX};
    scene_rosa_moves(&s);
    uint64_t first = view_at(&s, s.new)->first_seq;
    assert_in_range(first, 3, 1000);
    hook(&s, &wire);
    asks(&s);
    scene_pass(&s, 10);
    assert_true(view_at(&s, s.old)->hub);
    assert_int_equal(view_at(&s, s.new)->first_seq, first);
    assert_ok(world_post(s.alices, "goes on meanwhile", NULL));
    wire.drop = HANSE__FRAME__BODY_MOVE_HUB;
    scene_pass(&s, 10);
    assert_true(view_at(&s, s.old)->hub);
    has_all(&s, s.new);
    assert_true(is_wanted(&s));
    wire.drop = HANSE__FRAME__BODY__NOT_SET;
    scene_pass(&s, 10);
    assert_true(is_in_office(&s));
    assert_false(is_wanted(&s));
    assert_int_equal(wire.tails, 1);
    kill_old(&s);
    assert_ok(world_post(s.alices, "without it", NULL));
    world_settle(w);
    assert_string_equal(s.room->posts[s.room->post_count - 1], "without it");
}

/* FED-64: a log of more than one frame, while both nodes die and come back. */
static void long_logs_and_deaths(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.pass = SIZE_MAX};
    struct world_invite invite = world_invite(s.room, 10);
    struct world_node *fourth = world_node_new(w, "fourth.example");
    say_much(&s, s.bobs, 300);
    /* the scene's new node has been there early; what matters is one that comes late */
    struct scene late = s;
    late.new = fourth;
    late.carol = world_customer(fourth, "late");
    late.carols = world_join(late.carol, s.room, &invite);
    scene_rosa_moves(&late);
    hook(&late, &wire);
    wire.drop = HANSE__FRAME__BODY_MOVE_HUB;
    fourth->redo = WORLD_REDO_ALL;
    s.old->redo = WORLD_REDO(HS_INPUT_FRAME);
    asks(&late);
    fourth->redo = s.old->redo = 0;
    world_node_restart(fourth);
    world_node_restart(s.old);
    wire.drop = HANSE__FRAME__BODY__NOT_SET;
    scene_pass(&late, 140);
    assert_in_range(wire.tails, 3, 20);
    assert_true(is_in_office(&late));
    has_all(&late, fourth);
    assert_true(s.alices->hub == fourth);
    assert_ok(world_post(s.alices, "after all", NULL));
}

/* FED-65: the old hub dies for good behind any frame: the room is at the new one with its whole log, or the
 * new one follows it still; and where it was only away, the room comes in the end. */
static void the_old_hub_dies_at_each_step(void **state)
{
    (void)state;
    size_t taken = 0, stayed = 0;
    for (size_t pass = 0; pass < 16; pass++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct wire wire = {.pass = pass};
        scene_rosa_moves(&s);
        hook(&s, &wire);
        enum hs_err err = world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 2), NULL);
        assert_true(err == HS_OK || err == HS_ERR_TIMEOUT);
        world_settle(w);
        scene_pass(&s, 3);
        kill_old(&s);
        scene_pass(&s, 140);
        if (is_in_office(&s)) {
            taken++;
            has_all(&s, s.new);
            assert_ok(world_post(s.room, "at the new one", NULL));
        } else {
            stayed++;
            assert_false(view_at(&s, s.new)->hub);
            assert_bytes(hs_pb_bytes(view_at(&s, s.new)->hub_root), HS_VIEW(s.old->root.pub));
        }
        unhook(&s);
        s.old->down = false;
        scene_pass(&s, 140);
        assert_true(is_in_office(&s));
        has_all(&s, s.new);
        assert_ok(world_post(s.alices, "in the end", NULL));
    }
    assert_in_range(taken, 1, 15);
    assert_in_range(stayed, 1, 15);
}

/* FED-45: a node that is far behind isn't given the room. */
static void far_behind(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_RECORDS, .pass = SIZE_MAX};
    scene_rosa_moves(&s);
    asks(&s);
    assert_true(is_in_office(&s)); /* as it is where nothing is amiss */
    struct world HS_WORLD *w2 = world_new();
    struct scene t = scene_new(w2);
    scene_rosa_moves(&t);
    hook(&t, &wire);
    say_much(&t, t.bobs, HS_TAKEOVER_LAG + 1);
    asks(&t);
    scene_pass(&t, 5);
    assert_true(view_at(&t, t.old)->hub);
    assert_true(is_wanted(&t));
    wire.drop = HANSE__FRAME__BODY__NOT_SET;
    for (size_t i = 0; i < w2->link_count; i++)
        if (w2->links[i].open && w2->links[i].device == NULL)
            world_close(w2, w2->links[i].id[0]);
    scene_pass(&t, 70);
    assert_true(is_in_office(&t));
}

/* FED-17, FED-45: what the new hub has acknowledged, an old one that was killed may have forgotten. */
static void acknowledgements_are_lost(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    say_much(&s, s.bobs, HS_TAKEOVER_LAG + 5);
    world_node_restart(s.old);
    scene_pass(&s, 70);
    asks(&s);
    scene_pass(&s, 3);
    assert_true(is_in_office(&s));
}

static enum hs_err gives_up(struct scene *s, size_t digits)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskRoom ask = HANSE__STATE__ADMIN_ASK_ROOM__INIT;
    struct hs_core_input input = {.kind = HS_INPUT_ADMIN, .session = 77};
    struct hs_effects effects = hs_effects();
    ask.prefix = hs_pb_data(hs_bytes(s->room->id.b, digits / 2));
    ask.give_up = true;
    request.room = &ask;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOM;
    input.bytes = world_pack(s->w, &request.base);
    assert_ok(hs_core_step(s->new->core, s->new->kv, &input, s->w->now, false, &effects));
    assert_true(effects.len > 0);
    enum hs_err err = effects.list[effects.len - 1].err;
    hs_effects_free(&effects);
    world_settle(s->w);
    return err;
}

/* NODE-85, FED-66 */
static void the_operator_gives_up(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_TAIL, .pass = SIZE_MAX};
    scene_rosa_moves(&s);
    assert_err(gives_up(&s, 64), HS_ERR_INVALID_STATE);
    hook(&s, &wire);
    asks(&s);
    assert_true(is_wanted(&s));
    size_t items = s.rosa->item_count;
    assert_ok(gives_up(&s, 8));
    assert_false(is_wanted(&s));
    world_disconnect(s.rosa); /* the answer to an operator wakes nobody: the next round does */
    assert_ok(world_connect(s.rosa, NULL));
    world_attach(s.rosa);
    world_settle(w);
    assert_int_equal(s.rosa->item_count, items + 1);
    assert_int_equal(s.rosa->items[items]->outcome->error->code, -HS_ERR_DENIED);
    unhook(&s);
    scene_pass(&s, 10);
    assert_true(view_at(&s, s.old)->hub);
    assert_ok(world_post(s.alices, "here we stay", NULL));
    world_settle(w);
    asks(&s); /* and she may ask again */
    scene_pass(&s, 3);
    assert_true(is_in_office(&s));
    assert_err(gives_up(&s, 64), HS_ERR_INVALID_STATE);
}

/* FED-66: as many as fit wait at once, and none of them keeps another one waiting. */
static void many_are_wanted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    w->forged = w->unchecked = true;
    for (uint8_t i = 1; i < HS_TAKEOVERS_MAX; i++) {
        struct hs_id id = {{0, i}};
        struct hs_kv_key key = hs_key_sub(HS_MISC_TAKEOVER, HS_VIEW(id), (struct hs_bytes){0});
        struct hs_kv_key at = hs_key1(HS_VIEW(id));
        Hanse__State__RoomView view = *view_at(&s, s.new);
        view.hub_root = hs_pb_data(HS_VIEW(s.third->root.pub)); /* which doesn't answer for them */
        hs_kv_put(s.new->kv, HS_T_ROOM, hs_kv_key_bytes(&at), world_pack(w, &view.base));
        hs_kv_put(s.new->kv, HS_T_MISC, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    }
    struct hs_id last = {{1}};
    struct hs_kv_key key = hs_key_sub(HS_MISC_TAKEOVER, HS_VIEW(last), (struct hs_bytes){0});
    hs_kv_put(s.new->kv, HS_T_MISC, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    assert_err(world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 2), NULL), HS_ERR_BUSY);
    hs_kv_del(s.new->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    scene_room_moves(&s);
    assert_true(is_in_office(&s));
}

/* FED-45: the old hub dies before it has written what the new one holds, which says so once more. */
static void held_is_said_again(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_CURSORS, .pass = SIZE_MAX};
    hook(&s, &wire);
    scene_rosa_moves(&s);
    unhook(&s);
    world_node_restart(s.old);
    scene_pass(&s, 70);
    scene_room_moves(&s);
    scene_pass(&s, 10);
    assert_true(is_in_office(&s));
    has_all(&s, s.new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_is_said_again),
        cmocka_unit_test(the_log_comes_first),
        cmocka_unit_test(long_logs_and_deaths),
        cmocka_unit_test(the_old_hub_dies_at_each_step),
        cmocka_unit_test(far_behind),
        cmocka_unit_test(acknowledgements_are_lost),
        cmocka_unit_test(the_operator_gives_up),
        cmocka_unit_test(many_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
