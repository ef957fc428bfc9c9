/* A room that goes to another hub, and back again. */
#include "office_scene.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
