/* The hub asks for a commit that nobody makes by himself. ROOM-92, FED-67 */
#include "four_scene.h"

#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/recovery/recover.h"
#include "core/rooms/wanted.h"
#include "wire/unpack.h"

/* How often d was asked, in all, and for which epoch last. */
static size_t asked(struct world_device *d, uint64_t *epoch)
{
    size_t count = 0;
    for (size_t i = 0; i < d->rx_len; i++) {
        Hanse__Frame *frame;
        assert_ok(HS_UNPACK(hanse__frame, d->rx[i], HS_LENIENT, &d->world->arena, &frame));
        if (frame->body_case != HANSE__FRAME__BODY_WANT_COMMIT)
            continue;
        assert_int_equal(frame->id, 0);
        if (epoch != NULL)
            *epoch = frame->want_commit->epoch;
        count++;
    }
    return count;
}

static size_t all_asked(const struct scene *s)
{
    return asked(s->rosa, NULL) + asked(s->alice, NULL) + asked(s->bob, NULL) + asked(s->cem, NULL);
}

static void pass(struct scene *s, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += 1000)
        world_pass(s->w, 1000);
}

/* A commit came back without its GroupInfo. */
static struct scene without_info(struct world *w)
{
    struct scene s = scene_new(w);
    struct hs_kv *backup = world_store_copy(s.hub);
    assert_ok(world_update(s.room));
    world_settle(w);
    world_node_restore(s.hub, backup);
    struct world_device *here[] = {s.rosa, s.alice, s.bob};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(world_connect(here[i], NULL));
        world_attach(here[i]);
    }
    pass(&s, HS_RETRY_MAX_MS);
    assert_int_equal(all_asked(&s), 0); /* while the room stands still nobody could */
    pass(&s, 2 * HS_RECOVER_MS);
    return s;
}

/* One after another, each reader in its turn, until there is a commit. */
static void everybody_in_turn(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = without_info(w);
    uint64_t epoch = 0;
    pass(&s, 10 * HS_WANTED_AGAIN_MS);
    assert_true(asked(s.rosa, &epoch) > 0 && asked(s.alice, NULL) > 0 && asked(s.bob, NULL) > 0);
    assert_true(asked(s.cem, NULL) > 0); /* through his home */
    assert_int_equal(epoch, hs_mls_group_epoch(s.room->group));
    size_t before = all_asked(&s);
    pass(&s, 4 * HS_WANTED_AGAIN_MS);
    assert_int_equal(all_asked(&s), before + 4);
    assert_ok(world_update(s.cems));
    world_settle(w);
    before = all_asked(&s);
    pass(&s, 10 * HS_WANTED_AGAIN_MS);
    assert_int_equal(all_asked(&s), before);
}

/* Nobody is there: who comes is asked. */
static void whoever_comes(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = without_info(w);
    struct world_device *all[] = {s.rosa, s.alice, s.bob, s.cem};
    for (size_t i = 0; i < 4; i++)
        world_disconnect(all[i]);
    size_t before = all_asked(&s);
    pass(&s, 4 * HS_WANTED_AGAIN_MS);
    assert_int_equal(all_asked(&s), before);
    size_t bobs = asked(s.bob, NULL);
    assert_ok(world_connect(s.bob, NULL));
    world_attach(s.bob);
    pass(&s, 4 * HS_WANTED_AGAIN_MS);
    assert_true(asked(s.bob, NULL) > bobs);
}

static enum hs_err leave(struct world_room *room)
{
    struct world *w = room->device->world;
    struct hs_writer HS_WRITER message = hs_writer(1 << 16);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REMOVE,
                                                    .leaf = hs_mls_group_own_leaf(room->group)};
    assert_ok(hs_mls_group_propose(room->group, &request, &message));
    Hanse__Frame *frame = world_frame(w);
    frame->submit_message = WORLD_NEW(w, Hanse__SubmitMessage, hanse__submit_message);
    frame->body_case = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    frame->submit_message->room = hs_pb_data(HS_VIEW(room->id));
    frame->submit_message->persona = hs_pb_data(HS_VIEW(room->persona->signer.pub));
    frame->submit_message->message = hs_pb_data(world_take(w, &message));
    HS_TRY(world_ask(room->device, frame, NULL));
    world_settle(w);
    return HS_OK;
}

/* Who has left waits ten seconds for those whose affair it is, also over a restart of the hub. */
static void who_has_left(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(leave(s.bobs));
    pass(&s, HS_WANTED_LEAVER_MS - 2000);
    assert_int_equal(all_asked(&s), 0);
    pass(&s, 4000);
    assert_int_equal(all_asked(&s), 1);
    assert_int_equal(asked(s.bob, NULL), 0);
    world_node_restart(s.hub);
    assert_ok(world_connect(s.alice, NULL));
    world_attach(s.alice);
    pass(&s, HS_WANTED_LEAVER_MS + 4 * HS_WANTED_AGAIN_MS);
    assert_true(all_asked(&s) > 1);
    assert_int_equal(asked(s.bob, NULL), 0);
}

/* A hub asks for its own rooms only. */
static void another_hub_asks(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *other = world_node_new(w, "other.example");
    struct world_device *dora = world_staff(other, "dora", HANSE__ROLE__ROLE_OWNER);
    struct world_room *room = world_room_new(dora, "another");
    struct world_invite invite = world_invite(room, 10);
    (void)world_join(s.cem, room, &invite);
    Hanse__Frame *frame = world_frame(w);
    frame->want_commit = WORLD_NEW(w, Hanse__WantCommit, hanse__want_commit);
    frame->body_case = HANSE__FRAME__BODY_WANT_COMMIT;
    frame->want_commit->room = hs_pb_data(HS_VIEW(s.room->id));
    world_inject(other, s.home, frame);
    world_run(w);
    assert_int_equal(asked(s.cem, NULL), 0);
    frame->want_commit->room = hs_pb_data(HS_VIEW(room->id));
    world_inject(other, s.home, frame);
    world_run(w);
    assert_int_equal(asked(s.cem, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_in_turn),
        cmocka_unit_test(whoever_comes),
        cmocka_unit_test(who_has_left),
        cmocka_unit_test(another_hub_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
