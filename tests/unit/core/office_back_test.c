/* A room that goes to another hub, and back again. */
#include "office_scene.h"

#include "core/office/office.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/rooms/room.h"
#include "wire/unpack.h"

static void sees(const struct world_room *room, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < room->post_count; i++)
        count += strcmp(room->posts[i], text) == 0 ? 1 : 0;
    if (count != 1)
        fail_msg("%s has \"%s\" %zu times", room->device->name, text, count);
}

/* ROOM-82, FED-47: what the first term's items were made of is taken while the room comes back, and later. */
static void there_and_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w), back;
    struct world_device *erin = world_customer(s.old, "erin"), *fred = world_customer(s.old, "fred");
    struct world_invite invite = world_invite(s.room, 10);
    struct world_room *erins = world_room_join(erin, &invite), *freds = world_room_join(fred, &invite);
    assert_ok(world_ask(erin, world_join_frame(erins, world_join_body(erins, &invite)), NULL));
    assert_ok(world_ask(fred, world_join_frame(freds, world_join_body(freds, &invite)), NULL));
    world_disconnect(erin); /* their Welcomes wait at the old hub */
    world_disconnect(fred);
    world_settle(w);
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_ok(world_post(s.room, "in the first term", NULL));
    world_settle(w);
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    assert_ok(world_post(s.alices, "in the second term", NULL));
    world_settle(w);
    back = s;
    back.old = s.new;
    back.new = s.old;
    scene_rosa_moves(&back);
    assert_ok(world_forward(s.rosa, s.new, scene_move_frame(&back, s.room, s.old, 3), NULL));
    assert_ok(world_connect(erin, NULL)); /* while it is on its way */
    world_attach(erin);
    world_settle(w);
    scene_pass(&s, 5);
    assert_ok(world_connect(fred, NULL));
    world_attach(fred);
    scene_pass(&s, 2);
    assert_true(s.room->hub == s.old && s.alices->hub == s.old && s.carols->hub == s.old);
    assert_true(erins->joined && freds->joined);
    assert_ok(world_post(s.carols, "in the third term", NULL));
    assert_ok(world_post(s.bobs, "from bob", NULL));
    assert_ok(world_post(erins, "from erin", NULL));
    world_settle(w);
    scene_pass(&s, 2);
    struct world_room *all[] = {s.room, s.alices, s.bobs, s.carols, freds};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sees(all[i], "in the second term");
        sees(all[i], "in the third term");
        sees(all[i], "from bob");
        sees(all[i], "from erin");
    }
}

/* ---- a hub that is restored from its first term, and is the hub again ---- */

static bool no_ways, no_tails;
static struct world_node *restored;

static enum world_verdict withheld(void *ctx, struct world_node *from, struct world_node *to,
                                   struct hs_bytes *frame)
{
    Hanse__Frame *f;
    (void)from;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &((struct world *)ctx)->arena, &f));
    if (to != restored)
        return WORLD_PASS;
    if (f->body_case == HANSE__FRAME__BODY_TAIL) {
        f->tail->n_records = no_tails ? 0 : f->tail->n_records;
        *frame = world_pack(ctx, &f->base);
    }
    return no_ways && f->body_case == HANSE__FRAME__BODY_WAY ? WORLD_DROP : WORLD_PASS;
}

static const Hanse__State__RoomView *view_there(struct scene *s, struct hs_turn *turn)
{
    *turn = (struct hs_turn){.core = s->old->core, .kv = s->old->kv, .now = s->w->now, .arena = &s->w->arena};
    const Hanse__State__RoomView *view = hs_room_view(turn, &s->room->id);
    assert_non_null(view);
    return view;
}

static enum hs_err operator_resumes(struct scene *s, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->old->core, .kv = s->old->kv, .now = s->w->now, .arena = &arena};
    return hs_recover_resume(&turn, room);
}

/* Gives the room to the new node and takes it back; the backup is of the first term. */
static struct hs_kv *goes_and_comes(struct scene *s)
{
    struct scene back;
    scene_rosa_moves(s);
    struct hs_kv *backup = world_store_copy(s->old);
    assert_ok(world_post(s->bobs, "behind the backup", NULL));
    world_settle(s->w);
    scene_room_moves(s);
    assert_ok(world_post(s->alices, "in the second term", NULL));
    world_settle(s->w);
    back = *s;
    back.old = s->new;
    back.new = s->old;
    scene_rosa_moves(&back);
    assert_ok(world_forward(s->rosa, s->new, scene_move_frame(&back, s->room, s->old, 3), NULL));
    world_settle(s->w);
    scene_pass(s, 5);
    assert_ok(world_post(s->alices, "in the third term", NULL));
    world_settle(s->w);
    scene_pass(s, 2);
    return backup;
}

