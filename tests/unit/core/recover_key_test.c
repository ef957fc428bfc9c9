/* A restored hub that has had keys since its backup which it doesn't know any more. */
#include "way_scene.h"

#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/recovery/recover.h"
#include "object/object.h"

static void everybody_attaches(struct scene *s)
{
    struct world_device *devices[] = {s->rosa, s->alice, s->bob, s->carol};
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (devices[i]->session == 0) {
            assert_ok(world_connect(devices[i], NULL));
            world_attach(devices[i]);
        }
    world_settle(s->w);
}

/* New keys, which everybody has seen. */
static void renew(struct scene *s)
{
    world_node_rotate(s->old);
    scene_pass(s, 5);
    everybody_attaches(s);
    scene_pass(s, 5);
}

static bool is_frozen(struct scene *s)
{
    struct hs_turn turn = reading(s, s->old);
    return hs_recover_is_frozen(&turn, view_at(s, s->old));
}

static bool knows(struct scene *s, const struct hs_key *key)
{
    struct hs_turn turn = reading(s, s->old);
    return hs_node_key_of(&turn, &s->old->root.pub, key, NULL) != NULL;
}

/* FED-82, NODE-72: what it has signed since its backup, by keys that nothing here speaks of, comes back. */
static void heads_by_a_forgotten_key(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct hs_kv *backup = world_store_copy(s.old);
        renew(&s);
        struct hs_key between = s.old->signer.pub;
        assert_ok(world_post(s.room, "by the key between", NULL));
        assert_ok(world_post(s.alices, "and by Alice", NULL));
        world_settle(w);
        scene_pass(&s, 2);
        uint64_t next = s.room->tip.next_seq;
        world_node_rotate(s.old);
        world_node_restore(s.old, backup);
        assert_false(knows(&s, &between));
        s.old->redo = i == 1 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        everybody_attaches(&s);
        assert_err(world_post(s.room, "too early", NULL), HS_ERR_RECOVERING);
        scene_pass(&s, (HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS) / 1000);
        s.old->redo = 0;
        assert_false(is_frozen(&s));
        assert_true(knows(&s, &between));
        assert_int_equal(view_at(&s, s.old)->next_seq, next);
        Hanse__Frame *answer;
        assert_ok(world_post(s.room, "goes on", &answer));
        assert_int_equal(answer->accepted->seq, next);
        world_settle(w);
        scene_pass(&s, 2);
        sees(s.alices, "goes on");
        world_node_restart(s.old);
        assert_true(knows(&s, &between));
    }
}

/* FED-82: its keys were in the backup, too, and it has made others since, under a number that it had given
 * away: those of both count, once others take what it has now (FED-52). */
static void two_keys_of_one_number(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_kv *backup = world_store_copy(s.old);
    struct world_node was = *s.old;
    renew(&s);
    struct hs_key between = s.old->signer.pub;
    assert_ok(world_post(s.room, "by the key between", NULL));
    world_settle(w);
    scene_pass(&s, 2);
    uint64_t next = s.room->tip.next_seq;
    s.old->signer = was.signer;
    s.old->descriptor = was.descriptor;
    world_node_restore(s.old, backup);
    world_node_rotate(s.old);
    struct hs_key other = s.old->signer.pub;
    scene_pass(&s, 5);
    world_node_rotate(s.old);
    everybody_attaches(&s);
    scene_pass(&s, (HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS) / 1000);
    assert_false(is_frozen(&s));
    assert_int_equal(view_at(&s, s.old)->next_seq, next);
    assert_true(knows(&s, &between) && knows(&s, &other) && knows(&s, &s.old->signer.pub));
}

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

/* FED-63, FED-82: so does its own end. */
static void moved_by_a_forgotten_key(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        scene_rosa_moves(&s);
        struct hs_kv *backup = world_store_copy(s.old);
        renew(&s);
        assert_ok(world_post(s.bobs, "lost", NULL));
        world_settle(w);
        scene_room_moves(&s);
        scene_pass(&s, 5);
        assert_ok(world_post(s.room, "meanwhile", NULL));
        world_settle(w);
        no_tails = i == 1; /* the way comes first, and what leads there later */
        w->hook = tails;
        w->hook_ctx = &s;
        world_node_rotate(s.old);
        world_node_restore(s.old, backup);
        s.old->redo = i == 2 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        scene_pass(&s, 140);
        if (no_tails) {
            assert_true(has_way(&s, s.old));
            assert_true(is_frozen(&s));
            no_tails = false;
            scene_pass(&s, 280);
        }
        s.old->redo = 0;
        everybody_attaches(&s);
        assert_false(view_at(&s, s.old)->hub);
        assert_bytes(hs_pb_bytes(view_at(&s, s.old)->hub_root), HS_VIEW(s.new->root.pub));
        assert_ok(world_post(s.room, "to bob", NULL));
        world_settle(w);
        scene_pass(&s, 3);
        sees(s.bobs, "meanwhile");
        sees(s.bobs, "to bob");
    }
}

