/* The way to a room's new hub, where the old one doesn't show it: it died while others were away. What shows
 * it is a chain of what the hubs signed, whoever brings that; nothing else moves anybody. */
#include "way_scene.h"

#include "core/recovery/recover.h"
#include "room/head.h"

/* FED-60, FED-61: what a device has come by is enough for its node, however much it has missed. */
static void the_old_hub_is_dead(void **state)
{
    (void)state;
    static const size_t missed[] = {0, 20, 290};
    for (size_t i = 0; i < 3; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_away(w, missed[i]);
        s.third->redo = i == 1 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        assert_ok(world_post(s.alices, "waits", NULL));
        shows(&s, s.alice, way_frame(&s, s.new));
        assert_true(has_way(&s, s.third) || view_at(&s, s.third)->hub_term == 2);
        scene_pass(&s, 140); /* a dial that was undone is tried again after a minute */
        s.third->redo = 0;
        goes_on(&s, s.new, 2);
        sees(s.room, "waits");
        if (missed[i] > 0)
            sees(s.alices, "missed 0");
    }
}

/* FED-62: the hub in office finds the homes of the members, and tells them; nobody else has to. */
static void the_new_hub_tells(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        nobody_tells = false;
        scene_rosa_moves(&s);
        w->hook = third_is_away;
        w->hook_ctx = &s;
        assert_ok(world_post(s.bobs, "missed", NULL));
        world_settle(w);
        s.third->down = i > 0; /* not to be reached until later, when the old hub is dead */
        scene_room_moves(&s);
        if (i > 0) {
            scene_pass(&s, 3);
            dies(&s, s.old);
            scene_pass(&s, 30);
            world_node_restart(s.new);
            s.third->down = false;
        }
        s.new->redo = i == 2 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        scene_pass(&s, 300);
        s.new->redo = 0;
        struct world_device *devices[] = {s.rosa, s.carol, s.alice};
        for (size_t n = 0; n < 3; n++)
            if (devices[n]->session == 0) {
                assert_ok(world_connect(devices[n], NULL));
                world_attach(devices[n]);
            }
        goes_on(&s, s.new, 2);
        sees(s.alices, "missed");
    }
}

static Hanse__Frame *where_frame(struct scene *s, size_t roots, Hanse__SignedObject *shown)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->where = WORLD_NEW(s->w, Hanse__Where, hanse__where);
    frame->where->roots = hs_arena_alloc(&s->w->arena, (roots + 1) * sizeof *frame->where->roots);
    frame->where->descriptors = hs_arena_alloc(&s->w->arena, sizeof *frame->where->descriptors);
    assert_true(frame->where->roots != NULL && frame->where->descriptors != NULL);
    for (size_t i = 0; i < roots; i++)
        frame->where->roots[i] = hs_pb_data(world_copy(s->w, HS_VIEW(s->third->root.pub)));
    frame->where->n_roots = roots;
    frame->where->descriptors[0] = shown;
    frame->where->n_descriptors = shown != NULL ? 1 : 0;
    frame->body_case = HANSE__FRAME__BODY_WHERE;
    return frame;
}

/* FED-62: what nobody asked for isn't kept, and there is an end to what may be asked at once. */
static void where_unasked(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_id before = world_store_hash(s.old);
    size_t dials = s.old->dials, refused = s.old->refused;
    world_inject(s.new, s.old, where_frame(&s, HS_WHERE_MAX, s.third->descriptor));
    world_settle(w);
    struct hs_id after = world_store_hash(s.old);
    assert_true(hs_id_equal(&before, &after));
    assert_int_equal(s.old->dials, dials);
    assert_int_equal(s.old->refused, refused);
    world_inject(s.new, s.old, where_frame(&s, HS_WHERE_MAX + 1, NULL));
    world_settle(w);
    assert_int_equal(s.old->refused, refused + 1);
}

