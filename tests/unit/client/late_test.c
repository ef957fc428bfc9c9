/* What a node had on its way to a device, or knew of it, and lost by a restoring: Welcomes, and rooms that it
 * read for its users. */
#include "hostile.h"

#include "sync/state.h"

struct scene {
    struct town *t;
    struct town_node *hub, *home;
    struct town_device *rosa, *ben, *dora;
    struct hs_id room;
    const char *link;
};

/* Rosa owns a room at the hub, and Ben is in it; Dora has an account at the other node. */
static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.hub = town_node_new(c.t, "rosa.example");
    c.home = town_node_new(c.t, "home.example");
    c.rosa = town_member_of_staff(c.hub, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    c.link = town_link(c.rosa, &c.room, 10);
    c.ben = town_customer(c.hub, "Ben");
    town_join(c.ben, c.link);
    c.dora = town_customer(c.home, "Dora");
    return c;
}

static void start(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

static void post(struct scene *c, struct town_device *d, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, &c->room, text, &op));
    town_wait(c->t, 5000);
}

/* Both read and write. */
static void talk(struct scene *c, struct town_device *a, struct town_device *b)
{
    post(c, a, "to and");
    post(c, b, "fro");
    assert_non_null(strstr(town_history(a, &c->room), "to and\nfro\n"));
    assert_non_null(strstr(town_history(b, &c->room), "to and\nfro\n"));
}

static void is_in(struct scene *c, struct town_device *d, uint32_t members)
{
    struct hs_room_row row = hostile_room(d, &c->room);
    assert_int_equal(row.state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(row.keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(row.members, members);
    assert_int_equal(town_event_count(d, HANSE_EVENT_JOINED), 1);
}

/* d asks to be let in while Rosa is away. */
static void asks(struct scene *c, struct town_device *d)
{
    uint64_t op;
    town_device_kill(c->rosa);
    TOWN_WANT(d, hs_want_join(&s, c->link, &op));
    town_wait(c->t, 3000);
    assert_int_equal(town_event_count(d, HANSE_EVENT_WAITING), 1);
}

/* ... and is let in while it is away itself. */
static void is_let_in_asleep(struct scene *c, struct town_device *d, uint32_t members)
{
    town_device_kill(d);
    start(c->rosa);
    town_wait(c->t, 5000);
    assert_int_equal(hostile_room(c->rosa, &c->room).members, members);
}

/* The hub is the joiner's home, and what it has lost is the Welcome; the log is back. CLIENT-77 */
static void a_restored_hub(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = town_customer(c.hub, "Emil");
    asks(&c, emil);
    struct hs_kv *backup = town_node_copy(c.hub);
    is_let_in_asleep(&c, emil, 3);
    town_node_restore(c.hub, backup);
    start(emil);
    town_wait(c.t, 300000);
    assert_false(town_node_is_frozen(c.hub));
    is_in(&c, emil, 3);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_WAITING), 1);
    talk(&c, emil, c.rosa);
    talk(&c, emil, c.ben);
    town_free(c.t);
}

/* The same where the hub has lost that he asked, too, and his account. */
static void a_hub_that_has_forgotten_him(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_kv *backup = town_node_copy(c.hub);
    struct town_device *emil = town_customer(c.hub, "Emil");
    asks(&c, emil);
    is_let_in_asleep(&c, emil, 3);
    town_node_restore(c.hub, backup);
    start(emil);
    town_wait(c.t, 300000);
    assert_false(town_node_is_frozen(c.hub));
    is_in(&c, emil, 3);
    talk(&c, emil, c.rosa);
    town_free(c.t);
}

/* Nobody has let him in, and the hub has lost that he asked: he asks again. CLIENT-77 */
static void a_lost_join(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = town_customer(c.hub, "Emil");
    struct hs_kv *backup = town_node_copy(c.hub);
    town_device_kill(c.ben);
    asks(&c, emil);
    town_node_restore(c.hub, backup);
    start(c.ben);
    start(c.rosa);
    town_wait(c.t, 300000);
    assert_false(town_node_is_frozen(c.hub));
    is_in(&c, emil, 3);
    talk(&c, emil, c.rosa);
    town_free(c.t);
}

/* Her home node had the Welcome for her, and has lost it. FED-68, CLIENT-77, CLIENT-78 */
static void a_restored_home(void **state)
{
    (void)state;
    struct scene c = scene_new();
    asks(&c, c.dora);
    struct hs_kv *backup = town_node_copy(c.home);
    is_let_in_asleep(&c, c.dora, 3);
    town_node_restore(c.home, backup);
    start(c.dora);
    town_wait(c.t, 120000);
    is_in(&c, c.dora, 3);
    talk(&c, c.dora, c.rosa);
    talk(&c, c.dora, c.ben);
    town_free(c.t);
}

/* She is in the room, and her home has never heard of it: she reads on where she stood. FED-68, CLIENT-78 */
static void a_home_without_the_room(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_kv *backup = town_node_copy(c.home);
    town_join(c.dora, c.link);
    talk(&c, c.dora, c.rosa);
    town_device_kill(c.dora);
    post(&c, c.rosa, "meanwhile");
    uint64_t op;
    town_node_restore(c.home, backup);
    start(c.dora);
    TOWN_WANT(c.dora, hs_want_text(&s, &c.room, "mine", &op)); /* waits until somebody brings it */
    town_wait(c.t, 60000);
    assert_non_null(town_done(c.dora, op));
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_non_null(strstr(town_history(c.dora, &c.room), "meanwhile\nmine\n"));
    assert_non_null(strstr(town_history(c.ben, &c.room), "meanwhile\nmine\n"));
    is_in(&c, c.dora, 3);
    talk(&c, c.dora, c.rosa);
    town_free(c.t);
}

/* The same where another user of that node was in the room before: the copy is there, and she isn't. */
static void a_home_that_knows_others(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *fritz = town_customer(c.home, "Fritz");
    town_join(fritz, c.link);
    struct hs_kv *backup = town_node_copy(c.home);
    town_join(c.dora, c.link);
    talk(&c, c.dora, fritz);
    town_node_restore(c.home, backup);
    town_wait(c.t, 60000);
    is_in(&c, c.dora, 4);
    talk(&c, c.dora, fritz);
    talk(&c, fritz, c.rosa);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_hub),
        cmocka_unit_test(a_hub_that_has_forgotten_him),
        cmocka_unit_test(a_lost_join),
        cmocka_unit_test(a_restored_home),
        cmocka_unit_test(a_home_without_the_room),
        cmocka_unit_test(a_home_that_knows_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