/* FED-63: a key that was replaced before the backup gives no room away, whatever a reader brings with it. */
static void moved_by_a_replaced_key(void **state)
{
    (void)state;
    struct hs_core_input tick = {.kind = HS_INPUT_TICK};
    for (int i = 0; i < 2; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        scene_rosa_moves(&s);
        struct hs_kv *backup = world_store_copy(s.old), *gone = s.old->kv;
        scene_room_moves(&s); /* as a thief has it that holds the first key, and Rosa's word */
        scene_pass(&s, 5);
        s.old->kv = backup;
        if (i > 0)
            world_node_rotate(s.old);
        world_input(s.old, &tick);
        world_node_restore(s.old, world_store_copy(s.old));
        hs_kv_memory_free(gone);
        scene_pass(&s, 140);
        assert_true(is_frozen(&s) == (i > 0));
        assert_true(view_at(&s, s.old)->hub == (i > 0));
    }
}

/* New keys, of which nobody else hears yet. */
static void renew_alone(struct scene *s)
{
    struct hs_core_input tick = {.kind = HS_INPUT_TICK};
    world_node_rotate(s->old);
    world_input(s->old, &tick); /* they are in its store */
}

/* NODE-101: that it gave the room away is believed although the store that had lost this was put back once
 * more, from a backup that was made with new keys, before anybody showed it. */
static void restored_twice(void **state)
{
    (void)state;
    for (int renewed = 0; renewed < 3; renewed++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        scene_rosa_moves(&s);
        struct hs_kv *backup = world_store_copy(s.old);
        scene_room_moves(&s);
        scene_pass(&s, 5);
        world_node_restore(s.old, backup);
        for (int i = 0; i < renewed; i++) {
            renew_alone(&s);
            world_node_restore(s.old, world_store_copy(s.old));
        }
        assert_true(view_at(&s, s.old)->hub);
        scene_pass(&s, 140);
        everybody_attaches(&s);
        assert_false(view_at(&s, s.old)->hub);
        assert_bytes(hs_pb_bytes(view_at(&s, s.old)->hub_root), HS_VIEW(s.new->root.pub));
    }
}

/* NODE-101: a key that was replaced before a backup of a room that went on since counts for nothing: what it
 * signed is there. */
static void went_on_between(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_turn turn = reading(&s, s.old);
    world_node_restore(s.old, world_store_copy(s.old));
    everybody_attaches(&s);
    scene_pass(&s, (HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS) / 1000);
    assert_false(is_frozen(&s));
    renew_alone(&s);
    world_node_restore(s.old, world_store_copy(s.old));
    turn = reading(&s, s.old);
    uint64_t first = s.old->core->descriptor.sequence - 1;
    assert_int_equal(hs_node_key_forgotten(&turn, 0), first);
    assert_int_equal(hs_node_key_forgotten(&turn, view_at(&s, s.old)->resumed), first + 1);
}

/* NODE-101: so many restorings with new keys between are told apart; of more the oldest two count as one. */
static void restored_often(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t first = s.old->core->descriptor.sequence, since = s.old->incarnation;
    for (uint64_t i = 0; i <= HS_RESTORINGS_MAX; i++) {
        struct hs_turn turn = reading(&s, s.old);
        world_node_restore(s.old, world_store_copy(s.old));
        turn = reading(&s, s.old);
        for (uint64_t n = 0; n <= i; n++)
            assert_int_equal(hs_node_key_forgotten(&turn, since + n), first + n);
        renew_alone(&s);
    }
    world_node_restore(s.old, world_store_copy(s.old)); /* one past */
    struct hs_turn turn = reading(&s, s.old);
    assert_int_equal(hs_node_key_forgotten(&turn, since), first);
    assert_int_equal(hs_node_key_forgotten(&turn, since + 1), first); /* rather too much is believed */
    for (uint64_t n = 2; n <= HS_RESTORINGS_MAX + 1; n++)
        assert_int_equal(hs_node_key_forgotten(&turn, since + n), first + n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_by_a_forgotten_key), cmocka_unit_test(two_keys_of_one_number),
        cmocka_unit_test(moved_by_a_forgotten_key), cmocka_unit_test(moved_by_a_replaced_key),
        cmocka_unit_test(restored_twice),           cmocka_unit_test(went_on_between),
        cmocka_unit_test(restored_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