/* FED-63, NODE-71, NODE-81: its own terms come back one after the other, and no word of the operator makes it
 * a hub of the first one. */
static void back_and_restored(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct hs_turn turn;
        struct hs_kv *backup = goes_and_comes(&s);
        no_ways = i > 0;
        no_tails = i > 0;
        restored = s.old;
        w->hook = withheld;
        w->hook_ctx = w;
        world_node_restore(s.old, backup);
        s.old->redo = i != 1 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        scene_pass(&s, 5);
        if (i > 0) { /* there is the head of a later term, and nothing that leads there */
            scene_pass(&s, 3 * HS_RECOVER_MS / 1000);
            assert_err(operator_resumes(&s, &s.room->id), HS_ERR_HUB_MOVED);
            (void)operator_resumes(&s, NULL);
            const Hanse__State__RoomView *view = view_there(&s, &turn);
            assert_true(hs_recover_is_frozen(&turn, view));
            no_ways = no_tails = false;
        }
        scene_pass(&s, 400);
        s.old->redo = 0;
        const Hanse__State__RoomView *view = view_there(&s, &turn);
        assert_int_equal(hs_room_term(view), 3);
        assert_true(view->hub && !hs_office_is_coming(view));
        if (hs_recover_is_frozen(&turn, view)) /* Bob and Rosa are here, and haven't come */
            assert_ok(operator_resumes(&s, &s.room->id));
        assert_ok(world_connect(s.bob, NULL));
        world_attach(s.bob);
        assert_ok(world_post(s.alices, "goes on", NULL));
        world_settle(w);
        scene_pass(&s, 65); /* what RECOVERING was said to is sent again */
        sees(s.bobs, "in the third term");
        sees(s.bobs, "goes on");
        sees(s.carols, "goes on");
    }
}

static void dies(struct scene *s, struct world_node *node)
{
    node->down = true;
    for (size_t i = 0; i < s->w->link_count; i++)
        if (s->w->links[i].open && (s->w->links[i].node[0] == node || s->w->links[i].node[1] == node))
            world_close(s->w, s->w->links[i].id[0]);
    world_run(s->w);
}

static enum world_verdict new_says_nothing(void *ctx, struct world_node *from, struct world_node *to,
                                           struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    bool tells = f->body_case == HANSE__FRAME__BODY_TAIL || f->body_case == HANSE__FRAME__BODY_RECORDS;
    return tells && to == s->old && from == s->new ? WORLD_DROP : WORLD_PASS;
}

/* FED-83: and where the hub between is gone for good, or brings nothing, whoever reads the room has what it
 * has ordered. */
static void the_hub_between_is_gone(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct hs_turn turn;
        struct hs_kv *backup = goes_and_comes(&s);
        for (size_t n = 0; n < (i == 1 ? 150 : 3); n++)
            assert_ok(world_post(s.alices, "more", NULL));
        world_settle(w);
        scene_pass(&s, 2);
        uint64_t next = view_there(&s, &turn)->next_seq;
        if (i < 3)
            dies(&s, s.new);
        w->hook = i < 3 ? NULL : new_says_nothing;
        w->hook_ctx = &s;
        world_node_restore(s.old, backup);
        s.old->redo = i == 2 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        scene_pass(&s, 400);
        s.old->redo = 0;
        const Hanse__State__RoomView *view = view_there(&s, &turn);
        assert_int_equal(hs_room_term(view), 3);
        assert_true(view->hub && !hs_office_is_coming(view));
        scene_pass(&s, 2 * HS_RECOVER_MS / 1000);
        if (hs_recover_is_frozen(&turn, view_there(&s, &turn))) /* Carol's home is the one that is gone */
            assert_ok(operator_resumes(&s, &s.room->id));
        assert_int_equal(view_there(&s, &turn)->next_seq, next);
        assert_ok(world_connect(s.bob, NULL));
        world_attach(s.bob);
        assert_ok(world_post(s.alices, "goes on", NULL));
        world_settle(w);
        scene_pass(&s, 65);
        sees(s.bobs, "in the second term");
        sees(s.bobs, "in the third term");
        sees(s.bobs, "goes on");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(back_and_restored),
        cmocka_unit_test(the_hub_between_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