/* FED-61: also where the node dies on its way. */
static void dies_on_its_way(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_away(w, 10);
    s.new->down = true;
    shows(&s, s.alice, way_frame(&s, s.new));
    assert_true(has_way(&s, s.third));
    world_node_restart(s.third);
    scene_pass(&s, 10);
    assert_true(has_way(&s, s.third));
    s.new->down = false;
    scene_pass(&s, 140);
    assert_ok(world_connect(s.alice, NULL));
    world_attach(s.alice);
    goes_on(&s, s.new, 2);
}

/* ---- an old hub that is restored ---- */

static bool no_tails;

static enum world_verdict tails(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    (void)from;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    return no_tails && to == s->old && f->body_case == HANSE__FRAME__BODY_TAIL ? WORLD_DROP : WORLD_PASS;
}

static enum hs_err operator_resumes(struct scene *s, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = reading(s, s->old);
    turn.arena = &arena;
    return hs_recover_resume(&turn, room);
}

static void bob_is_back(struct scene *s)
{
    assert_ok(world_connect(s->bob, NULL));
    world_attach(s->bob);
    assert_ok(world_post(s->room, "to bob", NULL));
    world_settle(s->w);
    scene_pass(s, 3);
    sees(s->bobs, "to bob");
    assert_ok(world_post(s->bobs, "from bob", NULL));
    world_settle(s->w);
    scene_pass(s, 2);
    sees(s->room, "from bob");
    sees(s->alices, "from bob");
    assert_bytes(hs_pb_bytes(view_at(s, s->old)->hub_root), HS_VIEW(s->new->root.pub));
    assert_false(view_at(s, s->old)->hub);
    assert_int_equal(view_at(s, s->old)->next_seq, view_at(s, s->new)->next_seq);
}

/* FED-63, NODE-71: it comes to its own end, and follows; the operator can't make a second hub of it. */
static void restored_old_hub(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        scene_rosa_moves(&s);
        struct hs_kv *backup = world_store_copy(s.old);
        for (size_t n = 0; n < (i == 1 ? 200 : 3); n++)
            assert_ok(world_post(s.bobs, "lost", NULL));
        world_settle(w);
        scene_room_moves(&s);
        scene_pass(&s, 5);
        assert_ok(world_post(s.room, "meanwhile", NULL));
        world_settle(w);
        no_tails = i >= 2;
        w->hook = tails;
        w->hook_ctx = &s;
        world_node_restore(s.old, backup);
        s.old->redo = i == 1 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        if (i == 3) { /* before anybody could say what has happened */
            assert_ok(operator_resumes(&s, &s.room->id));
            assert_true(view_at(&s, s.old)->hub);
        }
        scene_pass(&s, 130);
        if (no_tails) {
            assert_true(has_way(&s, s.old));
            assert_err(operator_resumes(&s, &s.room->id), HS_ERR_HUB_MOVED);
            (void)operator_resumes(&s, NULL);
            scene_pass(&s, 2 * HS_RECOVER_MS / 1000);
            struct hs_turn turn = reading(&s, s.old);
            assert_true(hs_recover_is_frozen(&turn, view_at(&s, s.old)));
            no_tails = false;
            scene_pass(&s, 140);
        }
        s.old->redo = 0;
        bob_is_back(&s);
        sees(s.bobs, "meanwhile");
    }
}

/* Carol, who hasn't the owner's word, gives the room away with a key that was the old hub's. */
static Hanse__Frame *thiefs_way(struct scene *s, const struct hs_signer *key, Hanse__SignedObject *descriptor)
{
    Hanse__Frame *move = scene_move_frame(s, s->carols, s->new, 2), *frame = world_frame(s->w);
    Hanse__HubMoved *link = WORLD_NEW(s->w, Hanse__HubMoved, hanse__hub_moved);
    struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX);
    struct hs_log_tip tip = {view_at(s, s->old)->next_seq + 5, s->room->tip.hash, s->w->now};
    struct hs_record_spec spec = {.kind = HS_RECORD_HUB_MOVE,
                                  .epoch = 1,
                                  .sender_node = s->new->root.pub,
                                  .sender_persona = s->carols->persona->signer.pub,
                                  .body = hs_pb_bytes(move->move_hub->move),
                                  .hub_time = s->w->now};
    assert_ok(hs_log_build_next(&tip, &s->room->id, &spec, &header, NULL));
    link->body = move->move_hub->move;
    link->header = hs_pb_data(world_take(s->w, &header));
    assert_ok(hs_head_build(key, &s->room->id, &tip, 1, 1, s->w->now, &s->w->arena, &link->head));
    link->descriptor = descriptor;
    frame->way = WORLD_NEW(s->w, Hanse__Moved, hanse__moved);
    frame->way->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->way->moves = hs_arena_alloc(&s->w->arena, sizeof(Hanse__HubMoved *));
    assert_non_null(frame->way->moves);
    frame->way->moves[0] = link;
    frame->way->n_moves = 1;
    frame->body_case = HANSE__FRAME__BODY_WAY;
    return frame;
}

static void all_attach(struct scene *s)
{
    struct world_device *devices[] = {s->rosa, s->bob};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(world_connect(devices[i], NULL));
        world_attach(devices[i]);
    }
}

/* FED-60, FED-63: a key that was replaced gives nothing away: not before the room goes on, where that was
 * before the backup, and none after it. */
static void stolen_keys(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_signer first = s.old->signer, second;
    Hanse__SignedObject *was = s.old->descriptor, *then;
    world_node_rotate(s.old);
    scene_pass(&s, 5);
    world_node_restore(s.old, world_store_copy(s.old));
    all_attach(&s);
    struct hs_turn turn = reading(&s, s.old);
    assert_true(hs_recover_is_frozen(&turn, view_at(&s, s.old)));
    shows(&s, s.bob, thiefs_way(&s, &first, was));
    assert_false(has_way(&s, s.old));
    assert_ok(operator_resumes(&s, &s.room->id));
    shows(&s, s.bob, thiefs_way(&s, &first, was));
    second = s.old->signer;
    then = s.old->descriptor;
    world_node_rotate(s.old);
    scene_pass(&s, 5);
    all_attach(&s);
    shows(&s, s.bob, thiefs_way(&s, &first, was));
    shows(&s, s.bob, thiefs_way(&s, &second, then));
    assert_false(has_way(&s, s.old));
    assert_ok(world_post(s.room, "goes on", NULL));
    world_settle(w);
    sees(s.bobs, "goes on");
    shows(&s, s.bob, thiefs_way(&s, &s.old->signer, s.old->descriptor)); /* who has that is the hub */
    assert_true(has_way(&s, s.old));
}

/* FED-61: the room has moved on meanwhile, and both hubs of before are gone. */
static void two_moves_at_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_away(w, 3), next = s;
    next.old = s.new;
    next.new = world_node_new(w, "fourth.example");
    scene_rosa_moves(&next);
    assert_ok(world_forward(s.rosa, s.new, scene_move_frame(&next, s.room, next.new, 3), NULL));
    world_settle(w);
    scene_pass(&s, 8);
    assert_int_equal(view_at(&s, next.new)->hub_term, 3);
    dies(&s, s.new);
    Hanse__Frame *one = way_frame(&s, next.new); /* a part of it doesn't begin with the brand */
    one->way->moves++;
    one->way->n_moves--;
    struct hs_id before = world_store_hash(s.third);
    shows(&s, s.alice, one);
    struct hs_id after = world_store_hash(s.third);
    assert_true(hs_id_equal(&before, &after));
    shows(&s, s.alice, way_frame(&s, next.new));
    scene_pass(&s, 140);
    goes_on(&s, next.new, 3);
    sees(s.alices, "missed 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_hub_is_dead), cmocka_unit_test(the_new_hub_tells),
        cmocka_unit_test(where_unasked),       cmocka_unit_test(dies_on_its_way),
        cmocka_unit_test(restored_old_hub),    cmocka_unit_test(two_moves_at_once),
        cmocka_unit_test(stolen_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
